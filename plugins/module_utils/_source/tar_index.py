# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the files of a tar archive lie: read header by header, in bounded memory and time, never unpacked.

``tarfile`` reads headers of any length into memory and keeps every member, which an archive made to hurt uses;
so only its parser of a single header is used. Sources: pax(1), "pax Header Block" and "ustar Interchange Format";
GNU tar manual, "Basic Tar Format" and "Storing Sparse Files".
"""

from __future__ import annotations

import posixpath
import tarfile
from typing import Mapping

from .._errors import SourceError
from .local_file import OpenFile, Part
from .tar_sparse import SparseError, gnu_extents, pax_extents

BLOCK = 512
MOST_MEMBERS = 100_000
MOST_LINKS = 8
LARGEST_HEADER = 1024 * 1024
_MOST_HEADERS = 64 * 1024 * 1024
_SOLARIS_PAX = b"X"


class _Index:
    """What is gathered on the way through an archive."""

    def __init__(self, file: OpenFile, description: str) -> None:
        self._file = file
        self._size = file.size
        self._description = description
        self._headers = 0
        self.parts: dict[str, Part] = {}
        self.links: dict[str, str] = {}

    def read(self) -> None:
        """Read all members; raises SourceError."""
        offset = members = 0
        pax: dict[str, str] = {}
        global_pax: dict[str, str] = {}
        long: dict[bytes, str] = {}
        while header := self._header(offset):
            members += 1
            if members > MOST_MEMBERS:
                raise self._refused(f"has more than {MOST_MEMBERS} members, as no image has")
            data = offset + BLOCK
            kind, size = header.type, header.size
            if kind in (tarfile.XHDTYPE, _SOLARIS_PAX):
                pax.update(self._records(data, size))
            elif kind == tarfile.XGLTYPE:
                global_pax.update(self._records(data, size))
            elif kind in (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK):
                text = self._small(data, size).partition(b"\0")[0]
                long[kind] = text.decode("utf-8", "surrogateescape")
            else:
                size = self._member(header, data, {**global_pax, **pax}, long)
                pax, long = {}, {}
            offset = data + -(-size // BLOCK) * BLOCK

    def _header(self, offset: int) -> tarfile.TarInfo | None:
        block = self._file.content(offset, BLOCK)
        if not block and offset:
            return None
        if len(block) < BLOCK:
            raise self._refused("ends too early, in the middle of a header" if offset else "is no tar archive")
        if not block.strip(b"\0"):
            return None
        try:
            return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except (tarfile.HeaderError, ValueError):
            raise self._refused(f"is damaged at byte {offset}" if offset else "is no tar archive") from None

    def _member(self, header: tarfile.TarInfo, data: int, pax: Mapping[str, str], long: Mapping[bytes, str]) -> int:
        """Note a member, and return the bytes that it takes in the archive."""
        name = pax.get("GNU.sparse.name") or pax.get("path") or long.get(tarfile.GNUTYPE_LONGNAME) or header.name
        link = pax.get("linkpath") or long.get(tarfile.GNUTYPE_LONGLINK) or header.linkname
        path = member_path(name)
        if header.type == tarfile.LNKTYPE:
            self.links[path] = member_path(link)
            return 0
        if header.type == tarfile.SYMTYPE:
            self.links[path] = member_path(posixpath.join(posixpath.dirname(path), link))
            return 0
        regular = header.type in tarfile.REGULAR_TYPES
        if not regular and header.type in tarfile.SUPPORTED_TYPES:
            return 0
        size = _decimal(pax["size"]) if "size" in pax else header.size
        try:
            if header.type == tarfile.GNUTYPE_SPARSE:
                extents, real, skipped = gnu_extents(self._file, data)
            elif "GNU.sparse.major" in pax or "GNU.sparse.map" in pax:
                extents, real, skipped = pax_extents(self._file, data, size, pax)
            else:
                extents, real, skipped = None, size, 0
        except SparseError as error:
            raise self._refused(f"has a sparse member {name!r} that {error}") from None
        if size < 0 or real < 0:
            raise self._refused(f"is damaged: its member {name!r} has a size below zero")
        if data + skipped + size > self._size:
            raise self._refused(f"ends too early: its member {name!r} should have {size} bytes")
        if regular:
            self.parts[path] = Part(self._file, data, real, extents)
            self.links.pop(path, None)
        return skipped + size if header.type == tarfile.GNUTYPE_SPARSE else size

    def _small(self, data: int, size: int) -> bytes:
        """The content of a header that belongs to the next member."""
        self._headers += max(size, 0)
        if not 0 <= size <= LARGEST_HEADER or self._headers > _MOST_HEADERS:
            raise self._refused(f"has a header of {size} bytes for the name of a member, as no image has")
        return self._file.content(data, size)

    def _records(self, data: int, size: int) -> dict[str, str]:
        """The records of a pax header; a sparse map in several records becomes one, in their order."""
        content = self._small(data, size)
        records: dict[str, str] = {}
        sparse: list[str] = []
        position = 0
        while position < len(content) and content[position]:
            length, space, _rest = content[position : position + 20].partition(b" ")
            end = position + (int(length) if length.isdigit() else 0)
            start = position + len(length) + 1
            if not space or not start < end <= len(content):
                raise self._refused("is damaged: it has a pax header that cannot be read")
            key, _equals, value = content[start : end - 1].partition(b"=")
            text = value.decode("utf-8", "surrogateescape")
            if key in (b"GNU.sparse.offset", b"GNU.sparse.numbytes"):
                sparse.append(text)
            else:
                records[key.decode("utf-8", "surrogateescape")] = text
            position = end
        if sparse:
            records["GNU.sparse.map"] = ",".join(sparse)
        return records

    def _refused(self, words: str) -> SourceError:
        return SourceError(f"{self._description} {words}")


def index_tar(file: OpenFile, description: str) -> dict[str, Part]:
    """Return where the regular files of an archive lie, by their paths; links are followed; raises SourceError."""
    index = _Index(file, description)
    index.read()
    for name in index.links:
        target: str | None = name
        for _step in range(MOST_LINKS):
            target = index.links.get(target or "")
            if target is None or target in index.parts:
                break
        if target in index.parts:
            index.parts.setdefault(name, index.parts[target])
    return index.parts


def member_path(name: str) -> str:
    """Return the path of a member as it is looked up: ``./a``, ``/a`` and ``a`` are the same."""
    return posixpath.normpath(name).lstrip("/")


def _decimal(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 20 else -1
