# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module's options: one account or several, in one zone or several, and what cannot be meant."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._account.account import AccountOptions
from ansible_collections.appuio.registry.plugins.module_utils._account.options import SPEC, zone_accounts
from ansible_collections.appuio.registry.plugins.module_utils._account.task import account_task
from ansible_collections.appuio.registry.plugins.module_utils._errors import InvalidOptionError
from ansible_collections.appuio.registry.plugins.module_utils._targets import RunContext

DEFAULTS = {name: option.get("default") for name, option in SPEC.options.items()}


def parsed(**given: Any) -> list[tuple[AccountOptions, ...]]:
    where = {} if "zones" in given else {"zone": "cloudscale-lpg-2"}
    options = {**DEFAULTS, **where, "namespace": "shop", "token": "a-token", **given}
    return [zone.accounts for zone in zone_accounts(options)]


def one(**given: Any) -> AccountOptions:
    ((account,),) = parsed(**given)
    return account


def test_defaults() -> None:
    account = one()
    assert (account.key, account.state, account.kind) == ("shop/image-pusher", "present", "secret")
    assert (account.expiration, account.grace, account.role) == (86400, 3600, "")
    assert account.secrets.secret_name == "image-pusher-secret"


@pytest.mark.parametrize(
    ("role", "name"),
    [
        ("registry-editor", "image-pusher-registry-editor"),
        ("system:image-builder", "image-pusher-system-image-builder"),
    ],
)
def test_the_name_of_the_binding_tells_the_role(role: str, name: str) -> None:
    assert one(role=role).binding_name == name
    assert one(role=role, role_binding="mine").binding_name == "mine"


def test_an_entry_takes_from_the_task_what_it_does_not_say_but_names_of_its_own() -> None:
    task: dict[str, Any] = {"secret_name": "mine", "role_binding": "bound", "token_file": "/t/one", "role": "view"}
    entries = [
        {},
        {"service_account": "ci", "token_kind": "bound", "rotate": "yes", "grace": "2d", "labels": '{"a": true}'},
        {"namespace": "other", "role": "", "image_streams": "a\nb"},
    ]
    ((first, second, third),) = parsed(accounts=entries, **task)
    assert (first.secret_name, first.role_binding) == ("mine", "bound")
    assert (second.secret_name, second.role_binding, second.token_file) == ("ci-secret", "", "")
    assert (second.kind, second.rotate, second.grace, second.labels) == ("bound", True, 172800, {"a": "true"})
    assert (third.key, third.role, third.image_streams) == ("other/image-pusher", "view", ("a", "b"))


def test_an_entry_may_be_a_name_and_all_of_them_text() -> None:
    ((first, second),) = parsed(accounts="ci, nightly")
    assert (first.service_account, second.service_account) == ("ci", "nightly")


def test_a_zone_may_have_an_account_of_its_own() -> None:
    zones = ["a-b-1", {"zone": "a-b-2", "service_account": "other"}]
    (first,), (second,) = parsed(zones=zones)
    assert (first.service_account, second.service_account) == ("image-pusher", "other")


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"namespace": None}, "nothing names the namespace of the service account image-pusher"),
        ({"namespace": "Bad_Name/.."}, "Bad_Name"),
        ({"service_account": "../x"}, "service_account '../x' is not a name"),
        ({"secret_name": "a/b"}, "secret_name 'a/b' is not a name"),
        ({"role_binding": ".."}, "role_binding '..' is not a name"),
        ({"role": "a b"}, "role 'a b' is not a name"),
        ({"image_streams": ["a/b"]}, "image_streams 'a/b' is not a name"),
        ({"kind": "bound", "expiration": "9m"}, "may not specify a duration less than 10 minutes"),
        ({"grace": "later"}, "grace 'later' is no length of time"),
        ({"wait_timeout": -1}, "wait_timeout must not be below 0"),
        ({"accounts": [{"nmae": "x"}]}, "unknown key nmae"),
        ({"accounts": [5]}, "neither a name nor a dictionary"),
        ({"accounts": [{"state": "gone"}]}, "state 'gone' is not one of present, absent"),
        ({"accounts": [{"rotate": "perhaps"}]}, "rotate 'perhaps' is neither true nor false"),
        ({"accounts": ["ci", "ci"]}, "accounts names shop/ci more than once"),
        ({"accounts": [{"token_file": "/t"}, {"service_account": "b", "token_file": "/t"}]}, "one file for several"),
        ({"zones": ["a-b-1", "a-b-2"], "token_file": "/t"}, "one file for several tokens"),
        ({"labels": "team"}, "labels is no mapping"),
    ],
)
def test_what_cannot_be_meant(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidOptionError, match=problem):
        parsed(**given)


def test_an_error_of_the_options_tells_zone_and_namespace() -> None:
    options = {**DEFAULTS, "zone": "cloudscale-lpg-2", "namespace": "shop"}
    with pytest.raises(InvalidOptionError, match=r"^zone cloudscale-lpg-2, namespace shop: .*no credential is given"):
        account_task(options, RunContext({}))
