# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tags of a push in one zone: what they are to point to, and what has become of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._errors import ForbiddenError
from .._zones.zone_tags import TagState, TagUpdate, ZoneTags

if TYPE_CHECKING:
    from .._zones.session import ZoneSession
    from .image import Image
    from .options import PushOptions
    from .zone_upload import ZoneUpload


def zone_tags(session: ZoneSession, upload: ZoneUpload, options: PushOptions, image: Image) -> ZoneTags:
    """Return the tags that are to move in a zone that has all of the image; raises SourceError."""
    contents = image.contents()

    def remove(tag: str) -> None:
        from .._openshift.image_streams import delete_tag

        delete_tag(session.api(), session.namespace, options.name, tag)

    # What refers to the image comes first, so that it is there when the image is found.
    planned = sorted((tag for tag in upload.plan.tags if tag.needed), key=lambda tag: tag.referrer is None)
    keep = options.existing_tags == "keep"
    updates = [
        TagUpdate(tag.tag, tag.before, tag.referrer or contents.root, keep_existing=keep and tag.referrer is None)
        for tag in planned
    ]
    return ZoneTags(
        upload.zone,
        session.address,
        upload.registry,
        upload.repository,
        updates,
        remove_tag=remove,
        put=lambda manifest, tag: upload.push_manifest(manifest, tag, contents, image.body),
    )


def note_moved(upload: ZoneUpload, zone: ZoneTags, force: bool) -> None:
    """Note in the zone's result what has become of its tags."""
    result, sent = upload.result, upload.result.uploaded + upload.result.mounted
    result.error = result.error or zone.error
    without_tag = upload.plan.by_digest or upload.plan.put_again
    result.changed = zone.changed or (without_tag and bool(sent or force))
    result.rolled_back = zone.rolled_back
    result.warnings += zone.warnings
    kept = [update for update in zone.updates if update.state is TagState.KEPT]
    for update in kept:
        result.pointed_to[update.tag] = update.now
        result.warnings.append(f"the tag {update.tag} was made by somebody else meanwhile, and is kept")
    if kept and not zone.changed:
        result.kept = kept[0].now


def explain_refused_tag(session: ZoneSession, upload: ZoneUpload, image: Image) -> None:
    """Say which limit or quota refused a tag, in the error's hint, where one did and the API tells."""
    error, plan = upload.result.error, upload.plan
    if isinstance(error, ForbiddenError):
        from .._zones.refusal import explain_refusal

        explain_refusal(session, error, image.contents().size, int(plan.empty), plan.new_tags)
