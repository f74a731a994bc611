# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the workloads of namespaces, page by page, and telling where nobody could look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence
from urllib.parse import quote

from .._errors import ForbiddenError, NotFoundError
from .._openshift.json_api import JsonApi
from .usage import Usage

PAGE = 200
KINDS = (
    ("Pod", "/api/v1", "pods"),
    ("Deployment", "/apis/apps/v1", "deployments"),
    ("StatefulSet", "/apis/apps/v1", "statefulsets"),
    ("DaemonSet", "/apis/apps/v1", "daemonsets"),
    ("ReplicaSet", "/apis/apps/v1", "replicasets"),
    ("ReplicationController", "/api/v1", "replicationcontrollers"),
    ("Job", "/apis/batch/v1", "jobs"),
    ("CronJob", "/apis/batch/v1", "cronjobs"),
    ("DeploymentConfig", "/apis/apps.openshift.io/v1", "deploymentconfigs"),
    ("BuildConfig", "/apis/build.openshift.io/v1", "buildconfigs"),
    ("Build", "/apis/build.openshift.io/v1", "builds"),
)


@dataclass(frozen=True)
class Unreadable:
    """A kind that could not be read in a namespace; ``required`` where that namespace has to be looked into."""

    kind: str
    namespace: str
    required: bool

    def ignored(self, names: frozenset[str]) -> bool:
        """Whether the user has said that this kind or namespace does not matter."""
        return self.kind.lower() in names or self.namespace.lower() in names


def read_usage(api: JsonApi, usage: Usage, namespaces: Sequence[str], others: Sequence[str] = ()) -> list[Unreadable]:
    """Take in all workloads of these namespaces, and of ``others`` as far as they may be read; raises AppuioError.

    Where somebody may read all namespaces at once, all of them are read, and each with one request.
    """
    if _read(api, usage, KINDS[0], ""):
        return [Unreadable(kind[0], "", True) for kind in KINDS[1:] if not _read(api, usage, kind, "")]
    return [
        Unreadable(kind[0], namespace, namespace in namespaces)
        for namespace in dict.fromkeys([*namespaces, *others])
        for kind in KINDS
        if not _read(api, usage, kind, namespace)
    ]


def visible_namespaces(api: JsonApi) -> list[str]:
    """Return the projects that whoever asks has something to do with; none where they may not be listed."""
    try:
        answer = api.get("/apis/project.openshift.io/v1/projects", "list the projects")
    except (ForbiddenError, NotFoundError):
        return []
    return sorted(str((item.get("metadata") or {}).get("name")) for item in answer.get("items") or ())


def _read(api: JsonApi, usage: Usage, kind: tuple[str, str, str], namespace: str) -> bool:
    name, group, plural = kind
    path = f"{group}/namespaces/{quote(namespace)}/{plural}" if namespace else f"{group}/{plural}"
    following = ""
    while True:
        page = f"{path}?limit={PAGE}" + (f"&continue={quote(following)}" if following else "")
        try:
            answer = api.get(page, f"read the {plural}")
        except NotFoundError:
            return True  # no such API in this cluster
        except ForbiddenError:
            return False
        for item in answer.get("items") or ():
            usage.learn(item, name)
        following = str((answer.get("metadata") or {}).get("continue") or "")
        if not following:
            return True
