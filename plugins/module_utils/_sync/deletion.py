# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deleting what a set has brought and no longer declares, by the rules of the prune.

Nothing goes that others have pushed or declare, that is in use, or that may still be declared by an entry that could
not be planned or pushed.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any, Collection, Mapping, Sequence

from .._errors import AppuioError, InvalidOptionError, MissingLibraryError
from .._image_set.entry import EVERY
from .._image_set.options import SyncOptions
from .._openshift.client import missing_library
from .._openshift.image_streams import ImageStream, parse_stream, stream_documents
from .._prune.options import PruneOptions
from .._prune.plan import Decision, RepositoryDecision, limited_repositories, why_repository_stays
from .._prune.removal import Removal, end_removals
from .._prune.report import ZonePrune
from .._prune.zone import ZonePlanner
from .._signals import StoppedError
from .._zones.fanout import ZoneSessions
from .._zones.session import ZoneSession
from .image import ImageSync
from .managed import UNKNOWN, Declared, StreamTags, plan_stream
from .marking import write_managed

UNDECLARED = "it is no longer declared"
Repository = tuple[str, str, str]


@dataclass
class Deletion:
    """What is to go from the namespaces of all zones; ``zones`` is filled by ``plan``."""

    options: SyncOptions
    sessions: ZoneSessions
    namespaces: Mapping[str, Sequence[str]]
    zones: list[ZonePrune] = field(default_factory=list)
    _corrections: dict[Repository, StreamTags] = field(default_factory=dict)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def plan(self, declared: Declared) -> list[ZonePrune]:
        """Return what goes and what stays; changes nothing; a namespace that cannot be read has its error in it."""
        found: dict[str, list[ZonePrune]] = {
            zone: [ZonePrune(zone, namespace) for namespace in names] for zone, names in self.namespaces.items()
        }

        def plan(session: ZoneSession) -> None:
            for zone in found[session.name]:
                try:
                    self._plan(session, zone, declared)
                except AppuioError as error:
                    zone.error = error.at(zone=session.name)

        for outcome in self.sessions.each(plan):
            for zone in found[outcome.zone] if outcome.error is not None else ():
                zone.error = zone.error or outcome.error
        self.zones = [zone for session in self.sessions.sessions for zone in found[session.name]]
        return self.zones

    def apply(self, failed: Collection[Repository]) -> None:
        """Delete, but for repositories for which an image has failed meanwhile; what happens is noted in the zones.

        A signal to stop is a failure of the zones that had more to do.
        """
        removals: dict[str, list[Removal]] = {}
        self.keep(failed)
        for zone in self.zones:
            if zone.error is None:
                removals.setdefault(zone.zone, []).append(Removal(zone, self._stopped))

        def remove(session: ZoneSession) -> None:
            for removal in removals.get(session.name, ()):
                try:
                    if removal.zone.changes:
                        removal.run(session.api())
                    self._forget(session, removal.zone)
                except AppuioError as error:
                    removal.zone.error = removal.zone.error or error.at(zone=session.name)

        try:
            self.sessions.each(remove)
        except StoppedError as stopped:
            end_removals([removal for one in removals.values() for removal in one], stopped)

    def keep(self, repositories: Collection[Repository]) -> None:
        """Let everything stay in these, as nobody knows any more what they have to have."""
        for zone in self.zones:
            own = {name for where, namespace, name in repositories if (where, namespace) == (zone.zone, zone.namespace)}
            _keep(zone, own)

    def keep_all(self) -> None:
        """Let everything stay everywhere, as an image has failed, and nothing is to be done after that."""
        for zone in self.zones:
            _keep(zone, (EVERY,), "an image failed, and keep_going is false")

    def note_stopped(self, stopped: StoppedError) -> None:
        """Note that nothing was deleted, as the task was stopped before."""
        for zone in self.zones:
            Removal(zone).note_stopped(stopped)

    def _plan(self, session: ZoneSession, zone: ZonePrune, declared: Declared) -> None:
        api, options = session.api(), self.options
        documents = list(stream_documents(api, zone.namespace))
        kept: list[Decision] = []
        going: set[tuple[str, str]] = set()
        created: list[ImageStream] = []
        for document in documents:
            stream = parse_stream(document)
            key = (zone.zone, zone.namespace, stream.name)
            found = plan_stream(document, options.set_name, key, declared)
            going.update((stream.name, tag) for tag in found.going)
            kept += found.kept
            if found.created:
                created.append(stream)
            if found.forgotten or found.shared:
                self._corrections[key] = found
        if going or created:
            self._decide(session, zone, documents, going, created)
        zone.decisions = (*zone.decisions, *kept)

    def _decide(
        self,
        session: ZoneSession,
        zone: ZonePrune,
        documents: Sequence[Mapping[str, Any]],
        going: set[tuple[str, str]],
        created: Sequence[ImageStream],
    ) -> None:
        """Let the prune decide which of these tags go, and then which repositories are empty."""
        options = self.options
        rules = PruneOptions(
            keep=0,
            max_delete=options.max_delete,
            protect_in_use=options.protect_in_use,
            workload_namespaces=options.workload_namespaces,
            ignore_unreadable=options.ignore_unreadable,
            last_tag=True,
            only=frozenset(going),
        )
        planner = ZonePlanner(rules, session.target.zone.registry, session.api(), zone)
        planner.plan(datetime.now(timezone.utc), documents)
        zone.decisions = tuple(
            replace(one, reason=UNDECLARED) if one.goes else one
            for one in zone.decisions
            if (one.name, one.tag) in going
        )
        gone = {(one.name, one.tag) for one in zone.going}
        empty = [stream for stream in created if all((stream.name, tag) in gone for tag in stream.tags)]
        found = []
        for stream in empty:
            why = why_repository_stays(stream, zone.usage)
            found.append(RepositoryDecision(stream.name, not why, why or "nothing is left in it"))
        zone.repositories = tuple(limited_repositories(found, options.max_delete - len(gone)))

    def _forget(self, session: ZoneSession, zone: ZonePrune) -> None:
        """Take out of each annotation what has gone and what is no longer ours, and note what two sets share."""
        gone: dict[str, set[str]] = {}
        for one in zone.going:
            if (one.name, one.tag) not in zone.kept:
                gone.setdefault(one.name, set()).add(one.tag)
        own = {key[2]: found for key, found in self._corrections.items() if key[:2] == (zone.zone, zone.namespace)}
        removed = {one.name for one in zone.repositories if one.goes and one.name not in zone.kept_repositories}
        for name in {*gone, *own} - removed:
            less = {*gone.get(name, ()), *(own[name].forgotten if name in own else ())}
            more = own[name].shared if name in own else {}

            def change(
                known: Mapping[str, str],
                _stream: ImageStream,
                less: set[str] = less,
                more: Mapping[str, str] = more,
            ) -> Mapping[str, str]:
                return {**more, **{tag: digest for tag, digest in known.items() if tag not in less}}

            write_managed(session.api(), zone.namespace, name, self.options.set_name, change)


