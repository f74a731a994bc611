# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters as Ansible loads them."""

from __future__ import annotations

import base64
import hashlib
import importlib
from typing import Any, Callable

import pytest
from ansible.errors import AnsibleFilterError

FILTERS = "ansible_collections.appuio.registry.plugins.filter"


def loaded(name: str) -> Callable[..., Any]:
    found: Callable[..., Any] = importlib.import_module(f"{FILTERS}.{name}").FilterModule().filters()[name]
    return found


def test_zone_addresses() -> None:
    assert loaded("zone_registry")("cloudscale-lpg-2") == "registry.cloudscale-lpg-2.appuio.cloud"
    assert loaded("zone_registry")("lab", "example.com") == "registry.lab.example.com"
    assert loaded("zone_api")("cloudscale-lpg-2") == "https://api.cloudscale-lpg-2.appuio.cloud:6443"


@pytest.mark.parametrize("name", ["zone_registry", "zone_api", "image_reference"])
def test_nonsense_is_an_error_of_the_filter(name: str) -> None:
    with pytest.raises(AnsibleFilterError, match="Not A Zone"):
        loaded(name)("Not A Zone")


def test_image_reference() -> None:
    digest = "sha256:" + "0" * 64
    assert loaded("image_reference")(f"registry.zone-1:5000/shop/app:1.4@{digest}") == {
        "registry": "registry.zone-1:5000",
        "repository": "shop/app",
        "namespace": "shop",
        "name": "app",
        "tag": "1.4",
        "digest": digest,
    }
    assert loaded("image_reference")("alpine")["repository"] == "library/alpine"


def test_api_options_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("APPUIO_TOKEN", "K8S_AUTH_API_KEY", "K8S_AUTH_KUBECONFIG", "K8S_AUTH_HOST"):
        monkeypatch.delenv(name, raising=False)
    options = loaded("api_options")
    assert "no credential" in options({"zone": "cloudscale-lpg-2"})["refused"]
    monkeypatch.setenv("APPUIO_TOKEN", "t")
    assert options({"zone": "cloudscale-lpg-2"})["api_key"] == "t"


def test_pusher_plan_takes_lists_as_the_api_gives_them() -> None:
    names = ("namespace", "service_account", "secret_name", "role", "role_binding")
    plan = loaded("pusher_plan")({name: name for name in names}, [], [], [])
    assert [put["kind"] for put in plan["put"]] == ["ServiceAccount", "Secret", "RoleBinding"]
    assert plan["refused"] == ""
    assert plan["grants"] == ["role"]
    assert [right["resource"] for right in plan["rights"]] == ["serviceaccounts", "secrets", "rolebindings"]


def test_pusher_plan_names_the_role_of_a_binding_that_others_keep() -> None:
    names = ("namespace", "service_account", "secret_name", "role", "role_binding")
    account = {"kind": "ServiceAccount", "name": "service_account", "namespace": "namespace"}
    binding = {
        "metadata": {"name": "role_binding", "namespace": "namespace"},
        "roleRef": {"kind": "ClusterRole", "name": "role"},
        "subjects": [account, {"kind": "User", "name": "ada"}],
    }
    plan = loaded("pusher_plan")({**{name: name for name in names}, "state": "absent"}, [], [], [binding])
    assert [put["kind"] for put in plan["put"]] == ["RoleBinding"]
    assert plan["grants"] == ["role"]


@pytest.mark.parametrize("secret", ["marker", "sha256", "ash-6", "~a2h5s"])
def test_oauth_token_name_takes_nothing_but_the_prefix_away(secret: str) -> None:
    """Secrets that begin or end with letters of the prefix are those that others got wrong."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest()).rstrip(b"=").decode()
    assert loaded("oauth_token_name")(f"sha256~{secret}") == f"sha256~{digest}"
