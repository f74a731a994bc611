# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user would not expect of an image is told, before and after the push."""

from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.appuio.registry.plugins.module_utils._push.image import ManifestImage
from ansible_collections.appuio.registry.plugins.module_utils._push.options import PushOptions
from ansible_collections.appuio.registry.plugins.module_utils._push.result import PushedImage, PushPlan
from ansible_collections.appuio.registry.plugins.module_utils._source.oci_layout import OciLayout

from tests.image import blob_path, image_manifest, make_image, put_entry, write_blob


def checked(layout: Path) -> PushedImage:
    image = ManifestImage(OciLayout(str(layout), "1.0"), PushOptions("app", ("1.0",)))
    image.open()
    return image.check()


def test_foreign_layers_that_are_not_there_are_told(tmp_path: Path) -> None:
    foreign = {"mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "urls": ["https://x/y"]}
    base = {**write_blob(tmp_path, b"a base layer of Windows"), **foreign}
    config = make_image(tmp_path, platforms=["windows/amd64"]).configs["windows/amd64"]
    manifest = image_manifest(config, [base])
    put_entry(tmp_path, write_blob(tmp_path, json.dumps(manifest).encode(), manifest["mediaType"]), "1.0")
    assert checked(tmp_path).warnings == ()
    blob_path(tmp_path, base["digest"]).unlink()
    pushed = checked(tmp_path)
    (warning,) = pushed.warnings
    assert base["digest"] in warning
    assert PushPlan(pushed, ()).image.warnings == (warning,)


def test_an_index_that_comes_down_to_its_image_is_told(tmp_path: Path) -> None:
    made = make_image(tmp_path, platforms=["linux/amd64"], index=True, entry_platforms=False, tag="1.0")
    pushed = checked(tmp_path)
    assert pushed.digest == made.manifests["linux/amd64"]["digest"]
    (warning,) = pushed.warnings
    assert made.digest in warning
