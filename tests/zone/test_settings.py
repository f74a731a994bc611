# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What clusters differ in, or take their time for: pull Secrets, Terminating namespaces, lists, tokens, stores."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.zone import Distribution, LocalZones, Zone
from tests.zone.client import GUARD, Client, digest_of, eventually, refusal

Projects = Callable[..., str]


@pytest.fixture
def project(fresh_project: Projects) -> str:
    return fresh_project("settings")


@pytest.fixture
def admin(zone: Zone) -> Client:
    return Client(zone, zone.admin_token, "api")


def config_map(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {}}


def pull_secret(zone: Zone, project: str, account: str) -> str:
    """Return the name of the account's pull Secret when it is linked everywhere."""
    found = zone.object("ServiceAccount", account, project) or {}
    annotations = (found.get("metadata") or {}).get("annotations") or {}
    name: str = annotations.get("openshift.io/internal-registry-pull-secret-ref", "")
    linked = [{"name": name}]
    return name if name and found.get("secrets") == found.get("imagePullSecrets") == linked else ""


def test_a_service_account_gets_a_secret_to_pull_with(zone: Zone, project: str, admin: Client) -> None:
    for account in ("builder", "default", "deployer"):
        assert pull_secret(zone, project, account).startswith(f"{account}-dockercfg-")
    accounts = f"/api/v1/namespaces/{project}/serviceaccounts"
    admin("POST", accounts, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot"}})
    name = eventually(lambda: pull_secret(zone, project, "robot"))
    secret = zone.object("Secret", name, project)
    assert secret is not None
    assert secret["type"] == "kubernetes.io/dockercfg"
    annotations = secret["metadata"]["annotations"]
    assert annotations["openshift.io/internal-registry-auth-token.service-account"] == "robot"
    held = json.loads(base64.b64decode(secret["data"][".dockercfg"]))
    assert set(held) == {zone.registry, "image-registry.openshift-image-registry.svc:5000"}
    user, _colon, token = base64.b64decode(held[zone.registry]["auth"]).decode().partition(":")
    assert user == "<token>"
    assert Client(zone, token)("GET", "/v2/").status == 200
    # It is made again when it is deleted, with its token dead, and goes with the account.
    admin("DELETE", f"/api/v1/namespaces/{project}/secrets/{name}")
    assert Client(zone, token)("GET", "/v2/").status == 401
    another = eventually(lambda: (found := pull_secret(zone, project, "robot")) != name and found)
    admin("DELETE", f"{accounts}/robot")
    assert zone.object("Secret", another, project) is None


def test_links_that_others_made_stay(zone: Zone, project: str, admin: Client) -> None:
    path = f"/api/v1/namespaces/{project}/serviceaccounts"
    links = [{"name": "foreign"}]
    body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot"}, "imagePullSecrets": links}
    admin("POST", path, body)

    def linked() -> list[str]:
        found = zone.object("ServiceAccount", "robot", project) or {}
        return [entry["name"] for entry in found.get("imagePullSecrets") or []]

    eventually(lambda: len(linked()) == 2)
    assert linked()[0] == "foreign"
    # Whoever replaces the list without it has it back a moment later.
    admin("PATCH", f"{path}/robot", {"imagePullSecrets": links}, Content_Type="application/merge-patch+json")
    eventually(lambda: len(linked()) == 2)


def test_a_deleted_namespace_is_terminating_for_a_while(zone: Zone, project: str, admin: Client) -> None:
    zone.configure(terminating_seconds=3600)
    anna = Client(zone, zone.create_user(f"anna-{project}", projects={project: "admin"}), "api")
    maps = f"/api/v1/namespaces/{project}/configmaps"
    assert anna("POST", maps, config_map("one")).status == 201
    deleted = anna("DELETE", f"/apis/project.openshift.io/v1/projects/{project}")
    assert deleted.json["status"] == {"phase": "Terminating"}
    shown = anna("GET", f"/api/v1/namespaces/{project}")
    assert (shown.status, shown.json["status"]["phase"]) == (200, "Terminating")
    assert anna("GET", maps).json["items"] == []
    refused = anna("POST", maps, config_map("two"))
    assert refusal(refused)[:2] == (403, "Forbidden")
    assert refused.json["details"]["causes"][0]["reason"] == "NamespaceTerminating"
    assert refusal(admin("DELETE", f"/api/v1/namespaces/{project}"))[:2] == (409, "Conflict")
    again = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": project}}
    assert refusal(admin("POST", "/api/v1/namespaces", again))[:2] == (409, "AlreadyExists")
    push = Client(zone, zone.admin_token)
    manifest = push.image(f"{project}/app")
    assert push.put_manifest(f"{project}/app", "one", manifest).code == "DENIED"


def test_a_deleted_namespace_is_gone_in_the_end(zone: Zone, project: str, admin: Client) -> None:
    zone.configure(terminating_seconds=0.1)
    deleted = admin("DELETE", f"/api/v1/namespaces/{project}")
    assert deleted.json["status"] == {"phase": "Terminating"}
    eventually(lambda: zone.object("Namespace", project) is None)
    again = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": project}}
    assert admin("POST", "/api/v1/namespaces", again).status == 201


def test_the_next_page_of_a_list_expires(zone: Zone, project: str, admin: Client) -> None:
    path = f"/api/v1/namespaces/{project}/configmaps"
    for number in range(5):
        admin("POST", path, config_map(f"map-{number}"))
    first = admin("GET", f"{path}?limit=2").json
    token = first["metadata"]["continue"]
    names = [item["metadata"]["name"] for item in first["items"]]
    assert len(admin("GET", f"{path}?limit=2&continue={token}").json["items"]) == 2
    zone.configure(continue_seconds=0)
    expired = admin("GET", f"{path}?limit=2&continue={token}")
    assert refusal(expired)[:2] == (410, "Expired")
    # The answer has a token that goes on, if inconsistently; what follows it expires again.
    rest = admin("GET", f"{path}?limit=10&continue={expired.json['metadata']['continue']}").json
    names += [item["metadata"]["name"] for item in rest["items"]]
    assert sorted(names) == ["kube-root-ca.crt", *(f"map-{number}" for number in range(5))]
    assert refusal(admin("GET", f"{path}?limit=2&continue=garbage"))[:2] == (400, "BadRequest")


@pytest.mark.parametrize(
    ("seconds", "status", "words"),
    [
        (600, 201, ""),
        (2**32, 201, ""),
        (0, 422, "may not specify a duration less than 10 minutes"),
        (599, 422, "may not specify a duration less than 10 minutes"),
        (-(2**63), 422, "may not specify a duration less than 10 minutes"),
        (2**32 + 1, 422, "may not specify a duration larger than 2^32 seconds"),
        (2**63 - 1, 422, "may not specify a duration larger than 2^32 seconds"),
        (2**63, 400, "cannot unmarshal number 9223372036854775808"),
        (3600.5, 400, "cannot unmarshal number 3600.5"),
        ("3600", 400, "cannot unmarshal string"),
        (True, 400, "cannot unmarshal bool"),
    ],
)
def test_bounds_of_a_token_request(project: str, admin: Client, seconds: Any, status: int, words: str) -> None:
    path = f"/api/v1/namespaces/{project}/serviceaccounts/default/token"
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": seconds}}
    answer = admin("POST", path, body)
    assert answer.status == status
    assert words in answer.json.get("message", "")


def test_tokens_of_users_may_live_longer_than_those_of_service_accounts(zone: Zone, project: str) -> None:
    zone.configure(user_revocation_delay=3600)
    robot, user = zone.token_for(project, "robot"), zone.create_user(f"ada-{project}", projects={project: "admin"})
    ada = Client(zone, user, "api")
    (item,) = ada("GET", "/apis/oauth.openshift.io/v1/useroauthaccesstokens").json["items"]
    assert ada("DELETE", f"/apis/oauth.openshift.io/v1/useroauthaccesstokens/{item['metadata']['name']}").status == 200
    assert ada("DELETE", f"/api/v1/namespaces/{project}/serviceaccounts/robot").status == 200
    assert (Client(zone, user)("GET", "/v2/").status, Client(zone, robot)("GET", "/v2/").status) == (200, 401)


def test_objects_of_odd_names_are_listed(zone: Zone, project: str, admin: Client) -> None:
    stream = {"apiVersion": "image.openshift.io/v1", "kind": "ImageStream"}
    for name in ("../../kube-system/imagestreams/x", "a b", "UPPER"):
        zone.put_object({**stream, "metadata": {"name": name, "namespace": project}, "spec": {}})
    items = admin("GET", f"/apis/image.openshift.io/v1/namespaces/{project}/imagestreams").json["items"]
    assert {item["metadata"]["name"] for item in items} == {"../../kube-system/imagestreams/x", "a b", "UPPER"}


def test_pods_with_image_volumes(zone: Zone, project: str, admin: Client) -> None:
    volume = {"name": "models", "image": {"reference": f"{zone.registry}/{project}/models:1", "pullPolicy": "Always"}}
    spec = {"containers": [{"name": "app", "image": "app:1"}], "volumes": [volume]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "app"}, "spec": spec}
    path = f"/api/v1/namespaces/{project}/pods"
    assert admin("POST", f"{path}?fieldValidation=Strict", pod).status == 201
    assert admin("GET", f"{path}/app").json["spec"]["volumes"] == [volume]


