# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tags of all images of a set together: all move in all zones, or none does."""

from __future__ import annotations

from typing import Sequence

from .._signals import StoppedError
from .._zones.tags import move_tags
from .image import ImageSync

_ANOTHER_FAILED = "left as it was, as another image of the set failed"


def move_set(images: Sequence[ImageSync]) -> None:
    """Move the tags of images that all zones have, and note what has become of each.

    Where one image has failed before, no tag moves; where one fails now, all that have moved go back. Raises
    StoppedError after they have gone back.
    """
    zones = [tags for image in images for tags in image.tags]
    reason = _ANOTHER_FAILED if any(image.plan.error for image in images) else ""
    try:
        if not reason:
            move_tags(zones, atomic=True, images=[image.tags for image in images if image.tags])
            if any(zone.error for zone in zones):
                reason = _ANOTHER_FAILED
    except StoppedError as stopped:
        reason = str(stopped)
        raise
    finally:
        for image in images:
            image.finish(reason)
