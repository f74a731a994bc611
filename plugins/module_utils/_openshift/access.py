# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody may do with the images of a namespace, asked of the API.

Source: Kubernetes documentation, "Authorization", SelfSubjectAccessReview; OpenShift decides about pull and push
by the verbs get and update on ``imagestreams/layers``.
"""

from __future__ import annotations

from .json_api import JsonApi

VERBS = {"pull": "get", "push": "update"}


def may(api: JsonApi, namespace: str, action: str) -> bool:
    """Tell whether the token may ``pull`` or ``push`` in a namespace; raises Problem."""
    return allowed(api, namespace, VERBS[action], "image.openshift.io", "imagestreams", "layers")


def allowed(api: JsonApi, namespace: str, verb: str, group: str, resource: str, subresource: str = "") -> bool:
    """Tell whether the token has a right in a namespace; raises Problem."""
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
