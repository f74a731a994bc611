# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who a target is: the table of options and environment, and what wins."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._credentials.kinds import (
    AuthFile,
    Kubeconfig,
    Password,
    Token,
    check_credentials,
    choose,
)
from ansible_collections.appuio.registry.plugins.module_utils._errors import InvalidOptionError
from ansible_collections.appuio.registry.plugins.module_utils._targets import targets_from

ZONE = {"zone": "cloudscale-lpg-2"}
API = "https://api.cloudscale-lpg-2.appuio.cloud:6443"
BOTH = "the options username and password"
OTHER = "https://api.exoscale-ch-gva-2-0.appuio.cloud:6443"

# options, environment, what is chosen; each environment below beats those after it
PRECEDENCE: list[tuple[dict[str, Any], dict[str, str], Any]] = [
    ({"token": "t"}, {"APPUIO_TOKEN": "e"}, Token("t", "the option token")),
    (
        {"username": "u", "password": "p"},
        {"APPUIO_TOKEN": "e"},
        Password("u", "p", "the options username and password"),
    ),
    ({"kubeconfig": "/k"}, {"APPUIO_TOKEN": "e"}, Kubeconfig("/k", None, "the option kubeconfig")),
    ({"context": "c"}, {"APPUIO_TOKEN": "e"}, Kubeconfig(None, "c", "the option kubeconfig")),
    ({"auth_file": "/a"}, {"APPUIO_TOKEN": "e"}, AuthFile("/a", "the option auth_file")),
    ({}, {"APPUIO_TOKEN": "e", "K8S_AUTH_API_KEY": "k"}, Token("e", "APPUIO_TOKEN")),
    (
        {},
        {"K8S_AUTH_API_KEY": "k", "K8S_AUTH_USERNAME": "u", "K8S_AUTH_PASSWORD": "p"},
        Token("k", "K8S_AUTH_API_KEY"),
    ),
    (
        {},
        {"K8S_AUTH_USERNAME": "u", "K8S_AUTH_PASSWORD": "p", "K8S_AUTH_KUBECONFIG": "/k"},
        Password("u", "p", "K8S_AUTH_USERNAME and K8S_AUTH_PASSWORD"),
    ),
    (
        {},
        {"K8S_AUTH_KUBECONFIG": "/k", "K8S_AUTH_CONTEXT": "c", "REGISTRY_AUTH_FILE": "/a"},
        Kubeconfig("/k", "c", "K8S_AUTH_KUBECONFIG"),
    ),
    ({}, {"K8S_AUTH_CONTEXT": "c", "REGISTRY_AUTH_FILE": "/a"}, Kubeconfig(None, "c", "K8S_AUTH_CONTEXT")),
    ({}, {"REGISTRY_AUTH_FILE": "/a"}, AuthFile("/a", "REGISTRY_AUTH_FILE")),
    ({}, {"K8S_AUTH_API_KEY": "k", "K8S_AUTH_HOST": API}, Token("k", "K8S_AUTH_API_KEY")),
    ({"token": "t"}, {"K8S_AUTH_HOST": OTHER}, Token("t", "the option token")),
    ({}, {"APPUIO_TOKEN": "", "K8S_AUTH_API_KEY": "k"}, Token("k", "K8S_AUTH_API_KEY")),
]


@pytest.mark.parametrize(("options", "environment", "chosen"), PRECEDENCE)
def test_an_option_wins_then_the_environment(
    options: dict[str, Any], environment: dict[str, str], chosen: object
) -> None:
    found = choose(targets_from({**ZONE, **options})[0], environment)
    assert found.kind == chosen
    assert found.environment is not bool(options)


@pytest.mark.parametrize(
    ("options", "environment", "said"),
    [
        ({}, {}, "no credential is given"),
        ({"token": "t", "username": "u", "password": "p"}, {}, "token, username and password are given"),
        ({"token": "t", "kubeconfig": "/k"}, {}, "token, kubeconfig are given"),
        ({"kubeconfig": "/k", "auth_file": "/a"}, {}, "kubeconfig, auth_file are given"),
        ({"token": ""}, {"APPUIO_TOKEN": "e"}, "token is empty"),
        ({"token": 5}, {}, "token is not a text"),
        ({"username": "u"}, {"APPUIO_TOKEN": "e"}, "username needs password"),
        ({"password": "p"}, {}, "password needs username"),
        ({"username": "a:b", "token": "t"}, {}, "holds a colon"),
        ({"service_account": "sa", "token": "t"}, {}, "service_account needs namespace"),
        ({"service_account": "sa", "namespace": "n"}, {}, "no credential is given"),
        ({"service_account": "sa", "namespace": "n", "auth_file": "/a"}, {}, "auth_file gives no access"),
        ({}, {"K8S_AUTH_API_KEY": "k", "K8S_AUTH_HOST": OTHER}, "not sent to another"),
        ({}, {"APPUIO_TOKEN": "k", "K8S_AUTH_HOST": OTHER}, "not sent to another"),
        ({"kubeconfig": "/k"}, {"K8S_AUTH_HOST": OTHER}, "not sent to another"),
        ({}, {"K8S_AUTH_USERNAME": "a:b", "K8S_AUTH_PASSWORD": "p"}, "holds a colon"),
    ],
)
def test_what_cannot_be_meant(options: dict[str, Any], environment: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidOptionError) as refused:
        check_credentials(targets_from({**ZONE, **options}), environment)
    assert said in str(refused.value)
    assert "zone cloudscale-lpg-2" in str(refused.value)


@pytest.mark.parametrize("variable", ["K8S_AUTH_API_KEY", "K8S_AUTH_KUBECONFIG"])
def test_a_clusters_credential_goes_to_no_registry_that_may_be_elsewhere(variable: str) -> None:
    with pytest.raises(InvalidOptionError, match=r"nothing says that the registry quay\.io belongs"):
        choose(targets_from({"registry": "quay.io"})[0], {variable: "k"})


def test_a_token_for_this_collection_goes_to_the_registry_that_is_named() -> None:
    found = choose(targets_from({"registry": "registry.example.com"})[0], {"APPUIO_TOKEN": "e"})
    assert found.kind == Token("e", "APPUIO_TOKEN")


def test_each_zone_has_its_own() -> None:
    targets = targets_from(
        {
            "token": "t",
            "zones": ["a-b-1", {"zone": "a-b-2", "token": "u"}, {"zone": "a-b-3", "username": "n", "password": "p"}],
        }
    )
    found = [choose(target, {"APPUIO_TOKEN": "e"}).kind for target in targets]
    assert found == [
        Token("t", "the option token"),
        Token("u", "the option token"),
        Password("n", "p", BOTH),
    ]


def test_no_secret_is_in_the_representation() -> None:
    for options in ({"token": "marker"}, {"username": "u", "password": "marker"}):
        target = targets_from({**ZONE, **options})[0]
        assert "marker" not in repr(choose(target, {})) + repr(target)
