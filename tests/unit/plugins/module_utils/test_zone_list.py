# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones as inventory hosts."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import InvalidOptionError
from ansible_collections.appuio.registry.plugins.module_utils._zone_list import (
    hosts_of_control_api,
    provider_and_region,
    zone_hosts,
)


@pytest.mark.parametrize(
    ("zone", "place"),
    [
        ("cloudscale-lpg-2", ("cloudscale", "lpg")),
        ("exoscale-ch-gva-2-0", ("exoscale", "ch-gva-2")),
        ("cloudscale-rma", ("cloudscale", "rma")),
        ("exoscale-ch-gva", ("exoscale", "ch-gva")),
        ("lab", ("lab", "")),
    ],
)
def test_provider_and_region_of_a_zone(zone: str, place: tuple[str, str]) -> None:
    assert provider_and_region(zone) == place


def test_a_zone_by_its_name() -> None:
    (host,) = zone_hosts(["cloudscale-lpg-2"])
    assert host.name == "cloudscale-lpg-2"
    assert host.variables == {
        "appuio_zone": "cloudscale-lpg-2",
        "appuio_registry": "registry.cloudscale-lpg-2.appuio.cloud",
        "appuio_host": "https://api.cloudscale-lpg-2.appuio.cloud:6443",
    }


def test_addresses_and_variables_of_an_entry_win() -> None:
    entry = {"zone": "cloudscale-lpg-2", "name": "here", "registry": "https://r:5000/", "appuio_namespace": "shop"}
    (host,) = zone_hosts([entry])
    assert host.name == "here"
    assert host.variables == {
        "appuio_zone": "cloudscale-lpg-2",
        "appuio_registry": "r:5000",
        "appuio_host": "https://api.cloudscale-lpg-2.appuio.cloud:6443",
        "appuio_namespace": "shop",
    }


def test_a_cluster_that_is_no_zone() -> None:
    (host,) = zone_hosts([{"name": "lab", "registry": "r.lab", "host": "https://api.lab"}])
    assert (host.variables["appuio_zone"], host.provider) == ("lab", "")


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([1], "neither a zone identifier nor a dictionary"),
        ([{"name": "lab", "registry": "r"}], "neither zone, nor name, registry and host"),
        (["cloudscale-lpg-2", {"zone": "cloudscale-lpg-2"}], "cloudscale-lpg-2 more than once"),
        (["Not A Zone"], "cannot be the name"),
        (["UPPER"], "not a zone identifier"),
        ([{"zone": "a-b-1", "name": "two words"}], "cannot be the name"),
        ([{"zone": "a-b-1", "regsitry": "r"}], "unknown key regsitry. Is registry meant"),
        ([{"zone": "a-b-1", "hots": "r"}], "unknown key hots. Is host meant"),
        ([{"zone": "a-b-1", "namespace": "shop"}], "unknown key namespace. .*appuio_namespace"),
        ([{"zone": "a-b-1", "api_key": "t"}], "unknown key api_key. .*appuio_api_key"),
        (["https://api.a-b-1.appuio.cloud:6443"], "is a URL, not a zone identifier"),
    ],
)
def test_refuses_what_cannot_be_meant(entries: list[Any], said: str) -> None:
    with pytest.raises(InvalidOptionError, match=said):
        zone_hosts(entries)


def test_other_keys_become_variables() -> None:
    (host,) = zone_hosts([{"zone": "cloudscale-lpg-2", "stage": "production", "appuio_tags": ["a"]}])
    assert (host.variables["stage"], host.variables["appuio_tags"]) == ("production", ["a"])


def test_a_zone_of_the_control_api() -> None:
    data = {
        "displayName": "Cloudscale LPG 2",
        "urls": {"registry": "https://registry.example.com/", "console": "https://console.example.com"},
        "cloudProvider": {"name": "cloudscale", "region": "lpg1"},
        "features": {"openshiftVersion": "4.21"},
    }
    (host,) = hosts_of_control_api([{"metadata": {"name": "cloudscale-lpg-2"}, "data": data}])
    assert (host.name, host.provider, host.region) == ("cloudscale-lpg-2", "cloudscale", "lpg1")
    assert host.variables == {
        "appuio_zone": "cloudscale-lpg-2",
        "appuio_registry": "registry.example.com",
        "appuio_host": "https://api.cloudscale-lpg-2.appuio.cloud:6443",
        "appuio_display_name": "Cloudscale LPG 2",
        "appuio_console": "https://console.example.com",
        "appuio_features": {"openshiftVersion": "4.21"},
    }


def test_a_zone_of_the_control_api_that_says_nothing() -> None:
    (host,) = hosts_of_control_api([{"metadata": {"name": "exoscale-ch-gva-2-0"}}])
    assert (host.provider, host.region) == ("exoscale", "ch-gva-2")
    assert host.variables["appuio_registry"] == "registry.exoscale-ch-gva-2-0.appuio.cloud"
