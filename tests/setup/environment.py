# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment that tests run in: nothing of the user's Ansible, clusters or logins is seen or touched."""

from __future__ import annotations

import os
from pathlib import Path

from . import BUILD

_PREFIXES = ("ANSIBLE_", "APPUIO_", "K8S_AUTH_", "PYTHON", "MYPY", "RUFF_", "PYTEST_")
_NAMES = {"DOCKER_CONFIG", "KUBECONFIG", "REGISTRY_AUTH_FILE", "VIRTUAL_ENV", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"}


def without_settings() -> dict[str, str]:
    """Return this environment without the user's settings of the tools; pip's remain, they say where packages are."""
    return {name: value for name, value in os.environ.items() if name not in _NAMES and not name.startswith(_PREFIXES)}


def private(first_on_path: str | Path | None = None, **more: str) -> dict[str, str]:
    """Return an environment with a home of its own, and with this folder first on its path."""
    home = BUILD / "home" / "tests"
    home.mkdir(parents=True, exist_ok=True)
    env = without_settings()
    env.update(HOME=str(home), PYTHONUTF8="1", LC_ALL="C.UTF-8", NO_COLOR="1", PIP_NO_INPUT="1")
    env.update(ANSIBLE_NOCOLOR="1", ANSIBLE_GALAXY_DISPLAY_PROGRESS="0", ANSIBLE_LOCALHOST_WARNING="0")
    if first_on_path is not None:
        env["PATH"] = os.pathsep.join([str(first_on_path), env.get("PATH", os.defpath)])
    return {**env, **more}
