# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a login is kept, and what becomes of the file for that."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._credentials.auth_document import helper_for
from ansible_collections.appuio.registry.plugins.module_utils._login.options import Login
from ansible_collections.appuio.registry.plugins.module_utils._login.store import open_store
from ansible_collections.appuio.registry.plugins.module_utils._targets import Credential, targets_from

REGISTRY = "registry.cloudscale-lpg-2.appuio.cloud"
TARGET = targets_from({"zone": "cloudscale-lpg-2", "namespace": "shop"})[0]
NEW = {REGISTRY: {"auth": "dTpz"}}
OLD = {REGISTRY: {"auth": "b2xkOm9sZA=="}}


def login(tmp_path: Path, document: Any, **given: Any) -> Login:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(document))
    return replace(Login(TARGET, str(path)), **given)


@pytest.mark.parametrize(
    ("document", "given", "store", "expected"),
    [
        ({}, {}, "file", {"auths": NEW}),
        ({"auths": OLD}, {}, "file", {"auths": NEW}),
        ({"credsStore": "desktop"}, {}, "desktop", {"credsStore": "desktop"}),
        ({"credsStore": "desktop", "auths": OLD}, {}, "desktop", {"credsStore": "desktop", "auths": {}}),
        ({"credsStore": "desktop"}, {"client": "podman"}, "file", {"credsStore": "desktop", "auths": NEW}),
        ({"credHelpers": {REGISTRY: "pass"}}, {"client": "podman"}, "pass", {"credHelpers": {REGISTRY: "pass"}}),
        (
            {"credsStore": "desktop"},
            {"credential_store": "file"},
            "file",
            {"credsStore": "desktop", "credHelpers": {REGISTRY: ""}, "auths": NEW},
        ),
        (
            {"credHelpers": {REGISTRY: "pass", "other": "pass"}},
            {"credential_store": "file"},
            "file",
            {"credHelpers": {"other": "pass"}, "auths": NEW},
        ),
        ({"credHelpers": {REGISTRY: "pass"}}, {"credential_store": "file"}, "file", {"auths": NEW}),
        ({}, {"credential_store": "pass"}, "pass", {"credHelpers": {REGISTRY: "pass"}}),
        ({"auths": OLD}, {"credential_store": "pass"}, "pass", {"credHelpers": {REGISTRY: "pass"}, "auths": {}}),
        ({"credsStore": "pass"}, {"credential_store": "pass"}, "pass", {"credsStore": "pass"}),
        (
            {"credsStore": "desktop"},
            {"namespaced": True, "client": "podman"},
            "file",
            {"credsStore": "desktop", "auths": {f"{REGISTRY}/shop": NEW[REGISTRY]}},
        ),
    ],
)
def test_where_a_credential_goes(
    tmp_path: Path, document: dict[str, Any], given: dict[str, Any], store: str, expected: dict[str, Any]
) -> None:
    program = tmp_path / f"docker-credential-{store}"
    program.write_text("#!/bin/sh\ncat >/dev/null\n")
    program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    wanted = login(tmp_path, document, **given)
    opened = open_store(wanted, environment)
    assert opened.name == store
    opened.keep(Credential("s", "u"))
    changed = json.loads(Path(wanted.auth_file).read_text())
    assert changed == expected
    assert open_store(wanted, environment).file_reasons() == [], "nothing is left to do"
    if not given.get("namespaced") and given.get("client") != "podman":
        assert (helper_for(changed, REGISTRY) or "file") == store, "clients look where it was put"


def test_removing_takes_every_spelling(tmp_path: Path) -> None:
    document = {"auths": {**OLD, f"https://{REGISTRY}/v1/": {"auth": "x"}, "other": {"auth": "y"}}}
    wanted = login(tmp_path, document)
    open_store(wanted, {}).remove(None)
    assert json.loads(Path(wanted.auth_file).read_text()) == {"auths": {"other": {"auth": "y"}}}


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    store = open_store(Login(TARGET, str(tmp_path / "nowhere" / "config.json")), {})
    assert not store.exists
    assert store.stored() is None
    assert not store.remove(None).changed
    assert list(tmp_path.iterdir()) == [], "a logout makes no directory"


def basic(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("entry", "current"),
    [
        ({"auth": basic("serviceaccount:t")}, True),
        ({"auth": basic("<token>:t")}, True),
        ({"username": "u", "password": "t"}, True),
        ({"auth": basic("serviceaccount:t\n")}, False),
        ({"username": "u", "password": "t\n"}, False),
        ({"identitytoken": "t"}, False),
        ({"registrytoken": "t"}, False),
        ({"auth": basic("serviceaccount:other")}, False),
    ],
)
def test_what_clients_could_not_use_is_written_again(tmp_path: Path, entry: dict[str, str], current: bool) -> None:
    wanted = login(tmp_path, {"auths": {REGISTRY: entry}})
    store = open_store(wanted, {})
    stored = store.stored()
    assert stored is not None
    assert store.is_current(Credential("t"), stored) is current
    store.keep(None if current else Credential("t", "<token>"))
    again = open_store(wanted, {})
    stored = again.stored()
    assert stored is not None
    assert again.is_current(Credential("t"), stored), "and then it is unchanged"


def test_a_helper_is_not_given_the_name_that_means_an_identity_token(tmp_path: Path) -> None:
    program = tmp_path / "docker-credential-keeper"
    kept = tmp_path / "kept"
    program.write_text(f'#!/bin/sh\nif [ "$1" = store ]; then cat >{kept}; else cat >/dev/null; cat {kept}; fi\n')
    program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    store = open_store(login(tmp_path, {}, credential_store="keeper"), environment)
    store.keep(Credential("t", "<token>"))
    assert json.loads(kept.read_text())["Username"] == "serviceaccount"
    stored = store.stored()
    assert stored is not None
    assert store.is_current(Credential("t", "<token>"), stored)
    kept.write_text(json.dumps({"Username": "<token>", "Secret": "t"}))
    stored = store.stored()
    assert stored is not None
    assert not store.is_current(Credential("t"), stored), "clients would exchange it, and get nothing"
