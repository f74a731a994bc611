# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters as Ansible loads them."""

from __future__ import annotations

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


@pytest.mark.parametrize(
    ("given", "wanted"),
    [(None, "omit"), ("", "omit"), (" \n", "omit"), (False, False), (0, 0), ("0", "0"), ([], []), (" a", " a")],
)
def test_a_value_unless_it_is_blank(given: Any, wanted: Any) -> None:
    assert loaded("unless_blank")(given, "omit") == wanted


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


def test_a_declaration_is_limited_as_the_report_is() -> None:
    zone = {"zone": "a", "namespace": "shop", "tags": [{"name": "app", "tag": tag, "digest": None} for tag in "123"]}
    result: dict[str, Any] = {"images": [], "declared": []}
    found = loaded("declaration")([zone], [result], " app ", "1, 2")
    assert [tag["tag"] for tag in found["undeclared"]] == ["1", "2"]
    with pytest.raises(AnsibleFilterError, match=r"1\.1"):
        loaded("declaration")([zone], [result], None, [1.1])
