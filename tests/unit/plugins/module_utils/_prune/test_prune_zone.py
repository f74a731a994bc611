# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a prune reads in a zone: every page of every kind, wherever it may; and what it does where it may not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError, ForbiddenError
from ansible_collections.appuio.registry.plugins.module_utils._http.message import Response
from ansible_collections.appuio.registry.plugins.module_utils._openshift import resources
from ansible_collections.appuio.registry.plugins.module_utils._openshift.image_usage import Usage
from ansible_collections.appuio.registry.plugins.module_utils._openshift.workloads import (
    KINDS,
    Unreadable,
    read_kinds,
    visible_namespaces,
)
from ansible_collections.appuio.registry.plugins.module_utils._prune.options import SPEC, parse_options
from ansible_collections.appuio.registry.plugins.module_utils._prune.report import ZonePrune
from ansible_collections.appuio.registry.plugins.module_utils._prune.zone import ZonePlanner

from tests.unit.plugins.module_utils.scripted_api import Line, ScriptedApi, answer, refusal, scripted_api

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DEFAULTS = {name: rule.get("default") for name, rule in SPEC.options.items()}
STREAMS = "/apis/image.openshift.io/v1/namespaces/shop/imagestreams"
FORBIDDEN = refusal(403, "no")
NONE = answer(200, {"metadata": {"resourceVersion": "7"}, "items": None})


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def pod(image: str, name: str = "web") -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "shop"}, "spec": {"containers": [{"image": image}]}}


def page(*items: Any, more: str = "") -> Response:
    return answer(200, {"metadata": {"continue": more}, "items": list(items)})


def lists(**answers: Response | list[Response]) -> list[Line]:
    """The lists of all kinds in their order, empty but for those that are given by the kind's name."""
    lines = []
    for kind in KINDS:
        given = answers.get(kind.kind, NONE)
        lines += [(f"GET {kind.collection()}?", one) for one in (given if isinstance(given, list) else [given])]
    return lines


def read(*lines: Line, others: tuple[str, ...] = ()) -> tuple[Usage, list[Unreadable], ScriptedApi]:
    api, script = scripted_api(*lines)
    usage = Usage()
    unreadable = read_kinds(api, usage, ["shop"], others)
    assert script.lines == []
    return usage, unreadable, script


def test_every_page_of_every_kind_is_read() -> None:
    pages: list[Response] = [page(pod(f"x@{digest(1)}", "a"), more="next"), page(pod(f"x@{digest(2)}", "b"))]
    for kind in KINDS[:-1]:
        usage, unreadable, script = read(*lists(**{kind.kind: pages}))
        assert set(usage.digests) == {digest(1), digest(2)}, kind
        assert unreadable == []
        assert sum("continue=next" in line for line in script.requests) == 1


def test_a_list_that_expires_is_begun_anew() -> None:
    gone = refusal(410, "too old")
    first, second = page(pod(f"x@{digest(1)}", "a"), more="next"), page(pod(f"x@{digest(2)}", "b"))
    usage, _unreadable, _script = read(*lists(Pod=[first, gone, first, second]))
    assert set(usage.digests) == {digest(1), digest(2)}


def test_each_kind_is_read_as_widely_as_it_may_be() -> None:
    """Pods of all namespaces may be read, Deployments only in the namespace: that is no reason to refuse."""
    deployments = resources.DEPLOYMENT
    lines = lists(Pod=page(pod(f"x@{digest(1)}")), Deployment=FORBIDDEN)
    lines[2:2] = [(f"GET {deployments.collection('shop')}?", page(pod(f"x@{digest(2)}"))),
                  (f"GET {deployments.collection('other')}?", FORBIDDEN)]  # fmt: skip
    usage, unreadable, _script = read(*lines, others=("other", "shop"))
    assert set(usage.digests) == {digest(1), digest(2)}
    assert unreadable == [Unreadable("Deployment", "other", False)]


@pytest.mark.parametrize("kind", [kind.kind for kind in KINDS])
@pytest.mark.parametrize("status", [403, 404])
def test_a_kind_that_cannot_be_read_is_told(kind: str, status: int) -> None:
    """The API says 404 to what it does not have; Pods are everywhere, so that then this is no such API."""
    optional = status == 404 and kind in ("DeploymentConfig", "BuildConfig", "Build", "ControllerRevision")
    refused = refusal(status, "no")
    lines = lists(**{kind: refused})
    at = [one.kind for one in KINDS].index(kind)
    if not optional:
        lines.insert(at + 1, (f"GET {KINDS[at].collection('shop')}?", refused))
    _usage, unreadable, _script = read(*lines)
    assert unreadable == ([] if optional else [Unreadable(kind, "shop", True)])


def test_projects_with_odd_names_are_left_aside() -> None:
    names: list[Any] = ["shop", "../x", {}, "prod"]
    projects = [{"metadata": {"name": name}} for name in names] + [{"metadata": 5}]
    api, _script = scripted_api(("GET /apis/project.openshift.io/v1/projects", answer(200, {"items": projects})))
    skipped: list[str] = []
    assert visible_namespaces(api, skipped) == ["prod", "shop"]
    assert len(skipped) == 3
    assert "'../x'" in skipped[0]


