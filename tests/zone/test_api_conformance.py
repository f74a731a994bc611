# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API side answers as a Kubernetes API server with OpenShift's resources does."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.zone import Zone
from tests.zone.client import Client, Reply, digest_of, eventually, refusal

Projects = Callable[..., str]
RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces"
IMAGE = "/apis/image.openshift.io/v1/namespaces"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"


@pytest.fixture
def project(fresh_project: Projects) -> str:
    return fresh_project("api")


@pytest.fixture
def admin(zone: Zone) -> Client:
    return Client(zone, zone.admin_token, "api")


@pytest.fixture
def anna(zone: Zone, project: str) -> Client:
    return Client(zone, zone.create_user(f"anna-{project}", projects={project: "admin"}), "api")


def account(name: str, **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, **metadata}}


def token_secret(name: str, owner: str) -> dict[str, Any]:
    annotations = {"kubernetes.io/service-account.name": owner}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "annotations": annotations},
        "type": "kubernetes.io/service-account-token",
    }


def binding(name: str, role: str, subject: str, project: str) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": subject, "namespace": project}],
    }


def test_who_is_let_in(zone: Zone, admin: Client) -> None:
    assert refusal(Client(zone, "wrong", "api")("GET", "/api/v1/namespaces")) == (401, "Unauthorized", "Unauthorized")
    anonymous = Client(zone, None, "api")
    assert anonymous("GET", "/version").status == 200
    assert "system:anonymous" in refusal(anonymous("GET", "/apis"))[2]
    assert admin("GET", "/apis").json["kind"] == "APIGroupList"


def test_missing_rights_are_told_as_rbac_tells_them(anna: Client) -> None:
    name = anna("GET", "/apis/user.openshift.io/v1/users/~").json["metadata"]["name"]
    why = f'User "{name}" cannot get resource "secrets" in API group "" in the namespace "elsewhere"'
    refused = refusal(anna("GET", "/api/v1/namespaces/elsewhere/secrets/x"))
    assert refused == (403, "Forbidden", f'secrets "x" is forbidden: {why}')
    assert "at the cluster scope" in refusal(anna("GET", "/apis/image.openshift.io/v1/images"))[2]


def test_an_object_s_life(anna: Client, project: str) -> None:
    base = f"/api/v1/namespaces/{project}/serviceaccounts"
    made = anna("POST", base, account("robot", labels={"a": "b"}))
    assert made.status == 201
    assert made.json["metadata"]["uid"]
    assert refusal(anna("POST", base, account("robot")))[:2] == (409, "AlreadyExists")
    same = anna("PATCH", f"{base}/robot", json.dumps(account("robot")), Content_Type=STRATEGIC)
    assert same.json["metadata"]["resourceVersion"] == made.json["metadata"]["resourceVersion"]
    changed = anna("PATCH", f"{base}/robot", json.dumps({"metadata": {"labels": {"a": None}}}), Content_Type=MERGE)
    assert "labels" not in changed.json["metadata"] or not changed.json["metadata"]["labels"]
    stale = {**made.json, "automountServiceAccountToken": False}
    assert refusal(anna("PUT", f"{base}/robot", stale))[:2] == (409, "Conflict")
    assert [
        item["metadata"]["name"] for item in anna("GET", f"{base}?fieldSelector=metadata.name=robot").json["items"]
    ] == ["robot"]
    assert anna("DELETE", f"{base}/robot").json["status"] == "Success"
    assert refusal(anna("GET", f"{base}/robot")) == (404, "NotFound", 'serviceaccounts "robot" not found')


