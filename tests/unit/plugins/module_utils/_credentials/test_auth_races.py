# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An auth file that root writes in somebody's home: whatever that user swaps on the way, nothing else is touched."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._credentials import auth_edit, auth_folder
from ansible_collections.appuio.registry.plugins.module_utils._credentials.auth_attributes import FileAttributes
from ansible_collections.appuio.registry.plugins.module_utils._credentials.auth_file import read_text, stored_credential
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError

JANE, BOB = 12345, 23456
FOR_JANE = FileAttributes(owner=JANE, group=JANE)
ROOTS = '{"auths": {"root": {"auth": "cm9vdDpzZWNyZXQ="}}}'
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


def entry(document: dict[str, Any]) -> None:
    document.setdefault("auths", {})["new"] = {"auth": "bmV3Om5ldw=="}


def put(path: Path, attributes: FileAttributes = FOR_JANE, backup: bool = False) -> auth_edit.Edited:
    return auth_edit.edit(str(path), entry, attributes, backup)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Jane's home, in which she can do what she wants."""
    return owned(tmp_path / "home")


@pytest.fixture
def roots(tmp_path: Path) -> Path:
    """A directory of root, with a file that is root's alone."""
    folder = tmp_path / "roots"
    folder.mkdir(0o700)
    (folder / "secret.json").write_text(ROOTS)
    (folder / "secret.json").chmod(0o640)
    return folder


def owned(path: Path, user: int = JANE) -> Path:
    path.mkdir()
    os.chown(path, user, user)
    return path


def link(path: Path, target: Path | str, user: int = JANE) -> Path:
    path.symlink_to(target)
    os.chown(path, user, user, follow_symlinks=False)
    return path


def state(folder: Path) -> dict[str, tuple[int, int, int, str]]:
    """What stands in a directory: name → owner, group, mode and content."""
    found = {}
    for path in folder.iterdir():
        status = path.lstat()
        content = path.read_text() if stat.S_ISREG(status.st_mode) else ""
        found[path.name] = (status.st_uid, status.st_gid, status.st_mode, content)
    return found


def when(monkeypatch: pytest.MonkeyPatch, function: str, swap: Callable[[], None], first: bool = True) -> None:
    """Let ``swap`` happen once, right before (``first``) or right after a call of a function of the system."""
    real = getattr(os, function)
    due = [swap]

    def called(*given: Any, **named: Any) -> Any:
        if first and due:
            due.pop()()
        answer = real(*given, **named)
        if not first and due:
            due.pop()()
        return answer

    monkeypatch.setattr(auth_edit.os, function, called)


@root_only
@pytest.mark.parametrize("target", ["secret.json", "not-there.json"])
def test_a_users_link_to_what_is_roots_is_not_followed(home: Path, roots: Path, target: str) -> None:
    before = state(roots)
    link(home / "config.json", roots / target)
    with pytest.raises(AppuioError, match=rf"symbolic link .*config.json of user {JANE} leads to .*{target}, which"):
        put(home / "config.json")
    with pytest.raises(AppuioError, match=r"it is not followed.*Name the file itself with auth_file"):
        read_text(str(home / "config.json"))
    assert state(roots) == before


@root_only
def test_a_users_link_on_the_way_is_not_followed_either(home: Path, roots: Path) -> None:
    before = state(roots)
    link(home / ".docker", roots)
    for path in (home / ".docker" / "secret.json", home / ".docker" / "made" / "config.json"):
        with pytest.raises(AppuioError, match="it is not followed"):
            put(path)
    assert state(roots) == before


@root_only
def test_a_link_that_root_owns_counts_as_the_users_in_the_users_directory(home: Path, roots: Path) -> None:
    link(home / "config.json", roots / "secret.json", user=0)
    with pytest.raises(AppuioError, match="it is not followed"):
        put(home / "config.json")


@root_only
def test_a_users_link_to_what_is_that_users_is_followed(home: Path) -> None:
    owned(home / "dotfiles")
    link(home / ".docker", "dotfiles/../dotfiles")
    put(home / ".docker" / "config.json")
    link(home / "config.json", home / "dotfiles" / "config.json")
    put(home / "config.json")
    assert (home / "config.json").is_symlink()
    assert (home / ".docker").is_symlink()
    assert (home / "dotfiles" / "config.json").stat().st_uid == JANE
    assert sorted(path.name for path in (home / "dotfiles").iterdir()) == ["config.json"]


@root_only
def test_a_link_from_one_user_to_another_is_not_followed(home: Path, tmp_path: Path) -> None:
    other = owned(tmp_path / "other", BOB)
    link(home / "config.json", link(other / "config.json", home / "real.json", BOB))
    with pytest.raises(AppuioError, match="it is not followed"):
        put(home / "config.json")


@root_only
def test_links_of_root_are_followed_anywhere(home: Path, roots: Path) -> None:
    (roots / "config.json").symlink_to(home / "config.json")
    put(roots / "config.json")
    assert (home / "config.json").stat().st_uid == JANE


