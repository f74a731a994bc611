# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done for the whole set, and what was done, as the module returns it; pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Mapping, Sequence

from .._errors import AppuioError
from .._prune.report import ZonePrune
from .._push.result import PushPlan, ZoneResult

# Errors of images that a message has in full; all are in the result.
_MOST_ERRORS = 10


@dataclass
class ImagePlan:
    """One image: what is to be done, or what stands against it; ``done`` is the result of its push."""

    where: str
    source: str
    name: str
    tags: Sequence[str] = ()
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


@dataclass
class SyncPlan:
    """The plan for all images and zones; ``removals`` has what is deleted, zone by zone and namespace by namespace.

    ``registries`` are the zones, each with its registry. ``left_behind`` is what a namespace that is copied keeps.
    """

    images: list[ImagePlan]
    registries: Sequence[tuple[str, str]] = ()
    removals: list[ZonePrune] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    left_behind: list[dict[str, Any]] = field(default_factory=list)

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
        return self.result()

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

    def result(self) -> dict[str, Any]:
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
            **({"warnings": list(dict.fromkeys(warnings))} if warnings else {}),
        }
        if self.failed:
            raise self._error(result)
        return result

    def refuse(self) -> None:
        """Raise the AppuioError of a run that begins nothing, with the result of all images as they are."""
        for image in self.images:
            if image.plan is not None and image.error is None:
                image.done = image.plan.result([ZoneResult(error=zone.error) for zone in image.plan.zones])
        self.removals = [replace(zone, decisions=(), repositories=()) for zone in self.removals]
        self.result()

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
