# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry side lets in and refuses as OpenShift's registry does."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from tests.zone import Zone
from tests.zone.client import ACCEPT, Client

DENIED = 'Basic realm=openshift,error="access denied"'
Projects = Callable[..., str]


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_without_credentials_the_challenge_names_the_token_endpoint_and_nothing_else(zone: Zone) -> None:
    reply = Client(zone)("GET", "/v2/")
    assert reply.status == 401
    assert reply.headers["WWW-Authenticate"] == f'Bearer realm="https://{zone.registry}/openshift/token"'
    assert reply.json == {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required", "detail": None}]}


def test_the_realm_follows_the_host_that_was_asked(zone: Zone) -> None:
    reply = Client(zone)("GET", "/v2/", Host="registry.cloudscale-lpg-2.appuio.cloud")
    assert "https://registry.cloudscale-lpg-2.appuio.cloud/openshift/token" in reply.headers["WWW-Authenticate"]


@pytest.mark.parametrize("user", ["serviceaccount", "", "whoever"])
def test_a_token_is_taken_as_bearer_and_as_password_of_anybody(zone: Zone, fresh_project: Projects, user: str) -> None:
    token = zone.token_for(fresh_project(), "robot", "")
    assert Client(zone, token)("GET", "/v2/").status == 200
    assert Client(zone)("GET", "/v2/", Authorization=basic(user, token)).status == 200


@pytest.mark.parametrize(
    ("authorization", "challenge"),
    [
        (basic("x", "wrong"), DENIED),
        (basic("x", ""), 'Basic realm=openshift,error="failed to decode credentials"'),
        ("Bearer wrong", DENIED),
    ],
)
def test_a_wrong_token_gets_a_basic_challenge(zone: Zone, authorization: str, challenge: str) -> None:
    reply = Client(zone)("GET", "/v2/", Authorization=authorization)
    assert (reply.status, reply.headers["WWW-Authenticate"]) == (401, challenge)


def test_no_right_looks_like_no_such_namespace(zone: Zone, fresh_project: Projects) -> None:
    project = fresh_project()
    client = Client(zone, zone.token_for(project, "robot", "registry-viewer"))
    mine = client("POST", f"/v2/{project}/app/blobs/uploads/")
    elsewhere = client("POST", "/v2/nowhere/app/blobs/uploads/")
    assert (mine.status, mine.headers["WWW-Authenticate"]) == (401, DENIED)
    assert (elsewhere.status, elsewhere.headers["WWW-Authenticate"]) == (401, DENIED)
    assert [(entry["Name"], entry["Action"]) for entry in mine.json["errors"][0]["detail"]] == [
        (f"{project}/app", "pull"),
        (f"{project}/app", "push"),
    ]
    assert client("GET", "/v2/").status == 200


@pytest.mark.parametrize(
    ("role", "push", "tag"),
    [
        ("registry-editor", 202, 201),
        ("system:image-builder", 202, 201),
        ("system:image-pusher", 202, 403),
        ("edit", 202, 201),
        ("registry-viewer", 401, 401),
        ("system:image-puller", 401, 401),
    ],
)
def test_roles(zone: Zone, fresh_project: Projects, role: str, push: int, tag: int) -> None:
    project = fresh_project()
    client = Client(zone, zone.token_for(project, "robot", role))
    assert client("POST", f"/v2/{project}/app/blobs/uploads/").status == push
    if push == 202:
        manifest = client.image(f"{project}/app")
        assert client.put_manifest(f"{project}/app", "v1", manifest).status == tag


def test_every_service_account_of_a_namespace_may_pull_in_it(zone: Zone, fresh_project: Projects) -> None:
    project, other = fresh_project(), fresh_project()
    pusher = Client(zone, zone.token_for(project, "pusher"))
    pusher.put_manifest(f"{project}/app", "v1", pusher.image(f"{project}/app"))
    path = f"/v2/{project}/app/manifests/v1"
    assert Client(zone, zone.token_for(project, "idle", ""))("GET", path, Accept=ACCEPT).status == 200
    assert Client(zone, zone.token_for(other, "idle", ""))("GET", path, Accept=ACCEPT).status == 401


def test_a_binding_acts_at_once_both_ways(zone: Zone, fresh_project: Projects) -> None:
    project = fresh_project()
    client = Client(zone, zone.token_for(project, "robot", ""))
    path = f"/v2/{project}/app/blobs/uploads/"
    subject = {"kind": "ServiceAccount", "name": "robot", "namespace": project}
    assert client("POST", path).status == 401
    zone.bind(project, "registry-editor", subject)
    assert client("POST", path).status == 202
    zone.unbind(project, "registry-editor", "robot")
    assert client("POST", path).status == 401


def test_a_revoked_token_works_on_for_as_long_as_configured(zone: Zone, fresh_project: Projects) -> None:
    project = fresh_project()
    token = zone.token_for(project, "robot")
    account = zone.object("ServiceAccount", "robot", project)
    assert account is not None
    zone.configure(revocation_delay=3600)
    api = Client(zone, zone.admin_token, "api")
    assert api("DELETE", f"/api/v1/namespaces/{project}/serviceaccounts/robot").status == 200
    assert Client(zone, token)("GET", "/v2/").status == 200
    zone.revoke_token(token)
    assert Client(zone, token)("GET", "/v2/").status == 401


def test_the_token_endpoint_echoes_and_has_its_ways(zone: Zone, fresh_project: Projects) -> None:
    token = zone.token_for(fresh_project(), "robot", "")
    client = Client(zone)
    path = "/openshift/token"
    good = client("GET", f"{path}?scope=repository:a/b:pull", Authorization=basic("x", token))
    assert good.json == {"access_token": token, "token": token}
    assert client("GET", path).json == {"access_token": "anonymous", "token": "anonymous"}
    wrong = client("GET", path, Authorization=basic("x", "wrong"))
    assert (wrong.status, wrong.body, wrong.headers["WWW-Authenticate"]) == (401, b"", None)
    assert client("GET", path, Authorization=f"Bearer {token}").status == 401
    assert client("POST", path, b"grant_type=password").status == 405
    assert client("HEAD", path).status == 405
    shape = client("GET", f"{path}?scope=repository:app:pull", Authorization=basic("x", token))
    assert (shape.status, shape.json) == (
        401,
        {"details": 'repository name "app" invalid: it must be of the format <project>/<name>'},
    )


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/v2/app/tags/list", 400, b""),
        ("/v2/a/b/c/tags/list", 400, b""),
        ("/v2/a/B/tags/list", 404, b"404 page not found\n"),
        ("/v2/a/b/manifests/" + "x" * 129, 404, b"404 page not found\n"),
        ("/v2/a/b/referrers/sha256:" + "0" * 64, 404, b"404 page not found\n"),
    ],
)
def test_names_that_are_none(zone: Zone, path: str, status: int, body: bytes) -> None:
    reply = Client(zone, zone.admin_token)("GET", path)
    assert (reply.status, reply.body) == (status, body)


