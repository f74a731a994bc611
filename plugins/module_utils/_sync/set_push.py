# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images of a set that change: pushed several at a time, with what is noted of their tags, also after a signal."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Callable, Sequence

from .._errors import AppuioError
from .._signals import StoppedError
from .image import ImageSync, Running
from .options import SyncOptions
from .schedule import Schedule
from .set_progress import SetProgress

if TYPE_CHECKING:
    from .._push.result import PushPlan
    from .marking import Marking

    AtOnce = Callable[[Sequence[ImageSync], Callable[[ImageSync], None], Callable[[], None]], None]

# Uploads at the same time to each zone, of all images that are pushed at once. Each holds a block and a connection.
_UPLOADS = 4
_ANOTHER_FAILED = "nothing was begun, as another image failed before, and keep_going is false"


class SetPush:
    """Brings images to their zones; ``marks`` says that what the set brings is noted there.

    ``at_once`` does the work for several images at the same time, and calls its last argument on a signal.
    """

    def __init__(
        self,
        options: SyncOptions,
        images: Sequence[ImageSync],
        progress: SetProgress,
        running: Running,
        at_once: AtOnce,
        marks: bool,
    ) -> None:
        self._options = options
        self._images = images
        self._progress = progress
        self._running = running
        self._at_once = at_once
        self._marks = marks
        self._failed = threading.Event()
        self._markings: list[Marking] = []

    def run(self) -> StoppedError | None:
        """Push all; what fails is noted in the plans of the images; return the signal that has ended it, if one has."""
        share = max(1, _UPLOADS // max(1, min(self._options.jobs, len(self._images))))
        for image in self._images:
            image.push.options = image.push.options._replace(jobs=share)
        self._progress.begin(len(self._images), sum(image.planned_bytes for image in self._images))
        try:
            return self._run()
        finally:
            self._progress.end(failed=any(image.plan.error for image in self._images))

    def _run(self) -> StoppedError | None:
        try:
            self._at_once(
                self._images, self._push, lambda: self._running.stop("left as it was, as the task was stopped")
            )
            if self._options.atomic == "set":
                from .whole_set import move_set

                move_set(self._images)
            self._put_notes_right()
        except StoppedError as stopped:
            stopped.catch()
            self._running.resume()
            for image in self._images:
                if image.plan.done is None and image.plan.error is None:
                    image.skip(f"{stopped}; the image is left as it was")
            self._put_notes_right()
            return stopped
        return None

    def _push(self, image: ImageSync) -> None:
        if self._failed.is_set() and not self._options.keep_going:
            image.skip(_ANOTHER_FAILED)
            return
        with self._progress.working(image.progress, image.planned_bytes):
            if self._marks:
                self._push_marked(image)
            else:
                self._running.work(image, self._work)
        if image.plan.error is not None:
            self._failed.set()

    def _push_marked(self, image: ImageSync) -> None:
        from .marking import Marking

        marking = Marking(image, self._options.set_name)
        try:
            marking.note()
            self._running.work(image, self._work)
        except AppuioError as error:
            image.fail(error)
        if self._options.atomic == "set":
            self._markings.append(marking)  # its tags have not moved yet
        else:
            marking.put_right()

    @property
    def _work(self) -> Callable[[ImageSync, PushPlan], None]:
        return ImageSync.upload if self._options.atomic == "set" else ImageSync.apply

    def _put_notes_right(self) -> None:
        def put_right(marking: Marking) -> None:
            marking.put_right()

        Schedule(self._markings, self._options.jobs).run(put_right, lambda: None)
