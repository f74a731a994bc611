# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""appuio_registry_login as everybody one can be: each kind of credential against a real zone."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.api import ask, registry_status
from tests.integration.login import Logins, stored, where
from tests.zone import LocalZones, Zone

PASSWORD = "a-password-to-look-for"
PROJECT = "shop"


@pytest.fixture(scope="module")
def zone() -> Iterator[Zone]:
    with LocalZones(1, separate_authorities=True) as zones:
        yield zones[0]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "auth.json"


@pytest.fixture
def logins(zone: Zone, tmp_path: Path, path: Path) -> Logins:
    zone.clear_requests()
    return Logins(tmp_path / "run", {**where(zone), "auth_file": str(path), "namespace": PROJECT})


def works(zone: Zone, path: Path) -> bool:
    found = stored(path, zone.registry)
    return found is not None and registry_status(zone, found[1], "GET", "/v2/") == 200


def oauth_tokens(zone: Zone) -> int:
    _status, found = ask(zone, zone.admin_token, "GET", "/apis/oauth.openshift.io/v1/oauthaccesstokens")
    return len(found["items"])


def account_secret(zone: Zone, account: str) -> str:
    """Make a token Secret of a service account, and return its token once the controller has filled it."""
    zone.token_for(PROJECT, account)
    base = f"/api/v1/namespaces/{PROJECT}/secrets"
    metadata = {"name": f"{account}-secret", "annotations": {"kubernetes.io/service-account.name": account}}
    body = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token", "metadata": metadata}
    status, answer = ask(zone, zone.admin_token, "POST", base, body)
    assert status == 201, answer
    while True:
        _status, found = ask(zone, zone.admin_token, "GET", f"{base}/{account}-secret")
        if found.get("data"):
            return base64.b64decode(found["data"]["token"]).decode()
        time.sleep(0.05)


def kubeconfig(zone: Zone, path: Path, user: dict[str, Any], server: str = "") -> str:
    authority = base64.b64encode(Path(zone.ca_file).read_bytes()).decode()
    cluster = {"server": server or zone.host, "certificate-authority-data": authority}
    document = {
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "me"}}],
        "clusters": [{"name": "it", "cluster": cluster}],
        "users": [{"name": "me", "user": user}],
    }
    path.write_text(yaml.safe_dump(document))
    return str(path)


@pytest.mark.thorough
def test_tokens_and_the_environment(zone: Zone, logins: Logins, path: Path) -> None:
    tokens = [zone.token_for(PROJECT, name) for name in ("one", "two", "three")]
    logins.add("option", token=tokens[0], env={"APPUIO_TOKEN": tokens[1]})
    logins.add("ours", env={"APPUIO_TOKEN": tokens[1], "K8S_AUTH_API_KEY": tokens[2]})
    logins.add("kubernetes.core's", env={"K8S_AUTH_API_KEY": tokens[2], "K8S_AUTH_HOST": zone.host})
    logins.add("again", env={"K8S_AUTH_API_KEY": tokens[2], "K8S_AUTH_HOST": zone.host})
    logins.add("of another", env={"K8S_AUTH_API_KEY": tokens[0], "K8S_AUTH_HOST": "https://api.other.example:6443"})
    logins.add("none")
    logins.add("soon over", token=zone.bound_token_for(PROJECT, "one", 590), auth_file=f"{path}-2")
    ended = logins.run()
    assert ended.changed == ["option", "ours", "kubernetes.core's", "soon over"]
    assert "in less than min_validity" in " ".join(ended.stdout.split())
    assert ended.result("soon over")["expires_at"]
    assert "Credentials of one cluster are not sent to another" in ended.result("of another")["msg"]
    assert "no credential is given" in ended.result("none")["msg"]
    assert stored(path, zone.registry) == ("serviceaccount", tokens[2])


