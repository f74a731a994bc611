# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images in local zones, and the modules that look at them and move their tags, run in this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError
from ansible_collections.appuio.registry.plugins.module_utils._info.options import SPEC as INFO
from ansible_collections.appuio.registry.plugins.module_utils._info.task import info_task
from ansible_collections.appuio.registry.plugins.module_utils._runner import RunContext
from ansible_collections.appuio.registry.plugins.module_utils._tag.options import SPEC as TAG
from ansible_collections.appuio.registry.plugins.module_utils._tag.task import tag_task

from tests.image import make_layout
from tests.integration.push import Pusher
from tests.zone import Zone


def _defaults(options: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {name: rule.get("default") for name, rule in options.items()}


@dataclass
class Images:
    """A project of a test's own in some zones, with images pushed there; tokens are those of a registry-editor."""

    zones: Sequence[Zone]
    project: str
    folder: Path
    tokens: dict[str, str] = field(default_factory=dict, repr=False)
    writes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tokens = self.tokens or {zone.name: zone.token_for(self.project, "image-pusher") for zone in self.zones}
        self.pusher = Pusher(self.zones, self.project, self.tokens, self.folder)

    def push(self, seed: str, *tags: str, zones: Sequence[Zone] = (), name: str = "app", **image: Any) -> str:
        """Push an image of its own to all zones, or some, and return its digest."""
        layout = self.folder / f"image-{seed}"
        digest = make_layout(layout, tag="1.0", seed=f"{self.project}-{seed}", **image)
        entries = self.pusher.entries(*zones)
        self.pusher.push(f"oci:{layout}:1.0", zones=entries, tags=list(tags), name=name)
        return digest

    def where(self, *zones: Zone, **entry: Any) -> dict[str, Any]:
        """Return the options that lead to all zones, or some."""
        entries = [{**self.pusher.entries(zone)[0], "zone": zone.name, **entry} for zone in zones or self.zones]
        return {"zones": entries, "namespace": self.project, "retries": 1, "retry_delay": 0.05}

    def registries(self) -> list[dict[str, Any]]:
        """Return entries for ``zones`` from which nobody can tell where the API is."""
        entries = self.pusher.entries()
        return [{name: value for name, value in entry.items() if name != "host"} for entry in entries]

    def info(self, *zones: Zone, **options: Any) -> dict[str, Any]:
        """Return what appuio_image_info tells; raises AppuioError."""
        return self._run(info_task, {**_defaults(INFO.options), **self.where(*zones), **options})

    def tag(self, *zones: Zone, check: bool = False, **options: Any) -> dict[str, Any]:
        """Return what appuio_image_tag tells of the tag prod of app; raises AppuioError."""
        given = {**_defaults(TAG.options), **self.where(*zones), "name": "app", "tag": "prod", **options}
        return self._run(tag_task, given, check)

    def refused(self, *zones: Zone, **options: Any) -> AppuioError:
        """Return why a tag could not be moved; fails the test where it could."""
        with pytest.raises(AppuioError) as caught:
            self.tag(*zones, **options)
        return caught.value

    def named(self, tag: str = "prod", name: str = "app") -> list[str | None]:
        """Return what a tag points to, zone by zone."""
        return [zone.tags(self.project, name).get(tag) for zone in self.zones]

    def history(self, zone: Zone, tag: str = "prod", name: str = "app") -> list[str]:
        """Return what a tag points to and pointed to before, by the zone's own word."""
        stream = zone.image_stream(self.project, name) or {}
        found = {one["tag"]: one["items"] for one in (stream.get("status") or {}).get("tags") or []}
        return [item["image"] for item in found.get(tag, [])]

    def _run(self, start: Callable[..., Any], options: dict[str, Any], check: bool = False) -> dict[str, Any]:
        for zone in self.zones:
            zone.clear_requests()
        context = RunContext({}, str(self.folder), lambda _value: None, lambda _warning: None)
        task = start(options, context)
        try:
            plan = task.plan()
            result: dict[str, Any] = plan.predict() if check else task.apply(plan)
        finally:
            task.close()
            self.writes = [f"{one['method']} {one['path']}" for zone in self.zones for one in zone.writes()]
        return result
