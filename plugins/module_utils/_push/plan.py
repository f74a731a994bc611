# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done in each zone and why: from what its repository has and what is wanted to the steps; pure."""

from __future__ import annotations

from typing import Mapping, NamedTuple

from .._errors import AppuioError
from .._oci.model import Manifest
from .options import PushOptions


class ReferrerTag(NamedTuple):
    """A tag of what refers to the image: the digest that it points to, and the manifest that it shall point to."""

    tag: str
    before: str | None
    manifest: Manifest


class ZoneState(NamedTuple):
    """What a zone's repository has: the digest of each wanted tag, None where there is no such tag.

    ``same`` are the tags that point to the image already. ``exists`` is False when the repository is known not to be
    there, so that none of its blobs can be. Without tags, ``readable`` says that the image can be read by its digest,
    and ``complete`` that all its blobs are there, which is as much as a zone tells of an image without a tag.
    """

    digests: Mapping[str, str | None]
    same: frozenset[str] = frozenset()
    exists: bool = True
    readable: bool = False
    complete: bool = False
    referrers: tuple[ReferrerTag, ...] = ()


class PlannedTag(NamedTuple):
    """One tag: what it pointed to, whether it is to be moved, and why; ``same`` where it points to the image already.

    ``referrer`` is what it shall point to where that is not the image, but refers to it.
    """

    tag: str
    before: str | None
    same: bool
    needed: bool
    reason: str
    referrer: Manifest | None = None


class ZonePlan(NamedTuple):
    """The steps for one zone, or the error that stands in their way.

    ``put_again`` says that the manifest of an image without a tag is put again, as nobody can read whether it is
    there; that changes nothing.
    """

    zone: str
    registry: str
    repository: str
    tags: tuple[PlannedTag, ...] = ()
    by_digest: bool = False
    put_again: bool = False
    empty: bool = False
    error: AppuioError | None = None
    warnings: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether something is to be changed in this zone."""
        return self.error is None and (self.by_digest or any(tag.needed for tag in self.tags))

    @property
    def has_steps(self) -> bool:
        """Whether something is to be sent to this zone."""
        return self.changed or (self.error is None and self.put_again)

    @property
    def held(self) -> str | None:
        """The digest that the zone has under the wanted tags if none is moved: of the image, else of what is kept."""
        by_rank = sorted(self.image_tags, key=lambda tag: not tag.same)
        return next((tag.before for tag in by_rank if tag.before), None)

    @property
    def new_tags(self) -> int:
        """How many tags are to be created."""
        return sum(tag.before is None and tag.needed for tag in self.tags)

    @property
    def image_tags(self) -> tuple[PlannedTag, ...]:
        """The tags of the image itself."""
        return tuple(tag for tag in self.tags if tag.referrer is None)

    @property
    def reason(self) -> str:
        """Why something, or nothing, is to be done."""
        if self.error is not None:
            return str(self.error)
        if self.by_digest:
            return "the repository does not have this image"
        explained = [tag for tag in self.tags if tag.needed or tag.referrer is None]
        if not explained:
            return "the repository has this image"
        return "; ".join(f"{tag.tag}: {tag.reason}" for tag in explained)


def plan_zone(place: ZonePlan, options: PushOptions, state: ZoneState) -> ZonePlan:
    """Return the steps that lead from what a zone has to what is wanted there."""
    tags = tuple(_plan_tag(tag, state.digests[tag], tag in state.same, options) for tag in options.tags)
    error = None
    if options.existing_tags == "fail":
        for tag in tags:
            if tag.before and not tag.same:
                error = AppuioError(
                    f"the tag {tag.tag} points to another image, {tag.before}",
                    zone=place.zone,
                    step="plan",
                    hint="existing_tags is fail: push under another tag, or let it be overwritten",
                )
    without_tags = not options.tags
    return ZonePlan(
        zone=place.zone,
        registry=place.registry,
        repository=place.repository,
        tags=(*tags, *(_plan_referrer(tag) for tag in state.referrers)),
        by_digest=without_tags and (options.force or not (state.readable or state.complete)),
        put_again=without_tags and not state.readable,
        empty=not state.exists,
        error=error,
    )


def _plan_referrer(referrer: ReferrerTag) -> PlannedTag:
    same = referrer.before == referrer.manifest.digest
    reason = "is there already" if same else "travels with the image"
    return PlannedTag(referrer.tag, referrer.before, same, not same, reason, referrer.manifest)


def _plan_tag(tag: str, before: str | None, same: bool, options: PushOptions) -> PlannedTag:
    if same:
        reason = "points to this image already"
        if options.force:
            reason += ", and is put again"
        return PlannedTag(tag, before, True, options.force, reason)
    if before is None:
        return PlannedTag(tag, None, False, True, "does not exist yet")
    if options.existing_tags == "keep":
        return PlannedTag(tag, before, False, False, "points to another image, and is kept")
    return PlannedTag(tag, before, False, True, "points to another image")
