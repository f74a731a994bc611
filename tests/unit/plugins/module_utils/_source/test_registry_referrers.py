# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What refers to an image in a registry: by its API, or by the tag that stands in for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._http.retry import Clock
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import OCI_INDEX, OCI_MANIFEST
from ansible_collections.appuio.registry.plugins.module_utils._reference import Reference
from ansible_collections.appuio.registry.plugins.module_utils._source.registry import RegistrySource
from ansible_collections.appuio.registry.plugins.module_utils._targets import Connection

from tests.unit.plugins.module_utils._http.scripted_server import Line, ScriptedServer

IMAGE, SBOM = "sha256:" + "a" * 64, "sha256:" + "b" * 64
ENTRY = {"mediaType": OCI_MANIFEST, "digest": SBOM, "size": 7}
LIST = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [ENTRY, ENTRY]}).encode()
API, TAG = f"/v2/shop/app/referrers/{IMAGE}", f"/v2/shop/app/manifests/{IMAGE.replace(':', '-')}"
CLOCK = Clock(lambda: 0.0, lambda _seconds: None, lambda: 0.0)


def found(*lines: Line, folder: str) -> list[str]:
    """Return the digests of what refers to the image, from a registry that answers so."""
    with ScriptedServer(*lines) as server:
        reference = Reference(server.authority, "shop/app", "1.0")
        connection = Connection(retries=0, timeout=300, validate_certs=False)
        source = RegistrySource(reference, connection, None, folder, CLOCK)
        try:
            return [one.digest for one in source.referrers(IMAGE).entries]
        finally:
            source.close()
            assert server.lines == [], "all was asked for"


def test_the_api_is_enough(tmp_path: Path) -> None:
    assert found(Line(f"GET {API}", 200, {"Content-Type": OCI_INDEX}, LIST), folder=str(tmp_path)) == [SBOM]


@pytest.mark.parametrize("status", [404, 405])
def test_without_the_api_there_is_a_tag(tmp_path: Path, status: int) -> None:
    tag = Line(f"GET {TAG}", 200, {"Content-Type": OCI_INDEX}, LIST)
    assert found(Line(f"GET {API}", status, {}, b"404 page not found"), tag, folder=str(tmp_path)) == [SBOM]


def test_nothing_refers_to_it(tmp_path: Path) -> None:
    lines = (Line(f"GET {API}", 404), Line(f"GET {TAG}", 404))
    assert found(*lines, folder=str(tmp_path)) == []


def test_a_tag_of_that_name_that_is_no_list(tmp_path: Path) -> None:
    config = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": SBOM, "size": 2}
    image = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": []}).encode()
    tag = Line(f"GET {TAG}", 200, {"Content-Type": OCI_MANIFEST}, image)
    assert found(Line(f"GET {API}", 404), tag, folder=str(tmp_path)) == []
