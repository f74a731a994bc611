# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a push is to do, and what it did, as the module returns it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Sequence

from .._errors import AppuioError
from .._zone import INTERNAL_REGISTRY
from .._zones.fanout import joined_error
from .plan import PlannedTag, ZonePlan

if TYPE_CHECKING:
    from .._oci.contents import ImageContents


class ZoneResult:
    """What happened in one zone; ``duration`` in seconds.

    ``pointed_to`` is what tags pointed to right before they were moved, where that is other than planned, and
    ``digest`` what the zone has, where that is not the image.
    """

    def __init__(self, changed: bool = False, error: AppuioError | None = None) -> None:
        self.uploaded = 0
        self.mounted = 0
        self.existing = 0
        self.bytes_uploaded = 0
        self.duration = 0.0
        self.changed = changed
        self.rolled_back = False
        self.error = error
        self.pointed_to: dict[str, str | None] = {}
        self.kept: str | None = None
        self.warnings: list[str] = []


class PushedImage(NamedTuple):
    """The image that is pushed, as far as it is known: an archive's digest is not, before its layers are compressed.

    ``size`` are the bytes of all blobs; it is None where they were not read, or are not compressed yet.
    ``skipped`` names the referrers of the image that cannot travel, each with the reason; ``warnings`` what else
    a user would not expect.
    """

    source: str
    digest: str | None
    media_type: str | None
    image_id: str | None = None
    platforms: tuple[str, ...] = ()
    size: int | None = None
    skipped: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def pushed_as(self, contents: ImageContents) -> PushedImage:
        """Return the image with what is known of it once all of it has been uploaded."""
        root = contents.root
        return self._replace(digest=root.digest, media_type=root.media_type, size=contents.size)


class PushPlan:
    """The plan for all zones; ``image`` is replaced when more of it is known."""

    def __init__(self, image: PushedImage, zones: tuple[ZonePlan, ...]) -> None:
        self.image = image
        self.zones = zones

    @property
    def changed(self) -> bool:
        """Whether something is to be changed in any zone."""
        return any(zone.changed for zone in self.zones)

    def predict(self) -> dict[str, Any]:
        """Return the result of a push that goes as planned; nothing has been uploaded."""
        return self.result([ZoneResult(changed=zone.changed, error=zone.error) for zone in self.zones])

    def diff(self) -> dict[str, Any]:
        """Return what each tag of each zone points to before and after."""
        before: dict[str, Any] = {}
        after: dict[str, Any] = {}
        for zone in self.zones:
            where = f"{zone.registry}/{zone.repository}"
            before[where] = {tag.tag: tag.before for tag in zone.tags}
            after[where] = {
                tag.tag: self._after(tag) if tag.needed and not zone.error else tag.before for tag in zone.tags
            }
        return {"before": before, "after": after}

    def result(self, results: Sequence[ZoneResult]) -> dict[str, Any]:
        """Return the module's result from what happened in each zone, in the order of the zones."""
        zones = [self._zone(zone, result) for zone, result in zip(self.zones, results)]
        changed = any(zone["changed"] for zone in zones)
        digest = self.image.digest or next((zone["digest"] for zone in zones if zone["digest"]), None)
        warnings = [*self.image.warnings, *(warning for zone in self.zones for warning in zone.warnings)]
        warnings += [f"zone {zone.zone}: {text}" for zone, one in zip(self.zones, results) for text in one.warnings]
        reason = zones[0]["reason"]
        if len(zones) > 1:
            reason = f"{sum(zone['changed'] for zone in zones)} of {len(zones)} zones changed"
        return {
            "changed": changed,
            "reason": reason,
            "digest": digest,
            "media_type": self.image.media_type,
            "platforms": list(self.image.platforms),
            "source": self.image.source,
            "image_id": self.image.image_id,
            "referrers_left": list(self.image.skipped),
            "zones": zones,
            **({"warnings": list(dict.fromkeys(warnings))} if warnings else {}),
        }

    def _after(self, tag: PlannedTag) -> str:
        if tag.referrer is not None:
            return tag.referrer.digest
        if self.image.digest or not self.image.image_id:
            return self.image.digest or "an index of images whose layers are not compressed yet"
        return f"the image with the ID {self.image.image_id}"

    def _zone(self, zone: ZonePlan, result: ZoneResult) -> dict[str, Any]:
        address = f"{zone.registry}/{zone.repository}"
        error = result.error
        digest = result.kept or (self.image.digest if zone.changed or not zone.held else zone.held)
        by_digest = f"{address}@{digest}" if digest else None
        return {
            "zone": zone.zone,
            "registry": zone.registry,
            "reference": f"{address}:{zone.image_tags[0].tag}" if zone.image_tags else by_digest,
            "reference_digest": by_digest,
            "pull_reference": f"{INTERNAL_REGISTRY}/{zone.repository}@{digest}" if digest else None,
            "digest": digest,
            "previous_digest": {tag.tag: result.pointed_to.get(tag.tag, tag.before) for tag in zone.image_tags},
            "tags": [tag.tag for tag in zone.image_tags],
            "referrers": [tag.tag for tag in zone.tags if tag.referrer],
            "changed": result.changed,
            "reason": str(error) if error else zone.reason,
            "blobs": {"uploaded": result.uploaded, "mounted": result.mounted, "existing": result.existing},
            "bytes": {"total": self.image.size, "uploaded": result.bytes_uploaded},
            "duration": round(result.duration, 3),
            "rolled_back": result.rolled_back,
            "failed": error is not None,
            "error": str(error) if error else None,
        }


def result_of(plan: PushPlan, results: Sequence[ZoneResult]) -> dict[str, Any]:
    """Return the module's result; raises AppuioError, with it, where a zone failed."""
    if any(result.error for result in results):
        raise failure(plan, results)
    return plan.result(results)


def failure(plan: PushPlan, results: Sequence[ZoneResult]) -> AppuioError:
    """Return the one error for all zones that failed, with the result of all zones."""
    return joined_error([result.error for result in results], plan.result(results))
