# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One entry of the images: what is pushed, where it goes, and which tags of its source are wanted; asks nobody."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Callable, Mapping, Sequence

from .._errors import InvalidOptionError
from .._reference import Reference, checked_namespace
from .._source.location import RegistryLocation, parse_location
from .images_file import FileEntry
from .origin import SOURCE_OPTIONS, Origin
from .select import Selection, parse_selection


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
    entry: FileEntry, shared: Mapping[str, Any], defaults: Mapping[str, Any], origin_of: Callable[..., Origin | None]
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
    return parse_selection(select)
