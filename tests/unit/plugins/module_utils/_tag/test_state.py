# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a tag points to, when the zone's API cannot tell what there is to know of it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import ServerError
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import OCI_MANIFEST, digest_of
from ansible_collections.appuio.registry.plugins.module_utils._registry.manifest_reader import ManifestResponse
from ansible_collections.appuio.registry.plugins.module_utils._tag.options import parse_options
from ansible_collections.appuio.registry.plugins.module_utils._tag.state import read_plan

from tests.unit.plugins.module_utils.scripted_api import answer, scripted_api

STREAM = "GET /apis/image.openshift.io/v1/namespaces/shop/imagestreams/app"
IMAGES = {tag: ManifestResponse(digest_of(tag.encode()), OCI_MANIFEST, tag.encode()) for tag in ("1.0", "prod")}
OPTIONS = {"name": "app", "tag": "prod", "revision": 1, "following": "fail", "atomic": True}


class Registry:
    """Has two tags."""

    def head_manifest(self, _repository: str, tag: str) -> ManifestResponse:
        return IMAGES[tag]

    get_manifest = head_manifest


class Zone:
    """A zone whose API answers with a status."""

    name, address, namespace, registry = "lpg", "registry.example", "shop", Registry()

    def __init__(self, status: int) -> None:
        self.given, _script = scripted_api((STREAM, answer(status, {})))

    def api(self) -> Any:
        return self.given

    optional_api = api


@pytest.mark.parametrize("status", [401, 403, 500, 503])
def test_an_image_is_promoted_although_the_api_is_away(status: int) -> None:
    zone: Any = Zone(status)
    planned, manifest = read_plan(zone, parse_options({**OPTIONS, "state": "present", "from": "1.0"}))
    assert (planned.changed, planned.after, manifest) == (True, IMAGES["1.0"].digest, IMAGES["1.0"])
    assert "could not be asked" in planned.reason


def test_a_tag_is_not_removed_while_the_api_is_away() -> None:
    zone: Any = Zone(503)
    with pytest.raises(ServerError, match="read the ImageStream app"):
        read_plan(zone, parse_options({**OPTIONS, "state": "absent"}))
