# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A prune of many tags: what is in use stays, whoever uses it, and nothing that is pushed meanwhile is lost."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError
from ansible_collections.appuio.registry.plugins.module_utils._openshift.image_streams import delete_tag
from ansible_collections.appuio.registry.plugins.module_utils._prune import removal
from ansible_collections.appuio.registry.plugins.module_utils._prune.options import SPEC
from ansible_collections.appuio.registry.plugins.module_utils._prune.task import PruneTask, prune_task
from ansible_collections.appuio.registry.plugins.module_utils._targets import RunContext

from tests.integration.api import ask
from tests.integration.images import Images
from tests.integration.playbook import LOCAL, run_playbook, run_task
from tests.zone import LocalZones, Zone

TAGS, QUOTA = 200, 50
INTERNAL = "image-registry.openshift-image-registry.svc:5000"
DEFAULTS = {name: rule["default"] for name, rule in SPEC.options.items() if "default" in rule}
GROUPS = {
    "Pod": "v1",
    "ReplicationController": "v1",
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "ReplicaSet": "apps/v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "DeploymentConfig": "apps.openshift.io/v1",
    "BuildConfig": "build.openshift.io/v1",
    "Build": "build.openshift.io/v1",
}


def digest(project: str, number: int) -> str:
    return f"sha256:{hashlib.sha256(f'{project} {number}'.encode()).hexdigest()}"


def put_stream(zone: Zone, project: str, count: int = TAGS, first: int = 0) -> None:
    """Make an image stream of tags t0, t1, ..., each a minute older than the one before, the tags of one day ago."""
    items = [
        {
            "tag": f"t{number}",
            "items": [{"created": f"2026-01-{28 - number // 60 % 28:02}T12:{59 - number % 60:02}:00Z",
                       "image": digest(project, number + first), "dockerImageReference": "x", "generation": 1}],
        }
        for number in range(count)
    ]  # fmt: skip
    zone.put_object(
        {
            "apiVersion": "image.openshift.io/v1",
            "kind": "ImageStream",
            "metadata": {"name": "app", "namespace": project},
            "spec": {"lookupPolicy": {"local": False}},
            "status": {"dockerImageRepository": f"{INTERNAL}/{project}/app", "tags": items},
        }
    )


def put_history(zone: Zone, project: str, count: int) -> None:
    """Make an image stream with a tag that has named so many images."""
    items = [
        {"created": f"2026-01-{28 - number:02}T12:00:00Z", "image": digest(project, number),
         "dockerImageReference": "x", "generation": 1}
        for number in range(count)
    ]  # fmt: skip
    stream = {"apiVersion": "image.openshift.io/v1", "kind": "ImageStream", "spec": {}}
    metadata = {"name": "history", "namespace": project}
    zone.put_object({**stream, "metadata": metadata, "status": {"tags": [{"tag": "latest", "items": items}]}})


def history(zone: Zone, project: str) -> list[str]:
    stream = zone.image_stream(project, "history")
    assert stream is not None
    return [str(item["image"]) for item in stream["status"]["tags"][0]["items"]]


def put_workload(zone: Zone, project: str, kind: str, image: str) -> None:
    containers = {"spec": {"containers": [{"name": "one", "image": image}]}}
    spec: dict[str, Any] = {"selector": {"matchLabels": {"a": "b"}}, "template": containers}
    if kind == "Pod":
        spec = containers["spec"]
    elif kind == "CronJob":
        spec = {"schedule": "@daily", "jobTemplate": {"spec": {"template": containers}}}
    elif kind in ("BuildConfig", "Build"):
        spec = {"strategy": {"dockerStrategy": {"from": {"kind": "DockerImage", "name": image}}}}
    zone.put_object(
        {
            "apiVersion": GROUPS[kind],
            "kind": kind,
            "metadata": {"name": kind.lower(), "namespace": project},
            "spec": spec,
        }
    )


@pytest.fixture(scope="module")
def zone() -> Iterator[Zone]:
    with LocalZones(1) as zones:
        yield zones[0]


@pytest.fixture
def project(zone: Zone, request: pytest.FixtureRequest) -> str:
    name = "p" + hashlib.sha256(request.node.name.encode()).hexdigest()[:8]
    zone.create_user("ada", "", {name: "admin"})
    put_stream(zone, name)
    return name


def task(zone: Zone, project: str, **options: Any) -> PruneTask:
    """Return a prune by an admin of the project."""
    given = {
        "zone": zone.name,
        "host": zone.host,
        "registry": zone.registry,
        "ca_cert": str(zone.ca_file),
        "namespace": project,
        "token": zone.create_user("ada", "", {project: "admin"}),
        "max_delete": 1000,
    }
    return prune_task({**DEFAULTS, **given, **options}, RunContext())


def prune(zone: Zone, project: str, **options: Any) -> dict[str, Any]:
    running = task(zone, project, **options)
    try:
        result = running.apply(running.plan())
    finally:
        running.close()
    (found,) = result["zones"]
    return dict(found)


def tags(zone: Zone, project: str) -> set[str]:
    return set(zone.tags(project, "app"))


