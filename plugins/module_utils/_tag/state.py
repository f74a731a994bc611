# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a tag points to in one zone, and the image that it shall point to."""

from __future__ import annotations

from dataclasses import replace

from .._errors import (
    AppuioError,
    ConnectionFailedError,
    ForbiddenError,
    MissingLibraryError,
    NotFoundError,
    ServerError,
    TlsVerificationError,
    UnauthorizedError,
)
from .._openshift.image_streams import StreamTag, get_stream
from .._reference import is_digest
from .._registry.manifest_reader import ManifestResponse
from .._zones.session import ZoneSession
from .options import TagOptions
from .plan import TagState, ZonePlan, plan_zone, wanted_digest

_SHUT = (ForbiddenError, UnauthorizedError, ConnectionFailedError, TlsVerificationError)
_FOLLOWED = {"ImageStreamTag": "the tag", "DockerImage": "the image elsewhere"}


def read_plan(zone: ZoneSession, options: TagOptions) -> tuple[ZonePlan, ManifestResponse | None]:
    """Return what is to be done in a zone, and the manifest for that; raises AppuioError."""
    plan = ZonePlan(zone.name, zone.address, zone.namespace, options.name, options.tag)
    state = _state(zone, options, plan.repository)
    if options.state == "absent":
        if state.shut is not None and state.exists:
            raise state.shut
        return plan_zone(plan, options, state, None, plan.repository), None
    repository, manifest = plan.repository, None
    if options.origin:
        repository = options.origin.repository(zone.namespace, options.name)
        manifest = _image(zone, repository, options.origin.reference)
    elif options.to_digest and options.to_digest != state.digest:
        manifest = _image(zone, repository, options.to_digest)
    found = manifest.digest if manifest else options.to_digest
    after = wanted_digest(options, state, found)
    planned = plan_zone(plan, options, state, after, repository)
    if planned.changed and manifest is None and after:
        manifest = _image(zone, repository, after)
    return planned, manifest


def _state(zone: ZoneSession, options: TagOptions, repository: str) -> TagState:
    head = zone.registry.head_manifest(repository, options.tag)
    digest = head.digest if head else None
    state = TagState(digest, exists=head is not None)
    needed = options.state == "absent" or options.by_revision
    try:
        # What the tag follows is good to know. Where it came from, and its removal, take the API.
        api = zone.api() if needed else zone.optional_api()
    except AppuioError as error:
        return replace(state, shut=AppuioError(f"this takes the zone's API: {error.message}", hint=error.hint))
    if api is None:
        return replace(state, shut=AppuioError(f"the API cannot be asked: {zone.api_unavailable}"))
    try:
        stream = get_stream(api, zone.namespace, options.name)
    except (*_SHUT, MissingLibraryError, ServerError) as error:
        if needed and isinstance(error, ServerError):
            raise
        return replace(state, shut=error)
    tag = stream.tags.get(options.tag) if stream else None
    return _with_stream(state, tag) if tag else replace(state, history=())


def _with_stream(state: TagState, tag: StreamTag) -> TagState:
    kind, name = str(tag.source.get("kind") or ""), str(tag.source.get("name") or "")
    return replace(
        state,
        exists=True,
        history=tuple(event.digest for event in tag.history),
        references=tuple(event.reference for event in tag.history),
        followed=f"{_FOLLOWED[kind]} {tag.named_source}" if tag.named_source else None,
        pinned=name if kind == "ImageStreamImage" else None,
    )


def _image(zone: ZoneSession, repository: str, reference: str) -> ManifestResponse:
    """Return a manifest; a digest is only asked for where it can be, as a zone answers with an error else."""
    found = None
    if not is_digest(reference) or zone.registry.holds_manifest(repository, reference):
        found = zone.registry.get_manifest(repository, reference)
    if found is None:
        raise NotFoundError(
            f"{repository} has no image {reference}",
            step="read the image",
            hint="It may have been pruned. appuio_image_info shows what there is",
        )
    return found
