# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image stream as it is to be: what is created, what is changed, what stays, and what is not removed."""

from __future__ import annotations

import copy
import signal
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError, InvalidOptionError
from ansible_collections.appuio.registry.plugins.module_utils._openshift import resources
from ansible_collections.appuio.registry.plugins.module_utils._openshift.workloads import KINDS
from ansible_collections.appuio.registry.plugins.module_utils._signals import StopSignals
from ansible_collections.appuio.registry.plugins.module_utils._stream.options import SPEC, StreamOptions, parse_options
from ansible_collections.appuio.registry.plugins.module_utils._stream.plan import (
    CREATE,
    DELETE,
    NONE,
    REPLACE,
    plan_stream,
)
from ansible_collections.appuio.registry.plugins.module_utils._stream.task import StreamTask
from ansible_collections.appuio.registry.plugins.module_utils._zones.fanout import (
    change_each_zone,
    each_zone,
    finishing,
)

from tests.unit.plugins.module_utils.scripted_api import Line, ScriptedApi, answer, refusal

DEFAULTS = {name: rule.get("default") for name, rule in SPEC.options.items()}
STREAMS = "/apis/image.openshift.io/v1/namespaces/shop/imagestreams"
A = f"sha256:{'a' * 64}"
LIVE: dict[str, Any] = {
    "apiVersion": "image.openshift.io/v1",
    "kind": "ImageStream",
    "metadata": {"name": "app", "namespace": "shop", "uid": "u", "resourceVersion": "7", "labels": {"mine": "yes"}},
    "spec": {
        "lookupPolicy": {"local": False},
        "tags": [
            {"name": "1.27", "from": {"kind": "DockerImage", "name": "docker.io/library/nginx:1.27"}, "generation": 3,
             "importPolicy": {"importMode": "Legacy"}, "referencePolicy": {"type": "Source"}, "annotations": None},
            {"name": "prod", "from": {"kind": "ImageStreamTag", "name": "app:1.27"}, "generation": 2},
        ],
    },
    "status": {"tags": [{"tag": tag, "items": [{"image": A}]} for tag in ("1.27", "prod", "pushed")]},
}  # fmt: skip


def options(**given: Any) -> StreamOptions:
    return parse_options({**DEFAULTS, "name": "app", **given})


def test_a_new_stream_is_created_as_it_is_to_be() -> None:
    wanted = options(local_lookup=True, labels={"team": "web", "level": 3, "beta": True}, import_from=["nginx:1.27"])
    plan = plan_stream(wanted, "shop", None)
    assert plan.action == CREATE
    assert plan.body is not None
    assert plan.body["metadata"]["labels"] == {
        "app.kubernetes.io/managed-by": "appuio.registry", "team": "web", "level": "3", "beta": "true",
    }  # fmt: skip
    origin = {"kind": "DockerImage", "name": "docker.io/library/nginx:1.27"}
    assert plan.body["spec"] == {"lookupPolicy": {"local": True}, "tags": [{"name": "1.27", "from": origin}]}
    assert plan.before is None


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"local_lookup": False},
        {"labels": {"mine": "yes", "other": None}},
        {"import_from": ["nginx:1.27"]},
        {"import_from": ["docker.io/library/nginx:1.27"], "reference_policy": "source", "scheduled": False},
    ],
)
def test_what_is_as_it_is_to_be_stays(given: dict[str, Any]) -> None:
    plan = plan_stream(options(**given), "shop", LIVE)
    assert (plan.action, plan.changes, plan.body) == (NONE, False, None)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"local_lookup": True}, "it differs in local_lookup"),
        ({"labels": {"mine": None}, "annotations": {"x": "y"}}, "it differs in annotations, labels"),
        ({"import_from": ["nginx:1.27"], "scheduled": True}, "it differs in imports"),
        ({"import_from": ["nginx:1.27"], "reference_policy": "local"}, "it differs in imports"),
        ({"import_from": ["quay.io/nginx/nginx:1.27"]}, "it differs in imports"),
        ({"import_from": ["quay.io/nginx/nginx:1.28"]}, "it differs in imports"),
        ({"import_from": [f"quay.io/nginx/nginx@{A}"]}, "it differs in imports"),
    ],
)
def test_what_differs_is_replaced_and_all_else_stays(given: dict[str, Any], reason: str) -> None:
    before = copy.deepcopy(LIVE)
    plan = plan_stream(options(**given), "shop", LIVE)
    assert (plan.action, plan.reason, before) == (REPLACE, reason, LIVE)
    assert plan.body is not None
    assert plan.body["metadata"]["resourceVersion"] == "7"
    assert plan.body["spec"]["tags"][1] == LIVE["spec"]["tags"][1]
    again = plan_stream(options(**given), "shop", plan.body)
    assert again.action == NONE


