# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A push from its options to its result: sessions, state, plan, blobs, manifests, tags."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Callable, Mapping, Sequence

from .._errors import AppuioError
from .._targets import RunContext, targets_from
from .._user_cache import Cache, cache_from
from .._zones.fanout import ZoneSessions
from .open_image import open_image
from .options import PushOptions
from .plan import ZonePlan, ZoneState, plan_zone
from .result import PushedImage, PushPlan, ZoneResult, failure, result_of
from .zone_repository import ZoneRepository

if TYPE_CHECKING:
    from .._zones.session import ZoneSession
    from .._zones.zone_tags import ZoneTags
    from .image import Image
    from .progress import UploadProgress
    from .zone_uploads import ZoneUploads

# What only a push that changes something needs is imported there, as a module is compiled anew in each task.


class PushTask:
    """One push to one or several zones; ``open_progress`` opens what is told of its uploads."""

    def __init__(
        self,
        options: PushOptions,
        source: str,
        image: Image,
        sessions: ZoneSessions,
        cache: Cache,
        open_progress: Callable[[], UploadProgress],
    ) -> None:
        self.options, self.source, self.image = options, source, image
        self.sessions = sessions
        self._cache = cache
        self._open_progress = open_progress
        self._progress: UploadProgress | None = None
        self._repositories: dict[str, ZoneRepository] = {}
        self._uploads: ZoneUploads | None = None
        self._cancelled = ""
        self._lock = threading.Lock()

    def plan(self) -> PushPlan:
        """Return what is to be done; reads no layer; raises AppuioError, with the results of all zones."""
        empty = PushPlan(PushedImage(self.source, None, None), tuple(map(self._place, self.sessions.sessions)))
        plan = PushPlan(self._read(empty, self.image.open), empty.zones)
        plan.zones = self._planned(empty.zones, self.image.inspect)
        if any(zone.has_steps for zone in plan.zones):
            plan.image = self._read(plan, self.image.check)
            plan.zones = self._checked_by_api(plan)
        return self.without_failures(plan)

    def plan_unchanged(self, digest: str, media_type: str) -> PushPlan | None:
        """Return the plan where nothing is to be done for an image of this digest, None where something is.

        Nothing of the source is read; raises AppuioError as ``plan`` does.
        """
        places = tuple(map(self._place, self.sessions.sessions))
        plan = PushPlan(PushedImage(self.source, digest, media_type), places)
        plan.zones = self._planned(places, lambda found: found.inspect(self.options, digest, ()))
        return None if any(zone.has_steps for zone in plan.zones) else self.without_failures(plan)

    def apply(self, plan: PushPlan) -> dict[str, Any]:
        """Push, and return the result; raises AppuioError, with the results of all zones, where one failed.

        A signal to stop is such a failure: what was begun has gone back, or the result says where it is.
        """
        if not any(zone.has_steps for zone in plan.zones):
            return result_of(plan, [ZoneResult(error=zone.error) for zone in plan.zones])
        return self.uploads(plan).apply()

    def upload(self, plan: PushPlan) -> list[ZoneTags]:
        """Bring everything to the zones and move no tag; return the tags that are to move, for ``finish``.

        Where it failed anywhere, none is; ``finish`` tells why.
        """
        return self.uploads(plan).upload()

    def finish(self, plan: PushPlan, zones: Sequence[ZoneTags], reason: str) -> dict[str, Any]:
        """Return the result after somebody has moved the tags of ``upload``, or has not, for this ``reason``; raises as
        ``apply`` does."""
        return self.uploads(plan).finish(zones, reason)

    def uploads(self, plan: PushPlan) -> ZoneUploads:
        """Return what carries the plan out, the same for all that is asked of it."""
        from .mount_cache import MountCache
        from .zone_uploads import ZoneUploads

        with self._lock:
            if self._uploads is None:
                self._progress = self._open_progress()
                how = (self.options, self.image, self.sessions, MountCache(self._cache), self._progress)
                self._uploads = ZoneUploads(plan, self._repositories, *how)
                if self._cancelled:
                    self._uploads.cancel(self._cancelled)
            return self._uploads

    def cancel(self, reason: str) -> list[str]:
        """Upload no more, as another thread wants; return the zones in which tags move at this moment.

        Those move to the end, or go back. Requests that wait for an answer are for the caller to cut.
        """
        with self._lock:
            self._cancelled = reason
            moving = self._uploads.cancel(reason) if self._uploads is not None else []
        if not moving:
            self.image.stop()
        return moving

    def close(self) -> None:
        """Give back connections, files and tokens that were only fetched for this task."""
        try:
            if self._progress is not None:
                self._progress.close()
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

    def _planned(
        self, places: Sequence[ZonePlan], inspect: Callable[[ZoneRepository], ZoneState]
    ) -> tuple[ZonePlan, ...]:
        def plan(session: ZoneSession) -> ZonePlan:
            place = self._place(session)
            found = ZoneRepository(session, place.repository, session.manifests)
            self._repositories[session.name] = found
            return plan_zone(place, self.options, inspect(found))

        outcomes = self.sessions.each(plan)
        for session, outcome in zip(self.sessions.sessions, outcomes):
            session.note_failure(outcome.error)
        return tuple(
            outcome.value or ZonePlan(place.zone, place.registry, place.repository, error=outcome.error)
            for outcome, place in zip(outcomes, places)
        )

    def _checked_by_api(self, plan: PushPlan) -> tuple[ZonePlan, ...]:
        from .quota import check_zones

        return check_zones(self.sessions, plan.zones, self.options)

    def without_failures(self, plan: PushPlan) -> PushPlan:
        """Return a plan that can be carried out in spite of its errors; raises AppuioError as ``plan`` does."""
        failed = sum(zone.error is not None for zone in plan.zones)
        if failed and (self.options.atomic or failed == len(plan.zones)):
            raise failure(plan, [ZoneResult(error=zone.error) for zone in plan.zones])
        return plan


def push_task(options: Mapping[str, Any], context: RunContext) -> PushTask:
    """Return the task that the options describe; raises InvalidOptionError; asks nobody."""
    cache = cache_from(context.environment)
    written, parsed, image = open_image(options, context, cache)
    sessions = ZoneSessions(targets_from(options, registry=True, namespace=True), context)

    def open_progress() -> UploadProgress:
        from .progress import progress_from

        return progress_from(context.environment, False)

    return PushTask(parsed, written, image, sessions, cache, open_progress)
