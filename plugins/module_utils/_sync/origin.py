# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A zone that images come from, as an entry names it: one repository of a namespace, or all of them; asks nobody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from .._argspec import TARGETS, ArgumentSpec, readable_parameters
from .._errors import InvalidOptionError
from .._reference import Reference, parse_reference
from .._targets import RunContext, Target, source_target
from .._text import as_mapping

# Stands for all images of a namespace where these are not known. No image is called so.
EVERY = "*"
# What is said of a docker:// source or an engine, and not of a zone.
SOURCE_OPTIONS = (
    "source_username",
    "source_password",
    "source_auth_file",
    "source_validate_certs",
    "source_plain_http",
    "source_ca_cert",
    "engine_socket",
)
_LOCAL = ("oci", "oci-archive", "docker-archive", "dir", "docker-daemon", "containers-storage")


@dataclass(frozen=True)
class Origin:
    """Where images come from. ``reference`` is the repository in the zone's registry, None for the whole namespace."""

    target: Target
    reference: Reference | None = None

    @property
    def namespace(self) -> str:
        """The namespace of the images."""
        return str(self.target.namespace)

    @property
    def registry(self) -> str:
        """The zone's registry as ``host[:port]``."""
        return str(self.target.zone.registry)

    @property
    def description(self) -> str:
        """The source in the notation of the option ``source``."""
        return f"docker://{self.reference or f'{self.registry}/{self.namespace}'}"

    def image(self, name: str, tag: str | None = None, digest: str | None = None) -> Reference:
        """Return an image of the namespace."""
        return Reference(self.registry, f"{self.namespace}/{name}", tag, digest)

    def is_at(self, registry: str, namespace: str | None, name: str) -> bool:
        """Whether a repository is the one that the images come from."""
        own = name if self.reference is None else self.reference.name
        return (registry, namespace, name) == (self.registry, self.namespace, own)


def parse_origin(
    own: Mapping[str, Any],
    push: Mapping[str, Any],
    task: Mapping[str, Any],
    known: Sequence[Any],
    context: RunContext,
) -> Origin | None:
    """Return the zone that the images of an entry come from, None where they come from elsewhere.

    ``own`` is what the entry itself says, ``push`` also what holds for all, and ``known`` are zones that the defaults
    name. Raises InvalidOptionError.
    """
    zone = push.get("source_zone")
    written = str(own.get("source") or "").strip()
    if zone is None or ("source_zone" not in own and not _may_be_of_a_zone(own, written)):
        return None
    for name in ("sources", *SOURCE_OPTIONS):
        if name in own:
            hint = None if name == "sources" else "What is said of the registry of a zone stands in source_zone"
            raise InvalidOptionError(f"source_zone and {name} exclude each other", hint=hint)
    try:
        typed = [_typed(one, context) for one in (zone, *known)]
        target = source_target(typed[0], task, push.get("namespace"), typed[1:])
    except InvalidOptionError as error:
        error.message = f"source_zone: {error.message}"
        raise
    origin = Origin(target)
    if not written:
        for name in ("name", "tags", "expected_digest"):
            if name in own:
                raise InvalidOptionError(
                    f"source_zone without source stands for all images of a namespace, which have no {name} in common",
                    hint="Name the image in source, as frontend:production",
                )
        return origin
    if "/" in written:
        raise InvalidOptionError(
            f"source {written!r} has a slash, and is the name of an image in the namespace of source_zone",
            hint="Write it as frontend:production, and name another namespace in source_zone",
        )
    image = parse_reference(written, origin.registry)
    return Origin(target, image._replace(repository=f"{origin.namespace}/{image.repository}"))


def _may_be_of_a_zone(own: Mapping[str, Any], written: str) -> bool:
    """Whether an entry that names no zone itself is of the one that the defaults name.

    One without a source is not: nobody copies a whole namespace for a key that was left out.
    """
    return "sources" not in own and bool(written) and "/" not in written and written.partition(":")[0] not in _LOCAL


def _typed(value: Any, context: RunContext) -> dict[str, Any]:
    """Return a zone as the options of an entry of ``zones`` are declared."""
    if isinstance(value, str):
        value = as_mapping("source_zone", value) if value.lstrip().startswith("{") else {"zone": value.strip()}
    if not isinstance(value, Mapping):
        raise InvalidOptionError("it is neither a zone identifier nor a dictionary")
    options = TARGETS.entry_options()
    given = {str(name): one for name, one in value.items()}
    return context.typed(options, readable_parameters(given, ArgumentSpec(options)))
