# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the workloads of namespaces, page by page, and telling where nobody could look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

from .._errors import ForbiddenError, NotFoundError
from .._openshift import resources
from .._openshift.client import Api
from .._openshift.resources import ResourceType
from .usage import Usage

PAGE = 200
KINDS = (
    resources.POD,
    resources.DEPLOYMENT,
    resources.STATEFUL_SET,
    resources.DAEMON_SET,
    resources.REPLICA_SET,
    resources.REPLICATION_CONTROLLER,
    resources.JOB,
    resources.CRON_JOB,
    resources.DEPLOYMENT_CONFIG,
    resources.BUILD_CONFIG,
    resources.BUILD,
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


def read_usage(api: Api, usage: Usage, namespaces: Sequence[str], others: Sequence[str] = ()) -> list[Unreadable]:
    """Take in all workloads of these namespaces, and of ``others`` as far as they may be read; raises AppuioError.

    Where somebody may read all namespaces at once, all of them are read, and each with one request.
    """
    if _read(api, usage, KINDS[0], ""):
        return [Unreadable(kind.kind, "", True) for kind in KINDS[1:] if not _read(api, usage, kind, "")]
    return [
        Unreadable(kind.kind, namespace, namespace in namespaces)
        for namespace in dict.fromkeys([*namespaces, *others])
        for kind in KINDS
        if not _read(api, usage, kind, namespace)
    ]


def visible_namespaces(api: Api) -> list[str]:
    """Return the projects that whoever asks has something to do with; none where they may not be listed."""
    try:
        projects = list(api.items(resources.PROJECT, "", step="list the projects"))
    except (ForbiddenError, NotFoundError):
        return []
    return sorted(str((item.get("metadata") or {}).get("name")) for item in projects)


def _read(api: Api, usage: Usage, kind: ResourceType, namespace: str) -> bool:
    try:
        for item in api.items(kind, namespace, step=f"read the {kind.plural}", page=PAGE):
            usage.learn(item, kind.kind)
    except NotFoundError:
        return True  # no such API in this cluster
    except ForbiddenError:
        return False
    return True
