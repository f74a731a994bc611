# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A set of images from the options to the result: select, plan all, push several at a time, delete the undeclared."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable, Mapping, Sequence

from .._errors import InvalidOptionError
from .._image_set.entry import EVERY
from .._image_set.options import SyncOptions, parse_options
from .._push.progress import progress_from
from .._reference import DEFAULT_TAG, Reference
from .._signals import StoppedError
from .._source.source_registries import SourceClients
from .._targets import RunContext, targets_from
from .._user_cache import cache_from
from .._zones.fanout import ZoneSessions, at_once
from .._zones.session import ZoneSession
from .image import ImageSync, SharedParts, image_sync
from .plan import SyncPlan
from .schedule import Schedule
from .set_progress import SetProgress

if TYPE_CHECKING:
    from .deletion import Deletion, Repository
    from .expansion import Expansion
    from .managed import Declared
    from .quota import Need


@dataclass
class SyncTask:
    """One run of the module; ``selections`` stand for the images that are known when their sources are asked."""

    options: SyncOptions
    shared: SharedParts
    images: list[ImageSync]
    selections: list[ImageSync] = field(default_factory=list)
    expansions: list[Expansion] = field(default_factory=list)
    deletion: Deletion | None = None

    def plan(self) -> SyncPlan:
        """Return what is to be done for all images in all zones; changes nothing, and reads no layer.

        Raises AppuioError, with the results of all images, where nothing at all is to be begun.
        """
        self._select()
        _check_tags(self.images)
        self._at_once(self.images, ImageSync.make_plan, self._abort)
        registries = [(session.name, session.address) for session in self.shared.sessions.sessions]
        plan = SyncPlan([image.plan for image in self.images], registries)
        plan.left_behind = [result for one in self.expansions for result in one.results()]
        plan.left = [(one.pending.plan, left) for one in self.expansions for left in one.left]
        needs = self._needs()
        if self.deletion is not None:
            plan.removals = self.deletion.plan(self._declared())
        if needs:
            from .quota import settle_quota

            plan.warnings = settle_quota(needs, self.images, plan.removals, self.options)
            if self.deletion is not None:
                self.deletion.keep(self._repositories(ImageSync.is_in_doubt))
        if all(image.error for image in plan.images) or (
            plan.failed and (self.options.atomic == "set" or not self.options.keep_going)
        ):
            plan.refuse()
        return plan

    def apply(self, plan: SyncPlan) -> dict[str, Any]:
        """Push what is to be pushed, and return the result; raises AppuioError, with it, where something failed.

        A signal to stop is such a failure: nothing more is begun, uploads end, and tags are as they were or have moved.
        """
        changing = [image for image in self.images if image.plan.changed or self._has_steps(image)]
        stopped = self._push(changing) if changing else None
        if self.deletion is not None and stopped is not None:
            self.deletion.note_stopped(stopped)
        elif self.deletion is not None:
            if not self.options.keep_going and any(image.plan.error for image in changing):
                self.deletion.keep_all()
            self.deletion.apply(self._repositories(lambda image: image.plan.error is not None))
        return plan.result()

    def close(self) -> None:
        """Give back connections, files, and tokens that were only fetched for this task."""
        try:
            for image in self.images:
                image.close()
            self.shared.progress.close()
            self.shared.clients.close()
        finally:
            try:
                at_once(ZoneSession.close, self.shared.source_sessions)
            finally:
                self.shared.sessions.close()

    def _at_once(
        self,
        images: Sequence[ImageSync],
        work: Callable[[ImageSync], None],
        stop: Callable[[], None],
    ) -> None:
        limit = self.options.spool_limit

        def size(image: ImageSync) -> int:
            # What is not known before it is compressed gets its share.
            known = image.plan.size
            return limit // self.options.jobs if known is None else known

        Schedule(images, self.options.jobs, size, limit).run(work, stop)

    def _push(self, images: Sequence[ImageSync]) -> StoppedError | None:
        from .set_push import SetPush

        return SetPush(self.options, images, self.shared, self._at_once, marks=self.deletion is not None).run()

    def _abort(self) -> None:
        """Wait for no answer any more."""
        self.shared.clients.abort()
        for session in self.shared.sessions.sessions:
            session.abort()

    def _needs(self) -> list[Need]:
        """Return what all images need of the quotas together, and what those leave; nothing where nobody is asked."""
        if self.options.check_quota == "ignore":
            return []
        from .quota import Need, needs_of

        needs = needs_of(self.images)
        Schedule(needs, self.options.jobs).run(Need.ask, self._abort)
        return needs

    @staticmethod
    def _has_steps(image: ImageSync) -> bool:
        return image.plan.plan is not None and any(zone.has_steps for zone in image.plan.plan.zones)

    def _select(self) -> None:
        """Add the images that are selected at their sources; one whose source cannot be listed has its error."""
        if not self.selections:
            return
        from .expansion import expand_all

        self.expansions = expand_all(self.selections, self.shared, self.options.jobs, self._abort)
        self.images += [image for one in self.expansions for image in one.images]

    def _declared(self) -> Declared:
        from .managed import Declared

        tags: dict[Repository, set[str]] = {}
        copied: dict[Repository, set[str]] = {}
        for image in self.images:
            referrers = [tag.tag for zone in (image.plan.plan.zones if image.plan.plan else ()) for tag in zone.tags]
            for destination in image.destinations:
                tags.setdefault((*destination, image.plan.name), set()).update(image.plan.tags, referrers)
            for repository, reference in self._copied_from(image):
                if reference is not None:
                    names = (reference.digest or reference.tag or DEFAULT_TAG, *referrers)
                    copied.setdefault(repository, set()).update(names)
        for one in self.expansions:
            # What is there, and cannot be copied now, is declared nevertheless.
            for left in one.left:
                for destination in one.pending.destinations if left.tag else ():
                    tags.setdefault((*destination, left.name), set()).add(str(left.tag))
                for (zone, namespace, _every), _none in self._copied_from(one.pending) if left.tag else ():
                    copied.setdefault((zone, namespace, left.name), set()).add(str(left.tag))
        return Declared(tags, frozenset(self._repositories(ImageSync.is_in_doubt)), copied)

    def _repositories(self, which: Callable[[ImageSync], bool]) -> set[Repository]:
        """Return the repositories that such images go to or come from."""
        wanted = [image for image in self.images if which(image)]
        found = {(*destination, image.plan.name) for image in wanted for destination in image.destinations}
        return found.union(repository for image in wanted for repository, _reference in self._copied_from(image))

    def _copied_from(self, image: ImageSync) -> list[tuple[Repository, Reference | None]]:
        """Return which repository an image comes from in which zone of the task, or EVERY one of a namespace."""
        origin = image.entry.origin
        if origin is None:
            return []
        name = origin.reference.name if origin.reference is not None else EVERY
        sessions = self.shared.sessions.sessions
        return [
            ((session.name, origin.namespace, name), origin.reference)
            for session in sessions
            if session.address == origin.registry
        ]


