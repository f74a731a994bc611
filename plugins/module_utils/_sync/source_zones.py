# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The zones that images come from: a session each, which closes with the task."""

from __future__ import annotations

from .._errors import InvalidOptionError
from .._targets import RunContext, Target
from .._zones.fanout import ZoneSessions, at_once
from .._zones.session import ZoneSession

# Each is of one zone.
_TOKENS = ("APPUIO_TOKEN", "K8S_AUTH_API_KEY")


class SourceZones:
    """The zones that images come from, each opened once; a zone of the task is the one that is open already."""

    def __init__(self, sessions: ZoneSessions, context: RunContext) -> None:
        self._task = sessions
        self._context = context
        self._own: list[ZoneSession] = []

    def session(self, target: Target) -> ZoneSession:
        """Return the session of a zone; asks no server; raises InvalidOptionError."""
        for session in (*self._task.sessions, *self._own):
            if session.target._replace(namespace=target.namespace) == target:
                return session.in_namespace(str(target.namespace))
        try:
            made = ZoneSession(target, self._context)
        except InvalidOptionError as error:
            error.message = f"source_zone: {error.message}"
            raise error.at(zone=target.zone.name) from None
        if made.method.from_environment and made.method.origin in _TOKENS:
            for session in self._task.sessions:
                if session.method.from_environment:
                    raise InvalidOptionError(
                        f"source_zone: zone {made.name} has no credential of its own, and {made.method.origin} is the "
                        f"token of zone {session.name}",
                        hint="Give it one beside its zone, such as token",
                    )
        self._own.append(made)
        return made

    def close(self) -> None:
        """Give back what the sessions hold that are none of the task's."""
        at_once(ZoneSession.close, self._own)