@root_only
def test_a_hard_link_to_another_users_file_is_refused(home: Path, roots: Path) -> None:
    before = (roots / "secret.json").stat().st_uid
    os.link(roots / "secret.json", home / "config.json")
    with pytest.raises(AppuioError, match="hard link to a file of user 0"):
        put(home / "config.json")
    assert (roots / "secret.json").stat().st_uid == before


@root_only
def test_a_file_that_root_left_in_a_home_is_given_to_its_user(home: Path) -> None:
    (home / "config.json").write_text("{}")
    assert put(home / "config.json").changed
    assert (home / "config.json").stat().st_uid == JANE


@root_only
@pytest.mark.parametrize("function", ["fchown", "fchmod", "fsync", "replace"])
def test_a_new_file_that_is_swapped_touches_nothing_else(
    home: Path, roots: Path, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    before = state(roots)
    new = home / ".config.json.appuio-new"

    def swap() -> None:
        new.unlink()
        link(new, roots / "secret.json")

    when(monkeypatch, function, swap)
    with pytest.raises(AppuioError, match=r"config\.json was replaced by another process"):
        put(home / "config.json")
    assert state(roots) == before


@root_only
def test_a_new_file_that_is_there_already_is_not_written_through(
    home: Path, roots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(roots)
    new = home / ".config.json.appuio-new"
    link(new, roots / "made-elsewhere")
    put(home / "config.json")
    when(monkeypatch, "unlink", lambda: link(new, roots / "made-elsewhere") and None, first=False)
    (home / ".config.json.appuio-new").write_text("left")
    with pytest.raises(AppuioError, match="cannot be written: File exists"):
        auth_edit.edit(str(home / "config.json"), lambda document: document.update(x=1), FOR_JANE, False)
    assert state(roots) == before


@root_only
def test_a_directory_that_is_swapped_when_it_is_made(home: Path, roots: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, owner = state(roots), roots.stat().st_uid

    def swap() -> None:
        (home / ".docker").rmdir()
        link(home / ".docker", roots)

    when(monkeypatch, "mkdir", swap, first=False)
    with pytest.raises(AppuioError):
        put(home / ".docker" / "config.json")
    assert state(roots) == before
    assert roots.stat().st_uid == owner


@root_only
def test_a_directory_of_root_that_takes_the_place_of_a_new_one_is_not_given_away(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "of-root").mkdir()
    (home / "of-root" / "something").touch()

    def swap() -> None:
        (home / ".docker").rmdir()
        (home / "of-root").rename(home / ".docker")

    when(monkeypatch, "mkdir", swap, first=False)
    put(home / ".docker" / "config.json")
    assert (home / ".docker").stat().st_uid == 0


@root_only
def test_a_link_of_root_that_is_swapped_when_it_is_read(
    home: Path, roots: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    (shared / "config.json").symlink_to(home / "config.json")
    before = state(roots)

    def swap() -> None:
        (shared / "config.json").unlink()
        link(shared / "config.json", roots / "secret.json")

    when(monkeypatch, "readlink", swap)
    with pytest.raises(AppuioError, match="a symbolic link on its way was replaced at the same moment"):
        put(shared / "config.json")
    assert state(roots) == before


@root_only
@pytest.mark.parametrize("function", ["fchown", "fsync", "replace"])
def test_a_directory_that_is_swapped_while_the_file_is_written(
    home: Path, roots: Path, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    folder = owned(home / ".docker")
    before = state(roots)

    def swap() -> None:
        folder.rename(home / "moved")
        link(folder, roots)

    when(monkeypatch, function, swap)
    put(folder / "config.json")
    assert state(roots) == before
    assert "new" in json.loads((home / "moved" / "config.json").read_text())["auths"]


@root_only
def test_a_directory_that_is_swapped_while_the_lock_is_waited_for(
    home: Path, roots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = owned(home / ".docker")
    before = state(roots)
    real = auth_edit.fcntl.flock

    def swapped(number: int, operation: int) -> None:
        real(number, operation)
        if not (home / "moved").exists():
            folder.rename(home / "moved")
            owned(folder)

    monkeypatch.setattr(auth_edit.fcntl, "flock", swapped)
    put(folder / "config.json")
    assert (folder / "config.json").exists(), "the lock is of the directory that is there"
    assert state(roots) == before


@root_only
def test_a_file_that_is_swapped_for_a_link_before_it_is_opened(
    home: Path, roots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = home / "config.json"
    config.write_text("{}")
    os.chown(config, JANE, JANE)
    real = os.open

    def swapped(path: Any, flags: int, *given: Any, **named: Any) -> int:
        if path in ("config.json", str(config)) and not config.is_symlink():
            config.unlink()
            link(config, roots / "secret.json")
        return real(path, flags, *given, **named)

    monkeypatch.setattr(auth_folder.os, "open", swapped)
    with pytest.raises(AppuioError):
        put(config)
    assert "cm9vdDpzZWNyZXQ=" not in json.dumps(state(home)), "nothing of root's file is handed on"


@root_only
def test_a_backup_is_the_users_and_goes_through_no_link(
    home: Path, roots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = home / "config.json"
    put(config)
    before = state(roots)
    kept = Path(auth_edit.edit(str(config), lambda document: document.update(x=1), FOR_JANE, True).backup_file or "")
    assert (kept.stat().st_uid, stat.S_IMODE(kept.stat().st_mode)) == (JANE, 0o600)
    monkeypatch.setattr(auth_edit.time, "strftime", lambda *_given: "now")
    link(home / f"config.json.{os.getpid()}.now", roots / "made-elsewhere")
    with pytest.raises(AppuioError, match="is no backup of"):
        auth_edit.edit(str(config), lambda document: document.update(x=2), FOR_JANE, True)
    assert state(roots) == before
    assert json.loads(config.read_text())["x"] == 1


@root_only
def test_a_lock_file_is_no_link(home: Path, roots: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(number: int, operation: int) -> None:
        raise OSError(9, "Bad file descriptor")

    monkeypatch.setattr(auth_edit.fcntl, "flock", unsupported)
    before = state(roots)
    link(home / "config.json.lock", roots / "made-elsewhere")
    with pytest.raises(AppuioError, match="cannot be written"):
        put(home / "config.json")
    assert state(roots) == before


SPECIAL: dict[str, tuple[Callable[[Path], object], str]] = {
    "directory": (lambda path: path.mkdir(), "is a directory"),
    "pipe": (lambda path: os.mkfifo(path), "is a named pipe"),
    "socket": (lambda path: os.mknod(path, stat.S_IFSOCK | 0o600), "is a socket"),
}


@pytest.mark.parametrize("kind", SPECIAL)
def test_a_special_file_is_refused_without_waiting_for_it(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "config.json"
    make, said = SPECIAL[kind]
    make(path)
    before = path.lstat()
    for attempt in (lambda: put(path, FileAttributes()), lambda: stored_credential("registry", None, str(path), {})):
        with pytest.raises(AppuioError, match=rf"config\.json {said}, not a regular file.*another file with auth_file"):
            attempt()
    assert path.lstat().st_ino == before.st_ino, "it is left as it is"


def test_a_device_is_not_replaced(tmp_path: Path) -> None:
    # A device of its own, as a fault would replace the one that the whole machine uses.
    path = tmp_path / "config.json"
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("devices cannot be made here")
    with pytest.raises(AppuioError, match=r"config\.json is a device, not a regular file"):
        put(path, FileAttributes())
    assert stat.S_ISCHR(path.stat().st_mode)


def test_the_null_device_holds_no_credentials() -> None:
    assert stored_credential("registry", None, "/dev/null", {}) is None


def test_a_mounted_file_is_named_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.json"
    path.write_text("{}")

    def busy(*_given: Any, **_named: Any) -> None:
        raise OSError(16, "Device or resource busy", ".config.json.appuio-new")

    monkeypatch.setattr(auth_edit.os, "replace", busy)
    with pytest.raises(AppuioError, match=r"config\.json cannot be written: .*busy\. .*mount its directory") as failed:
        put(path, FileAttributes(), backup=True)
    assert "appuio-new" not in str(failed.value)
    assert list(tmp_path.iterdir()) == [path], "no backup of what was not changed"


def forbid_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(number: int, uid: int, gid: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(auth_edit.os, "fchown", forbidden)


@root_only
def test_a_group_that_cannot_be_kept_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.json"
    path.write_text("{}")
    os.chown(path, 0, 4321)
    forbid_owner(monkeypatch)
    edited = put(path, FileAttributes())
    assert edited.changed
    assert "config.json belonged to group 4321" in edited.warnings[0]
    assert "new" in json.loads(path.read_text())["auths"]


@root_only
def test_another_users_file_is_not_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.json"
    path.write_text("{}")
    os.chown(path, JANE, 0)
    forbid_owner(monkeypatch)
    with pytest.raises(AppuioError, match=rf"config\.json belongs to user {JANE}, and user 0 cannot replace it"):
        put(path, FileAttributes())
    assert path.stat().st_uid == JANE


def test_an_owner_that_cannot_be_given_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forbid_owner(monkeypatch)
    with pytest.raises(AppuioError, match=r"config\.json cannot be given the owner or group that is asked for"):
        put(tmp_path / "config.json", FileAttributes(owner=JANE))
    assert list(tmp_path.iterdir()) == []


def test_links_that_lead_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "config.json").symlink_to("config.json")
    with pytest.raises(AppuioError, match=r"config\.json cannot be written: Too many levels of symbolic links"):
        put(tmp_path / "config.json", FileAttributes())
