# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A push from its options to its result: sessions, state, plan, blobs, manifests, tags."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Mapping, Sequence

from .._cache.cache import cache_from
from .._errors import AppuioError, CancelledError, ForbiddenError
from .._signals import StoppedError, held
from .._targets import RunContext, targets_from
from .._zones.fanout import ZoneSessions
from .open_image import open_image
from .options import PushOptions
from .plan import ZonePlan, plan_zone
from .progress import Progress, progress_from
from .result import PushedImage, PushPlan, ZoneResult, failure
from .zone_upload import MountCache, ZoneUpload

if TYPE_CHECKING:
    from .._oci.walk import Image as ImageContents
    from .._zones.session import ZoneSession
    from .._zones.zone_tags import ZoneTags
    from .image import Image

# What only a push that changes something needs is imported there, as a module is compiled anew in each task.


@dataclass
class PushTask:
    """One push to one or several zones."""

    options: PushOptions
    source: str
    image: Image
    sessions: ZoneSessions
    mounts: MountCache
    progress: Progress
    _uploads: dict[str, ZoneUpload] = field(default_factory=dict)

    def plan(self) -> PushPlan:
        """Return what is to be done; reads no layer; raises AppuioError, with the results of all zones."""
        empty = PushPlan(PushedImage(self.source, None, None), tuple(map(self._place, self.sessions.sessions)))
        plan = PushPlan(self._read(empty, self.image.open), empty.zones)
        outcomes = self.sessions.each(self._plan_zone)
        plan.zones = tuple(
            outcome.value or ZonePlan(place.zone, place.registry, place.repository, error=outcome.error)
            for outcome, place in zip(outcomes, empty.zones)
        )
        if any(zone.has_steps for zone in plan.zones):
            plan.image = self._read(plan, self.image.check)
            plan.zones = self._checked_by_api(plan.zones)
        failed = [zone for zone in plan.zones if zone.error]
        if failed and (self.options.atomic or len(failed) == len(plan.zones)):
            raise failure(plan, [ZoneResult(error=zone.error) for zone in plan.zones])
        return plan

    def apply(self, plan: PushPlan) -> dict[str, Any]:
        """Push, and return the result; raises AppuioError, with the results of all zones, where one failed.

        A signal to stop is such a failure: what was begun has gone back, or is told where it is.
        """
        uploads = []
        for zone in plan.zones:
            if zone.has_steps:
                self._uploads[zone.zone].plan = zone
                uploads.append(self._uploads[zone.zone])
        try:
            if uploads:
                self._push(plan, uploads)
        except StoppedError as stopped:
            stopped.catch()
            self._note_cancelled(uploads, str(stopped), stopped=True)
        done = {upload.zone: upload.result for upload in uploads}
        results = [done.get(zone.zone) or ZoneResult(error=zone.error) for zone in plan.zones]
        if any(result.error for result in results):
            raise failure(plan, results)
        return plan.result(results)

    def close(self) -> None:
        """Give back connections, files and tokens that were only fetched for this task."""
        try:
            self.progress.close()
            self.image.close()
        finally:
            self.sessions.close()

    def _place(self, session: ZoneSession) -> ZonePlan:
        return ZonePlan(session.name, session.address, session.repository(self.options.name))

    def _read(self, plan: PushPlan, read: Any) -> PushedImage:
        """Read the source; a failure comes with all zones, in which nothing has happened."""
        try:
            pushed: PushedImage = read()
        except AppuioError as error:
            raise failure(plan, [ZoneResult(error=zone.error or error) for zone in plan.zones]) from None
        return pushed

    def _plan_zone(self, session: ZoneSession) -> ZonePlan:
        place = self._place(session)
        upload = ZoneUpload(session.name, session.registry, place.repository, self.mounts, self.progress)
        self._uploads[session.name] = upload
        return plan_zone(place, self.options, self.image.inspect(upload))

    def _checked_by_api(self, zones: tuple[ZonePlan, ...]) -> tuple[ZonePlan, ...]:
        from .quota import check_zone

        moving = sum(tag.needed for zone in zones for tag in zone.tags)
        can_go_back = self.options.atomic and moving > 1
        plans = {zone.zone: zone for zone in zones}

        def check(session: ZoneSession) -> ZonePlan:
            return check_zone(session, plans[session.name], self.options.check_quota, can_go_back)

        return tuple(outcome.value or zone for outcome, zone in zip(self.sessions.each(check), zones))

    def _push(self, plan: PushPlan, uploads: Sequence[ZoneUpload]) -> None:
        from .upload import ANOTHER_FAILED, ImageUpload

        atomic = self.options.atomic
        ImageUpload(self.image, uploads, self.options.jobs, atomic, lambda zone: self._move(plan, [zone])).run()
        if atomic and not any(upload.result.error for upload in uploads):
            self._move(plan, uploads)
        self._note_cancelled(uploads, ANOTHER_FAILED)

    def _move(self, plan: PushPlan, uploads: Sequence[ZoneUpload]) -> None:
        """Move the tags of zones that have all of the image, and note what has become of them."""
        from .._zones.tags import move_tags

        contents = self.image.contents()
        plan.image = plan.image.pushed_as(contents)
        zones = [self._zone_tags(upload, contents) for upload in uploads]
        try:
            for upload in uploads:
                upload.moving = True
            move_tags(zones, self.options.atomic)
        finally:
            with held():
                for upload, zone in zip(uploads, zones):
                    self._note_moved(upload, zone)
        for upload in uploads:
            if isinstance(upload.result.error, ForbiddenError):
                from .._zones.refusal import explain_refusal

                new, session = upload.plan.new_tags, self.sessions[upload.zone]
                explain_refusal(session, upload.result.error, contents.size, int(upload.plan.empty), new)

    def _zone_tags(self, upload: ZoneUpload, contents: ImageContents) -> ZoneTags:
        from .._zones.zone_tags import TagUpdate, ZoneTags

        session = self.sessions[upload.zone]

        def remove(tag: str) -> None:
            from .._openshift.image_streams import delete_tag

            delete_tag(session.api(), session.namespace, self.options.name, tag)

        # What refers to the image comes first, so that it is there when the image is found.
        planned = sorted((tag for tag in upload.plan.tags if tag.needed), key=lambda tag: tag.referrer is None)
        keep = self.options.existing_tags == "keep"
        updates = [
            TagUpdate(tag.tag, tag.before, tag.referrer or contents.root, keep_existing=keep and tag.referrer is None)
            for tag in planned
        ]
        return ZoneTags(
            upload.zone,
            session.address,
            upload.registry,
            upload.repository,
            updates,
            remove_tag=remove,
            put=lambda manifest, tag: upload.push_manifest(manifest, tag, contents, self.image.body),
        )

    def _note_moved(self, upload: ZoneUpload, zone: ZoneTags) -> None:
        from .._zones.zone_tags import TagState

        result, sent = upload.result, upload.result.uploaded + upload.result.mounted
        result.error = result.error or zone.error
        without_tag = upload.plan.by_digest or upload.plan.put_again
        result.changed = zone.changed or (without_tag and bool(sent or self.options.force))
        result.rolled_back = zone.rolled_back
        result.warnings += zone.warnings
        kept = [update for update in zone.updates if update.state is TagState.KEPT]
        for update in kept:
            result.pointed_to[update.tag] = update.now
            result.warnings.append(f"the tag {update.tag} was made by somebody else meanwhile, and is kept")
        if kept and not zone.changed:
            result.kept = kept[0].now

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
    progress = progress_from(context.environment, False)
    return PushTask(parsed, written, image, sessions, MountCache(cache), progress)