def test_a_changed_import_is_imported_again() -> None:
    plan = plan_stream(options(import_from=["nginx:1.27"], scheduled=True), "shop", LIVE)
    assert plan.body is not None
    entry = plan.body["spec"]["tags"][0]
    assert "generation" not in entry
    assert entry["importPolicy"] == {"importMode": "Legacy", "scheduled": True}


def test_a_tag_that_was_pushed_is_not_moved_to_an_image_elsewhere() -> None:
    with pytest.raises(InvalidOptionError, match="the tag app:pushed was pushed, and an import would move it"):
        plan_stream(options(import_from=["quay.io/a/b:pushed"]), "shop", LIVE)


def test_absent_is_absent() -> None:
    assert plan_stream(options(state="absent"), "shop", None).action == NONE
    plan = plan_stream(options(state="absent"), "shop", LIVE)
    assert (plan.action, plan.reason, plan.after) == (DELETE, "it is removed with its 3 tags", None)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"state": "absent", "labels": {"a": "b"}}, "labels need state: present"),
        ({"name": "a/b"}, "name 'a/b' is not an image name"),
        ({"import_from": ["x.io/a:1", "y.io/a:1"]}, "import_from names the tag 1 twice"),
        ({"import_from": ["x.io/a:b c"]}, "is not an image reference"),
        ({"labels": {"a": [1]}}, "labels: a is a text"),
        ({"workload_namespaces": ["A"]}, "is not the name of a project"),
    ],
)
def test_what_cannot_be_meant(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidOptionError, match=said):
        options(**given)


def task(*lines: Line, **given: Any) -> tuple[StreamTask, ScriptedApi]:
    script = ScriptedApi(*lines)
    target = SimpleNamespace(zone=SimpleNamespace(registry="registry.lpg"))
    session = SimpleNamespace(name="lpg", namespace="shop", target=target, api=lambda: script.api)
    sessions: Any = SimpleNamespace(sessions=[session])
    sessions.each = lambda work: each_zone(work, [session], lambda one: one.name)
    sessions.change_each = lambda work: change_each_zone(work, [session], lambda one: one.name)
    return StreamTask(options(**given), sessions), script


def usage(*streams: Any, **given: Any) -> list[Line]:
    """What is asked before a stream is removed: the streams of the namespace, the projects, and all kinds."""
    listed = answer(200, {"items": list(streams)})
    lines = [(f"GET {STREAMS}?", listed), ("GET /apis/project.openshift.io/v1/projects", refusal(403, "no"))]
    return lines + [(f"GET {kind.collection()}?", given.get(kind.kind, answer(200, {"items": []}))) for kind in KINDS]


READ = (f"GET {STREAMS}/app", answer(200, LIVE))
LAYERS = (f"GET {STREAMS}/app/layers", answer(200, {"images": {A: {"manifests": [f"sha256:{'c' * 64}"]}}}))


def test_check_mode_writes_nothing_and_says_what_would_be() -> None:
    running, script = task((f"GET {STREAMS}/app", refusal(404, "no")))
    plan = running.plan()
    result = plan.predict()
    assert (result["changed"], result["reason"], script.lines) == (True, "it does not exist yet", [])
    assert result["zones"][0]["reference"] == "registry.lpg/shop/app"
    assert list(plan.diff()["after"]) == ["lpg shop/app"]
    assert plan.diff()["before"] == {}