def fetch(location: str, ca_file: str | None, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of a plain GET."""
    split = urlsplit(location)
    if split.scheme == "https":
        context = ssl.create_default_context(cafile=ca_file)
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            split.netloc, context=context, timeout=GUARD
        )
    else:
        connection = http.client.HTTPConnection(split.netloc, timeout=GUARD)
    try:
        connection.request("GET", f"{split.path}?{split.query}", headers=headers)
        reply = connection.getresponse()
        return reply.status, dict(reply.headers), reply.read()
    finally:
        connection.close()


def test_a_zone_redirects_to_its_store(zone: Zone, project: str) -> None:
    client = Client(zone, zone.token_for(project, "pusher"))
    content = bytes(range(256)) * 4000
    digest = client.put_blob(f"{project}/app", content)
    zone.configure(redirect_blobs=True)
    path = f"/v2/{project}/app/blobs/{digest}"
    head, reply = client("HEAD", path), client("GET", path)
    assert (head.status, reply.status) == (307, 307)
    location = reply.headers["Location"]
    assert urlsplit(location).netloc != zone.registry
    assert fetch(location, zone.ca_file)[::2] == (200, content)
    status, headers, part = fetch(location, zone.ca_file, Range="bytes=1000-1999")
    assert (status, headers["Content-Range"]) == (206, f"bytes 1000-1999/{len(content)}")
    assert part == content[1000:2000]
    assert fetch(location, zone.ca_file, Range=f"bytes={len(content) - 10}-")[2] == content[-10:]
    assert fetch(location, zone.ca_file, Range=f"bytes={len(content)}-")[0] == 416
    assert fetch(location, zone.ca_file, Authorization=f"Bearer {client.token}")[0] == 400
    assert fetch(location.partition("?")[0], zone.ca_file)[0] == 403
    assert client("GET", f"/v2/{project}/app/blobs/{digest_of(b'other')}").code == "BLOB_UNKNOWN"
    zone.faults.add("status", side="store", status=503)
    assert fetch(location, zone.ca_file)[0] == 503
    assert client("GET", path).status == 307


@pytest.mark.parametrize("tls", [True, False])
def test_a_source_redirects_to_its_store(tmp_path: Path, tls: bool) -> None:
    with Distribution(tmp_path, tls=tls, redirect_blobs=True) as source:
        scheme = "https" if tls else "http"
        content, base = b"layer" * 1000, f"{scheme}://{source.registry}"
        digest = digest_of(content)
        context = ssl.create_default_context(cafile=source.ca_file) if tls else None
        connection = (
            http.client.HTTPSConnection(source.registry, context=context, timeout=GUARD)
            if tls
            else http.client.HTTPConnection(source.registry, timeout=GUARD)
        )
        connection.request("POST", "/v2/app/blobs/uploads/")
        started = connection.getresponse()
        started.read()
        upload = urlsplit(started.headers["Location"])
        connection.request("PUT", f"{upload.path}?{upload.query}&digest={digest}", content)
        assert connection.getresponse().status == 201
        connection.close()
        status, headers, _body = fetch(f"{base}/v2/app/blobs/{digest}?", source.ca_file)
        assert status == 307
        assert urlsplit(headers["Location"]).hostname != "127.0.0.1"
        assert fetch(headers["Location"], source.ca_file)[::2] == (200, content)
        assert fetch(f"{base}/v2/app/blobs/{digest_of(b'other')}?", source.ca_file)[0] == 404
        source.faults.add("truncate_response", side="store", after_bytes=100, count=1)
        with pytest.raises(http.client.IncompleteRead):
            fetch(headers["Location"], source.ca_file)
        assert {record["side"] for record in source.requests()} == {"registry", "store"}


def test_the_route_gives_up_on_an_answer_and_what_was_asked_is_done(zone: Zone, project: str) -> None:
    client = Client(zone, zone.token_for(project, "pusher"))
    manifest = client.image(f"{project}/app")
    zone.configure(answer_seconds=0)  # which every answer takes
    late = client.put_manifest(f"{project}/app", "one", manifest)
    assert (late.status, late.headers.get_content_type(), late.headers["Connection"]) == (504, "text/html", "close")
    assert b"504 Gateway Time-out" in late.body
    assert zone.tags(project, "app") == {"one": digest_of(manifest)}
    zone.configure(answer_seconds=3600)
    assert client("HEAD", f"/v2/{project}/app/blobs/{manifest['config']['digest']}").status == 200
    number = zone.faults.add("delay", side="registry", method="PUT", seconds=3601, count=1)  # not waited for
    assert client.put_manifest(f"{project}/app", "two", manifest).status == 504
    assert zone.faults.hits(number) == 1
    assert set(zone.tags(project, "app")) == {"one", "two"}
    assert Client(zone, zone.admin_token, "api")("GET", "/api").status == 200


@pytest.mark.parametrize(("seconds", "kept"), [(0, False), (3600, True), (None, True)])
def test_the_route_closes_an_idle_connection_without_a_word(zone: Zone, seconds: float | None, kept: bool) -> None:
    zone.configure(idle_seconds=seconds)
    tls = ssl.create_default_context(cafile=zone.registry_ca_file)
    connection = http.client.HTTPSConnection(zone.registry, context=tls, timeout=GUARD)
    connection.request("GET", "/healthz")
    first = connection.getresponse()
    assert (first.status, first.read(), first.headers["Connection"]) == (200, b"", None)
    try:
        connection.request("GET", "/healthz")
        again = connection.getresponse().status == 200
    except (http.client.HTTPException, OSError):
        again = False
    connection.close()
    assert again is kept


def test_tokens_that_are_there_at_once(zone: Zone, project: str, admin: Client) -> None:
    zone.configure(token_delay=0)
    zone.token_for(project, "robot")
    secrets = f"/api/v1/namespaces/{project}/secrets"
    metadata = {"name": "robot-token", "annotations": {"kubernetes.io/service-account.name": "robot"}}
    secret = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token", "metadata": metadata}
    assert "data" not in admin("POST", secrets, secret).json
    assert "token" in admin("GET", f"{secrets}/robot-token").json["data"]


def test_a_watch_that_the_api_ends(zone: Zone, project: str, admin: Client) -> None:
    zone.configure(watch_seconds=0)
    path = f"/api/v1/namespaces/{project}/configmaps"
    since = admin("GET", path).json["metadata"]["resourceVersion"]
    admin("POST", path, config_map("one"))
    lines = admin("GET", f"{path}?watch=true&resourceVersion={since}&timeoutSeconds=3600").body.splitlines()
    assert [json.loads(line)["type"] for line in lines] == ["ADDED"]


def test_settings_that_are_none(zone: Zone, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="none of"):
        zone.configure(revocation_delays=1)
    with pytest.raises(ValueError, match="tag_quota is one of"):
        zone.configure(tag_quota="half")
    with pytest.raises(TypeError):
        LocalZones(1, directory=tmp_path, revocation_delays=1)


def test_settings_go_back(zone: Zone, project: str) -> None:
    zone.configure(tag_quota="ignored", missing_blob_delay=3)
    zone.reset_settings()
    with LocalZones(1, tag_quota="enforced") as others:
        others[0].configure(tag_quota="counted")
        others[0].reset_settings()
        others[0].create_project("shop")
        client = Client(others[0], others[0].token_for("shop", "pusher"))
        metadata, hard = {"name": "q", "namespace": "shop"}, {"openshift.io/imagestreamtags": "0"}
        others[0].put_object(
            {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": hard}}
        )
        assert client.put_manifest("shop/app", "one", client.image("shop/app")).code == "DENIED"
