# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths in the option ``source``: where a path ends and a name begins, and what lies there."""

from __future__ import annotations

import os

from .._errors import InvalidOptionError, SourceError
from .._reference import is_digest, is_tag, parse_reference

_ARCHIVE_ENDINGS = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.zst", ".tar.bz2")


def split_existing(rest: str) -> tuple[str, str] | None:
    """Return path and name of ``PATH[:name]`` by the longest path that exists, as both may hold colons; else None."""
    rest = os.path.expanduser(rest)
    ends = [number for number, letter in enumerate(rest) if letter == ":"]
    for end in [len(rest), *reversed(ends)]:
        if rest[:end] and _exists(rest[:end]):
            return rest[:end], rest[end + 1 :]
    return None


def split_layout(rest: str) -> tuple[str, str]:
    """Return the path and the name in ``PATH[:name]`` or ``PATH@digest``; the name is empty where there is none.

    Where no such path exists, a name is a tag, ``@number``, or a whole name with a tag.
    """
    path, at, digest = rest.rpartition("@")
    if at and is_digest(digest) and not _exists(rest):
        return os.path.expanduser(path.rstrip(":")), digest
    existing = split_existing(rest)
    if existing is not None:
        return existing
    first, _colon, name = rest.partition(":")
    if "/" in name and ":" in name and _is_reference(name):
        return first, name
    path, colon, name = rest.rpartition(":")
    return (path, name) if colon and (is_tag(name) or name.startswith("@")) else (rest, "")


def check_path(transport: str, path: str, wants_directory: bool) -> None:
    """Raise InvalidOptionError for a directory where a file is meant, and the other way round; nothing may be there."""
    if path.startswith("//") and not _exists(path) and _exists(path[2:]):
        raise InvalidOptionError(
            f"source {transport}:{path} has slashes before its path", hint=f"Write {transport}:{path[2:]}"
        )
    is_directory = _exists(path) and os.path.isdir(path)
    if not _exists(path) or is_directory == wants_directory:
        return
    what = "a directory, and a file is meant" if is_directory else "a file, and a directory is meant"
    raise InvalidOptionError(f"source {transport}:{path} names {what}", hint=_hint(path))


def check_no_path(text: str) -> None:
    """Raise InvalidOptionError for a source without a prefix that is a path rather than a reference."""
    path = os.path.expanduser(text)
    bare = path.rpartition(":")[0] or path
    is_path = text.startswith(("./", "../", "/", "~")) or text in (".", "..")
    is_archive = any(one.lower().endswith(_ARCHIVE_ENDINGS) for one in (path, bare))
    is_file = "/" in path and _exists(path) and os.path.isfile(path)
    if is_path or is_archive or is_file:
        raise InvalidOptionError(
            f"source {text!r} is a path, and without a prefix a source is an image in a registry", hint=_hint(path)
        )


def written_as(path: str) -> str | None:
    """Return what reads that path: the prefix, such as ``oci:``; None where nothing does."""
    if os.path.isdir(path):
        names = {"index.json": "oci:", "manifest.json": "dir:"}
        return next((names[name] for name in names if _exists(os.path.join(path, name))), None)
    from .local_file import open_file
    from .tar_index import index_tar

    try:
        parts = index_tar(open_file(path), path)
    except SourceError:
        return None
    names = {"manifest.json": "docker-archive:", "index.json": "oci-archive:"}
    return next((names[name] for name in names if name in parts), None)


def _hint(path: str) -> str:
    prefix = written_as(path) if _exists(path) else None
    if prefix:
        return f"Write {prefix}{path}"
    if _exists(path) and os.path.isdir(path):
        return f"Write oci:{path} for an OCI layout, dir:{path} for a directory of skopeo; it is neither as it is"
    return f"Write docker-archive:{path} for what docker save wrote, oci-archive:{path} for an OCI layout in an archive"


def _exists(path: str) -> bool:
    try:
        return os.path.exists(path)
    except ValueError:
        return False


def _is_reference(text: str) -> bool:
    try:
        parse_reference(text)
    except InvalidOptionError:
        return False
    return True
