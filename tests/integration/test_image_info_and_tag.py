# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""appuio_image_info and appuio_image_tag on local zones: push, look, promote, roll back, remove."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError

from tests.integration.api import ask
from tests.integration.images import Images
from tests.integration.playbook import play, run_playbook
from tests.zone import LocalZones, Zone


@pytest.fixture(scope="module")
def zones() -> Iterator[list[Zone]]:
    with LocalZones(3) as running:
        yield running.zones


@pytest.fixture
def images(zones: list[Zone], tmp_path: Path, request: pytest.FixtureRequest) -> Images:
    return Images(zones, "p" + hashlib.sha256(request.node.name.encode()).hexdigest()[:8], tmp_path)


def test_push_promote_and_roll_back(images: Images) -> None:
    a = images.push("a", "staging", "prod")
    b = images.push("b", "staging", platforms=["linux/amd64", "linux/arm64"])

    foreseen = images.tag(check=True, **{"from": "staging"})
    assert foreseen["changed"]
    assert foreseen["digest"] == b
    assert images.writes == []
    assert images.named() == [a, a, a]

    promoted = images.tag(expected_digest=a, **{"from": b})
    assert [one["previous_digest"] for one in promoted["zones"]] == [a, a, a]
    assert "its manifest is put under the tag" in promoted["zones"][0]["reason"]
    assert images.named() == [b, b, b]
    assert images.writes == [f"PUT /v2/{images.project}/app/manifests/prod"] * 3
    again = images.tag(expected_digest=a, **{"from": b})
    assert not again["changed"]
    assert images.writes == []

    back = images.tag(state="rolled_back", expected_digest=b)
    assert back["changed"]
    assert back["digest"] == a
    assert images.named() == [a, a, a]
    assert [images.history(zone) for zone in images.zones] == [[a, b, a]] * 3
    again = images.tag(state="rolled_back", expected_digest=b)
    assert not again["changed"]
    assert again["digest"] == a
    assert images.writes == []

    told = images.info(name="app", tags=["prod"])
    assert told["in_sync"]
    for zone in told["zones"]:
        (tag,) = zone["tags"]
        assert [event["digest"] for event in tag["history"]] == [a, b, a]
        assert tag["digest"] == a
        assert skopeo_digest(images, zone["zone"], tag["reference"]) == a
    forward = images.tag(state="rolled_back", to_digest=b)
    assert forward["digest"] == b


@pytest.mark.thorough
def test_one_zone_failing_in_the_middle_leaves_all_as_before(images: Images, zones: list[Zone]) -> None:
    a, b = images.push("a", "staging", "prod"), images.push("b", "staging")
    # Before the last zone's tag moves, its registry refuses; the two before it have moved by then.
    fault = zones[2].faults.add("status", side="registry", method="PUT", path="/manifests/prod", status=403, count=1)
    try:
        error = images.refused(**{"from": "staging"})
    finally:
        zones[2].faults.clear()
    assert zones[2].name in str(error), fault
    assert [one["rolled_back"] for one in error.result["zones"]] == [True, True, False]
    assert [one["changed"] for one in error.result["zones"]] == [False, False, False]
    assert images.named() == [a, a, a]

    zones[1].stop("registry")
    try:
        error = images.refused(**{"from": "staging"})
        assert images.writes == []
        assert images.named() == [a, a, a]
        with pytest.raises(AppuioError) as own_way:
            images.tag(atomic=False, **{"from": "staging"})
    finally:
        zones[1].start("registry")
    assert images.named() == [b, a, b]
    assert [one["failed"] for one in own_way.value.result["zones"]] == [False, True, False]

    # A new tag that had come to two zones is gone again, and a removed one comes back.
    zones[2].faults.add("status", side="registry", method="PUT", path="/manifests/new", status=403, count=1)
    zones[2].faults.add("status", side="api", method="DELETE", path="/imagestreamtags/", status=403, count=1)
    try:
        images.refused(tag="new", **{"from": "staging"})
        assert images.named("new") == [None, None, None]
        images.refused(tag="staging", state="absent")
        assert images.named("staging") == [b, b, b]
    finally:
        zones[2].faults.clear()


