# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Referrers that cannot travel stay behind, each with its reason, and the image is pushed all the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import OCI_INDEX, OCI_MANIFEST
from ansible_collections.appuio.registry.plugins.module_utils._push.referrers import find_referrers
from ansible_collections.appuio.registry.plugins.module_utils._source.oci_layout import OciLayout

from tests.image import blob_path, image_index, image_manifest, make_image, put_entry, write_blob

CONFIG = "application/vnd.oci.empty.v1+json"


def written(layout: Path, document: Any, media_type: str = OCI_MANIFEST) -> dict[str, Any]:
    return write_blob(layout, json.dumps(document).encode(), media_type)


def harmless(layout: Path) -> dict[str, Any]:
    return image_manifest(write_blob(layout, b"{}", CONFIG), [write_blob(layout, b"what it says")])


def missing_layer(layout: Path) -> dict[str, Any]:
    manifest = harmless(layout)
    blob_path(layout, manifest["layers"][0]["digest"]).unlink()
    return manifest


def missing_config(layout: Path) -> dict[str, Any]:
    manifest = harmless(layout)
    blob_path(layout, manifest["config"]["digest"]).unlink()
    return manifest


def harmful_config(layout: Path) -> dict[str, Any]:
    return image_manifest(write_blob(layout, b"[]", CONFIG), [])


def another_digest(layout: Path) -> dict[str, Any]:
    layer = {**write_blob(layout, b"what it says"), "digest": "sha512:" + "0" * 128}
    return image_manifest(write_blob(layout, b"{}", CONFIG), [layer])


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (missing_layer, "does not have its blob"),
        (missing_config, "does not exist"),
        (harmful_config, "none of an image"),
        (another_digest, "no sha256 digest"),
    ],
)
@pytest.mark.parametrize("under_tag", [True, False])
def test_a_referrer_that_cannot_travel(
    tmp_path: Path, make: Callable[[Path], dict[str, Any]], reason: str, under_tag: bool
) -> None:
    image = make_image(tmp_path, platforms=["linux/amd64"], tag="1.0").descriptor
    subject = {key: image[key] for key in ("mediaType", "digest", "size")}
    entry = written(tmp_path, {**make(tmp_path), **({} if under_tag else {"subject": subject})})
    stem = image["digest"].replace(":", "-")
    put_entry(tmp_path, entry, f"{stem}.sig" if under_tag else None)
    layout = OciLayout(str(tmp_path), "1.0")
    found = find_referrers(layout, layout.root())
    assert found.tags == ()
    (skipped,) = found.skipped
    assert skipped.startswith(f"{f'{stem}.sig' if under_tag else entry['digest']}: ")
    assert reason in skipped


def test_a_tag_that_cannot_be_read_stays_behind(tmp_path: Path) -> None:
    image = make_image(tmp_path, platforms=["linux/amd64"], tag="1.0").descriptor
    stem = image["digest"].replace(":", "-")
    for suffix, entry in (
        ("sig", written(tmp_path, {"odd": 1})),
        ("att", written(tmp_path, image_index([]), OCI_INDEX)),
        ("sbom", written(tmp_path, harmless(tmp_path))),
    ):
        put_entry(tmp_path, entry, f"{stem}.{suffix}")
    layout = OciLayout(str(tmp_path), "1.0")
    found = find_referrers(layout, layout.root())
    assert [one.tag for one in found.tags] == [f"{stem}.sbom"]
    assert [one.partition(": ")[0] for one in found.skipped] == [f"{stem}.sig", f"{stem}.att"]
