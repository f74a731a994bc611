# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the zones decide without a network: manifests, selectors, faults, quantities, names in the log."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.zone.api.manifest import OCI_INDEX, OCI_MANIFEST, ManifestInvalid, config_decodes, read_manifest
from tests.zone.api.quota import amount
from tests.zone.api.selectors import matches_fields, matches_labels
from tests.zone.http.faults import FaultList
from tests.zone.http.request_log import Record, without_secrets
from tests.zone.registry.front import NAME

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("content", "decodes"),
    [
        (b"[]", False),
        (b"null", True),
        (b"hello", False),
        (b'{"config":"x"}', False),
        (b'{"architecture":5}', False),
        (b'{"created":"yesterday"}', False),
        (b'{"created":"2026-01-01T00:00:00.123Z"}', True),
        (b"{}", True),
        (b'{"name":"x","version":1}', True),
    ],
)
def test_configurations_that_openshift_can_read(content: bytes, decodes: bool) -> None:
    assert config_decodes(content) is decodes


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"schemaVersion": 1},
        {"schemaVersion": 2},
        {"schemaVersion": 2, "config": {"digest": "sha256:zz"}},
        {"schemaVersion": 2, "config": {"digest": DIGEST}, "layers": "none"},
        {"schemaVersion": 2, "config": {"digest": DIGEST}, "manifests": []},
        {"schemaVersion": 2, "mediaType": OCI_INDEX, "config": {"digest": DIGEST}},
    ],
)
def test_documents_that_are_no_manifest(document: Any) -> None:
    with pytest.raises(ManifestInvalid) as caught:
        read_manifest(json.dumps(document).encode(), OCI_MANIFEST, DIGEST)
    assert caught.value.detail == {}


def test_platforms_that_are_missing_are_named() -> None:
    children = [{"digest": DIGEST}, {"digest": DIGEST, "platform": {"os": "linux", "architecture": ""}}]
    content = json.dumps({"schemaVersion": 2, "manifests": children}).encode()
    manifest = read_manifest(content, OCI_INDEX, DIGEST)
    assert manifest.without_platform() == [(0, "architecture"), (0, "os"), (1, "architecture")]


@pytest.mark.parametrize(
    ("selector", "fits"),
    [
        ("app=web", True),
        ("app==web,tier!=db", True),
        ("app!=web", False),
        ("app in (web, api)", True),
        ("app notin (web),x", False),
        ("app", True),
        ("!app", False),
        ("!tier", True),
        ("", True),
    ],
)
def test_label_selectors(selector: str, fits: bool) -> None:
    assert matches_labels({"metadata": {"labels": {"app": "web"}}}, selector) is fits


def test_field_selectors() -> None:
    item = {"metadata": {"name": "a"}, "type": "Opaque"}
    assert matches_fields(item, "metadata.name=a,type!=x")
    assert not matches_fields(item, "metadata.name==b")


def test_faults_count_and_skip() -> None:
    faults = FaultList()
    faults.add(action="status", side="api", method="GET|HEAD", path="/secrets", skip=1, count=1)
    asked = [("registry", "GET"), ("api", "POST"), ("api", "GET"), ("api", "HEAD"), ("api", "GET")]
    assert [len(faults.take(side, method, "/api/v1/secrets?x=1")) for side, method in asked] == [0, 0, 0, 1, 0]


@pytest.mark.parametrize(
    ("method", "path", "writes"),
    [
        ("GET", "/v2/", False),
        ("PATCH", "/v2/a/b/blobs/uploads/x", True),
        ("POST", "/api/v1/namespaces/a/secrets?dryRun=All", False),
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", False),
        ("POST", "/apis/authentication.k8s.io/v1/tokenreviews", False),
        ("POST", "/api/v1/namespaces/a/serviceaccounts/b/token", True),
    ],
)
def test_which_requests_write(method: str, path: str, writes: bool) -> None:
    assert Record("api", method, path).writes is writes


def test_secrets_stay_out_of_the_log() -> None:
    shown = without_secrets("/x?digest=sha256:a&_state=secret&code=secret&access_token=secret")
    assert shown == "/x?digest=sha256:a&_state=…&code=…&access_token=…"


@pytest.mark.parametrize(("text", "number"), [("20", 20), ("2Ki", 2048), ("1Gi", 2**30), ("3k", 3000)])
def test_quantities(text: str, number: int) -> None:
    assert amount(text) == number


def test_names_are_matched_however_long() -> None:
    # A pattern that backtracks would not come to an end here.
    for name in ("a" * 200 + "/B", "acme/app/blobs/uploads/" * 20, "a-" * 100):
        assert re.fullmatch(NAME, name) is None
    assert re.fullmatch(NAME, "acme/my--app.x_y__z") is not None
