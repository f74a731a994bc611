# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a set is, over all its images and zones, told by the progress of a push: one line for all of them."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import Iterator

from .._push.progress import Progress

# The set is the one thing that has a line.
_SET = ""


class SetProgress:
    """Sums up what the images of a set tell of themselves; safe for several threads, and raises nothing."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._lock = threading.Lock()
        self._running: list[str] = []
        self._total = self._done = self._count = 0

    def image(self, name: str) -> ImageProgress:
        """Return the progress of one image, by the name that it has in a line."""
        return ImageProgress(self, name)

    def begin(self, count: int, total: int) -> None:
        """Tell that so many images change, of so many bytes in all zones, as far as that is known."""
        with self._lock:
            self._count = count
            self._tell(total)

    @contextmanager
    def working(self, image: ImageProgress, planned: int) -> Iterator[None]:
        """Tell that an image is at work, and that it is done at the end; ``planned`` bytes of it count already."""
        image.begin(planned)
        with self._lock:
            self._running.append(image.name)
            self._tell(0)
        try:
            yield
        finally:
            image.finish()
            with self._lock:
                self._running.remove(image.name)
                self._done += 1
                self._tell(0)

    def expect(self, count: int) -> None:
        """Take more bytes into account, or fewer."""
        with self._lock:
            self._tell(count)

    def advance(self, count: int) -> None:
        """Count bytes that were sent."""
        self._progress.advance(_SET, count)

    def end(self, failed: bool) -> None:
        """Tell how it has ended."""
        self._progress.end(_SET, "failed" if failed else "done")

    def close(self) -> None:
        """Tell no more."""
        self._progress.close()

    def _tell(self, more: int) -> None:
        self._total += more
        if self._count:
            images = [self._done, self._count]
            self._progress.begin(_SET, self._total, images=images, running=list(self._running))


class ImageProgress:
    """What one image tells of itself: its bytes in all zones together, in place of those that were planned."""

    def __init__(self, whole: SetProgress, name: str) -> None:
        self.name = name
        self._whole = whole
        self._lock = threading.Lock()
        self._planned = self._expected = self._sent = 0

    def begin(self, planned: int) -> None:
        """Take note that so many bytes are counted for it already."""
        self._planned = self._expected = planned

    def expect(self, _zone: str, count: int) -> None:
        """Take more bytes into account, or fewer; what was planned ends to count."""
        with self._lock:
            planned, self._planned = self._planned, 0
            self._expected += count - planned
        self._whole.expect(count - planned)

    def advance(self, _zone: str, count: int) -> None:
        """Count bytes that were sent."""
        with self._lock:
            self._sent += count
        self._whole.advance(count)

    def end(self, _zone: str, _outcome: str) -> None:
        """The line of the set does not tell of one zone."""

    def finish(self) -> None:
        """Expect no more than was sent."""
        self._whole.expect(self._sent - self._expected)

    def close(self) -> None:
        """The line of the set goes on."""
