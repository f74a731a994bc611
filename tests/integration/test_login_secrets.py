# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A token or password that appuio_registry_login was given is in the auth file, and nowhere else."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.login import Logins, stored, where
from tests.zone import LocalZones, Zone
from tests.zone.client import GUARD

PASSWORD = "password-that-nobody-may-see"
LISTENER = f"""#!{sys.executable}
import os, pathlib, sys
given = sys.stdin.read()
with pathlib.Path(__file__).with_name("heard").open("a") as stream:
    stream.write(repr(sys.argv) + repr(dict(os.environ)))
if sys.argv[1] == "get":
    sys.exit("credentials not found in native keychain")
if sys.argv[1] == "store":
    print(given)
    sys.exit(1)
"""


@pytest.fixture(scope="module")
def zone() -> Iterator[Zone]:
    with LocalZones(1) as zones:
        yield zones[0]


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A directory for temporary files, with the short path that Ansible wants."""
    folder = Path(tempfile.mkdtemp(prefix="seen-"))
    yield folder
    shutil.rmtree(folder)


class ProcessWatch:
    """Reads the list of processes again and again, for words that must not be in it."""

    def __init__(self, *words: str) -> None:
        self.words = [word.encode() for word in words]
        self.seen: set[str] = set()
        self._finished = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> ProcessWatch:
        self._thread.start()
        return self

    def __exit__(self, *_ignored: object) -> None:
        self._finished.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._finished.wait(0.01):
            for name in ("cmdline", "environ"):
                for path in Path("/proc").glob(f"[0-9]*/{name}"):
                    try:
                        content = path.read_bytes()
                    except OSError:
                        continue
                    self.seen.update(f"{path.name}: {content!r}" for word in self.words if word in content)


def forms(secret: str, *usernames: str) -> list[str]:
    """A secret as it is, and as auth files and the Basic scheme have it."""
    pairs = [f"{name}:{secret}".encode() for name in (*usernames, "serviceaccount")]
    return [secret, base64.b64encode(secret.encode()).decode(), *(base64.b64encode(pair).decode() for pair in pairs)]


def files_with(words: list[str], *folders: Path) -> list[str]:
    found = []
    for path in (path for folder in folders for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        if any(word.encode() in content for word in words):
            found.append(path.name)
    return found


def test_the_watch_sees(zone: Zone) -> None:
    with ProcessWatch("word-to-see-in-a-process") as watch:
        shown = subprocess.Popen(["sh", "-c", "read line # word-to-see-in-a-process"], stdin=subprocess.PIPE)
        until = time.monotonic() + GUARD
        while not watch.seen and time.monotonic() < until:
            time.sleep(0.01)
        shown.communicate(b"end\n")
    assert watch.seen


@pytest.mark.thorough
def test_nobody_sees_a_secret(zone: Zone, tmp_path: Path, temporary: Path) -> None:
    token = zone.token_for("shop", "image-pusher")
    second = zone.token_for("shop", "second")
    zone.create_user("jane", PASSWORD, {"shop": "edit"})
    path = tmp_path / "auth.json"
    helper = tmp_path / "docker-credential-listener"
    helper.write_text(LISTENER)
    helper.chmod(0o755)
    env = {
        "ANSIBLE_LOG_PATH": str(tmp_path / "log"),
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "TMPDIR": str(temporary),
    }
    logins = Logins(tmp_path / "run", {**where(zone), "auth_file": str(path), "namespace": "shop"}, env)
    entries = [{**where(zone), "token": second, "namespace": "shop"}]
    logins.add("check", check=True, token=token)
    logins.add("token", token=token, backup=True)
    logins.add("zones", zones=entries, zone=None, registry=None, host=None)
    logins.add("password", username="jane", password=PASSWORD)
    logins.add("wrong password", username="jack", password=PASSWORD)
    logins.add("no right", token=token, namespace="elsewhere", access=["push"])
    logins.add("wrong", token=f"{second}x")
    logins.add("no folder", token=token, auth_file="/proc/nowhere/auth.json")
    logins.add("helper", token=token, credential_store="listener", auth_file=str(tmp_path / "config.json"))
    logins.add("out", state="absent", backup=True)
    with ProcessWatch(token, second, PASSWORD) as watch:
        ended = logins.run(verbosity=4)
    assert [task.task for task in ended.tasks if task.result.get("failed")] == [
        "wrong password",
        "no right",
        "wrong",
        "no folder",
        "helper",
    ]
    words = forms(token) + forms(second) + forms(PASSWORD, "jane", "jack")
    assert [word for word in words if word in ended.stdout] == []
    assert watch.seen == set()
    backups = [entry.name for entry in tmp_path.glob("auth.json.*")]
    assert set(files_with(words, tmp_path, temporary)) <= {"playbook.yml", *backups}
    assert (tmp_path / "heard").is_file()
    assert files_with(["jane"], tmp_path / "run"), "what is looked for would be found"


@pytest.mark.thorough
def test_a_token_that_was_got_is_not_seen_either(zone: Zone, tmp_path: Path, temporary: Path) -> None:
    zone.create_user("joe", PASSWORD, {"shop": "edit"})
    path = tmp_path / "auth.json"
    logins = Logins(tmp_path / "run", {**where(zone), "auth_file": str(path)}, {"TMPDIR": str(temporary)})
    logins.add("in", username="joe", password=PASSWORD)
    logins.add("again", username="joe", password=PASSWORD)
    first = logins.run(verbosity=4)
    token = (stored(path, zone.registry) or ("", ""))[1]
    logins.tasks.clear()
    logins.add("out", state="absent", revoke=True)
    words = forms(token, "joe")
    assert files_with(words, tmp_path, temporary) == ["auth.json"]
    second = logins.run(verbosity=4)
    assert token.startswith("sha256~")
    assert [word for word in words if word in first.stdout + second.stdout] == []
    assert files_with(words, tmp_path, temporary) == []
