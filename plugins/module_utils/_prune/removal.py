# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removing what a plan says, several at a time, each after reading what is there now."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Sequence

from .._errors import AppuioError, ConflictError
from .._openshift.client import Api
from .._openshift.image_streams import ImageStream, delete_stream, delete_tag, get_stream
from .._openshift.image_usage import held_images
from .._signals import StoppedError
from .history import trim_history
from .plan import Decision
from .report import ZonePrune
from .restoration import lost_pushes, put_back, states_since

AT_ONCE = 8
TRIES = 8
_STOPPED = "it was to go, but the task was stopped before"


@dataclass
class Removal:
    """The removal of one zone's tags, histories and repositories; what happens is noted in ``zone``.

    Once ``stopped`` is set, nothing more is begun.
    """

    zone: ZonePrune
    stopped: threading.Event = field(default_factory=threading.Event)
    _going: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    _turns: dict[str, threading.Lock] = field(default_factory=dict)
    _idle: threading.Event = field(default_factory=threading.Event)
    _done: set[tuple[str, str]] = field(default_factory=set)
    _since: dict[str, str] = field(default_factory=dict)
    _trimmed: set[str] = field(default_factory=set)
    _removed_repositories: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        going = self.zone.going
        self._going = frozenset((one.name, one.tag) for one in going)
        self._turns = {one.name: threading.Lock() for one in going}
        self._idle.set()

    def run(self, api: Api) -> None:
        """Remove all that is to go; the first failure ends it, and stands in the zone."""
        self._idle.clear()
        try:
            self._run(api)
        except BaseException:
            # Told to stop while waiting for the threads: without this they would go on to the last tag.
            self.stopped.set()
            raise
        finally:
            self._idle.set()

    def wait(self) -> None:
        """Wait until nothing is being removed any more."""
        self._idle.wait()

    def note_stopped(self, stopped: StoppedError) -> None:
        """Note that the task was stopped, if anything that was to go is still there."""
        done = self._done | self.zone.kept.keys()
        self.zone.kept.update((key, _STOPPED) for key in self._going - done)
        self.zone.untrimmed.update(one.name for one in self.zone.trims if one.name not in self._trimmed)
        empty = {one.name for one in self.zone.repositories if one.goes} - self._removed_repositories
        self.zone.kept_repositories.update((name, _STOPPED) for name in empty - self.zone.kept_repositories.keys())
        if _STOPPED in (*self.zone.kept.values(), *self.zone.kept_repositories.values()) or self.zone.untrimmed:
            self.zone.error = self.zone.error or AppuioError(str(stopped), zone=self.zone.zone)

    def _run(self, api: Api) -> None:
        going = self.zone.going
        if going:
            with ThreadPoolExecutor(min(AT_ONCE, len(going))) as pool:
                try:
                    list(pool.map(lambda decision: self._remove(api, decision), going))
                except BaseException:
                    self.stopped.set()
                    raise
            self._restore_lost_pushes(api)
        for name in dict.fromkeys(one.name for one in self.zone.trims):
            self._trim(api, name)
        for one in self.zone.repositories:
            if one.goes:
                self._remove_repository(api, one.name)

    def _remove(self, api: Api, decision: Decision) -> None:
        key = (decision.name, decision.tag)
        # Each thread asks before it begins, so that at most those that run already go on after a failure.
        reason = self._why_nothing_more()
        if not reason:
            try:
                reason = self._removed(api, decision)
            except AppuioError as error:
                self._fail(error)
                reason = "it could not be removed"
        if reason:
            self.zone.kept[key] = reason
        else:
            self._done.add(key)

    def _why_nothing_more(self) -> str:
        if self.stopped.is_set():
            return _STOPPED
        return "it was to go, but the prune failed before" if self.zone.error is not None else ""

    def _removed(self, api: Api, decision: Decision) -> str:
        """Remove a tag if it is as it was; return why it stays, or nothing."""
        with suppress(ConflictError):
            return self._removed_as_read(api, decision)
        # The stream has changed since it was read, by us or by others: from now on one of us at a time.
        with self._turns[decision.name]:
            for _try in range(TRIES):
                with suppress(ConflictError):
                    return self._removed_as_read(api, decision)
        return "others kept changing its image stream while this ran"

    def _removed_as_read(self, api: Api, decision: Decision) -> str:
        stream = get_stream(api, self.zone.namespace, decision.name)
        reason = self._why_not(stream, decision)
        if not reason and stream is not None:
            self._since.setdefault(decision.name, stream.resource_version)
            delete_tag(api, self.zone.namespace, decision.name, decision.tag, stream)
        return reason

    def _restore_lost_pushes(self, api: Api) -> None:
        """Each stream that lost tags is asked for its changes meanwhile, all at once, as each answer takes a second."""
        removed: dict[str, dict[str, Decision]] = {}
        for one in self.zone.going:
            if (one.name, one.tag) in self._done:
                removed.setdefault(one.name, {})[one.tag] = one
        if removed:
            with ThreadPoolExecutor(min(AT_ONCE, len(removed))) as pool:
                list(pool.map(lambda name: self._restore(api, name, removed[name]), removed))

    def _restore(self, api: Api, name: str, removed: dict[str, Decision]) -> None:
        namespace = self.zone.namespace
        try:
            lost = lost_pushes(states_since(api, namespace, name, self._since[name]), removed)
        except AppuioError as error:
            self.zone.warnings.append(f"nobody can tell whether a push to {name} was lost meanwhile: {error}")
            return
        for tag, event in lost.items():
            try:
                put_back(api, namespace, name, tag, event)
                self.zone.kept[(name, tag)] = f"{event.digest} was pushed while it was removed, and was put back"
            except AppuioError as error:
                error.hint = f"{event.digest} was pushed while the tag was removed, and is lost: push it again"
                self._fail(error)

    def _why_not(self, stream: ImageStream | None, decision: Decision) -> str:
        """Return why a tag stays after all: something has changed since it was decided."""
        tag = stream.tags.get(decision.tag) if stream else None
        if stream is None or tag is None:
            return "somebody else has removed it"
        pushed = tag.current.created if tag.current else None
        if (tag.digest, pushed) != (decision.digest, decision.pushed):
            return "it was pushed while this ran"
        if tag.follows:
            return "it follows another image now"
        children = self.zone.children.get(decision.name, {})
        used = [one for one in held_images(tag, children) if one in self.zone.usage.digests]
        if used:
            others = [one for one in stream.tags.values() if (stream.name, one.name) not in self._going]
            safe = {digest for one in others for digest in held_images(one, children)}
            if not safe.issuperset(used):
                return "it holds an image in use that another tag held until now"
        return ""

    def _trim(self, api: Api, name: str) -> None:
        events = {one.tag: one.events for one in self.zone.trims if one.name == name}
        try:
            if not self._why_nothing_more():
                trim_history(api, self.zone.namespace, name, events)
                self._trimmed.add(name)
                return
        except AppuioError as error:
            self._fail(error)
        self.zone.untrimmed.add(name)

    def _remove_repository(self, api: Api, name: str) -> None:
        reason = self._why_nothing_more()
        if not reason:
            try:
                stream = get_stream(api, self.zone.namespace, name)
                if stream is None:
                    reason = "somebody else has removed it"
                elif stream.tags or stream.skipped:
                    reason = "it has a tag now"
                else:
                    delete_stream(api, self.zone.namespace, stream)
                    self._removed_repositories.add(name)
            except ConflictError:
                reason = "it was changed while this ran"
            except AppuioError as error:
                self._fail(error)
                reason = "it could not be removed"
        if reason:
            self.zone.kept_repositories[name] = reason

    def _fail(self, error: AppuioError) -> None:
        """Keep the first failure."""
        self.zone.error = self.zone.error or error.at(zone=self.zone.zone)


def end_removals(removals: Sequence[Removal], stopped: StoppedError) -> None:
    """Begin nothing more after a signal to stop, wait for what is being removed, and note what stays."""
    stopped.catch()
    for removal in removals:
        removal.stopped.set()
    for removal in removals:
        removal.wait()
        removal.note_stopped(stopped)
