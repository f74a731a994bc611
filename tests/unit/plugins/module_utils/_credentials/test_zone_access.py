# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to a zone's API with each kind of credential, what is stored for the registry included."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._credentials.zone_access import zone_access
from ansible_collections.appuio.registry.plugins.module_utils._errors import InvalidOptionError, UnauthorizedError
from ansible_collections.appuio.registry.plugins.module_utils._targets import Target
from ansible_collections.appuio.registry.plugins.module_utils._zone import resolve_zone

ZONE = resolve_zone("lpg-2")


def stored(folder: Path, secret: str) -> str:
    entry = base64.b64encode(f"serviceaccount:{secret}".encode()).decode()
    path = folder / "auth.json"
    path.write_text(json.dumps({"auths": {ZONE.registry: {"auth": entry}}}))
    return str(path)


def test_a_token_is_masked_and_asks_its_own_zone() -> None:
    masked: list[str] = []
    access = zone_access(Target(ZONE, "shop", {"token": "my-token"}), {}, masked.append)
    assert (access.host, access.token) == ("https://api.lpg-2.appuio.cloud:6443", "my-token")
    assert "my-token" in masked
    assert "my-token" not in repr(access)


def test_what_is_stored_for_the_registry_serves_if_it_is_a_token_of_the_api(tmp_path: Path) -> None:
    masked: list[str] = []
    path = stored(tmp_path, "sha256~of-a-user")
    access = zone_access(Target(ZONE, "shop", {"auth_file": path}), {}, masked.append)
    assert access.token == "sha256~of-a-user"
    assert "sha256~of-a-user" in masked
    access = zone_access(Target(ZONE, "shop", {}), {"REGISTRY_AUTH_FILE": path}, masked.append)
    assert access.token == "sha256~of-a-user"
    target = Target(ZONE, "shop", {"auth_file": stored(tmp_path, "a-password")})
    with pytest.raises(UnauthorizedError, match=r"is no token of the zone's API\. Give token"):
        zone_access(target, {}, masked.append)


def test_a_registry_alone_has_no_known_api(tmp_path: Path) -> None:
    target = Target(resolve_zone(registry=ZONE.registry), "shop", {"auth_file": stored(tmp_path, "sha256~x")})
    with pytest.raises(InvalidOptionError, match="nothing names it"):
        zone_access(target, {}, lambda _value: None)
