# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of an auth file: one entry, no matter what happens around it."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._credentials import auth_edit
from ansible_collections.appuio.registry.plugins.module_utils._credentials.auth_attributes import FileAttributes
from ansible_collections.appuio.registry.plugins.module_utils._credentials.auth_document import BrokenAuthFileError
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError

PRIVATE = FileAttributes()
OTHER = {"auths": {"other": {"auth": "bzpv"}}, "HttpHeaders": {"X": "y"}, "psFormat": "table"}
# The children only write files, so a thread of the test runner that they lack is no matter.
pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
forked = multiprocessing.get_context("fork")


def entry(name: str) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        document.setdefault("auths", {})[name] = {"auth": name * 20}

    return change


def put(path: Path, name: str = "new", attributes: FileAttributes = PRIVATE) -> auth_edit.Edited:
    return auth_edit.edit(str(path), entry(name), attributes, False)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_and_its_folders_are_private(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "config.json"
    assert put(path).changed
    assert (mode(path), mode(path.parent), mode(path.parent.parent)) == (0o600, 0o700, 0o700)
    assert list(path.parent.iterdir()) == [path]


def test_nothing_is_written_when_nothing_changes(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    put(path)
    before = path.stat()
    assert not put(path).changed
    assert path.stat().st_ino == before.st_ino
    assert path.stat().st_mtime_ns == before.st_mtime_ns


def test_everything_else_stays(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(OTHER, indent=4))
    put(path)
    found = json.loads(path.read_text())
    assert found == {**OTHER, "auths": {**OTHER["auths"], "new": {"auth": "new" * 20}}}  # type: ignore[dict-item]
    assert list(found) == list(OTHER)
    assert '\n    "HttpHeaders"' in path.read_text()


@pytest.mark.parametrize(("existing", "expected"), [(0o644, 0o600), (0o660, 0o600), (0o600, 0o600), (0o400, 0o400)])
def test_a_file_that_was_too_open_is_closed(tmp_path: Path, existing: int, expected: int) -> None:
    path = tmp_path / "config.json"
    put(path)
    path.chmod(existing)
    assert PRIVATE.fit_file(str(path)) is (existing == expected)
    assert put(path).changed is (existing != expected)
    assert mode(path) == expected
    assert put(path, "more").changed
    assert mode(path) == expected


def test_a_mode_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    put(path, attributes=FileAttributes(mode=0o640))
    assert mode(path) == 0o640


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_owner_stays_or_becomes_the_one_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "made" / "config.json"
    put(path, attributes=FileAttributes(owner=12345, group=23456))
    for found in (path, path.parent):
        assert (found.stat().st_uid, found.stat().st_gid) == (12345, 23456)
    put(path, "more")
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 23456)


def test_a_symbolic_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "config.json"
    link.symlink_to("real/config.json")
    put(link)
    assert link.is_symlink()
    assert not (tmp_path / "real" / "config.json").is_symlink()
    assert "new" in json.loads((tmp_path / "real" / "config.json").read_text())["auths"]


def test_a_broken_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"auths": {"a": {"auth": "x"')
    with pytest.raises(BrokenAuthFileError, match="line 1, column"):
        put(path)
    assert path.read_text() == '{"auths": {"a": {"auth": "x"'
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_is_said_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(AppuioError, match=r"cannot be written: Not a directory.*auth_file or REGISTRY_AUTH_FILE.*HOME"):
        put(tmp_path / "file" / "config.json")


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.json"
    put(path)
    before = path.read_text()

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(auth_edit.os, "fsync", full)
    with pytest.raises(AppuioError, match="No space left"):
        put(path, "more")
    assert path.read_text() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("backup", [True, False])
def test_what_a_program_without_a_lock_writes_meanwhile_is_not_lost(tmp_path: Path, exists: bool, backup: bool) -> None:
    """As ``podman login`` for another registry does at the same time."""
    path = tmp_path / "config.json"
    if exists:
        put(path, "old")
    theirs = iter(["first", "second"])

    def change(document: dict[str, Any]) -> None:
        entry("new")(document)
        name = next(theirs, None)
        if name:
            found = json.loads(path.read_text()) if path.exists() else {}
            entry(name)(found)
            other = tmp_path / "other"
            other.write_text(json.dumps(found))
            other.replace(path)

    edited = auth_edit.edit(str(path), change, PRIVATE, backup)
    assert set(json.loads(path.read_text())["auths"]) == {"first", "second", "new", *(["old"] if exists else [])}
    kept = [Path(edited.backup_file)] if edited.backup_file else []
    assert set(tmp_path.iterdir()) == {path, *kept}
    assert not kept or "second" in kept[0].read_text()


def test_a_program_that_writes_without_end_is_told(tmp_path: Path) -> None:
    path = tmp_path / "config.json"

    def change(document: dict[str, Any]) -> None:
        entry("new")(document)
        path.write_text(json.dumps({"auths": {f"n{len(path.read_text()) if path.exists() else 0}": {"auth": "eA=="}}}))
        os.utime(path, ns=(0, time.monotonic_ns()))

    with pytest.raises(AppuioError, match="was written by another program again and again"):
        auth_edit.edit(str(path), change, PRIVATE, False)
    assert list(tmp_path.iterdir()) == [path]


def test_a_backup_is_private(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    put(path)
    before = path.read_text()
    path.chmod(0o644)
    kept = auth_edit.edit(str(path), entry("more"), PRIVATE, True).backup_file
    assert kept is not None
    assert Path(kept).read_text() == before
    auth_edit.edit(str(path), entry("and more"), PRIVATE, True)
    assert Path(kept).read_text() == before
    assert mode(Path(kept)) == 0o600


def _poll(path: Path) -> None:
    """Read until killed; ends by itself only when it read something broken."""
    while True:
        if path.exists():
            json.loads(path.read_text())
        time.sleep(0.001)


@pytest.mark.thorough
@pytest.mark.parametrize(("rounds", "beside"), [(10, False), (2, True)], ids=["folder", "beside"])
def test_fifty_processes_at_once_lose_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rounds: int, beside: bool
) -> None:
    if beside:  # as on NFS, where a folder cannot be locked

        def unsupported(number: int, operation: int) -> None:
            raise OSError(9, "Bad file descriptor")

        monkeypatch.setattr(auth_edit.fcntl, "flock", unsupported)
    monkeypatch.setattr(auth_edit, "LOCK_SECONDS", 3600.0)  # fifty on a busy machine are longer than users wait
    path = tmp_path / "fresh" / "config.json"
    reader = forked.Process(target=_poll, args=(path,))
    reader.start()
    try:
        for number in range(rounds):
            processes = [forked.Process(target=put, args=(path, f"r{number}-{each}")) for each in range(50)]
            for process in processes:
                process.start()
            for process in processes:
                process.join()
            assert [process.exitcode for process in processes] == [0] * 50
            assert len(json.loads(path.read_text())["auths"]) == 50 * (number + 1)
        assert reader.is_alive(), "it read a broken file"
    finally:
        reader.kill()
        reader.join()


def _forever(path: Path) -> None:
    number = 0
    while True:
        put(path, f"n{number % 7}-{os.getpid()}")
        number += 1


def test_a_kill_at_any_moment_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(OTHER))
    for number in range(40):
        process = forked.Process(target=_forever, args=(path,))
        process.start()
        time.sleep(0.005 + number * 0.0007)
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        assert json.loads(path.read_text())["HttpHeaders"] == {"X": "y"}
    (tmp_path / ".config.json.appuio-new").write_text("half a secret")
    put(path, "last")
    assert list(tmp_path.iterdir()) == [path], "what a killed process left is gone after the next run"
    (tmp_path / ".config.json.appuio-new").write_text("half a secret")
    assert not put(path, "last").changed
    assert list(tmp_path.iterdir()) == [path], "also where it changes nothing"
