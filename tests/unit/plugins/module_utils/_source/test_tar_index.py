# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tar archives as they are found: every form is read in place, or refused by name in bounded memory and time."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import SourceError
from ansible_collections.appuio.registry.plugins.module_utils._source import tar_index
from ansible_collections.appuio.registry.plugins.module_utils._source.local_file import Part, open_file
from ansible_collections.appuio.registry.plugins.module_utils._source.tar_index import index_tar
from hypothesis import given
from hypothesis import strategies as st

from tests.image.tar_members import member

LONG = "long/" * 60 + "name"


def indexed(content: bytes, tmp_path: Path) -> dict[str, bytes]:
    """Return the regular files of an archive, as the index finds them."""
    file = tmp_path / "archive.tar"
    file.write_bytes(content)
    return {name: whole(part) for name, part in index_tar(open_file(str(file)), "app.tar").items()}


def whole(part: Part) -> bytes:
    return part.content(1 << 30, "a member")


def header_with_size(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    """A header that promises so many bytes, in binary where octal digits are too few."""
    return member(name, kind=kind, size=size)[:512]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_members_of_each_format(tmp_path: Path, form: int) -> None:
    buffer = io.BytesIO()
    names = ["a", "blobs/sha256/b", *(() if form == tarfile.USTAR_FORMAT else (LONG, "ä" * 120))]
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(name)
            archive.addfile(info, io.BytesIO(name.encode()[: len(name)]))
    assert indexed(buffer.getvalue(), tmp_path) == {name: name.encode()[: len(name)] for name in names}


def test_slashes_and_dots_before_a_name_mean_nothing(tmp_path: Path) -> None:
    archive = member("/index.json", b"1") + member("./blobs//x", b"2") + member(".//y/../z", b"3") + bytes(1024)
    assert indexed(archive, tmp_path) == {"index.json": b"1", "blobs/x": b"2", "z": b"3"}


def test_links_are_followed_and_circles_are_not(tmp_path: Path) -> None:
    archive = b"".join(
        [
            member("a/layer.tar", b"content"),
            member("b/layer.tar", kind=tarfile.SYMTYPE, linkname="../a/layer.tar"),
            member("/c", kind=tarfile.LNKTYPE, linkname="./b/layer.tar"),
            member("round", kind=tarfile.SYMTYPE, linkname="about"),
            member("about", kind=tarfile.SYMTYPE, linkname="round"),
        ]
    )
    assert set(indexed(archive, tmp_path)) == {"a/layer.tar", "b/layer.tar", "c"}


def test_the_last_of_two_members_with_one_name_counts(tmp_path: Path) -> None:
    assert indexed(member("a", b"old") + member("a", b"new"), tmp_path) == {"a": b"new"}


@pytest.mark.parametrize(
    "form", [["--format=gnu"], *(["--format=posix", f"--sparse-version={one}"] for one in ("0.0", "0.1", "1.0"))]
)
@pytest.mark.parametrize("pieces", [1, 3, 9, 60])
def test_sparse_members(tmp_path: Path, form: list[str], pieces: int) -> None:
    if shutil.which("tar") is None:
        pytest.fail("GNU tar is needed")
    content = bytearray(pieces * 200_000 + 5000)
    for number in range(pieces):
        content[number * 200_000 + 100_000 : number * 200_000 + 108_192] = os.urandom(8192)
    folder = tmp_path / "in"
    folder.mkdir()
    with (folder / "blob").open("wb") as file:
        for start in range(0, len(content), 4096):
            block = content[start : start + 4096]
            if any(block):
                file.seek(start)
                file.write(block)
        file.truncate(len(content))
    (folder / "after").write_bytes(b"after")
    subprocess.run(
        ["tar", "-c", "-S", *form, "-f", str(tmp_path / "sparse.tar"), "-C", str(folder), "blob", "after"], check=True
    )
    packed = (tmp_path / "sparse.tar").read_bytes()
    assert len(packed) < len(content), "it is sparse"
    assert indexed(packed, tmp_path) == {"blob": bytes(content), "after": b"after"}
    part = index_tar(open_file(str(tmp_path / "sparse.tar")), "app.tar")["blob"]
    reader, buffer = part.open(100_001), memoryview(bytearray(7))
    assert reader.readinto(buffer) == 7
    assert bytes(buffer) == content[100_001:100_008]


@pytest.mark.parametrize(
    ("archive", "words"),
    [
        (b"", "is no tar archive"),
        (b"no archive at all" * 100, "is no tar archive"),
        (member("a", b"x" * 600)[:-500], "ends too early"),
        (member("a", b"x") + b"half a header", "ends too early"),
        (member("a", b"x") + b"x" * 512, "damaged at byte 1024"),
        (header_with_size("a", 1 << 62), "ends too early"),
        (header_with_size("a", 1 << 64), "ends too early"),
        (header_with_size("././@LongLink", 1 << 30, tarfile.GNUTYPE_LONGNAME), "header of"),
        (header_with_size("././@LongLink", 1 << 30, tarfile.GNUTYPE_LONGLINK), "header of"),
        (header_with_size("pax", 1 << 30, tarfile.XHDTYPE), "header of"),
        (header_with_size("pax", 1 << 30, tarfile.XGLTYPE), "header of"),
        (header_with_size("pax", 1 << 30, b"X"), "header of"),
        (member("pax", b"99 path=a\n", tarfile.XHDTYPE), "pax header"),
        (member("pax", b"x path=a\n", tarfile.XHDTYPE), "pax header"),
        (member("pax", b"0 =\n", tarfile.XHDTYPE), "pax header"),
        (member("pax", b"12 size=-99\n", tarfile.XHDTYPE) + member("a", b"x"), "below zero"),
        (member("pax", b"30 size=99999999999999999999\n"[:30], tarfile.XHDTYPE) + member("a"), "pax header|below zero"),
    ],
)
def test_what_is_wrong_is_refused_by_name(tmp_path: Path, archive: bytes, words: str) -> None:
    with pytest.raises(SourceError, match=rf"app\.tar.*({words})"):
        indexed(archive, tmp_path)


@pytest.mark.parametrize(
    "records",
    [
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9" * 18},
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "-1"},
        {"GNU.sparse.major": "2", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "1"},
        {"GNU.sparse.map": "0,5,3,5", "GNU.sparse.size": "20"},
        {"GNU.sparse.map": "0,5,3", "GNU.sparse.size": "20"},
        {"GNU.sparse.map": "15,10", "GNU.sparse.size": "20"},
        {"GNU.sparse.map": "x,1", "GNU.sparse.size": "20"},
        {"GNU.sparse.map": "0,1", "GNU.sparse.size": "999999999999999999"},
    ],
)
def test_sparse_maps_that_cannot_be_meant(tmp_path: Path, records: dict[str, str]) -> None:
    pax = tarfile.TarInfo("pax")
    lines = b""
    for key, value in records.items():
        length = len(f" {key}={value}\n")
        size = length + len(str(length + len(str(length))))
        lines += f"{size} {key}={value}\n".encode()
    pax.size, pax.type = len(lines), tarfile.XHDTYPE
    archive = pax.tobuf() + lines + bytes(-len(lines) % 512) + member("a", b"1\n0\n5\n" + b"x" * 700)
    with pytest.raises(SourceError, match="sparse member 'a'"):
        indexed(archive, tmp_path)


