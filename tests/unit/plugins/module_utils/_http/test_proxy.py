# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proxies: which one, on which port, over TLS or not; what it is told, and what is said when it fails."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import (
    AppuioError,
    ConnectionFailedError,
    InvalidOptionError,
    TlsVerificationError,
    UnauthorizedError,
)
from ansible_collections.appuio.registry.plugins.module_utils._http.client import HttpClient
from ansible_collections.appuio.registry.plugins.module_utils._http.message import Origin
from ansible_collections.appuio.registry.plugins.module_utils._http.proxy import proxy_for
from ansible_collections.appuio.registry.plugins.module_utils._http.retry import ConnectionLostError
from ansible_collections.appuio.registry.plugins.module_utils._targets import Connection, Credential

from tests.unit.plugins.module_utils._http.scripted_server import Line, ScriptedServer, ca_file, server_tls
from tests.unit.plugins.module_utils._http.waits import Waits

ZONE = Origin.of("https://registry.lpg.example:5000")


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("http://proxy", "http://proxy"),
        ("proxy", "http://proxy"),
        ("https://proxy", "https://proxy"),
        ("http://proxy:3128/", "http://proxy:3128"),
        ("proxy:3128", "http://proxy:3128"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        (" http://me:p%40w@proxy ", "http://proxy"),
    ],
)
def test_a_proxy_without_a_port_is_on_that_of_its_scheme(address: str, origin: str) -> None:
    found = proxy_for(ZONE, address, {})
    assert found is not None
    assert str(found.origin) == origin
    assert found.origin.port == Origin.of(origin).port


def test_user_and_password_are_decoded_for_the_proxy() -> None:
    found = proxy_for(ZONE, "http://me:p%40w@proxy", {})
    assert found is not None
    assert found.headers == {"Proxy-Authorization": "Basic bWU6cEB3"}


@pytest.mark.parametrize(
    "address", ["socks5://me:hidden@proxy:1080", "http://me:hidden@:x", "http://", "http://a:99999"]
)
def test_what_is_no_proxy_is_refused_without_its_password(address: str) -> None:
    with pytest.raises(InvalidOptionError, match=r"^(proxy|HTTPS_PROXY) .*Write it as") as caught:
        proxy_for(ZONE, address, {})
    assert "hidden" not in str(caught.value)
    with pytest.raises(InvalidOptionError, match=r"^HTTPS_PROXY "):
        proxy_for(ZONE, None, {"HTTPS_PROXY": address})


@pytest.mark.parametrize(
    ("environment", "host"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://upper"}, "upper"),
        ({"https_proxy": "http://lower", "HTTPS_PROXY": "http://upper"}, "lower"),
        ({"HTTP_PROXY": "http://plain"}, None),
        ({"ALL_PROXY": "http://all"}, "all"),
        ({"https_proxy": "", "HTTPS_PROXY": ""}, None),
    ],
)
def test_the_environment_names_a_proxy(environment: dict[str, str], host: str | None) -> None:
    found = proxy_for(ZONE, None, environment)
    assert (found.origin.host if found else None) == host


def test_http_proxy_of_a_web_server_is_not_believed() -> None:
    origin = Origin.of("http://registry.example")
    assert proxy_for(origin, None, {"HTTP_PROXY": "http://p"}) is not None
    assert proxy_for(origin, None, {"HTTP_PROXY": "http://p", "REQUEST_METHOD": "GET"}) is None


@pytest.mark.parametrize(
    ("excluded", "host", "direct"),
    [
        ("*", "a.example", True),
        ("example", "a.example", True),
        (".example", "a.example", True),
        ("*.example", "a.example", True),
        ("A.Example", "a.example", True),
        ("b.example, a.example", "a.example", True),
        ("b.example a.example", "a.example", True),
        ("ample", "a.example", False),
        ("a.example.org", "a.example", False),
        ("a.example:5000", "a.example", True),
        ("a.example:443", "a.example", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.0.0.0/8", "a.example", False),
        ("nonsense/99", "10.1.2.3", False),
        ("127.0.0.1", "127.0.0.1", True),
        ("::1", "[::1]", True),
        ("[::1]:5000", "[::1]", True),
        ("[::1]:443", "[::1]", False),
        ("fd00::/8", "[fd00::1]", True),
        ("", "a.example", False),
    ],
)
def test_no_proxy(excluded: str, host: str, direct: bool) -> None:
    origin = Origin.of(f"https://{host}:5000")
    for name in ("NO_PROXY", "no_proxy"):
        found = proxy_for(origin, None, {"HTTPS_PROXY": "http://proxy", name: excluded})
        assert (found is None) is direct
    assert proxy_for(origin, "http://proxy", {"NO_PROXY": "*"}) is not None


class ProxyServer:
    """A proxy on loopback that answers CONNECT with a status line, and passes bytes on after a 200."""

    def __init__(self, tls: ssl.SSLContext | None = None, status: str = "200 OK") -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._tls = tls
        self._status = status
        self.address = f"{'https' if tls else 'http'}://localhost:{self._listener.getsockname()[1]}"
        self.heads: list[str] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                taken, _address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(taken,), daemon=True).start()

    def _pass_on(self, taken: socket.socket) -> None:
        try:
            near = self._tls.wrap_socket(taken, server_side=True) if self._tls else taken
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += near.recv(1) or b"\r\n\r\n"
                if head[0] == 0x16:  # the handshake of TLS
                    near.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    near.close()
                    return
            self.heads.append(head.decode())
            near.sendall(f"HTTP/1.1 {self._status}\r\n\r\n".encode())
            if not self._status.startswith("200"):
                near.close()
                return
            host, _colon, port = head.split()[1].decode().rpartition(":")
            far = socket.create_connection((host, int(port)))
            threading.Thread(target=_copy, args=(far, near), daemon=True).start()
            _copy(near, far)
        except OSError:
            pass

    def __enter__(self) -> ProxyServer:
        return self

    def __exit__(self, *_error: object) -> None:
        self._listener.close()


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while block := source.recv(65536):
            target.sendall(block)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def client(server: ScriptedServer, proxy: str, folder: Path, retries: int = 0) -> HttpClient:
    connection = Connection(retries=retries, timeout=300, proxy=proxy)
    return HttpClient(server.origin, connection, ca_file(folder), Credential("secret"), Waits().clock)


