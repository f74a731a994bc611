# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who pushes what: our engine, as the job that a push is for it, and what all others that push have in common."""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from ansible_collections.appuio.registry.plugins.module_utils import _errors

from .images import Image
from .measure import Job
from .programs import Program
from .registries import Registry

ENGINE = Path(__file__).parent / "engine.py"
LINKED = Path(_errors.__file__).parents[5]
FAST_GZIP = ("isal", "zlib_ng")
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Push:
    """One image to the same repository and tag of one or several registries; ``changes`` whether it is new there."""

    image: Image
    registries: Sequence[Registry]
    repository: str
    tag: str = "1"
    changes: bool = True

    @property
    def tls(self) -> bool:
        """Whether the registries speak TLS."""
        return self.registries[0].ca_file is not None

    def source(self) -> str:
        """Return the image in the notation that skopeo has too."""
        separator = "//" if self.image.transport == "docker" else ""
        return f"{self.image.transport}:{separator}{self.image.place}"

    def options(self) -> dict[str, Any]:
        """Return the options of our task."""
        namespace, _separator, name = self.repository.partition("/")
        zones = [
            {"registry": registry.address, "ca_cert": str(registry.ca_file) if registry.ca_file else None}
            for registry in self.registries
        ]
        where = zones[0] if len(zones) == 1 else {"zones": zones}
        trusted: dict[str, Any] = {"validate_certs": self.tls, "source_validate_certs": self.tls}
        if self.image.ca_file:
            trusted["source_ca_cert"] = str(self.image.ca_file)
        what = {"source": self.source(), "namespace": namespace, "name": name, "tags": [self.tag], "token": "any"}
        return {**where, **trusted, **what}


class Contender(Protocol):
    """Somebody who pushes images."""

    @property
    def name(self) -> str:
        """What it is called in the table."""

    def job(self, push: Push, folder: Path) -> Job:
        """Return the job that brings the image there."""

    def forget(self, folder: Path) -> None:
        """Let it forget what it knows from earlier pushes."""


@runtime_checkable
class Foreign(Protocol):
    """A contender that is a program of others, or a playbook with that program."""

    @property
    def program(self) -> Program:
        """The program."""


@runtime_checkable
class Prepared(Protocol):
    """A contender before whose measured push somebody faster brings what is to be there before."""

    def prepare(self, push: Push, folder: Path) -> Job:
        """Return the job that brings the image there."""


@dataclass(frozen=True)
class Engine:
    """Our engine without Ansible; ``without`` these libraries."""

    name: str = "appuio.registry"
    without: tuple[str, ...] = ()

    def job(self, push: Push, folder: Path) -> Job:
        """One process."""
        file = folder / f"job-{next(_numbers)}.json"
        what = {"options": push.options(), "without": list(self.without), "changes": push.changes}
        file.write_text(json.dumps(what))
        return Job([[sys.executable, str(ENGINE), str(file)]], environment=ours(folder))

    def forget(self, folder: Path) -> None:
        """Remove its cache."""
        forget_ours(folder)


def ours(folder: Path) -> dict[str, str]:
    """Return the environment in which our code is found and keeps its cache apart."""
    found = [str(LINKED), os.environ.get("PYTHONPATH", "")]
    return {"PYTHONPATH": os.pathsep.join(filter(None, found)), "XDG_CACHE_HOME": str(folder / "cache")}


def forget_ours(folder: Path) -> None:
    """Remove the cache of our code."""
    shutil.rmtree(folder / "cache", ignore_errors=True)


def fast_gzip() -> list[str]:
    """Return the libraries here that compress faster than Python's own, the one that is taken first."""
    return [name for name in FAST_GZIP if importlib.util.find_spec(name)]
