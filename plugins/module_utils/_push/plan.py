# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What there is to do in each zone, each step with its reason; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping

from .._errors import Problem
from .._oci.model import Manifest
from .wish import Wish


class Abandoned(Problem):
    """Another zone failed, so that this one is left as it was."""


@dataclass(frozen=True)
class ZoneState:
    """What a zone's repository has: the digest of each wanted tag, None where there is no such tag.

    ``exists`` is False when the repository is known not to be there, so that none of its blobs can be.
    """

    digests: Mapping[str, str | None]
    exists: bool = True
    holds_digest: bool = False


@dataclass(frozen=True)
class Move:
    """One tag: what it named, what it is to name, and why; ``needed`` is False where nothing is to be done."""

    tag: str
    before: str | None
    after: str | None
    needed: bool
    reason: str


@dataclass(frozen=True)
class ZonePlan:
    """The steps for one zone, or the problem that stands in their way."""

    zone: str
    registry: str
    repository: str
    moves: tuple[Move, ...] = ()
    by_digest: bool = False
    empty: bool = False
    problem: Problem | None = None

    @property
    def changed(self) -> bool:
        """Whether something is to be done in this zone."""
        return self.problem is None and (self.by_digest or any(move.needed for move in self.moves))

    @property
    def reason(self) -> str:
        """Why something, or nothing, is to be done."""
        if self.problem is not None:
            return str(self.problem)
        if self.by_digest:
            return "the repository does not have this image"
        if not self.moves:
            return "the repository has this image"
        return "; ".join(f"{move.tag}: {move.reason}" for move in self.moves)


def plan_zone(place: ZonePlan, wish: Wish, root: Manifest, state: ZoneState) -> ZonePlan:
    """Return the steps that lead from what a zone has to what is wanted there."""
    moves = tuple(_move(tag, state.digests[tag], wish, root.digest) for tag in wish.tags)
    problem = None
    if wish.existing_tags == "fail":
        for move in moves:
            if move.before not in (None, root.digest):
                problem = Problem(
                    f"the tag {move.tag} names another image, {move.before}",
                    zone=place.zone,
                    step="plan",
                    advice="existing_tags is fail: push under another tag, or let it be overwritten",
                )
    return ZonePlan(
        zone=place.zone,
        registry=place.registry,
        repository=place.repository,
        moves=moves,
        by_digest=not wish.tags and (wish.force or not state.holds_digest),
        empty=not state.exists,
        problem=problem,
    )


def _move(tag: str, before: str | None, wish: Wish, digest: str) -> Move:
    if before == digest:
        reason = "names this image already, and is put again" if wish.force else "names this image already"
        return Move(tag, before, digest, wish.force, reason)
    if before is None:
        return Move(tag, None, digest, True, "does not exist yet")
    if wish.existing_tags == "keep":
        return Move(tag, before, before, False, "names another image, and is kept")
    return Move(tag, before, digest, True, "names another image")
