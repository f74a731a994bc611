# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that are odd, endless or lies: each ends in a typed error, bounded in bytes and time."""

from __future__ import annotations

import errno
import os
import random
import socket
from email.message import Message

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import (
    AppuioError,
    ConnectionFailedError,
    ServerError,
    SourceError,
    UnauthorizedError,
)
from ansible_collections.appuio.registry.plugins.module_utils._http import challenges
from ansible_collections.appuio.registry.plugins.module_utils._http.challenges import (
    LONGEST_HEADER,
    parse_challenges,
)
from ansible_collections.appuio.registry.plugins.module_utils._http.client import HttpClient
from ansible_collections.appuio.registry.plugins.module_utils._http.message import Reader, split_url
from ansible_collections.appuio.registry.plugins.module_utils._http.retry import (
    PROGRESS,
    Attempts,
    ConnectionLostError,
    retry_after,
)
from ansible_collections.appuio.registry.plugins.module_utils._targets import Connection, Credential
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.plugins.module_utils._http.scripted_server import Line, ScriptedServer
from tests.unit.plugins.module_utils._http.waits import Waits

PASSWORD = Credential("pw", "me", is_token=False)
PULL = frozenset({"repository:a/b:pull"})


def client(server: ScriptedServer, credential: Credential | None = None, retries: int = 2) -> tuple[HttpClient, Waits]:
    waits = Waits()
    return HttpClient(server.origin, Connection(retries=retries, timeout=300), None, credential, waits.clock), waits


@pytest.mark.parametrize("value", ["²", "٣", "-1", "1.5", "soon", "Thu, 99 Foo 99999 99:99:99 +9999999", "\x00"])
def test_an_unreadable_retry_after_is_ignored(value: str) -> None:
    headers = Message()
    headers["Retry-After"] = value
    assert retry_after(headers, 0) is None


def test_a_server_that_asks_for_hours_is_not_waited_for() -> None:
    with ScriptedServer(Line("GET /", 429, {"Retry-After": "21600"})) as server:
        http, waits = client(server)
        assert http.request("GET", "/").status == 429
        assert waits.waited == []
    attempts = Attempts(3, 1.0, Waits().clock)
    assert attempts.again(120.0)
    assert not attempts.again(121.0)


def test_a_retry_after_of_a_thousand_digits_is_a_number() -> None:
    headers = Message()
    headers["Retry-After"] = "9" * 1000
    assert retry_after(headers, 0) == 999_999_999


@pytest.mark.parametrize(
    "text",
    ["a=" * 30_000, 'Bearer a="' * 8_000, "Bearer " + ", " * 30_000, 'Bearer realm="' + "\\" * 60_000, "a " * 30_000],
)
def test_the_work_for_a_challenge_does_not_grow_with_its_square(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    looked_at = [0]

    class Counting:
        def __init__(self, pattern: object) -> None:
            self.pattern = pattern

        def match(self, value: str, position: int) -> object:
            looked_at[0] += 1
            assert len(value) <= LONGEST_HEADER
            return self.pattern.match(value, position)  # type: ignore[attr-defined]

        def sub(self, *arguments: str) -> object:
            return self.pattern.sub(*arguments)  # type: ignore[attr-defined]

    for name in ("_SEPARATOR", "_TOKEN", "_EQUALS", "_QUOTED", "_PLAIN"):
        monkeypatch.setattr(challenges, name, Counting(getattr(challenges, name)))
    assert len(parse_challenges([text] * 3)) <= 16
    assert looked_at[0] <= 3 * 6 * LONGEST_HEADER


@given(st.text(max_size=200))
def test_any_text_may_be_a_challenge(text: str) -> None:
    for one in parse_challenges([text, 'Bearer realm="https://a/b"']):
        assert one.scheme == one.scheme.lower()


@given(st.one_of(st.text(max_size=80), st.text("htps:/@[]%.0123456789abc?#\\\n ", max_size=60).map("https://".__add__)))
def test_any_text_may_be_an_address(text: str) -> None:
    try:
        origin, target = split_url(text, "https://a.example/x")
    except ValueError:
        return
    assert origin.host
    assert 0 < origin.port < 65536
    assert target.startswith("/")
    assert target.isprintable()
    assert " " not in target


@pytest.mark.parametrize("interim", [100, 102, 103])
def test_answers_before_the_final_one_are_passed_over(interim: int) -> None:
    early = f"HTTP/1.1 {interim} Wait\r\nLink: </style.css>; rel=preload\r\n\r\n".encode()
    final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    with ScriptedServer(Line("GET /", raw=early * 3 + final)) as server:
        assert client(server)[0].request("GET", "/").body == b"ok"


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 103 Wait\r\n\r\n" * 5000,
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab",
        b"",
    ],
)
def test_an_answer_that_is_no_http_breaks_the_connection(raw: bytes) -> None:
    with ScriptedServer(Line("GET /", raw=raw)) as server, pytest.raises(ConnectionLostError, match=r"broke.*\. ."):
        client(server, retries=0)[0].request("GET", "/")


