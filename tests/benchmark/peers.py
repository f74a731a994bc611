# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of others that bring images to registries; each version that is here takes part."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from .contenders import Push
from .measure import Job
from .programs import PEERS, Program, copies
from .registries import Registry

IN_TURN = "one after another"
AT_ONCE = "at the same time"
_SKOPEO_REMEMBERS = "blob-info-cache-v1.*"


@dataclass(frozen=True)
class Peer:
    """A program that is run once for each registry; ``transports`` are the kinds of images that it takes.

    ``way`` says how several registries are served, where the table is to say so.
    """

    program: Program
    way: str = ""
    transports: ClassVar[tuple[str, ...]] = ("oci", "docker")

    @property
    def name(self) -> str:
        """What it is called in the table."""
        return ", ".join(filter(None, [self.program.title, self.way]))

    def job(self, push: Push, folder: Path) -> Job:
        """One process for each registry."""
        commands = [[*self.program.command, *self.words(push, registry)] for registry in push.registries]
        return Job(commands, parallel=self.way == AT_ONCE, environment=trusting(push, folder))

    def words(self, push: Push, registry: Registry) -> list[str]:
        """Return the words after the program that make it bring the image to one registry."""
        raise NotImplementedError

    def forget(self, folder: Path) -> None:
        """Nothing is remembered."""


@dataclass(frozen=True)
class Skopeo(Peer):
    """``skopeo copy``."""

    transports = ("oci", "docker", "docker-archive")

    def words(self, push: Push, registry: Registry) -> list[str]:
        """Return the words for one registry."""
        flags = [] if push.tls else ["--dest-tls-verify=false"]
        if push.image.transport == "docker" and not push.tls:
            flags.append("--src-tls-verify=false")
        return ["copy", "--insecure-policy", "-q", *flags, push.source(), f"docker://{_destination(push, registry)}"]

    def forget(self, folder: Path) -> None:
        """Remove its cache, which cannot be put elsewhere for root."""
        forget_skopeos(folder)


@dataclass(frozen=True)
class Crane(Peer):
    """``crane push``, or ``crane copy`` between registries."""

    transports = ("oci", "docker", "docker-archive")

    def words(self, push: Push, registry: Registry) -> list[str]:
        """Return the words for one registry."""
        verb = "copy" if push.image.transport == "docker" else "push"
        return [verb, *([] if push.tls else ["--insecure"]), push.image.place, _destination(push, registry)]


@dataclass(frozen=True)
class Oras(Peer):
    """``oras cp``."""

    def words(self, push: Push, registry: Registry) -> list[str]:
        """Return the words for one registry."""
        flags, source = [] if push.tls else ["--to-plain-http"], push.image.place
        if push.image.transport == "docker":
            flags += [] if push.tls else ["--from-plain-http"]
        else:
            flags, source = ["--from-oci-layout", *flags], f"{source}@{push.image.digest}"
        return ["cp", *flags, source, _destination(push, registry)]


@dataclass(frozen=True)
class Regctl(Peer):
    """``regctl image copy``."""

    def words(self, push: Push, registry: Registry) -> list[str]:
        """Return the words for one registry."""
        source = push.image.place
        addresses = [registry.address]
        if push.image.transport == "docker":
            addresses.append(source.partition("/")[0])
        else:
            source = f"ocidir://{source}@{push.image.digest}"
        hosts = [] if push.tls else [word for one in addresses for word in ("--host", f"reg={one},tls=disabled")]
        return [*hosts, "image", "copy", source, _destination(push, registry)]


@dataclass(frozen=True)
class OcMirror(Peer):
    """``oc image mirror``, which copies between registries, to several with one process."""

    transports = ("docker",)

    @property
    def name(self) -> str:
        """What it is called in the table."""
        return f"{self.program.title} image mirror"

    def job(self, push: Push, folder: Path) -> Job:
        """One process for all registries."""
        job = super().job(push, folder)
        first, *others = job.commands
        return Job([[*first, *(other[-1] for other in others)]], environment=job.environment)

    def words(self, push: Push, registry: Registry) -> list[str]:
        """Return the words for one registry."""
        flags = ["--keep-manifest-list=true", *([] if push.tls else ["--insecure"])]
        return ["image", "mirror", *flags, push.image.place, _destination(push, registry)]


_KINDS: dict[str, type[Peer]] = {
    "skopeo": Skopeo,
    "crane": Crane,
    "oras": Oras,
    "regctl": Regctl,
    "oc": OcMirror,
}


def peers(transport: str, way: str = "", *, older: bool = True) -> list[Peer]:
    """Return those that take images of this transport: one version of each, then with ``older`` further ones."""
    kinds = [(name, _KINDS[name]) for name in PEERS if transport in _KINDS[name].transports]
    versions = [[kind(one, way) for one in copies(name)] for name, kind in kinds]
    first = [one for several in versions for one in several[:1]]
    return first + [one for several in versions for one in several[1:] if older]


def skopeos(way: str = "") -> list[Skopeo]:
    """Return the versions of skopeo that are here, the newest first."""
    return [Skopeo(one, way) for one in copies("skopeo")]


def trusting(push: Push, folder: Path) -> dict[str, str]:
    """Return the environment in which Go trusts the registries' authorities, and nobody else."""
    if not push.tls:
        return {}
    trusted = folder / "authorities.crt"
    files = (push.image.ca_file, *(registry.ca_file for registry in push.registries))
    trusted.write_text("".join(file.read_text() for file in dict.fromkeys(filter(None, files))))
    return {"SSL_CERT_FILE": str(trusted)}


def forget_skopeos(folder: Path) -> None:
    """Remove what all versions of skopeo remember; for root, that is in one place."""
    for cache in ("/var/lib/containers/cache" if os.geteuid() == 0 else "", folder / "home/.local/share/containers"):
        if cache:
            for file in Path(cache).rglob(_SKOPEO_REMEMBERS):
                file.unlink(missing_ok=True)


def _destination(push: Push, registry: Registry) -> str:
    return f"{registry.address}/{push.repository}:{push.tag}"
