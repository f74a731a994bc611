# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One entry of the images: what is pushed, where it comes from and goes to, and which tags are wanted; asks nobody."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Callable, Mapping, NamedTuple, Sequence

from .._argspec import TARGETS, ArgumentSpec, readable_parameters
from .._errors import InvalidOptionError
from .._reference import Reference, checked_namespace, parse_reference
from .._source.location import RegistryLocation, parse_location
from .._targets import RunContext, Target, source_target
from .._text import as_mapping

if TYPE_CHECKING:
    from .select import Selection

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


class GivenEntry(NamedTuple):
    """An entry as it is written in the task or the file; ``where`` names it there, in the file with its line."""

    given: Any
    where: str


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


@dataclass(frozen=True)
class ImageEntry:
    """An entry: the options of a push, where it goes, and which tags of its source are wanted where it says so.

    ``where`` names the entry in messages. ``zones`` is None for all zones, ``namespace`` for that of each zone, and
    ``origin`` unless the images come from a zone.
    """

    where: str
    push: Mapping[str, Any] = field(repr=False)
    zones: tuple[str, ...] | None = None
    namespace: str | None = None
    selection: Selection | None = None
    origin: Origin | None = None

    def of_image(self, reference: Reference, tags: Sequence[str] | None) -> ImageEntry:
        """Return the entry of one image of the source, under these tags, or under those that it names itself."""
        push = {**self.push, "source": f"docker://{reference}", **({} if tags is None else {"tags": list(tags)})}
        origin = self.origin and replace(self.origin, reference=reference)
        return replace(self, push=push, selection=None, origin=origin)


def given_of(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an entry says, without what it leaves open."""
    return {str(name): value for name, value in entry.items() if value is not None}


def parse_entry(
    entry: GivenEntry, shared: Mapping[str, Any], defaults: Mapping[str, Any], origin_of: Callable[..., Origin | None]
) -> ImageEntry:
    """Return what an entry says, with the defaults, and what is ``shared`` by all pushes; raises InvalidOptionError.

    ``origin_of`` returns the zone that its images come from.
    """
    own = given_of(entry.given)
    push = {**shared, **defaults, **own}
    if {"source_password", "source_auth_file"} & own.keys():
        # Credentials are taken whole: what the defaults say of another way to be somebody does not count.
        for name in ("source_username", "source_password", "source_auth_file"):
            push[name] = own.get(name)
    if "sources" in own:
        # Each of the sources says which platform it has: what the defaults want of an index does not count.
        push["platforms"] = None
    zones, select = (push.pop(name, None) for name in ("zones", "select"))
    try:
        origin = origin_of(own, push)
        namespace = push.pop("namespace", None)
        push.pop("source_zone", None)
        if origin is not None:
            push = {name: value for name, value in push.items() if name not in SOURCE_OPTIONS}
            push["source"] = origin.description
        if push.get("source_password") and push.get("source_auth_file"):
            raise InvalidOptionError("source_password and source_auth_file exclude each other")
        if bool(push.get("source_username")) != bool(push.get("source_password")):
            raise InvalidOptionError("source_username and source_password are required together")
        if origin is None:
            _check_sources(own)
        selection = _selection(push, select, origin)
        return ImageEntry(
            where=entry.where,
            push=push,
            zones=tuple(str(zone) for zone in zones) if zones is not None else None,
            namespace=checked_namespace(namespace) if namespace is not None else None,
            selection=selection,
            origin=origin,
        )
    except InvalidOptionError as error:
        error.message = f"{entry.where}: {error.message}"
        raise


def _check_sources(own: Mapping[str, Any]) -> None:
    """Raise InvalidOptionError unless an entry says in one way what its image is."""
    if "sources" not in own:
        if not str(own.get("source") or "").strip():
            raise InvalidOptionError(
                "source is missing", hint="Give source, or sources for one index of several images"
            )
        return
    for name in ("source", "select", "platforms"):
        if name in own:
            raise InvalidOptionError(f"sources and {name} exclude each other")


def _selection(push: Mapping[str, Any], select: Mapping[str, Any] | None, origin: Origin | None) -> Selection | None:
    if select is None:
        return None
    for name in ("tags", "expected_digest"):
        if push.get(name) is not None:
            raise InvalidOptionError(f"select and {name} exclude each other")
    if origin is None or origin.reference is not None:
        location = parse_location(str(push["source"]))
        if not isinstance(location, RegistryLocation) or location.reference.tag or location.reference.digest:
            raise InvalidOptionError(
                f"select is for a repository without a tag, and source is {push['source']}",
                hint="Write the source like docker://HOST/REPOSITORY, without a tag",
            )
        for name in ("repositories", "exclude_repositories"):
            if select.get(name) is not None:
                raise InvalidOptionError(f"select.{name} is for all images of a source_zone, and source names one")
    from .select import parse_selection

    return parse_selection(select)


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
