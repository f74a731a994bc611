# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of the module appuio_image_tag: what each zone has, what leads to what is wanted, and the tags that move.

An image comes from another repository of a zone without moving its bytes: OCI Distribution Specification 1.1, "Mounting
a blob from another repository".
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Mapping, Sequence
from urllib.parse import urlencode

from .._errors import AppuioError, CancelledError, ForbiddenError
from .._oci.model import Descriptor, parse_manifest
from .._openshift.image_streams import delete_tag
from .._registry.client import RegistryClient, scopes, transient
from .._registry.image_reader import read_image
from .._registry.manifest_reader import ManifestResponse
from .._signals import StoppedError, held
from .._targets import RunContext, targets_from
from .._zones.fanout import ZoneSessions, at_once
from .._zones.session import ZoneSession
from .._zones.tags import move_tags
from .._zones.zone_tags import TagUpdate, ZoneTags
from .options import TagOptions, parse_options
from .plan import ZonePlan
from .result import TagPlan, ZoneResult, failure
from .state import read_plan

JOBS = 4


@dataclass
class ZoneWork:
    """One zone's part: its plan, the manifest that the tag shall point to, and what has become of it."""

    plan: ZonePlan
    session: ZoneSession
    manifest: ManifestResponse | None
    result: ZoneResult = field(default_factory=ZoneResult)


@dataclass
class TagTask:
    """What one run of the module does to a tag of one or several zones."""

    options: TagOptions
    sessions: ZoneSessions
    _manifests: dict[str, ManifestResponse | None] = field(default_factory=dict, repr=False)

    def plan(self) -> TagPlan:
        """Return what is to be done; only reads; raises AppuioError, with the results of all zones."""
        outcomes = self.sessions.each(self._plan_zone)
        zones = tuple(
            outcome.value or self._place(session).failed(outcome.error or AppuioError("nothing is known of it"))
            for outcome, session in zip(outcomes, self.sessions.sessions)
        )
        plan = TagPlan(zones, self._warnings(zones))
        failed = [zone for zone in zones if zone.error]
        if failed and (self.options.atomic or len(failed) == len(zones)):
            raise failure(plan, [ZoneResult(error=zone.error) for zone in zones])
        return plan

    def apply(self, plan: TagPlan) -> dict[str, Any]:
        """Do it and return the result; raises AppuioError, with the results of all zones, where one failed.

        A signal to stop is such a failure: what was begun has gone back, or the result says where it is.
        """
        works = [
            ZoneWork(zone, self.sessions[zone.zone], self._manifests[zone.zone]) for zone in plan.zones if zone.changed
        ]
        try:
            self._move(works)
            if self.options.atomic and any(work.result.error for work in works):
                _note_cancelled(works, "left as it was, as another zone failed")
        except StoppedError as stopped:
            stopped.catch()
            # Where one tag has moved and was not put back, all have: the signal came too late.
            if not (self.options.atomic and any(work.result.changed and not work.result.error for work in works)):
                _note_cancelled(works, str(stopped))
        results = {zone.zone: ZoneResult(error=zone.error) for zone in plan.zones}
        results.update({work.plan.zone: work.result for work in works})
        in_order = [results[zone.zone] for zone in plan.zones]
        if any(result.error for result in in_order):
            raise failure(plan, in_order)
        return plan.result(in_order)

    def close(self) -> None:
        """Give back connections, and tokens that were only fetched for this task."""
        self.sessions.close()

    def _place(self, session: ZoneSession) -> ZonePlan:
        return ZonePlan(session.name, session.address, session.namespace, self.options.name, self.options.tag)

    def _plan_zone(self, session: ZoneSession) -> ZonePlan:
        planned, self._manifests[session.name] = read_plan(session, self.options)
        return planned

    def _move(self, works: Sequence[ZoneWork]) -> None:
        at_once(_mount, works)
        ready = [work for work in works if work.result.error is None]
        if not ready or (self.options.atomic and len(ready) < len(works)):
            return
        zones = [zone_tags(work, self.options) for work in ready]
        try:
            move_tags(zones, self.options.atomic)
        finally:
            with held():
                for work, zone in zip(ready, zones):
                    result = work.result
                    result.error, result.changed, result.rolled_back = zone.error, zone.changed, zone.rolled_back
                    result.warnings += [f"zone {zone.zone}: {text}" for text in zone.warnings]
        for work in ready:
            if isinstance(work.result.error, ForbiddenError):
                _explain(work, work.result.error)

    def _warnings(self, zones: tuple[ZonePlan, ...]) -> tuple[str, ...]:
        options, known = self.options, [zone for zone in zones if zone.error is None]
        if options.origin is not None and len({zone.after for zone in known}) > 1:
            where = options.origin.reference
            return (f"the zones do not have the same image as {where}: the tag will differ, too",)
        if options.by_revision and known and all(zone.before != options.expected_digest for zone in known):
            return (f"the tag {options.tag} points to {options.expected_digest} in no zone: nothing is rolled back",)
        return ()


