# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tokens say of themselves, and what is no token."""

from __future__ import annotations

import base64
import json

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._credentials import token
from ansible_collections.appuio.registry.plugins.module_utils._errors import InvalidOptionError
from hypothesis import given
from hypothesis import strategies as st


def jwt(**claims: object) -> str:
    parts = [{"alg": "RS256"}, claims]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "c2lnbmF0dXJl"])


def test_a_token_says_whose_it_is_and_when_it_ends() -> None:
    bound = jwt(sub="system:serviceaccount:shop:image-pusher", exp=1795512600)
    assert token.subject(bound) == token.account_user("shop", "image-pusher")
    assert token.timestamp(token.expiry(bound)) == "2026-11-24T09:30:00Z"


@pytest.mark.parametrize("text", ["sha256~abc", "a.b.c", "", "..", jwt(exp="soon"), jwt(exp=True), jwt(exp=1e300)])
def test_a_token_that_says_nothing(text: str) -> None:
    assert token.expiry(text) is None
    assert token.subject(text) is None


@given(st.text())
def test_no_text_makes_the_reader_fail(text: str) -> None:
    token.claims(text)
    token.expiry(f"a.{text}.c")


def test_surrounding_whitespace_is_dropped() -> None:
    assert token.checked_token(" abc\n", "token") == "abc"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("", "token is empty"),
        (" \n", "token is empty"),
        ("a b", "whitespace"),
        ("a\r\nX-Header: b", "whitespace"),
        ("tökén", "characters that no token has"),
        (base64.b64encode(jwt(sub="x").encode()).decode(), "b64decode"),
    ],
)
def test_what_is_no_token_is_refused_without_showing_it(value: str, said: str) -> None:
    with pytest.raises(InvalidOptionError) as refused:
        token.checked_token(value, "token")
    assert said in str(refused.value)
    assert not value.strip() or value not in str(refused.value)
