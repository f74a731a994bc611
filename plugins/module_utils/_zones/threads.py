# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same work for several items at the same time, also where no thread can be started and when told to stop."""

from __future__ import annotations

import threading
from typing import Callable, Sequence, TypeVar

_Item = TypeVar("_Item")


def at_once(work: Callable[[_Item], None], items: Sequence[_Item], on_stop: Callable[[], None] | None = None) -> None:
    """Do the work for all items at the same time; waits for all, and raises the first of what was raised.

    The first item is for this thread, and so is every one that no thread can be started for: nobody waits for it for
    ever. A signal that became an exception comes to this thread while the others work: where ``on_stop`` tells them so,
    they are waited for.
    """
    raised: list[BaseException] = []
    threads: list[threading.Thread] = []

    def guarded(item: _Item) -> None:
        try:
            work(item)
        except Exception as error:
            raised.append(error)

    try:
        for item in items[1:]:
            thread = threading.Thread(target=guarded, args=(item,), daemon=True)
            try:
                thread.start()
            except RuntimeError:
                guarded(item)
            else:
                threads.append(thread)
        for item in items[:1]:
            guarded(item)
        for thread in threads:
            thread.join()
    except BaseException:
        if on_stop is not None:
            on_stop()
            for thread in threads:
                thread.join()
        raise
    if raised:
        raise raised[0]
