# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags by reference, layers of indexes, and quotas of tags: what ImageStreams and the registry know of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.zone import Zone
from tests.zone.client import Client, digest_of, index_of

Projects = Callable[..., str]
IMAGE = "/apis/image.openshift.io/v1/namespaces"


@pytest.fixture
def project(fresh_project: Projects) -> str:
    return fresh_project("references")


@pytest.fixture
def push(zone: Zone, project: str) -> Client:
    return Client(zone, zone.token_for(project, "pusher"))


@pytest.fixture
def api(zone: Zone, push: Client) -> Client:
    return Client(zone, push.token, "api")


def reference(tag: str, name: str, **more: Any) -> dict[str, Any]:
    """Return what ``oc tag --source=docker --reference`` sends."""
    return {
        "apiVersion": "image.openshift.io/v1",
        "kind": "ImageStreamTag",
        "metadata": {"name": f"app:{tag}"},
        "tag": {"from": {"kind": "DockerImage", "name": name}, "reference": True, **more},
    }


def events(zone: Zone, project: str) -> dict[str, list[tuple[str, str]]]:
    """Return tag → (image, reference) of each event."""
    stream = zone.image_stream(project, "app")
    assert stream is not None
    return {
        tag["tag"]: [(item["image"], item["dockerImageReference"]) for item in tag["items"]]
        for tag in stream["status"].get("tags") or []
    }


