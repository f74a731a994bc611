# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images of a set that change: pushed several at a time, with what is noted of their tags, also after a signal."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Callable, Sequence

from .._errors import AppuioError
from .._image_set.options import SyncOptions
from .._signals import StoppedError
from .._zones.tags import move_tags
from .image import ImageSync, SharedParts
from .schedule import Schedule

if TYPE_CHECKING:
    from .marking import Marking

    AtOnce = Callable[[Sequence[ImageSync], Callable[[ImageSync], None], Callable[[], None]], None]

# Uploads at the same time to each zone, of all images that are pushed at once. Each holds a block and a connection.
_UPLOADS = 4
_ANOTHER_FAILED = "nothing was begun, as another image failed before, and keep_going is false"
_ANOTHER_OF_SET = "left as it was, as another image of the set failed"


class SetPush:
    """Brings images to their zones; ``marks`` says that what the set brings is noted there.

    ``at_once`` does the work for several images at the same time, and calls its last argument on a signal.
    """

    def __init__(
        self,
        options: SyncOptions,
        images: Sequence[ImageSync],
        shared: SharedParts,
        at_once: AtOnce,
        marks: bool,
    ) -> None:
        self._options = options
        self._images = images
        self._progress = shared.progress
        self._sessions = shared.sessions
        self._clients = shared.clients
        self._at_once = at_once
        self._marks = marks
        self._failed = threading.Event()
        self._markings: list[Marking] = []
        # Guards the images that are at work.
        self._lock = threading.Lock()
        self._running: list[ImageSync] = []

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
            self._at_once(self._images, self._push, self._stop)
            if self._options.atomic == "set":
                _move_set(self._images)
            self._put_notes_right()
        except StoppedError as stopped:
            stopped.catch()
            # Nothing is at work any more: what is noted is put right with requests.
            for session in self._sessions.sessions:
                session.resume()
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
                self._work(image)
        if image.plan.error is not None:
            self._failed.set()

    def _push_marked(self, image: ImageSync) -> None:
        from .marking import Marking

        marking = Marking(image, self._options.set_name)
        try:
            marking.note()
            self._work(image)
        except AppuioError as error:
            image.fail(error)
        if self._options.atomic == "set":
            self._markings.append(marking)  # its tags have not moved yet
        else:
            marking.put_right()

    def _work(self, image: ImageSync) -> None:
        """Push an image, or upload it where its tags wait for those of the others."""
        with self._lock:
            self._running.append(image)
        try:
            if image.plan.plan is not None:
                work = ImageSync.upload if self._options.atomic == "set" else ImageSync.apply
                work(image, image.plan.plan)
        finally:
            with self._lock:
                self._running.remove(image)

    def _stop(self) -> None:
        """End what is being uploaded; tags that move at this moment move to the end, or go back."""
        with self._lock:
            images = list(self._running)
        moving = {zone for image in images for zone in image.push.cancel("left as it was, as the task was stopped")}
        self._clients.abort()
        for session in self._sessions.sessions:
            if session.name not in moving:
                session.abort()

    def _put_notes_right(self) -> None:
        def put_right(marking: Marking) -> None:
            marking.put_right()

        Schedule(self._markings, self._options.jobs).run(put_right, lambda: None)


def _move_set(images: Sequence[ImageSync]) -> None:
    """Move the tags of images that all zones have, and note what has become of each.

    Where one image has failed before, no tag moves; where one fails now, all that have moved go back. Raises
    StoppedError after they have gone back.
    """
    zones = [tags for image in images for tags in image.tags]
    reason = _ANOTHER_OF_SET if any(image.plan.error for image in images) else ""
    try:
        if not reason:
            move_tags(zones, atomic=True, images=[image.tags for image in images if image.tags])
            if any(zone.error for zone in zones):
                reason = _ANOTHER_OF_SET
    except StoppedError as stopped:
        reason = str(stopped)
        raise
    finally:
        for image in images:
            image.finish(reason)