def test_an_endless_answer_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible_collections.appuio.registry.plugins.module_utils._http.client.LARGEST_ANSWER", 1000)
    with ScriptedServer(Line("GET /", body=b"x" * 1001), Line("GET /", body=b"x" * 1000)) as server:
        http = client(server)[0]
        with pytest.raises(ServerError, match="longer than 1000 bytes"):
            http.request("GET", "/")
        assert len(http.request("GET", "/").body) == 1000


def test_an_answer_that_trickles_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    hours = iter(range(100))
    monkeypatch.setattr(
        "ansible_collections.appuio.registry.plugins.module_utils._http.open_response.time.monotonic",
        lambda: float(next(hours) * 2999),
    )
    lines = [Line("GET /", body=b"x" * 1_000_000)]
    with ScriptedServer(*lines) as server, pytest.raises(ServerError, match="did not end within 3000 s"):
        client(server)[0].request("GET", "/")


def test_a_redirection_keeps_its_connection() -> None:
    with ScriptedServer() as other, ScriptedServer() as server:
        for _round in range(3):
            server.lines.append(Line("GET /a", 307, {"Location": f"{other.origin}/b"}, b"moved"))
            server.lines.append(Line("HEAD /a", 307, {"Location": f"{other.origin}/b"}))
            other.lines += [Line("GET /b", body=b"x"), Line("HEAD /b")]
        http = client(server)[0]
        for _round in range(3):
            assert http.request("GET", "/a").body == b"x"
            assert http.request("HEAD", "/a").status == 200
        assert len({seen.connection for seen in server.seen}) == 1
        assert len({seen.connection for seen in other.seen}) == 1


@pytest.mark.parametrize(("status", "method"), [(307, "PUT"), (308, "POST"), (307, "PATCH")])
def test_a_redirection_that_keeps_the_method_is_followed_with_the_body(status: int, method: str) -> None:
    with ScriptedServer(Line(f"{method} /a", status, {"Location": "/b"}), Line(f"{method} /b", 201)) as server:
        assert client(server)[0].request(method, "/a", body=b"content").status == 201
        assert [seen.body for seen in server.seen] == [b"content", b"content"]


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirection_that_may_change_the_method_is_an_answer(status: int) -> None:
    with ScriptedServer(Line("PUT /a", status, {"Location": "/b"})) as server:
        assert client(server)[0].request("PUT", "/a", body=b"x").status == status


def test_a_circle_of_redirections_ends() -> None:
    lines = [Line("GET /a", 302, {"Location": "/a"})] * 6
    with ScriptedServer(*lines) as server, pytest.raises(ServerError, match="more than 5 times"):
        client(server)[0].request("GET", "/a")


def challenged(server: ScriptedServer, *more: Line) -> None:
    realm = {"WWW-Authenticate": f'Bearer realm="{server.origin}/token",service="s"'}
    server.lines += [Line("GET /v2/a/b", 401, realm), *more]


TOKEN = "GET /token?service=s&scope=repository%3Aa%2Fb%3Apull"


@pytest.mark.parametrize(
    "ended",
    [
        {"WWW-Authenticate": 'Bearer realm="{origin}/token",service="s",error="insufficient_scope"'},
        {"WWW-Authenticate": 'Bearer realm="{origin}/token",service="s",error="expired"'},
        {"WWW-Authenticate": 'Bearer realm="{origin}/token",service="s"'},
        {"WWW-Authenticate": 'Basic realm="x",error="access denied"'},
        {"WWW-Authenticate": "nonsense"},
        {},
    ],
)
def test_a_token_that_worked_is_renewed_whatever_the_challenge(ended: dict[str, str]) -> None:
    with ScriptedServer() as server:
        headers = {name: value.replace("{origin}", server.origin) for name, value in ended.items()}
        challenged(
            server, Line(TOKEN, body=b'{"token": "one"}'), Line("GET /v2/a/b"), Line("GET /v2/a/b", 401, headers)
        )
        server.lines += [Line(TOKEN, body=b'{"token": "two"}'), Line("GET /v2/a/b")]
        http = client(server, PASSWORD)[0]
        assert [http.request("GET", "/v2/a/b", scopes=PULL).status for _round in range(2)] == [200, 200]
        assert server.seen[-1].headers["authorization"] == "Bearer two"


def test_a_token_that_never_worked_is_not_asked_for_again() -> None:
    with ScriptedServer() as server:
        realm = {"WWW-Authenticate": f'Bearer realm="{server.origin}/token",service="s",error="insufficient_scope"'}
        challenged(server, Line(TOKEN, body=b'{"token": "one"}'), Line("GET /v2/a/b", 401, realm))
        assert client(server, PASSWORD)[0].request("GET", "/v2/a/b", scopes=PULL).status == 401


