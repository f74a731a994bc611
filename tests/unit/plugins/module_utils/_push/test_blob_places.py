# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a blob was before, within the namespace that the credential is for."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.appuio.registry.plugins.module_utils._cache.cache import Cache
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import Descriptor
from ansible_collections.appuio.registry.plugins.module_utils._push.blob_places import BlobPlaces

BLOB = Descriptor("layer", "sha256:" + "a" * 64, 100_000)
SMALL = Descriptor("config", "sha256:" + "b" * 64, 100)


def test_the_latest_other_repository_of_the_namespace_and_registry(tmp_path: Path) -> None:
    places = BlobPlaces(Cache(str(tmp_path)))
    assert places.of("lpg", "shop/new", BLOB) == []
    for repository in ("shop/a", "shop/b", "bank/c", "shop/a"):
        places.note("lpg", repository, BLOB)
    assert places.of("lpg", "shop/new", BLOB) == ["shop/a", "shop/b"]
    assert places.of("lpg", "shop/a", BLOB) == ["shop/b"]
    assert places.of("gva", "shop/new", BLOB) == []
    for number in range(9):
        places.note("lpg", f"shop/{number}", BLOB)
    assert places.of("lpg", "shop/new", BLOB) == ["shop/8", "shop/7", "shop/6", "shop/5"]


def test_what_is_small_is_sent_rather_than_noted(tmp_path: Path) -> None:
    places = BlobPlaces(Cache(str(tmp_path)))
    places.note("lpg", "shop/a", SMALL)
    assert places.of("lpg", "shop/b", SMALL) == []
