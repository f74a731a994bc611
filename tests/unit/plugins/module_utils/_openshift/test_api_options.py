# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which API, as whom: a credential goes to its own cluster or nowhere."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import InvalidOptionError
from ansible_collections.appuio.registry.plugins.module_utils._openshift.api_options import (
    api_options,
    check_kubeconfig,
    kubeconfig_server,
)

API = "https://api.cloudscale-lpg-2.appuio.cloud:6443"
ZONE = {"zone": "cloudscale-lpg-2"}
VERIFIED = {"validate_certs": True}


@pytest.mark.parametrize(
    ("given", "environment", "wanted"),
    [
        ({}, {}, {}),
        ({**ZONE, "token": "t"}, {}, {"host": API, "api_key": "t"}),
        ({**ZONE, "token": "t", "host": "https://other:6443/"}, {}, {"host": "https://other:6443", "api_key": "t"}),
        (
            {**ZONE, "base_domain": "example.com", "token": "t"},
            {},
            {"host": API.replace("appuio.cloud", "example.com"), "api_key": "t"},
        ),
        ({**ZONE, "token": "t", "username": "", "ca_cert": None}, {}, {"host": API, "api_key": "t"}),
        ({**ZONE}, {"APPUIO_TOKEN": "e", "K8S_AUTH_API_KEY": "k"}, {"host": API, "api_key": "e"}),
        ({**ZONE}, {"K8S_AUTH_API_KEY": "k", "K8S_AUTH_HOST": API + "/"}, {"host": API, "api_key": "k"}),
        ({**ZONE, "token": "t"}, {"K8S_AUTH_HOST": "https://elsewhere:6443"}, {"host": API, "api_key": "t"}),
        ({"token": "t"}, {"K8S_AUTH_HOST": API}, {"host": API, "api_key": "t"}),
        ({**ZONE, "username": "u", "password": "p"}, {}, {"host": API, "username": "u", "password": "p"}),
        ({**ZONE, "kubeconfig": "k"}, {}, {"kubeconfig": "k"}),
        ({**ZONE, "context": "c"}, {}, {"kubeconfig": "~/.kube/config", "context": "c"}),
        ({**ZONE, "context": "c"}, {"KUBECONFIG": "k"}, {"kubeconfig": "k", "context": "c"}),
        ({**ZONE}, {"K8S_AUTH_KUBECONFIG": "k"}, {"kubeconfig": "k"}),
    ],
)
def test_options(given: dict[str, Any], environment: dict[str, str], wanted: dict[str, Any]) -> None:
    assert api_options(given, environment) == {**VERIFIED, **wanted}


def test_how_is_passed_on() -> None:
    how = {"ca_cert": "ca", "client_cert": "c", "client_key": "k", "proxy": "p", "validate_certs": False}
    assert api_options(how, {}) == how


@pytest.mark.parametrize(
    ("given", "environment", "said"),
    [
        ({**ZONE}, {}, "no credential is given for " + API),
        ({**ZONE, "token": "t", "kubeconfig": "k"}, {}, "token and kubeconfig are given"),
        ({**ZONE, "username": "u"}, {}, "go together"),
        ({"username": "u", "password": "p"}, {}, "no zone"),
        ({"token": "t"}, {}, "no zone"),
        (
            {**ZONE},
            {"K8S_AUTH_API_KEY": "k", "K8S_AUTH_HOST": "https://elsewhere:6443"},
            "K8S_AUTH_HOST is https://elsewhere",
        ),
        ({**ZONE, "context": "c"}, {"KUBECONFIG": "a:b"}, "several files"),
        ({"zone": "Not A Zone", "token": "t"}, {}, "not a zone identifier"),
    ],
)
def test_refuses_what_cannot_be_meant(given: dict[str, Any], environment: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidOptionError) as refused:
        api_options(given, environment)
    assert said in str(refused.value)


KUBECONFIG = {
    "current-context": "one",
    "contexts": [{"name": "one", "context": {"cluster": "a"}}, {"name": "two", "context": {"cluster": "b"}}],
    "clusters": [
        {"name": "a", "cluster": {"server": API}},
        {"name": "b", "cluster": {"server": "https://elsewhere"}},
    ],
}


def test_server_of_a_kubeconfig() -> None:
    assert kubeconfig_server(KUBECONFIG) == API
    assert kubeconfig_server(KUBECONFIG, "two") == "https://elsewhere"


@pytest.mark.parametrize("context", ["three"])
def test_a_context_that_is_not_there(context: str) -> None:
    with pytest.raises(InvalidOptionError, match="three"):
        kubeconfig_server(KUBECONFIG, context)


def test_a_kubeconfig_of_another_cluster() -> None:
    check_kubeconfig(KUBECONFIG, None, API + "/")
    with pytest.raises(InvalidOptionError, match="logged in to https://elsewhere"):
        check_kubeconfig(KUBECONFIG, "two", API)
