# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where docker and podman keep credentials, for the effective user; reads the file system, writes nothing.

Sources: docs.docker.com ("docker login", DOCKER_CONFIG), containers-auth.json(5).
"""

from __future__ import annotations

import os
import pwd
from typing import Mapping

from .._errors import InvalidOptionError


def file_to_write(client: str, environment: Mapping[str, str]) -> str:
    """Return the file that ``docker`` or ``podman`` reads for a registry; raises InvalidOptionError without a home."""
    if environment.get("REGISTRY_AUTH_FILE"):
        return environment["REGISTRY_AUTH_FILE"]
    if client == "docker":
        return _docker_file(environment)
    return next((path for path in _runtime_files(environment)), None) or _config_file(environment)


def files_to_read(environment: Mapping[str, str]) -> list[str]:
    """Return the files in which credentials are looked up, the first to be asked first."""
    if environment.get("REGISTRY_AUTH_FILE"):
        return [environment["REGISTRY_AUTH_FILE"]]
    found = _runtime_files(environment)
    try:
        found += [_config_file(environment), _docker_file(environment)]
    except InvalidOptionError:
        return found
    return found


def home(environment: Mapping[str, str]) -> str:
    """Return the home directory: ``HOME``, else what the user database says; raises InvalidOptionError."""
    if environment.get("HOME"):
        return environment["HOME"]
    try:
        return pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        raise InvalidOptionError(
            f"HOME is not set and user {os.geteuid()} has no home directory",
            hint="Name the file with auth_file or REGISTRY_AUTH_FILE",
        ) from None


def _docker_file(environment: Mapping[str, str]) -> str:
    folder = environment.get("DOCKER_CONFIG") or os.path.join(home(environment), ".docker")
    return os.path.join(folder, "config.json")


def _config_file(environment: Mapping[str, str]) -> str:
    folder = environment.get("XDG_CONFIG_HOME") or os.path.join(home(environment), ".config")
    return os.path.join(folder, "containers", "auth.json")


def _runtime_files(environment: Mapping[str, str]) -> list[str]:
    """The file in the user's runtime directory; one of another user, left by ``su`` or ``become``, is none.

    Without ``XDG_RUNTIME_DIR``, podman keeps it under ``/run/containers``, where it counts once it is there.
    """
    folder = environment.get("XDG_RUNTIME_DIR")
    if folder:
        return [os.path.join(folder, "containers", "auth.json")] if _is_ours(folder) else []
    path = f"/run/containers/{os.geteuid()}/auth.json"
    return [path] if _is_ours(path) else []


def _is_ours(path: str) -> bool:
    try:
        return os.stat(path).st_uid == os.geteuid()
    except OSError:
        return False
