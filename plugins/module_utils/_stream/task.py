# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of the module appuio_image_stream: what each zone has, the step that is missing, and its result."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping

from .._errors import AppuioError, ConflictError, ForbiddenError
from .._openshift import resources
from .._openshift.client import Api
from .._openshift.image_streams import ImageStream, delete_stream, get_document, parse_stream, stream_documents
from .._openshift.image_usage import Usage, held_images, image_children
from .._openshift.workloads import read_usage
from .._signals import check_stop
from .._targets import RunContext, targets_from
from .._zones.fanout import ZoneSessions, joined_result
from .._zones.session import ZoneSession
from .options import StreamOptions, parse_options
from .plan import CREATE, DELETE, NONE, REPLACE, StreamPlan, plan_stream

_TRIES = 5


@dataclass
class ZoneStream:
    """One zone: the plan for it, and what stands against it."""

    zone: str
    registry: str | None
    namespace: str
    name: str
    plan: StreamPlan = field(default_factory=lambda: StreamPlan(NONE, "nothing is known of it"))
    error: AppuioError | None = None

    def result(self) -> dict[str, Any]:
        """Return what the module returns of the zone."""
        good = self.error is None
        return {
            "zone": self.zone,
            "registry": self.registry,
            "namespace": self.namespace,
            "name": self.name,
            "reference": f"{self.registry}/{self.namespace}/{self.name}" if self.registry else None,
            "changed": good and self.plan.changes,
            "exists": self.plan.after is not None if good else None,
            "reason": self.plan.reason if good else str(self.error),
            "failed": not good,
            "error": None if good else str(self.error),
        }


@dataclass
class StreamsPlan:
    """The plan for all zones."""

    zones: list[ZoneStream]

    @property
    def changed(self) -> bool:
        """Whether anything changes in any zone."""
        return any(zone.plan.changes for zone in self.zones if zone.error is None)

    def predict(self) -> dict[str, Any]:
        """Return the result; raises AppuioError, with the results of all zones, where one failed."""
        return joined_result([zone.result() for zone in self.zones], [zone.error for zone in self.zones])

    def diff(self) -> dict[str, Any]:
        """Return the ImageStream of each zone, as far as this module sets it, before and after."""
        zones = [zone for zone in self.zones if zone.plan.changes and zone.error is None]
        names = {zone.zone: f"{zone.zone} {zone.namespace}/{zone.name}" for zone in zones}
        return {
            "before": {names[zone.zone]: zone.plan.before for zone in zones if zone.plan.before is not None},
            "after": {names[zone.zone]: zone.plan.after for zone in zones if zone.plan.after is not None},
        }


@dataclass
class StreamTask:
    """What one run of the module does to an ImageStream of one or several zones, each for itself."""

    options: StreamOptions
    sessions: ZoneSessions

    def plan(self) -> StreamsPlan:
        """Return the step of each zone; changes nothing; raises AppuioError where no zone could be read."""
        zones = [
            ZoneStream(one.name, one.target.zone.registry, one.namespace, self.options.name)
            for one in self.sessions.sessions
        ]
        for zone, outcome in zip(zones, self.sessions.each(self._plan)):
            zone.plan, zone.error = outcome.value or zone.plan, outcome.error
        plan = StreamsPlan(zones)
        if all(zone.error for zone in zones):
            plan.predict()
        return plan

    def apply(self, plan: StreamsPlan) -> dict[str, Any]:
        """Take the steps, and return the result; raises AppuioError with the results of all zones."""
        steps = {zone.zone: zone for zone in plan.zones if zone.error is None and zone.plan.changes}

        def take(session: ZoneSession) -> None:
            if session.name in steps:
                steps[session.name].plan = self._apply(session, steps[session.name].plan)

        for outcome in self.sessions.change_each(take):
            if outcome.error is not None:
                steps[outcome.zone].error = outcome.error
        return plan.predict()

    def close(self) -> None:
        """Give back connections, and tokens that were only fetched for this task."""
        self.sessions.close()

    def _plan(self, session: ZoneSession) -> StreamPlan:
        live = self._read(session)
        plan = plan_stream(self.options, session.namespace, live)
        if plan.action == DELETE and live is not None and self.options.protect_in_use:
            self._check_unused(session, live)
        return plan

    def _apply(self, session: ZoneSession, plan: StreamPlan) -> StreamPlan:
        """Take the step; where the object has changed since it was read, plan anew on what is there now."""
        api, step = session.api(), f"{plan.action} the ImageStream {self.options.name}"
        for tries_left in reversed(range(_TRIES)):
            check_stop(step)
            try:
                if plan.action == CREATE:
                    api.create(resources.IMAGE_STREAM, session.namespace, plan.body or {}, step=step)
                elif plan.action == REPLACE:
                    api.replace(
                        resources.IMAGE_STREAM, session.namespace, self.options.name, plan.body or {}, step=step
                    )
                elif plan.action == DELETE:
                    live = self._read(session)
                    if live is not None:
                        if self.options.protect_in_use:
                            self._check_unused(session, live)
                        check_stop(step)
                        delete_stream(api, session.namespace, parse_stream(live))
                return plan
            except ConflictError:
                if not tries_left:
                    raise
                before, plan = plan, self._plan(session)
                if not plan.changes:
                    return before  # This very request, most likely, was carried out before its answer was lost.
        return plan

    def _read(self, session: ZoneSession) -> Mapping[str, Any] | None:
        return get_document(session.api(), session.namespace, self.options.name)

    def _check_unused(self, session: ZoneSession, live: Mapping[str, Any]) -> None:
        """Raise ForbiddenError where something uses or follows the stream, or nobody can tell."""
        api, stream = session.api(), parse_stream(live)
        registries = {stream.public_repository.partition("/")[0], session.target.zone.registry or ""}
        usage = Usage(frozenset(registries - {""}))
        for document in stream_documents(api, session.namespace):
            usage.learn_stream(document)
        namespaces = [session.namespace, *self.options.workload_namespaces]
        read_usage(api, usage, namespaces, self.options.ignore_unreadable)
        user = usage.stream_user(session.namespace, stream.name) or _image_user(api, session.namespace, stream, usage)
        if user:
            raise ForbiddenError(
                f"the ImageStream {stream.name} stays, as it is used by {user}",
                step="find images in use",
                hint="Remove that first, or set protect_in_use to false",
            )


def _image_user(api: Api, namespace: str, stream: ImageStream, usage: Usage) -> str | None:
    """Return who uses an image that only this stream may hold, by its digest."""
    children = image_children(api, namespace, stream.name) if stream.tags and usage.digests else {}
    for tag in stream.tags.values():
        for digest in held_images(tag, children):
            if digest in usage.digests:
                return f"{usage.digests[digest]}, which runs an image of the tag {tag.name}"
    return None


def stream_task(options: Mapping[str, Any], context: RunContext) -> StreamTask:
    """Return the task that the options describe; raises InvalidOptionError; asks nobody."""
    wanted = parse_options(options)
    return StreamTask(wanted, ZoneSessions(targets_from(options, namespace=True), context))