def test_a_dry_run_stores_nothing_and_is_no_write(zone: Zone, anna: Client, project: str) -> None:
    base = f"/api/v1/namespaces/{project}/serviceaccounts"
    zone.clear_requests()
    assert anna("POST", f"{base}?dryRun=All", account("ghost")).status == 201
    assert anna("GET", f"{base}/ghost").status == 404
    assert anna("DELETE", f"{base}/default?dryRun=All").status == 200
    assert anna("GET", f"{base}/default").status == 200
    label = b'{"metadata": {"labels": {"a": "b"}}}'
    seen = anna("PATCH", f"{base}/default?dryRun=All", label, Content_Type=MERGE).json
    assert seen["metadata"]["labels"] == {"a": "b"}
    assert "labels" not in anna("GET", f"{base}/default").json["metadata"]
    assert zone.writes() == []
    anna("POST", base, account("real"))
    assert [record["method"] for record in zone.writes()] == ["POST"]


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}}, "application/json", 400),
        ({"apiVersion": "v2", "kind": "ServiceAccount", "metadata": {"name": "x"}}, "application/json", 400),
        ({"kind": "ServiceAccount", "metadata": {"name": "x"}}, "application/json", 400),
        (account("x", namespace="other"), "application/json", 400),
        (account("Upper_Case"), "application/json", 422),
        ({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {}}, "application/json", 422),
        (account("x", labels={"a": 1}), "application/json", 400),
        (account("x", resourceVersion="1"), "application/json", 400),
        (account("x"), "text/plain", 415),
    ],
)
def test_bodies_that_are_refused(
    anna: Client, project: str, body: dict[str, Any], content_type: str, status: int
) -> None:
    reply = anna("POST", f"/api/v1/namespaces/{project}/serviceaccounts", body, Content_Type=content_type)
    assert refusal(reply)[0] == status


def test_unknown_fields_warn_or_are_refused(anna: Client, project: str) -> None:
    base = f"/api/v1/namespaces/{project}/serviceaccounts"
    body = {**account("odd"), "colour": "blue"}
    assert "strict decoding error" in refusal(anna("POST", f"{base}?fieldValidation=Strict", body))[2]
    made = anna("POST", base, body)
    assert 'unknown field \\"colour\\"' in made.headers["Warning"]
    assert "colour" not in made.json


@pytest.mark.parametrize("path", ["/apis/nothing.io/v1/things", "/api/v1/namespaces/x/things", "/apis/apps/v2"])
def test_unknown_kinds_are_not_found(admin: Client, path: str) -> None:
    assert refusal(admin("GET", path))[:2] == (404, "NotFound")


def test_custom_kinds_take_no_strategic_merge_patch(admin: Client) -> None:
    zone = {"apiVersion": "appuio.io/v1", "kind": "Zone", "metadata": {"name": "z1"}, "data": {"displayName": "Z"}}
    admin("POST", "/apis/appuio.io/v1/zones", zone)
    path = "/apis/appuio.io/v1/zones/z1"
    assert refusal(admin("PATCH", path, b"{}", Content_Type=STRATEGIC))[:2] == (415, "UnsupportedMediaType")
    assert admin("PATCH", path, b'{"data": {"displayName": "Y"}}', Content_Type=MERGE).json["data"] == {
        "displayName": "Y"
    }


def test_a_namespace_must_be_there(admin: Client) -> None:
    reply = admin("POST", "/api/v1/namespaces/nowhere/serviceaccounts", account("x"))
    assert refusal(reply) == (404, "NotFound", 'namespaces "nowhere" not found')


def test_token_secrets_are_filled_a_moment_later(zone: Zone, anna: Client, project: str) -> None:
    base = f"/api/v1/namespaces/{project}"
    anna("POST", f"{base}/serviceaccounts", account("robot"))
    made = anna("POST", f"{base}/secrets", token_secret("robot-secret", "robot"))
    assert "data" not in made.json
    data = eventually(lambda: anna("GET", f"{base}/secrets/robot-secret").json.get("data"))
    token = base64.b64decode(data["token"]).decode()
    me = Client(zone, token, "api")("GET", "/apis/user.openshift.io/v1/users/~").json
    assert me["metadata"]["name"] == f"system:serviceaccount:{project}:robot"
    anna("DELETE", f"{base}/secrets/robot-secret")
    assert eventually(lambda: Client(zone, token)("GET", "/v2/").status == 401)


