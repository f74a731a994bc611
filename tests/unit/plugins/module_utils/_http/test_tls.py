# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes to whom: certificates are verified, TLS is not given up, credentials stay with their own origin."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import (
    AppuioError,
    ConnectionFailedError,
    InvalidOptionError,
    ServerError,
    TlsVerificationError,
    UnauthorizedError,
)
from ansible_collections.appuio.registry.plugins.module_utils._http import transports
from ansible_collections.appuio.registry.plugins.module_utils._http.client import HttpClient
from ansible_collections.appuio.registry.plugins.module_utils._http.tls import hashed_authorities, shared_tls_context
from ansible_collections.appuio.registry.plugins.module_utils._targets import Connection, Credential

from tests.unit.plugins.module_utils._http.scripted_server import (
    Line,
    ScriptedServer,
    authority,
    ca_file,
    server_tls,
)
from tests.unit.plugins.module_utils._http.waits import Waits

SECRET = "sha256~secret"
TOKEN = Credential(SECRET)
PASSWORD = Credential("pw", "me", is_token=False)


def client(
    server: ScriptedServer, folder: Path | None, credential: Credential | None = TOKEN, **how: Any
) -> HttpClient:
    connection = Connection(**{"retries": 0, "timeout": 300, **how})
    return HttpClient(server.origin, connection, ca_file(folder) if folder else None, credential, Waits().clock)


def test_a_trusted_server_gets_the_token(tmp_path: Path) -> None:
    with ScriptedServer(Line("GET /v2/"), tls=server_tls()) as server:
        assert client(server, tmp_path).request("GET", "/v2/").status == 200
        assert server.seen[0].headers["authorization"] == f"Bearer {SECRET}"


def test_a_certificate_of_an_unknown_authority_is_refused() -> None:
    with ScriptedServer(tls=server_tls()) as server:
        with pytest.raises(TlsVerificationError, match=r"is not trusted.*ca_cert"):
            client(server, None).request("GET", "/v2/")
        assert server.seen == []


def test_a_client_certificate_does_not_make_a_server_trusted(tmp_path: Path) -> None:
    pem = tmp_path / "client.pem"
    authority().issue_cert("pusher.example").private_key_and_cert_chain_pem.write_to_path(str(pem))
    with ScriptedServer(tls=server_tls(asks=True)) as server:
        with pytest.raises(TlsVerificationError, match="is not trusted"):
            client(server, None, client_cert=str(pem)).request("GET", "/v2/")
        assert server.seen == []


def test_a_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    with ScriptedServer(tls=server_tls("registry.example")) as server:
        with pytest.raises(TlsVerificationError, match="is not trusted"):
            client(server, tmp_path).request("GET", "/v2/")
        assert server.seen == []


def test_what_the_directory_of_authorities_lacks_stands_in_the_file_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transports, "hashed_authorities", lambda: str(tmp_path))
    monkeypatch.setenv("SSL_CERT_FILE", ca_file(tmp_path))
    shared_tls_context.cache_clear()
    try:
        with ScriptedServer(Line("GET /v2/"), Line("GET /v2/"), tls=server_tls()) as server:
            http = client(server, None)
            assert [http.request("GET", "/v2/").status for _time in range(2)] == [200, 200]
        with ScriptedServer(tls=server_tls("registry.example")) as server:
            with pytest.raises(TlsVerificationError, match="is not trusted"):
                client(server, None).request("GET", "/v2/")
            assert server.seen == []
    finally:
        shared_tls_context.cache_clear()


def test_all_authorities_are_read_only_where_the_directory_lacks_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str | None] = []

    def context(verify: bool, authorities: str | None, *, directory: str | None) -> Any:
        read.append(directory)
        return shared_tls_context(verify, authorities, directory=directory)

    monkeypatch.setattr(transports, "hashed_authorities", lambda: str(tmp_path))
    monkeypatch.setattr(transports, "shared_tls_context", context)
    with ScriptedServer(Line("GET /v2/"), tls=server_tls()) as server:
        assert client(server, tmp_path).request("GET", "/v2/").status == 200
    assert read == [str(tmp_path)]
    with ScriptedServer(tls=server_tls("registry.example")) as server, pytest.raises(TlsVerificationError):
        client(server, tmp_path).request("GET", "/v2/")
    assert read == [str(tmp_path), str(tmp_path), None]


def test_a_directory_counts_where_names_of_authorities_are_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found() -> str | None:
        hashed_authorities.cache_clear()
        return hashed_authorities()

    try:
        monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
        assert found() is None
        monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
        (tmp_path / "bundle.crt").touch()
        assert found() is None
        (tmp_path / "4042bcee.0").touch()
        assert found() == str(tmp_path)
    finally:
        hashed_authorities.cache_clear()


