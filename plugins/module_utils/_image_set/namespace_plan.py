# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which images of a zone's namespace are copied, and what of its ImageStreams is left behind, with the reason; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterable, NamedTuple

from .._openshift.documents import mapping, text
from .._openshift.image_streams import ImageStream, StreamTag
from .._prune.names import described_image
from .select import Selection

_MOST_NAMED = 10


class LeftBehind(NamedTuple):
    """What of a repository does not travel; ``tag`` is None for the repository."""

    name: str
    tag: str | None
    reason: str


class OriginImage(NamedTuple):
    """An image of a namespace, with the tags that point to it."""

    name: str
    digest: str
    tags: tuple[str, ...]


@dataclass
class NamespaceImages:
    """What there is to copy; ``seen`` counts all tags, also those that are not selected."""

    images: list[OriginImage] = field(default_factory=list)
    left: list[LeftBehind] = field(default_factory=list)
    streams: int = 0
    seen: int = 0


def plan_namespace(streams: Iterable[ImageStream], selection: Selection | None, referrers: bool) -> NamespaceImages:
    """Return what is copied of the ImageStreams of a namespace, each image once with all its tags.

    Without a selection, that is every tag, also those of signatures unless ``referrers`` brings them.
    """
    found = NamespaceImages()
    for stream in streams:
        found.streams += 1
        found.seen += len(stream.tags)
        if selection is None or selection.has_repository(stream.name):
            _add(found, stream, selection, referrers)
    return found


def _add(found: NamespaceImages, stream: ImageStream, selection: Selection | None, referrers: bool) -> None:
    if selection is not None:
        wanted = selection.tags(stream.tags)
    else:
        wanted = [tag for tag in stream.tags if not (referrers and described_image(tag))]
    tags: dict[str, list[str]] = {}
    older = 0
    for name in wanted:
        tag = stream.tags[name]
        reason = why_not_copied(stream, tag)
        if not reason:
            tags.setdefault(str(tag.digest), []).append(name)
            older += len(tag.history) - 1
            reason = f"that it follows {tag.follows} by itself" if tag.follows else ""
        if reason:
            found.left.append(LeftBehind(stream.name, name, reason))
    found.images += [OriginImage(stream.name, digest, tuple(names)) for digest, names in tags.items()]
    if older:
        found.left.append(LeftBehind(stream.name, None, f"the history of its tags, with {older} older images"))
    if not stream.tags:
        found.left.append(LeftBehind(stream.name, None, "it has no tags"))
    found.left += [LeftBehind(stream.name, None, reason) for reason in stream.skipped]


def why_not_copied(stream: ImageStream, tag: StreamTag) -> str:
    """Return why a tag has no image that its zone would give, or nothing where it may have."""
    if not tag.history and not (tag.spec or {}).get("reference"):
        failed = next((text(one.get("message")) for one in tag.conditions if one.get("status") == "False"), "")
        origin = f", and its image is to come from {tag.named_source}" if tag.named_source else ""
        return f"it points to nothing{origin}{f': {failed}' if failed else ''}"
    if tag.is_reference:
        return f"it stands for {_elsewhere(tag)}, which the zone does not hold"
    if _is_imported(stream, tag) and text(mapping((tag.spec or {}).get("referencePolicy")).get("type")) != "Local":
        return f"it was imported and refers to {_elsewhere(tag)}, from where pods pull it (reference policy Source)"
    return ""


def why_missing(stream: ImageStream | None, name: str, tag: str | None, digest: str | None) -> str:
    """Return why an image that was asked for is not in its zone, as far as its ImageStream shows that."""
    if stream is None:
        return f"there is no ImageStream {name}"
    if tag is None or digest:
        return f"the image {digest} of {name} is not in the registry, or no longer"
    if tag not in stream.tags:
        known = [*list(stream.tags)[:_MOST_NAMED], *["..."][: len(stream.tags) > _MOST_NAMED]]
        return f"{name} has no tag {tag}" + (f", only {', '.join(known)}" if known else ", and no other one")
    reason = why_not_copied(stream, stream.tags[tag])
    if reason:
        return f"of the tag {name}:{tag}, {reason}"
    return f"{name}:{tag} points to {stream.tags[tag].digest}, which is not in the registry, or no longer"


def _is_imported(stream: ImageStream, tag: StreamTag) -> bool:
    """Whether a tag points to an image of another registry, and not to one that was pushed or tagged here."""
    reference = tag.current.reference if tag.current else ""
    own = stream.repository.partition("/")[0]
    return bool(tag.source and own and reference) and reference.partition("/")[0] != own


def _elsewhere(tag: StreamTag) -> str:
    return tag.named_source or (tag.current.reference if tag.current else "") or "an image elsewhere"
