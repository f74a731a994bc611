# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an error shows is one line without control characters and passwords, whoever wrote the words."""

from __future__ import annotations

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import (
    AppuioError,
    ServerError,
    one_line,
    without_userinfo,
)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("denied", "denied"),
        ("a\r\nok: [zone]", "a ok: [zone]"),
        ("\x1b[31;1mred\x1b[0m", "red"),
        ("\x1b]0;title\x07x", "x"),
        ("\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\", "click"),
        ("a\x00b\x9b2Jc\u202ed\u200be", "a b 2Jc d e"),
        ("see https://me:secret@proxy:3128/x", "see https://proxy:3128/x"),
        ("docker://alpine@sha256:" + "a" * 64, "docker://alpine@sha256:" + "a" * 64),
        ("ümlaut 你好", "ümlaut 你好"),
    ],
)
def test_words_of_a_server_are_one_harmless_line(words: str, shown: str) -> None:
    assert one_line(words) == shown
    assert ServerError("no", server_message=words).server_message == shown
    assert str(AppuioError(f"it said {words}")) == f"it said {shown}"


def test_long_words_are_cut() -> None:
    assert len(one_line("x" * 10_000_000)) == 500
    assert one_line("x" * 501).endswith("x…")
    assert one_line("x" * 500) == "x" * 500
    assert len(ServerError("no", server_message="y" * 600).server_message or "") == 500


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://user:pw@proxy:3128", "http://proxy:3128"),
        ("user:pw@proxy:3128", "proxy:3128"),
        ("http://user:p/w@proxy:3128", "http://proxy:3128"),
        ("http://user:p@w@proxy/path", "http://proxy/path"),
        ("token@registry.example", "registry.example"),
        ("docker://u:p@registry.example/a/b:1", "docker://registry.example/a/b:1"),
        ("registry.example:5000/a/b@sha256:" + "a" * 64, "registry.example:5000/a/b@sha256:" + "a" * 64),
        ("alpine:3.20@sha256:" + "a" * 64, "alpine:3.20@sha256:" + "a" * 64),
        ("u:p@alpine:3.20@sha256:" + "a" * 64, "alpine:3.20@sha256:" + "a" * 64),
        ("https://registry.example/a@b", "https://registry.example/a@b"),
        ("http://[::1]:5000/x", "http://[::1]:5000/x"),
        ("", ""),
    ],
)
def test_an_address_is_shown_without_user_and_password(address: str, shown: str) -> None:
    assert without_userinfo(address) == shown
