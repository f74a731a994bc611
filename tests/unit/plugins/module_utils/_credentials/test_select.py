# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who a target is: the table of options and environment, and what wins."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._credentials.auth_file import AuthFileMethod
from ansible_collections.appuio.registry.plugins.module_utils._credentials.kubeconfig_method import KubeconfigMethod
from ansible_collections.appuio.registry.plugins.module_utils._credentials.method import Method, TokenMethod
from ansible_collections.appuio.registry.plugins.module_utils._credentials.password_method import PasswordMethod
from ansible_collections.appuio.registry.plugins.module_utils._credentials.select import select_method
from ansible_collections.appuio.registry.plugins.module_utils._errors import InvalidOptionError
from ansible_collections.appuio.registry.plugins.module_utils._targets import RunContext, Target, targets_from

ZONE = {"zone": "cloudscale-lpg-2"}
API = "https://api.cloudscale-lpg-2.appuio.cloud:6443"
BOTH = "the options username and password"
OTHER = "https://api.exoscale-ch-gva-2-0.appuio.cloud:6443"

# options, environment, what is chosen; each environment below beats those after it


def told(method: Method) -> tuple[object, ...]:
    """Return what kind of method it is, and what it holds."""
    held: dict[type[Method], tuple[str, ...]] = {
        TokenMethod: ("secret",),
        PasswordMethod: ("user", "secret"),
        KubeconfigMethod: ("path", "named_context"),
        AuthFileMethod: ("path",),
    }
    return (type(method), *(getattr(method, name) for name in held[type(method)]), method.origin)


def chosen_for(target: Target, environment: dict[str, str]) -> Method:
    return select_method(target, RunContext(environment))


PRECEDENCE: list[tuple[dict[str, Any], dict[str, str], Any]] = [
    ({"token": "t"}, {"APPUIO_TOKEN": "e"}, (TokenMethod, "t", "the option token")),
    (
        {"username": "u", "password": "p"},
        {"APPUIO_TOKEN": "e"},
        (PasswordMethod, "u", "p", "the options username and password"),
    ),
    ({"kubeconfig": "/k"}, {"APPUIO_TOKEN": "e"}, (KubeconfigMethod, "/k", None, "the option kubeconfig")),
    ({"context": "c"}, {"APPUIO_TOKEN": "e"}, (KubeconfigMethod, None, "c", "the option kubeconfig")),
    ({"auth_file": "/a"}, {"APPUIO_TOKEN": "e"}, (AuthFileMethod, "/a", "the option auth_file")),
    ({}, {"APPUIO_TOKEN": "e", "K8S_AUTH_API_KEY": "k"}, (TokenMethod, "e", "APPUIO_TOKEN")),
    (
        {},
        {"K8S_AUTH_API_KEY": "k", "K8S_AUTH_USERNAME": "u", "K8S_AUTH_PASSWORD": "p"},
        (TokenMethod, "k", "K8S_AUTH_API_KEY"),
    ),
    (
        {},
        {"K8S_AUTH_USERNAME": "u", "K8S_AUTH_PASSWORD": "p", "K8S_AUTH_KUBECONFIG": "/k"},
        (PasswordMethod, "u", "p", "K8S_AUTH_USERNAME and K8S_AUTH_PASSWORD"),
    ),
    (
        {},
        {"K8S_AUTH_KUBECONFIG": "/k", "K8S_AUTH_CONTEXT": "c", "REGISTRY_AUTH_FILE": "/a"},
        (KubeconfigMethod, "/k", "c", "K8S_AUTH_KUBECONFIG"),
    ),
    ({}, {"K8S_AUTH_CONTEXT": "c", "REGISTRY_AUTH_FILE": "/a"}, (KubeconfigMethod, None, "c", "K8S_AUTH_CONTEXT")),
    ({}, {"REGISTRY_AUTH_FILE": "/a"}, (AuthFileMethod, "/a", "REGISTRY_AUTH_FILE")),
    ({}, {"K8S_AUTH_API_KEY": "k", "K8S_AUTH_HOST": API}, (TokenMethod, "k", "K8S_AUTH_API_KEY")),
    ({"token": "t"}, {"K8S_AUTH_HOST": OTHER}, (TokenMethod, "t", "the option token")),
    ({}, {"APPUIO_TOKEN": "", "K8S_AUTH_API_KEY": "k"}, (TokenMethod, "k", "K8S_AUTH_API_KEY")),
]


@pytest.mark.parametrize(("options", "environment", "chosen"), PRECEDENCE)
def test_an_option_wins_then_the_environment(
    options: dict[str, Any], environment: dict[str, str], chosen: object
) -> None:
    found = chosen_for(targets_from({**ZONE, **options})[0], environment)
    assert told(found) == chosen
    assert found.from_environment is not bool(options)


@pytest.mark.parametrize(
    ("options", "environment", "message"),
    [
        ({}, {}, "A variable of a role or playbook that is empty, as oc whoami -t leaves it"),
        ({}, {"APPUIO_TOKEN": ""}, "no credential is given: the variable APPUIO_TOKEN is empty"),
        (
            {},
            {"APPUIO_TOKEN": " \n"},
            "APPUIO_TOKEN is empty. The variable or command that it comes from gave nothing",
        ),
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
def test_what_cannot_be_meant(options: dict[str, Any], environment: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidOptionError) as refused:
        chosen_for(targets_from({**ZONE, **options})[0], environment)
    assert message in str(refused.value)
    assert "zone cloudscale-lpg-2" in str(refused.value)


@pytest.mark.parametrize("variable", ["K8S_AUTH_API_KEY", "K8S_AUTH_KUBECONFIG"])
def test_a_clusters_credential_goes_to_no_registry_that_may_be_elsewhere(variable: str) -> None:
    with pytest.raises(InvalidOptionError, match=r"nothing says that the registry quay\.io belongs"):
        chosen_for(targets_from({"registry": "quay.io"})[0], {variable: "k"})


def test_a_token_for_this_collection_goes_to_the_registry_that_is_named() -> None:
    found = chosen_for(targets_from({"registry": "registry.example.com"})[0], {"APPUIO_TOKEN": "e"})
    assert told(found) == (TokenMethod, "e", "APPUIO_TOKEN")


def test_each_zone_has_its_own() -> None:
    targets = targets_from(
        {
            "token": "t",
            "zones": ["a-b-1", {"zone": "a-b-2", "token": "u"}, {"zone": "a-b-3", "username": "n", "password": "p"}],
        }
    )
    found = [told(chosen_for(target, {"APPUIO_TOKEN": "e"})) for target in targets]
    assert found == [
        (TokenMethod, "t", "the option token"),
        (TokenMethod, "u", "the option token"),
        (PasswordMethod, "n", "p", BOTH),
    ]


def test_no_secret_is_in_the_representation() -> None:
    for options in ({"token": "marker"}, {"username": "u", "password": "marker"}):
        target = targets_from({**ZONE, **options})[0]
        assert "marker" not in repr(chosen_for(target, {})) + repr(target)
