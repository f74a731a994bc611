# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A configuration and layers become a manifest, of Docker's format or of the OCI's."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import SourceError
from ansible_collections.appuio.registry.plugins.module_utils._oci.archive_config import (
    assemble_manifest,
    layer_type,
    parse_archive_config,
)
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import (
    DOCKER_MANIFEST,
    OCI_MANIFEST,
    Descriptor,
)
from hypothesis import given
from hypothesis import strategies as st

LAYER = "sha256:" + "a" * 64
CONFIG = {"os": "linux", "architecture": "arm64", "variant": "v8", "rootfs": {"diff_ids": [LAYER, LAYER]}}


def test_the_image_id_is_the_digest_of_the_configuration() -> None:
    draft = parse_archive_config(json.dumps(CONFIG).encode(), "app.tar")
    assert (draft.diff_ids, str(draft.platform)) == ((LAYER, LAYER), "linux/arm64/v8")
    manifest = assemble_manifest(draft, [Descriptor(layer_type("gzip"), LAYER, 7)] * 2)
    assert manifest.config is not None
    assert (manifest.config.digest, manifest.media_type) == (draft.image_id, DOCKER_MANIFEST)
    assert [layer.size for layer in manifest.layers] == [7, 7]


def test_zstd_makes_an_image_of_the_oci() -> None:
    draft = parse_archive_config(json.dumps(CONFIG).encode(), "app.tar")
    layers = [Descriptor(layer_type(kind), LAYER, 7) for kind in ("zstd", "gzip", "none")]
    manifest = assemble_manifest(draft, layers)
    assert manifest.media_type == OCI_MANIFEST
    names = [layer.media_type.rpartition(".")[2] for layer in manifest.layers]
    assert names == ["tar+zstd", "tar+gzip", "tar"]
    assert all(layer.media_type.startswith("application/vnd.oci.") for layer in manifest.layers)


@pytest.mark.parametrize("config", [b"", b"[]", b"{}", b'{"rootfs": {}}', b'{"rootfs": {"diff_ids": ["x"]}}'])
def test_what_is_no_configuration(config: bytes) -> None:
    with pytest.raises(SourceError, match=r"app\.tar"):
        parse_archive_config(config, "app.tar")


def test_a_platform_may_be_missing() -> None:
    assert parse_archive_config(b'{"rootfs": {"diff_ids": []}}', "app.tar").platform is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.just(LAYER),
        lambda children: (
            st.lists(children, max_size=3)
            | st.dictionaries(st.sampled_from(["rootfs", "diff_ids", "os", "architecture", "variant"]), children)
        ),
    )
)
def test_any_shape_is_a_configuration_or_refused(document: Any) -> None:
    with suppress(SourceError):
        config = parse_archive_config(json.dumps(document).encode(), "app.tar")
        assert all(diff_id == LAYER for diff_id in config.diff_ids)
        assert config.platform is None or (config.platform.os and config.platform.architecture)


def test_null_is_an_image_without_layers() -> None:
    assert parse_archive_config(b'{"rootfs": {"diff_ids": null}}', "app.tar").diff_ids == ()
