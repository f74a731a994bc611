# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones in which a file of images is partly true: every state that a declared or undeclared tag can have."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.appuio.registry.plugins.module_utils._image_set.options import SPEC
from ansible_collections.appuio.registry.plugins.module_utils._sync.task import sync_task
from ansible_collections.appuio.registry.plugins.module_utils._targets import RunContext

from tests.image import make_layout
from tests.integration.images import Images
from tests.zone import Zone

# Nobody listens there, so that a source of this registry cannot be reached.
NOWHERE = "docker://127.0.0.1:1/library"
DEFAULTS = {name: rule.get("default") for name, rule in SPEC.options.items()}


@dataclass
class PartlyDeclared:
    """Two zones or more, and a file in their ``images.folder``; ``digests`` are those of the images by their seed.

    Where a source cannot be reached, so much is not known; without ``doubts``, all of them can.
    """

    images: Images
    doubts: bool = True
    digests: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for zone in self.images.zones:
            self.images.tokens[zone.name] = zone.create_user("ada", projects={self.images.project: "admin"})
        old = [
            self.entry("app", "app", "1.0"),
            self.entry("old", "app", "stable"),
            self.entry("gone", "base", "3.20"),
        ]
        self.sync(old)
        self.digests["hand"] = self.images.push("hand", "by-hand", "kept")
        if self.doubts:
            self.images.push("alpine", "3.21", name="alpine")

    @property
    def file(self) -> Path:
        """The file as it is now: an image was built anew, one is new, and one is not in it any more."""
        first = self.images.zones[0].name
        entries = [
            self.entry("app", "app", "1.0"),
            self.entry("new", "app", "stable"),
            self.entry("app", "app", "kept", existing_tags="keep"),
            self.entry("app", "tool", "2.0", zones=[first]),
        ]
        if self.doubts:
            entries += [
                {"source": f"{NOWHERE}/mirror:1", "tags": ["1"]},
                {"source": f"{NOWHERE}/alpine", "select": {"newest": 2}},
            ]
        file = self.images.folder / "images.json"
        file.write_text(json.dumps({"images": entries}))
        return file

    def entry(self, seed: str, name: str, tag: str, **more: Any) -> dict[str, Any]:
        """Return an entry for an image that is built here."""
        folder = self.images.folder / f"built-{seed}"
        if seed not in self.digests:
            self.digests[seed] = make_layout(folder, tag="1.0", seed=f"{self.images.project}-{seed}")
        return {"source": f"oci:{folder}:1.0", "name": name, "tags": [tag], **more}

    def sync(self, images: Sequence[dict[str, Any]], zones: Sequence[Zone] = (), check: bool = False) -> dict[str, Any]:
        """Bring images as a set that deletes what it does not declare any more; raises AppuioError."""
        given = {**DEFAULTS, **self.images.where(*zones), "images": list(images), "delete": "managed"}
        task = sync_task(given, RunContext({}, str(self.images.folder)))
        try:
            plan = task.plan()
            return plan.predict() if check else task.apply(plan)
        finally:
            task.close()
