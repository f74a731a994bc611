# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests: repeated where that helps, redirected without credentials, authenticated as the server asks."""

from __future__ import annotations

import socket
from typing import cast

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import ConnectionFailedError, UnauthorizedError
from ansible_collections.appuio.registry.plugins.module_utils._http.authentication import Authentication
from ansible_collections.appuio.registry.plugins.module_utils._http.challenges import Challenge, parse_challenges
from ansible_collections.appuio.registry.plugins.module_utils._http.client import HttpClient
from ansible_collections.appuio.registry.plugins.module_utils._http.connection import ServerConnection
from ansible_collections.appuio.registry.plugins.module_utils._http.message import (
    BytesBody,
    Origin,
    Reader,
    Response,
)
from ansible_collections.appuio.registry.plugins.module_utils._http.proxy import proxy_for
from ansible_collections.appuio.registry.plugins.module_utils._http.retry import (
    Attempts,
    ConnectionLostError,
    NotTlsError,
    retry_after,
)
from ansible_collections.appuio.registry.plugins.module_utils._http.token_exchange import TokenExchange
from ansible_collections.appuio.registry.plugins.module_utils._targets import Connection, Credential

from tests.unit.plugins.module_utils._http.scripted_server import Line, ScriptedServer
from tests.unit.plugins.module_utils._http.waits import Waits

SECRET = "sha256~secret"
PULL = frozenset({"repository:a/b:pull"})


def client(server: ScriptedServer, credential: Credential | None = None, retries: int = 2) -> tuple[HttpClient, Waits]:
    waits = Waits()
    return HttpClient(server.origin, Connection(retries=retries, timeout=300), None, credential, waits.clock), waits


def test_a_connection_is_kept_and_a_closed_one_replaced() -> None:
    closing = Line("GET /b", headers={"Connection": "keep-alive"}, body=b"12", cut=2)
    with ScriptedServer(Line("GET /a", body=b"1"), closing, Line("GET /c", body=b"3")) as server:
        http, waits = client(server)
        assert [http.request("GET", path).body for path in ("/a", "/b", "/c")] == [b"1", b"12", b"3"]
        assert server.seen[0].connection == server.seen[1].connection != server.seen[2].connection
        assert waits.waited == []


def test_a_connection_that_the_server_has_closed_is_known_before_anything_is_sent() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        connection = ServerConnection(Origin("http", "localhost", 80), None, None, None, 1, lambda: False)
        assert connection.is_closed_by_peer()
        connection._wire = ours
        assert not connection.is_closed_by_peer()
        theirs.close()
        assert connection.is_closed_by_peer()
        ours.close()
        assert connection.is_closed_by_peer()


def test_what_the_server_has_closed_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(Line("GET /a"), Line("GET /b"), Line("GET /c")) as server:
        http, _waits = client(server)
        http.request("GET", "/a")
        http.request("GET", "/b")
        monkeypatch.setattr(ServerConnection, "is_closed_by_peer", lambda _connection: True)
        http.request("GET", "/c")
        connections = [one.connection for one in server.seen]
        assert connections[0] == connections[1] != connections[2]


def test_what_passes_is_tried_again() -> None:
    lines = [Line("GET /", 503), Line("GET /", 429, {"Retry-After": "7"}), Line("GET /", body=b"x")]
    with ScriptedServer(*lines) as server:
        http, waits = client(server)
        assert http.request("GET", "/").status == 200
        assert waits.waited == [1.0, 7.0]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 416])
def test_what_stays_is_not(status: int) -> None:
    with ScriptedServer(Line("GET /", status)) as server:
        assert client(server)[0].request("GET", "/").status == status


def test_a_cut_answer_is_asked_again_and_told_in_the_end() -> None:
    with ScriptedServer(*[Line("GET /", body=b"12345", cut=3)] * 3) as server:
        http, waits = client(server)
        with pytest.raises(ConnectionLostError, match=server.authority):
            http.request("GET", "/", step="ask")
        assert waits.waited == [1.0, 2.0]


def test_an_api_token_is_sent_at_once_and_nothing_tells_it() -> None:
    credential = Credential(SECRET)
    with ScriptedServer(Line("GET /v2/")) as server:
        client(server, credential)[0].request("GET", "/v2/")
        assert server.seen[0].headers["authorization"] == f"Bearer {SECRET}"
    assert SECRET not in repr(credential)


def test_basic_only_when_asked() -> None:
    asked = Line("GET /v2/", 401, {"WWW-Authenticate": 'Basic realm="x"'})
    with ScriptedServer(asked, Line("GET /v2/"), Line("GET /v2/")) as server:
        http, _waits = client(server, Credential("b", "a", is_token=False))
        assert [http.request("GET", "/v2/").status for _round in range(2)] == [200, 200]
        assert [seen.headers.get("authorization") for seen in server.seen] == [None, "Basic YTpi", "Basic YTpi"]


def test_a_refusal_of_openshift_is_not_asked_twice() -> None:
    refused = Line("GET /v2/", 401, {"WWW-Authenticate": 'Basic realm=openshift,error="access denied"'})
    with ScriptedServer(refused) as server:
        assert client(server, Credential(SECRET))[0].request("GET", "/v2/").status == 401


