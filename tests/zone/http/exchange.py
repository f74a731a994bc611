# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request and its answer, with the faults that hit it."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from .faults import Fault
from .messages import Body, Headers, PeerGone, Stream
from .request_log import Record

_DRAINED = 256 * 1024
_LINGERED = 16 * 1024 * 1024
_LINGER_SECONDS = 20.0
_TIMED_OUT = b"<html><body><h1>504 Gateway Time-out</h1>\nThe server didn't respond in time.\n</body></html>\n\n"
_PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please sign in.</body></html>\n"


class Aborted(Exception):
    """A fault ends the connection here; a hard one by a reset."""

    def __init__(self, *, hard: bool) -> None:
        super().__init__("a fault ends the connection")
        self.hard = hard


class DiskFull(Exception):
    """A fault: the registry's disk takes no more of this body."""


class Exchange:
    """What a handler gets: the request, and the means to answer it."""

    def __init__(
        self,
        stream: Stream,
        method: str,
        target: str,
        headers: Headers,
        record: Record,
        faults: list[Fault],
        local: dict[str, Any],
        answer_seconds: float | None = None,
    ) -> None:
        self.stream, self.method, self.target, self.headers = stream, method, target, headers
        split = urlsplit(target)
        self.path = unquote(split.path)
        self.query = dict(parse_qsl(split.query, keep_blank_values=True))
        self.body = Body(stream, headers)
        self.record = record
        self.local = local  # what a handler keeps for the connection; closed with it
        self.keep_alive = "close" not in headers.get("Connection").lower()
        self._faults = {fault.action: fault for fault in faults}
        self._continue = "100-continue" in headers.get("Expect").lower()
        self._sent = 0
        self._started = self._asked = time.monotonic()
        self._answer_seconds = answer_seconds
        self._late = False
        if self.fault("ignore_range"):
            headers.remove("Range")
        record.authorization = headers.get("Authorization").partition(" ")[0]

    def fault(self, action: str) -> Fault | None:
        """Return the fault of this kind that hits the request."""
        return self._faults.get(action)

    def run(self, handle: Callable[[Exchange], None]) -> None:
        """Answer the request; raises Aborted when a fault ends the connection."""
        if delay := self.fault("delay"):
            self._late = self._answer_seconds is not None and delay.seconds > self._answer_seconds
            time.sleep(0.0 if self._late else delay.seconds)
        if self.fault("hang"):
            self._wait_for_the_end()
        if self.fault("page"):
            self.reply(200, _PAGE, [("Content-Type", "text/html; charset=utf-8")])
        elif status := self.fault("status"):
            self._reply_fault(status)
        else:
            handle(self)
        self._drain()

    def blocks(self) -> Iterator[memoryview]:
        """Yield the request's body, cut and slowed by the faults."""
        if self._continue:
            self._continue = False
            self.stream.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        reset, full = self.fault("reset_request"), self.fault("disk_full")
        passed = 0
        try:
            for block in self.body.blocks():
                for piece in self._slowed(block):
                    for fault in (reset, full):
                        if fault and passed + len(piece) > fault.after_bytes:
                            yield piece[: fault.after_bytes - passed]
                            raise Aborted(hard=True) if fault is reset else DiskFull
                    passed += len(piece)
                    yield piece
                self._asked = time.monotonic()
            if reset and reset.after_bytes >= passed:
                raise Aborted(hard=True)
        finally:
            self.record.bytes_in = self.body.received

    def read(self, limit: int) -> bytes:
        """Return the whole body; raises ValueError when it is larger than the limit."""
        if self.body.length is not None and self.body.length > limit:
            raise ValueError("the body is too large")
        parts, size = [], 0
        for block in self.blocks():
            parts.append(bytes(block))
            size += len(block)
            if size > limit:
                raise ValueError("the body is too large")
        return b"".join(parts)

    def reply(self, status: int, body: bytes = b"", headers: list[tuple[str, str]] | None = None) -> None:
        """Send a whole answer."""
        fields = Headers(headers)
        if status not in (204, 304) and "Content-Length" not in fields:
            fields.set("Content-Length", str(len(body)))
        self.begin(status, fields, body if self.method != "HEAD" else b"")

    def reply_json(self, status: int, document: Any, headers: list[tuple[str, str]] | None = None) -> None:
        """Send a JSON document."""
        body = json.dumps(document, separators=(",", ":")).encode() + b"\n"
        self.reply(status, body, [("Content-Type", "application/json"), *(headers or [])])

    def begin(self, status: int, headers: Headers, first: bytes = b"") -> None:
        """Send the head of an answer, with the first of its body."""
        if self.fault("lose_answer"):
            raise Aborted(hard=True)
        if self._is_late():
            self._answer_seconds, self._late, self.keep_alive = None, False, False
            self.reply(504, _TIMED_OUT, [("Cache-Control", "no-cache"), ("Content-Type", "text/html")])
            raise Aborted(hard=False)
        if instead := self._faults.pop("replace_answer", None):
            self.keep_alive = False
            self._reply_fault(instead)
            raise Aborted(hard=False)
        if not self.body.finished and not self._can_drain():
            self.keep_alive = False
        headers.remove("Connection")
        if not self.keep_alive:
            headers.set("Connection", "close")
        self.record.status = status
        self._note(0)
        phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Status"
        head = f"HTTP/1.1 {status} {phrase}\r\n".encode() + bytes(headers) + b"\r\n"
        if first and not self._faults:
            self._note(len(first))
            self.stream.socket.sendall(head + first)
            return
        self.stream.socket.sendall(head)
        if first:
            self.write(memoryview(first))
        elif (reset := self.fault("reset_response")) and not reset.after_bytes:
            raise Aborted(hard=True)

    def write(self, block: memoryview) -> None:
        """Send more of the answer's body."""
        if self.fault("corrupt_response") and not self._sent and len(block):
            block = memoryview(bytes([block[0] ^ 0xFF]) + bytes(block[1:]))
        for piece in self._slowed(block):
            for fault in (self.fault("reset_response"), self.fault("truncate_response")):
                if fault and self._sent + len(piece) > fault.after_bytes:
                    self.stream.socket.sendall(piece[: fault.after_bytes - self._sent])
                    raise Aborted(hard=fault.action == "reset_response")
            self._note(len(piece))
            self.stream.socket.sendall(piece)
            self._sent += len(piece)

    def credentials(self) -> tuple[str, str] | None:
        """Return (scheme, token or password) of the Authorization header; None without one that is known."""
        scheme, _ignored, value = self.headers.get("Authorization").partition(" ")
        if scheme.lower() == "bearer":
            return "bearer", value.strip()
        if scheme.lower() == "basic":
            return "basic", self.basic()[1]
        return None

    def basic(self) -> tuple[str, str]:
        """Return user name and password of a Basic header, empty when it cannot be read."""
        try:
            text = base64.b64decode(self.headers.get("Authorization").partition(" ")[2], validate=True).decode()
        except ValueError:
            return "", ""
        user, _ignored, password = text.partition(":")
        return user, password

    def _reply_fault(self, fault: Fault) -> None:
        fields = list(fault.headers)
        if fault.retry_after is not None:
            fields.append(("Retry-After", fault.retry_after))
        self.reply(fault.status, fault.body, fields)

    def _note(self, octets: int) -> None:
        """Bring the record up to date before the client gets the last of its answer and looks at it."""
        self.record.bytes_out += octets
        self.record.seconds = time.monotonic() - self._started

    def _slowed(self, block: memoryview) -> Iterator[memoryview]:
        throttle = self.fault("throttle")
        if throttle is None:
            yield block
            return
        for start in range(0, len(block), throttle.block):
            piece = block[start : start + throttle.block]
            time.sleep(len(piece) / throttle.bytes_per_second)
            yield piece

    def _is_late(self) -> bool:
        """Whether a route would have given up waiting: since the last of the request came, or by a delay."""
        return self._late or (
            self._answer_seconds is not None and time.monotonic() - self._asked > self._answer_seconds
        )

    def _wait_for_the_end(self) -> None:
        view = memoryview(bytearray(65536))
        while self.stream.read_into(view):
            pass
        raise Aborted(hard=False)

    def _can_drain(self) -> bool:
        return self.body.length is not None and self.body.length - self.body.received <= _DRAINED

    def _drain(self) -> None:
        """Read what a handler left of a small body, as Go's server does, so that the connection can stay."""
        if self.body.finished or self._continue:
            self.keep_alive = self.keep_alive and self.body.finished
        elif self.keep_alive and self._can_drain() and self.body.received == 0:
            for _ignored in self.body.blocks():
                pass
        else:
            self.keep_alive = False
            self._linger()

    def _linger(self) -> None:
        """Let the client read the answer before the unread rest of its body resets the connection."""
        self.stream.socket.settimeout(_LINGER_SECONDS)
        view, left = memoryview(bytearray(65536)), _LINGERED
        try:
            while left > 0 and (got := self.stream.read_into(view)):
                left -= got
        except (PeerGone, OSError):
            pass