def test_a_million_empty_members_end_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar_index, "MOST_MEMBERS", 1000)
    with pytest.raises(SourceError, match="more than 1000 members"):
        indexed(member("a") * 1001, tmp_path)
    assert indexed(member("a") * 1000, tmp_path) == {"a": b""}


def test_memory_does_not_grow_with_what_headers_promise(tmp_path: Path) -> None:
    file = tmp_path / "huge.tar"
    with file.open("wb") as archive:
        archive.write(header_with_size("pax", 1 << 30, tarfile.XHDTYPE))
        archive.truncate(1 << 31)
    tracemalloc.start()
    try:
        with pytest.raises(SourceError, match="header of 1073741824 bytes"):
            index_tar(open_file(str(file)), "app.tar")
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


VALID = member("pax", b"10 path=b\n", tarfile.XHDTYPE) + member("a", b"x" * 700) + member("l", kind=b"2", linkname="b")


@given(st.lists(st.tuples(st.integers(0, len(VALID) - 1), st.integers(0, 255)), max_size=8), st.booleans())
def test_any_change_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]], mended: bool
) -> None:
    content = bytearray(VALID)
    for position, value in changes:
        content[position] = value
    if mended:
        # With checksums that fit, so that what stands in the headers is looked at.
        for start in range(0, len(content), 512):
            content[start + 148 : start + 156] = b" " * 8
            content[start + 148 : start + 156] = b"%06o\0 " % sum(content[start : start + 512])
    with suppress(SourceError):
        indexed(bytes(content), tmp_path_factory.mktemp("tar"))


@given(st.binary(max_size=4096))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    with suppress(SourceError):
        indexed(content, tmp_path_factory.mktemp("tar"))
