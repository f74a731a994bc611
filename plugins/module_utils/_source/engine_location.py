# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which image of which container engine is meant, and where that engine is asked."""

from __future__ import annotations

import os
import re
from typing import Mapping

from .._errors import InvalidOptionError
from .._reference import parse_reference

SOCKETS = {
    "docker-daemon": ("DOCKER_HOST", "/var/run/docker.sock"),
    "containers-storage": ("CONTAINER_HOST", "/run/podman/podman.sock"),
}
_ID = re.compile(r"@?(?:sha256:)?[0-9a-f]{12,64}")


def is_image_id(reference: str) -> bool:
    """Whether an engine is asked for an image by its ID, in full or the first 12 digits and more."""
    return bool(_ID.fullmatch(reference))


def checked_engine_reference(reference: str) -> str:
    """Return the name or ID of an image in an engine; raises InvalidOptionError."""
    if reference.startswith("["):
        raise InvalidOptionError(
            "source containers-storage: takes no storage in brackets: engine_socket says which engine"
        )
    if not is_image_id(reference):
        parse_reference(reference)
    return reference


def default_socket(transport: str, environment: Mapping[str, str]) -> str:
    """Return the socket that the engine's own client would use; raises InvalidOptionError for an engine elsewhere."""
    variable, usual = SOCKETS[transport]
    host = environment.get(variable) or ""
    if host:
        if not host.startswith("unix://"):
            raise InvalidOptionError(
                f"{variable} is {host}, and only a Unix socket is supported", hint="Give engine_socket"
            )
        return host[len("unix://") :]
    runtime = environment.get("XDG_RUNTIME_DIR") or ""
    if transport == "containers-storage" and runtime:
        own = os.path.join(runtime, "podman", "podman.sock")
        if os.path.exists(own):
            return own
    return usual
