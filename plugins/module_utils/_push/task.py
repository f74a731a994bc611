# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A push from its options to its result: sessions, state, plan, blobs, manifests, tags."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Callable, Mapping, Sequence

from .._cache.cache import cache_from
from .._errors import AppuioError, CancelledError
from .._signals import StoppedError, held
from .._targets import RunContext, targets_from
from .._zones.fanout import ZoneSessions
from .open_image import open_image
from .options import PushOptions
from .plan import ZonePlan, ZoneState, plan_zone
from .progress import UploadProgress, progress_from
from .result import PushedImage, PushPlan, ZoneResult, failure
from .zone_upload import MountCache, ZoneUpload

if TYPE_CHECKING:
    from .._zones.session import ZoneSession
    from .._zones.zone_tags import ZoneTags
    from .image import Image

# What only a push that changes something needs is imported there, as a module is compiled anew in each task.


class PushTask:
    """One push to one or several zones."""

    def __init__(
        self,
        options: PushOptions,
        source: str,
        image: Image,
        sessions: ZoneSessions,
        mounts: MountCache,
        progress: UploadProgress,
    ) -> None:
        self.options, self.source, self.image = options, source, image
        self.sessions, self.mounts, self.progress = sessions, mounts, progress
        self._uploads: dict[str, ZoneUpload] = {}
        self._lock = threading.Lock()

    def plan(self) -> PushPlan:
        """Return what is to be done; reads no layer; raises AppuioError, with the results of all zones."""
        empty = PushPlan(PushedImage(self.source, None, None), tuple(map(self._place, self.sessions.sessions)))
        plan = PushPlan(self._read(empty, self.image.open), empty.zones)
        plan.zones = self._planned(empty.zones, self.image.inspect)
        if any(zone.has_steps for zone in plan.zones):
            plan.image = self._read(plan, self.image.check)
            plan.zones = self._checked_by_api(plan.zones)
        return self.without_failures(plan)

    def plan_unchanged(self, digest: str, media_type: str) -> PushPlan | None:
        """Return the plan where nothing is to be done for an image of this digest, None where something is.

        Nothing of the source is read; raises AppuioError as ``plan`` does.
        """
        places = tuple(map(self._place, self.sessions.sessions))
        plan = PushPlan(PushedImage(self.source, digest, media_type), places)
        plan.zones = self._planned(places, lambda upload: upload.inspect(self.options, digest, ()))
        return None if any(zone.has_steps for zone in plan.zones) else self.without_failures(plan)

    def apply(self, plan: PushPlan) -> dict[str, Any]:
        """Push, and return the result; raises AppuioError, with the results of all zones, where one failed.

        A signal to stop is such a failure: what was begun has gone back, or the result says where it is.
        """
        uploads = self._begun(plan)
        try:
            if uploads:
                self._push(plan, uploads)
        except StoppedError as stopped:
            stopped.catch()
            self._note_cancelled(uploads, str(stopped), stopped=True)
        return self._result(plan)

    def upload(self, plan: PushPlan) -> list[ZoneTags]:
        """Bring everything to the zones and move no tag; return the tags that are to move, for ``finish``.

        Where it failed anywhere, none is; ``finish`` tells why.
        """
        uploads = self._begun(plan)
        self._bring(plan, uploads, atomic=True)
        return [] if any(upload.result.error for upload in uploads) else self._ready(plan, uploads, moving=False)

    def finish(self, plan: PushPlan, zones: Sequence[ZoneTags], reason: str) -> dict[str, Any]:
        """Return the result after somebody has moved the tags of ``upload``, or has not, for this ``reason``; raises as
        ``apply`` does."""
        from .moves import note_moved

        for zone in zones:
            note_moved(self._uploads[zone.zone], zone, self.options.force)
        for upload in self._begun(plan):
            # What has moved, and was not put back, has succeeded, whatever became of others.
            if upload.result.error is None and not upload.result.changed and (reason or not zones):
                what = "its tags were put back" if upload.result.rolled_back else "its tags are as they were"
                upload.result.error = CancelledError(f"{reason}; {what}", zone=upload.zone)
        return self._result(plan)

    def cancel(self, reason: str) -> list[str]:
        """Upload no more, as another thread wants; return the zones in which tags move at this moment.

        Those move to the end, or go back. Requests that wait for an answer are for the caller to cut.
        """
        with self._lock:
            moving = [upload.zone for upload in self._uploads.values() if upload.moving]
            for upload in self._uploads.values():
                if not upload.moving:
                    upload.result.error = upload.result.error or CancelledError(reason, zone=upload.zone)
                    upload.cancel(reason)
        if not moving:
            self.image.stop()
        return moving

    def close(self) -> None:
        """Give back connections, files and tokens that were only fetched for this task."""
        try:
            self.progress.close()
            self.image.close()
        finally:
            self.sessions.close()

    def _place(self, session: ZoneSession) -> ZonePlan:
        return ZonePlan(session.name, session.address, session.repository(self.options.name))

    def _read(self, plan: PushPlan, read: Callable[[], PushedImage]) -> PushedImage:
        """Read the source; a failure comes with all zones, in which nothing has happened."""
        try:
            return read()
        except AppuioError as error:
            raise failure(plan, [ZoneResult(error=zone.error or error) for zone in plan.zones]) from None

    def _planned(self, places: Sequence[ZonePlan], inspect: Callable[[ZoneUpload], ZoneState]) -> tuple[ZonePlan, ...]:
        def plan(session: ZoneSession) -> ZonePlan:
            place = self._place(session)
            upload = ZoneUpload(session.name, session.registry, place.repository, self.mounts, self.progress)
            self._uploads[session.name] = upload
            return plan_zone(place, self.options, inspect(upload))

        outcomes = self.sessions.each(plan)
        for session, outcome in zip(self.sessions.sessions, outcomes):
            session.note_failure(outcome.error)
        return tuple(
            outcome.value or ZonePlan(place.zone, place.registry, place.repository, error=outcome.error)
            for outcome, place in zip(outcomes, places)
        )

    def without_failures(self, plan: PushPlan) -> PushPlan:
        """Return a plan that can be carried out in spite of its errors; raises AppuioError as ``plan`` does."""
        failed = sum(zone.error is not None for zone in plan.zones)
        if failed and (self.options.atomic or failed == len(plan.zones)):
            raise failure(plan, [ZoneResult(error=zone.error) for zone in plan.zones])
        return plan

    def _checked_by_api(self, zones: tuple[ZonePlan, ...]) -> tuple[ZonePlan, ...]:
        from .quota import check_zone

        moving = sum(tag.needed for zone in zones for tag in zone.tags)
        can_go_back = self.options.atomic and moving > 1
        plans = {zone.zone: zone for zone in zones}

        def check(session: ZoneSession) -> ZonePlan:
            return check_zone(session, plans[session.name], self.options.check_quota, can_go_back)

        return tuple(outcome.value or zone for outcome, zone in zip(self.sessions.each(check), zones))

    def _begun(self, plan: PushPlan) -> list[ZoneUpload]:
        """Return the uploads of the zones to which something is to be sent."""
        begun = [zone for zone in plan.zones if zone.has_steps]
        for zone in begun:
            self._uploads[zone.zone].plan = zone
        return [self._uploads[zone.zone] for zone in begun]

    def _bring(self, plan: PushPlan, uploads: Sequence[ZoneUpload], atomic: bool) -> None:
        from .upload import ImageUpload

        ImageUpload(self.image, uploads, self.options.jobs, atomic, lambda zone: self._move(plan, [zone])).run()

    def _push(self, plan: PushPlan, uploads: Sequence[ZoneUpload]) -> None:
        from .upload import ANOTHER_FAILED

        atomic = self.options.atomic
        self._bring(plan, uploads, atomic)
        if atomic and not any(upload.result.error for upload in uploads):
            self._move(plan, uploads)
        self._note_cancelled(uploads, ANOTHER_FAILED)

    def _ready(self, plan: PushPlan, uploads: Sequence[ZoneUpload], moving: bool = True) -> list[ZoneTags]:
        """Return the tags of zones that have all of the image; none where another thread has cancelled them."""
        from .moves import zone_tags

        contents = self.image.contents()
        plan.image = plan.image.pushed_as(contents)
        with self._lock:
            if any(upload.cancelled for upload in uploads):
                return []
            for upload in uploads:
                upload.moving = moving
        return [zone_tags(self.sessions[upload.zone], upload, self.options, self.image) for upload in uploads]

    def _move(self, plan: PushPlan, uploads: Sequence[ZoneUpload]) -> None:
        """Move the tags of zones that have all of the image, and note what has become of them."""
        from .._zones.tags import move_tags
        from .moves import explain_refused_tag, note_moved

        zones = self._ready(plan, uploads)
        try:
            move_tags(zones, self.options.atomic)
        finally:
            with held():
                for upload, zone in zip(uploads, zones):
                    note_moved(upload, zone, self.options.force)
        for upload in uploads:
            explain_refused_tag(self.sessions[upload.zone], upload, self.image)

    def _result(self, plan: PushPlan) -> dict[str, Any]:
        begun = {zone.zone: self._uploads[zone.zone].result for zone in plan.zones if zone.has_steps}
        results = [begun.get(zone.zone) or ZoneResult(error=zone.error) for zone in plan.zones]
        if any(result.error for result in results):
            raise failure(plan, results)
        return plan.result(results)

    def _note_cancelled(self, uploads: Sequence[ZoneUpload], reason: str, stopped: bool = False) -> None:
        """Say of a zone that was ready why it was left as it was, or put back.

        Where the tags of one zone have moved, and were not put back, all have: the signal came too late.
        """
        atomic = self.options.atomic
        if not stopped and not (atomic and any(upload.result.error for upload in uploads)):
            return
        if stopped and atomic and any(upload.result.changed and not upload.result.error for upload in uploads):
            return
        for upload in uploads:
            result = upload.result
            if result.error is None and (not result.changed or atomic):
                what = "its tags were put back" if result.rolled_back else "its tags are as they were"
                text = f"{reason}; {what}" if stopped else reason
                result.error = CancelledError(text, zone=upload.zone)


def push_task(options: Mapping[str, Any], context: RunContext) -> PushTask:
    """Return the task that the options describe; raises InvalidOptionError; asks nobody."""
    cache = cache_from(context.environment)
    written, parsed, image = open_image(options, context, cache)
    sessions = ZoneSessions(targets_from(options, registry=True, namespace=True), context)
    return PushTask(parsed, written, image, sessions, MountCache(cache), progress_from(context.environment, False))