def test_the_handshake_of_registries_and_a_token_that_ends() -> None:
    with ScriptedServer() as server:
        realm = f'Bearer realm="{server.origin}/token",service="reg",scope="repository:a/b:pull"'
        asked = Line("GET /v2/a/b", 401, {"WWW-Authenticate": realm})
        ended = Line("GET /v2/a/b", 401, {"WWW-Authenticate": f'{realm},error="invalid_token"'})
        token = "GET /token?service=reg&scope=repository%3Aa%2Fb%3Apull"
        server.lines += [asked, Line(token, body=b'{"token": "one"}'), Line("GET /v2/a/b"), ended]
        server.lines += [Line(token, body=b'{"access_token": "two"}'), Line("GET /v2/a/b")]
        http, _waits = client(server, Credential("b", "a", is_token=False))
        assert [http.request("GET", "/v2/a/b", scopes=PULL).status for _round in range(2)] == [200, 200]
        sent = [seen.headers.get("authorization") for seen in server.seen]
        assert sent == [None, "Basic YTpi", "Bearer one", "Bearer one", "Basic YTpi", "Bearer two"]


def test_an_api_token_goes_to_no_other_host() -> None:
    realm = {"WWW-Authenticate": 'Bearer realm="http://auth.example/token"'}
    with ScriptedServer(Line("GET /v2/", 401, realm)) as server, pytest.raises(UnauthorizedError, match="another host"):
        client(server, Credential(SECRET))[0].request("GET", "/v2/")


def test_a_redirect_to_another_origin_gets_no_credential() -> None:
    with ScriptedServer(Line("GET /blob", body=b"x")) as other:
        moved = Line("GET /v2/blob", 307, {"Location": f"{other.origin}/blob"})
        with ScriptedServer(moved, Line("PUT /v2/upload")) as server:
            http, _waits = client(server, Credential(SECRET))
            assert http.request("GET", "/v2/blob").body == b"x"
            assert "authorization" not in other.seen[0].headers
            assert http.request("PUT", f"{server.origin}/v2/upload").status == 200
            assert "authorization" in server.seen[1].headers


def test_nobody_there_is_told() -> None:
    http = HttpClient("http://127.0.0.1:1", Connection(retries=1), clock=Waits().clock)
    with pytest.raises(ConnectionFailedError, match=r"ask: 127.0.0.1:1 refuses connections"):
        http.request("GET", "/", step="ask")


def test_backoff_doubles_and_has_an_end() -> None:
    waits = Waits()
    attempts = Attempts(8, 1.0, waits.clock)
    while attempts.again():
        pass
    assert waits.waited == [1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5", 5),
        ("Thu, 01 Jan 1970 00:16:50 GMT", 10),
        ("Thu, 01 Jan 1970 00:00:01 GMT", 0),
        ("soon", None),
        (None, None),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    from email.message import Message

    headers = Message()
    if value:
        headers["Retry-After"] = value
    assert retry_after(headers, 1_000.0) == seconds


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ('Bearer realm="https://a/b",service="c d"', [("bearer", {"realm": "https://a/b", "service": "c d"})]),
        ('Basic realm=openshift,error="access denied"', [("basic", {"realm": "openshift", "error": "access denied"})]),
        ('Negotiate, Basic realm="x"', [("negotiate", {}), ("basic", {"realm": "x"})]),
        ('Bearer realm="a\\"b"', [("bearer", {"realm": 'a"b'})]),
        ("", []),
    ],
)
def test_challenges(value: str, found: list[tuple[str, dict[str, str]]]) -> None:
    assert [(one.scheme, one.parameters) for one in parse_challenges([value])] == found


def test_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    origin = Origin.of("https://registry.example")
    for name in ("https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert proxy_for(origin, None) is None
    monkeypatch.setenv("HTTPS_PROXY", "http://me:pw@proxy:8080")
    found = proxy_for(origin, None)
    assert found is not None
    assert (found.origin.host, found.origin.port, found.headers) == (
        "proxy",
        8080,
        {"Proxy-Authorization": "Basic bWU6cHc="},
    )
    assert "bWU6cHc" not in repr(found)
    monkeypatch.setenv("NO_PROXY", ".example")
    assert proxy_for(origin, None) is None
    chosen = proxy_for(origin, "http://own:3128")
    assert chosen is not None
    assert chosen.origin.host == "own"


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("https://127.0.0.1:5000", True),
        ("https://127.9.9.9", True),
        ("https://localhost", True),
        ("https://[::1]:5000", True),
        ("https://127.0.0.1.example", False),
        ("https://localhost.example", False),
        ("https://10.0.0.1", False),
    ],
)
def test_loopback(url: str, loopback: bool) -> None:
    assert Origin.of(url).is_loopback is loopback


