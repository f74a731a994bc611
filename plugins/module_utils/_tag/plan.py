# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done with the tag in each zone, and why; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from .._errors import AppuioError, NotFoundError
from .options import TagOptions

PUT = "its manifest is put under the tag, which takes no more than the right to push"
MOUNT = "its manifest is put under the tag and its layers are mounted from {}, which takes the rights to pull and push"
REMOVE = "the tag and its history are removed through the API, as the registry refuses that"


@dataclass(frozen=True)
class TagState:
    """What a zone has: the digest the tag points to (None for no such tag), what it did before, and what moves it.

    ``history`` has the newest first, with an empty digest for what is no image of the zone, of which ``references``
    has the names; it is None where the API was not asked, for which ``shut`` is the reason.
    ``followed`` says in words what the entry in ``spec.tags`` follows, ``pinned`` which image it names.
    """

    digest: str | None
    exists: bool = False
    history: tuple[str, ...] | None = None
    references: tuple[str, ...] = ()
    followed: str | None = None
    pinned: str | None = None
    shut: AppuioError | None = None


@dataclass(frozen=True)
class ZonePlan:
    """One zone: what the tag points to and is to point to there, or the problem that stands in the way.

    ``after`` is None where the tag is to be removed; ``origin`` is the repository that has the image.
    """

    zone: str
    registry: str
    namespace: str
    name: str
    tag: str
    before: str | None = None
    after: str | None = None
    changed: bool = False
    origin: str = ""
    reason: str = ""
    error: AppuioError | None = None

    @property
    def repository(self) -> str:
        """The repository as the registry names it."""
        return f"{self.namespace}/{self.name}"

    @property
    def mounts(self) -> bool:
        """Whether the image is in another repository."""
        return self.changed and self.after is not None and self.origin != self.repository

    def failed(self, error: AppuioError) -> ZonePlan:
        """Return the plan of a zone in which it cannot be done."""
        return replace(self, changed=False, error=error.at(zone=self.zone))


def wanted_digest(options: TagOptions, state: TagState, found: str | None) -> str | None:
    """Return what the tag is to point to, None for nothing; raises AppuioError.

    ``found`` is the digest of what ``from`` or ``to_digest`` names in the zone.
    """
    if options.state == "absent":
        return None
    if not options.by_revision:
        return found
    if state.digest is None or state.digest != options.expected_digest:
        return state.digest
    if state.history is None:
        raise state.shut or AppuioError(
            "what a tag pointed to before is known to the API alone",
            hint="Give zone or host and a credential with access to the API, or to_digest",
        )
    if len(state.history) <= options.revision:
        reach = max(0, len(state.history) - 1)
        raise NotFoundError(
            f"the history of the tag {options.tag} goes back {reach} images, not {options.revision}",
            hint="APPUiO keeps three images of a tag. Give to_digest, or push the image again",
        )
    digest = state.history[options.revision]
    if digest == options.expected_digest:
        raise NotFoundError(
            f"the tag {options.tag} pointed to {digest} {options.revision} images before, too, which is the image to "
            "roll back from",
            hint="Give another revision, or to_digest",
        )
    if not digest:
        reference = state.references[options.revision] if len(state.references) > options.revision else ""
        followed = f"a reference to {reference}" if reference else "a reference"
        raise NotFoundError(
            f"the tag {options.tag} pointed to no image of this zone before, but was {followed}",
            hint="A tag cannot go back to that. Give another revision, or to_digest",
        )
    return digest


def plan_zone(plan: ZonePlan, options: TagOptions, state: TagState, after: str | None, origin: str) -> ZonePlan:
    """Return what leads from what a zone has to what is wanted there."""
    plan = replace(plan, before=state.digest, after=after, origin=origin)
    settled = _settled(options, state, after)
    if settled:
        return replace(plan, after=state.digest, reason=settled)
    if options.expected_digest and state.digest != options.expected_digest:
        error = AppuioError(
            f"the tag {options.tag} points to {state.digest or 'nothing'}, not to {options.expected_digest}",
            step="compare with expected_digest",
            hint="Somebody has moved it meanwhile. Nothing was changed: look again, and decide anew",
        )
        return plan.failed(error)
    if after is None:
        return replace(plan, changed=True, reason=f"is to be absent; {REMOVE}")
    if state.followed:
        if options.following == "keep":
            return replace(plan, after=state.digest, reason=f"follows {state.followed}, and is kept")
        error = AppuioError(
            f"the tag {options.tag} follows {state.followed}, which can move it again",
            step="read spec.tags",
            hint="Move what it follows, or remove the tag first, or keep it with following: keep",
        )
        return plan.failed(error)
    if state.digest is None:
        reason = "does not exist yet"
    elif options.state == "rolled_back":
        reason = f"is rolled back from {_short(state.digest)}"
    else:
        reason = f"points to another image, {_short(state.digest)}"
    reason += f"; {PUT if origin == plan.repository else MOUNT.format(origin)}"
    if state.pinned:
        reason += f". Its entry in spec.tags names {state.pinned} and stays as it is, as pushes go past it"
    if state.history is None:
        reason += ". Whether it follows something is not known, as the API could not be asked"
    return replace(plan, changed=True, reason=reason)


def _settled(options: TagOptions, state: TagState, after: str | None) -> str | None:
    """Return why there is nothing to do, None where there is."""
    if options.state == "absent":
        return None if state.exists else "does not exist"
    if options.by_revision and state.digest != options.expected_digest:
        if state.digest is None:
            return "does not exist"
        bad = _short(str(options.expected_digest))
        return f"points to {_short(state.digest)}, not to the image to roll back from, {bad}"
    return "points to this image already" if state.digest == after else None


def diff_of(zones: tuple[ZonePlan, ...]) -> dict[str, Any]:
    """Return what the tag of each zone points to before and after."""
    return {
        "before": {f"{zone.registry}/{zone.repository}": {zone.tag: zone.before} for zone in zones},
        "after": {
            f"{zone.registry}/{zone.repository}": {zone.tag: zone.after if zone.changed else zone.before}
            for zone in zones
        },
    }


def _short(digest: str) -> str:
    return digest[:19]
