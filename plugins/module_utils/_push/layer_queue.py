# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layers of an archive are compressed by a few threads, the largest first; the last one is sent meanwhile."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Iterable

from .._compression.compressors import cores
from .._errors import AppuioError

if TYPE_CHECKING:
    from .._source.growing import GrowingBody
    from .archive_layer import ArchiveLayer

# Two keep reading and compressing going; more than there are cores would only end all of them late.
LEAST_COMPRESSORS = 2
MOST_COMPRESSORS = 4


class LayerQueue:
    """Threads that make blobs of layers, ahead of the uploads."""

    def __init__(self, layers: Iterable[ArchiveLayer]) -> None:
        self._waiting = sorted(layers, key=lambda layer: layer.size)
        # Guards what follows, and wakes uploads that wait for a layer when one has ended.
        self._ended = threading.Condition()
        self._unfinished = set(self._waiting)
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin; where no thread can be started, uploads compress what they need."""
        most = max(LEAST_COMPRESSORS, min(MOST_COMPRESSORS, cores()))
        for _number in range(min(most, len(self._waiting))):
            thread = threading.Thread(target=self._work, daemon=True)
            try:
                thread.start()
            except RuntimeError:
                break
            self._threads.append(thread)

    def growing(self, layer: ArchiveLayer) -> GrowingBody | None:
        """Wait until a layer is a blob, and return None, or until it is the last one that is not, and return that.

        Others are sent when their digest is known, as a zone may have them already: while they are compressed, an
        upload has others to send. So has one that was compressed in an earlier run.
        """
        if not self._threads or layer.noted:
            return None
        with self._ended:
            self._ended.wait_for(lambda: layer not in self._unfinished or len(self._unfinished) == 1)
            return layer.growing() if layer in self._unfinished else None

    def join(self) -> None:
        """Wait until the threads have ended."""
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        """Compress what is still to be compressed; a failure shows where the layer is wanted."""
        while self._waiting:
            try:
                layer = self._waiting.pop()
            except IndexError:  # another thread took the last one
                return
            try:
                with suppress(AppuioError):
                    layer.descriptor()
            finally:
                layer.end()
                with self._ended:
                    self._unfinished.discard(layer)
                    self._ended.notify_all()
