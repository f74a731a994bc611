# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where credentials are looked up and kept, for whom."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._credentials import auth_file
from ansible_collections.appuio.registry.plugins.module_utils._credentials.auth_file import stored_credential
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError, InvalidOptionError

REGISTRY = "registry.cloudscale-lpg-2.appuio.cloud"


def write(path: Path, secret: str, key: str = REGISTRY) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    auth = base64.b64encode(f"serviceaccount:{secret}".encode()).decode()
    path.write_text(json.dumps({"auths": {key: {"auth": auth}}}))
    return path


@pytest.mark.parametrize(
    ("client", "environment", "expected"),
    [
        ("docker", {}, "{home}/.docker/config.json"),
        ("docker", {"DOCKER_CONFIG": "/etc/docker-ci"}, "/etc/docker-ci/config.json"),
        ("docker", {"REGISTRY_AUTH_FILE": "/ci/auth.json"}, "/ci/auth.json"),
        ("podman", {"REGISTRY_AUTH_FILE": "/ci/auth.json"}, "/ci/auth.json"),
        ("podman", {"XDG_RUNTIME_DIR": "{home}"}, "{home}/containers/auth.json"),
        ("podman", {"XDG_RUNTIME_DIR": "{home}/nowhere"}, "{home}/.config/containers/auth.json"),
        ("podman", {"XDG_RUNTIME_DIR": "{home}/nowhere", "XDG_CONFIG_HOME": "/c"}, "/c/containers/auth.json"),
    ],
)
def test_which_file_a_client_reads(tmp_path: Path, client: str, environment: dict[str, str], expected: str) -> None:
    known = {name: value.format(home=tmp_path) for name, value in environment.items()}
    found = auth_file.file_to_write(client, {"HOME": str(tmp_path), **known})
    assert found == expected.format(home=tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
def test_a_runtime_directory_of_another_user_is_not_used(tmp_path: Path) -> None:
    foreign = tmp_path / "run"
    foreign.mkdir()
    os.chown(foreign, 12345, 12345)
    environment = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(foreign)}
    assert auth_file.file_to_write("podman", environment) == f"{tmp_path}/.config/containers/auth.json"


def test_no_home_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(number: int) -> None:
        raise KeyError(number)

    monkeypatch.setattr(auth_file.pwd, "getpwuid", unknown)
    with pytest.raises(InvalidOptionError, match=r"HOME is not set.*auth_file or REGISTRY_AUTH_FILE"):
        auth_file.file_to_write("docker", {})
    assert auth_file.files_to_read({"XDG_RUNTIME_DIR": "/nowhere"}) == []


def test_the_first_file_that_knows_the_registry_counts(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    assert stored_credential(REGISTRY, None, None, environment) is None
    for path, secret in (
        (".docker/config.json", "docker's"),
        (".config/containers/auth.json", "lasting"),
        ("containers/auth.json", "running"),
    ):
        write(tmp_path / path, secret)
        found = stored_credential(REGISTRY, "shop/app", None, environment)
        assert found is not None
        assert found.secret == secret


def test_a_file_that_is_named_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(AppuioError, match="does not exist"):
        stored_credential(REGISTRY, None, str(tmp_path / "auth.json"), {})
    assert stored_credential("other", None, str(write(tmp_path / "auth.json", "s")), {}) is None


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "auth.json").mkdir()
    with pytest.raises(AppuioError, match="is a directory, not a regular file"):
        stored_credential(REGISTRY, None, str(tmp_path / "auth.json"), {})
    (tmp_path / "latin").write_bytes(b'{"a": "\xfc"}')
    with pytest.raises(AppuioError, match="no UTF-8 text at byte 7"):
        stored_credential(REGISTRY, None, str(tmp_path / "latin"), {})


def test_a_namespace_has_its_own_credential(tmp_path: Path) -> None:
    path = tmp_path / "auth.json"
    auths = {
        key: {"auth": base64.b64encode(f"u:{secret}".encode()).decode()}
        for key, secret in ((REGISTRY, "all"), (f"{REGISTRY}/shop", "shop"), (f"{REGISTRY}/shop/app", "app"))
    }
    path.write_text(json.dumps({"auths": auths}))
    for repository, secret in (("shop/app", "app"), ("shop/web", "shop"), ("office/web", "all"), (None, "all")):
        found = stored_credential(REGISTRY, repository, str(path), {})
        assert found is not None
        assert found.secret == secret


def test_a_helper_that_the_file_names_is_asked(tmp_path: Path) -> None:
    program = tmp_path / "docker-credential-fixed"
    program.write_text(
        '#!/bin/sh\ntest "$1:$(cat)" = "get:' + REGISTRY + '" || exit 1\necho "{\\"Secret\\": \\"kept\\"}"\n'
    )
    program.chmod(0o755)
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"auths": {REGISTRY: {}}, "credHelpers": {REGISTRY: "fixed"}}))
    found = stored_credential(REGISTRY, "shop/app", str(path), {"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert found is not None
    assert found.secret == "kept"
