# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blobs: several readers; of those from the network each byte checked, the last block held back until it is."""

from __future__ import annotations

import errno
import os
import re
import stat
import threading
from pathlib import Path

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import (
    AppuioError,
    CancelledError,
    ConnectionFailedError,
    ForbiddenError,
    InvalidOptionError,
    LocalStorageError,
    ServerError,
    SourceError,
    UnauthorizedError,
)
from ansible_collections.appuio.registry.plugins.module_utils._http.retry import ConnectionLostError
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import Descriptor, digest_of
from ansible_collections.appuio.registry.plugins.module_utils._source import location
from ansible_collections.appuio.registry.plugins.module_utils._source.file_blob import FileBlob
from ansible_collections.appuio.registry.plugins.module_utils._source.local_file import (
    OpenFile,
    Part,
    TemporaryFile,
    open_file,
)
from ansible_collections.appuio.registry.plugins.module_utils._source.spool import SpooledBlob

from tests.image.tar_members import member

from .fake_source import CONTENT, DESCRIPTOR, FakeSource, Partly, read


def stored(tmp_path: Path, content: bytes) -> FileBlob:
    (tmp_path / "blob").write_bytes(content)
    file = open_file(str(tmp_path / "blob"))
    return FileBlob(Part(file, 0, file.size), DESCRIPTOR, "the blob")


def spooled(
    tmp_path: Path, *attempts: bytes | int | AppuioError, retries: int = 2, waited: list[float] | None = None
) -> SpooledBlob:
    """A blob whose source sends these contents, one an attempt, breaks after so many bytes, or gives an error."""
    return SpooledBlob(FakeSource(*attempts).blob(retries, waited), str(tmp_path))


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


class CountedFile:
    """A file that counts how often it is opened."""

    def __init__(self, path: Path) -> None:
        self.path, self.opens = path, 0
        self.size = path.stat().st_size

    def opened(self) -> OpenFile:
        self.opens += 1
        return open_file(str(self.path))


def needed() -> None:
    """Somebody needs to know."""


def test_a_file_is_not_hashed_while_it_is_read(tmp_path: Path) -> None:
    """The registry hashes what it gets."""
    assert read(stored(tmp_path, b"x" + CONTENT[1:])) == b"x" + CONTENT[1:]


@pytest.mark.parametrize("position", [0, 500_000, len(CONTENT) - 1])
def test_an_altered_file_is_told_as_one_and_read_once_however_many_ask(tmp_path: Path, position: int) -> None:
    """Each zone gets an error of its own, as each writes its name into it."""
    altered = bytearray(CONTENT)
    altered[position] ^= 1
    (tmp_path / "blob").write_bytes(altered)
    file, errors = CountedFile(tmp_path / "blob"), []
    blob = FileBlob(Part(file, 0, file.size), DESCRIPTOR, "the blob")

    def verify() -> None:
        with pytest.raises(SourceError) as caught:
            blob.verify(needed)
        errors.append(caught.value)

    threads = [threading.Thread(target=verify) for _zone in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [error.message for error in errors] == [
        f"the blob is altered: it should be {DESCRIPTOR.digest} and is {digest_of(bytes(altered))}"
    ] * 3
    assert len(set(map(id, errors))) == 3
    assert file.opens == 1


def test_a_file_that_is_right_is_read_once_however_many_ask(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(CONTENT)
    file = CountedFile(tmp_path / "blob")
    blob = FileBlob(Part(file, 0, file.size), DESCRIPTOR, "the blob")
    for _zone in range(3):
        blob.verify(needed)
    assert file.opens == 1


def test_a_file_that_nobody_needs_to_know_of_is_not_read_to_its_end(tmp_path: Path) -> None:
    blob = stored(tmp_path, CONTENT)
    checks: list[int] = []

    def check() -> None:
        checks.append(1)
        if len(checks) == 2:
            raise CancelledError("the push was stopped")

    with pytest.raises(CancelledError):
        blob.verify(check)
    assert len(checks) == 2
    blob.verify(needed)


@pytest.mark.parametrize("offset", [0, 500_000])
def test_a_file_that_becomes_shorter_is_never_given_whole(tmp_path: Path, offset: int) -> None:
    blob = stored(tmp_path, CONTENT)
    os.truncate(tmp_path / "blob", 900_000)
    with pytest.raises(
        SourceError, match="the blob is truncated: it has 900000 bytes and should have 1048576"
    ) as caught:
        read(blob, offset)
    assert caught.value.result["got"] == 900_000 - offset
    with pytest.raises(SourceError, match="the blob is truncated"):
        blob.verify(needed)


def test_a_digest_that_registries_do_not_take_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(b"")
    unknown = Descriptor("application/octet-stream", "md5:" + "0" * 32, 0)
    with pytest.raises(SourceError, match="which registries do not take"):
        FileBlob(Part(open_file(str(tmp_path / "blob")), 0, 0), unknown, "the blob")


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
    ("content", "kind"),
    [(b"x" + CONTENT[1:], "is altered"), (CONTENT[:-5], "is truncated"), (CONTENT + b"x", "is too long")],
    ids=["altered", "short", "long"],
)
def test_what_is_wrong_is_never_given_whole(tmp_path: Path, content: bytes, kind: str) -> None:
    with pytest.raises(SourceError, match=kind) as caught:
        read(spooled(tmp_path, content))
    assert caught.value.result["got"] < len(CONTENT)


def test_nothing_is_left_on_the_disk_even_while_it_is_fetched(tmp_path: Path) -> None:
    blob = spooled(tmp_path, CONTENT)
    reader, buffer = blob.open(), memoryview(bytearray(1000))
    assert reader.readinto(buffer) == 1000
    assert list(tmp_path.iterdir()) == []
    blob.release()
    assert reader.readinto(buffer) == 1000, "who has opened it reads on"


@pytest.mark.parametrize("file_system_can", [True, False])
def test_a_temporary_file_has_no_name_and_is_the_users_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file_system_can: bool
) -> None:
    if not file_system_can:
        monkeypatch.setattr(os, "O_TMPFILE", os.O_DIRECTORY, raising=False)
    file = TemporaryFile(str(tmp_path), "the blob")
    assert file.write(b"abc") == 3
    assert list(tmp_path.iterdir()) == []
    assert file.content(0, 9) == b"abc"
    (opened,) = [path for path in Path("/proc/self/fd").iterdir() if str(tmp_path) in os.path.realpath(path)]
    assert stat.S_IMODE(opened.stat().st_mode) == 0o600