@pytest.mark.thorough
def test_two_hundred_tags_with_every_kind_of_workload(zone: Zone, project: str) -> None:
    for number, kind in enumerate(GROUPS):
        by_tag, by_digest = (
            f"{zone.registry}/{project}/app:t{50 + number}",
            f"elsewhere/app@{digest(project, 100 + number)}",
        )
        put_workload(zone, project, kind, by_tag if number % 2 else by_digest)
    used = {f"t{50 + number}" if number % 2 else f"t{100 + number}" for number in range(len(GROUPS))}
    zone.create_project(f"{project}-prod")
    zone.create_user("ada", "", {f"{project}-prod": "view"})
    put_workload(zone, f"{project}-prod", "Deployment", f"{INTERNAL}/{project}/app:t150")
    pruned = prune(zone, project, keep=10)
    assert tags(zone, project) == {*used, "t150", *(f"t{number}" for number in range(10))}
    assert len(tags(zone, project)) < QUOTA
    assert len(pruned["deleted"]) == TAGS - 10 - len(used) - 1
    reasons = {one["tag"]: one["reason"] for one in pruned["kept"]}
    assert {reasons[tag].rpartition(" ")[0] for tag in used} == {f"it is used by {kind}" for kind in GROUPS}
    assert reasons["t150"] == f"it is used by Deployment {project}-prod/deployment"
    zone.clear_requests()
    again = prune(zone, project, keep=10)
    assert (again["changed"], again["deleted"], zone.writes()) == (False, [], [])


@pytest.mark.thorough
def test_what_is_pushed_while_it_runs_stays(zone: Zone, project: str) -> None:
    running = task(zone, project, keep=190)
    plan = running.plan()
    assert [one.tag for one in plan.zones[0].going][:2] == ["t190", "t191"]
    put_stream(zone, project, count=195, first=1000)
    (found,) = running.apply(plan)["zones"]
    running.close()
    assert (found["changed"], len(tags(zone, project))) == (False, 195)
    reasons = {one["tag"]: one["reason"] for one in found["kept"]}
    assert reasons["t190"] == "it was pushed while this ran"
    assert reasons["t199"] == "somebody else has removed it"


@pytest.mark.thorough
def test_what_may_not_be_read_stops_it(zone: Zone, project: str) -> None:
    token = zone.token_for(project, "image-pusher")
    with pytest.raises(AppuioError, match="Pod in ") as caught:
        prune(zone, project, keep=1, token=token)
    assert "BuildConfig" in str(caught.value)
    assert caught.value.result["zones"][0]["failed"]
    pruned = prune(zone, project, keep=150, token=token, ignore_unreadable=[project], max_delete=20)
    assert {one["kind"] for one in pruned["unreadable"]} == set(GROUPS)
    assert len(pruned["deleted"]) == 20
    with pytest.raises(AppuioError, match="Pod in nowhere"):
        prune(zone, project, keep=1, workload_namespaces=["nowhere"])


@pytest.mark.thorough
def test_a_prune_that_fails_says_what_it_has_done(zone: Zone, project: str) -> None:
    zone.faults.add("status", side="api", status=403, method="DELETE", path="imagestreamtags", skip=3)
    with pytest.raises(AppuioError) as caught:
        prune(zone, project, keep=190)
    zone.faults.clear()
    (found,) = caught.value.result["zones"]
    assert (len(found["deleted"]), len(tags(zone, project))) == (3, TAGS - 3)
    assert zone.name in str(caught.value)


@pytest.mark.thorough
def test_what_cannot_be_meant_is_told_before_anybody_is_asked(zone: Zone, tmp_path: Path) -> None:
    zone.clear_requests()
    given = {"zone": zone.name, "host": zone.host, "namespace": "shop", "token": "any", "keep": 1, "match": "("}
    played = run_task("appuio.registry.appuio_image_prune", given, tmp_path)
    assert played.rc
    assert "match '(' is no regular expression" in played.stdout
    assert zone.requests() == []


def test_a_playbook_in_check_mode_and_for_real(zone: Zone, project: str, tmp_path: Path) -> None:
    inventory = {"all": {"hosts": {zone.name: LOCAL}}}
    variables = {
        "appuio_host": zone.host,
        "appuio_registry": zone.registry,
        "appuio_ca_cert": str(zone.ca_file),
        "appuio_token": zone.create_user("ada", "", {project: "admin"}),
        "appuio_namespace": project,
        "appuio_keep": 197,
    }
    zone.clear_requests()
    how: dict[str, Any] = {"inventory": inventory, "extra_vars": variables, "diff": True}
    check = run_playbook("appuio.registry.prune", tmp_path, check=True, **how).succeeded()
    assert (len(check.changed), zone.writes()) == (1, [])
    assert "gone: app:t199, as there are 199 newer tags" in check.stdout
    run_playbook("appuio.registry.prune", tmp_path, **how).succeeded()
    assert len(tags(zone, project)) == 197


