# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of one zone: its streams, what uses them, and what follows from that."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Mapping, Sequence

from .._errors import ForbiddenError, NotFoundError, ServerError
from .._openshift.access import missing_rights
from .._openshift.client import Api
from .._openshift.image_streams import ImageStream, parse_stream, stream_documents
from .._openshift.image_usage import Children, Usage, image_children
from .._openshift.workloads import Unreadable, read_usage
from .history import RIGHT, history_trims
from .options import PruneOptions
from .plan import Decision, decide, empty_repositories, limited, limited_repositories
from .report import ZonePrune

CHILDREN = "ImageStreamLayers"
_AT_ONCE = 8


@dataclass
class ZonePlanner:
    """Reads a zone and writes into ``zone`` what goes there and what stays; ``registry`` is its public address."""

    options: PruneOptions
    registry: str | None
    api: Api
    zone: ZonePrune

    def plan(self, now: datetime, documents: Sequence[Mapping[str, Any]] | None = None) -> None:
        """Decide, about these ImageStreams where they were read already; changes nothing; raises AppuioError."""
        documents = self._documents() if documents is None else list(documents)
        skipped: list[str] = []
        streams = _streams(documents, self.options.name, skipped)
        usage = self.zone.usage = self._usage(documents, streams, skipped)
        self.zone.skipped = tuple(dict.fromkeys(skipped))
        first = {stream.name: decide(stream, self.options, usage, now) for stream in streams}
        asked = [name for name, found in first.items() if self.options.revisions or any(one.goes for one in found)]
        children, unknown = self._children(asked, usage)
        decisions: list[Decision] = []
        for stream in streams:
            found = decide(stream, self.options, usage, now, children.get(stream.name))
            reason = unknown.get(stream.name)
            decisions += [replace(one, goes=False, reason=reason) if reason and one.goes else one for one in found]
        self.zone.children = children
        self.zone.decisions = tuple(limited(decisions, self.options.max_delete))
        known = [one for one in self.zone.decisions if one.name not in unknown]
        self.zone.trims = tuple(history_trims(streams, known, self.options, usage, now, children))
        empty = empty_repositories(streams, self.zone.decisions, self.options, usage, now)
        room = self.options.max_delete - len(self.zone.going)
        self.zone.repositories = tuple(limited_repositories(empty, room))
        if self.zone.trims:
            self._check_right()

    def _documents(self) -> list[Mapping[str, Any]]:
        """All ImageStreams of the namespace, as tags of one follow tags of others."""
        return list(stream_documents(self.api, self.zone.namespace))

    def _usage(self, documents: list[Mapping[str, Any]], streams: list[ImageStream], skipped: list[str]) -> Usage:
        public = {stream.public_repository.partition("/")[0] for stream in streams}
        usage = Usage(frozenset({*public, self.registry or ""} - {""}))
        for document in documents:
            usage.learn_stream(document)
        if not self.options.protect_in_use:
            return usage
        wanted = [self.zone.namespace, *self.options.workload_namespaces]
        unreadable = read_usage(self.api, usage, wanted, self.options.ignore_unreadable, skipped)
        self.zone.unreadable = tuple(unreadable)
        return usage

    def _children(self, names: list[str], usage: Usage) -> tuple[dict[str, Children], dict[str, str]]:
        """Return the manifests of the indexes of each stream, and why they are not known where they are not."""
        children: dict[str, Children] = {}
        unknown: dict[str, str] = {}
        if not usage.digests or not self.options.protect_in_use:
            return children, unknown

        def read(name: str) -> None:
            try:
                children[name] = image_children(self.api, self.zone.namespace, name)
            except (ForbiddenError, NotFoundError, ServerError) as error:
                unknown[name] = f"nobody can tell which images its indexes have: {error.message}"

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(read, names))
        hidden = Unreadable(CHILDREN, self.zone.namespace, True)
        if unknown:
            self.zone.unreadable = (*self.zone.unreadable, hidden)
        return children, {} if self._ignores(hidden) else unknown

    def _ignores(self, hidden: Unreadable) -> bool:
        return hidden.ignored(self.options.ignore_unreadable)

    def _check_right(self) -> None:
        if missing_rights(self.api, self.zone.namespace, [RIGHT]):
            raise ForbiddenError(
                f"the history of tags may not be cut in {self.zone.namespace}: the right to {RIGHT} is missing",
                step="read the history",
                hint="Use a credential that has the cluster role system:image-pruner, or omit revisions: an "
                "APPUiO Cloud zone shortens each history itself, to three images, every night",
            )


def _streams(documents: list[Mapping[str, Any]], name: str | None, skipped: list[str]) -> list[ImageStream]:
    """Return the streams that are pruned, each once, in the order given."""
    streams: dict[str, ImageStream] = {}
    for document in documents:
        stream = parse_stream(document)
        if stream.name and name in (None, stream.name):
            streams.setdefault(stream.name, stream)
        if name in (None, stream.name):
            skipped.extend(stream.skipped)
    return list(streams.values())
