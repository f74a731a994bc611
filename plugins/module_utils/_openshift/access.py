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

from .._errors import ConflictError, ForbiddenError, NotFoundError
from . import resources
from .client import Api
from .documents import mapping

VERBS = {"pull": "get", "push": "update"}


def may(api: Api, namespace: str, action: str) -> bool:
    """Tell whether the token may ``pull`` or ``push`` in a namespace; raises AppuioError."""
    return allowed(api, namespace, VERBS[action], "image.openshift.io", "imagestreams", "layers")


def allowed(api: Api, namespace: str, verb: str, group: str, resource: str, subresource: str = "") -> bool:
    """Tell whether the token has a right in a namespace; raises AppuioError."""
    attributes = {"namespace": namespace, "verb": verb, "group": group, "resource": resource}
    if subresource:
        attributes["subresource"] = subresource
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = api.create(resources.ACCESS_REVIEW, "", review, step=f"ask for the right to {verb} {resource}")
    return mapping(answer.get("status")).get("allowed") is True


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


def missing_rights(api: Api, namespace: str, rights: Iterable[Right]) -> list[Right]:
    """Return those of the rights that the token does not have in a namespace, each asked once; raises AppuioError."""
    wanted = dict.fromkeys(rights)
    return [
        right
        for right in wanted
        if not allowed(api, namespace, right.verb, right.group, right.resource, right.subresource)
    ]


def why_not_granted(api: Api, binding: Mapping[str, Any]) -> str | None:
    """Return why the API would refuse a role binding, in its own words, None where it would not; raises AppuioError.

    The binding is made as a dry run, so nothing is stored. Nobody can grant rights that they do not have
    (Kubernetes documentation, "Privilege escalation prevention"), and only the API knows all of them.
    """
    namespace = str(binding["metadata"]["namespace"])
    step = f"ask whether {binding['roleRef']['name']} may be granted"
    try:
        api.create(resources.ROLE_BINDING, namespace, binding, step=step, dry_run=True)
    except (ForbiddenError, NotFoundError) as refused:
        return refused.server_message or refused.message
    except ConflictError:
        pass
    return None