def sync_task(options: Mapping[str, Any], context: RunContext) -> SyncTask:
    """Return the task that the options describe; raises InvalidOptionError and MissingLibraryError; asks nobody."""
    parsed = parse_options(options, context)
    sessions = ZoneSessions(targets_from(options, registry=True), context)
    progress = SetProgress(progress_from(context.environment, False))
    shared = SharedParts(sessions, context, cache_from(context.environment), SourceClients(), progress)
    known = [entry.selection is None and entry.origin is None for entry in parsed.entries]
    # What is wrong with one that is to be expanded shows before anybody is asked, too.
    found = [image_sync(entry, shared) for entry in parsed.entries]
    images = [image for image, is_known in zip(found, known) if is_known]
    selections = [image for image, is_known in zip(found, known) if not is_known]
    if selections:
        from .expansion import check_origin

        for image in selections:
            check_origin(image, shared)
    _check_tags(images)
    deletion = None
    if parsed.delete:
        from .deletion import deletion_of

        deletion = deletion_of(parsed, sessions, [*images, *selections])
    return SyncTask(parsed, shared, images, selections, deletion=deletion)


def _check_tags(images: Sequence[ImageSync]) -> None:
    """Raise InvalidOptionError where two images are to be under the same tag."""
    known: dict[tuple[str, str, str, str], str] = {}
    for image in images:
        for zone, namespace in image.destinations:
            for tag in image.plan.tags:
                key = (zone, namespace, image.plan.name, tag)
                if key in known:
                    raise InvalidOptionError(
                        f"{known[key]} and {image.plan.where} both say what {namespace}/{image.plan.name}:{tag} is",
                        zone=zone,
                        hint="Each tag of a repository is declared once",
                    )
                known[key] = image.plan.where
