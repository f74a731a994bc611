# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API's words, found in what kubernetes.core makes of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._openshift.api_failure import api_failure

MISSING = {"kind": "Status", "apiVersion": "v1", "message": 'namespaces "shop" not found', "code": 404}
FORBIDDEN = {"kind": "Status", "message": 'rolebindings is forbidden: User "ada" cannot list', "code": 403}
ESCALATION = {
    "kind": "Status",
    "message": "user is attempting to grant RBAC permissions not currently held:\n{Verbs:['get']}",
    "code": 403,
}
TRACEBACK = """Traceback (most recent call last):
  File "client.py", line 54, in inner
    raise ApiException(
    ~~~~~~^^^^^^^^^^^^
kubernetes.client.exceptions.ApiException: (401)
Reason: Unauthorized

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "client.py", line 56, in inner
    raise api_exception(e)
kubernetes.dynamic.exceptions.UnauthorizedError: 401
Reason: Unauthorized
HTTP response body: {"kind":"Status","message":"Unauthorized","code":401}

Original traceback:
  File "exceptions.py", line 144, in from_response
    raise UnauthorizedException(http_resp=http_resp)

"""
REFUSED = "HTTPSConnectionPool(host='h', port=1): Max retries exceeded (… [Errno 111] Connection refused)"


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"msg": f"Failed to create object: {json.dumps(MISSING).encode()!r}"}, 'namespaces "shop" not found'),
        ({"msg": f"Failed to create object: {json.dumps(MISSING)}"}, 'namespaces "shop" not found'),
        (
            {"msg": f"Exception '403\nReason: Forbidden\nHTTP response body: {json.dumps(FORBIDDEN).encode()!r}'"},
            'rolebindings is forbidden: User "ada" cannot list. Whoever runs this needs the right',
        ),
        ({"msg": json.dumps(ESCALATION)}, "{Verbs:['get']}. Nobody can grant rights that they do not have"),
        ({"msg": "(401)\nReason: Unauthorized\nHTTP response headers: …"}, "Unauthorized. The credential is unknown"),
        (
            {"msg": f"Task failed: Module failed: {REFUSED}"},
            "the API cannot be reached: connection refused. Check zone",
        ),
        ({"msg": "MODULE FAILURE", "module_stderr": f"Traceback\n  File\n{REFUSED}\n"}, "connection refused"),
        ({"msg": "MODULE FAILURE", "module_stderr": TRACEBACK}, "Unauthorized. The credential is unknown"),
        ({"msg": "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"}, "Give its authority as ca_cert"),
        ({"msg": "Task failed: something else"}, "something else"),
        ({}, "no reason was given"),
    ],
)
def test_says_why(result: dict[str, Any], said: str) -> None:
    assert api_failure(result).startswith(said) or said in api_failure(result)
    assert "Traceback" not in api_failure(result)