def stream(name: str = "app", **tags: list[int]) -> dict[str, Any]:
    def item(number: int, at: int) -> dict[str, Any]:
        return {"image": digest(number), "created": f"2026-01-{at + 1:02}T00:00:00Z"}

    named = {tag.replace("_", "."): numbers for tag, numbers in tags.items()}
    status = [
        {"tag": tag, "items": [item(number, at) for number in numbers]}
        for at, (tag, numbers) in enumerate(named.items())
    ]
    metadata = {"name": name, "namespace": "shop", "creationTimestamp": "2026-01-01T00:00:00Z"}
    return {"metadata": metadata, "status": {"tags": status}}


def planned(*lines: Line, **options: Any) -> ZonePrune:
    api, script = scripted_api(*lines)
    zone = ZonePrune("lpg", "shop")
    ZonePlanner(parse_options({**DEFAULTS, **options}), "registry.lpg", api, zone).plan(NOW)
    assert script.lines == []
    assert all(line.startswith("GET ") for line in script.requests)
    return zone


PROJECTS = ("GET /apis/project.openshift.io/v1/projects", FORBIDDEN)
THREE = stream(v1_0=[1], v1_1=[2], v1_2=[3])


def test_children_of_indexes_are_asked_for_once_a_stream() -> None:
    layers = answer(200, {"images": {digest(1): {"manifests": [digest(10)]}}})
    lines = [(f"GET {STREAMS}?", page(THREE, stream("other", v1=[4]))), PROJECTS,
             *lists(Pod=page(pod(f"x@{digest(10)}"))), (f"GET {STREAMS}/app/layers", layers)]  # fmt: skip
    assert [one.tag for one in planned(*lines, keep=1).going] == ["v1.1"]


@pytest.mark.parametrize("refused", [FORBIDDEN, refusal(422, "config cannot be an empty string"), refusal(404, "no")])
def test_tags_stay_where_nobody_can_tell_the_children_of_indexes(refused: Response) -> None:
    lines = [(f"GET {STREAMS}?", page(THREE)), PROJECTS, *lists(Pod=page(pod(f"x@{digest(10)}"))),
             (f"GET {STREAMS}/app/layers", refused)]  # fmt: skip
    zone = planned(*lines, keep=1)
    assert zone.going == []
    assert zone.unreadable == (Unreadable("ImageStreamLayers", "shop", True),)
    assert zone.decisions[0].reason.startswith("nobody can tell which images its indexes have: the API ")
    zone = planned(*lines, keep=1, ignore_unreadable=["imagestreamlayers"])
    assert [one.tag for one in zone.going] == ["v1.0", "v1.1"]


def test_nothing_is_planned_where_a_kind_is_hidden() -> None:
    lines = [(f"GET {STREAMS}?", page(THREE)), PROJECTS, *lists(CronJob=FORBIDDEN)]
    at = next(number for number, line in enumerate(lines) if "cronjobs" in line[0])
    lines.insert(at + 1, (f"GET {resources.CRON_JOB.collection('shop')}?", FORBIDDEN))
    with pytest.raises(ForbiddenError, match=r"CronJob in shop.*only if you know that none of them uses"):
        planned(*lines, keep=1)
    assert len(planned(*lines, keep=1, ignore_unreadable=["CronJob"]).going) == 2


def test_streams_of_the_namespace_are_followed_even_without_a_look_at_workloads() -> None:
    other = stream("web", v2=[9])
    other["spec"] = {"tags": [{"name": "v2", "from": {"kind": "ImageStreamTag", "name": "app:v1.0"}}]}
    zone = planned((f"GET {STREAMS}?", page(THREE, other)), keep=1, protect_in_use=False, name="app")
    assert [one.tag for one in zone.going] == ["v1.1"]
    assert {one.name for one in zone.decisions} == {"app"}


def test_odd_streams_and_tags_are_left_aside_and_told() -> None:
    odd = {**stream("app", v1_0=[1]), "spec": {"tags": 5}}
    lines = [(f"GET {STREAMS}?", page({"metadata": {"name": "../x"}}, odd))]
    zone = planned(*lines, keep=0, protect_in_use=False)
    assert zone.result()["skipped"] == [
        "an ImageStream has the name '../x', which is none",
        "the tags of app are no list",
    ]


def test_empty_repositories_that_nobody_needs_go() -> None:
    young = stream("young")
    young["metadata"]["creationTimestamp"] = "2026-05-31T12:00:00Z"
    streams = [stream("empty"), stream("built"), young, stream("full", v1=[1])]
    build = {"metadata": {"name": "b", "namespace": "shop"},
             "spec": {"output": {"to": {"kind": "ImageStreamTag", "name": "built:1"}}}}  # fmt: skip
    lines = [(f"GET {STREAMS}?", page(*streams)), PROJECTS, *lists(BuildConfig=page(build))]
    zone = planned(*lines, empty_repositories="remove")
    assert {one.name: one.goes for one in zone.repositories} == {"empty": True, "built": False, "young": False}
    assert zone.result()["deleted_repositories"] == [{"name": "empty", "reason": "it has no tags"}]
    assert zone.diff() == ({"empty": []}, {})
    at_once = planned(*lines, empty_repositories="remove", older_than="0s")
    assert [one.name for one in at_once.repositories if one.goes] == ["empty", "young"]
    lines[0] = (f"GET {STREAMS}?", page(*[stream(f"e{number}") for number in range(4)]))
    assert sum(one.goes for one in planned(*lines, empty_repositories="remove", max_delete=3).repositories) == 3
    with pytest.raises(AppuioError, match="one of keep, older_than, revisions and empty_repositories is required"):
        parse_options(DEFAULTS)
