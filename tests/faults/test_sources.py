# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sources' half: a push completes, or every tag is as it was and the error names the source, whatever it does."""

from __future__ import annotations

import hashlib
import http.client
import json
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.image.layers import gzipped, random_layer
from tests.zone import Distribution
from tests.zone.client import GUARD

from .faults import Fault
from .invariants import broken
from .operations import BY_NAME
from .scene import Run, Scene

pytestmark = pytest.mark.thorough  # in this process, without ansible-core

_ANEW = [("WWW-Authenticate", 'Basic realm="source"')]
_PAGE = [("Content-Type", "text/html")]
OCI = "application/vnd.oci.image"
STEPS = ("read the source: ", "read the blob ", "read the manifest ", "upload sha256:")
# One that passes is survived when it hits a single request.
FAULTS = (
    Fault("429", "status", {"status": 429, "retry_after": "0"}, passes=True),
    Fault("429, again tomorrow", "status", {"status": 429, "retry_after": "86400"}),
    Fault("500", "status", {"status": 500}, passes=True),
    Fault("503", "status", {"status": 503}, passes=True),
    Fault("502 with a page", "status", {"status": 502, "body": b"<html>", "headers": _PAGE}, passes=True),
    Fault("401", "status", {"status": 401, "headers": _ANEW}),
    Fault("403", "status", {"status": 403}),
    Fault("404", "status", {"status": 404}),
    Fault("a page", "page"),
    Fault("200 and nothing", "status", {"status": 200}),
    Fault("dropped before the answer", "lose_answer", passes=True),
    Fault("an answer that breaks off", "reset_response", {"after_bytes": 100}, passes=True),
    Fault("an answer that ends too early", "truncate_response", {"after_bytes": 100}, passes=True),
    Fault("another content", "corrupt_response"),
)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Distribution]:
    """A registry with TLS, for all tests of this file."""
    with Distribution(tmp_path_factory.mktemp("source")) as running:
        yield running


def filled(source: Distribution, seed: str) -> dict[str, Any]:
    """Put a new image into the source; return its manifest."""
    layer = b"".join(gzipped(random_layer(20_000, seed)))
    config = json.dumps({"architecture": "amd64", "os": "linux", "seed": 100 * seed}).encode()
    connection = http.client.HTTPSConnection(
        source.registry, context=ssl.create_default_context(cafile=source.ca_file), timeout=GUARD
    )

    def send(method: str, path: str, content: bytes | None = None, media_type: str = "") -> http.client.HTTPResponse:
        connection.request(method, path, content, {"Content-Type": media_type} if media_type else {})
        answer = connection.getresponse()
        assert answer.status in (201, 202), answer.read()
        answer.read()
        return answer

    def stored(content: bytes, media_type: str) -> dict[str, Any]:
        place = urlsplit(str(send("POST", f"/v2/{seed}/blobs/uploads/").headers["Location"]))
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        send("PUT", f"{place.path}?{place.query}&digest={digest}", content, "application/octet-stream")
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{OCI}.manifest.v1+json",
        "config": stored(config, f"{OCI}.config.v1+json"),
        "layers": [stored(layer, f"{OCI}.layer.v1.tar+gzip")],
    }
    send("PUT", f"/v2/{seed}/manifests/1.0", json.dumps(manifest).encode(), f"{OCI}.manifest.v1+json")
    connection.close()
    return manifest


def untold(scene: Scene, run: Run) -> Iterator[str]:
    """A failure of the source is that of every zone, and says at which step it was and what to do next."""
    text = str(run.result.get("msg"))
    if not run.failed:
        return
    if "bug in appuio.registry" in text or "Traceback" in text:
        yield f"untyped: {text}"
    for zone in scene.zones:
        entry = run.zone(zone.name)
        if not entry.get("failed") or entry.get("changed") or not entry.get("error"):
            yield f"{zone.name} did not fail: {entry}"
    told = [error for error in run.errors if error.message in text]
    if not any(
        step in text for step in ("read the source: ", "read the blob ", "read the manifest ", "upload sha256:")
    ):
        yield f"no step: {text}"
    if not any(error.hint and error.hint in text for error in told):
        yield f"no next step: {text}"


def in_cell(scene: Scene, source: Distribution, fault: Fault, what: str, count: int | None) -> list[str]:
    """Return what does not hold when a fault hits the requests for the manifest, the configuration or the layer."""
    name = scene.new("app")
    manifest = filled(source, name)
    path = {"config": manifest["config"]["digest"], "layer": manifest["layers"][0]["digest"]}.get(what, "/manifests/")
    options = {
        "name": name,
        "tags": ["1.0"],
        "source": f"docker://{source.registry}/{name}:1.0",
        "source_ca_cert": source.ca_file,
    }
    operation = BY_NAME["push"]
    before = operation.state(scene, options)
    number = source.faults.add(fault.action, method="GET", path=path, count=count, **fault.options)
    run = operation.run(scene, options)
    hit = source.faults.hits(number)
    source.faults.clear()
    after = operation.state(scene, options)
    found = broken(operation, scene, run, before, after, untold)
    text = str(run.result.get("msg"))
    if not hit:
        found.append("it was never hit")
    if run.failed:
        if fault.passes and count:
            found.append(f"not survived: {text}")
        if source.registry not in text or name not in text:
            found.append(f"the source is not named: {text}")
        if after != before:
            found.append(f"tags have changed: {after}, {text}")
        if operation.run(scene, options).failed:
            found.append("does not work afterwards")
    elif count is None:
        found.append("believed")
    return [f"[{fault.name} | {what} | {'once' if count else 'for good'}] {sentence}" for sentence in found]


@pytest.mark.parametrize("count", [1, None], ids=["once", "for good"])
@pytest.mark.parametrize("what", ["manifest", "config", "layer"])
def test_a_fault_of_the_source(scene: Scene, source: Distribution, what: str, count: int | None) -> None:
    found = [text for fault in FAULTS for text in in_cell(scene, source, fault, what, count)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("count", [1, None], ids=["once", "for good"])
def test_a_fault_of_the_source_of_three_zones(three: Scene, source: Distribution, count: int | None) -> None:
    faults = FAULTS[:: 1 if count is None else 4]
    found = [text for fault in faults for text in in_cell(three, source, fault, "layer", count)]
    assert not found, "\n".join(found)


def test_a_source_that_begins_anew_after_a_cut_is_read_from_its_start(scene: Scene, source: Distribution) -> None:
    for cut in ("reset_response", "truncate_response"):
        name = scene.new("whole")
        layer = filled(source, name)["layers"][0]["digest"]
        source.faults.add(cut, method="GET", path=layer, after_bytes=5000, count=1)
        number = source.faults.add("ignore_range", method="GET", path=layer)
        options = {"name": name, "tags": ["1.0"], "source": f"docker://{source.registry}/{name}:1.0"}
        run = scene.run("appuio_image_push", {**options, "source_ca_cert": source.ca_file})
        assert not run.failed, run.result["msg"]
        assert source.faults.hits(number) == 2
        source.faults.clear()
