# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demonstration prints."""

from __future__ import annotations

from tests.demo.playbooks import ScenarioFailed


class Output:
    """Prints chapters, lines and checked claims as they come, also into a pipe."""

    def __init__(self) -> None:
        self._chapters = 0

    def chapter(self, title: str) -> None:
        """Begin the next part of the scenario."""
        self._chapters += 1
        print(f"\n{self._chapters}. {title}\n", flush=True)

    def line(self, text: str) -> None:
        """Print one line."""
        print(f"   {text}", flush=True)

    def check(self, claim: str, true: bool) -> None:
        """Print a claim that was checked; raises ScenarioFailed when it is false."""
        self.line(f"{'yes' if true else 'NO'}  {claim}")
        if not true:
            raise ScenarioFailed(f"this is not so: {claim}")
