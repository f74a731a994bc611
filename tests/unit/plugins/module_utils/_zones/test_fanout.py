# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many zones at once: who is asked when, what becomes of failures, and what one sentence says of them."""

from __future__ import annotations

import threading

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import (
    AppuioError,
    CancelledError,
    InvalidOptionError,
    MissingLibraryError,
)
from ansible_collections.appuio.registry.plugins.module_utils._targets import RunContext, targets_from
from ansible_collections.appuio.registry.plugins.module_utils._zones import fanout
from ansible_collections.appuio.registry.plugins.module_utils._zones.fanout import (
    ZoneSessions,
    at_once,
    each_zone,
    joined_error,
)


def test_all_zones_are_asked_at_the_same_time_and_answer_in_their_order() -> None:
    together = threading.Barrier(3, timeout=600)

    def work(name: str) -> str:
        together.wait()
        if name == "b":
            raise AppuioError("it is away")
        return name.upper()

    outcomes = each_zone(work, ["a", "b", "c"], lambda name: f"zone-{name}")
    assert [(one.zone, one.value) for one in outcomes] == [("zone-a", "A"), ("zone-b", None), ("zone-c", "C")]
    assert str(outcomes[1].error) == "zone zone-b: it is away"


def test_one_zone_is_asked_in_the_main_thread() -> None:
    threads: list[object] = []
    at_once(lambda _item: threads.append(threading.current_thread()), ["a"])
    assert threads == [threading.main_thread()]


def test_what_is_no_failure_of_a_zone_goes_on_to_the_caller_when_all_have_ended() -> None:
    ended = []

    def work(name: str) -> None:
        if name == "b":
            raise ValueError("a fault of ours")
        ended.append(name)

    with pytest.raises(ValueError, match="a fault of ours"):
        each_zone(work, ["a", "b", "c"], str)
    assert sorted(ended) == ["a", "c"]


def test_nobody_waits_for_a_thread_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    class Thread(threading.Thread):
        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr(fanout.threading, "Thread", Thread)
    done: list[str] = []
    at_once(done.append, ["a", "b", "c"])
    assert sorted(done) == ["a", "b", "c"]


def test_one_sentence_names_every_zone_that_failed_and_its_cause() -> None:
    one, two = AppuioError("refused", zone="one"), AppuioError("away", zone="two", result={"step": 1})
    given_up = CancelledError("left as it was, as another zone failed", zone="three")
    joined = joined_error([one, None, given_up, two], {"zones": [1, 2]})
    assert str(joined) == "2 of 4 zones failed: zone one: refused | zone two: away"
    assert joined.result == {"zones": [1, 2]}
    assert str(joined_error([None, two, given_up])) == "zone two: away"
    assert joined_error([None, two]).result == {"step": 1}
    assert "another zone failed" in str(joined_error([given_up, None]))


def test_a_library_that_is_missing_is_told_once_and_stays_what_it_is() -> None:
    """The runner says of it, in Ansible's words, what installs it."""
    missing = [MissingLibraryError("openshift", "to ask the API").at(zone=zone) for zone in ("one", "two")]
    assert joined_error([missing[0], None, missing[1]]) is missing[0]
    assert not isinstance(joined_error([missing[0], AppuioError("away", zone="two")]), MissingLibraryError)


def test_sessions_check_every_credential_before_anybody_is_asked() -> None:
    options = {"zones": [{"zone": "a-b-1", "token": "t"}, {"zone": "a-b-2"}]}
    with pytest.raises(InvalidOptionError, match="zone a-b-2: no credential is given"):
        ZoneSessions(targets_from(options), RunContext())
    sessions = ZoneSessions(targets_from({**options, "token": "t"}), RunContext())
    assert [session.name for session in sessions.sessions] == ["a-b-1", "a-b-2"]
    assert sessions["a-b-2"].credential.credential.secret == "t"
    sessions.close()
