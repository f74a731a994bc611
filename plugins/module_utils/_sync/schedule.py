# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several pieces of work at the same time, the largest first, within a number of bytes; a signal ends them all."""

from __future__ import annotations

import threading
from typing import Callable, Generic, Sequence, TypeVar

_Item = TypeVar("_Item")


class Schedule(Generic[_Item]):
    """Items that wait for their turn: at most ``jobs`` at work, whose sizes come to ``limit`` bytes at most.

    An item that is larger than the limit is taken when it is alone.
    """

    def __init__(
        self, items: Sequence[_Item], jobs: int, size: Callable[[_Item], int] = lambda _item: 0, limit: int = 0
    ) -> None:
        self._waiting = sorted(items, key=size, reverse=True)
        self._jobs = min(jobs, len(self._waiting))
        self._size = size
        self._limit = limit
        # Guards all below, and wakes the threads when an item is done.
        self._changed = threading.Condition()
        self._at_work = 0
        self._bytes = 0
        self._stopped = False
        self._raised: list[Exception] = []

    def run(self, work: Callable[[_Item], None], on_stop: Callable[[], None]) -> None:
        """Do the work for all items; raises the first exception that a piece of it raised, when all are done.

        All of it is done by threads of its own: a signal comes to this one, which then begins nothing more, calls
        ``on_stop``, and waits for what is at work.
        """
        threads: list[threading.Thread] = []
        try:
            for _number in range(self._jobs):
                thread = threading.Thread(target=self._work, args=(work,), daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # no more threads
                    break
                threads.append(thread)
            if not threads:
                self._work(work)
            for thread in threads:
                thread.join()
        except BaseException:
            with self._changed:
                self._stopped = True
                self._changed.notify_all()
            on_stop()
            for thread in threads:
                thread.join()
            raise
        if self._raised:
            raise self._raised[0]

    def _work(self, work: Callable[[_Item], None]) -> None:
        while True:
            item = self._next()
            if item is None:
                return
            try:
                work(item)
            except Exception as error:
                self._raised.append(error)
            finally:
                with self._changed:
                    self._at_work -= 1
                    self._bytes -= self._size(item)
                    self._changed.notify_all()

    def _next(self) -> _Item | None:
        """Return the largest item that there is room for, waiting for it; None where nothing is to be begun."""
        with self._changed:
            while self._waiting and not self._stopped:
                room = self._limit - self._bytes
                for item in self._waiting:
                    if not self._at_work or self._size(item) <= room:
                        self._waiting.remove(item)
                        self._at_work += 1
                        self._bytes += self._size(item)
                        return item
                self._changed.wait()
        return None
