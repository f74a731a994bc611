# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an entry to its images where these are known only when their source has been asked: selections and zones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Protocol, Sequence

from .._errors import AppuioError, InvalidOptionError, MissingLibraryError, SourceError
from .._image_set.entry import EVERY, Origin
from .._image_set.namespace_plan import LeftBehind, NamespaceImages, plan_namespace
from .._image_set.source_zones import ZoneImage
from .._openshift.client import missing_library
from .._openshift.image_streams import list_streams
from .._push.open_image import source_context
from .._reference import Reference
from .._source.location import parse_location
from .image import ImageSync, SharedParts, image_sync
from .schedule import Schedule


class _Listed(Protocol):
    def tags(self) -> list[str]:
        """Return the tags of a repository; raises AppuioError."""


@dataclass
class Expansion:
    """The images of an entry, and what the namespace that they come from keeps."""

    pending: ImageSync
    images: Sequence[ImageSync]
    left: Sequence[LeftBehind] = field(default_factory=list)

    def results(self) -> list[dict[str, Any]]:
        """Return what the module returns of what is left behind."""
        origin = self.pending.entry.origin
        where = {"zone": origin.target.zone.name, "namespace": origin.namespace} if origin is not None else {}
        return [{**where, "name": one.name, "tag": one.tag, "reason": one.reason} for one in self.left]


def check_origin(image: ImageSync, shared: SharedParts) -> None:
    """Raise AppuioError where it is known that the images of a whole namespace cannot be listed; asks nobody."""
    origin = image.entry.origin
    if origin is None or origin.reference is not None:
        return
    missing = missing_library()
    if missing:
        raise MissingLibraryError(missing, "to list the images of a namespace of source_zone")
    try:
        shared.source_session(origin.target).check_api()
    except AppuioError as error:
        raise InvalidOptionError(
            f"{image.entry.where}: without source, source_zone stands for all images of a namespace, which the API of "
            f"zone {origin.target.zone.name} lists: {error.message}",
            hint="Give host and a credential for the API (token, kubeconfig, username and password), or name each "
            "image in source",
        ) from None


def expand_all(
    pending: Sequence[ImageSync], shared: SharedParts, jobs: int, on_stop: Callable[[], None]
) -> list[Expansion]:
    """Return the images of all entries, in their order; one whose source cannot be listed has its error."""
    found: dict[int, Expansion] = {}

    def work(number: int) -> None:
        one = pending[number]
        try:
            found[number] = _expand(one, shared)
        except AppuioError as error:
            one.plan.error = error
            if one.entry.selection is not None or one.plan.name == EVERY:
                one.plan.tags = ()  # which ones there are is not known
            found[number] = Expansion(one, [one])

    Schedule(range(len(pending)), jobs).run(work, on_stop)
    return [found[number] for number in sorted(found)]


def _expand(pending: ImageSync, shared: SharedParts) -> Expansion:
    """Return the images of an entry, of which there is at least one; raises AppuioError."""
    entry, origin = pending.entry, pending.entry.origin
    if origin is None:
        context = source_context(entry.push, shared.context, shared.clients)
        location: Any = parse_location(str(entry.push["source"]))
        tags = _selected(pending, location.open(context))
        return Expansion(
            pending, [image_sync(entry.of_image(location.reference.with_tag(tag), [tag]), shared) for tag in tags]
        )
    if origin.reference is None:
        return _namespace(pending, origin, shared)
    if entry.selection is None:
        return Expansion(pending, [_of_zone(pending, origin.reference, None, shared)])
    tags = _selected(pending, _zone_image(origin, origin.reference, shared))
    return Expansion(pending, [_of_zone(pending, origin.reference.with_tag(tag), [tag], shared) for tag in tags])


def _of_zone(pending: ImageSync, reference: Reference, tags: Sequence[str] | None, shared: SharedParts) -> ImageSync:
    entry = pending.entry.of_image(reference, tags)
    origin: Any = entry.origin
    return image_sync(entry, shared, _zone_image(origin, reference, shared, tags or ()))


def _zone_image(origin: Origin, reference: Reference, shared: SharedParts, tags: Sequence[str] = ()) -> ZoneImage:
    """Return an image of a zone, under these ``tags``; the zone may be asked for the credential; raises AppuioError."""
    session = shared.source_session(origin.target)
    directory = shared.context.temporary_directory
    return ZoneImage(session, reference, session.credential.credential, directory, shared.clients, tags)


def _selected(pending: ImageSync, source: _Listed) -> list[str]:
    """Return the tags of a source that an entry wants, of which there has to be one; raises AppuioError."""
    written, selection = pending.plan.source, pending.entry.selection
    listed = source.tags()
    if not listed:
        raise SourceError(f"{written} lists no tags", hint="Is the repository spelled right, and may it be listed?")
    tags = selection.tags(listed) if selection is not None else []
    if not tags:
        raise _nothing_selected(f"select matches none of the {len(listed)} tags of {written}")
    return tags


def _nothing_selected(message: str) -> SourceError:
    return SourceError(
        message, hint="An entry that selects nothing is taken for a mistake: mend select, or remove the entry"
    )


def _namespace(pending: ImageSync, origin: Origin, shared: SharedParts) -> Expansion:
    """Return all images of a namespace, each by its digest, so that its zone is asked nothing more of what is there."""
    entry, zone = pending.entry, origin.target.zone.name
    skipped: list[str] = []
    try:
        streams = list_streams(shared.source_session(origin.target).api(), origin.namespace, skipped=skipped)
        found = plan_namespace(streams, entry.selection, bool(entry.push.get("referrers")))
    except AppuioError as error:
        raise error.at(zone=zone) from None
    if not found.images:
        raise _nothing_to_copy(found, f"the namespace {origin.namespace} of zone {zone}")
    images = [
        _of_zone(pending, origin.image(image.name, digest=image.digest), image.tags, shared) for image in found.images
    ]
    return Expansion(pending, images, [*found.left, *(LeftBehind("", None, sentence) for sentence in skipped)])


def _nothing_to_copy(found: NamespaceImages, where: str) -> SourceError:
    if not found.streams:
        return SourceError(
            f"{where} has no ImageStreams", hint="Is it the right one? An entry that copies nothing is a mistake"
        )
    if found.left:
        named = f"{found.left[0].name}:{found.left[0].tag}" if found.left[0].tag else found.left[0].name
        return SourceError(f"{where} has no image that can be copied: of {named}, {found.left[0].reason}")
    return _nothing_selected(f"select matches none of the {found.seen} tags of {where}")