def test_without_verification_any_certificate_does(tmp_path: Path) -> None:
    with ScriptedServer(Line("GET /v2/"), tls=server_tls("registry.example")) as server:
        assert client(server, None, validate_certs=False).request("GET", "/v2/").status == 200


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirection_does_not_give_up_tls(tmp_path: Path, status: int) -> None:
    with ScriptedServer() as other:
        moved = Line("GET /blob", status, {"Location": f"http://localhost:{other.authority.partition(':')[2]}/blob"})
        refused = pytest.raises(ConnectionFailedError, match=r"not safe: there is no TLS.*\. ")
        with ScriptedServer(moved, tls=server_tls()) as server, refused:
            client(server, tmp_path).request("GET", "/blob")
        assert other.seen == []


def test_a_location_does_not_give_up_tls(tmp_path: Path) -> None:
    with ScriptedServer() as other, ScriptedServer(tls=server_tls()) as server:
        location = f"http://localhost:{other.authority.partition(':')[2]}/upload"
        with pytest.raises(ConnectionFailedError, match="not safe"):
            client(server, tmp_path).request("PUT", location, body=b"x")
        assert other.seen == []


def test_an_address_of_its_own_host_stays_with_tls(tmp_path: Path) -> None:
    moved = Line("GET /a", 307, {"Location": "http://127.0.0.1/b"})
    with ScriptedServer(moved, Line("GET /b"), Line("PUT /c"), tls=server_tls()) as server:
        http = client(server, tmp_path)
        assert http.request("GET", "/a").status == 200
        assert http.request("PUT", f"http://{server.authority}/c", body=b"x").status == 200
        assert {seen.headers["authorization"] for seen in server.seen} == {f"Bearer {SECRET}"}
        assert len({seen.connection for seen in server.seen}) == 1


@pytest.mark.parametrize("credential", [TOKEN, PASSWORD])
def test_no_credential_goes_to_a_realm_without_tls(tmp_path: Path, credential: Credential) -> None:
    with ScriptedServer() as other:
        realm = f'Bearer realm="http://localhost:{other.authority.partition(":")[2]}/token"'
        asked = Line("GET /v2/", 401, {"WWW-Authenticate": realm})
        with ScriptedServer(asked, tls=server_tls()) as server, pytest.raises(AppuioError, match="not safe"):
            client(server, tmp_path, credential).request("GET", "/v2/")
        assert other.seen == []


def test_a_realm_of_its_own_host_is_asked_with_tls(tmp_path: Path) -> None:
    with ScriptedServer(tls=server_tls()) as server:
        challenge = {"WWW-Authenticate": f'Bearer realm="http://{server.authority}/service/token",service="r"'}
        token = Line("GET /service/token?service=r", body=b'{"token": "one"}')
        server.lines += [Line("GET /v2/", 401, challenge), token, Line("GET /v2/")]
        assert client(server, tmp_path, PASSWORD).request("GET", "/v2/").status == 200
        assert [seen.headers.get("authorization") for seen in server.seen] == [None, "Basic bWU6cHc=", "Bearer one"]


def test_the_client_certificate_is_for_its_own_origin(tmp_path: Path) -> None:
    pem = tmp_path / "client.pem"
    authority().issue_cert("pusher.example").private_key_and_cert_chain_pem.write_to_path(str(pem))
    with ScriptedServer(Line("GET /blob"), tls=server_tls(asks=True)) as other:
        moved = Line("GET /a", 307, {"Location": f"{other.origin}/blob"})
        with ScriptedServer(moved, tls=server_tls(asks=True)) as server:
            assert client(server, tmp_path, client_cert=str(pem)).request("GET", "/a").status == 200
            assert server.seen[0].has_certificate
            assert not other.seen[0].has_certificate
            assert "authorization" not in other.seen[0].headers


def test_a_way_back_from_another_origin_brings_no_credential(tmp_path: Path) -> None:
    with ScriptedServer(tls=server_tls()) as other, ScriptedServer(tls=server_tls()) as server:
        server.lines += [Line("GET /a", 307, {"Location": f"{other.origin}/b"}), Line("GET /c")]
        other.lines.append(Line("GET /b", 307, {"Location": f"{server.origin}/c"}))
        assert client(server, tmp_path).request("GET", "/a").status == 200
        assert [seen.headers.get("authorization") for seen in server.seen] == [f"Bearer {SECRET}", None]


def test_a_refusal_of_another_origin_teaches_nothing(tmp_path: Path) -> None:
    with ScriptedServer(tls=server_tls()) as other, ScriptedServer(tls=server_tls()) as server:
        server.lines.append(Line("GET /a", 307, {"Location": f"{other.origin}/b"}))
        other.lines.append(Line("GET /b", 401, {"WWW-Authenticate": f'Bearer realm="{other.origin}/token"'}))
        assert client(server, tmp_path, PASSWORD).request("GET", "/a").status == 401
        assert len(server.seen) == len(other.seen) == 1


