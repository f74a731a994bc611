# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The quota of each namespace against what all images of the set need there together.

What the set deletes goes last, when all new images are there, so that it makes room for the next run only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Sequence

from .._errors import AppuioError
from .._image_set.options import SyncOptions
from .._prune.report import ZonePrune
from .._push.quota import HINT, lacking_quota, unchecked_quota
from .._zones.session import ZoneSession
from .image import ImageSync

_ONCE_MORE = "What is no longer declared goes at the end of this run, and makes room: run it once more"
_WITHOUT_NEW = (
    "There is room once what is no longer declared has gone, which goes last: run it once without the new entries, and "
    "then with them"
)


@dataclass
class Need:
    """What the set makes in one namespace of a zone: new tags, and the repositories that are not there yet.

    ``short`` has a sentence for each quota that leaves too little, once ``ask`` has asked.
    """

    session: ZoneSession
    tags: int = 0
    repositories: set[str] = field(default_factory=set)
    images: list[ImageSync] = field(default_factory=list)
    short: list[str] = field(default_factory=list)

    def ask(self) -> None:
        """Ask the zone what its quotas leave."""
        self.short = lacking_quota(self.session, len(self.repositories), self.tags)

    def describe(self) -> str:
        """Return what is lacking."""
        return f"for all images of the set in {self.session.namespace}, {'; '.join(self.short)}"

    def has_room_after(self, removals: Sequence[ZonePrune]) -> bool:
        """Whether the quota is enough once these have gone; what may fail keeps all tags of its repository."""
        names = {image.plan.name for image in self.images}
        own = [one for one in removals if (one.zone, one.namespace) == (self.session.name, self.session.namespace)]
        tags = sum(gone.name not in names for one in own for gone in one.going)
        repositories = sum(gone.goes and gone.name not in names for one in own for gone in one.repositories)
        if not tags and not repositories:
            return False
        return not lacking_quota(self.session, max(0, len(self.repositories) - repositories), max(0, self.tags - tags))


def settle_quota(
    needs: Sequence[Need], images: Sequence[ImageSync], removals: Sequence[ZonePrune], options: SyncOptions
) -> list[str]:
    """Return warnings; where ``check_quota`` is "fail", the images that need something new fail instead."""
    refuses = options.check_quota == "fail"
    lacking = [need for need in needs if need.short]
    refused = {id(image) for need in lacking for image in need.images}
    # What a plan with errors that begins nothing would delete stays, too.
    begins = not refuses or (
        options.atomic != "set" and any(image.plan.error is None and id(image) not in refused for image in images)
    )
    hint = _ONCE_MORE if options.keep_going and begins else _WITHOUT_NEW
    warnings = [
        f"zone {need.session.name}: {sentence}"
        for need in needs
        if not need.short
        for sentence in unchecked_quota(need.session)
    ]
    for need in lacking:
        more = hint if need.has_room_after(removals) else ""
        if refuses:
            for image in need.images:
                error = AppuioError(need.describe(), zone=need.session.name, step="check the quota", hint=more or HINT)
                image.refuse_zone(error)
        else:
            warnings.append(f"zone {need.session.name}: {need.describe()}{more and f'. {more}'}")
    return sorted(warnings)


def needs_of(images: Sequence[ImageSync]) -> list[Need]:
    """Return what is new in each zone and namespace, of those where anything is."""
    found: dict[tuple[str, str], Need] = {}
    for image in images:
        zones = {zone.zone: zone for zone in image.plan.plan.zones} if image.plan.plan is not None else {}
        for session in image.push.sessions.sessions:
            zone = zones.get(session.name)
            if zone is None or zone.error is not None or not zone.new_tags:
                continue
            need = found.setdefault((session.name, session.namespace), Need(session))
            need.tags += zone.new_tags
            need.images.append(image)
            if zone.empty:
                need.repositories.add(zone.repository)
    return list(found.values())