def test_a_token_secret_without_its_account_vanishes(anna: Client, project: str) -> None:
    base = f"/api/v1/namespaces/{project}/secrets"
    assert anna("POST", base, token_secret("ghost", "nobody")).status == 201
    assert eventually(lambda: anna("GET", f"{base}/ghost").status == 404)
    bare = token_secret("bare", "x")
    del bare["metadata"]["annotations"]
    assert refusal(anna("POST", base, bare)) == (
        422,
        "Invalid",
        'Secret "bare" is invalid: metadata.annotations[kubernetes.io/service-account.name]: Required value',
    )


def test_token_requests(zone: Zone, anna: Client, project: str) -> None:
    base = f"/api/v1/namespaces/{project}/serviceaccounts"
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}}
    token = anna("POST", f"{base}/builder/token", request).json["status"]["token"]
    assert Client(zone, token)("GET", "/v2/").status == 200
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["exp"] - claims["iat"] == 600
    short = {**request, "spec": {"expirationSeconds": 60}}
    assert "may not specify a duration less than 10 minutes" in refusal(anna("POST", f"{base}/builder/token", short))[2]
    assert refusal(anna("POST", f"{base}/nobody/token", request))[0] == 404
    other = {**request, "spec": {"audiences": ["elsewhere"]}}
    foreign = anna("POST", f"{base}/builder/token", other).json["status"]["token"]
    assert Client(zone, foreign)("GET", "/v2/").status == 401
    editor = Client(zone, zone.token_for(project, "editor"), "api")
    assert (
        'cannot create resource "serviceaccounts/token"' in refusal(editor("POST", f"{base}/builder/token", request))[2]
    )
    zone.expire_token(token)
    assert Client(zone, token)("GET", "/v2/").status == 401


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("registry-editor", 201),
        ("registry-viewer", 201),
        ("system:image-builder", 201),
        ("system:image-pusher", 201),
        ("system:image-puller", 201),
        ("cluster-admin", 403),
        ("nonsense", 404),
    ],
)
def test_what_an_admin_of_a_namespace_may_bind(anna: Client, project: str, role: str, status: int) -> None:
    reply = anna("POST", f"{RBAC}/{project}/rolebindings", binding("b", role, "default", project))
    assert reply.status == status, reply.body


def test_role_bindings_are_checked(zone: Zone, anna: Client, project: str) -> None:
    base = f"{RBAC}/{project}/rolebindings"
    anna("POST", base, binding("b", "registry-viewer", "default", project))
    other = json.dumps({"roleRef": {"name": "registry-editor"}})
    assert "cannot change roleRef" in refusal(anna("PATCH", f"{base}/b", other, Content_Type=MERGE))[2]
    nowhere = binding("c", "registry-viewer", "default", project)
    del nowhere["subjects"][0]["namespace"]
    assert "subjects[0].namespace: Required value" in refusal(anna("POST", base, nowhere))[2]
    editor = binding("d", "registry-viewer", "default", project)
    robot = Client(zone, zone.token_for(project, "robot"), "api")
    assert refusal(robot("POST", base, editor))[0] == 403


@pytest.mark.parametrize(
    ("role", "verb", "resource", "subresource", "allowed"),
    [
        ("registry-editor", "update", "imagestreams", "layers", True),
        ("registry-editor", "create", "imagestreams", "", True),
        ("registry-editor", "delete", "imagestreamtags", "", True),
        ("registry-viewer", "update", "imagestreams", "layers", False),
        ("registry-viewer", "get", "imagestreams", "layers", True),
        ("system:image-builder", "delete", "imagestreamtags", "", False),
        ("system:image-builder", "create", "imagestreams", "", True),
        ("system:image-pusher", "create", "imagestreams", "", False),
    ],
)
def test_access_reviews(
    zone: Zone, project: str, role: str, verb: str, resource: str, subresource: str, allowed: bool
) -> None:
    client = Client(zone, zone.token_for(project, role.replace(":", "-"), role), "api")
    attributes = {
        "namespace": project,
        "verb": verb,
        "group": "image.openshift.io",
        "resource": resource,
        "subresource": subresource,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    zone.clear_requests()
    reply = client("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
    assert (reply.status, reply.json["status"]["allowed"]) == (201, allowed)
    assert zone.writes() == []


def test_a_rule_may_be_for_single_names(zone: Zone, anna: Client, project: str) -> None:
    rules = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"], "resourceNames": ["mine"]}]
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "r"}, "rules": rules}
    anna("POST", f"{RBAC}/{project}/roles", role)
    bound = binding("b", "r", "robot", project)
    bound["roleRef"]["kind"] = "Role"
    assert anna("POST", f"{RBAC}/{project}/rolebindings", bound).status == 201
    robot = Client(zone, zone.token_for(project, "robot", ""), "api")
    assert robot("GET", f"/api/v1/namespaces/{project}/secrets/mine").status == 404
    assert robot("GET", f"/api/v1/namespaces/{project}/secrets/other").status == 403
    assert robot("GET", f"/api/v1/namespaces/{project}/secrets").status == 403


