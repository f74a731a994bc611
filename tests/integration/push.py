# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pushes to the local zones: the engine in this process, or the module in a playbook."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import ACCEPT
from ansible_collections.appuio.registry.plugins.module_utils._push.options import SPEC
from ansible_collections.appuio.registry.plugins.module_utils._push.task import push_task
from ansible_collections.appuio.registry.plugins.module_utils._targets import RunContext
from ansible_collections.appuio.registry.plugins.module_utils._zones import session

from tests.integration.playbook import PlaybookResult, run_task
from tests.zone import Zone
from tests.zone.client import GUARD

ACTION = "appuio.registry.appuio_image_push"
_DEFAULTS = {name: rule["default"] for name, rule in SPEC.options.items() if "default" in rule}


@dataclass
class Pusher:
    """A project with a pusher in each zone, and how to push there."""

    zones: Sequence[Zone]
    project: str
    tokens: dict[str, str]
    folder: Path

    def entries(self, *zones: Zone, **more: Any) -> list[dict[str, Any]]:
        """Return entries for the option ``zones``; all zones where none is named."""
        return [
            {
                "registry": zone.registry,
                "host": zone.host,
                "token": self.tokens[zone.name],
                "ca_cert": str(zone.ca_file),
                **more,
            }
            for zone in zones or self.zones
        ]

    def options(self, source: str | None, **options: Any) -> dict[str, Any]:
        """Return the options of a push to all zones under the tag 1.0."""
        entries = self.entries()
        short = {"namespace": self.project, "source": source, "retries": 1, "retry_delay": 0.05}
        return {"zones": entries, "name": "app", "tags": ["1.0"], **short, **options}

    def push(
        self,
        source: str | None,
        *,
        check: bool = False,
        diff: bool = False,
        environment: dict[str, str] | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """Push in this process; raises AppuioError."""
        directory = self.folder / "spool"
        directory.mkdir(exist_ok=True)
        context = RunContext(environment or {}, str(directory))
        task = push_task({**_DEFAULTS, **self.options(source, **options)}, context)
        try:
            plan = task.plan()
            result = plan.predict() if check else task.apply(plan)
            return {**result, "diff": plan.diff()} if diff else result
        finally:
            task.close()

    def refused(self, source: str, **options: Any) -> AppuioError:
        """Return why a push failed; fails the test where it does not."""
        with pytest.raises(AppuioError) as caught:
            self.push(source, **options)
        return caught.value

    def play(self, source: str, *, options: dict[str, Any] | None = None, **how: Any) -> PlaybookResult:
        """Push by a playbook."""
        return run_task(ACTION, self.options(source, **(options or {})), self.folder / "play", **how)

    def tags(self, name: str = "app") -> list[dict[str, str]]:
        """Return what the tags point to, zone by zone."""
        return [zone.tags(self.project, name) for zone in self.zones]

    def read(self, zone: Zone, what: str, name: str = "app") -> bytes:
        """Return a blob or a manifest of a zone, as ``blobs/<digest>`` or ``manifests/<reference>``."""
        headers = {"Authorization": f"Bearer {self.tokens[zone.name]}", "Accept": ACCEPT}
        request = Request(f"https://{zone.registry}/v2/{self.project}/{name}/{what}", headers=headers)
        with urlopen(request, context=ssl.create_default_context(cafile=str(zone.registry_ca_file))) as answer:
            return bytes(answer.read())

    def clear(self) -> None:
        """Forget the requests that were made."""
        for zone in self.zones:
            zone.clear_requests()

    def writes(self) -> list[str]:
        """Return the writing requests of all zones."""
        return [f"{request['method']} {request['path']}" for zone in self.zones for request in zone.writes()]

    def asked(self) -> list[list[str]]:
        """Return all requests to the registries, zone by zone."""
        return [
            [f"{one['method']} {one['path'].split('/', 4)[-1]}" for one in zone.requests() if one["side"] == "registry"]
            for zone in self.zones
        ]


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a task only would like to know is waited for as well, however slow the machine is."""
    monkeypatch.setattr(session, "OPTIONAL_TIMEOUT", GUARD)


@pytest.fixture
def pusher(zones: list[Zone], fresh_project: Callable[..., str], tmp_path: Path) -> Pusher:
    """A project of the test's own with a pusher in each of three zones."""
    project = fresh_project("push")
    tokens = {zone.name: zone.token_for(project, "image-pusher") for zone in zones}
    for zone in zones:
        zone.clear_requests()
    return Pusher(zones, project, tokens, tmp_path)
