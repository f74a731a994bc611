# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A layer of an archive that becomes a blob: as it is, compressed now, or known to be in every zone from before."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Sequence
from zlib import crc32

from .._compression.compressors import Compressor
from .._errors import AppuioError, CancelledError, SourceError
from .._http.message import BLOCK_SIZE, Body
from .._oci.model import Descriptor
from .._source.growing import GrowingBody, GrowingFile
from .._source.layer import Layer, make_layer
from .._source.local_file import Part
from .._user_cache import Cache
from .zone_upload import ZoneUpload

_KIND = "layers"
# RFC 1952: checksum and size of the uncompressed content stand at the end of a gzip member.
_TRAILER = 8


@dataclass(frozen=True)
class LayerTools:
    """What all layers of an archive have in common; ``stopped`` is set when nobody needs them any more."""

    compressor: Compressor
    cache: Cache
    directory: str
    source: str
    stopped: threading.Event


class ArchiveLayer:
    """One layer, by the digest of its uncompressed content; safe for several threads.

    Each layer has a lock of its own, which is held while it is compressed: whoever needs it waits, and nobody else.
    """

    def __init__(self, diff_id: str, part: Part, tools: LayerTools, zones: Sequence[ZoneUpload]) -> None:
        self.diff_id = diff_id
        self.size = part.size
        self._part = part
        self._tools = tools
        self._zones = zones
        self._lock = threading.Lock()
        self._descriptor: Descriptor | None = None
        self._layer: Layer | None = None
        self._error: AppuioError | None = None
        self._growing = GrowingFile()

    @property
    def digest(self) -> str | None:
        """The digest of what the layer has become; None where that is not known yet."""
        return self._descriptor.digest if self._descriptor is not None else None

    def descriptor(self) -> Descriptor:
        """Return what the layer has become, waiting for it; raises SourceError and CancelledError."""
        with self._lock:
            if self._error is not None:
                raise self._error
            if self._descriptor is None:
                self._descriptor = self._known() or self._made(self._growing).descriptor
            return self._descriptor

    @property
    def noted(self) -> bool:
        """Whether an earlier run has noted what it becomes, so that zones can be asked for that."""
        return _noted(self._tools.cache.get(_KIND, self._key)) is not None

    def growing(self) -> GrowingBody:
        """Return what there is of the blob while the layer is compressed."""
        return GrowingBody(self._growing)

    def end(self) -> None:
        """Say that it is compressed, or never will be."""
        self._growing.end()

    def body(self) -> Body:
        """Return the blob; one that was not compressed in this run, or was released, is compressed now."""
        wanted = self.descriptor()
        with self._lock:
            layer = self._layer or self._made()
            if layer.descriptor.digest != wanted.digest:
                raise SourceError(f"{self._where} was compressed differently before", hint="Run the push again")
            return layer.body()

    def release(self) -> None:
        """Remove the file that was written."""
        with self._lock:
            layer, self._layer = self._layer, None
        if layer is not None:
            layer.release()

    @property
    def _where(self) -> str:
        return f"the layer {self.diff_id} of {self._tools.source}"

    @property
    def _key(self) -> str:
        return f"{self._tools.compressor.identity} {self.diff_id}"

    def _made(self, growing: GrowingFile | None = None) -> Layer:
        tools = self._tools
        try:
            self._layer = made = make_layer(
                self._part, self.diff_id, tools.compressor, tools.directory, self._where, tools.stopped, growing
            )
        except CancelledError:
            raise
        except AppuioError as error:
            self._error = error
            raise
        if made.compressed:
            blob = made.descriptor
            tools.cache.put(_KIND, self._key, [blob.media_type, blob.digest, blob.size])
        return made

    def _known(self) -> Descriptor | None:
        """Return what the layer became in an earlier run, if every zone has that and it is really this layer."""
        noted = _noted(self._tools.cache.get(_KIND, self._key))
        if noted is None or not self._zones:
            return None
        if not all(not zone.plan.empty and zone.holds(noted.digest) for zone in self._zones):
            return None
        try:
            return noted if self._is_this_layer(noted) else None
        except AppuioError:
            return None

    def _is_this_layer(self, blob: Descriptor) -> bool:
        """Whether a blob of a zone ends as this layer does when it is compressed: with its checksum and its size.

        The content of the layer is read for that, which takes a fraction of compressing it.
        """
        if not blob.media_type.endswith("gzip") or blob.size < _TRAILER:
            return False
        zone = self._zones[0]
        with zone.registry.open_blob(zone.repository, blob.digest, max(0, blob.size - _TRAILER)) as opened:
            end = bytes(opened.read(_TRAILER + 1))  # more or fewer where its size is another
        checksum = 0
        reader, buffer = self._part.open(), memoryview(bytearray(BLOCK_SIZE))
        try:
            while count := reader.readinto(buffer):
                if self._tools.stopped.is_set():
                    raise CancelledError("left as it was, as another zone failed")
                checksum = crc32(buffer[:count], checksum)
        finally:
            reader.close()
        return end == checksum.to_bytes(4, "little") + (self._part.size % (1 << 32)).to_bytes(4, "little")


def _noted(note: Any) -> Descriptor | None:
    try:
        media_type, digest, size = note
        return Descriptor(str(media_type), str(digest), int(size))
    except (TypeError, ValueError):
        return None
