# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other programs that bring images to registries, each of which takes part where it is installed."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from .contenders import Contender, Push
from .measure import Job
from .registries import Registry


@dataclass(frozen=True)
class Peer:
    """A program that is run once for each registry; ``transports`` are the kinds of images that it takes."""

    program: ClassVar[str]
    transports: ClassVar[tuple[str, ...]] = ("oci", "docker")

    @property
    def name(self) -> str:
        """What it is called in the table."""
        return self.program

    def job(self, push: Push, folder: Path) -> Job:
        """One process for each registry, all of which trust the registries' authorities and nobody else."""
        commands = [self.command(push, registry) for registry in push.registries]
        if not push.tls:
            return Job(commands)
        trusted = folder / "authorities.crt"
        files = dict.fromkeys(file for file in (push.image.ca_file, *(one.ca_file for one in push.registries)) if file)
        trusted.write_text("".join(file.read_text() for file in files))
        return Job(commands, environment={"SSL_CERT_FILE": str(trusted)})

    def command(self, push: Push, registry: Registry) -> list[str]:
        """Return the command that brings the image to one registry."""
        raise NotImplementedError

    def forget(self, folder: Path) -> None:
        """Nothing is remembered."""


@dataclass(frozen=True)
class Crane(Peer):
    """``crane push``, or ``crane copy`` between registries."""

    program = "crane"
    transports = ("oci", "docker", "docker-archive")

    def command(self, push: Push, registry: Registry) -> list[str]:
        """Return the command for one registry."""
        verb = "copy" if push.image.transport == "docker" else "push"
        return ["crane", verb, *([] if push.tls else ["--insecure"]), push.image.place, _destination(push, registry)]


@dataclass(frozen=True)
class Regctl(Peer):
    """``regctl image copy``."""

    program = "regctl"

    def command(self, push: Push, registry: Registry) -> list[str]:
        """Return the command for one registry."""
        source = push.image.place
        addresses = [registry.address]
        if push.image.transport == "docker":
            addresses.append(source.partition("/")[0])
        else:
            source = f"ocidir://{source}@{push.image.digest}"
        hosts = [] if push.tls else [word for one in addresses for word in ("--host", f"reg={one},tls=disabled")]
        return ["regctl", *hosts, "image", "copy", source, _destination(push, registry)]


@dataclass(frozen=True)
class Oras(Peer):
    """``oras cp``."""

    program = "oras"

    def command(self, push: Push, registry: Registry) -> list[str]:
        """Return the command for one registry."""
        flags, source = [] if push.tls else ["--to-plain-http"], push.image.place
        if push.image.transport == "docker":
            flags += [] if push.tls else ["--from-plain-http"]
        else:
            flags, source = ["--from-oci-layout", *flags], f"{source}@{push.image.digest}"
        return ["oras", "cp", *flags, source, _destination(push, registry)]


@dataclass(frozen=True)
class OcMirror(Peer):
    """``oc image mirror``, which copies between registries, to several with one process."""

    program = "oc"
    transports = ("docker",)

    @property
    def name(self) -> str:
        """What it is called in the table."""
        return "oc image mirror"

    def job(self, push: Push, folder: Path) -> Job:
        """One process for all registries."""
        job = super().job(push, folder)
        first, *others = job.commands
        return Job([[*first, *(other[-1] for other in others)]], environment=job.environment)

    def command(self, push: Push, registry: Registry) -> list[str]:
        """Return the command for one registry."""
        flags = ["--keep-manifest-list=true", *([] if push.tls else ["--insecure"])]
        return ["oc", "image", "mirror", *flags, push.image.place, _destination(push, registry)]


PEERS: Sequence[type[Peer]] = (Crane, Regctl, Oras, OcMirror)


def installed(transport: str) -> list[Contender]:
    """Return those that are installed here and take images of this transport."""
    return [peer() for peer in PEERS if shutil.which(peer.program) and transport in peer.transports]


def _destination(push: Push, registry: Registry) -> str:
    return f"{registry.address}/{push.repository}:{push.tag}"
