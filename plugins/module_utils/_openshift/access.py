# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody may do with the images of a namespace, asked of the API.

Source: Kubernetes documentation, "Authorization", SelfSubjectAccessReview; OpenShift decides about pull and push
by the verbs get and update on ``imagestreams/layers``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from .._errors import ForbiddenError, NotFoundError, ServerError
from .json_api import JsonApi

VERBS = {"pull": "get", "push": "update"}


def may(api: JsonApi, namespace: str, action: str) -> bool:
    """Tell whether the token may ``pull`` or ``push`` in a namespace; raises AppuioError."""
    return allowed(api, namespace, VERBS[action], "image.openshift.io", "imagestreams", "layers")


def allowed(api: JsonApi, namespace: str, verb: str, group: str, resource: str, subresource: str = "") -> bool:
    """Tell whether the token has a right in a namespace; raises AppuioError."""
    attributes = {"namespace": namespace, "verb": verb, "group": group, "resource": resource}
    if subresource:
        attributes["subresource"] = subresource
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    answer = api.post(path, review, f"ask for the right to {verb} {resource}")
    return bool((answer.get("status") or {}).get("allowed"))


@dataclass(frozen=True)
class Right:
    """One thing to do with a kind of object in a namespace; ``group`` is empty for the core API."""

    verb: str
    resource: str
    group: str = ""
    subresource: str = ""

    def __str__(self) -> str:
        name = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        return f"{self.verb} {name}.{self.group}" if self.group else f"{self.verb} {name}"


def missing_rights(api: JsonApi, namespace: str, rights: Iterable[Right]) -> list[Right]:
    """Return those of the rights that the token does not have in a namespace, each asked once; raises AppuioError."""
    wanted = dict.fromkeys(rights)
    return [
        right
        for right in wanted
        if not allowed(api, namespace, right.verb, right.group, right.resource, right.subresource)
    ]


def why_not_granted(api: JsonApi, binding: Mapping[str, Any]) -> str | None:
    """Return why the API would refuse a role binding, in its own words, None where it would not; raises AppuioError.

    The binding is made as a dry run, so nothing is stored. Nobody can grant rights that they do not have
    (Kubernetes documentation, "Privilege escalation prevention"), and only the API knows all of them.
    """
    namespace = quote(str(binding["metadata"]["namespace"]))
    path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings?dryRun=All"
    try:
        api.post(path, binding, f"ask whether {binding['roleRef']['name']} may be granted")
    except (ForbiddenError, NotFoundError) as refused:
        return refused.server_message or refused.message
    except ServerError as refused:
        if refused.status != 409:
            raise
    return None
