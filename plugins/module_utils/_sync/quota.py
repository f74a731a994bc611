# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The quota of each namespace against what all images of the set need there together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Sequence

from .._errors import AppuioError
from .._push.quota import HINT, lacking_quota, unchecked_quota
from .._zones.session import ZoneSession
from .image import ImageSync


@dataclass
class Need:
    """What the set makes in one namespace of a zone: new tags, and the repositories that are not there yet."""

    session: ZoneSession
    tags: int = 0
    repositories: set[str] = field(default_factory=set)
    images: list[ImageSync] = field(default_factory=list)

    def check(self, check_quota: str) -> list[str]:
        """Return warnings; where ``check_quota`` is "fail", the images that need something new fail instead."""
        short = lacking_quota(self.session, len(self.repositories), self.tags)
        text = f"for all images of the set in {self.session.namespace}, {'; '.join(short)}"
        if short and check_quota == "fail":
            for image in self.images:
                image.refuse_zone(AppuioError(text, zone=self.session.name, step="check the quota", hint=HINT))
            return []
        sentences = [text] if short else unchecked_quota(self.session)
        return [f"zone {self.session.name}: {sentence}" for sentence in sentences]


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