def tag_quota(zone: Zone, project: str, tags: int) -> None:
    metadata = {"name": "organization-objects", "namespace": project}
    hard = {"openshift.io/imagestreamtags": str(tags), "openshift.io/imagestreams": "20"}
    zone.put_object({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": hard}})


def test_a_reference_leaves_an_event_without_an_image(zone: Zone, project: str, push: Client, api: Client) -> None:
    old = push.image(f"{project}/app", "old")
    push.put_manifest(f"{project}/app", "prod", old)
    path = f"{IMAGE}/{project}/imagestreamtags"
    assert api("PUT", f"{path}/app:prod", reference("prod", "quay.example/x/y:1")).status == 200
    first, second = events(zone, project)["prod"]
    assert first == ("", "quay.example/x/y:1")
    assert second[0] == digest_of(old)
    # The same again adds nothing; another reference does.
    api("PUT", f"{path}/app:prod", reference("prod", "quay.example/x/y:1"))
    assert len(events(zone, project)["prod"]) == 2
    api("PUT", f"{path}/app:prod", reference("prod", "quay.example/x/y:2"))
    assert len(events(zone, project)["prod"]) == 3


def test_without_reference_nothing_is_imported(zone: Zone, project: str, api: Client) -> None:
    tag = reference("ext", "quay.example/x/y:1", reference=False)
    assert api("POST", f"{IMAGE}/{project}/imagestreamtags", tag).status == 201
    assert events(zone, project) == {}


def test_a_reference_is_no_image_to_anybody(zone: Zone, project: str, push: Client, api: Client) -> None:
    push.put_manifest(f"{project}/app", "good", push.image(f"{project}/app"))
    path = f"{IMAGE}/{project}/imagestreamtags"
    assert api("POST", path, reference("prod", "quay.example/x/y:1")).status == 201
    assert push("GET", f"/v2/{project}/app/tags/list").json["tags"] == ["good"]
    assert push("GET", f"/v2/{project}/app/manifests/prod").code == "MANIFEST_UNKNOWN"
    assert api("GET", f"{path}/app:prod").status == 404
    assert [item["metadata"]["name"] for item in api("GET", path).json["items"]] == ["app:good"]
    shown = api("GET", f"{IMAGE}/{project}/imagetags/app:prod").json
    assert (shown["image"], shown["status"]["items"][0]["image"]) == (None, "")
    layers = api("GET", f"{IMAGE}/{project}/imagestreams/app/layers").json
    assert "" not in layers["images"]
    # A push wins, and deletion takes the whole history.
    push.put_manifest(f"{project}/app", "prod", push.image(f"{project}/app", "new"))
    assert [bool(image) for image, _reference in events(zone, project)["prod"]] == [True, False]
    assert api("DELETE", f"{path}/app:prod").status == 200
    assert list(events(zone, project)) == ["good"]


def test_a_reference_can_be_deleted(zone: Zone, project: str, api: Client) -> None:
    path = f"{IMAGE}/{project}/imagestreamtags"
    api("POST", path, reference("prod", "quay.example/x/y:1"))
    assert api("DELETE", f"{path}/app:prod").status == 200
    assert api("DELETE", f"{path}/app:prod").status == 404


def test_what_follows_a_tag_of_its_stream_moves_with_it(zone: Zone, project: str, push: Client, api: Client) -> None:
    old, new = (push.image(f"{project}/app", text) for text in ("old", "new"))
    push.put_manifest(f"{project}/app", "prod", old)
    path = f"{IMAGE}/{project}/imagestreamtags"
    for name, source in (("app:stable", "app:prod"), ("app:short", "prod"), ("other:stable", "app:prod")):
        follows = {"from": {"kind": "ImageStreamTag", "name": source}}
        assert api("POST", path, {**reference("any", ""), "metadata": {"name": name}, "tag": follows}).status == 201
    push.put_manifest(f"{project}/app", "prod", new)
    assert set(zone.tags(project, "app").values()) == {digest_of(new)}
    assert [image for image, _reference in events(zone, project)["stable"]] == [digest_of(new), digest_of(old)]
    # Another stream stays behind.
    assert zone.tags(project, "other") == {"stable": digest_of(old)}
    # A push to the follower itself leaves what it follows alone.
    push.put_manifest(f"{project}/app", "stable", old)
    assert zone.tags(project, "app") == {"prod": digest_of(new), "short": digest_of(new), "stable": digest_of(old)}


def test_layers_tell_children_configurations_and_sizes(project: str, push: Client, api: Client) -> None:
    repository = f"{project}/app"
    child = push.image(repository, "child")
    push.put_manifest(repository, digest_of(child), child)
    index = index_of(child)
    push.put_manifest(repository, "prod", index)
    absent = index_of({"mediaType": child["mediaType"], "nowhere": True})
    push.put_manifest(repository, "sparse", absent)
    found = api("GET", f"{IMAGE}/{project}/imagestreams/app/layers").json
    assert found["kind"] == "ImageStreamLayers"
    layer, config = child["layers"][0], child["config"]
    assert found["images"][digest_of(index)] == {"manifests": [digest_of(child)]}
    assert found["images"][digest_of(child)] == {"layers": [layer["digest"]], "config": config["digest"]}
    assert found["images"][absent["manifests"][0]["digest"]] == {"imageMissing": True}
    assert found["blobs"][layer["digest"]] == {"size": layer["size"], "mediaType": layer["mediaType"]}
    assert found["blobs"][config["digest"]]["size"] == config["size"]
    assert found["blobs"][digest_of(child)] == {"size": None, "mediaType": child["mediaType"]}


@pytest.mark.parametrize(("tags", "used"), [("ignored", None), ("counted", "3"), ("enforced", "3")])
def test_tags_are_counted(zone: Zone, project: str, push: Client, api: Client, tags: str, used: str | None) -> None:
    zone.configure(tag_quota=tags)
    manifest = push.image(f"{project}/app")
    for tag in ("one", "two"):
        push.put_manifest(f"{project}/app", tag, manifest)
    api("POST", f"{IMAGE}/{project}/imagestreamtags", reference("three", "quay.example/x/y:1"))
    tag_quota(zone, project, 50)
    admin = Client(zone, zone.admin_token, "api")
    status = admin("GET", f"/api/v1/namespaces/{project}/resourcequotas/organization-objects").json["status"]
    assert status["used"].get("openshift.io/imagestreamtags") == used
    assert status["used"]["openshift.io/imagestreams"] == "1"


def test_the_tag_quota_is_enforced_only_when_set(zone: Zone, project: str, push: Client, api: Client) -> None:
    tag_quota(zone, project, 1)
    manifest = push.image(f"{project}/app")
    assert [push.put_manifest(f"{project}/app", tag, manifest).status for tag in ("one", "two")] == [201, 201]
    zone.configure(tag_quota="enforced")
    refused = push.put_manifest(f"{project}/app", "three", manifest)
    assert (refused.status, refused.code) == (403, "DENIED")
    # A tag that is there moves on.
    assert push.put_manifest(f"{project}/app", "one", push.image(f"{project}/app", "new")).status == 201
    refused = api("POST", f"{IMAGE}/{project}/imagestreamtags", reference("four", "quay.example/x/y:1"))
    assert refused.status == 403
    assert "exceeded quota: organization-objects, requested: openshift.io/imagestreamtags=1" in refused.json["message"]


def test_limit_ranges_act_when_the_registry_reads_them_again(zone: Zone, project: str, push: Client) -> None:
    def limit(storage: str) -> None:
        metadata = {"name": "images", "namespace": project}
        spec = {"limits": [{"type": "openshift.io/Image", "max": {"storage": storage}}]}
        zone.put_object({"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata, "spec": spec})

    zone.configure(limit_cache=3600)
    manifest = push.image(f"{project}/app", "x" * 5000)
    assert push.put_manifest(f"{project}/app", "one", manifest).status == 201
    limit("2Ki")
    assert push.put_manifest(f"{project}/app", "two", manifest).status == 201
    zone.configure(limit_cache=0)
    assert push.put_manifest(f"{project}/app", "three", manifest).code == "DENIED"
    viewer = Client(zone, zone.create_user(f"viewer-{project}", projects={project: "view"}), "api")
    items = viewer("GET", f"/api/v1/namespaces/{project}/limitranges").json["items"]
    assert [item["spec"]["limits"][0]["max"] for item in items] == [{"storage": "2Ki"}]
