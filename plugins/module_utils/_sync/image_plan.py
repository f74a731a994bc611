# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done for one image of the set, what was done, and its declared tags, as the module returns it; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Iterator, Mapping, Sequence

from .._errors import AppuioError
from .._push.plan import PlannedTag, ZonePlan
from .._push.result import PushPlan

if TYPE_CHECKING:
    from .._image_set.namespace_plan import LeftBehind

UP_TO_DATE, MISSING, OUTDATED, KEPT, UNKNOWN = "up_to_date", "missing", "outdated", "kept", "unknown"
_NOT_ASKED: Mapping[str, Any] = {"digest": None, "wanted": None}


@dataclass
class ImagePlan:
    """One image: what is to be done, or what stands against it; ``done`` is the result of its push.

    ``destinations`` are zone and namespace of each repository that it goes to.
    """

    where: str
    source: str
    name: str
    tags: Sequence[str] = ()
    destinations: Sequence[tuple[str, str]] = ()
    plan: PushPlan | None = None
    error: AppuioError | None = None
    done: Mapping[str, Any] | None = None

    @property
    def changed(self) -> bool:
        """Whether something is to be changed, or was."""
        if self.done is not None:
            return bool(self.done.get("changed"))
        return self.error is None and self.plan is not None and self.plan.changed

    @property
    def size(self) -> int | None:
        """The bytes of all blobs, None where that is not known."""
        return self.plan.image.size if self.plan is not None else None

    def result(self) -> dict[str, Any]:
        """Return what the module returns of the image."""
        found: Mapping[str, Any] = self.done or (self.error.result if self.error else {})
        if self.done is None and self.error is None and self.plan is not None:
            found = self.plan.predict()
        return {
            "entry": self.where,
            "source": found.get("source") or self.source,
            "name": self.name,
            "tags": list(self.tags),
            "digest": found.get("digest"),
            "changed": bool(found.get("changed")),
            "reason": str(self.error) if self.error else found.get("reason"),
            "referrers_left": list(found.get("referrers_left") or ()),
            "zones": list(found.get("zones") or ()),
            "failed": self.error is not None,
            "error": str(self.error) if self.error else None,
        }

    @property
    def warnings(self) -> list[str]:
        """What a user would not expect."""
        found = self.done if self.done is not None else self.plan.predict() if self.plan and not self.error else {}
        return [f"{self.name}: {text}" for text in found.get("warnings") or ()]


def declared_tags(
    images: Sequence[ImagePlan], left: Sequence[tuple[ImagePlan, LeftBehind]] = ()
) -> list[dict[str, Any]]:
    """Return a row for each declared tag of each zone: what it points to, what it is to point to, and what that makes.

    What failed has a row for each of its tags, and one without a tag: other tags of this repository may be declared.
    ``left`` is what an entry cannot copy: of a tag without a row of its own, a copy stays where there is one.
    """
    rows = [row for image in images for row in _rows(image)]
    known = {_key(row) for row in rows}
    for image, one in left:
        said = {"name": one.name, "tag": one.tag, "state": KEPT, **_NOT_ASKED, "reason": one.reason}
        found = [{**row, **said} for row in _destinations(image) if one.tag]
        rows += [row for row in found if _key(row) not in known]
    return rows


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (row["zone"], row["namespace"], row["name"], row["tag"])


def _destinations(image: ImagePlan) -> Iterator[dict[str, Any]]:
    for zone, namespace in image.destinations:
        yield {"zone": zone, "namespace": namespace, "name": image.name, "entry": image.where, "source": image.source}


def _rows(image: ImagePlan) -> Iterator[dict[str, Any]]:
    zones = {zone.zone: zone for zone in image.plan.zones} if image.plan is not None else {}
    for row in _destinations(image):
        zone = zones.get(row["zone"])
        error = image.error or (zone.error if zone is not None else None)
        if image.plan is None or zone is None or (error is not None and not zone.tags):
            unknown = {"state": UNKNOWN, **_NOT_ASKED, "reason": str(error)}
            yield from ({**row, "tag": tag, **unknown} for tag in (*image.tags, None))
            continue
        yield from ({**row, **_tag(image.plan, zone, tag)} for tag in zone.tags)


def _tag(plan: PushPlan, zone: ZonePlan, tag: PlannedTag) -> dict[str, Any]:
    if tag.same:
        state = UP_TO_DATE
    elif tag.before is None:
        state = MISSING
    else:
        state = OUTDATED if tag.needed else KEPT
    wanted = tag.referrer.digest if tag.referrer is not None else plan.image.digest
    reason = str(zone.error) if zone.error is not None else tag.reason
    return {"tag": tag.tag, "state": state, "digest": tag.before, "wanted": wanted, "reason": reason}