def test_server_side_apply_keeps_what_others_manage(anna: Client, project: str) -> None:
    path = f"/api/v1/namespaces/{project}/configmaps/c"

    def apply(manager: str, data: dict[str, str], force: str = "false") -> Reply:
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data}
        return anna("PATCH", f"{path}?fieldManager={manager}&force={force}", json.dumps(body), Content_Type=APPLY)

    assert apply("one", {"a": "1", "b": "1"}).status == 201
    again = apply("one", {"a": "1", "b": "1"})
    assert again.status == 200
    assert apply("two", {"c": "2"}).json["data"] == {"a": "1", "b": "1", "c": "2"}
    assert refusal(apply("two", {"a": "2", "c": "2"}))[:2] == (409, "Conflict")
    assert apply("two", {"a": "2", "c": "2"}, force="true").json["data"]["a"] == "2"
    assert apply("one", {"b": "1"}).json["data"] == {"a": "2", "b": "1", "c": "2"}
    assert apply("one", {}).json["data"] == {"a": "2", "c": "2"}


def test_tagging_and_rolling_back_through_the_api(zone: Zone, project: str) -> None:
    token = zone.token_for(project, "pusher")
    push, client = Client(zone, token), Client(zone, token, "api")
    repository = f"{project}/app"
    old, new = push.image(repository, "old"), push.image(repository, "new")
    push.put_manifest(repository, "prod", old)
    push.put_manifest(repository, "prod", new)
    tag = {
        "apiVersion": "image.openshift.io/v1",
        "kind": "ImageStreamTag",
        "metadata": {"name": "app:prod"},
        "tag": {"from": {"kind": "ImageStreamImage", "name": f"app@{digest_of(old)}"}},
    }
    path = f"{IMAGE}/{project}/imagestreamtags"
    assert client("PUT", f"{path}/app:prod", tag).status == 200
    assert zone.tags(project, "app") == {"prod": digest_of(old)}
    stream = zone.image_stream(project, "app")
    assert stream is not None
    assert stream["metadata"]["generation"] == 2
    assert stream["spec"]["tags"][0]["importPolicy"] == {"importMode": "Legacy"}
    push.put_manifest(repository, "prod", new)
    assert zone.tags(project, "app") == {"prod": digest_of(new)}
    stable = {
        **tag,
        "metadata": {"name": "app:stable"},
        "tag": {"from": {"kind": "ImageStreamTag", "name": "app:prod"}},
    }
    assert client("POST", path, stable).status == 201
    assert zone.tags(project, "app") == {"prod": digest_of(new), "stable": digest_of(new)}
    shown = client("GET", f"{path}/app:stable").json
    assert shown["image"]["metadata"]["name"] == digest_of(new)
    assert client("GET", f"{IMAGE}/{project}/imagestreamimages/app@{digest_of(old)}").json["image"]["dockerImageLayers"]
    layers = client("GET", f"{IMAGE}/{project}/imagestreams/app/layers").json
    assert set(layers["images"]) == {digest_of(old), digest_of(new)}
    assert refusal(client("GET", "/apis/image.openshift.io/v1/images"))[0] == 403


