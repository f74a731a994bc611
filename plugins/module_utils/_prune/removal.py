# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removing what a plan says, several at a time, each after a look at what is there now."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from .._errors import AppuioError, ConflictError
from .._openshift.client import Api
from .._openshift.image_streams import ImageStream, delete_stream, delete_tag, get_stream
from .._openshift.stream_history import trim_history
from .plan import Decision, held_images
from .report import ZonePrune

AT_ONCE = 8
TRIES = 8


@dataclass
class Removal:
    """The removal of one zone's tags, histories and repositories; what happens is noted in ``zone``."""

    api: Api
    zone: ZonePrune
    _going: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    _turns: dict[str, threading.Lock] = field(default_factory=dict)

    def run(self) -> None:
        """Remove all that is to go; the first failure ends it, and stands in the zone."""
        going = self.zone.going
        self._going = frozenset((one.name, one.tag) for one in going)
        self._turns = {one.name: threading.Lock() for one in going}
        if going:
            with ThreadPoolExecutor(min(AT_ONCE, len(going))) as pool:
                list(pool.map(self._remove, going))
        self._trim()
        for one in self.zone.repositories:
            if one.goes:
                self._remove_repository(one.name)

    def _remove(self, decision: Decision) -> None:
        key = (decision.name, decision.tag)
        # Each thread asks before it begins, so that at most those that run already go on after a failure.
        if self.zone.error is not None:
            self.zone.kept[key] = "it was to go, but the prune failed before"
            return
        try:
            reason = self._removed(decision)
        except AppuioError as error:
            self._fail(error)
            reason = "it could not be removed"
        if reason:
            self.zone.kept[key] = reason

    def _removed(self, decision: Decision) -> str:
        """Remove a tag if it is as it was; return why it stays, or nothing."""
        with suppress(ConflictError):
            return self._removed_as_read(decision)
        # The stream has changed since it was read, by us or by others: from now on one of us at a time.
        with self._turns[decision.name]:
            for _try in range(TRIES):
                with suppress(ConflictError):
                    return self._removed_as_read(decision)
        return "others kept changing its image stream while this ran"

    def _removed_as_read(self, decision: Decision) -> str:
        stream = get_stream(self.api, self.zone.namespace, decision.name)
        reason = self._why_not(stream, decision)
        if not reason and stream is not None:
            delete_tag(self.api, self.zone.namespace, decision.name, decision.tag, stream)
        return reason

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

    def _trim(self) -> None:
        for name in dict.fromkeys(one.name for one in self.zone.trims):
            events = {one.tag: one.events for one in self.zone.trims if one.name == name}
            try:
                if self.zone.error is None:
                    trim_history(self.api, self.zone.namespace, name, events)
                    continue
            except AppuioError as error:
                self._fail(error)
            self.zone.untrimmed.add(name)

    def _remove_repository(self, name: str) -> None:
        if self.zone.error is not None:
            self.zone.kept_repositories[name] = "it was to go, but the prune failed before"
            return
        try:
            stream = get_stream(self.api, self.zone.namespace, name)
            if stream is None:
                self.zone.kept_repositories[name] = "somebody else has removed it"
            elif stream.tags or stream.skipped:
                self.zone.kept_repositories[name] = "it has a tag now"
            else:
                delete_stream(self.api, self.zone.namespace, stream)
        except ConflictError:
            self.zone.kept_repositories[name] = "it was changed while this ran"
        except AppuioError as error:
            self._fail(error)
            self.zone.kept_repositories[name] = "it could not be removed"

    def _fail(self, error: AppuioError) -> None:
        """Keep the first failure."""
        self.zone.error = self.zone.error or error.at(zone=self.zone.zone)
