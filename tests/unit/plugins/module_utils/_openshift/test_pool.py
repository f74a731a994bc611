# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of an API are whole, or given up: none of them goes on for ever."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import ServerError
from ansible_collections.appuio.registry.plugins.module_utils._openshift import pool as pool_module
from ansible_collections.appuio.registry.plugins.module_utils._openshift.pool import BoundedPool
from urllib3 import HTTPResponse


class Answer:
    """An answer in pieces."""

    status, reason = 200, "OK"
    headers = {"content-type": "application/json"}  # noqa: RUF012

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.pieces, self.closed, self.released = pieces, False, False

    def read1(self, _count: int) -> bytes:
        return next(self.pieces, b"")

    def read(self, _count: int) -> bytes:
        raise AssertionError("this would wait for a whole block")

    def close(self) -> None:
        self.closed = True

    def release_conn(self) -> None:
        self.released = True


class Pool:
    """Gives one answer."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.asked = answer, {}  # type: ignore[var-annotated]

    def request(self, *_what: str, **given: Any) -> Answer:
        self.asked = given
        return self.answer


def test_an_answer_is_read_as_a_whole_and_its_connection_serves_again() -> None:
    pool = Pool(Answer(iter([b'{"a"', b": 1}"])))
    answer = BoundedPool(pool, 1.0).request("GET", "https://api/x", timeout=1)
    assert isinstance(answer, HTTPResponse)
    assert (answer.status, answer.data, answer.headers["Content-Type"]) == (200, b'{"a": 1}', "application/json")
    assert pool.asked == {"timeout": 1, "preload_content": False}
    assert (pool.answer.released, pool.answer.closed) == (True, False)


def test_an_answer_without_a_body_is_read_as_well() -> None:
    answer = BoundedPool(Pool(Answer(iter([]))), 1.0).request("GET", "https://api/x")
    assert answer.data == b""
    assert answer._body == b""  # what kubernetes looks at before it makes an error of it


def test_an_answer_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count(0.0, 1.0)
    slow = Pool(Answer(itertools.repeat(b" ")))
    with pytest.raises(ServerError, match="did not end within 20 s"):
        BoundedPool(slow, 2.0, lambda: next(clock)).request("GET", "https://api/x")
    assert slow.answer.closed
    monkeypatch.setattr(pool_module, "LARGEST_ANSWER", 1000)
    large = Pool(Answer(itertools.repeat(b" ")))
    with pytest.raises(ServerError, match="longer than 1000 bytes"):
        BoundedPool(large, 2.0).request("GET", "https://api/x")
