# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens from exec plugins of kubeconfig files, such as ``kubelogin``.

Source: Kubernetes documentation, "Authenticating", "client-go credential plugins".
"""

from __future__ import annotations

import json
import subprocess
from typing import Any, Mapping

from .._errors import AppuioError, InvalidOptionError
from .helper import without_secrets

TIMEOUT = 60.0


def plugin_token(plugin: Mapping[str, Any], environment: Mapping[str, str]) -> str:
    """Return the token that a plugin gives without asking anybody; raises AppuioError."""
    command = str(plugin.get("command") or "")
    version = str(plugin.get("apiVersion") or "client.authentication.k8s.io/v1")
    if not command:
        raise InvalidOptionError("the exec plugin of the kubeconfig names no command")
    question = {"apiVersion": version, "kind": "ExecCredential", "spec": {"interactive": False}}
    own = {str(item.get("name")): str(item.get("value") or "") for item in plugin.get("env") or ()}
    context = {**without_secrets(environment), **own, "KUBERNETES_EXEC_INFO": json.dumps(question)}
    try:
        ended = subprocess.run(
            [command, *map(str, plugin.get("args") or ())],
            env=context,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    except FileNotFoundError:
        hint = str(plugin.get("installHint") or "Install it, or give a token").strip()
        raise AppuioError(f"the exec plugin {command} of the kubeconfig is not installed", hint=hint) from None
    except subprocess.TimeoutExpired:
        raise AppuioError(f"the exec plugin {command} gave no answer within {TIMEOUT:g} s") from None
    except OSError as error:
        raise AppuioError(f"the exec plugin {command} cannot be run: {error.strerror or error}") from None
    if ended.returncode:
        output = " ".join(ended.stderr.decode(errors="replace").split())[:300]
        raise AppuioError(
            f"the exec plugin {command} failed with status {ended.returncode}: {output or 'no reason given'}"
        )
    return _token(ended.stdout, command)


def _token(answer: bytes, command: str) -> str:
    try:
        found = json.loads(answer)
    except ValueError:
        found = None
    status = found.get("status") if isinstance(found, dict) else None
    token = status.get("token") if isinstance(status, dict) else None
    if not token:
        raise AppuioError(f"the exec plugin {command} gave no token", hint="A registry takes nothing else")
    return str(token)