@pytest.mark.thorough
def test_a_password_gives_a_token_that_is_kept(zone: Zone, logins: Logins, path: Path) -> None:
    zone.create_user("jane@example.com", PASSWORD, {PROJECT: "edit"})
    before = oauth_tokens(zone)
    who = {"username": "jane@example.com", "password": PASSWORD, "access": ["pull", "push"]}
    logins.add("check", check=True, **who)
    logins.add("new", **who)
    logins.add("again", **who)
    logins.add("again check", check=True, **who)
    logins.add("soon over", min_validity=100000, **who)
    logins.add("wrong", username="someone.else", password="wrong-password")
    ended = logins.run()
    assert ended.changed == ["check", "new", "soon over"]
    assert ended.result("new")["username"] == "jane@example.com"
    assert ended.result("new")["access"] == ["pull", "push"]
    assert ended.result("again")["expires_at"]
    assert "refuses the password of user someone.else" in ended.result("wrong")["msg"]
    assert f"zone {zone.name}" in ended.result("wrong")["msg"]
    assert oauth_tokens(zone) == before + 2, "check mode makes no token, and neither does a second run"
    assert works(zone, path)
    assert (stored(path, zone.registry) or ("", ""))[1].startswith("sha256~")
    assert PASSWORD not in path.read_text()


@pytest.mark.thorough
def test_logging_out_ends_a_users_token_if_asked(zone: Zone, logins: Logins, path: Path) -> None:
    zone.create_user("joe", PASSWORD, {PROJECT: "edit"})
    who = {"username": "joe", "password": PASSWORD}
    logins.add("in", **who)
    logins.look("between", path)
    logins.run()
    token = (stored(path, zone.registry) or ("", ""))[1]
    logins.tasks.clear()
    logins.add("check", check=True, state="absent", revoke=True)
    logins.add("out", state="absent", revoke=True)
    logins.add("again", state="absent", revoke=True)
    assert registry_status(zone, token, "GET", "/v2/") == 200
    assert logins.run().changed == ["check", "out"]
    assert registry_status(zone, token, "GET", "/v2/") == 401


@pytest.mark.thorough
def test_logging_out_says_that_a_service_accounts_token_was_not_revoked(zone: Zone, logins: Logins, path: Path) -> None:
    token = zone.token_for(PROJECT, "lasting")
    logins.add("in", token=token)
    logins.add("check", check=True, state="absent", revoke=True)
    logins.add("out", state="absent", revoke=True)
    logins.add("again", state="absent", revoke=True)
    ended = logins.run()
    assert ended.changed == ["in", "check", "out"]
    for task in ("check", "out"):
        assert "the token of the service account lasting was not revoked" in ended.result(task)["msg"]
        assert "is revoked" not in ended.result(task)["msg"]
    assert stored(path, zone.registry) is None
    assert registry_status(zone, token, "GET", "/v2/") == 200


@pytest.mark.thorough
def test_a_zone_that_takes_no_passwords(zone: Zone, logins: Logins) -> None:
    zone.configure(password_flow=False)
    try:
        logins.add("single sign-on", username="jane", password=PASSWORD)
        ended = logins.run()
    finally:
        zone.configure(password_flow=True)
    assert "takes no passwords" in ended.result("single sign-on")["msg"]
    assert "/oauth/token/display" in ended.result("single sign-on")["msg"]


@pytest.mark.thorough
def test_a_page_in_a_browser(zone: Zone, logins: Logins) -> None:
    zone.create_user("old", PASSWORD, {})
    location = [("Location", "https://oauth.example/login?then=x")]
    fault = zone.faults.add("status", side="api", path="/oauth/authorize", status=302, headers=location)
    logins.add("expired", username="old", password=PASSWORD)
    ended = logins.run()
    zone.faults.remove(fault)
    assert "to a page in a browser" in ended.result("expired")["msg"]


@pytest.mark.thorough
def test_kubeconfigs(zone: Zone, logins: Logins, tmp_path: Path, path: Path) -> None:
    token = zone.create_user("kate", PASSWORD, {PROJECT: "edit"})
    good = kubeconfig(zone, tmp_path / "good", {"token": token})
    certificate = kubeconfig(
        zone, tmp_path / "certificate", {"client-certificate-data": "eA==", "client-key-data": "eA=="}
    )
    other = kubeconfig(zone, tmp_path / "other", {"token": token}, "https://api.other.example:6443")
    logins.add("token", kubeconfig=good, username="kate")
    logins.add("by variable", username=None, env={"K8S_AUTH_KUBECONFIG": good})
    logins.add("by default", context="it", env={"KUBECONFIG": good})
    logins.add("certificate", kubeconfig=certificate)
    logins.add("other cluster", kubeconfig=other)
    ended = logins.run()
    assert ended.changed == ["token"]
    assert "gives no token that a registry takes" in ended.result("certificate")["msg"]
    assert "logged in to https://api.other.example:6443" in ended.result("other cluster")["msg"]
    assert stored(path, zone.registry) == ("kate", token)