@pytest.mark.thorough
def test_between_repositories_and_namespaces_layers_are_mounted(images: Images, zones: list[Zone]) -> None:
    index = images.push("b", "staging", platforms=["linux/amd64", "linux/arm64"])
    test = images.project
    images.project = images.pusher.project = f"{test}-prod"
    for zone in zones:
        zone.create_project(images.project)
        zone.bind(images.project, "registry-editor", account(test))
    promoted = images.tag(name="shop", **{"from": f"{test}/app:staging"})
    assert promoted["digest"] == index
    assert promoted["zones"][0]["mounted"] > 2
    assert f"mounted from {test}/app" in promoted["zones"][0]["reason"]
    assert images.named(name="shop") == [index] * 3
    assert not [one for one in images.writes if "PUT" in one and "/blobs/" in one]
    size = images.info(name="shop")["zones"][0]["tags"][0]["size"]
    assert size == images.info(name="app", namespace=test)["zones"][0]["tags"][0]["size"] > 0

    # Without the right to pull there, the registry mounts nothing, and nothing is downloaded instead.
    own = Images(zones, images.project, images.folder)
    error = own.refused(name="other", **{"from": f"{test}/app@{index}"})
    assert "gives no right to pull" in str(error)
    assert own.writes == []


@pytest.mark.thorough
def test_what_the_lock_and_the_history_do_not_allow(images: Images, zones: list[Zone]) -> None:
    a = images.push("a", "prod")
    b = images.push("b", "prod", zones=zones[1:])
    other = "sha256:" + "0" * 64
    cases: list[tuple[dict[str, Any], str]] = [
        ({"from": "missing"}, "has no image missing"),
        ({"from": other}, f"has no image {other}"),
        ({"from": a, "expected_digest": other}, "Somebody has moved it meanwhile"),
        ({"state": "rolled_back", "to_digest": other}, "has no image"),
        ({"state": "rolled_back", "expected_digest": b, "revision": 2}, "goes back 1 images, not 2"),
        ({"state": "absent", "expected_digest": other}, "Somebody has moved it meanwhile"),
    ]
    for options, told in cases:
        assert told in str(images.refused(**options)), options
        assert images.writes == []
    assert images.named() == [a, b, b]
    # Each zone goes back in its own history, and one that does not point to the bad image stays.
    back = images.tag(state="rolled_back", expected_digest=b)
    assert [one["changed"] for one in back["zones"]] == [False, True, True]
    assert images.named() == [a, a, a]
    # Without the API there is no history and no removal, but a digest to go back to.
    shut = images.registries()
    for options in ({"state": "absent"}, {"state": "rolled_back", "expected_digest": a}):
        assert "takes the zone's API" in str(images.refused(zones=shut, **options))
    assert images.tag(zones=shut[1:], state="rolled_back", to_digest=b)["digest"] == b
    blocked = images.where(zones[0], host="https://127.0.0.1:9")["zones"]
    moved = images.tag(zones=blocked, tag="other", **{"from": "prod"})
    assert moved["changed"]
    assert "Whether it follows something is not known" in moved["reason"]
    gone = images.tag(state="absent")
    assert [one["previous_digest"] for one in gone["zones"]] == [a, b, b]
    assert gone["digest"] is None
    assert images.named() == [None, None, None]
    assert not images.tag(state="absent")["changed"]
    assert not images.tag(state="rolled_back", expected_digest=a)["changed"]


@pytest.mark.thorough
def test_a_tag_that_follows_is_not_fought(images: Images, zones: list[Zone]) -> None:
    a, b = images.push("a", "staging", "old"), images.push("b", "staging")
    zone = zones[0]
    one = {"zones": images.where(zone)["zones"]}
    spec(images, zone, "prod", {"kind": "ImageStreamTag", "name": "app:staging"})
    error = images.refused(**one, **{"from": a})
    assert "follows the tag app:staging" in str(error)
    kept = images.tag(**one, following="keep", **{"from": a})
    assert not kept["changed"]
    assert kept["digest"] == b
    assert images.info(**one, name="app", tags=["prod"])["zones"][0]["tags"][0]["follows"] == "app:staging"
    assert images.tag(**one, state="absent")["changed"]

    spec(images, zone, "prod", {"kind": "ImageStreamImage", "name": f"app@{b}"})
    moved = images.tag(**one, **{"from": "old"})
    assert f"Its entry in spec.tags names app@{b} and stays" in moved["reason"]
    assert images.named()[0] == a


