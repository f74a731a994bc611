# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks zones what images they have; changes nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Callable, Mapping

from .._image.image_zone import ImageZone, image_targets, open_zone
from .._targets import Target
from .facts import Answers
from .look import Look
from .options import Question, question_from


@dataclass(frozen=True)
class InfoTask:
    """The question of one run of the module, and the zones that are asked, all at the same time."""

    question: Question
    targets: list[Target]
    environment: Mapping[str, str] = field(repr=False)
    register_secret: Callable[[str], None]
    several: bool = False

    def plan(self) -> Answers:
        """Return what the zones answer."""
        look = Look(self.question, self._open)
        with ThreadPoolExecutor(len(self.targets)) as pool:
            return Answers(tuple(pool.map(look.at, self.targets)), self.several)

    def apply(self, answers: Answers) -> dict[str, Any]:
        """Return the result; raises AppuioError."""
        return answers.predict()

    def close(self) -> None:
        """Nothing is held open."""

    def _open(self, target: Target) -> ImageZone:
        return open_zone(target, self.environment, self.register_secret)


def info_task(
    options: Mapping[str, Any], environment: Mapping[str, str], register_secret: Callable[[str], None]
) -> InfoTask:
    """Return the task that the options describe; raises InvalidOptionError; asks nobody."""
    targets = image_targets(options, environment)
    return InfoTask(question_from(options), targets, environment, register_secret, options.get("zones") is not None)