@pytest.mark.thorough
def test_service_accounts(zone: Zone, logins: Logins, tmp_path: Path, path: Path) -> None:
    admin = zone.create_user("ada", PASSWORD, {PROJECT: "admin"})
    pusher = zone.token_for(PROJECT, "poor")
    expected = account_secret(zone, "image-pusher")
    account = {"service_account": "image-pusher", "access": ["push"]}
    before = oauth_tokens(zone)
    logins.add("check", check=True, token=admin, **account)
    logins.add("by token", token=admin, **account)
    # The authority of the API comes from the kubeconfig alone.
    config = kubeconfig(zone, tmp_path / "config", {"token": admin})
    logins.add("by kubeconfig", kubeconfig=config, ca_cert=None, **account)
    logins.add("by password", username="ada", password=PASSWORD, **account)
    logins.add("missing", token=admin, service_account="nobody")
    logins.add("not allowed", token=pusher, service_account="image-pusher", namespace="other")
    ended = logins.run()
    assert ended.changed == ["check", "by token"]
    assert stored(path, zone.registry) == ("serviceaccount", expected)
    assert ended.result("by token")["username"] == "serviceaccount"
    assert "there is no service account nobody in the namespace shop" in ended.result("missing")["msg"]
    assert "may not be read in the namespace other" in ended.result("not allowed")["msg"]
    assert oauth_tokens(zone) == before, "a token that only this task needed is revoked"


@pytest.mark.thorough
def test_bound_tokens_are_renewed_when_little_is_left(zone: Zone, logins: Logins, path: Path) -> None:
    admin = zone.create_user("ann", PASSWORD, {PROJECT: "admin"})
    zone.token_for(PROJECT, "bound-pusher")
    for secret in ask(zone, admin, "GET", f"/api/v1/namespaces/{PROJECT}/secrets")[1]["items"]:
        annotations = secret["metadata"].get("annotations") or {}
        if annotations.get("kubernetes.io/service-account.name") == "bound-pusher":
            ask(zone, admin, "DELETE", f"/api/v1/namespaces/{PROJECT}/secrets/{secret['metadata']['name']}")
    account = {"service_account": "bound-pusher", "token": admin}
    zone.clear_requests()
    logins.add("check", check=True, **account)
    logins.run()
    assert zone.writes() == [], "check mode makes no token"
    logins.tasks.clear()
    logins.add("new", **account)
    logins.add("again", **account)
    logins.add("again by password", username="ann", password=PASSWORD, service_account="bound-pusher")
    logins.add("soon over", **account, min_validity=80000)
    logins.add("too soon over", **account, min_validity=86500)
    ended = logins.run()
    assert ended.changed == ["new", "too soon over"]
    assert ended.result("new")["expires_at"] is not None
    assert ended.result("again")["expires_at"] == ended.result("new")["expires_at"]
    assert works(zone, path)


@pytest.mark.thorough
def test_without_verification_nobody_is_asked(zone: Zone, logins: Logins, path: Path) -> None:
    logins.add("stored", token="never-tried", verify=False)
    logins.add("again", token="never-tried", verify=False)
    assert logins.run().changed == ["stored"]
    assert zone.requests() == []
    assert stored(path, zone.registry) == ("serviceaccount", "never-tried")


@pytest.mark.thorough
def test_a_pull_secret(zone: Zone, logins: Logins) -> None:
    token = zone.token_for(PROJECT, "puller")
    logins.add("asked for", token=token, dockerconfigjson=True)
    logins.add("not asked for", token=token)
    ended = logins.run()
    found = json.loads(base64.b64decode(ended.result("asked for")["dockerconfigjson"]))
    auth = base64.b64encode(f"serviceaccount:{token}".encode()).decode()
    assert found == {"auths": {zone.registry: {"auth": auth}}}
    assert "dockerconfigjson" not in ended.result("not asked for")