def test_passing_trouble_is_waited_for_as_long_as_the_server_asks(tmp_path: Path) -> None:
    waited: list[float] = []
    limited = ServerError("too many", status=429, retry_after=7)
    blob = spooled(tmp_path, limited, 300_000, ServerError("away", status=503), CONTENT, waited=waited, retries=3)
    assert read(blob) == CONTENT
    assert waited == [7, 0, 0]


@pytest.mark.parametrize("error", [ServerError("no", status=400), ForbiddenError("no"), UnauthorizedError("no")])
def test_what_does_not_pass_ends_a_fetch_at_once(tmp_path: Path, error: AppuioError) -> None:
    with pytest.raises(type(error)):
        read(spooled(tmp_path, error))


def test_attempts_count_anew_after_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible_collections.appuio.registry.plugins.module_utils._http.retry.PROGRESS", 100_000)
    cuts = [100_000, 200_000, 300_000, 400_000, 500_000]
    assert read(spooled(tmp_path, *cuts, CONTENT, retries=1)) == CONTENT
    with pytest.raises(ConnectionFailedError, match="it broke"):
        read(spooled(tmp_path, 100_000, 100_001, 100_002, CONTENT, retries=1))


def test_a_part_of_what_was_asked_for_is_read_on_from(tmp_path: Path) -> None:
    assert read(spooled(tmp_path, 300_000, Partly(500_000), Partly(900_000), CONTENT)) == CONTENT


def test_each_zone_has_its_own_copy_of_an_error(tmp_path: Path) -> None:
    blob = spooled(tmp_path, ForbiddenError("no"))
    errors = []
    for zone in ("lpg", "gva"):
        with pytest.raises(ForbiddenError) as caught:
            read(blob)
        errors.append(caught.value.at(zone=zone))
    assert [error.zone for error in errors] == ["lpg", "gva"]


def test_a_thread_that_cannot_start_lets_nobody_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    blob = spooled(tmp_path, CONTENT)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        with pytest.raises(SourceError, match="no further thread"):
            blob.open()
    assert read(blob) == CONTENT


