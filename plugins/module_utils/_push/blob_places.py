# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Repositories that are known to hold a blob, from earlier pushes: it can be mounted from there, not sent again.

Source: OCI Distribution Specification 1.1, "Mounting a blob from another repository". What is noted may be
wrong by now: then the registry begins an upload instead, and nothing is lost.
"""

from __future__ import annotations

from .._cache.cache import Cache
from .._oci.model import Descriptor

_NOTES = "places"
_MOST = 4
_WORTH_IT = 32 * 1024


class BlobPlaces:
    """What is known of where blobs are, within one namespace."""

    def __init__(self, notes: Cache) -> None:
        self._notes = notes

    def of(self, registry: str, repository: str, blob: Descriptor) -> list[str]:
        """Return other repositories of the namespace that had the blob, the latest first."""
        if blob.size < _WORTH_IT:
            return []
        namespace = repository.partition("/")[0]
        return [
            place
            for place in self._noted(registry, blob)
            if place != repository and place.partition("/")[0] == namespace
        ]

    def note(self, registry: str, repository: str, blob: Descriptor) -> None:
        """Note that a repository has the blob now."""
        if blob.size < _WORTH_IT:
            return
        noted = self._noted(registry, blob)
        if noted[:1] != [repository]:
            places = [repository, *(place for place in noted if place != repository)]
            self._notes.put(_NOTES, f"{registry} {blob.digest}", places[:_MOST])

    def _noted(self, registry: str, blob: Descriptor) -> list[str]:
        noted = self._notes.get(_NOTES, f"{registry} {blob.digest}")
        return [str(place) for place in noted] if isinstance(noted, list) else []