def test_a_token_endpoint_that_moves_on_its_host_is_followed(tmp_path: Path) -> None:
    with ScriptedServer(tls=server_tls()) as server:
        challenge = {"WWW-Authenticate": f'Bearer realm="{server.origin}/token"'}
        moved = Line("GET /token?", 301, {"Location": "/service/token?moved=1"})
        token = Line("GET /service/token?moved=1", body=b'{"token": "one"}')
        server.lines += [Line("GET /v2/", 401, challenge), moved, token, Line("GET /v2/")]
        assert client(server, tmp_path, PASSWORD).request("GET", "/v2/").status == 200
        assert server.seen[2].headers["authorization"] == "Basic bWU6cHc="


def test_a_token_endpoint_that_moves_to_another_host_gets_no_credential(tmp_path: Path) -> None:
    with ScriptedServer(tls=server_tls("localhost")) as other, ScriptedServer(tls=server_tls()) as server:
        challenge = {"WWW-Authenticate": f'Bearer realm="{server.origin}/token"'}
        elsewhere = f"https://localhost:{other.authority.partition(':')[2]}/token"
        server.lines += [Line("GET /v2/", 401, challenge), Line("GET /token?", 301, {"Location": elsewhere})]
        with pytest.raises(UnauthorizedError, match="another host"):
            client(server, tmp_path, PASSWORD).request("GET", "/v2/")
        assert other.seen == []


def test_an_address_in_clear_is_refused_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments: pytest.fail("nothing is asked"))
    http = HttpClient("http://api.example:8080", Connection(), None, TOKEN)
    with pytest.raises(InvalidOptionError, match=r"in clear.*plain_http"):
        http.request("GET", "/")


@pytest.mark.parametrize(
    "location",
    ["https://a.example:99999/", "https://a..b/", "https://[::1/x", "ftp://a.example/", "https://a b/", "//:0/"],
)
def test_an_odd_address_is_a_typed_error(tmp_path: Path, location: str) -> None:
    for line in (
        Line("GET /v2/", 307, {"Location": location}),
        Line("GET /v2/", 401, {"WWW-Authenticate": f'Bearer realm="{location}"'}),
    ):
        with ScriptedServer(line, tls=server_tls()) as server, pytest.raises(ServerError, match="no address"):
            client(server, tmp_path, PASSWORD).request("GET", "/v2/")
    with ScriptedServer(tls=server_tls()) as server, pytest.raises(ServerError, match="no address"):
        client(server, tmp_path).request("PUT", location, body=b"x")


def test_a_password_in_an_address_is_not_shown(tmp_path: Path) -> None:
    moved = Line("GET /v2/", 307, {"Location": "ftp://me:hidden@a.example/x"})
    with ScriptedServer(moved, tls=server_tls()) as server, pytest.raises(ServerError) as caught:
        client(server, tmp_path).request("GET", "/v2/")
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("secret", ["to\nken", "to\r\nX-Evil: 1", "t\u2026ken", "to\x00ken"])
def test_a_credential_that_no_header_takes_is_not_shown(secret: str) -> None:
    with ScriptedServer() as server:
        http = HttpClient(server.origin, Connection(retries=0), None, Credential(secret))
        with pytest.raises(InvalidOptionError, match="header Authorization cannot be sent") as caught:
            http.request("GET", "/v2/")
        assert "ken" not in str(caught.value).replace("token", "")
        assert server.seen == []


def test_a_location_of_another_origin_gets_no_credential(tmp_path: Path) -> None:
    with (
        ScriptedServer(Line("PUT /upload", 201), tls=server_tls()) as other,
        ScriptedServer(tls=server_tls()) as server,
    ):
        assert client(server, tmp_path).request("PUT", f"{other.origin}/upload", body=b"x").status == 201
        assert "authorization" not in other.seen[0].headers


def test_a_redirection_is_an_answer_where_none_is_followed(tmp_path: Path) -> None:
    with ScriptedServer(Line("GET /a", 302, {"Location": "/b"}), tls=server_tls()) as server:
        http = HttpClient(server.origin, Connection(retries=0, timeout=300), ca_file(tmp_path), follow=False)
        assert http.request("GET", "/a").status == 302


def test_what_is_trusted_is_shared_only_by_who_trusts_the_same(tmp_path: Path) -> None:
    authorities = ca_file(tmp_path)
    context = shared_tls_context(True, authorities)
    assert shared_tls_context(True, authorities) is context
    assert context.check_hostname
    unverified = shared_tls_context(False, authorities)
    assert unverified is not context
    assert not unverified.check_hostname
