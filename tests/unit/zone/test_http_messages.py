# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies are read whole, however they are framed, and what came before a break is not lost."""

from __future__ import annotations

import contextlib
import os
import socket
import threading

import pytest

from tests.zone.http.messages import BLOCK, BadMessage, Body, Headers, PeerGone, Stream

CONTENT = os.urandom(3 * BLOCK + 12345)


def stream_of(octets: bytes) -> Stream:
    ours, theirs = socket.socketpair()

    def send() -> None:
        with theirs, contextlib.suppress(BrokenPipeError):
            theirs.sendall(octets)

    threading.Thread(target=send, daemon=True).start()
    return Stream(ours)


def chunked(content: bytes, size: int) -> bytes:
    parts = [content[start : start + size] for start in range(0, len(content), size)]
    return b"".join(b"%x;name=value\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\nTrailer: x\r\n\r\n"


def body_of(head: bytes, content: bytes) -> Body:
    stream = stream_of(b"PUT / HTTP/1.1\r\n" + head + b"\r\n" + content)
    found = stream.read_head()
    assert found is not None
    return Body(stream, found[1])


def test_a_body_of_known_length_comes_in_large_blocks() -> None:
    body = body_of(b"Content-Length: %d\r\n" % len(CONTENT), CONTENT + b"GET / HTTP/1.1\r\n")
    blocks = [bytes(block) for block in body.blocks()]
    assert b"".join(blocks) == CONTENT
    assert [len(block) for block in blocks] == [BLOCK, BLOCK, BLOCK, 12345]
    assert body.finished


@pytest.mark.parametrize("size", [1000, 32 * 1024, BLOCK, BLOCK + 1, 2 * BLOCK])
def test_chunks_are_gathered_into_large_blocks(size: int) -> None:
    body = body_of(b"Transfer-Encoding: chunked\r\n", chunked(CONTENT, size) + b"GET")
    blocks = [bytes(block) for block in body.blocks()]
    assert b"".join(blocks) == CONTENT
    assert {len(block) for block in blocks[:-1]} == {BLOCK}


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_what_came_before_a_break_is_passed_on(framing: str) -> None:
    if framing == "length":
        body = body_of(b"Content-Length: %d\r\n" % len(CONTENT), CONTENT[:300_000])
    else:
        body = body_of(b"Transfer-Encoding: chunked\r\n", b"%x\r\n" % len(CONTENT) + CONTENT[:300_000])
    blocks = body.blocks()
    came = b"".join(bytes(next(blocks)) for _ignored in range(2))
    with pytest.raises(PeerGone):
        next(blocks)
    assert came == CONTENT[:300_000]
    assert not body.finished


def test_a_body_over_the_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="too large"):
        body_of(b"Transfer-Encoding: chunked\r\n", chunked(CONTENT, BLOCK)).read(BLOCK)


@pytest.mark.parametrize("head", [b"no colon\r\n", b"Content-Length: many\r\n"])
def test_what_is_no_http(head: bytes) -> None:
    with pytest.raises(BadMessage):
        body_of(head, b"")


def test_a_peer_that_closes_between_messages_or_in_one() -> None:
    assert stream_of(b"").read_head() is None
    with pytest.raises(PeerGone):
        stream_of(b"GET / HTT").read_head()


def test_headers_are_compared_without_case() -> None:
    headers = Headers([("Accept", "a"), ("accept", "b")])
    assert headers.get("ACCEPT") == "a, b"
    headers.set("aCCept", "c")
    assert bytes(headers) == b"aCCept: c\r\n"
