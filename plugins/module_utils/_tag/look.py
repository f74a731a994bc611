# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at a tag in one zone, and at the image that it is to name."""

from __future__ import annotations

from dataclasses import replace

from .._errors import (
    AppuioError,
    ConnectionFailedError,
    ForbiddenError,
    NotFoundError,
    TlsVerificationError,
    UnauthorizedError,
)
from .._image.image_zone import ImageZone
from .._openshift.image_streams import StreamTag, get_stream
from .._reference import is_digest
from .._registry.client import ManifestResponse
from .options import Wish
from .plan import TagState, ZonePlan, plan_zone, wanted_digest

_SHUT = (ForbiddenError, UnauthorizedError, ConnectionFailedError, TlsVerificationError)
_FOLLOWED = {"ImageStreamTag": "the tag", "DockerImage": "the image elsewhere"}


def look_at(zone: ImageZone, wish: Wish) -> tuple[ZonePlan, ManifestResponse | None]:
    """Return what is to be done in a zone, and the manifest for that; raises AppuioError."""
    place = ZonePlan(zone.name, zone.address, zone.namespace, wish.name, wish.tag)
    state = _state(zone, wish, place.repository)
    if wish.state == "absent":
        if state.shut is not None and state.exists:
            raise state.shut
        return plan_zone(place, wish, state, None, place.repository), None
    repository, manifest = place.repository, None
    if wish.origin:
        repository = wish.origin.repository(zone.namespace, wish.name)
        manifest = _image(zone, repository, wish.origin.reference)
    elif wish.to_digest and wish.to_digest != state.digest:
        manifest = _image(zone, repository, wish.to_digest)
    found = manifest.digest if manifest else wish.to_digest
    after = wanted_digest(wish, state, found)
    planned = plan_zone(place, wish, state, after, repository)
    if planned.changed and manifest is None and after:
        manifest = _image(zone, repository, after)
    return planned, manifest


def _state(zone: ImageZone, wish: Wish, repository: str) -> TagState:
    head = zone.registry.head_manifest(repository, wish.tag)
    digest = head.digest if head else None
    state = TagState(digest, exists=head is not None)
    # What the tag follows is good to know. Where it came from, and its removal, take the API.
    api = zone.api if wish.state == "absent" or wish.by_revision else zone.glance()
    if api is None:
        hint = "Give zone or host, and a credential with access to the API"
        return replace(state, shut=AppuioError("this takes the zone's API, and nothing says where that is", hint=hint))
    try:
        stream = get_stream(api, zone.namespace, wish.name)
    except _SHUT as error:
        return replace(state, shut=error)
    tag = stream.tags.get(wish.tag) if stream else None
    return _with_stream(state, tag) if tag else replace(state, history=())


def _with_stream(state: TagState, tag: StreamTag) -> TagState:
    kind, name = str(tag.source.get("kind") or ""), str(tag.source.get("name") or "")
    return replace(
        state,
        exists=True,
        history=tuple(event.digest for event in tag.history),
        followed=f"{_FOLLOWED[kind]} {tag.named_source}" if tag.named_source else None,
        pinned=name if kind == "ImageStreamImage" else None,
    )


def _image(zone: ImageZone, repository: str, reference: str) -> ManifestResponse:
    """Return a manifest; a digest is only asked for where it can be, as a zone answers with an error else."""
    found = None
    if not is_digest(reference) or zone.registry.holds_manifest(repository, reference):
        found = zone.registry.get_manifest(repository, reference)
    if found is None:
        raise NotFoundError(
            f"{repository} has no image {reference}",
            step="look for the image",
            hint="It may have been pruned. appuio_image_info shows what there is",
        )
    return found