@pytest.mark.thorough
def test_the_history_of_a_tag_is_cut_by_who_may(zone: Zone, project: str) -> None:
    zone.create_user("grace", "", {project: "admin"})
    grace = zone.create_user("grace", "", {project: "system:image-pruner"})
    put_history(zone, project, 5)
    before = history(zone, project)
    put_workload(zone, project, "Deployment", f"elsewhere/history@{before[3]}")
    zone.clear_requests()
    with pytest.raises(AppuioError, match=r"update imagestreams/status\.image\.openshift\.io is missing"):
        prune(zone, project, name="history", revisions=2)
    running = task(zone, project, name="history", revisions=2, token=grace)
    assert running.plan().diff()["before"] != running.plan().diff()["after"]
    running.close()
    assert zone.writes() == []
    pruned = prune(zone, project, name="history", revisions=2, token=grace)
    assert (pruned["changed"], pruned["deleted"]) == (True, [])
    assert pruned["trimmed"][0]["digests"] == [before[2], before[4]]
    assert history(zone, project) == [*before[:2], before[3]]
    assert not prune(zone, project, name="history", revisions=2, token=grace)["changed"]


@pytest.mark.thorough
def test_a_push_between_the_look_and_the_removal_is_not_lost(
    zone: Zone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenShift removes a tag whatever its stream's version is: the push is put back."""
    zone.create_user("ada", "", {"raced": "admin"})
    images = Images([zone], "raced", tmp_path)
    images.push("a", "b-1")
    kept = images.push("b", "b-2")
    pushed: list[str] = []

    def push_first(*arguments: Any) -> bool:
        pushed.append(images.push("c", "b-1", platforms=["linux/amd64", "linux/arm64"]))
        return delete_tag(*arguments)

    monkeypatch.setattr(removal, "delete_tag", push_first)
    found = prune(zone, "raced", keep=1)
    assert zone.tags("raced", "app") == {"b-1": pushed[0], "b-2": kept}
    assert found["deleted"] == []
    assert found["kept"][0]["reason"] == f"{pushed[0]} was pushed while it was removed, and was put back"
    assert images.info(name="app")["zones"][0]["tags"][0]["platforms"] == ["linux/amd64", "linux/arm64"]


@pytest.mark.thorough
def test_an_image_of_a_history_and_one_of_an_index_stay_while_they_run(zone: Zone, tmp_path: Path) -> None:
    zone.create_user("ada", "", {"held": "admin"})
    images = Images([zone], "held", tmp_path)
    old = images.push("old", "1.0")
    images.push("new", "1.0")
    index = images.push("index", "1.1", platforms=["linux/amd64", "linux/arm64"])
    for number in range(2, 5):
        images.push(f"other{number}", f"1.{number}")
    path = "/apis/image.openshift.io/v1/namespaces/held/imagestreams/app/layers"
    layers = ask(zone, images.tokens[zone.name], "GET", path)[1]
    children = layers["images"][index]["manifests"]
    put_workload(zone, "held", "Deployment", f"{zone.registry}/held/app@{old}")
    put_workload(zone, "held", "ReplicaSet", f"{zone.registry}/held/app@{children[1]}")
    found = prune(zone, "held", keep=1)
    assert set(zone.tags("held", "app")) == {"1.0", "1.1", "1.4"}
    reasons = {one["tag"]: one["reason"] for one in found["kept"]}
    assert reasons["1.0"] == f"an earlier image of it, {old}, is used by Deployment held/deployment"
    assert reasons["1.1"] == f"an image of its index, {children[1]}, is used by ReplicaSet held/replicaset"
    for image in (old, children[1]):
        assert images.tag(tag="pulled", **{"from": image})["digest"] == image


@pytest.mark.thorough
def test_names_that_are_paths_and_empty_repositories(zone: Zone) -> None:
    """A name out of an answer gets into no path; what nothing is left of goes, and frees the quota."""
    zone.create_user("ada", "", {"odd": "admin"})
    event = {"created": "2026-01-01T12:00:00Z", "image": digest("odd", 1), "dockerImageReference": "x", "generation": 1}
    paths = ("../../kube-system/imagestreams/x", "1.0/../../..", "b-1")
    for name, tags in (("app", paths), ("../../../x", ("b-1",)), ("empty", ())):
        zone.put_object(
            {
                "apiVersion": "image.openshift.io/v1",
                "kind": "ImageStream",
                "metadata": {"name": name, "namespace": "odd", "creationTimestamp": "2026-01-01T12:00:00Z"},
                "spec": {},
                "status": {"tags": [{"tag": tag, "items": [event]} for tag in tags]},
            }
        )
    zone.clear_requests()
    found = prune(zone, "odd", keep=0, older_than="0s", last_tag=True, empty_repositories="remove")
    assert [one["tag"] for one in found["deleted"]] == ["b-1"]
    assert len(found["skipped"]) == 3
    assert [one["name"] for one in found["deleted_repositories"]] == ["empty"]
    assert [one["reason"] for one in found["kept_repositories"]] == ["it has something that is no proper tag"]
    written = [f"{one['method']} {one['path']}" for one in zone.writes()]
    base = "DELETE /apis/image.openshift.io/v1/namespaces/odd"
    assert written == [f"{base}/imagestreamtags/app:b-1", f"{base}/imagestreams/empty"]