@pytest.mark.thorough
def test_what_is_known_of_zones_that_differ(images: Images, zones: list[Zone]) -> None:
    a = images.push("a", "prod", "1.0")
    b = images.push("b", "prod", zones=zones[2:], platforms=["linux/amd64", "linux/arm64"])
    images.push("c", "x", name="other")
    for zone in zones[1:]:
        hard = {"openshift.io/imagestreams": "20", "openshift.io/imagestreamtags": "50"}
        zone.put_object(
            {
                "apiVersion": "v1",
                "kind": "ResourceQuota",
                "metadata": {"name": "organization-objects", "namespace": images.project},
                "spec": {"hard": hard},
            }
        )
    for zone in zones:
        images.tokens[zone.name] = zone.create_user("ada", projects={images.project: "view"})
    told = images.info()
    assert not told["in_sync"]
    named = {zones[0].name: a, zones[1].name: a, zones[2].name: b}
    assert told["drift"] == [{"name": "app", "tag": "prod", "digests": named}]
    first, second, third = told["zones"]
    assert [one["name"] for one in first["images"]] == ["app", "other"]
    assert [(one["name"], one["tag"]) for one in first["tags"]] == [("app", "1.0"), ("app", "prod"), ("other", "x")]
    assert first["quota"]["imagestreamtags"] == {"used": 3, "allowed": None, "left": None, "quota": None}
    assert second["quota"]["imagestreams"]["allowed"] == 20
    assert second["quota"]["imagestreamtags"]["used"] == 3
    tag = next(one for one in third["tags"] if one["tag"] == "prod")
    assert tag["platforms"] == ["linux/amd64", "linux/arm64"]
    assert tag["reference_digest"] == f"{zones[2].registry}/{images.project}/app@{b}"
    assert tag["created"] == tag["history"][0]["created"]
    assert first["known_from"] == "api"

    # The registry alone knows less, says what, and agrees with the API in what it knows.
    shut = images.registries()
    less = images.info(zones=shut, name="app")
    assert list(less["drift"][0]["digests"].values()) == [a, a, b]
    for zone, more in zip(less["zones"], told["zones"], strict=True):
        assert zone["known_from"] == "registry"
        assert zone["unknown"]
        assert zone["quota"] is None
        for one in zone["tags"]:
            same = next(tag for tag in more["tags"] if (tag["name"], tag["tag"]) == (one["name"], one["tag"]))
            for known in ("digest", "size", "platforms", "media_type", "image_id", "reference_digest"):
                assert one[known] == same[known]
            assert (one["history"], one["created"]) == (None, None)
    with pytest.raises(AppuioError, match="Give name"):
        images.info(zones=shut)
    token = zones[0].token_for(images.project, "builder-only", "system:image-builder")
    builder = images.info(zones=images.where(zones[0], token=token)["zones"], name="app")["zones"][0]
    assert builder["known_from"] == "registry"
    assert "the API cannot be asked" in builder["unknown"][0]
    assert [tag["digest"] for tag in builder["tags"]] == [a, a]

    # What is not there is empty, and a zone that is down hides no other.
    nothing = images.info(name="missing")
    assert [(one["exists"], one["tags"], one["images"]) for one in nothing["zones"]] == [(False, [], [])] * 3
    assert images.info(zones=shut, name="missing")["zones"][0]["exists"] is False
    zones[1].stop()
    try:
        with pytest.raises(AppuioError) as caught:
            images.info(details=False)
    finally:
        zones[1].start()
    found = caught.value.result
    assert [one["failed"] for one in found["zones"]] == [False, True, False]
    assert found["drift"][0]["digests"] == {zones[0].name: a, zones[2].name: b}
    assert len(found["zones"][2]["tags"]) == 3
    assert found["zones"][0]["tags"][0]["size"] is None


