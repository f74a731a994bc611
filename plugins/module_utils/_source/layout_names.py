# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which entry of an OCI layout's index a user means.

Sources: OCI Image Format Specification 1.1, "Pre-Defined Annotation Keys" (``ref.name``) and "Image Layout File";
containers-transports(5), "oci" (``@source-index``); containerd's annotation for whole names.
"""

from __future__ import annotations

from typing import Callable, Iterable, Sequence

from .._errors import InvalidOptionError, SourceError
from .._oci.model import Descriptor
from .._reference import DEFAULT_TAG, Reference, is_digest, is_tag, parse_reference

REF_NAME = "org.opencontainers.image.ref.name"
CONTAINERD_NAME = "io.containerd.image.name"


def names_of(entry: Descriptor) -> tuple[str, ...]:
    """Return the names that an entry was given, the fullest first."""
    names = (entry.annotations.get(CONTAINERD_NAME), entry.annotations.get(REF_NAME))
    return tuple(dict.fromkeys(name for name in names if name))


def tags_of(entry: Descriptor) -> tuple[str, ...]:
    """Return the tags among the names of an entry."""
    return tuple(dict.fromkeys(tag for tag in map(_tag, names_of(entry)) if tag))


def reference_in(wanted: str | None) -> Reference | None:
    """Return the whole name that a user wrote, None for a tag, a digest, a number, or nothing."""
    if not wanted or wanted.startswith("@") or is_tag(wanted) or is_digest(wanted):
        return None
    try:
        return parse_reference(wanted)
    except InvalidOptionError:
        return None


def find_entry(entries: Sequence[Descriptor], wanted: str, description: str) -> Descriptor:
    """Return the entry that ``wanted`` names: a name as it was written, a whole name, a tag, or ``@number``.

    Raises SourceError, with what to write, for a name that none has, or that fits several images.
    """
    number = wanted[1:] if wanted.startswith("@") else ""
    if number.isdecimal() and len(number) < 10:
        if int(number) < len(entries):
            return entries[int(number)]
        raise SourceError(f"{description} does not exist: the layout has no entry {number}", hint=listed(entries))
    for fits in _ways(wanted):
        found = {entry.digest: entry for entry in entries if any(fits(name) for name in names_of(entry))}
        if len(found) == 1:
            return next(iter(found.values()))
        if found:
            raise SourceError(
                f"{description} is not one image: {len(found)} entries of the layout fit that name",
                hint=listed(entries, set(found)),
            )
    kind = "tag" if is_tag(wanted) else "image"
    raise SourceError(f"{description} does not exist: the layout has no {kind} {wanted}", hint=listed(entries))


def listed(entries: Sequence[Descriptor], among: Iterable[str] | None = None) -> str:
    """Return what a user can write to name one of the entries."""
    digests = None if among is None else set(among)
    words = []
    for number, entry in enumerate(entries):
        if digests is None or entry.digest in digests:
            platform = f", {entry.platform}" if entry.platform else ""
            words.append(f"@{number} ({names_of(entry)[0] if names_of(entry) else 'no name'}{platform})")
    shown = ", ".join(words[:20]) + (f" and {len(words) - 20} more" if len(words) > 20 else "")
    return f"It has {shown}: write one behind a colon, by its name or as @number" if words else "It has no image"


def _ways(wanted: str) -> list[Callable[[str], bool]]:
    """From the strictest way to read a name to the most generous one."""
    ways: list[Callable[[str], bool]] = [lambda name: name == wanted]
    reference = reference_in(wanted)
    if reference is not None:
        full = _full(wanted)
        ways.append(lambda name: _is_whole(name) and _full(name) == full)
    elif is_tag(wanted):
        ways.append(lambda name: _tag(name) == wanted)
    return ways


def _is_whole(name: str) -> bool:
    return "/" in name or ":" in name


def _tag(name: str) -> str | None:
    """The tag of a name, which may be nothing but a tag."""
    if not _is_whole(name):
        return name
    tag = name.partition("@")[0].rpartition("/")[2].partition(":")[2]
    return tag or None


def _full(name: str) -> str:
    try:
        reference = parse_reference(name)
    except InvalidOptionError:
        return name
    return str(reference if reference.tag or reference.digest else reference.with_tag(DEFAULT_TAG))