def test_a_token_is_renewed_before_it_ends() -> None:
    now = [1000.0]
    with ScriptedServer() as server:
        challenged(server, Line(TOKEN, body=b'{"token": "one", "expires_in": 100}'), *[Line("GET /v2/a/b")] * 2)
        server.lines += [Line(TOKEN, body=b'{"token": "two"}'), *[Line("GET /v2/a/b")] * 2]
        clock = Waits().clock.__class__(lambda: now[0], lambda _seconds: None, lambda: 1.0)
        http = HttpClient(server.origin, Connection(retries=0, timeout=300), None, PASSWORD, clock)
        for moment in (1000.0, 1079.0, 1080.0, 99_999.0):
            now[0] = moment
            assert http.request("GET", "/v2/a/b", scopes=PULL).status == 200
        sent = [seen.headers.get("authorization") for seen in server.seen if seen.request == "GET /v2/a/b"]
        assert sent == [None] + ["Bearer one"] * 2 + ["Bearer two"] * 2


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"<html>", ServerError),
        (200, b'{"token": 5}', ServerError),
        (200, b'{"token": ""}', ServerError),
        (200, b'{"token": "a\\r\\nX-Evil: 1"}', ServerError),
        (200, b"[" * 100_000, ServerError),
        (404, b"", ServerError),
        (503, b"", ServerError),
        (401, b"", UnauthorizedError),
        (403, b"", UnauthorizedError),
    ],
)
def test_a_token_endpoint_that_gives_none_is_a_typed_error(status: int, body: bytes, kind: type[AppuioError]) -> None:
    with ScriptedServer() as server:
        challenged(server, *[Line(TOKEN, status, {}, body)] * (3 if status == 503 else 1))
        with pytest.raises(kind, match=r"gave no token.*[.)] ."):
            client(server, PASSWORD)[0].request("GET", "/v2/a/b", scopes=PULL)


def test_a_broken_connection_is_tried_as_often_as_said_also_at_a_token_endpoint() -> None:
    with ScriptedServer() as server:
        realm = {"WWW-Authenticate": f'Bearer realm="{server.origin}/token",service="s"'}
        asked = Line("GET /v2/a/b", 401, realm)
        server.lines += [asked, Line(TOKEN, raw=b"")] + [Line(TOKEN, raw=b"")] * 2
        http, waits = client(server, PASSWORD)
        with pytest.raises(ConnectionLostError):
            http.request("GET", "/v2/a/b", scopes=PULL)
        assert waits.waited == [1.0, 2.0]


def test_attempts_are_those_of_the_whole_piece_of_work() -> None:
    with ScriptedServer(*[Line("GET /", 503)] * 4) as server:
        http, waits = client(server)
        attempts = http.attempts()
        assert [http.request("GET", "/", attempts=attempts).status for _round in range(2)] == [503, 503]
        assert len(waits.waited) == 2
        attempts.progressed(PROGRESS - 1)
        assert not attempts.again()
        attempts.progressed(PROGRESS)
        assert attempts.again()


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EADDRNOTAVAIL, errno.EPERM])
def test_a_fault_of_this_host_is_not_the_server_s_and_is_not_retried(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fails(*_arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    waits = Waits()
    monkeypatch.setattr(socket, "socket", fails)
    http = HttpClient("https://127.0.0.1:1", Connection(retries=3), clock=waits.clock)
    with pytest.raises(ConnectionFailedError, match="The server is not to blame") as caught:
        http.request("GET", "/")
    assert not isinstance(caught.value, ConnectionLostError)
    assert "cannot be reached" not in str(caught.value)
    assert waits.waited == []


class Unreadable:
    """A body whose file is gone, or cannot be read."""

    length = 10

    def __init__(self, opens: bool) -> None:
        self._opens = opens

    def open(self, offset: int = 0) -> Reader:
        if not self._opens:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        return self

    def readinto(self, _buffer: memoryview) -> int:
        raise OSError(errno.EIO, "Input/output error")

    def close(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize(("opens", "said"), [(True, "Input/output error"), (False, "No such file")])
def test_a_body_that_cannot_be_read_is_a_fault_of_the_source(opens: bool, said: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        http = HttpClient(f"http://127.0.0.1:{listener.getsockname()[1]}", Connection(retries=0, timeout=300))
        with pytest.raises(SourceError, match=said), http.open("PUT", "/a", body=Unreadable(opens)):
            pytest.fail("nothing was sent")


def test_random_bytes_are_typed_errors() -> None:
    chance = random.Random(7)
    lines = [Line("GET /", raw=b"HTTP/1.1 " + chance.randbytes(chance.randrange(200))) for _round in range(40)]
    with ScriptedServer(*lines) as server:
        http = client(server, retries=0)[0]
        for _round in range(40):
            try:
                http.request("GET", "/")
            except AppuioError:
                pass
