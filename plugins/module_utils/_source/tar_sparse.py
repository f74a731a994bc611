# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Members of a tar archive that were stored without their holes.

Source: GNU tar manual, "Storing Sparse Files": the old format of GNU tar, and the pax formats 0.0, 0.1 and 1.0.
"""

from __future__ import annotations

from typing import Iterator, Mapping, Sequence

from .local_file import Extent, OpenFile

_BLOCK = 512
_MOST_EXTENTS = 100_000
_LARGEST_MAP = 4 * 1024 * 1024
# Zeros cost nothing to store and time to read: a member of exabytes would be read for ever.
_LARGEST = 1 << 40


class SparseError(ValueError):
    """A map of extents cannot be meant; the message continues a sentence that names the member."""


def gnu_extents(file: OpenFile, data: int) -> tuple[tuple[Extent, ...], int, int]:
    """Return extents, size, and the bytes of further headers, of the header before ``data``; raises SparseError."""
    header = file.content(data - _BLOCK, _BLOCK)
    numbers = list(_entries(header[386:482]))
    more, size = header[482:483] not in (b"\0", b""), _number(header[483:495])
    skipped = 0
    while more:
        block = file.content(data + skipped, _BLOCK)
        if len(block) < _BLOCK or len(numbers) > 2 * _MOST_EXTENTS:
            raise SparseError("has a map that does not end")
        skipped += _BLOCK
        numbers += _entries(block[:504])
        more = block[504:505] != b"\0"
    return _extents(numbers, data + skipped, size), size, skipped


def pax_extents(file: OpenFile, data: int, size: int, pax: Mapping[str, str]) -> tuple[tuple[Extent, ...], int, int]:
    """Return extents, size, and 0, of a member with these pax records; raises SparseError."""
    real = pax.get("GNU.sparse.realsize") or pax.get("GNU.sparse.size") or ""
    if not real.isdecimal() or len(real) > 18:
        raise SparseError("has no size")
    if "GNU.sparse.map" in pax:
        texts: Sequence[str] = pax["GNU.sparse.map"].split(",") if pax["GNU.sparse.map"] else []
        return _extents([_decimal(text) for text in texts], data, int(real)), int(real), 0
    if (pax.get("GNU.sparse.major"), pax.get("GNU.sparse.minor")) != ("1", "0"):
        raise SparseError("is of a format that is not known")
    texts, length = _stored_map(file, data, size)
    return _extents([_decimal(text) for text in texts], data + length, int(real)), int(real), 0


def _stored_map(file: OpenFile, data: int, size: int) -> tuple[list[str], int]:
    """The numbers before the data of a member, and the bytes that they take: a count first, a line each."""
    content = file.content(data, min(size, _LARGEST_MAP))
    first, newline, _rest = content.partition(b"\n")
    count = _decimal(first[:20].decode("ascii", "replace"))
    if not newline or count > _MOST_EXTENTS:
        raise SparseError("has a map that cannot be read")
    lines = content.split(b"\n", 2 * count + 1)
    if len(lines) < 2 * count + 2:
        raise SparseError("has a map that ends too early")
    length = sum(len(line) + 1 for line in lines[:-1])
    return [line[:20].decode("ascii", "replace") for line in lines[1:-1]], -(-length // _BLOCK) * _BLOCK


def _extents(numbers: Sequence[int], start: int, size: int) -> tuple[Extent, ...]:
    """The data of the extents follow one another from ``start`` on."""
    extents = []
    end = 0
    if size > _LARGEST:
        raise SparseError("is larger than 1 TiB")
    if len(numbers) % 2:
        raise SparseError("has a map with half an entry")
    for offset, length in zip(numbers[::2], numbers[1::2]):
        if length == 0:
            continue
        if offset < end or offset + length > size:
            raise SparseError("has a map whose entries overlap, or lie beyond its end")
        extents.append(Extent(offset, start, length))
        start += length
        end = offset + length
    return tuple(extents)


def _entries(block: bytes) -> Iterator[int]:
    for position in range(0, len(block) - 23, 24):
        if block[position : position + 1] == b"\0":
            return
        yield _number(block[position : position + 12])
        yield _number(block[position + 12 : position + 24])


def _number(field: bytes) -> int:
    """A number in octal digits, or in binary where the first bit is set."""
    if field[:1] >= b"\x80":
        return int.from_bytes(field[1:], "big")
    digits = field.partition(b"\0")[0].strip()
    try:
        return int(digits or b"0", 8)
    except ValueError:
        raise SparseError("has a number that cannot be read") from None


def _decimal(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise SparseError("has a number that cannot be read")
    return int(text)
