# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module's options: who, with which pull Secrets, and what cannot be meant."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._access.options import SPEC, passwords_in, zone_accesses
from ansible_collections.appuio.registry.plugins.module_utils._access.plan import AccessOptions
from ansible_collections.appuio.registry.plugins.module_utils._errors import InvalidOptionError

DEFAULTS = {name: option.get("default") for name, option in SPEC.options.items()}
SECRET = {"name": "from", "registry": "ghcr.io", "password": "secret\n"}


def parsed(**given: Any) -> AccessOptions:
    options = {**DEFAULTS, "zone": "cloudscale-lpg-2", "namespace": "shop", **given}
    (zone,) = zone_accesses(options)
    return zone.access


def test_lists_may_be_json_text() -> None:
    access = parsed(viewers='[{"kind": "User", "name": "ada"}]', editors="")
    assert access.subjects == {"registry-viewer": [{"kind": "User", "name": "ada"}], "registry-editor": []}


@pytest.mark.parametrize("username", [None, "", "serviceaccount"])
def test_a_line_end_is_no_part_of_a_password(username: Any) -> None:
    given = {**SECRET, "username": username}
    (secret,) = parsed(pull_secrets=[given]).pull_secrets
    encoded = base64.b64encode(b"serviceaccount:secret").decode()
    assert secret.auths == {"ghcr.io": {"auth": encoded}}
    assert secret.service_accounts == ["default"]
    assert {"secret", encoded} <= set(passwords_in({"pull_secrets": [given]}))
    assert encoded not in repr(secret)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"namespace": None}, "nothing names the namespace"),
        ({"viewers": ["ada"]}, "an entry of viewers is no dictionary"),
        ({"viewers": [{"kind": "user", "name": "ada"}]}, "an entry of viewers needs kind.*User, Group, ServiceAccount"),
        ({"editors": [{"kind": "User"}]}, "an entry of editors needs name"),
        ({"editors": [{"kind": "User", "name": "a", "group": "b"}]}, "unknown key group"),
        ({"pull_secrets": [{"name": "a"}]}, "an entry of pull_secrets needs registry, password"),
        ({"viewer_role": "view", "editor_role": "view"}, "viewer_role and editor_role are both view"),
    ],
)
def test_what_cannot_be_meant(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidOptionError, match=problem):
        parsed(**given)
