# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many zones at once, also where no thread can be started: each with its result, one failure that names all."""

from __future__ import annotations

import copy
import threading
from contextlib import contextmanager
from typing import Any, Callable, Collection, Generic, Iterator, Mapping, Sequence, TypeVar

from .._errors import AppuioError, CancelledError, MissingLibraryError
from .._signals import GOES_ON, LONGEST_HOLD, StoppedError, held
from .._targets import RunContext, Target
from .session import ZoneSession

_Item = TypeVar("_Item")
_Value = TypeVar("_Value")


def at_once(work: Callable[[_Item], None], items: Sequence[_Item], on_stop: Callable[[], None] | None = None) -> None:
    """Do the work for all items at the same time; waits for all, and raises the first of what was raised.

    The first item is for this thread, and so is every one that no thread can be started for: nobody waits for it for
    ever. A signal that became an exception comes to this thread while the others work: where ``on_stop`` tells them so,
    they are waited for.
    """
    raised: list[BaseException] = []
    threads: list[threading.Thread] = []

    def guarded(item: _Item) -> None:
        try:
            work(item)
        except Exception as error:
            raised.append(error)

    try:
        for item in items[1:]:
            thread = threading.Thread(target=guarded, args=(item,), daemon=True)
            try:
                thread.start()
            except RuntimeError:
                guarded(item)
            else:
                threads.append(thread)
        for item in items[:1]:
            guarded(item)
        for thread in threads:
            thread.join()
    except BaseException:
        if on_stop is not None:
            on_stop()
            for thread in threads:
                thread.join()
        raise
    if raised:
        raise raised[0]


class ZoneOutcome(Generic[_Value]):
    """What came of one zone: a value, or the error that names the zone."""

    def __init__(self, zone: str, value: _Value | None = None, error: AppuioError | None = None) -> None:
        self.zone = zone
        self.value = value
        self.error = error
        self.ended = False


class ZoneSessions:
    """The sessions of a task's zones, in the order given; making them asks no server, and checks every credential."""

    def __init__(self, targets: Sequence[Target], context: RunContext) -> None:
        self.sessions = [ZoneSession(target, context) for target in targets]

    def some(self, zones: Collection[str], namespace: str | None) -> ZoneSessions:
        """Return the sessions of some zones, for another namespace where one is given; these close them."""
        chosen = copy.copy(self)
        chosen.sessions = [
            session.in_namespace(namespace) if namespace else session
            for session in self.sessions
            if session.name in zones
        ]
        return chosen

    def each(self, work: Callable[[ZoneSession], _Value]) -> list[ZoneOutcome[_Value]]:
        """Do the same in all zones at once; return what came of each, in the order of the zones."""
        return each_zone(work, self.sessions, lambda session: session.name)

    def change_each(self, work: Callable[[ZoneSession], _Value]) -> list[ZoneOutcome[_Value]]:
        """Change something in all zones at once; what was asked of them ends before a signal stops the task."""
        return change_each_zone(work, self.sessions, lambda session: session.name)

    def __getitem__(self, zone: str) -> ZoneSession:
        return next(session for session in self.sessions if session.name == zone)

    def close(self) -> None:
        """Give back what the sessions hold, in all zones at once, as ending a token asks a server."""
        at_once(ZoneSession.close, self.sessions)


def each_zone(
    work: Callable[[_Item], _Value], items: Sequence[_Item], name: Callable[[_Item], str]
) -> list[ZoneOutcome[_Value]]:
    """Do the same for all items at once; an AppuioError becomes part of the outcome, and names the zone."""
    outcomes: list[ZoneOutcome[_Value]] = [ZoneOutcome(name(item)) for item in items]
    _fill(outcomes, work, items)
    return outcomes


def change_each_zone(
    work: Callable[[_Item], _Value], items: Sequence[_Item], name: Callable[[_Item], str]
) -> list[ZoneOutcome[_Value]]:
    """As ``each_zone``, for work that changes something, and that calls ``check_stop`` before each step.

    A signal to stop becomes an error of the zones that had more to do. A request that was sent goes on in its zone
    whatever becomes of this process, so that its answer is waited for in all zones, though not for ever.
    """
    outcomes: list[ZoneOutcome[_Value]] = [ZoneOutcome(name(item)) for item in items]
    with finishing():
        _fill(outcomes, work, items)
    for outcome in outcomes:
        if not outcome.ended:
            text = "stopped before the zone had answered: what it was asked for may be done or not"
            outcome.error = CancelledError(text, zone=outcome.zone, hint=GOES_ON)
    return outcomes


@contextmanager
def finishing() -> Iterator[None]:
    """Let the block end after a signal to stop, for ``LONGEST_HOLD`` seconds at most, and go on after it.

    What the block begins calls ``check_stop`` before, and the caller looks whether all of it has ended.
    """
    try:
        with held(LONGEST_HOLD):
            yield
    except StoppedError as stopped:
        stopped.catch()


def _fill(outcomes: Sequence[ZoneOutcome[_Value]], work: Callable[[_Item], _Value], items: Sequence[_Item]) -> None:
    def one(number: int) -> None:
        outcome = outcomes[number]
        try:
            outcome.value = work(items[number])
        except AppuioError as error:
            outcome.error = error.at(zone=outcome.zone)
        outcome.ended = True

    at_once(one, range(len(items)))


def joined_error(errors: Sequence[AppuioError | None], result: Mapping[str, Any] | None = None) -> AppuioError:
    """Return the one error for all zones that failed, of as many as there are ``errors``.

    A zone that was given up because of another one is not reported where the cause is known. ``result`` is merged into
    the failed result.
    """
    failed = [error for error in errors if error is not None]
    causes = [error for error in failed if not isinstance(error, CancelledError)] or failed
    if causes and all(isinstance(error, MissingLibraryError) for error in causes):
        return causes[0]  # reported in Ansible's own words, with what installs it
    sentences = list(dict.fromkeys(str(error) for error in causes))
    text = sentences[0] if sentences else "nothing is known of what failed"
    if len(sentences) > 1:
        text = f"{len(causes)} of {len(errors)} zones failed: {' | '.join(sentences)}"
    first = causes[0].result if causes else {}
    return AppuioError(text, result={**first, **(result or {})})


def joined_result(zones: Sequence[Mapping[str, Any]], errors: Sequence[AppuioError | None]) -> dict[str, Any]:
    """Return the result of a module from those of its zones; raises AppuioError, with it, where a zone failed."""
    reason = zones[0]["reason"]
    if len(zones) > 1:
        reason = f"{sum(zone['changed'] for zone in zones)} of {len(zones)} zones changed"
    result = {"changed": any(zone["changed"] for zone in zones), "reason": reason, "zones": list(zones)}
    if any(errors):
        raise joined_error(errors, result)
    return result
