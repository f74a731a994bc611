# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an API meant by a failure that ``kubernetes.core`` reports: cause and advice in one sentence; pure.

``kubernetes.core`` passes on the text of exceptions, with headers, bodies and tracebacks. The API's own
words are in the body, a ``Status`` object (Kubernetes API conventions, "Response Status Kind").
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from typing import Any

_BODY = re.compile(r"b'\{.*\}\\?n?'|b\"\{.*\}\\?n?\"", re.DOTALL)
_ADVICE = {
    401: "The credential is unknown, expired or revoked: get a new token",
    403: "Whoever runs this needs the right to do so there, as an admin of the namespace has it. "
    "A namespace that does not exist looks the same",
}
# The first line of what a traceback ends with: the name of an exception at the margin, and its text.
_EXCEPTION = re.compile(r"^[A-Za-z_][\w.]*(?:: |$)", re.MULTILINE)
_ORIGIN = "\nOriginal traceback:"
_ESCALATION = "attempting to grant RBAC permissions not currently held"
_GRANT = "Nobody can grant rights that they do not have: let somebody run this who has them, or choose another role"
_CAUSES = (
    ("CERTIFICATE_VERIFY_FAILED", "the certificate of the API is not trusted", "Give its authority as ca_cert"),
    ("Connection refused", "the API cannot be reached: connection refused", "Check zone and host"),
    ("Name or service not known", "the API cannot be reached: its name is not known", "Check zone and host"),
    ("Temporary failure in name resolution", "the API cannot be reached: its name is not known", "Check zone and host"),
    ("timed out", "the API cannot be reached: it does not answer", "Check zone, host and proxy"),
)


def api_failure(result: Mapping[str, Any]) -> str:
    """Return why a task of ``kubernetes.core`` failed, from its result."""
    text = _raised(str(result.get("module_stderr") or "")) or str(result.get("msg") or "no reason was given")
    status = _status(text)
    if status:
        said = str(status.get("message") or status.get("reason") or text)
        if _ESCALATION in said:
            return _sentences(said, _GRANT)
        return _sentences(said, _ADVICE.get(int(status.get("code") or 0), ""))
    code = re.search(r"\((\d{3})\)\s*Reason: (\w[\w ]*)", text)
    if code:
        return _sentences(code.group(2).strip(), _ADVICE.get(int(code.group(1)), ""))
    for sign, cause, hint in _CAUSES:
        if sign in text:
            return _sentences(cause, hint)
    return re.sub(r"^(Task failed: |Module failed: )+", "", text)


def _raised(stderr: str) -> str:
    """Return the exception that ended the program, with its text, which the client may have made of many lines."""
    last = stderr.rpartition("Traceback (most recent call last):")[2].strip("\n")
    found = _EXCEPTION.search(last)
    return last[found.start() :].partition(_ORIGIN)[0].strip() if found else last.strip().rpartition("\n")[2]


def _status(text: str) -> Mapping[str, Any] | None:
    """Return the API's Status object in the text, plain or as the representation of bytes."""
    written = _BODY.search(text)
    if written:
        try:
            text = ast.literal_eval(written.group(0)).decode()
        except (SyntaxError, ValueError):
            pass
    start = text.find('{"kind":"Status"')
    if start < 0:
        start = text.find('{"')
    if start < 0:
        return None
    try:
        found, _end = json.JSONDecoder().raw_decode(text[start:])
    except ValueError:
        return None
    return found if isinstance(found, Mapping) and found.get("kind") == "Status" else None


def _sentences(cause: str, hint: str) -> str:
    return f"{cause.rstrip('.')}. {hint}." if hint else cause
