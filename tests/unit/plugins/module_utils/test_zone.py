# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of a zone: what is none is refused before anything is asked, and no password is shown."""

from __future__ import annotations

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import InvalidOptionError
from ansible_collections.appuio.registry.plugins.module_utils._reference import parse_reference
from ansible_collections.appuio.registry.plugins.module_utils._zone import api_url, registry_host, resolve_zone

ODD = [
    "a..b.example",
    ".example",
    "a.example:99999",
    "a.example:0",
    "-a.example",
    "a" * 64 + ".example",
    "a b",
    "[",
    "é",
]


@pytest.mark.parametrize("value", ODD)
def test_an_address_that_cannot_be_one_is_refused(value: str) -> None:
    with pytest.raises(InvalidOptionError, match="registry"):
        registry_host(value)
    with pytest.raises(InvalidOptionError, match="host"):
        api_url(value)


def test_the_address_of_an_api_is_no_zone() -> None:
    with pytest.raises(InvalidOptionError, match=r"not a zone identifier.*address of an API is the option host"):
        resolve_zone("https://api.cloudscale-lpg-2.appuio.cloud:6443")


def test_an_empty_variable_names_no_zone() -> None:
    for blank in (None, ""):
        with pytest.raises(InvalidOptionError, match=r"no zone is named.*A variable that is empty names none"):
            resolve_zone(blank)


@pytest.mark.parametrize("text", ["a..b.example/app", "a.example:99999/app", "-a.example/app"])
def test_a_reference_has_a_registry_that_can_exist(text: str) -> None:
    with pytest.raises(InvalidOptionError, match="not an image reference"):
        parse_reference(text)


@pytest.mark.parametrize("value", ["me:hidden@a.example", "https://me:hidden@a.example", "me:hid/hidden@a.example"])
def test_a_password_in_an_address_is_refused_and_not_shown(value: str) -> None:
    for read in (registry_host, api_url, lambda text: parse_reference(f"{text}/app")):
        with pytest.raises(InvalidOptionError, match="user name or password") as caught:
            read(value)
        assert "hid" not in str(caught.value)


def test_addresses_are_read_as_they_are_written() -> None:
    assert registry_host("https://Registry.lpg.example:5000/") == "registry.lpg.example:5000"
    assert registry_host("[::1]:5000") == "[::1]:5000"
    assert api_url("api.lpg.example:6443/k8s/clusters/c-1/") == "https://api.lpg.example:6443/k8s/clusters/c-1"
