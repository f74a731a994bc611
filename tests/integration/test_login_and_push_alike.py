# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind of credential works with every module that asks a zone, each combination tried."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.image import make_layout
from tests.integration.api import ask
from tests.integration.login import where
from tests.integration.playbook import PlaybookResult, play, run_playbook
from tests.zone import LocalZones, Zone

PASSWORD = "a-password-to-look-for"
PROJECT = "shop"
Kinds = dict[str, tuple[dict[str, Any], dict[str, str]]]


@pytest.fixture(scope="module")
def zone() -> Iterator[Zone]:
    with LocalZones(1, separate_authorities=True) as zones:
        yield zones[0]


@pytest.fixture
def kinds(zone: Zone, tmp_path: Path) -> Kinds:
    """The options and variables of each kind of credential."""
    token = zone.token_for(PROJECT, "image-pusher")
    jane = zone.create_user("jane", PASSWORD, {PROJECT: "admin"})
    context = {"name": "it", "context": {"cluster": "it", "user": "me"}}
    document = {
        "current-context": "it",
        "contexts": [context],
        "clusters": [{"name": "it", "cluster": {"server": zone.host, "certificate-authority": zone.ca_file}}],
        "users": [{"name": "me", "user": {"token": jane}}],
    }
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(document))
    stored = tmp_path / "stored.json"
    auth = base64.b64encode(f"serviceaccount:{token}".encode()).decode()
    stored.write_text(json.dumps({"auths": {zone.registry: {"auth": auth}}}))
    account = {"service_account": "image-pusher"}
    password = {"username": "jane", "password": PASSWORD}
    return {
        "token": ({"token": token}, {}),
        "password": (password, {}),
        "kubeconfig": ({"kubeconfig": str(kubeconfig)}, {}),
        "account-by-token": ({**account, "token": jane}, {}),
        "account-by-password": ({**account, **password}, {}),
        "account-by-kubeconfig": ({**account, "kubeconfig": str(kubeconfig)}, {}),
        "auth-file": ({"auth_file": str(stored)}, {}),
        "our-variable": ({}, {"APPUIO_TOKEN": token}),
        "token-variable": ({}, {"K8S_AUTH_API_KEY": token, "K8S_AUTH_HOST": zone.host}),
        "password-variables": ({}, {"K8S_AUTH_USERNAME": "jane", "K8S_AUTH_PASSWORD": PASSWORD}),
        "kubeconfig-variable": ({}, {"K8S_AUTH_KUBECONFIG": str(kubeconfig)}),
        "auth-file-variable": ({}, {"REGISTRY_AUTH_FILE": str(stored)}),
        "account-by-variable": (account, {"K8S_AUTH_API_KEY": jane}),
    }


def run(action: str, kinds: Kinds, folder: Path, shared: dict[str, Any], **own: str) -> PlaybookResult:
    """Run one task for each kind, named after it; ``own`` are options that tell the kinds apart."""
    tasks = [
        {
            "name": kind,
            action: {**shared, **{name: value.format(kind=kind) for name, value in own.items()}, **options},
            "environment": environment,
        }
        for kind, (options, environment) in kinds.items()
    ]
    return run_playbook([play(tasks)], folder).succeeded()


def oauth_tokens(zone: Zone) -> int:
    _status, found = ask(zone, zone.admin_token, "GET", "/apis/oauth.openshift.io/v1/oauthaccesstokens")
    return len(found["items"])


@pytest.mark.thorough
def test_the_login_takes_each(zone: Zone, kinds: Kinds, tmp_path: Path) -> None:
    # What is stored already is no credential for a login: it is where it goes.
    taken = {kind: said for kind, said in kinds.items() if not kind.startswith("auth-file")}
    shared = {**where(zone), "namespace": PROJECT, "access": ["push"]}
    auth_file = f"{tmp_path}/{{kind}}.json"
    ended = run("appuio.registry.appuio_registry_login", taken, tmp_path / "run", shared, auth_file=auth_file)
    assert ended.changed == list(taken)
    assert {task.result["username"] for task in ended.tasks} == {"serviceaccount", "jane"}


@pytest.mark.thorough
def test_the_push_takes_each_and_leaves_no_token_behind(zone: Zone, kinds: Kinds, tmp_path: Path) -> None:
    digest = make_layout(tmp_path / "layout")
    shared = {**where(zone), "namespace": PROJECT, "name": "app", "source": f"oci:{tmp_path / 'layout'}"}
    before = oauth_tokens(zone)
    ended = run("appuio.registry.appuio_image_push", kinds, tmp_path / "run", shared, tags="{kind}")
    assert ended.changed == list(kinds)
    assert zone.tags(PROJECT, "app") == dict.fromkeys(kinds, digest)
    assert oauth_tokens(zone) == before, "a token that only this task needed is revoked"
