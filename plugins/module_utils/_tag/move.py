# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moving the tag in all zones, and back again where one of them fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Sequence

from .._errors import AppuioError
from .._image.image_zone import ImageZone
from .._openshift.image_streams import delete_tag
from .._registry.client import ManifestResponse
from .plan import ZonePlan
from .report import Outcome


@dataclass
class Work:
    """One zone's share: its plan, the manifest that the tag is to name, and what it named when it was moved."""

    plan: ZonePlan
    zone: ImageZone
    manifest: ManifestResponse | None
    outcome: Outcome = field(default_factory=Outcome)
    before: ManifestResponse | None = None


def move(works: Sequence[Work], atomic: bool) -> None:
    """Move the tag zone by zone; what fails is noted in the outcomes, and what had moved is put back if atomic."""
    begun: list[Work] = []
    for work in works:
        try:
            _remember(work)
        except AppuioError as error:
            work.outcome.error = error.at(zone=work.plan.zone)
            if atomic:
                return
    for work in [work for work in works if work.outcome.error is None]:
        begun.append(work)
        try:
            _move(work)
            work.outcome.changed = True
        except AppuioError as error:
            work.outcome.error = error.at(zone=work.plan.zone)
            if atomic:
                for moved in reversed(begun):
                    _back(moved)
                return


def _remember(work: Work) -> None:
    """Read what the tag names, as it cannot be read by digest for certain once it has moved."""
    plan = work.plan
    work.before = work.zone.registry.get_manifest(plan.repository, plan.tag)
    now = work.before.digest if work.before else None
    if now != plan.before:
        raise AppuioError(
            f"the tag {plan.tag} was moved meanwhile, from {plan.before or 'nothing'} to {now or 'nothing'}",
            step="move the tag",
            hint="Nothing was changed: look again, and decide anew",
        )


def _move(work: Work) -> None:
    plan = work.plan
    if work.manifest is not None:
        content, media_type = work.manifest.content, work.manifest.media_type
        work.zone.registry.put_manifest(plan.repository, plan.tag, content, media_type)
    else:
        _remove(work)


def _remove(work: Work) -> None:
    if work.zone.api is None:
        raise AppuioError("a tag can only be removed through the API", hint="Give zone or host")
    delete_tag(work.zone.api, work.zone.namespace, work.plan.name, work.plan.tag)


def _back(work: Work) -> None:
    """Put back what the tag named, also where it is not known whether it has moved."""
    plan, registry = work.plan, work.zone.registry
    try:
        head = registry.head_manifest(plan.repository, plan.tag)
        now = head.digest if head else None
        if now == plan.after != plan.before:
            if work.before is not None:
                registry.put_manifest(plan.repository, plan.tag, work.before.content, work.before.media_type)
            else:
                _remove(work)
            work.outcome.rolled_back = True
        work.outcome.changed = False
    except AppuioError as error:
        work.outcome.changed = True
        work.outcome.error = AppuioError(
            f"the tag {plan.tag} was moved and could not be put back: {error.at(zone=plan.zone)}",
            zone=plan.zone,
            step="roll back",
            hint=f"It named {plan.before or 'nothing'} before",
        )
