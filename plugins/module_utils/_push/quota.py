# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a zone's API tells of a push beforehand: the quota, and the right to remove a tag again.

All of it is good to know and not needed, so that a push goes on where the API cannot be asked.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Sequence

from .._errors import AppuioError
from .._openshift.access import allowed
from .._openshift.client import missing_library
from .._zones.refusal import exceeded_quota
from .._zones.session import ZoneSession
from .plan import ZonePlan

if TYPE_CHECKING:
    from .._zones.fanout import ZoneSessions
    from .options import PushOptions

HINT = "Remove tags that nobody needs, or ask for a larger quota"


def check_zones(sessions: ZoneSessions, zones: Sequence[ZonePlan], options: PushOptions) -> tuple[ZonePlan, ...]:
    """Return the plans with what stands against them, of all zones at once; raises nothing."""
    moving = sum(tag.needed for zone in zones for tag in zone.tags)
    can_go_back = options.atomic and moving > 1
    plans = {zone.zone: zone for zone in zones}

    def check(session: ZoneSession) -> ZonePlan:
        return check_zone(session, plans[session.name], options.check_quota, can_go_back)

    return tuple(outcome.value or zone for outcome, zone in zip(sessions.each(check), zones))


def check_zone(session: ZoneSession, plan: ZonePlan, check_quota: str, can_go_back: bool) -> ZonePlan:
    """Return the plan with what stands against it; the API is asked for new tags alone.

    ``check_quota`` is the option; ``can_go_back`` says that tags go back where another one cannot be moved.
    """
    new = plan.new_tags
    if not new or plan.error is not None or (check_quota == "ignore" and not can_go_back):
        return plan
    api = session.optional_api()
    if api is None:
        return _warned(plan, *unchecked_quota(session)) if check_quota != "ignore" else plan
    if check_quota != "ignore":
        short = lacking_quota(session, int(plan.empty), new)
        if short and check_quota == "fail":
            error = AppuioError("; ".join(short), zone=plan.zone, step="check the quota", hint=HINT)
            return plan._replace(error=error)
        plan = _warned(plan, *short)
    if can_go_back:
        with suppress(AppuioError):
            if not allowed(api, session.namespace, "delete", "image.openshift.io", "imagestreamtags"):
                text = "the credential may not remove tags, so a new tag stays where another one cannot be moved"
                plan = _warned(plan, f"{text}; registry-editor may remove them, system:image-builder may not")
    return plan


def lacking_quota(session: ZoneSession, repositories: int, tags: int) -> list[str]:
    """Return a sentence for each quota that leaves no room for so many new ones; none where nobody can tell."""
    api = session.optional_api()
    with suppress(AppuioError):
        return exceeded_quota(api, session.namespace, repositories, tags) if api is not None else []
    return []


def unchecked_quota(session: ZoneSession) -> list[str]:
    """Return a sentence where the quota cannot be checked, as a Python package is missing."""
    if session.optional_api() is not None or missing_library() is None:
        return []
    return [f"the quota was not checked: {session.api_unavailable}"]


def _warned(plan: ZonePlan, *sentences: str) -> ZonePlan:
    return plan._replace(warnings=(*plan.warnings, *(f"zone {plan.zone}: {sentence}" for sentence in sentences)))