@pytest.mark.thorough
def test_with_every_kind_of_credential(images: Images, zones: list[Zone]) -> None:
    a, zone = images.push("a", "prod"), zones[0]
    zone.create_user("bob", password="correct horse", projects={images.project: "edit"})
    stored = images.folder / "auth.json"
    encoded = base64.b64encode(f"serviceaccount:{images.tokens[zone.name]}".encode()).decode()
    stored.write_text(json.dumps({"auths": {zone.registry: {"auth": encoded}}}))
    where = {name: value for name, value in images.where(zone)["zones"][0].items() if name != "token"}
    kinds: list[dict[str, Any]] = [
        {"kubeconfig": zone.kubeconfig},
        {"username": "bob", "password": "correct horse"},
        {"kubeconfig": zone.kubeconfig, "service_account": "image-pusher"},
        {"auth_file": str(stored)},
    ]
    for who in kinds:
        entry = [{**where, **who}]
        found = images.info(zones=entry, name="app")["zones"][0]
        assert (found["known_from"], found["tags"][0]["digest"]) == ("api", a), who
        asked = [one for one in zone.requests() if "/oauth/authorize" in one["path"]]
        assert len(asked) == ("password" in who)
        assert images.tag(zones=entry, tag="copy", **{"from": a})["changed"]
        assert images.tag(zones=entry, tag="copy", state="absent")["changed"]


@pytest.mark.thorough
def test_by_a_playbook_with_check_and_diff(images: Images) -> None:
    a, b = images.push("a", "prod"), images.push("b", "staging")
    where = images.where()
    tag = {**where, "name": "app", "tag": "prod"}
    tasks: list[dict[str, Any]] = [
        {
            "name": "Look",
            "appuio.registry.appuio_image_info": {
                **where,
                "name": "app",
                "query": "zones[0].tags[?tag=='prod'].digest",
            },
            "register": "found",
            "check_mode": True,
        },
        {
            "name": "Foresee",
            "appuio.registry.appuio_image_tag": {**tag, "from": "staging"},
            "check_mode": True,
            "diff": True,
        },
        {
            "name": "Promote",
            "appuio.registry.appuio_image_tag": {
                **tag,
                "from": "{{ (found.zones[0].tags | selectattr('tag', 'equalto', 'staging') | first).digest }}",
            },
            "diff": True,
        },
        {
            "name": "Back",
            "appuio.registry.appuio_image_tag": {
                **tag,
                "state": "rolled_back",
                "expected_digest": b,
                "revision": "{{ 1 }}",
            },
        },
        {"name": "Lack", "appuio.registry.appuio_image_tag": tag, "ignore_errors": True},
    ]
    result = run_playbook([play(tasks)], images.folder / "play", verbosity=2).succeeded()
    results = result.results
    assert not results["Look"]["changed"]
    assert results["Look"]["queried"] == [a]
    foreseen = results["Foresee"]["diff"]
    address = f"{images.zones[0].registry}/{images.project}/app"
    assert (foreseen["before"][address], foreseen["after"][address]) == ({"prod": a}, {"prod": b})
    assert results["Promote"]["diff"] == foreseen
    assert results["Back"]["digest"] == a
    assert "from" in results["Lack"]["msg"]
    for token in images.tokens.values():
        assert token not in result.stdout


def account(project: str) -> dict[str, str]:
    return {"kind": "ServiceAccount", "name": "image-pusher", "namespace": project}


def spec(images: Images, zone: Zone, tag: str, source: dict[str, str]) -> None:
    """Let a tag follow something, as ``oc tag`` does."""
    path = f"/apis/image.openshift.io/v1/namespaces/{images.project}/imagestreamtags"
    body = {
        "apiVersion": "image.openshift.io/v1",
        "kind": "ImageStreamTag",
        "metadata": {"name": f"app:{tag}", "namespace": images.project},
        "tag": {"name": tag, "from": source},
    }
    status, said = ask(zone, images.tokens[zone.name], "POST", path, body)
    assert status == 201, said


def skopeo_digest(images: Images, name: str, reference: str) -> str:
    """Return what skopeo says that a reference names."""
    zone = next(zone for zone in images.zones if zone.name == name)
    certificates = images.folder / f"certificates-{name}"
    certificates.mkdir(exist_ok=True)
    shutil.copy(zone.registry_ca_file, certificates / "ca.crt")
    command = ["skopeo", "inspect", "--raw", "--cert-dir", str(certificates)]
    command += ["--creds", f"any:{images.tokens[name]}", f"docker://{reference}"]
    ended = subprocess.run(command, capture_output=True, check=True)
    assert json.loads(ended.stdout)
    return "sha256:" + hashlib.sha256(ended.stdout).hexdigest()
