# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blobs, manifests and ImageStreams behave as in OpenShift's registry."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.zone import Zone
from tests.zone.api.manifest import OCI_INDEX, OCI_MANIFEST, SCHEMA2
from tests.zone.client import ACCEPT, GUARD, Client, digest_of, index_of, path_of

Projects = Callable[..., str]
NOWHERE = "sha256:" + "8" * 64


@pytest.fixture
def project(fresh_project: Projects) -> str:
    return fresh_project("images")


@pytest.fixture
def client(zone: Zone, project: str) -> Client:
    return Client(zone, zone.token_for(project, "pusher"))


def test_a_push_makes_the_image_stream_with_its_history(zone: Zone, project: str, client: Client) -> None:
    repository = f"{project}/app"
    first, second = client.image(repository, "one"), client.image(repository, "two")
    for manifest in (first, second, first, first):
        assert client.put_manifest(repository, "prod", manifest).status == 201
    stream = zone.image_stream(project, "app")
    assert stream is not None
    assert stream["spec"] == {"lookupPolicy": {"local": False}}
    assert stream["status"]["publicDockerImageRepository"] == f"{zone.registry}/{repository}"
    images = [item["image"] for item in stream["status"]["tags"][0]["items"]]
    assert images == [digest_of(first), digest_of(second), digest_of(first)]
    old = client("HEAD", f"/v2/{repository}/manifests/{digest_of(second)}", Accept=ACCEPT)
    assert old.status == 200


def test_what_is_pushed_by_digest_alone_is_not_seen(zone: Zone, project: str, client: Client) -> None:
    repository = f"{project}/app"
    manifest = client.image(repository)
    path = f"/v2/{repository}/manifests/{digest_of(manifest)}"
    assert client.put_manifest(repository, digest_of(manifest), manifest).status == 201
    assert zone.image_stream(project, "app") is None
    assert client("GET", path, Accept=ACCEPT).status == 500
    assert client("GET", f"/v2/{repository}/tags/list").code == "NAME_UNKNOWN"
    client.put_manifest(repository, "other", client.image(repository, "other"))
    assert client("GET", path, Accept=ACCEPT).code == "MANIFEST_UNKNOWN"
    assert client("GET", f"/v2/{repository}/manifests/{NOWHERE}", Accept=ACCEPT).status == 404
    client.put_manifest(repository, "now", manifest)
    assert client("GET", path, Accept=ACCEPT).body == json.dumps(manifest).encode()


def test_children_are_seen_through_an_index_under_a_tag(client: Client, project: str) -> None:
    repository = f"{project}/app"
    child = client.image(repository)
    client.put_manifest(repository, digest_of(child), child)
    client.put_manifest(repository, "other", client.image(repository, "other"))
    path = f"/v2/{repository}/manifests/{digest_of(child)}"
    assert client("HEAD", path, Accept=ACCEPT).status == 404
    assert client.put_manifest(repository, "multi", index_of(child)).status == 201
    assert client("HEAD", path, Accept=ACCEPT).status == 200


@pytest.mark.parametrize("platform", [{}, {"os": "linux"}, {"architecture": "amd64"}, {"os": "", "architecture": "x"}])
def test_an_index_without_platforms_is_a_500(client: Client, project: str, platform: dict[str, str]) -> None:
    repository = f"{project}/app"
    index = index_of(client.image(repository), platform=platform)
    by_tag = client.put_manifest(repository, "v1", index)
    assert (by_tag.status, by_tag.json["errors"][0]) == (
        500,
        {"code": "UNKNOWN", "message": "unknown error", "detail": {}},
    )
    by_digest = client.put_manifest(repository, digest_of(index), index)
    reason = by_digest.json["errors"][0]["detail"]["ErrStatus"]["message"]
    assert by_digest.status == 500
    assert "dockerImageManifests[0]" in reason


def test_missing_blobs_are_named_one_by_one(client: Client, project: str) -> None:
    manifest = client.image(f"{project}/elsewhere")
    reply = client.put_manifest(f"{project}/app", "v1", manifest)
    assert reply.status == 400
    assert [(error["code"], error["detail"]) for error in reply.json["errors"]] == [
        ("MANIFEST_BLOB_UNKNOWN", manifest["config"]["digest"]),
        ("MANIFEST_BLOB_UNKNOWN", manifest["layers"][0]["digest"]),
    ]


def test_a_wrong_layer_size_is_a_500(client: Client, project: str) -> None:
    manifest = client.image(f"{project}/app")
    manifest["layers"][0]["size"] += 1
    reply = client.put_manifest(f"{project}/app", "v1", manifest)
    assert reply.status == 500
    assert reply.json["errors"][1]["detail"]["SizeInManifest"] == manifest["layers"][0]["size"]


