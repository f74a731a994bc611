# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What there is to do in each zone, each step with its reason; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping

from .._errors import AppuioError
from .._oci.model import Manifest
from .wish import Wish


@dataclass(frozen=True)
class Attached:
    """A tag of what is attached to the image: the digest it names, and the manifest it is to name."""

    tag: str
    before: str | None
    manifest: Manifest


@dataclass(frozen=True)
class ZoneState:
    """What a zone's repository has: the digest of each wanted tag, None where there is no such tag.

    ``same`` are the tags that name the image already. ``exists`` is False when the repository is known not
    to be there, so that none of its blobs can be.
    """

    digests: Mapping[str, str | None]
    same: frozenset[str] = frozenset()
    exists: bool = True
    holds_digest: bool = False
    attached: tuple[Attached, ...] = ()


@dataclass(frozen=True)
class Move:
    """One tag: what it named, whether it is to name the image, and why; ``same`` where it does already.

    ``attached`` is what it is to name where that is not the image, but belongs to it.
    """

    tag: str
    before: str | None
    same: bool
    needed: bool
    reason: str
    attached: Manifest | None = None


@dataclass(frozen=True)
class ZonePlan:
    """The steps for one zone, or the problem that stands in their way."""

    zone: str
    registry: str
    repository: str
    moves: tuple[Move, ...] = ()
    by_digest: bool = False
    empty: bool = False
    error: AppuioError | None = None
    warnings: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether something is to be done in this zone."""
        return self.error is None and (self.by_digest or any(move.needed for move in self.moves))

    @property
    def held(self) -> str | None:
        """The digest of the image as the zone has it under one of the tags, None where it does not."""
        return next((move.before for move in self.wished if move.same), None)

    @property
    def wished(self) -> tuple[Move, ...]:
        """The tags of the image itself."""
        return tuple(move for move in self.moves if move.attached is None)

    @property
    def reason(self) -> str:
        """Why something, or nothing, is to be done."""
        if self.error is not None:
            return str(self.error)
        if self.by_digest:
            return "the repository does not have this image"
        told = [move for move in self.moves if move.needed or move.attached is None]
        if not told:
            return "the repository has this image"
        return "; ".join(f"{move.tag}: {move.reason}" for move in told)


def plan_zone(place: ZonePlan, wish: Wish, state: ZoneState) -> ZonePlan:
    """Return the steps that lead from what a zone has to what is wanted there."""
    moves = tuple(_move(tag, state.digests[tag], tag in state.same, wish) for tag in wish.tags)
    error = None
    if wish.existing_tags == "fail":
        for move in moves:
            if move.before and not move.same:
                error = AppuioError(
                    f"the tag {move.tag} names another image, {move.before}",
                    zone=place.zone,
                    step="plan",
                    hint="existing_tags is fail: push under another tag, or let it be overwritten",
                )
    return ZonePlan(
        zone=place.zone,
        registry=place.registry,
        repository=place.repository,
        moves=(*moves, *(_attach(attached) for attached in state.attached)),
        by_digest=not wish.tags and (wish.force or not state.holds_digest),
        empty=not state.exists,
        error=error,
    )


def _attach(attached: Attached) -> Move:
    same = attached.before == attached.manifest.digest
    reason = "is there already" if same else "travels with the image"
    return Move(attached.tag, attached.before, same, not same, reason, attached.manifest)


def _move(tag: str, before: str | None, same: bool, wish: Wish) -> Move:
    if same:
        reason = "names this image already, and is put again" if wish.force else "names this image already"
        return Move(tag, before, True, wish.force, reason)
    if before is None:
        return Move(tag, None, False, True, "does not exist yet")
    if wish.existing_tags == "keep":
        return Move(tag, before, False, False, "names another image, and is kept")
    return Move(tag, before, False, True, "names another image")
