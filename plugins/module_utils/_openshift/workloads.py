# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading what uses images, each kind in as many namespaces as may be read, and telling where nobody could look."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Sequence

from .._errors import ForbiddenError, InvalidOptionError, NotFoundError
from .._reference import checked_namespace
from . import resources
from .client import Api
from .documents import mapping, text
from .image_usage import Usage
from .resources import ResourceType

PAGE = 200
KINDS = (
    resources.POD,
    resources.DEPLOYMENT,
    resources.STATEFUL_SET,
    resources.DAEMON_SET,
    resources.REPLICA_SET,
    resources.CONTROLLER_REVISION,
    resources.REPLICATION_CONTROLLER,
    resources.JOB,
    resources.CRON_JOB,
    resources.DEPLOYMENT_CONFIG,
    resources.BUILD_CONFIG,
    resources.BUILD,
    resources.IMAGE_STREAM,
)
# A cluster may have been installed without these; every other kind is there, and hidden where it seems not to be.
_OPTIONAL = (resources.CONTROLLER_REVISION, resources.DEPLOYMENT_CONFIG, resources.BUILD_CONFIG, resources.BUILD)


@dataclass(frozen=True)
class Unreadable:
    """A kind that could not be read in a namespace; ``required`` where that namespace has to be looked into."""

    kind: str
    namespace: str
    required: bool

    def ignored(self, names: frozenset[str]) -> bool:
        """Whether the user has said that this kind or namespace does not matter."""
        return self.kind.lower() in names or self.namespace.lower() in names


def read_usage(
    api: Api,
    usage: Usage,
    namespaces: Sequence[str],
    ignored: frozenset[str] = frozenset(),
    skipped: list[str] | None = None,
) -> list[Unreadable]:
    """Take in what uses images in these namespaces, and in all others as far as they may be read.

    ``skipped`` gets a sentence for what is left aside. Raises AppuioError, ForbiddenError where a kind cannot be read
    in one of ``namespaces`` and is not among the ``ignored`` kinds and namespaces (in lower case).
    """
    others = visible_namespaces(api, [] if skipped is None else skipped)
    unreadable = read_kinds(api, usage, namespaces, others)
    hidden = [one for one in unreadable if one.required and not one.ignored(ignored)]
    if hidden:
        names = ", ".join(f"{one.kind} in {one.namespace}" for one in hidden)
        raise ForbiddenError(
            f"nobody can tell which images are in use, as these may not be read: {names}",
            step="find images in use",
            hint="Use a credential that may read them (the role view is enough). Name them in ignore_unreadable only "
            "if you know that none of them uses these images",
        )
    return unreadable


def read_kinds(api: Api, usage: Usage, namespaces: Sequence[str], others: Sequence[str] = ()) -> list[Unreadable]:
    """Take in all workloads of these namespaces, and of ``others`` as far as they may be read; raises AppuioError.

    A kind that may be read in all namespaces at once is, with one request; what may only be read in some is read
    there, whatever holds for the other kinds.
    """
    return [
        Unreadable(kind.kind, namespace, namespace in namespaces)
        for kind in KINDS
        if not _read(api, usage, kind, "")
        for namespace in dict.fromkeys([*namespaces, *others])
        if not _read(api, usage, kind, namespace)
    ]


def visible_namespaces(api: Api, skipped: list[str]) -> list[str]:
    """Return the projects that whoever asks has something to do with; none where they may not be listed.

    ``skipped`` gets a sentence for each project whose name is none.
    """
    names = set()
    try:
        for document in api.items(resources.PROJECT, "", step="list the projects"):
            name = mapping(document.get("metadata")).get("name")
            try:
                names.add(checked_namespace(text(name)))
            except InvalidOptionError:
                skipped.append(f"a project has the name {str(name)[:100]!r}, which is none")
    except (ForbiddenError, NotFoundError):
        return []
    return sorted(names)


def _read(api: Api, usage: Usage, kind: ResourceType, namespace: str) -> bool:
    learn = usage.learn_stream if kind is resources.IMAGE_STREAM else functools.partial(usage.learn, kind=kind.kind)
    try:
        for document in api.items(kind, namespace, step=f"read the {kind.plural}", page=PAGE):
            learn(document)
    except NotFoundError:
        return kind in _OPTIONAL
    except ForbiddenError:
        return False
    return True
