# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a login is kept, and what becomes of the file for that."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._credential import Credential
from ansible_collections.appuio.registry.plugins.module_utils._credentials.auth_document import helper_for
from ansible_collections.appuio.registry.plugins.module_utils._login.options import Login
from ansible_collections.appuio.registry.plugins.module_utils._login.place import place_of
from ansible_collections.appuio.registry.plugins.module_utils._targets import targets_from

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
    place = place_of(login(tmp_path, document, **given), {"PATH": "/nowhere"})
    changed = copy.deepcopy(document)
    place.keep(Credential("s", "u"))(changed)
    assert place.store == store
    assert changed == expected
    again = copy.deepcopy(changed)
    place.point(again)
    assert again == changed, "nothing is left to do"
    if not given.get("namespaced") and given.get("client") != "podman":
        assert (helper_for(changed, REGISTRY) or "file") == store, "clients look where it was put"


def test_forgetting_takes_every_spelling(tmp_path: Path) -> None:
    document = {"auths": {**OLD, f"https://{REGISTRY}/v1/": {"auth": "x"}, "other": {"auth": "y"}}}
    place_of(login(tmp_path, document), {}).forget(document)
    assert document == {"auths": {"other": {"auth": "y"}}}


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    place = place_of(Login(TARGET, str(tmp_path / "nowhere" / "config.json")), {})
    assert not place.exists
    assert place.stored() is None