@pytest.mark.parametrize(
    ("connection", "host", "plain"),
    [
        (Connection(validate_certs=False), "127.0.0.1", True),
        (Connection(), "127.0.0.1", False),
        (Connection(plain_http=True), "127.0.0.1", True),
        (Connection(validate_certs=False), "registry.example", False),
        (Connection(plain_http=True), "registry.example", True),
    ],
)
def test_a_token_goes_in_clear_only_where_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, connection: Connection, host: str, plain: bool
) -> None:
    def resolved(_host: str, port: int, *_more: object, **_named: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    with ScriptedServer() as server:
        port = server.authority.rpartition(":")[2]
        http = HttpClient(
            f"https://{host}:{port}", connection._replace(retries=0, timeout=300), None, Credential(SECRET)
        )
        if plain:
            server.lines.append(Line("GET /v2/"))
            assert http.request("GET", "/v2/").status == 200
        else:
            with pytest.raises(NotTlsError, match="does not speak TLS"):
                http.request("GET", "/v2/")
        http.close()
        assert [seen.headers["authorization"] for seen in server.seen] == [f"Bearer {SECRET}"] * plain


class OpenedBody:
    """A body that is streamed, and that counts how often it was opened."""

    def __init__(self, content: bytes) -> None:
        self._bytes = BytesBody(content)
        self.opened = 0

    @property
    def length(self) -> int:
        return self._bytes.length

    def open(self, offset: int = 0) -> Reader:
        self.opened += 1
        return self._bytes.open(offset)


def test_a_server_that_speaks_without_tls_is_asked_for_it_once() -> None:
    """Each body would be read twice else, from wherever it comes: before its request is refused for want of TLS."""
    with ScriptedServer(Line("GET /v2/"), *[Line("PUT /up", 201)] * 2) as server:
        http = HttpClient(f"https://{server.authority}", Connection(plain_http=True, retries=0, timeout=300))
        assert http.request("GET", "/v2/").status == 200
        bodies = [OpenedBody(b"one"), OpenedBody(b"two")]
        for body in bodies:
            with http.open("PUT", "/up", body=body) as opened:
                assert opened.status == 201
        http.close()
        assert [seen.body for seen in server.seen] == [b"", b"one", b"two"]
        assert [body.opened for body in bodies] == [1, 1]


def test_the_rest_of_a_body_has_the_length_of_the_rest() -> None:
    with ScriptedServer(Line("PATCH /up", 202)) as server:
        with client(server)[0].open("PATCH", "/up", body=BytesBody(b"0123456789"), offset=4) as opened:
            assert opened.status == 202
        assert server.seen[0].headers["content-length"] == "6"
        assert server.seen[0].body == b"456789"


def test_a_credential_that_openshift_refuses_is_not_sent_again() -> None:
    realm = {"WWW-Authenticate": 'Bearer realm="https://registry.example/openshift/token"'}
    with ScriptedServer(Line("GET /v2/", 401, realm)) as server:
        assert client(server, Credential(SECRET))[0].request("GET", "/v2/").status == 401
    with ScriptedServer(*[Line("GET /v2/", 401, realm)] * 2) as server:
        assert client(server, Credential("b", "a", is_token=False))[0].request("GET", "/v2/").status == 401
        assert [seen.headers.get("authorization") for seen in server.seen] == [None, "Basic YTpi"]


def test_a_token_that_another_thread_has_renewed_is_taken() -> None:
    fetched: list[frozenset[str]] = []

    class Exchange:
        def token(self, _challenge: Challenge, scopes: frozenset[str]) -> tuple[str, float]:
            fetched.append(scopes)
            return "new", float("inf")

    realm = Authentication(None, lambda: cast(TokenExchange, Exchange()), lambda: 0.0)
    refused = Response(401)
    refused.headers["WWW-Authenticate"] = 'Bearer realm="https://registry.example/token"'
    assert realm.learn(refused, PULL, None)
    assert realm.header(PULL) == "Bearer new"
    assert realm.learn(refused, PULL, "Bearer old")
    assert fetched == [PULL]


class Streamed:
    """A body that is not in memory."""

    length = 10

    def open(self, offset: int = 0) -> Reader:
        return BytesBody(b"0123456789").open(offset)


def test_a_body_goes_over_a_new_connection_where_a_kept_one_was_closed_under_the_last() -> None:
    lines = [Line("GET /a"), Line("PUT /b", read=0), Line("GET /c"), Line("PUT /d", 201), Line("GET /e")]
    with ScriptedServer(*lines) as server:
        http, _waits = client(server)
        http.request("GET", "/a")
        with pytest.raises(ConnectionLostError), http.open("PUT", "/b", body=Streamed()):
            pass
        http.request("GET", "/c")
        with http.open("PUT", "/d", body=Streamed()) as opened:
            assert opened.status == 201
            opened.finish()
        http.request("GET", "/e")
        connections = [one.connection for one in server.seen]
        assert connections[0] == connections[1] != connections[2] != connections[3]


def test_a_streamed_body_is_not_sent_again_on_another_connection() -> None:
    with ScriptedServer(Line("GET /a"), Line("PUT /b", read=2)) as server:
        http, _waits = client(server)
        http.request("GET", "/a")
        with pytest.raises(ConnectionLostError), http.open("PUT", "/b", body=Streamed()):
            pytest.fail("it was answered")
        assert server.seen[0].connection == server.seen[1].connection