def zone_tags(work: ZoneWork, options: TagOptions) -> ZoneTags:
    """Return the one tag of a zone that is to move; removal takes the zone's API."""
    plan, session = work.plan, work.session
    update = TagUpdate(plan.tag, plan.before, work.manifest, remove=options.state == "absent")
    return ZoneTags(
        plan.zone,
        session.address,
        session.registry,
        plan.repository,
        [update],
        remove_tag=lambda tag: _remove(session, plan.name, tag),
    )


def _remove(session: ZoneSession, name: str, tag: str) -> None:
    delete_tag(session.api(), session.namespace, name, tag)


def _mount(work: ZoneWork) -> None:
    plan = work.plan
    if plan.mounts and work.manifest is not None:
        try:
            work.result.mounted = mount_image(work.session.registry, plan.origin, plan.repository, work.manifest)
        except AppuioError as error:
            work.result.error = error.at(zone=plan.zone)


def _explain(work: ZoneWork, error: ForbiddenError) -> None:
    """Say in the error which limit or quota has refused the tag; a removal is refused for want of a right alone."""
    from .._zones.refusal import explain_refusal

    plan, registry = work.plan, work.session.registry
    if work.manifest is None:
        return
    size, is_new = None, False
    with suppress(AppuioError):
        root = parse_manifest(work.manifest.content, work.manifest.media_type)
        size = read_image(registry, plan.origin, root).size
    with suppress(AppuioError):
        is_new = plan.before is None and registry.tags(plan.repository) is None
    explain_refusal(work.session, error, size, int(is_new), int(plan.before is None))


def _note_cancelled(works: Sequence[ZoneWork], reason: str) -> None:
    """Say of a zone that did not fail why it was left as it was, or put back."""
    for work in works:
        if work.result.error is None and not work.result.changed:
            text = f"{reason}; the tag was put back" if work.result.rolled_back else reason
            work.result.error = CancelledError(text, zone=work.plan.zone)


def tag_task(options: Mapping[str, Any], context: RunContext) -> TagTask:
    """Return the task that the options describe; raises InvalidOptionError; asks nobody."""
    parsed = parse_options(options)
    return TagTask(parsed, ZoneSessions(targets_from(options, registry=True, namespace=True), context))


def mount_image(registry: RegistryClient, origin: str, repository: str, manifest: ManifestResponse) -> int:
    """Mount the blobs of an image and put the images of an index; return how many blobs; raises AppuioError.

    The manifest itself is not put.
    """
    image = read_image(registry, origin, parse_manifest(manifest.content, manifest.media_type))
    with ThreadPoolExecutor(JOBS) as pool:
        list(pool.map(lambda blob: mount_blob(registry, origin, repository, blob), image.blobs))
    for child in image.manifests[:-1]:
        registry.put_manifest(repository, child.digest, child.content, child.media_type)
    return len(image.blobs)


def mount_blob(registry: RegistryClient, origin: str, repository: str, blob: Descriptor) -> None:
    """Let a repository have a blob of another one; raises ForbiddenError where the registry does not do that."""
    step = f"mount {blob.digest}"
    path = f"/v2/{repository}/blobs/uploads/?{urlencode({'mount': blob.digest, 'from': origin})}"
    wanted = scopes(repository, "push") | scopes(origin, "pull")
    response = registry.http.request("POST", path, step=step, scopes=wanted, transient=transient)
    if response.status == 201 and registry.has_stored(response, repository, blob):
        return
    registry.expect(response, (201, 202), step, repository)
    location = response.headers.get("location")
    if response.status == 202 and location:
        registry.http.request("DELETE", str(location), step="give up the upload", scopes=wanted)
    raise ForbiddenError(
        f"the registry does not mount a layer of {origin} into {repository}",
        step=step,
        hint=f"Nothing is downloaded for this. The credential needs the right to pull in {origin.partition('/')[0]}",
    )
