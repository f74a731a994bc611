# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image is read from a zone: its bytes are what their digests name, and a cut is gone on with."""

from __future__ import annotations

import json

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import NotFoundError, SourceError
from ansible_collections.appuio.registry.plugins.module_utils._http.client import HttpClient
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import (
    OCI_INDEX,
    OCI_MANIFEST,
    digest_of,
    parse_manifest,
)
from ansible_collections.appuio.registry.plugins.module_utils._registry.client import RegistryClient
from ansible_collections.appuio.registry.plugins.module_utils._registry.image_reader import read_image
from ansible_collections.appuio.registry.plugins.module_utils._targets import Connection

from tests.unit.plugins.module_utils._http.scripted_server import Line, ScriptedServer
from tests.unit.plugins.module_utils._http.waits import Waits

CONFIG = json.dumps({"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": []}}).encode()
BLOB = f"GET /v2/shop/app/blobs/{digest_of(CONFIG)}"
CHILD = "sha256:" + "b" * 64


def read(document: dict[str, object], media_type: str, *lines: Line) -> tuple[str, ...]:
    root = parse_manifest(json.dumps({"schemaVersion": 2, "mediaType": media_type, **document}).encode())
    with ScriptedServer(*lines) as server:
        http = HttpClient(server.origin, Connection(retries=1, timeout=300), clock=Waits().clock)
        client = RegistryClient("lpg", server.authority, http)
        return read_image(client, "shop/app", root, with_configuration=True).platforms


def image(*lines: Line) -> tuple[str, ...]:
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest_of(CONFIG), "size": len(CONFIG)}
    return read({"config": config, "layers": []}, OCI_MANIFEST, *lines)


def test_a_configuration_that_is_cut_is_read_again() -> None:
    assert image(Line(BLOB, body=CONFIG, cut=5), Line(BLOB, body=CONFIG)) == ("linux/amd64",)


def test_a_configuration_with_other_bytes_is_refused() -> None:
    with pytest.raises(SourceError, match="sent other bytes than"):
        image(Line(BLOB, body=CONFIG.replace(b"amd64", b"arm64")))


def test_an_index_without_one_of_its_images_says_what_to_do() -> None:
    entry = {
        "mediaType": OCI_MANIFEST,
        "digest": CHILD,
        "size": 7,
        "platform": {"os": "linux", "architecture": "amd64"},
    }
    with pytest.raises(NotFoundError, match=f"lists {CHILD}, which is not in shop/app. Push the image again"):
        read({"manifests": [entry]}, OCI_INDEX, Line(f"HEAD /v2/shop/app/manifests/{CHILD}", 404))
