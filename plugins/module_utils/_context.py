# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task may know of where it runs; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Mapping

# What stands in the environment for us alone, and for no program that is started for a task.
SECRET_VARIABLES = ("APPUIO_TOKEN", "K8S_AUTH_API_KEY", "K8S_AUTH_PASSWORD")


def _ignored(_value: str) -> None:
    """Take no notice."""


@dataclass(frozen=True)
class RunContext:
    """What a task may know of where it runs, handed in so that it can be tested without it.

    ``register_secret`` keeps a value out of all output; ``return_secret`` lets it stand in the result of a
    success, for a module whose result is a secret.
    """

    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    temporary_directory: str = ""
    register_secret: Callable[[str], None] = _ignored
    warn: Callable[[str], None] = _ignored
    return_secret: Callable[[str], None] = _ignored
