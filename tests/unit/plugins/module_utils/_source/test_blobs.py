# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blobs: several readers, each byte checked, the last block held back until it is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import InvalidOptionError, SourceError
from ansible_collections.appuio.registry.plugins.module_utils._http.failures import ConnectionLostError
from ansible_collections.appuio.registry.plugins.module_utils._http.message import Body
from ansible_collections.appuio.registry.plugins.module_utils._http.retry import Attempts, Clock
from ansible_collections.appuio.registry.plugins.module_utils._oci.digest import digest_of
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import Descriptor
from ansible_collections.appuio.registry.plugins.module_utils._source import location
from ansible_collections.appuio.registry.plugins.module_utils._source.file_blob import FileBlob
from ansible_collections.appuio.registry.plugins.module_utils._source.local_file import open_file
from ansible_collections.appuio.registry.plugins.module_utils._source.part import Part
from ansible_collections.appuio.registry.plugins.module_utils._source.spool import SpooledBlob

CONTENT = bytes(range(256)) * 4096
DESCRIPTOR = Descriptor("application/octet-stream", digest_of(CONTENT), len(CONTENT))
CLOCK = Clock(lambda: 0.0, lambda _seconds: None, lambda: 0.0)


def read(body: Body, offset: int = 0, block: int = 100_000) -> bytes:
    reader, got, buffer = body.open(offset), bytearray(), memoryview(bytearray(block))
    try:
        while count := reader.readinto(buffer):
            got += buffer[:count]
    except SourceError as error:
        error.result["got"] = len(got)
        raise
    finally:
        reader.close()
    return bytes(got)


def stored(tmp_path: Path, content: bytes) -> FileBlob:
    (tmp_path / "blob").write_bytes(content)
    file = open_file(str(tmp_path / "blob"))
    return FileBlob(Part(file, 0, file.size), DESCRIPTOR, "the blob")


def spooled(tmp_path: Path, *attempts: bytes | int) -> SpooledBlob:
    """A blob whose source sends these contents, one an attempt, or breaks after so many bytes."""
    left = list(attempts)

    class Stream:
        def __init__(self, content: bytes, broken: bool) -> None:
            self.content, self.broken = content, broken

        def readinto(self, buffer: memoryview) -> int:
            if not self.content and self.broken:
                raise ConnectionLostError("it broke")
            count = min(len(buffer), len(self.content), 70_000)
            buffer[:count], self.content = self.content[:count], self.content[count:]
            return count

    @contextmanager
    def open_stream(offset: int) -> Iterator[Stream]:
        content = left.pop(0)
        if isinstance(content, int):
            yield Stream(CONTENT[offset:content], True)
        else:
            yield Stream(content[offset:], False)

    return SpooledBlob(DESCRIPTOR, "the blob", str(tmp_path), open_stream, Attempts(2, 0, CLOCK))


def test_a_file_is_read_by_several_from_anywhere(tmp_path: Path) -> None:
    blob = stored(tmp_path, CONTENT)
    assert read(blob, 900_000) == CONTENT[900_000:]
    assert read(blob) == CONTENT
    assert read(blob, block=7_777) == CONTENT


def test_a_blob_of_another_length_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="truncated"):
        stored(tmp_path, CONTENT[:-1])
    with pytest.raises(SourceError, match="too long"):
        stored(tmp_path, CONTENT + b"x")


@pytest.mark.parametrize("offset", [0, 500_000])
def test_an_altered_file_is_never_given_whole(tmp_path: Path, offset: int) -> None:
    blob = stored(tmp_path, b"x" + CONTENT[1:])
    for _attempt in range(2):
        with pytest.raises(SourceError, match="altered") as caught:
            read(blob, offset)
        assert caught.value.result["got"] < len(CONTENT) - offset


def test_a_remote_blob_is_fetched_once_for_all(tmp_path: Path) -> None:
    blob, got = spooled(tmp_path, CONTENT), {}
    threads = [
        threading.Thread(target=lambda block=block: got.update({block: read(blob, block=block)}))
        for block in (1_000, 65_536, 1_000_000)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(got.values()) == {CONTENT}
    blob.release()
    assert list(tmp_path.iterdir()) == []


def test_a_broken_fetch_goes_on_where_it_was(tmp_path: Path) -> None:
    assert read(spooled(tmp_path, 300_000, 600_000, CONTENT)) == CONTENT


@pytest.mark.parametrize(
    "attempts", [(b"x" + CONTENT[1:],), (CONTENT[:-5],), (CONTENT + b"x",)], ids=["altered", "short", "long"]
)
def test_what_is_wrong_is_never_given_whole(tmp_path: Path, attempts: tuple[bytes, ...]) -> None:
    with pytest.raises(SourceError) as caught:
        read(spooled(tmp_path, *attempts))
    assert caught.value.result["got"] < len(CONTENT)


def test_a_fetch_that_breaks_again_and_again_fails(tmp_path: Path) -> None:
    with pytest.raises(ConnectionLostError):
        read(spooled(tmp_path, 1, 2, 3))


@pytest.mark.parametrize(
    ("text", "kind", "path", "tag"),
    [
        ("oci:build/app:1.0", location.LayoutLocation, "build/app", "1.0"),
        ("oci:/build/app", location.LayoutLocation, "/build/app", None),
        ("oci:/a:b/app", location.LayoutLocation, "/a:b/app", None),
        ("oci-archive:app.tar:1.0", location.LayoutLocation, "app.tar", "1.0"),
        ("dir:/image", location.DirectoryLocation, "/image", None),
        ("docker-archive:app.tar", location.ArchiveLocation, "app.tar", None),
        ("docker-archive:app.tar:shop/app:1.0", location.ArchiveLocation, "app.tar", None),
        ("docker-daemon:app:1.0", location.EngineLocation, None, None),
        ("containers-storage:@0123456789ab", location.EngineLocation, None, None),
    ],
)
def test_where_a_source_is(text: str, kind: type, path: str, tag: str | None) -> None:
    found = location.parse_location(text)
    assert isinstance(found, kind)
    assert getattr(found, "path", None) == path
    assert getattr(found, "tag", None) == tag


@pytest.mark.parametrize(
    "text",
    [
        "oci:",
        "dir:",
        "docker:app",
        "docker-archive:",
        "docker-archive:a.tar:UPPER",
        "containers-storage:[x]app",
        "ftp://x/y",
        "UPPER",
        "",
    ],
)
def test_what_is_no_source(text: str) -> None:
    with pytest.raises(InvalidOptionError):
        location.parse_location(text)


def test_a_reference_alone_is_an_image_in_a_registry() -> None:
    assert location.parse_location("ghcr.io/me/app:1") == location.parse_location("docker://ghcr.io/me/app:1")
