# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A signal while zones are changed through their APIs: what was begun ends, nothing more is, and the result says so."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils import _signals
from ansible_collections.appuio.registry.plugins.module_utils._credentials.service_account_method import (
    request_bound_token,
)
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError, CancelledError
from ansible_collections.appuio.registry.plugins.module_utils._http.retry import SYSTEM_CLOCK
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects import objects
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects.account_secrets import AccountSecrets
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects.apply_steps import (
    apply_steps,
    note_changes,
)
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects.steps import Steps
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects.tokens import SecretOptions
from ansible_collections.appuio.registry.plugins.module_utils._signals import StopSignals, check_stop
from ansible_collections.appuio.registry.plugins.module_utils._targets import RunContext
from ansible_collections.appuio.registry.plugins.module_utils._zones import fanout
from ansible_collections.appuio.registry.plugins.module_utils._zones.fanout import finishing
from ansible_collections.appuio.registry.plugins.module_utils._zones.zone_plans import ZonesTask

from tests.unit.plugins.module_utils.scripted_api import ScriptedApi, answer
from tests.unit.plugins.module_utils.stub_session import StubSessions

SECRETS = "/api/v1/namespaces/shop/secrets"
EMPTY = objects.token_secret("shop", "token", "pusher")


@dataclass(frozen=True)
class Change:
    """What there is to do in a zone, which is always something."""

    changed: bool = True
    secrets: Sequence[str] = ()

    def result(self, _handed_on: bool = True) -> dict[str, Any]:
        return {"changed": True}

    def diffs(self, _zone: str) -> list[dict[str, str]]:
        return []


@dataclass(frozen=True)
class Work:
    """The work in one zone, which a function does."""

    zone: str
    do: Callable[[str], None]

    def plan(self) -> Change:
        return Change()

    def apply(self, plan: Change) -> Change:
        self.do(self.zone)
        return plan


def run(do: Callable[[str], None]) -> dict[str, Any]:
    """Do it in the zones a and b, the first in the main thread, and return the result, also of a failure."""
    sessions: Any = StubSessions({name: AppuioError("nobody asks it") for name in "ab"})
    task = ZonesTask(sessions, lambda session: Work(session.name, do), RunContext({}), several=True)
    with StopSignals():
        try:
            return task.apply(task.plan())
        except AppuioError as error:
            return {**error.result, "msg": str(error)}


def test_what_was_begun_ends_in_all_zones_and_nothing_more_is_begun() -> None:
    begun, sent = threading.Barrier(2, timeout=600), threading.Event()
    done: list[str] = []

    def do(zone: str) -> None:
        begun.wait()
        if zone == "a":
            signal.raise_signal(signal.SIGTERM)
            sent.set()
        sent.wait()
        done.append(f"{zone} 1")
        with note_changes(True):
            check_stop("take the second step")

    result = run(do)
    assert sorted(done) == ["a 1", "b 1"]
    assert "zone a: take the second step: stopped by SIGTERM. Run the task again" in result["msg"]
    assert [(zone["zone"], zone["changed"], zone["failed"]) for zone in result["zones"]] == [
        ("a", True, True),
        ("b", True, True),
    ]
    assert all("take the second step: stopped by SIGTERM" in zone["error"] for zone in result["zones"])


def test_a_signal_at_the_last_step_is_too_late() -> None:
    def do(zone: str) -> None:
        if zone == "a":
            signal.raise_signal(signal.SIGTERM)

    result = run(do)
    assert (result["changed"], [zone["changed"] for zone in result["zones"]]) == (True, [True, True])
    assert "failed" not in result["zones"][0]


def test_a_zone_that_does_not_answer_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanout, "LONGEST_HOLD", 0.0)
    monkeypatch.setattr(_signals, "WATCH_EVERY", 0.01)
    never = threading.Event()

    def do(zone: str) -> None:
        if zone == "b":
            never.wait()
        else:
            signal.raise_signal(signal.SIGTERM)

    try:
        result = run(do)
    finally:
        never.set()
    assert result["zones"][1]["error"].startswith("zone b: stopped before the zone had answered: what it was asked for")


def stopped(work: Callable[[], object]) -> str:
    """Return what the work says of a signal that came before."""
    with StopSignals(), finishing():
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(CancelledError) as caught:
            work()
    return str(caught.value)


def test_every_step_through_an_api_looks_whether_the_task_was_stopped() -> None:
    api = ScriptedApi()
    steps = Steps()
    steps.create(objects.service_account("shop", "pusher"), "it is missing")
    steps.create(EMPTY, "it holds the token")
    secrets = AccountSecrets(api.api, SecretOptions("shop", "pusher", "token"), SYSTEM_CLOCK)
    works = {
        "create the ServiceAccount pusher": lambda: apply_steps(api.api, "shop", steps.steps, str),
        "create the Secret token": lambda: secrets.apply_early(Steps(steps.steps[1:]), str, "token"),
        "request a token of pusher": lambda: request_bound_token(api.api, "shop", "pusher", 3600, 0, str),
    }
    for step, work in works.items():
        assert stopped(work).startswith(f"{step}: stopped by SIGTERM")
    assert not api.requests


def test_a_token_that_does_not_come_is_not_waited_for_after_a_signal() -> None:
    http = ScriptedApi((f"GET {SECRETS}/token", answer(200, EMPTY)))
    secrets = AccountSecrets(http.api, SecretOptions("shop", "pusher", "token"), SYSTEM_CLOCK)
    words = stopped(lambda: secrets.wait("token", 600))
    assert words.startswith("wait for the token in the Secret token: stopped by SIGTERM")
