# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a blob was before, within the namespace that the credential is for."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.appuio.registry.plugins.module_utils._oci.model import Descriptor
from ansible_collections.appuio.registry.plugins.module_utils._push.mount_cache import MountCache
from ansible_collections.appuio.registry.plugins.module_utils._user_cache import Cache

BLOB = Descriptor("layer", "sha256:" + "a" * 64, 100_000)
SMALL = Descriptor("config", "sha256:" + "b" * 64, 100)


def test_the_latest_other_repository_of_the_namespace_and_registry(tmp_path: Path) -> None:
    mounts = MountCache(Cache(str(tmp_path)))
    assert mounts.repositories("lpg", "shop/new", BLOB) == []
    for repository in ("shop/a", "shop/b", "bank/c", "shop/a"):
        mounts.add("lpg", repository, BLOB)
    assert mounts.repositories("lpg", "shop/new", BLOB) == ["shop/a", "shop/b"]
    assert mounts.repositories("lpg", "shop/a", BLOB) == ["shop/b"]
    assert mounts.repositories("gva", "shop/new", BLOB) == []
    for number in range(9):
        mounts.add("lpg", f"shop/{number}", BLOB)
    assert mounts.repositories("lpg", "shop/new", BLOB) == ["shop/8", "shop/7", "shop/6", "shop/5"]


def test_what_is_small_is_sent_rather_than_kept(tmp_path: Path) -> None:
    mounts = MountCache(Cache(str(tmp_path)))
    mounts.add("lpg", "shop/a", SMALL)
    assert mounts.repositories("lpg", "shop/b", SMALL) == []
