# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the API is reached: never in clear without being asked, through the proxy, with certificates verified."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import InvalidOptionError, TlsVerificationError
from ansible_collections.appuio.registry.plugins.module_utils._http.tls import shared_tls_context, tls_context
from ansible_collections.appuio.registry.plugins.module_utils._openshift import client, resources
from ansible_collections.appuio.registry.plugins.module_utils._openshift.client import Api
from ansible_collections.appuio.registry.plugins.module_utils._openshift.resources import ApiAddress
from ansible_collections.appuio.registry.plugins.module_utils._targets import Connection

from tests.unit.plugins.module_utils._http.scripted_server import Line, ScriptedServer, ca_file, server_tls
from tests.unit.plugins.module_utils._http.test_proxy import ProxyServer

FOUND = b'{"kind": "Pod", "metadata": {"name": "app"}}'
POD = "/api/v1/namespaces/shop/pods/app"


def read(url: str, **how: Any) -> Any:
    connection = Connection(**{"retries": 0, "timeout": 300, **how})
    api = Api(ApiAddress(url, connection), "secret")
    try:
        return api.get(resources.POD, "shop", "app", step="look at the pod")
    finally:
        api.close()


def test_an_api_in_clear_is_asked_nothing() -> None:
    with pytest.raises(InvalidOptionError, match=r"http://api.example would get everything in clear.*plain_http"):
        read("http://api.example", validate_certs=False)


@pytest.mark.parametrize("url", ["https://api.example:99999", "https://a..b", "ftp://api.example"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InvalidOptionError, match="is no address of a server"):
        read(url)


def test_an_api_in_clear_on_this_host_is_asked_through_the_proxy() -> None:
    with ScriptedServer(Line(f"GET http://localhost:9{POD}", 200, {}, FOUND)) as server:
        assert read("http://localhost:9", proxy=server.origin.replace("://", "://me:pw@"))["kind"] == "Pod"
        assert server.seen[0].headers["proxy-authorization"] == "Basic bWU6cHc="


@pytest.mark.parametrize("over_tls", [False, True])
def test_an_api_is_asked_through_a_proxy(tmp_path: Path, over_tls: bool) -> None:
    line = Line(f"GET {POD}", 200, {}, FOUND)
    with ProxyServer(server_tls("localhost") if over_tls else None) as proxy:
        with ScriptedServer(line, tls=server_tls()) as server:
            assert read(server.origin, ca_cert=ca_file(tmp_path), proxy=proxy.address)["kind"] == "Pod"
            assert server.seen[0].headers["authorization"] == "Bearer secret"
        assert "secret" not in proxy.heads[0]


def test_the_certificate_of_an_api_is_verified() -> None:
    with ScriptedServer(tls=server_tls()) as server:
        with pytest.raises(TlsVerificationError, match="not trusted"):
            read(server.origin)
        assert server.seen == []


def test_an_api_client_gets_no_context_of_a_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """urllib3 changes what a context checks."""
    authorities = ca_file(tmp_path)
    made: list[Any] = []

    def recorded(*how: Any) -> Any:
        made.append(tls_context(*how))
        return made[-1]

    monkeypatch.setattr(client, "tls_context", recorded)
    client._dynamic_client(ApiAddress("https://api.example", Connection(ca_cert=authorities)), "secret")
    assert len(made) == 1
    assert made[0] is not shared_tls_context(True, authorities)
