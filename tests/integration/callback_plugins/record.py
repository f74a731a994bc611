# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what every task says, as Ansible would show it, to the file that APPUIO_TEST_RECORD names."""

from __future__ import annotations

import json
import os
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: record
type: notification
short_description: Record results for tests
description: Writes a JSON object per result to a file.
"""


class CallbackModule(CallbackBase):
    """One line of JSON per result."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "record"
    CALLBACK_NEEDS_ENABLED = True

    def v2_runner_on_ok(self, result: Any, **_ignored: Any) -> None:
        self._record("ok", result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False, **_ignored: Any) -> None:
        self._record("failed", result)

    def v2_runner_on_unreachable(self, result: Any, **_ignored: Any) -> None:
        self._record("unreachable", result)

    def v2_runner_on_skipped(self, result: Any, **_ignored: Any) -> None:
        self._record("skipped", result)

    def _record(self, status: str, result: Any) -> None:
        shown = json.loads(self._dump_results(result._result, indent=0, keep_invocation=True))
        if "diff" in result._result:
            shown["diff"] = json.loads(json.dumps(result._result["diff"], default=str))
        if status == "failed":  # newer versions take it out of what they show
            shown["failed"] = True
        record = {
            "task": result._task.get_name(),
            "host": result._host.get_name(),
            "status": status,
            "result": shown,
        }
        with open(os.environ["APPUIO_TEST_RECORD"], "a", encoding="utf-8") as stream:
            stream.write(json.dumps(record) + "\n")
