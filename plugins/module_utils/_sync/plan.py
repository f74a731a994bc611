# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done for the whole set, and what was done, as the module returns it; pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Mapping, Sequence

from .._errors import AppuioError
from .._push.result import ZoneResult
from .image_plan import ImagePlan, declared_tags

if TYPE_CHECKING:
    from .._image_set.namespace_plan import LeftBehind
    from .._prune.report import ZonePrune

# Errors of images that a message has in full; all are in the result.
_MOST_ERRORS = 10
_NOT_BEGUN = "nothing was begun, as images failed"


@dataclass
class SyncPlan:
    """The plan for all images and zones; ``removals`` has what is deleted, zone by zone and namespace by namespace.

    ``registries`` are the zones, each with its registry. ``left_behind`` is what a namespace that is copied keeps,
    and ``left`` the same with the entry that copies it.
    """

    images: list[ImagePlan]
    registries: Sequence[tuple[str, str]] = ()
    removals: list[ZonePrune] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    left_behind: list[dict[str, Any]] = field(default_factory=list)
    left: Sequence[tuple[ImagePlan, LeftBehind]] = ()

    @property
    def changed(self) -> bool:
        """Whether anything is to be changed."""
        return any(image.changed for image in self.images) or any(
            zone.changes for zone in self.removals if zone.error is None
        )

    @property
    def failed(self) -> bool:
        """Whether anything stands against it, or has failed."""
        return any(image.error for image in self.images) or any(zone.error for zone in self.removals)

    def predict(self) -> dict[str, Any]:
        """Return the result of a run that goes as planned; raises AppuioError, with it, for what cannot go so."""
        return self.result(declared=declared_tags(self.images, self.left))

    def diff(self) -> dict[str, Any]:
        """Return what the tags of each repository that changes point to, before and after."""
        before: dict[str, dict[str, Any]] = {}
        after: dict[str, dict[str, Any]] = {}
        for image in self.images:
            if image.plan is None or not image.plan.changed:
                continue
            found = image.plan.diff()
            for whole, part in ((before, found["before"]), (after, found["after"])):
                for where, tags in part.items():
                    whole.setdefault(where, {}).update(tags)
        for zone in self.removals:
            for one in zone.going if zone.error is None else ():
                where = f"{zone.zone} {zone.namespace}/{one.name}"
                before.setdefault(where, {})[one.tag] = one.digest
                after.setdefault(where, {})
        return {"before": before, "after": after}

    def result(self, **more: Any) -> dict[str, Any]:
        """Return the module's result; raises AppuioError, with it, where an image or a deletion failed."""
        images = [image.result() for image in self.images]
        zones = [zone.result() for zone in self.removals]
        deleted = [_tag(zone, one) for zone in zones for one in zone["deleted"]]
        totals = _totals(images, len(deleted))
        warnings = [*self.warnings, *(text for image in self.images for text in image.warnings)]
        warnings += [f"zone {zone.zone}: {text}" for zone in self.removals for text in zone.warnings]
        result = {
            "changed": any(image["changed"] for image in images) or any(zone["changed"] for zone in zones),
            "reason": _reason(totals),
            "images": images,
            "deleted": deleted,
            "kept": [_tag(zone, one) for zone in zones for one in zone["kept"]],
            "zones": [_zone(registry, images, zones) for registry in self.registries],
            "deleted_repositories": [_tag(zone, one) for zone in zones for one in zone["deleted_repositories"]],
            "left_behind": self.left_behind,
            "totals": totals,
            **more,
            **({"warnings": list(dict.fromkeys(warnings))} if warnings else {}),
        }
        if self.failed:
            raise self._error(result)
        return result

    def refuse(self) -> None:
        """Raise the AppuioError of a run that begins nothing, with the result of all images as they are."""
        declared = declared_tags(self.images, self.left)
        for image in self.images:
            if image.plan is not None and image.error is None:
                image.done = image.plan.result([ZoneResult(error=zone.error) for zone in image.plan.zones])
        for zone in self.removals:
            zone.decisions = tuple(
                replace(one, goes=False, reason=_NOT_BEGUN) if one.goes else one for one in zone.decisions
            )
            zone.repositories = ()
        self.result(declared=declared)

    def _error(self, result: dict[str, Any]) -> AppuioError:
        failed = [image for image in self.images if image.error is not None]
        texts = [f"{image.name} ({image.where}): {image.error}" for image in failed]
        texts = list(dict.fromkeys([*texts, *(f"deletion: {zone.error}" for zone in self.removals if zone.error)]))
        more = [f"and {len(texts) - _MOST_ERRORS} more, see the result"] if len(texts) > _MOST_ERRORS else []
        text = " | ".join([*texts[:_MOST_ERRORS], *more])
        if failed:
            text = f"{len(failed)} of {len(self.images)} images failed: {text}"
        return AppuioError(text, result=result)


def _totals(images: Sequence[Mapping[str, Any]], deleted: int) -> dict[str, int]:
    zones = [zone for image in images for zone in image["zones"]]
    return {
        "images": len(images),
        "changed": sum(image["changed"] for image in images),
        "failed": sum(image["failed"] for image in images),
        "tags": sum(len(zone["tags"]) for zone in zones),
        "bytes": sum(zone["bytes"]["total"] or 0 for zone in zones if zone["changed"]),
        "uploaded": sum(zone["bytes"]["uploaded"] for zone in zones),
        "deleted": deleted,
    }


def _zone(
    zone_registry: tuple[str, str], images: Sequence[Mapping[str, Any]], removals: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return what came of all images in one zone; an image whose source could not be listed is one of every zone."""
    name, registry = zone_registry
    own = [zone for image in images for zone in image["zones"] if zone["zone"] == name]
    removed = [one for one in removals if one["zone"] == name]
    errors = [zone["error"] for zone in own if zone["failed"]]
    errors += [image["error"] for image in images if image["failed"] and not image["zones"]]
    errors = list(dict.fromkeys([*errors, *(one["error"] for one in removed if one["failed"])]))
    changed = sum(zone["changed"] for zone in own)
    deleted = sum(len(one["deleted"]) for one in removed)
    return {
        "zone": name,
        "registry": registry,
        "changed": bool(changed or any(one["changed"] for one in removed)),
        "reason": f"{changed} of {len(own)} images change" + (f", {deleted} tags go" if deleted else ""),
        "bytes": {
            "total": sum(zone["bytes"]["total"] or 0 for zone in own if zone["changed"]),
            "uploaded": sum(zone["bytes"]["uploaded"] for zone in own),
        },
        "deleted": deleted,
        "deletion_error": " | ".join(one["error"] for one in removed if one["failed"]) or None,
        "failed": bool(errors),
        "error": " | ".join(errors[:_MOST_ERRORS]) if errors else None,
    }


def _reason(totals: Mapping[str, int]) -> str:
    text = f"{totals['changed']} of {totals['images']} images change"
    if totals["deleted"]:
        text += f", {totals['deleted']} tags go"
    return f"{text}, {totals['failed']} failed" if totals["failed"] else text


def _tag(zone: Mapping[str, Any], one: Mapping[str, Any]) -> dict[str, Any]:
    return {"zone": zone["zone"], "namespace": zone["namespace"], **one}
