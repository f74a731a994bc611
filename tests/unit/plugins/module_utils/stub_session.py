# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions of zones whose APIs answer from a script, or cannot be asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError
from ansible_collections.appuio.registry.plugins.module_utils._zones.fanout import (
    ZoneOutcome,
    change_each_zone,
    each_zone,
)

from tests.unit.plugins.module_utils.scripted_api import ScriptedApi


class StubSession:
    """One zone; ``asked_as`` are the other tokens that its API was asked with."""

    def __init__(self, name: str, api: ScriptedApi | AppuioError) -> None:
        self.name, self._api = name, api
        self.asked_as: list[str] = []

    def api(self) -> Any:
        if isinstance(self._api, AppuioError):
            raise self._api
        return self._api.api

    def api_as(self, token: str) -> Any:
        self.asked_as.append(token)
        return self.api()


class StubSessions:
    """The zones of a task by their names."""

    def __init__(self, apis: Mapping[str, ScriptedApi | AppuioError]) -> None:
        self.sessions = [StubSession(name, api) for name, api in apis.items()]
        self.closed = False

    def each(self, work: Callable[[Any], Any]) -> list[ZoneOutcome[Any]]:
        return each_zone(work, self.sessions, lambda session: session.name)

    def change_each(self, work: Callable[[Any], Any]) -> list[ZoneOutcome[Any]]:
        return change_each_zone(work, self.sessions, lambda session: session.name)

    def close(self) -> None:
        self.closed = True
