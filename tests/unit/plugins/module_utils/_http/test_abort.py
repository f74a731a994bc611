# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client is aborted from another thread: whoever waits stops at once, whatever it waits for."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError, CancelledError
from ansible_collections.appuio.registry.plugins.module_utils._http.client import HttpClient
from ansible_collections.appuio.registry.plugins.module_utils._http.message import Reader
from ansible_collections.appuio.registry.plugins.module_utils._http.retry import SYSTEM_CLOCK
from ansible_collections.appuio.registry.plugins.module_utils._targets import Connection

from tests.unit.plugins.module_utils._http.scripted_server import Line, ScriptedServer, ca_file, server_tls

# Without an abort each test would take longer than it is given, and fail.
CONNECTION = Connection(retries=5, timeout=3600, retry_delay=60)
GUARD = 600


class Endless:
    """A body that is never at its end."""

    length = 1 << 50

    def open(self, offset: int = 0) -> Reader:
        return self

    def readinto(self, buffer: memoryview) -> int:
        return len(buffer)

    def close(self) -> None:
        """Do nothing."""


def aborted(http: HttpClient, work: Callable[[], object], ready: Callable[[], object]) -> BaseException | None:
    """Return how work ends in a thread when the client is aborted once ``ready`` returns."""
    ended: list[BaseException | None] = []

    def run() -> None:
        try:
            work()
            ended.append(None)
        except AppuioError as error:
            ended.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready()
    time.sleep(0.05)
    http.abort()
    thread.join(GUARD)
    assert not thread.is_alive(), "it still waits"
    return ended[0]


@pytest.mark.parametrize("over_tls", [False, True])
def test_a_wait_for_an_answer_is_cut(tmp_path: Path, over_tls: bool) -> None:
    with ScriptedServer(Line("GET /", stalls=True), tls=server_tls() if over_tls else None) as server:
        http = HttpClient(server.origin, CONNECTION, ca_file(tmp_path))
        assert isinstance(aborted(http, lambda: http.request("GET", "/"), server.stalled.wait), CancelledError)


@pytest.mark.parametrize("over_tls", [False, True])
def test_an_upload_that_nobody_reads_is_cut(tmp_path: Path, over_tls: bool) -> None:
    with ScriptedServer(Line("PUT /", stalls=True), tls=server_tls() if over_tls else None) as server:
        http = HttpClient(server.origin, CONNECTION, ca_file(tmp_path))

        def upload() -> None:
            with http.open("PUT", "/", body=Endless()):
                pass

        assert isinstance(aborted(http, upload, server.stalled.wait), CancelledError)


def test_a_handshake_that_stalls_is_cut(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        http = HttpClient(f"https://127.0.0.1:{listener.getsockname()[1]}", CONNECTION, ca_file(tmp_path))
        taken: list[socket.socket] = []
        accept = lambda: taken.append(listener.accept()[0])  # noqa: E731
        assert isinstance(aborted(http, lambda: http.request("GET", "/"), accept), CancelledError)


def test_a_connection_that_is_not_accepted_is_cut() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        # The queue is full: who connects now waits for as long as its timeout.
        waiting = [socket.socket() for _number in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        http = HttpClient(f"http://127.0.0.1:{listener.getsockname()[1]}", CONNECTION)
        ended = aborted(http, lambda: http.request("GET", "/"), lambda: None)
        assert isinstance(ended, CancelledError)
        for one in waiting:
            one.close()


def test_a_wait_before_another_attempt_is_given_up() -> None:
    with ScriptedServer(Line("GET /", 503)) as server:
        waits = threading.Event()

        def sleep(seconds: float) -> None:
            waits.set()
            time.sleep(seconds)

        http = HttpClient(server.origin, CONNECTION, clock=SYSTEM_CLOCK._replace(sleep=sleep))
        assert aborted(http, lambda: http.request("GET", "/"), waits.wait) is None
        assert len(server.seen) == 1


def test_an_aborted_client_asks_nothing_until_it_is_resumed() -> None:
    with ScriptedServer(Line("GET /a"), Line("GET /c")) as server:
        http = HttpClient(server.origin, CONNECTION)
        assert http.request("GET", "/a").status == 200
        http.abort()
        with pytest.raises(CancelledError, match="the task was stopped"):
            http.request("GET", "/b")
        http.resume()
        assert http.request("GET", "/c").status == 200


def test_a_client_that_was_never_used_can_be_aborted() -> None:
    http = HttpClient("http://127.0.0.1:1", CONNECTION)
    http.abort()
    with pytest.raises(CancelledError):
        http.request("GET", "/")


def test_abort_takes_no_lock() -> None:
    with ScriptedServer(Line("GET /a")) as server:
        http = HttpClient(server.origin, CONNECTION)
        http.request("GET", "/a")
        locks = [http._transports._lock, *(transport._lock for transport in http._transports._made.values())]
        for lock in locks:
            lock.acquire()
        thread = threading.Thread(target=http.abort, daemon=True)
        thread.start()
        thread.join(GUARD)
        assert not thread.is_alive(), "a signal handler would wait for what it has interrupted"
        for lock in locks:
            lock.release()