def test_while_the_api_is_down_credentials_get_an_empty_400(zone: Zone) -> None:
    zone.stop("api")
    reply = Client(zone, zone.admin_token)("GET", "/v2/")
    assert (reply.status, reply.body) == (400, b"")
    assert Client(zone)("GET", "/v2/").status == 401
    zone.start("api")
    assert Client(zone, zone.admin_token)("GET", "/v2/").status == 200


def test_only_pruners_delete_and_the_catalog_is_not_for_everybody(zone: Zone, fresh_project: Projects) -> None:
    project = fresh_project()
    client = Client(zone, zone.token_for(project, "robot", "admin"))
    client.put_manifest(f"{project}/app", "v1", client.image(f"{project}/app"))
    assert client("DELETE", f"/v2/{project}/app/manifests/v1").status == 401
    assert client("GET", "/v2/_catalog").status == 401
    admin = Client(zone, zone.admin_token)
    assert admin("DELETE", f"/v2/{project}/app/manifests/v1").status == 202
    assert zone.tags(project, "app")
    digest = zone.tags(project, "app")["v1"]
    assert admin("DELETE", f"/v2/{project}/app/manifests/{digest}").code == "UNSUPPORTED"
    assert f"{project}/app" in admin("GET", "/v2/_catalog").json["repositories"]