def test_projects_are_seen_by_their_members(zone: Zone, anna: Client, project: str) -> None:
    names = [item["metadata"]["name"] for item in anna("GET", "/apis/project.openshift.io/v1/projects").json["items"]]
    assert names == [project]
    assert anna("GET", f"/apis/project.openshift.io/v1/projects/{project}").json["kind"] == "Project"
    request = {
        "apiVersion": "project.openshift.io/v1",
        "kind": "ProjectRequest",
        "metadata": {"name": f"{project}-new"},
    }
    assert anna("POST", "/apis/project.openshift.io/v1/projectrequests", request).status == 201
    assert anna("POST", f"/api/v1/namespaces/{project}-new/serviceaccounts", account("mine")).status == 201
    assert anna("DELETE", f"/apis/project.openshift.io/v1/projects/{project}-new").status == 200
    assert zone.object("ServiceAccount", "mine", f"{project}-new") is None


def test_the_password_flow_and_its_revocation(zone: Zone, project: str) -> None:
    zone.create_user(f"otto-{project}", password="s3cret:x", projects={project: "edit"})
    anonymous = Client(zone, None, "api")
    meta = anonymous("GET", "/.well-known/oauth-authorization-server").json
    assert meta["issuer"] == zone.host
    path = "/oauth/authorize?client_id=openshift-challenging-client&response_type=token"
    basic = base64.b64encode(f"otto-{project}:s3cret:x".encode()).decode()
    assert anonymous("GET", path, X_CSRF_Token="1").headers["WWW-Authenticate"] == 'Basic realm="openshift"'
    wrong = base64.b64encode(f"otto-{project}:guess".encode()).decode()
    assert anonymous("GET", path, Authorization=f"Basic {wrong}", X_CSRF_Token="1").status == 401
    reply = anonymous("GET", path, Authorization=f"Basic {basic}", X_CSRF_Token="1")
    fragment = reply.headers["Location"].partition("#")[2]
    token = next(part for part in fragment.split("&") if part.startswith("access_token="))[13:].replace("%7E", "~")
    assert (reply.status, token[:7]) == (302, "sha256~")
    mine = Client(zone, token, "api")
    own = mine("GET", "/apis/oauth.openshift.io/v1/useroauthaccesstokens").json["items"]
    assert len(own) == 2
    from tests.zone.api.authentication import oauth_token_name

    gone = mine("DELETE", f"/apis/oauth.openshift.io/v1/useroauthaccesstokens/{oauth_token_name(token)}")
    assert gone.status == 200
    assert mine("GET", "/apis/user.openshift.io/v1/users/~").status == 401
    zone.configure(password_flow=False)
    refused = anonymous("GET", path, Authorization=f"Basic {basic}", X_CSRF_Token="1")
    assert (refused.status, refused.headers["WWW-Authenticate"]) == (401, None)


def test_quota_is_counted_and_kept(zone: Zone, anna: Client, project: str) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "q", "namespace": project},
        "spec": {"hard": {"openshift.io/imagestreams": "1"}},
    }
    zone.put_object(quota)
    stream = {"apiVersion": "image.openshift.io/v1", "kind": "ImageStream", "metadata": {"name": "one"}}
    path = f"{IMAGE}/{project}/imagestreams"
    assert anna("POST", path, stream).status == 201
    second = refusal(anna("POST", path, {**stream, "metadata": {"name": "two"}}))
    assert "exceeded quota: q, requested: openshift.io/imagestreams=1, used:" in second[2]
    shown = anna("GET", f"/api/v1/namespaces/{project}/resourcequotas/q").json
    assert shown["status"]["used"] == {"openshift.io/imagestreams": "1"}


def test_watches_tell_what_happens(zone: Zone, anna: Client, project: str) -> None:
    path = f"/api/v1/namespaces/{project}/configmaps"
    version = anna("GET", path).json["metadata"]["resourceVersion"]
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "seen"}}
    anna("POST", path, body)
    zone.create_project(f"{project}-other")
    anna("DELETE", f"{path}/seen")
    stream = anna("GET", f"{path}?watch=true&resourceVersion={version}&timeoutSeconds=1").body
    events = [json.loads(line) for line in stream.splitlines()]
    assert [(event["type"], event["object"]["metadata"]["name"]) for event in events] == [
        ("ADDED", "seen"),
        ("DELETED", "seen"),
    ]
