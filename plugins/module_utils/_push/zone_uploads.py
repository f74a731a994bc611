# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The uploads of a push to all its zones: blobs and manifests, then tags, and what has become of each zone."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Mapping, Sequence

from .._errors import CancelledError
from .._signals import StoppedError, held
from .._zones.tags import move_tags
from .moves import explain_refused_tag, note_moved, zone_tags
from .result import ZoneResult, result_of
from .upload import ANOTHER_FAILED, ImageUpload
from .zone_upload import ZoneUpload

if TYPE_CHECKING:
    from .._zones.fanout import ZoneSessions
    from .._zones.zone_tags import ZoneTags
    from .image import Image
    from .mount_cache import MountCache
    from .options import PushOptions
    from .progress import UploadProgress
    from .result import PushPlan
    from .zone_repository import ZoneRepository


class ZoneUploads:
    """Carries out a plan in the zones where it has steps; ``repositories`` are those that were asked for it."""

    def __init__(
        self,
        plan: PushPlan,
        repositories: Mapping[str, ZoneRepository],
        options: PushOptions,
        image: Image,
        sessions: ZoneSessions,
        mounts: MountCache,
        progress: UploadProgress,
    ) -> None:
        self._plan, self._options, self._image, self._sessions = plan, options, image, sessions
        self._all = [
            ZoneUpload(repositories[zone.zone], zone, mounts, progress) for zone in plan.zones if zone.has_steps
        ]
        self._lock = threading.Lock()

    def __getitem__(self, zone: str) -> ZoneUpload:
        return next(upload for upload in self._all if upload.zone == zone)

    def apply(self) -> dict[str, Any]:
        """Push, and return the result, as ``PushTask.apply`` does."""
        try:
            self._push()
        except StoppedError as stopped:
            stopped.catch()
            self._note_cancelled(str(stopped), stopped=True)
        return self._result()

    def upload(self) -> list[ZoneTags]:
        """Bring everything to the zones and move no tag; return the tags that are to move, as ``PushTask.upload``."""
        self._bring(atomic=True)
        return [] if self._failed() else self._ready(self._all, moving=False)

    def finish(self, zones: Sequence[ZoneTags], reason: str) -> dict[str, Any]:
        """Return the result after somebody has moved the tags of ``upload``, or has not, as ``PushTask.finish``."""
        for zone in zones:
            note_moved(self[zone.zone], zone, self._options.force)
        for upload in self._all:
            # What has moved, and was not put back, has succeeded, whatever became of others.
            if upload.result.error is None and not upload.result.changed and (reason or not zones):
                what = "its tags were put back" if upload.result.rolled_back else "its tags are as they were"
                upload.result.error = CancelledError(f"{reason}; {what}", zone=upload.zone)
        return self._result()

    def cancel(self, reason: str) -> list[str]:
        """Upload no more; return the zones in which tags move at this moment, as ``PushTask.cancel``."""
        with self._lock:
            moving = [upload.zone for upload in self._all if upload.moving]
            for upload in self._all:
                if not upload.moving:
                    upload.result.error = upload.result.error or CancelledError(reason, zone=upload.zone)
                    upload.cancel(reason)
        return moving

    def _push(self) -> None:
        atomic = self._options.atomic
        self._bring(atomic)
        if atomic and not self._failed():
            self._move(self._all)
        self._note_cancelled(ANOTHER_FAILED)

    def _bring(self, atomic: bool) -> None:
        ImageUpload(self._image, self._all, self._options.jobs, atomic, lambda zone: self._move([zone])).run()

    def _failed(self) -> bool:
        return any(upload.result.error for upload in self._all)

    def _ready(self, uploads: Sequence[ZoneUpload], moving: bool = True) -> list[ZoneTags]:
        """Return the tags of zones that have all of the image; none where another thread has cancelled them."""
        contents = self._image.contents()
        self._plan.image = self._plan.image.pushed_as(contents)
        with self._lock:
            if any(upload.cancelled for upload in uploads):
                return []
            for upload in uploads:
                upload.moving = moving
        return [zone_tags(self._sessions[upload.zone], upload, self._options, self._image) for upload in uploads]

    def _move(self, uploads: Sequence[ZoneUpload]) -> None:
        """Move the tags of zones that have all of the image, and note what has become of them."""
        zones = self._ready(uploads)
        try:
            move_tags(zones, self._options.atomic)
        finally:
            with held():
                for upload, zone in zip(uploads, zones):
                    note_moved(upload, zone, self._options.force)
        for upload in uploads:
            explain_refused_tag(self._sessions[upload.zone], upload, self._image)

    def _result(self) -> dict[str, Any]:
        begun = {upload.zone: upload.result for upload in self._all}
        return result_of(
            self._plan, [begun.get(zone.zone) or ZoneResult(error=zone.error) for zone in self._plan.zones]
        )

    def _note_cancelled(self, reason: str, stopped: bool = False) -> None:
        """Say of a zone that was ready why it was left as it was, or put back.

        Where the tags of one zone have moved, and were not put back, all have: the signal came too late.
        """
        atomic = self._options.atomic
        if not stopped and not (atomic and self._failed()):
            return
        if stopped and atomic and any(upload.result.changed and not upload.result.error for upload in self._all):
            return
        for upload in self._all:
            result = upload.result
            if result.error is None and (not result.changed or atomic):
                what = "its tags were put back" if result.rolled_back else "its tags are as they were"
                text = f"{reason}; {what}" if stopped else reason
                result.error = CancelledError(text, zone=upload.zone)
