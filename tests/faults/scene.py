# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules, run in this process from their parameters to what they print, in zones with faults."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

from ansible.module_utils import basic
from ansible_collections.appuio.registry.plugins.module_utils import _errors

from tests.image import make_layout
from tests.zone import Zone

_MODULES = "ansible_collections.appuio.registry.plugins.modules"
_numbers = itertools.count(1)


@dataclass
class Run:
    """One run of a module: what it printed, the errors that were made meanwhile, what it sent, what it left behind."""

    result: dict[str, Any]
    errors: list[_errors.AppuioError]
    writes: dict[str, list[str]]
    files: list[str]

    @property
    def failed(self) -> bool:
        """Whether the module failed."""
        return bool(self.result.get("failed"))

    def zone(self, name: str) -> dict[str, Any]:
        """Return a zone's part of the result, empty where there is none."""
        return next((one for one in self.result.get("zones") or [] if one.get("zone") == name), {})


@dataclass
class Scene:
    """A project in some zones, a credential for each, and a folder of its own with ``home`` and ``tmp``."""

    zones: Sequence[Zone]
    project: str
    folder: Path
    tokens: dict[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for zone in self.zones:
            self.tokens[zone.name] = zone.create_user(f"jane-{self.project}", "", {self.project: "admin"})
            # Tokens are there at once, and nobody else changes anything that a watch would have to wait for.
            zone.configure(token_delay=0, watch_seconds=0.01)

    def run(self, module: str, options: dict[str, Any], *, check: bool = False) -> Run:
        """Run a module in all zones."""
        given = self.parameters(options, check=check)
        for zone in self.zones:
            zone.clear_requests()
        with _noted() as errors:
            printed = run_module(module, given)
        files = [str(path) for path in (self.folder / "tmp").iterdir()]
        writes = {zone.name: [f"{one['method']} {one['path']}" for one in zone.writes()] for zone in self.zones}
        return Run(json.loads(printed), errors, writes, files)

    def parameters(self, options: dict[str, Any], *, check: bool = False) -> dict[str, Any]:
        """Return what a module is given in all zones."""
        entries = [
            {
                "zone": zone.name,
                "registry": zone.registry,
                "host": zone.host,
                "token": self.tokens[zone.name],
                "ca_cert": zone.ca_file,
                "registry_ca_cert": zone.registry_ca_file,
            }
            for zone in self.zones
        ]
        # Only what answers nothing, or for ever, meets a timeout: its cells give one of their own.
        patience = {"timeout": 300, "retries": 2, "retry_delay": 0.01}
        internal = {"_ansible_check_mode": check, "_ansible_tmpdir": str(self.folder / "tmp")}
        return {"zones": entries, "namespace": self.project, **patience, **options, **internal}

    def layout(self, name: str, **image: Any) -> str:
        """Return the source of a new image."""
        make_layout(self.folder / name, tag="1.0", seed=f"{self.project}-{name}", **image)
        return f"oci:{self.folder / name}:1.0"

    def new(self, prefix: str) -> str:
        """Return a name that was not used before."""
        return f"{prefix}-{next(_numbers)}"


def run_module(name: str, given: dict[str, Any]) -> str:
    """Run a module's main function with these parameters and return the last line that it prints."""
    printed = io.StringIO()
    main: Callable[[], None] = import_module(f"{_MODULES}.{name}").main
    with redirect_stdout(printed), _arguments(given):
        try:
            main()
        except SystemExit:
            pass
    return printed.getvalue().strip().splitlines()[-1]


@contextmanager
def _arguments(given: dict[str, Any]) -> Iterator[None]:
    try:
        from ansible.module_utils.testing import patch_module_args
    except ImportError:  # ansible-core 2.16
        with mock.patch.object(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": given}).encode()):
            yield
    else:
        with patch_module_args(given):
            yield


@contextmanager
def _noted() -> Iterator[list[_errors.AppuioError]]:
    """Note every typed error that is made."""
    made: list[_errors.AppuioError] = []
    begin = _errors.AppuioError.__init__

    def noted(self: _errors.AppuioError, *arguments: Any, **context: Any) -> None:
        begin(self, *arguments, **context)
        made.append(self)

    with mock.patch.object(_errors.AppuioError, "__init__", noted):
        yield made