@pytest.mark.parametrize(
    ("change", "content_type"),
    [
        ({}, "application/json"),
        ({}, ""),
        ({}, SCHEMA2),
        ({"mediaType": SCHEMA2}, OCI_MANIFEST),
        ({}, "application/vnd.oci.artifact.manifest.v1+json"),
    ],
)
def test_manifests_that_are_none(client: Client, project: str, change: dict[str, Any], content_type: str) -> None:
    content = json.dumps({**client.image(f"{project}/app"), **change}).encode()
    reply = client("PUT", f"/v2/{project}/app/manifests/v1", content, Content_Type=content_type)
    assert (reply.status, reply.code) == (400, "MANIFEST_INVALID")


def test_too_large_a_manifest(client: Client, project: str) -> None:
    content = b"{" + b" " * (4 * 1024 * 1024) + b"}"
    reply = client("PUT", f"/v2/{project}/app/manifests/v1", content, Content_Type=OCI_MANIFEST)
    assert (reply.status, reply.json["errors"][0]["detail"]) == (400, "http: request body too large")


def test_accept_matters(client: Client, project: str) -> None:
    repository = f"{project}/app"
    oci = client.image(repository)
    client.put_manifest(repository, "oci", oci)
    client.put_manifest(repository, "docker", {**oci, "mediaType": SCHEMA2})
    client.put_manifest(repository, "index", index_of(oci))
    assert client("GET", f"/v2/{repository}/manifests/oci", Accept="*/*").status == 404
    assert "OCI index found" in client("GET", f"/v2/{repository}/manifests/index", Accept=OCI_MANIFEST).body.decode()
    converted = client("HEAD", f"/v2/{repository}/manifests/docker", Accept=OCI_INDEX)
    assert converted.headers["Content-Type"] == "application/vnd.docker.distribution.manifest.v1+prettyjws"
    assert converted.headers["Docker-Content-Digest"] != digest_of({**oci, "mediaType": SCHEMA2})
    known = digest_of(oci)
    same = client("GET", f"/v2/{repository}/manifests/oci", Accept=ACCEPT, If_None_Match=f'"{known}"')
    assert same.status == 304


@pytest.mark.parametrize("name", ["my__app", "my-app--x"])
def test_names_that_docker_takes_and_openshift_does_not(client: Client, project: str, name: str) -> None:
    repository = f"{project}/{name}"
    assert client.put_manifest(repository, "v1", client.image(repository)).status == 500


def test_one_odd_configuration_spoils_the_whole_stream(client: Client, project: str) -> None:
    repository = f"{project}/app"
    good = client.image(repository)
    client.put_manifest(repository, "multi", index_of(good))
    client.put_manifest(repository, digest_of(good), good)
    path = f"/v2/{repository}/manifests/{digest_of(good)}"
    assert client("HEAD", path, Accept=ACCEPT).status == 200
    assert client.put_manifest(repository, "odd", client.image(repository, config=b"hello")).status == 201
    assert client("HEAD", path, Accept=ACCEPT).status == 500
    assert client("HEAD", f"/v2/{repository}/manifests/multi", Accept=ACCEPT).status == 200


def test_uploads_can_be_resumed_and_only_with_the_newest_state(client: Client, project: str) -> None:
    content = bytes(range(250)) * 12
    first = client.start_upload(f"{project}/app")
    bare = first.partition("?")[0]
    sent = client("PATCH", first, content[:1000], Content_Type="application/octet-stream")
    assert (sent.status, sent.headers["Range"]) == (202, "0-999")
    stale = client("PATCH", first, content[1000:2000])
    assert (stale.status, stale.code) == (416, "RANGE_INVALID")
    gap = client("PATCH", path_of(sent.headers["Location"]), content[2000:], Content_Range="2000-2999")
    assert gap.status == 416
    for path in (bare, first):
        status = client("GET", path)
        assert (status.status, status.headers["Range"]) == (204, "0-999")
        newest = path_of(status.headers["Location"])
    done = client("PUT", f"{newest}&digest={digest_of(content)}", content[1000:])
    assert done.status == 201
    assert client("GET", f"/v2/{project}/app/blobs/{digest_of(content)}").body == content
    assert client("GET", bare).code == "BLOB_UPLOAD_UNKNOWN"


def test_an_upload_survives_a_restart_of_the_registry(zone: Zone, client: Client, project: str) -> None:
    path = client.start_upload(f"{project}/app")
    sent = client("PATCH", path, b"x" * 5000)
    zone.restart_registry()
    status = client("GET", path_of(sent.headers["Location"]))
    assert (status.status, status.headers["Range"]) == (204, "0-4999")


