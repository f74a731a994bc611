# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The second phase of a push: the tags, zone by zone, and back again if one of them cannot be moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Sequence

from .._errors import AppuioError, NotFoundError
from .._registry.client import ManifestResponse
from .plan import Move
from .stage import Stage, Work

RemoveTag = Callable[[str, str], None]


@dataclass(frozen=True)
class _Moved:
    work: Work
    move: Move
    before: ManifestResponse | None


class Commit:
    """Moves tags; ``remove_tag(zone, tag)`` removes one that was new, raising AppuioError where it cannot."""

    def __init__(self, stage: Stage, atomic: bool, remove_tag: RemoveTag) -> None:
        self._image = stage.content.image()
        self._stage = stage
        self._atomic = atomic
        self._remove_tag = remove_tag
        self._moved: list[_Moved] = []

    def run(self, works: Sequence[Work]) -> None:
        """Move the tags of all zones; what fails is noted in the outcomes, and what had moved is put back."""
        try:
            remembered = self._remember(works) if self._atomic else {}
        except AppuioError as error:
            zone = next((work for work in works if work.plan.zone == error.zone), works[0])
            zone.push.outcome.error = error
            return
        for work in works:
            try:
                self._zone(work, remembered)
            except AppuioError as error:
                work.push.outcome.error = error.at(zone=work.plan.zone)
                if self._atomic:
                    self._back()
                    return

    def _remember(self, works: Sequence[Work]) -> dict[tuple[str, str], ManifestResponse | None]:
        """Read what the tags name now, as it cannot be read by digest for certain once they have moved."""
        moves = [(work, move) for work in works for move in work.plan.moves if move.needed]
        if len(moves) < 2:
            return {}
        found = {}
        for work, move in moves:
            try:
                before = work.push.client.get_manifest(work.push.repository, move.tag) if move.before else None
            except AppuioError as error:
                raise error.at(zone=work.plan.zone) from None
            found[(work.plan.zone, move.tag)] = before
            if before is not None:
                work.push.outcome.previous[move.tag] = before.digest
        return found

    def _zone(self, work: Work, remembered: dict[tuple[str, str], ManifestResponse | None]) -> None:
        # What belongs to the image comes first, so that it is there when the image is found.
        for move in sorted(work.plan.moves, key=lambda move: move.attached is None):
            if not move.needed:
                continue
            self._moved.append(_Moved(work, move, remembered.get((work.plan.zone, move.tag))))
            root = move.attached or self._image.root
            work.push.push_manifest(root, move.tag, self._image, lambda blob: self._stage.body_of(work, blob))
            work.push.outcome.changed = True
        if work.plan.by_digest:
            work.push.outcome.changed = True

    def _back(self) -> None:
        """Put back all that has moved, and the one of which it is not known whether it has."""
        for moved in self._moved:
            moved.work.push.outcome.changed = False
        for moved in reversed(self._moved):
            outcome, push, tag = moved.work.push.outcome, moved.work.push, moved.move.tag
            try:
                now = push.client.head_manifest(push.repository, tag)
                wanted = (moved.move.attached or self._image.root).digest
                if now is not None and now.digest == wanted != moved.move.before:
                    self._put_back(moved)
                    outcome.rolled_back = True
            except AppuioError as error:
                outcome.changed = True
                outcome.error = AppuioError(
                    f"the tag {tag} was moved and could not be put back: {error.at(zone=moved.work.plan.zone)}",
                    zone=moved.work.plan.zone,
                    step="roll back",
                    hint=f"It named {moved.move.before or 'nothing'} before",
                )

    def _put_back(self, moved: _Moved) -> None:
        push, tag, digest = moved.work.push, moved.move.tag, moved.move.before
        if digest is None:
            self._remove_tag(moved.work.plan.zone, tag)
            return
        # A single tag is not remembered: it moves only if all is well, or if an answer was lost.
        before = moved.before or push.client.get_manifest(push.repository, digest)
        if before is None:
            raise NotFoundError("the registry does not have any more what it named")
        push.client.put_manifest(push.repository, tag, before.content, before.media_type)
