# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blobs are mounted from repositories that are known to hold them, by earlier pushes.

Source: OCI Distribution Specification 1.1, "Mounting a blob from another repository". What is kept may be wrong by now:
then the registry begins an upload instead, and nothing is lost.
"""

from __future__ import annotations

from .._oci.model import Descriptor
from .._user_cache import Cache

_MOUNTS = "places"
_MOST_REPOSITORIES = 4
_SMALLEST_MOUNTED = 32 * 1024


class MountCache:
    """In which repositories of a namespace a blob was, by earlier pushes."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def repositories(self, registry: str, repository: str, blob: Descriptor) -> list[str]:
        """Return other repositories of the namespace that had the blob, the latest first."""
        if blob.size < _SMALLEST_MOUNTED:
            return []
        namespace = repository.partition("/")[0]
        return [
            other
            for other in self._known(registry, blob)
            if other != repository and other.partition("/")[0] == namespace
        ]

    def add(self, registry: str, repository: str, blob: Descriptor) -> None:
        """Keep that a repository has the blob now."""
        if blob.size < _SMALLEST_MOUNTED:
            return
        known = self._known(registry, blob)
        if known[:1] != [repository]:
            latest = [repository, *(other for other in known if other != repository)]
            self._cache.put(_MOUNTS, f"{registry} {blob.digest}", latest[:_MOST_REPOSITORIES])

    def _known(self, registry: str, blob: Descriptor) -> list[str]:
        known = self._cache.get(_MOUNTS, f"{registry} {blob.digest}")
        return [str(one) for one in known] if isinstance(known, list) else []