def test_mounts(zone: Zone, client: Client, project: str, fresh_project: Projects) -> None:
    other = fresh_project("other")
    digest = client.put_blob(f"{project}/app", b"content")
    foreign = Client(zone, zone.token_for(other, "pusher")).put_blob(f"{other}/app", b"foreign")

    def mount(source: str, blob: str) -> int:
        return client("POST", f"/v2/{project}/new/blobs/uploads/?mount={blob}&from={source}").status

    assert client("HEAD", f"/v2/{project}/new/blobs/{digest}").status == 404
    assert mount(f"{project}/app", digest) == 201
    assert client("HEAD", f"/v2/{project}/new/blobs/{digest}").status == 200
    assert mount(f"{project}/app", NOWHERE) == 202
    assert mount(f"{other}/app", foreign) == 202
    assert client("POST", f"/v2/{project}/new/blobs/uploads/?mount={digest}").status == 202
    zone.bind(other, "registry-viewer", {"kind": "ServiceAccount", "name": "pusher", "namespace": project})
    assert mount(f"{other}/app", foreign) == 201
    single = client("POST", f"/v2/{project}/new/blobs/uploads/?digest={digest_of(b'z')}", b"z")
    assert single.status == 202


@pytest.mark.parametrize(
    "limits",
    [
        {"kind": "ResourceQuota", "spec": {"hard": {"openshift.io/imagestreams": "0"}}},
        {"kind": "LimitRange", "spec": {"limits": [{"type": "openshift.io/Image", "max": {"storage": "2"}}]}},
        {
            "kind": "LimitRange",
            "spec": {"limits": [{"type": "openshift.io/ImageStream", "max": {"openshift.io/image-tags": "0"}}]},
        },
    ],
)
def test_quota_and_limits_refuse_the_tag_without_a_reason(
    zone: Zone, client: Client, project: str, limits: dict[str, Any]
) -> None:
    zone.put_object({"apiVersion": "v1", "metadata": {"name": "limits", "namespace": project}, **limits})
    reply = client.put_manifest(f"{project}/app", "v1", client.image(f"{project}/app"))
    assert (reply.status, reply.json["errors"]) == (
        403,
        [{"code": "DENIED", "message": "requested access to the resource is denied"}],
    )


def test_tags_are_listed_whole_and_deleted_through_the_api(zone: Zone, client: Client, project: str) -> None:
    repository = f"{project}/app"
    manifest = client.image(repository)
    for tag in ("a", "b", "c"):
        client.put_manifest(repository, tag, manifest)
    assert sorted(client("GET", f"/v2/{repository}/tags/list").json["tags"]) == ["a", "b", "c"]
    api = Client(zone, client.token, "api")
    path = f"/apis/image.openshift.io/v1/namespaces/{project}/imagestreamtags"
    assert api("DELETE", f"{path}/app:b").status == 200
    assert zone.tags(project, "app") == dict.fromkeys(("a", "c"), digest_of(manifest))
    assert api("DELETE", f"{path}/app:b").status == 404


def test_tags_pushed_at_once_into_a_new_stream_all_arrive(zone: Zone, client: Client, project: str) -> None:
    manifest = client.image(f"{project}/app")
    tags = [f"t{number}" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda tag: client.put_manifest(f"{project}/app", tag, manifest).status, tags))
    assert replies == [201] * 8
    assert zone.tags(project, "app") == dict.fromkeys(tags, digest_of(manifest))


def test_a_client_that_waits_for_100_continue_gets_it_only_with_the_right(
    zone: Zone, client: Client, project: str
) -> None:
    path = client.start_upload(f"{project}/app")
    content = b"x" * 100_000
    host, _ignored, port = zone.registry.partition(":")
    for token, answer in ((str(client.token), b"HTTP/1.1 100"), ("wrong", b"HTTP/1.1 401")):
        head = f"PUT {path}&digest={digest_of(content)} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        head += f"Content-Length: {len(content)}\r\nExpect: 100-continue\r\n\r\n"
        context = ssl.create_default_context(cafile=zone.registry_ca_file)
        with (
            socket.create_connection((host, int(port)), timeout=GUARD) as plain,
            context.wrap_socket(plain, server_hostname=host) as connection,
        ):
            connection.sendall(head.encode())
            assert connection.recv(12) == answer
            if answer.endswith(b"100"):
                connection.sendall(content)
                rest = b""
                while b"201 Created" not in rest:
                    received = connection.recv(4096)
                    assert received
                    rest += received
