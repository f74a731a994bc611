# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first phase of a push: blobs, then manifests by digest, in all zones at once; no tag moves."""

from __future__ import annotations

import threading
from time import monotonic
from typing import Callable, Sequence

from .._errors import AppuioError, CancelledError, unexpected_error
from .._zones.fanout import at_once
from .image import Image, PendingBlob
from .zone_upload import ZoneUpload

ANOTHER_FAILED = "left as it was, as another zone failed"


class ImageUpload:
    """Brings an image to the zones; each zone uploads ``jobs`` blobs at a time, at its own pace.

    Where zones do not hang together (``atomic``), ``finish`` is called for each as soon as it has all of the image.
    """

    def __init__(
        self, image: Image, zones: Sequence[ZoneUpload], jobs: int, atomic: bool, finish: Callable[[ZoneUpload], None]
    ) -> None:
        self._image = image
        self._zones = zones
        self._jobs = jobs
        self._atomic = atomic
        self._finish = finish
        self._lock = threading.Lock()
        self._wanted: dict[PendingBlob, int] = {}

    def run(self) -> None:
        """Upload; what fails is noted in the zone's result, and cancels all zones if they hang together.

        A signal that became an exception cancels all zones at once, and goes on when they have stopped.
        """
        try:
            self._image.begin(self._zones)
            blobs = sorted(self._image.blobs(), key=lambda blob: -blob.size)
        except AppuioError as error:
            for zone in self._zones:
                zone.result.error = error
            return
        self._wanted = {blob: len(self._zones) for blob in blobs}
        for zone in self._zones:
            zone.expect(sum(blob.size for blob in blobs))
        at_once(lambda zone: self._zone(zone, blobs), self._zones, self._stop)

    def _zone(self, zone: ZoneUpload, blobs: Sequence[PendingBlob]) -> None:
        started = monotonic()
        waiting = list(reversed(blobs))
        try:
            at_once(lambda _number: self._upload(zone, waiting), range(min(self._jobs, max(1, len(blobs)))), self._stop)
            zone.check_cancelled()
            self._put_manifests(zone)
            if not self._atomic:
                self._finish(zone)
        except Exception as error:
            self._fail(zone, error)
        finally:
            zone.end(monotonic() - started)

    def _upload(self, zone: ZoneUpload, waiting: list[PendingBlob]) -> None:
        """Upload the blobs that wait; those of a zone that is cancelled are only let go."""
        while waiting:
            try:
                blob = waiting.pop()
            except IndexError:  # another thread took the last one
                return
            try:
                if not zone.cancelled:
                    self._push_blob(zone, blob)
            except Exception as error:
                self._fail(zone, error)
            finally:
                self._let_go(blob)

    def _push_blob(self, zone: ZoneUpload, blob: PendingBlob) -> None:
        early, growing = None, blob.growing()
        try:
            if growing is not None:
                from .early_blob import EarlyBlob  # for archives alone

                early = EarlyBlob(zone.registry, zone.repository, zone.body(growing), growing.grows)
                early.run()
            descriptor = blob.descriptor()
            zone.expect(descriptor.size - blob.size)
            if not zone.push_blob(descriptor, self._image.body, early):
                zone.expect(-descriptor.size)
        finally:
            if early is not None:
                early.cancel()

    def _let_go(self, blob: PendingBlob) -> None:
        with self._lock:
            self._wanted[blob] -= 1
            last = not self._wanted[blob]
        if last and not all(zone.cancelled for zone in self._zones):
            self._image.release(blob)

    def _put_manifests(self, zone: ZoneUpload) -> None:
        contents = self._image.contents()
        manifests = contents.manifests
        if zone.plan.image_tags and not (self._atomic and len(self._zones) > 1):
            manifests = manifests[:-1]  # it is put under its tags in a moment
        for manifest in manifests:
            zone.push_manifest(manifest, manifest.digest, contents, self._image.body)

    def _fail(self, zone: ZoneUpload, error: Exception) -> None:
        """Note why a zone failed; the first reason is the one that counts."""
        if isinstance(error, CancelledError) and zone.cancelled:
            return
        if not isinstance(error, AppuioError):
            error = unexpected_error(error)
        with self._lock:
            if zone.result.error is None:
                zone.result.error = error.at(zone=zone.zone)
            for other in self._zones if self._atomic else (zone,):
                other.cancel(ANOTHER_FAILED)
            if all(other.cancelled for other in self._zones):
                self._image.stop()

    def _stop(self) -> None:
        """End all uploads at once, as the process is told to stop."""
        for zone in self._zones:
            zone.cancel("left as it was, as the push was stopped", abort=True)
        self._image.stop()
