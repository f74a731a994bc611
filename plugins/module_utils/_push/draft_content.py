# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image of an archive on its way: layers are compressed once for all zones, several at the same time."""

from __future__ import annotations

import concurrent.futures
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Sequence

from .._cache.cache import Cache
from .._compression.compressors import Compressor
from .._errors import CancelledError, SourceError
from .._http.message import Body, BytesBody
from .._oci.archive_config import DOCKER_CONFIG, ArchiveConfig, assemble_manifest
from .._oci.model import Descriptor, Manifest
from .._oci.walk import Image
from .._source.base import ArchiveSource
from .._source.layer import Layer, make_layer
from .content import Holds, KnownBlob, Parcel

MOST_COMPRESSORS = 4
_NOTES = "layers"


@dataclass(frozen=True)
class _LayerParcel:
    content: DraftImage
    diff_id: str
    size: int

    def descriptor(self) -> Descriptor:
        return self.content.layer_descriptor(self.diff_id)


class DraftImage:
    """The content of a draft; what was compressed before, and every zone still has, is not compressed again.

    Layers are compressed ahead of the slowest zone, so that it holds up no other: the disk needs room for the
    compressed image, and not more.
    """

    def __init__(
        self, source: ArchiveSource, draft: ArchiveConfig, compressor: Compressor, notes: Cache, directory: str
    ) -> None:
        self._source = source
        self._draft = draft
        self._compressor = compressor
        self._notes = notes
        self._directory = directory
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._parts = {diff_id: source.layer(number) for number, diff_id in enumerate(draft.diff_ids)}
        self._config = Descriptor(DOCKER_CONFIG, draft.image_id, len(draft.content))
        self._futures: dict[str, Future[Descriptor]] = {}
        self._layers: dict[str, Layer] = {}
        self._pool: ThreadPoolExecutor | None = None
        layers = [_LayerParcel(self, diff_id, part.size) for diff_id, part in self._parts.items()]
        self.parcels: Sequence[Parcel] = [*layers, KnownBlob(self._config)]

    def begin(self, held: Holds) -> None:
        """Start compressing, the largest layer first."""
        self._pool = ThreadPoolExecutor(min(MOST_COMPRESSORS, os.cpu_count() or 1))
        for diff_id, _part in sorted(self._parts.items(), key=lambda item: -item[1].size):
            self._futures[diff_id] = self._pool.submit(self._descriptor, diff_id, held)

    def layer_descriptor(self, diff_id: str) -> Descriptor:
        """Return what a layer has become, waiting for it; raises SourceError and CancelledError."""
        try:
            return self._futures[diff_id].result()
        except concurrent.futures.CancelledError:
            raise CancelledError("left as it was, as another zone failed") from None

    def manifest(self) -> Manifest:
        """Return the manifest, waiting for all layers; raises SourceError and CancelledError."""
        return assemble_manifest(self._draft, [self.layer_descriptor(diff_id) for diff_id in self._draft.diff_ids])

    def image(self) -> Image:
        """Return the image as its layers have come to be."""
        root = self.manifest()
        platforms = (str(self._draft.platform),) if self._draft.platform else ()
        return Image(root, (root,), root.blobs, platforms)

    def body(self, blob: Descriptor) -> Body:
        """Return a blob as a body; a layer that was not compressed in this run, or released, is compressed now."""
        if blob.digest == self._config.digest:
            return BytesBody(self._draft.content)
        with self._lock:
            if blob.digest not in self._layers:
                diff_id = next(key for key, future in self._futures.items() if future.result().digest == blob.digest)
                layer = self._made(diff_id)
                if layer.descriptor.digest != blob.digest:
                    layer.release()
                    raise SourceError(
                        f"{self._where(diff_id)} was compressed otherwise before", hint="Run the push again"
                    )
                self._layers[blob.digest] = layer
            return self._layers[blob.digest].body()

    def release(self, parcel: Parcel) -> None:
        """Remove the file of a layer that every zone has."""
        if not isinstance(parcel, _LayerParcel):
            return
        future = self._futures[parcel.diff_id]
        made = future.result() if future.done() and not future.cancelled() and not future.exception() else None
        with self._lock:
            layer = self._layers.pop(made.digest, None) if made else None
        if layer is not None:
            layer.release()

    def stop(self) -> None:
        """Compress no more; does not wait."""
        self._stopped.set()
        for future in self._futures.values():
            future.cancel()

    def close(self) -> None:
        """Remove all files."""
        self.stop()
        if self._pool is not None:
            self._pool.shutdown()
        with self._lock:
            layers, self._layers = list(self._layers.values()), {}
        for layer in layers:
            layer.release()

    def _descriptor(self, diff_id: str, held: Holds) -> Descriptor:
        key = f"{self._compressor.identity} {diff_id}"
        noted = _noted(self._notes.get(_NOTES, key))
        if noted is not None and held(noted.digest):
            return noted
        layer = self._made(diff_id)
        with self._lock:
            self._layers[layer.descriptor.digest] = layer
        made = layer.descriptor
        if layer.compressed:
            self._notes.put(_NOTES, key, [made.media_type, made.digest, made.size])
        return made

    def _made(self, diff_id: str) -> Layer:
        part, where = self._parts[diff_id], self._where(diff_id)
        return make_layer(part, diff_id, self._compressor, self._directory, where, self._stopped)

    def _where(self, diff_id: str) -> str:
        return f"the layer {diff_id} of {self._source.description}"


def _noted(note: Any) -> Descriptor | None:
    try:
        media_type, digest, size = note
        return Descriptor(str(media_type), str(digest), int(size))
    except (TypeError, ValueError):
        return None
