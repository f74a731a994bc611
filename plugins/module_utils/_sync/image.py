# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One image of the set: the push that brings it to its zones, planned with as few questions as possible."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Iterator

from .._errors import AppuioError, CancelledError, InvalidOptionError, unexpected_error
from .._image_set.entry import EVERY, ImageEntry
from .._push.image import ManifestImage
from .._push.open_image import open_image
from .._push.result import PushPlan
from .._push.task import PushTask
from .._source.source_registries import SourceClients
from .._targets import RunContext, Target
from .._user_cache import Cache
from .._zones.fanout import ZoneSessions
from .image_plan import ImagePlan
from .set_progress import ImageProgress, SetProgress

if TYPE_CHECKING:
    from .._source.base import Source
    from .._zones.session import ZoneSession
    from .._zones.zone_tags import ZoneTags


@dataclass(frozen=True)
class SharedParts:
    """What all images of a set have together; ``source_sessions`` are of the zones that only images come from."""

    sessions: ZoneSessions
    context: RunContext = field(repr=False)
    cache: Cache
    clients: SourceClients
    progress: SetProgress
    source_sessions: list[ZoneSession] = field(default_factory=list)

    def source_session(self, target: Target) -> ZoneSession:
        """Return the session of a zone that images come from; asks no server; raises InvalidOptionError."""
        from .._image_set.source_zones import source_session

        return source_session(target, self.sessions.sessions, self.source_sessions, self.context)


@dataclass
class ImageSync:
    """One image with its plan."""

    entry: ImageEntry
    push: PushTask
    plan: ImagePlan
    progress: ImageProgress
    tags: list[ZoneTags] = field(default_factory=list)

    @property
    def destinations(self) -> list[tuple[str, str]]:
        """Zone and namespace of each repository that the image goes to."""
        return list(self.plan.destinations)

    @property
    def planned_bytes(self) -> int:
        """The bytes that go to all zones where something is to be done, as far as they are known."""
        plan = self.plan.plan
        return (self.plan.size or 0) * sum(zone.has_steps for zone in plan.zones) if plan is not None else 0

    def is_in_doubt(self) -> bool:
        """Whether something stands against the image in any of its zones."""
        plan = self.plan.plan
        return self.plan.error is not None or (plan is not None and any(zone.error for zone in plan.zones))

    def make_plan(self) -> None:
        """Find out what is to be done; what stands against it becomes part of the plan."""
        if self.plan.error is not None:
            return
        try:
            self.plan.plan = self._unchanged() or self.push.plan()
        except AppuioError as error:
            self.plan.error = error

    def refuse_zone(self, error: AppuioError) -> None:
        """Let nothing be done in the zone that an error names, and in none where the image moves in all or none."""
        plan = self.plan.plan
        if plan is None:
            return
        plan.zones = tuple(zone._replace(error=error) if zone.zone == error.zone else zone for zone in plan.zones)
        try:
            self.push.without_failures(plan)
        except AppuioError as failed:
            self.plan.error, self.plan.plan = failed, None

    def apply(self, plan: PushPlan) -> None:
        """Push, and note what came of it."""
        try:
            with self._noting():
                self.plan.done = self.push.apply(plan)
        finally:
            self.push.image.close()

    def upload(self, plan: PushPlan) -> None:
        """Bring the image to its zones; its tags wait for those of the others."""
        with self._noting():
            self.tags = self.push.upload(plan)
            if not self.tags:
                self.push.finish(plan, (), "left as it was")

    def finish(self, reason: str) -> None:
        """Note what has become of the tags, which have moved, or have not for this reason."""
        if self.plan.plan is not None and self.plan.error is None:
            with self._noting():
                self.plan.done = self.push.finish(self.plan.plan, self.tags, reason)

    @contextmanager
    def _noting(self) -> Iterator[None]:
        """Let a failure be one of this image alone."""
        try:
            yield
        except AppuioError as error:
            self.fail(error)
        except Exception as error:
            self.fail(unexpected_error(error))

    def fail(self, error: AppuioError) -> None:
        """Note why the image failed, with the results of its zones."""
        self.plan.error = error
        self.plan.done = error.result or None

    def skip(self, reason: str) -> None:
        """Note that the image is left as it is."""
        self.plan.error = CancelledError(reason)
        self.plan.plan = None

    def close(self) -> None:
        """Give back what the source holds."""
        self.push.image.close()

    def _unchanged(self) -> PushPlan | None:
        """Return the plan if every zone has the image already, which costs one question to the source."""
        image = self.push.image
        found = image.head() if isinstance(image, ManifestImage) else None
        return self.push.plan_unchanged(found.digest, found.media_type) if found is not None else None


def image_sync(entry: ImageEntry, shared: SharedParts, source: Source | None = None) -> ImageSync:
    """Return the image that an entry names, read from ``source`` where that is open; raises InvalidOptionError.

    Asks nobody. What an entry of a zone amounts to is known when the zone is asked: until then, it has no source.
    """
    try:
        origin, context = entry.origin, shared.context
        if origin is not None and source is None:
            from .._image_set.source_zones import ZoneImage

            session = shared.source_session(origin.target)
            reference = origin.reference or origin.image("all")
            source = ZoneImage(session, reference, None, context.temporary_directory, shared.clients)
        written, options, image = open_image(entry.push, context, shared.cache, shared.clients, source)
        sessions = shared.sessions.some(_zones(entry, shared.sessions, options.name), entry.namespace)
        for session in sessions.sessions:
            if not session.target.namespace:
                raise InvalidOptionError(
                    f"nothing names the namespace in zone {session.name}",
                    hint="Give namespace, in the task, in its zones, or in the entry",
                )
        progress = shared.progress.image(":".join([options.name, *options.tags[:1]]))
        push = PushTask(options, written, image, sessions, shared.cache, lambda: progress)
    except InvalidOptionError as error:
        error.message = f"{entry.where}: {error.message}"
        raise
    destinations = [(session.name, session.namespace) for session in sessions.sessions]
    if origin is not None and origin.reference is None:
        plan = ImagePlan(entry.where, written, EVERY, destinations=destinations)
    else:
        plan = ImagePlan(entry.where, written, options.name, options.tags, destinations)
    return ImageSync(entry, push, plan, progress)


def _zones(entry: ImageEntry, sessions: ZoneSessions, name: str) -> list[str]:
    """Return the zones that an image goes to: all but the one that it comes from, unless the entry names them."""
    known = [session.name for session in sessions.sessions]
    wanted = known if entry.zones is None else list(entry.zones)
    unknown = [zone for zone in wanted if zone not in known]
    if unknown or not wanted:
        raise InvalidOptionError(
            f"the zone {unknown[0]} is none of this task's" if unknown else "zones is empty",
            hint=f"Zones of the task are {', '.join(known)}",
        )
    origin = entry.origin
    if origin is None:
        return wanted
    own = [
        session.name
        for session in sessions.sessions
        if session.name in wanted and origin.is_at(session.address, entry.namespace or session.target.namespace, name)
    ]
    others = [zone for zone in wanted if zone not in own]
    if own and (entry.zones is not None or not others):
        raise InvalidOptionError(
            f"{origin.description} would go to zone {own[0]}, where it is",
            hint="Name other zones, or another namespace. appuio_image_tag moves the tags of a repository",
        )
    return others
