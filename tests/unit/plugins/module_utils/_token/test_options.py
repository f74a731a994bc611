# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module's options: whose token, in which zone, for how long, and what cannot be meant."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import InvalidOptionError
from ansible_collections.appuio.registry.plugins.module_utils._targets import RunContext
from ansible_collections.appuio.registry.plugins.module_utils._token.options import SPEC, TokenOptions, parse_options
from ansible_collections.appuio.registry.plugins.module_utils._token.task import token_task


def parsed(**given: Any) -> list[TokenOptions]:
    defaults = {name: option.get("default") for name, option in SPEC.options.items()}
    where = {} if "zones" in given else {"zone": "cloudscale-lpg-2"}
    who = {"token": "a-token", "namespace": "shop", "service_account": "pusher"}
    return parse_options({**defaults, **where, **who, **given})


def test_defaults() -> None:
    (wanted,) = parsed()
    assert (wanted.secret_name, wanted.expiration, wanted.grace, wanted.kind) == (
        "pusher-secret",
        86400,
        3600,
        "secret",
    )
    assert wanted.target.who == {"token": "a-token"}
    assert wanted.secrets.secret_name == "pusher-secret"


def test_an_entry_of_zones_has_its_own_account_and_token_and_the_task_s_credential() -> None:
    entries = ["a-b-1", {"zone": "a-b-2", "service_account": "other", "current_token": "own\n", "token": "t"}]
    first, second = parsed(zones=entries, kind="bound", current_token="shared")
    assert (first.service_account, first.current_token) == ("pusher", "shared")
    assert (second.service_account, second.current_token, second.secret_name) == ("other", "own", "other-secret")
    assert (first.target.who, second.target.who) == ({"token": "a-token"}, {"token": "t"})
    assert "shared" not in repr(first)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"namespace": None}, "nothing names the namespace"),
        ({"service_account": " "}, "service_account is empty"),
        ({"kind": "bound", "expiration": "9m"}, "expiration 9m is too short.*ten minutes"),
        ({"grace": "later"}, "grace 'later' is no length of time"),
        ({"wait_timeout": -1}, "wait_timeout must not be below 0"),
        ({"current_token": "with a space"}, "current_token holds whitespace"),
        ({"zones": []}, "zones is empty"),
    ],
)
def test_what_cannot_be_meant(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidOptionError, match=said):
        parsed(**given)


def test_a_short_expiration_matters_to_bound_tokens_only() -> None:
    assert parsed(expiration="1m")[0].expiration == 60


@pytest.mark.parametrize(
    ("given", "problem"),
    [({"token": None}, "no credential is given"), ({"password": "p"}, "token, username and password are given")],
)
def test_a_task_checks_its_credential_before_any_request(given: dict[str, Any], problem: str) -> None:
    defaults = {name: option.get("default") for name, option in SPEC.options.items()}
    who = {"zone": "cloudscale-lpg-2", "token": "a-token", "namespace": "shop", "service_account": "pusher"}
    with pytest.raises(InvalidOptionError, match=problem):
        token_task({**defaults, **who, **given}, RunContext({}))
