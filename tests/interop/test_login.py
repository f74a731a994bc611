# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""skopeo and podman read what appuio.registry.appuio_registry_login has stored, and the other way round."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.image import make_layout
from tests.integration.login import Logins, stored, where
from tests.zone import Zone
from tests.zone.client import GUARD


@pytest.fixture
def project(fresh_project: Callable[..., str]) -> str:
    return fresh_project("logins")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home directory that tasks and programs of a test share."""
    return tmp_path / "run" / "home"


@pytest.fixture
def certificates(tmp_path: Path, zone: Zone) -> Path:
    folder = tmp_path / "certificates"
    folder.mkdir()
    shutil.copy(zone.registry_ca_file, folder / "ca.crt")
    return folder


def call(home: Path, *words: str, env: Mapping[str, str] | None = None, given: str = "") -> str:
    """Run a program in a home of its own and return what it says; its failure fails the test."""
    context = {"HOME": str(home), "PATH": os.environ["PATH"], **(env or {})}
    ended = subprocess.run(words, input=given, env=context, capture_output=True, text=True, check=False, timeout=GUARD)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


@pytest.fixture
def podman() -> Iterator[list[str]]:
    """The words that begin a call of podman with a storage of its own; it wants a short path."""
    folder = tempfile.mkdtemp(prefix="pod-")
    folders = [word for name in ("root", "runroot", "tmpdir") for word in (f"--{name}", f"{folder}/{name}")]
    yield ["podman", "--storage-driver", "vfs", *folders]
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("client", "environment"),
    [("docker", {}), ("podman", {"XDG_RUNTIME_DIR": "{home}/run"}), ("podman", {"XDG_RUNTIME_DIR": "{home}/nowhere"})],
    ids=["docker", "podman", "podman without a runtime directory"],
)
def test_they_use_what_we_stored(
    zone: Zone,
    project: str,
    tmp_path: Path,
    home: Path,
    certificates: Path,
    podman: list[str],
    client: str,
    environment: dict[str, str],
) -> None:
    (home / "run").mkdir(parents=True)
    known = {name: value.format(home=home) for name, value in environment.items()}
    logins = Logins(tmp_path / "run", where(zone), known)
    logins.add("in", token=zone.token_for(project, "image-pusher"), client=client)
    logins.run()
    digest = make_layout(tmp_path / "layout", platforms=["linux/amd64"])
    image = f"docker://{zone.registry}/{project}/app:1"
    assert call(home, "skopeo", "login", "--get-login", zone.registry, env=known) == "serviceaccount"
    trust = f"--dest-cert-dir={certificates}"
    call(home, "skopeo", "copy", trust, f"oci:{tmp_path / 'layout'}", image, env=known)
    found = call(home, "skopeo", "inspect", f"--cert-dir={certificates}", image, env=known)
    assert json.loads(found)["Digest"] == digest
    if client == "podman":
        trusted = f"--cert-dir={certificates}"
        name = image.removeprefix("docker://")
        call(home, *podman, "pull", trusted, name, env=known)
        call(home, *podman, "push", trusted, name, f"{name}-again", env=known)
        assert set(zone.tags(project, "app")) == {"1", "1-again"}


@pytest.mark.parametrize("program", ["skopeo", "podman"])
def test_we_see_what_they_stored(
    zone: Zone, project: str, tmp_path: Path, home: Path, certificates: Path, podman: list[str], program: str
) -> None:
    home.mkdir(parents=True)
    path = tmp_path / "auth.json"
    token = zone.token_for(project, "image-pusher")
    options = [f"--cert-dir={certificates}", f"--authfile={path}", "-u", "serviceaccount", "--password-stdin"]
    words = podman if program == "podman" else [program]
    call(home, *words, "login", *options, zone.registry, given=token)
    written = path.read_text()
    logins = Logins(tmp_path / "run", {**where(zone), "auth_file": str(path)})
    logins.add("present", token=token)
    logins.add("other", token=zone.token_for(project, "other"))
    ended = logins.run()
    assert ended.changed == ["other"]
    assert path.read_text().split('"')[0] == written.split('"')[0], "the indentation stays"
    call(home, *words, "logout", f"--authfile={path}", zone.registry)
    logins.tasks.clear()
    logins.add("gone", state="absent")
    assert logins.run().changed == []


def test_podman_takes_the_pusher_of_each_namespace(
    zone: Zone, fresh_project: Callable[..., str], tmp_path: Path, home: Path, certificates: Path
) -> None:
    projects = [fresh_project(name) for name in ("shop", "office")]
    path = tmp_path / "auth.json"
    logins = Logins(tmp_path / "run", {**where(zone), "client": "podman", "auth_file": str(path)})
    for name in projects:
        logins.add(name, namespace=name, key_scope="namespace", token=zone.token_for(name, "image-pusher"))
    logins.run()
    make_layout(tmp_path / "layout", platforms=["linux/amd64"])
    for name in projects:
        image = f"docker://{zone.registry}/{name}/app:1"
        options = [f"--dest-cert-dir={certificates}", f"--authfile={path}"]
        call(home, "skopeo", "copy", *options, f"oci:{tmp_path / 'layout'}", image)
        assert set(zone.tags(name, "app")) == {"1"}


def test_a_helper_that_both_use(zone: Zone, project: str, tmp_path: Path, home: Path, certificates: Path) -> None:
    program = tmp_path / "docker-credential-keeper"
    kept = tmp_path / "kept"
    program.write_text(f'#!/bin/sh\nif [ "$1" = store ]; then cat >{kept}; else cat >/dev/null; cat {kept}; fi\n')
    program.chmod(0o755)
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"credHelpers": {zone.registry: "keeper"}}))
    kept.write_text(json.dumps({"ServerURL": zone.registry, "Username": "x", "Secret": "x"}))
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    logins = Logins(tmp_path / "run", {**where(zone), "auth_file": str(path)}, environment)
    logins.add("in", token=zone.token_for(project, "image-pusher"))
    assert logins.run().result("in")["credential_store"] == "keeper"
    make_layout(tmp_path / "layout", platforms=["linux/amd64"])
    options = [f"--dest-cert-dir={certificates}", f"--authfile={path}"]
    image = f"docker://{zone.registry}/{project}/app:1"
    call(home, "skopeo", "copy", *options, f"oci:{tmp_path / 'layout'}", image, env=environment)
    assert stored(path, zone.registry) is None


def test_a_pull_secret_is_what_clients_take(
    zone: Zone, project: str, tmp_path: Path, home: Path, certificates: Path
) -> None:
    logins = Logins(tmp_path / "run", {**where(zone), "auth_file": str(tmp_path / "auth.json")})
    logins.add("in", token=zone.token_for(project, "image-pusher"), dockerconfigjson=True)
    result: dict[str, Any] = logins.run().result("in")
    path = tmp_path / "from-secret.json"
    path.write_bytes(base64.b64decode(result["dockerconfigjson"]))
    assert call(home, "skopeo", "login", "--get-login", f"--authfile={path}", zone.registry) == "serviceaccount"


@pytest.mark.parametrize("kept_by", ["file", "keeper"])
def test_the_user_name_of_openshifts_own_secrets_is_stored_so_that_they_can_use_it(
    zone: Zone, project: str, tmp_path: Path, home: Path, certificates: Path, kept_by: str
) -> None:
    program = tmp_path / "docker-credential-keeper"
    kept = tmp_path / "kept"
    program.write_text(
        f'#!/bin/sh\nif [ "$1" = store ]; then cat >{kept}; exit; fi\ncat >/dev/null\n'
        f'test -f {kept} || {{ echo "credentials not found in native keychain"; exit 1; }}\ncat {kept}\n'
    )
    program.chmod(0o755)
    path = tmp_path / "config.json"
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    options = {"auth_file": str(path), "username": "<token>", "credential_store": kept_by}
    logins = Logins(tmp_path / "run", {**where(zone), **options}, environment)
    token = zone.token_for(project, "image-pusher")
    logins.add("in", token=token)
    logins.add("again", token=token)
    assert logins.run().changed == ["in"]
    make_layout(tmp_path / "layout", platforms=["linux/amd64"])
    options_of_copy = [f"--dest-cert-dir={certificates}", f"--authfile={path}"]
    image = f"docker://{zone.registry}/{project}/app:1"
    call(home, "skopeo", "copy", *options_of_copy, f"oci:{tmp_path / 'layout'}", image, env=environment)
    assert set(zone.tags(project, "app")) == {"1"}