def deletion_of(options: SyncOptions, sessions: ZoneSessions, images: Sequence[ImageSync]) -> Deletion:
    """Return the deletion from all namespaces that the task or an entry names.

    Raises InvalidOptionError where a zone's API cannot be asked, as without it nobody knows what the set has brought.
    """
    missing = missing_library()
    if missing:
        raise MissingLibraryError(missing, "for delete: managed, which asks the API of a zone")
    namespaces: dict[str, dict[str, None]] = {}
    for session in sessions.sessions:
        own = session.target.namespace
        namespaces[session.name] = {own: None} if own else {}
        try:
            session.check_api()
        except AppuioError as error:
            raise InvalidOptionError(
                f"delete is managed, which needs the API of zone {session.name}: {error.message}",
                hint="Give host, and a credential for the API (token, kubeconfig, username and password), or "
                "delete: none: the registry alone neither knows who has brought a tag nor deletes it",
            ) from None
    for image in images:
        for zone, namespace in image.destinations:
            namespaces[zone][namespace] = None
    return Deletion(options, sessions, {zone: list(names) for zone, names in namespaces.items()})


def _keep(zone: ZonePrune, names: Collection[str], reason: str = UNKNOWN) -> None:
    """Let everything stay in the repositories of these names, or in all where EVERY is one of them."""

    def stays(one: Decision | RepositoryDecision) -> bool:
        return one.goes and (one.name in names or EVERY in names)

    zone.decisions = tuple(replace(one, goes=False, reason=reason) if stays(one) else one for one in zone.decisions)
    zone.repositories = tuple(
        replace(one, goes=False, reason=reason) if stays(one) else one for one in zone.repositories
    )
