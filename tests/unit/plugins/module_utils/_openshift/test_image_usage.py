# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way in which a workload names an image."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._openshift.image_usage import Usage

A = "sha256:" + "a" * 64
PUBLIC = "registry.lpg.example"
INTERNAL = "image-registry.openshift-image-registry.svc:5000"


def pod(image: str) -> dict[str, Any]:
    return {"containers": [{"name": "one", "image": image}]}


def workload(spec: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": "web", "namespace": "shop", **metadata}, "spec": spec}


TRIGGERS = json.dumps([{"from": {"kind": "ImageStreamTag", "name": "app:1.0", "namespace": "shop"}, "fieldPath": "x"}])


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        ("Pod", workload(pod(f"{PUBLIC}/shop/app:1.0"))),
        ("Pod", workload(pod(f"{INTERNAL}/shop/app:1.0"))),
        ("Pod", workload(pod("image-registry.openshift-image-registry.svc.cluster.local:5000/shop/app:1.0"))),
        ("Pod", workload(pod("app:1.0"))),
        ("Pod", workload({"initContainers": [{"image": f"{PUBLIC}/shop/app:1.0"}]})),
        ("Pod", workload({"ephemeralContainers": [{"image": f"{PUBLIC}/shop/app:1.0"}]})),
        ("Pod", workload({"volumes": [{"name": "data", "image": {"reference": f"{PUBLIC}/shop/app:1.0"}}]})),
        ("ReplicaSet", workload({"replicas": 0, "template": {"spec": pod(f"{PUBLIC}/shop/app:1.0")}})),
        ("Job", {**workload({"template": {"spec": pod(f"{PUBLIC}/shop/app:1.0")}}), "status": {"succeeded": 1}}),
        ("ControllerRevision", {**workload({}), "data": {"spec": {"template": {"spec": pod("app:1.0")}}}}),
        ("Deployment", workload({"template": {"spec": pod(f"{PUBLIC}/shop/app:1.0")}})),
        ("CronJob", workload({"jobTemplate": {"spec": {"template": {"spec": pod(f"{PUBLIC}/shop/app:1.0")}}}})),
        ("Deployment", workload({}, annotations={"image.openshift.io/triggers": TRIGGERS})),
        ("DeploymentConfig", workload({"triggers": [{"imageChangeParams": {"from": {"kind": "ImageStreamTag",
                                                                                    "name": "app:1.0"}}}]})),
        ("BuildConfig", workload({"strategy": {"sourceStrategy": {"from": {"kind": "ImageStreamTag", "name": "app:1.0",
                                                                           "namespace": "shop"}}}})),
        ("BuildConfig", workload({"output": {"to": {"kind": "ImageStreamTag", "name": "app:1.0"}}})),
        ("BuildConfig", workload({"strategy": {"dockerStrategy": {"from": {"kind": "DockerImage",
                                                                           "name": f"{INTERNAL}/shop/app:1.0"}}}})),
    ],
)  # fmt: skip
def test_a_tag_in_use(kind: str, document: dict[str, Any]) -> None:
    usage = Usage(frozenset({PUBLIC}))
    usage.learn(document, kind)
    assert usage.tags == {("shop", "app", "1.0"): f"{kind} shop/web"}
    assert usage.digests == {}


@pytest.mark.parametrize(
    "document",
    [
        workload(pod(f"{PUBLIC}/shop/app@{A}")),
        workload(pod(f"elsewhere.example/shop/app:1.0@{A}")),
        {**workload({}), "status": {"containerStatuses": [{"imageID": f"docker-pullable://x/shop/app@{A}"}]}},
        workload({"triggers": [{"imageChangeParams": {"lastTriggeredImage": f"{INTERNAL}/shop/app@{A}"}}]}),
        workload({"source": {"images": [{"from": {"kind": "ImageStreamImage", "name": f"app@{A}"}}]}}),
    ],
)
def test_a_digest_in_use(document: dict[str, Any]) -> None:
    usage = Usage(frozenset({PUBLIC}))
    usage.learn(document, "Pod")
    assert usage.digests == {A: "Pod shop/web"}
    assert usage.tags == {}


@pytest.mark.parametrize(
    "document",
    [
        {},
        workload(pod("docker.io/library/nginx:1")),
        workload(pod("quay.io/shop/app:1.0")),
        workload(pod("")),
        workload({}, annotations={"image.openshift.io/triggers": "not JSON"}),
        workload({}, annotations={"image.openshift.io/triggers": "[1]"}),
    ],
)
def test_images_of_elsewhere_and_nonsense(document: dict[str, Any]) -> None:
    usage = Usage(frozenset({PUBLIC}))
    usage.learn(document, "Pod")
    assert [tag for tag in usage.tags if tag[1] == "app"] == []
    assert usage.digests == {}
