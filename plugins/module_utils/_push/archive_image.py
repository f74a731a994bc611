# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image of an archive or an engine, which has no manifest: zones are asked by the image ID, and one is made.

Compressors of other versions give other bytes for the same layer. So the manifest of a zone that has the image
already is put everywhere, and its layers come from there: tags and zones never drift apart.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import partial
from typing import Sequence

from .._compression.compressors import Compressor
from .._errors import AppuioError, SourceError
from .._http.message import Body, BytesBody
from .._oci.archive_config import DOCKER_CONFIG, ArchiveConfig, assemble_manifest, check_only, check_platform
from .._oci.contents import ImageContents
from .._oci.joined_index import image_platform
from .._oci.model import Descriptor, Manifest, Platform
from .._reference import is_digest
from .._source.base import ArchiveSource
from .._source.spool import SpooledBlob
from .._source.stream import StreamedBlob
from .._user_cache import Cache
from .archive_layer import ArchiveLayer, LayerTools
from .image import PendingBlob, check_expected
from .layer_queue import LayerQueue
from .options import PushOptions
from .plan import ZoneState
from .result import PushedImage
from .zone_repository import ZoneRepository, with_id
from .zone_upload import ZoneUpload

_KIND = "manifests"


class ArchiveImage:
    """An image whose layers may have to be compressed, each once for all zones, ahead of the slowest of them."""

    _pushed: PushedImage
    _config: ArchiveConfig

    def __init__(
        self, source: ArchiveSource, options: PushOptions, compressor: Compressor, cache: Cache, directory: str
    ) -> None:
        self._source = source
        self._options = options
        self._cache = cache
        self._directory = directory
        self._stopped = threading.Event()
        self._tools = LayerTools(compressor, cache, directory, source.description, self._stopped)
        self._lock = threading.Lock()
        self._held: dict[str, tuple[ZoneRepository, Manifest]] = {}
        self._adopted: tuple[ZoneRepository, Manifest] | None = None
        self._layers: dict[str, ArchiveLayer] = {}
        self._pending: dict[PendingBlob, ArchiveLayer] = {}
        self._fetched: dict[str, StreamedBlob | SpooledBlob] = {}
        self._queue = LayerQueue(())
        self._zones: Sequence[ZoneUpload] = ()

    @property
    def description(self) -> str:
        """The source."""
        return self._source.description

    @property
    def image_id(self) -> str:
        """The digest of the configuration."""
        return str(self._pushed.image_id)

    def open(self) -> PushedImage:
        """Return what the source says; ``expected_digest`` is compared with the image ID; raises SourceError."""
        summary = self._source.summary()
        check_expected(self._options, self._source.description, summary.image_id)
        check_platform(summary, self._options.platforms)
        return self._opened(summary.image_id, summary.platform)

    def open_as(self, given: Platform | None) -> Platform:
        """Open the image as one of an index, and return its platform, which may be given; raises SourceError."""
        summary = self._source.summary()
        if given is None:
            check_only(summary, "Say with the source which one is meant: {source: …, platform: %s}")
        platform = image_platform(summary.platform, given, self._source.description)
        self._opened(summary.image_id, platform)
        return platform

    def inspect(self, zone: ZoneRepository) -> ZoneState:
        """Return what a zone has, by the image ID."""
        state, manifest = zone.inspect_by(self._options, lambda found: with_id(found, self.image_id))
        self.hold(zone, manifest or self.noted_manifest(zone))
        if not self._options.tags:
            state = state._replace(complete=zone.holds_all(self.noted_blobs(zone)))
        return state

    def noted_manifest(self, zone: ZoneRepository) -> Manifest | None:
        """Return the manifest that an earlier run has left in a zone, if it is still there."""
        noted = self._noted(zone)
        return zone.manifest_with_id(noted[0], self.image_id) if noted else None

    def noted_blobs(self, zone: ZoneRepository) -> Sequence[str]:
        """Return the digests of all blobs that an earlier run has left in a zone; none where that is not known."""
        blobs = self._noted(zone)[1:]
        return blobs if self.image_id in blobs else ()

    def hold(self, zone: ZoneRepository, manifest: Manifest | None) -> None:
        """Remember that a zone has a manifest of the image, which may be put everywhere then."""
        if manifest is not None:
            with self._lock:
                self._held[zone.registry.registry] = (zone, manifest)

    @property
    def adopted(self) -> Manifest | None:
        """The manifest that a zone has and every zone gets, once that was checked; None where one is made."""
        return self._adopted[1] if self._adopted is not None else None

    def check(self) -> PushedImage:
        """Nothing more is known before the layers are compressed, unless a zone has the image."""
        self._source.check()
        for _address, (zone, manifest) in sorted(self._held.items()):
            with suppress(AppuioError):
                if zone.holds_all([blob.digest for blob in manifest.blobs]):
                    self._adopted = (zone, manifest)
                    break
        return self._pushed

    def begin(self, zones: Sequence[ZoneUpload]) -> None:
        """Start compressing, the largest layer first; raises SourceError."""
        self._zones = zones
        self._config = config = self._source.config()
        if config.image_id != self._pushed.image_id:
            raise SourceError(
                f"{self._source.description} was {self._pushed.image_id} at first, and is {config.image_id} now",
                hint="Somebody has built it anew meanwhile: run the push again",
            )
        if self._adopted is not None:
            return
        for number, diff_id in enumerate(config.diff_ids):
            if diff_id not in self._layers:
                self._layers[diff_id] = ArchiveLayer(diff_id, self._source.layer(number), self._tools, zones)
        self._queue = LayerQueue(self._layers.values())
        self._queue.start()
        self._pending = {
            PendingBlob(layer.size, layer.descriptor, partial(self._queue.growing, layer)): layer
            for layer in self._layers.values()
        }

    def blobs(self) -> Sequence[PendingBlob]:
        """Return all blobs."""
        if self._adopted is not None:
            return [PendingBlob.known(blob) for blob in self._adopted[1].blobs]
        own = Descriptor(DOCKER_CONFIG, self._config.image_id, len(self._config.content))
        return [*self._pending, PendingBlob.known(own)]

    def contents(self) -> ImageContents:
        """Return the image as its layers have come to be, waiting for them; raises SourceError and CancelledError."""
        if self._adopted is not None:
            root = self._adopted[1]
        else:
            root = assemble_manifest(
                self._config, [self._layers[diff_id].descriptor() for diff_id in self._config.diff_ids]
            )
        note = [root.digest, *(blob.digest for blob in root.blobs)]
        for zone in self._zones:
            if self._noted(zone) != note:
                self._cache.put(_KIND, self._key(zone), note)
        platforms = (str(self._config.platform),) if self._config.platform else ()
        return ImageContents(root, (root,), root.blobs, platforms)

    def body(self, blob: Descriptor) -> Body:
        """Return a blob as a body; a layer that was not compressed in this run, or released, is compressed now."""
        if blob.digest == self._config.image_id:
            return BytesBody(self._config.content)
        if self._adopted is not None:
            return self._from_zone(self._adopted[0], blob)
        return next(layer for layer in self._layers.values() if layer.digest == blob.digest).body()

    def release(self, blob: PendingBlob) -> None:
        """Remove the file of a layer that every zone has."""
        if blob in self._pending:
            self._pending[blob].release()
        elif self._adopted is not None:
            with self._lock:
                fetched = self._fetched.pop(blob.descriptor().digest, None)
            if fetched is not None:
                fetched.release()

    def stop(self) -> None:
        """Compress no more; does not wait."""
        self._stopped.set()
        for blob in list(self._fetched.values()):
            blob.release()

    def close(self) -> None:
        """Remove all files, and give back what the source holds."""
        self.stop()
        self._queue.join()
        for layer in self._layers.values():
            layer.release()
        self._source.close()

    def _opened(self, image_id: str, platform: Platform | None) -> PushedImage:
        platforms = (str(platform),) if platform else ()
        self._pushed = PushedImage(self._source.description, None, None, image_id, platforms)
        return self._pushed

    def _from_zone(self, zone: ZoneRepository, blob: Descriptor) -> Body:
        with self._lock:
            if blob.digest not in self._fetched:
                streamed = StreamedBlob(
                    blob,
                    f"the blob {blob.digest} of {zone.registry.registry}/{zone.repository}",
                    lambda offset: zone.registry.open_blob(zone.repository, blob.digest, offset),
                    zone.registry.http.attempts(),
                )
                several = len(self._zones) > 1
                self._fetched[blob.digest] = SpooledBlob(streamed, self._directory) if several else streamed
            return self._fetched[blob.digest]

    def _noted(self, zone: ZoneRepository) -> list[str]:
        """Return what is noted of the image in a zone, which is a hint: the digests of its manifest and its blobs."""
        note = self._cache.get(_KIND, self._key(zone))
        return note if isinstance(note, list) and all(isinstance(one, str) and is_digest(one) for one in note) else []

    def _key(self, zone: ZoneRepository) -> str:
        return f"{zone.registry.registry} {zone.repository} {self._pushed.image_id}"