@pytest.mark.parametrize("over_tls", [False, True])
def test_a_server_with_tls_is_reached_through_a_proxy(tmp_path: Path, over_tls: bool) -> None:
    big = bytes(range(256)) * 8000
    lines = [Line("GET /a", body=big), Line("PUT /b", 201), Line("GET /c", headers={"Connection": "close"}, body=b"c")]
    with ProxyServer(server_tls("localhost") if over_tls else None) as proxy:
        with ScriptedServer(*lines, Line("HEAD /d"), tls=server_tls()) as server:
            http = client(server, proxy.address.replace("://", "://me:pw@"), tmp_path)
            assert http.request("GET", "/a").body == big
            assert http.request("PUT", "/b", body=big).status == 201
            assert http.request("GET", "/c").body == b"c"
            assert http.request("HEAD", "/d").status == 200
            http.close()
            assert server.seen[1].body == big
            assert all("proxy-authorization" not in seen.headers for seen in server.seen)
        assert len(proxy.heads) == 2
        assert f"CONNECT {server.authority} HTTP/1.1" in proxy.heads[0]
        assert "Proxy-Authorization: Basic bWU6cHc=" in proxy.heads[0]
        assert "secret" not in proxy.heads[0]


def test_a_certificate_behind_an_https_proxy_is_verified(tmp_path: Path) -> None:
    with ProxyServer(server_tls("localhost")) as proxy, ScriptedServer(tls=server_tls("other.example")) as server:
        with pytest.raises(TlsVerificationError, match=f"certificate of {server.authority}"):
            client(server, proxy.address, tmp_path).request("GET", "/")
        assert server.seen == []


def test_the_certificate_of_a_proxy_is_verified(tmp_path: Path) -> None:
    with ProxyServer(server_tls("other.example")) as proxy, ScriptedServer(tls=server_tls()) as server:
        with pytest.raises(TlsVerificationError, match="certificate of the proxy localhost"):
            client(server, proxy.address, tmp_path).request("GET", "/")
        assert proxy.heads == []


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        ("407 Proxy Authentication Required", UnauthorizedError, r"the proxy localhost:\d+ wants a user name"),
        (
            "403 Forbidden",
            ConnectionFailedError,
            r"the proxy localhost:\d+ does not connect to .*403 Forbidden.*NO_PROXY",
        ),
        ("503 No way", ConnectionLostError, r"the proxy localhost:\d+ does not connect to .*503 No way.*Can the proxy"),
    ],
)
def test_a_proxy_that_refuses_is_named(status: str, kind: type[AppuioError], said: str) -> None:
    with ProxyServer(status=status) as proxy, pytest.raises(kind, match=said):
        HttpClient("https://127.0.0.1:1", Connection(retries=0, timeout=300, proxy=proxy.address)).request("GET", "/")


def test_a_proxy_that_is_not_there_is_named(tmp_path: Path) -> None:
    with (
        ScriptedServer(tls=server_tls()) as server,
        pytest.raises(ConnectionLostError, match=r"^the proxy 127.0.0.1:1 "),
    ):
        client(server, "http://127.0.0.1:1", tmp_path).request("GET", "/")


def test_a_proxy_that_does_not_speak_tls_does_not_make_the_server_plain(tmp_path: Path) -> None:
    with ProxyServer() as proxy, ScriptedServer(tls=server_tls()) as server:
        connection = Connection(
            retries=0,
            timeout=300,
            proxy=proxy.address.replace("http:", "https:"),
            plain_http=True,
            validate_certs=False,
        )
        with pytest.raises(ConnectionFailedError, match=r"the proxy localhost.* does not speak TLS"):
            HttpClient(server.origin, connection).request("GET", "/")
        assert server.seen == []


def test_a_server_without_tls_is_asked_through_the_proxy(tmp_path: Path) -> None:
    with ScriptedServer() as server:
        server.lines.append(Line("GET http://localhost:9/a", body=b"x"))
        connection = Connection(retries=0, timeout=300, proxy=server.origin.replace("://", "://me:pw@"))
        http = HttpClient("http://localhost:9", connection, None, None, Waits().clock)
        assert http.request("GET", "/a").body == b"x"
        assert server.seen[0].headers["proxy-authorization"] == "Basic bWU6cHc="