def test_a_disk_that_is_full_is_told_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(*_arguments: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.write", write)
    with pytest.raises(LocalStorageError, match=rf"{tmp_path} has no room for the blob: No space left.*remote_tmp"):
        read(spooled(tmp_path, CONTENT))


def test_a_directory_that_cannot_be_written_is_told_as_one(tmp_path: Path) -> None:
    with pytest.raises(LocalStorageError, match="cannot be written to for the blob"):
        spooled(tmp_path / "gone", CONTENT).open()


def test_a_fetch_that_breaks_again_and_again_fails(tmp_path: Path) -> None:
    with pytest.raises(ConnectionFailedError, match="it broke") as caught:
        read(spooled(tmp_path, 1, 2, 3))
    assert not isinstance(caught.value, ConnectionLostError), "the upload would try again, for nothing"


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


@pytest.mark.parametrize(
    ("text", "path", "name"),
    [
        ("oci:{0}/app:docker.io/library/alpine:3.20", "{0}/app", "docker.io/library/alpine:3.20"),
        ("oci:{0}/app:3.20", "{0}/app", "3.20"),
        ("oci:{0}/app", "{0}/app", None),
        ("oci:{0}/app:@1", "{0}/app", "@1"),
        ("oci:{0}/app@sha256:" + "0" * 64, "{0}/app", "sha256:" + "0" * 64),
        ("oci:{0}/app:@sha256:" + "0" * 64, "{0}/app", "sha256:" + "0" * 64),
        ("oci:{0}/with:colon", "{0}/with:colon", None),
        ("oci:{0}/with:colon:1.0", "{0}/with:colon", "1.0"),
        (
            "oci-archive:{0}/a.tar:rancher/local-path-provisioner:v0.0.20",
            "{0}/a.tar",
            "rancher/local-path-provisioner:v0.0.20",
        ),
        ("oci-archive:{0}/none.tar:rancher/provisioner:v0.0.20", "{0}/none.tar", "rancher/provisioner:v0.0.20"),
        ("oci:~/app:1.0", "{0}/app", "1.0"),
    ],
)
def test_where_a_path_ends_and_a_name_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, path: str, name: str | None
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "app").mkdir()
    (tmp_path / "with:colon").mkdir()
    (tmp_path / "a.tar").touch()
    found = location.parse_location(text.format(tmp_path))
    assert isinstance(found, location.LayoutLocation)
    assert (found.path, found.tag) == (path.format(tmp_path), name)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{0}/backend.tar", "Write docker-archive:{0}/backend.tar"),
        ("build/backend.tar", "Write docker-archive:build/backend.tar"),
        ("./build/backend.tar", "Write docker-archive:./build/backend.tar"),
        ("build/missing.tar.gz", "Write docker-archive:build/missing.tar.gz for what docker save wrote"),
        ("build/image", "Write oci-archive:build/image"),
        ("./layout", "Write oci:./layout"),
        ("../nowhere", "is a path"),
        ("~/nowhere", "is a path"),
        ("docker-archive:layout", "names a directory, and a file is meant. Write oci:layout"),
        ("docker-archive:build", "names a directory"),
        ("oci-archive:layout:1.0", "names a directory, and a file is meant. Write oci:layout"),
        ("oci:build/backend.tar", "names a file, and a directory is meant. Write docker-archive:build/backend.tar"),
        ("oci:build/image:1.0", "names a file, and a directory is meant. Write oci-archive:build/image"),
        ("oci://layout", "has slashes before its path. Write oci:layout"),
        ("docker-archive://build/backend.tar", "Write docker-archive:build/backend.tar"),
        ("file:build/backend.tar", "unknown transport 'file'. Use docker://"),
        ("oci-layout:layout", "unknown transport 'oci-layout'. Use docker://"),
        ("podman:app", "or containers-storage:"),
        ("docker-daemon:", "names no image"),
        ("dir:build/image", "names a file, and a directory is meant. Write oci-archive:build/image"),
    ],
)
def test_a_path_in_the_wrong_notation_is_told_with_the_right_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "build").mkdir()
    (tmp_path / "layout").mkdir()
    (tmp_path / "layout" / "index.json").touch()
    for name, content in {
        "backend.tar": "manifest.json",
        "../backend.tar": "manifest.json",
        "image": "index.json",
    }.items():
        (tmp_path / "build" / name).write_bytes(member(content))
    with pytest.raises(InvalidOptionError, match=re.escape(words.format(tmp_path))):
        location.parse_location(text.format(tmp_path))


def test_a_directory_of_the_name_of_an_image_does_not_stand_in_its_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "alpine").mkdir()
    (tmp_path / "nginx").touch()
    for name in ("alpine", "nginx", "alpine:3.20"):
        assert isinstance(location.parse_location(name), location.RegistryLocation)


@pytest.mark.parametrize(
    "text", ["me:geheim@ghcr.io/me/app:1", "docker://me:geheim@ghcr.io/me/app:1", "https://me:geheim@x/y"]
)
def test_a_password_in_a_source_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidOptionError) as caught:
        location.parse_location(text)
    assert "geheim" not in str(caught.value)


def test_a_reference_alone_is_an_image_in_a_registry() -> None:
    assert location.parse_location("ghcr.io/me/app:1") == location.parse_location("docker://ghcr.io/me/app:1")