def test_a_stream_that_somebody_else_changes_meanwhile_is_planned_anew() -> None:
    newer = {**LIVE, "metadata": {**LIVE["metadata"], "resourceVersion": "8", "labels": {"mine": "yes", "new": "1"}}}
    refused, stored = (f"PUT {STREAMS}/app", refusal(409, "modified")), (f"PUT {STREAMS}/app", answer(200, {}))
    running, script = task(READ, refused, (f"GET {STREAMS}/app", answer(200, newer)), stored, labels={"team": "web"})
    assert running.apply(running.plan())["changed"]
    assert script.lines == []
    sent = script.document(-1)["metadata"]
    assert (sent["resourceVersion"], sent["labels"]) == ("8", {"mine": "yes", "new": "1", "team": "web"})


def test_a_creation_whose_answer_was_lost_is_told_as_one() -> None:
    missing = (f"GET {STREAMS}/app", refusal(404, "no"))
    made, script = task(missing, (f"POST {STREAMS}", refusal(409, "already exists")), READ)
    result = made.apply(made.plan())
    assert (result["changed"], result["zones"][0]["exists"]) == (True, True)
    assert not script.lines


def test_nothing_is_created_after_a_signal() -> None:
    made, script = task((f"GET {STREAMS}/app", refusal(404, "no")))
    plan = made.plan()
    with StopSignals(), finishing():
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(AppuioError, match="zone lpg: create the ImageStream app: stopped by SIGTERM") as caught:
            made.apply(plan)
    assert (caught.value.result["changed"], script.lines) == (False, [])


def test_an_unused_stream_is_removed_as_it_was_read() -> None:
    gone = (f"DELETE {STREAMS}/app", answer(200, {}))
    running, script = task(READ, *usage(LIVE), READ, *usage(LIVE), gone, state="absent")
    result = running.apply(running.plan())
    assert (result["changed"], result["zones"][0]["exists"], script.lines) == (True, False, [])
    assert script.document(-1)["preconditions"] == {"uid": "u", "resourceVersion": "7"}


def follower(name: str, tag: str) -> dict[str, Any]:
    spec = {"tags": [{"name": "live", "from": {"kind": "ImageStreamTag", "name": tag}}]}
    return {"metadata": {"name": name, "namespace": "shop"}, "spec": spec}


def pod(image: str) -> Any:
    document = {"metadata": {"name": "web", "namespace": "shop"}, "spec": {"containers": [{"image": image}]}}
    return answer(200, {"items": [document]})


@pytest.mark.parametrize(
    ("lines", "user"),
    [
        (usage(LIVE, Pod=pod("registry.lpg/shop/app:gone")), "Pod shop/web"),
        ([*usage(LIVE, Pod=pod(f"x@{A}")), LAYERS], "Pod shop/web, which runs an image of the tag 1.27"),
        ([*usage(LIVE, Job=pod(f"x@sha256:{'c' * 64}")), LAYERS], "Job shop/web, which runs an image of the tag 1.27"),
        (usage(LIVE, follower("web", "app:prod")), "ImageStreamTag shop/web:live"),
    ],
)
def test_a_stream_in_use_stays(lines: list[Line], user: str) -> None:
    running, script = task(READ, *lines, state="absent")
    with pytest.raises(AppuioError, match=f"the ImageStream app stays, as it is used by {user}") as caught:
        running.plan()
    assert script.lines == []
    assert (caught.value.result["zones"][0]["failed"], caught.value.result["changed"]) == (True, False)


def test_a_stream_stays_where_nobody_can_tell_its_users() -> None:
    lines = usage(LIVE, CronJob=refusal(403, "no"))
    at = next(number for number, line in enumerate(lines) if "cronjobs" in line[0])
    lines.insert(at + 1, (f"GET {resources.CRON_JOB.collection('shop')}?", refusal(403, "no")))
    running, _script = task(READ, *lines, state="absent")
    with pytest.raises(AppuioError, match="may not be read: CronJob in shop"):
        running.plan()
    running, script = task(READ, READ, (f"DELETE {STREAMS}/app", answer(200, {})), state="absent", protect_in_use=False)
    assert running.apply(running.plan())["changed"]
    assert script.lines == []


def test_a_namespace_that_may_not_exist_is_told() -> None:
    running, _script = task((f"GET {STREAMS}/app", refusal(403, "no")))
    with pytest.raises(AppuioError, match="The namespace shop may not exist"):
        running.plan()
