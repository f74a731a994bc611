# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role image_pusher: new, again, changed, removed; in check mode and for real; with what others have made."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.api import ask, may_push
from tests.integration.role import Role
from tests.zone import LocalZones, Zone

ACCOUNT = ("ServiceAccount", "image-pusher")
SECRET = ("Secret", "image-pusher-secret")
BINDING = ("RoleBinding", "image-pusher")
PROJECT = "shop"
PASSWORD = "a-password-to-look-for"


@pytest.fixture(scope="module")
def zone() -> Iterator[Zone]:
    with LocalZones(1) as zones:
        yield zones[0]


@pytest.fixture
def project(zone: Zone, request: pytest.FixtureRequest) -> str:
    """A project of its own for each test, whose admin is ada."""
    return "p" + hashlib.sha256(request.node.name.encode()).hexdigest()[:8]


@pytest.fixture
def role(zone: Zone, project: str, tmp_path: Path) -> Role:
    token = zone.create_user("ada", PASSWORD, {project: "admin"})
    options = {"zone": zone.name, "host": zone.host, "ca_cert": zone.ca_file, "namespace": project, "api_key": token}
    return Role("image_pusher", zone, tmp_path, options, fact="image_pusher_token")


def there(zone: Zone, project: str) -> list[str]:
    return [kind for kind, name in (ACCOUNT, SECRET, BINDING) if zone.object(kind, name, project)]


def make(zone: Zone, project: str, kind: str, path: str, **content: Any) -> None:
    """Make an object as somebody else would, with no label of ours."""
    status, answer = ask(zone, zone.admin_token, "POST", path.format(project), {"kind": kind, **content})
    assert status == 201, answer


def make_account_and_secret(zone: Zone, project: str) -> None:
    make(zone, project, "ServiceAccount", "/api/v1/namespaces/{}/serviceaccounts", apiVersion="v1",
         metadata={"name": "image-pusher"})  # fmt: skip
    make(
        zone,
        project,
        "Secret",
        "/api/v1/namespaces/{}/secrets",
        apiVersion="v1",
        type="kubernetes.io/service-account-token",
        metadata={
            "name": "image-pusher-secret",
            "annotations": {"kubernetes.io/service-account.name": "image-pusher"},
        },
    )


def make_binding(zone: Zone, project: str, name: str, role: str, *subjects: dict[str, str]) -> None:
    make(
        zone,
        project,
        "RoleBinding",
        "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings",
        apiVersion="rbac.authorization.k8s.io/v1",
        metadata={"name": name},
        roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        subjects=list(subjects),
    )


@pytest.mark.thorough
def test_new_again_changed_removed(zone: Zone, project: str, role: Role) -> None:
    """The matrix: each state in check mode and for real, first and again."""
    check = role.run(check=True)
    assert (check.changed, check.writes, there(zone, project), check.fact) == (1, [], [], "")
    new = role.run()
    assert (new.changed, len(new.writes)) == (1, 3)
    assert there(zone, project) == ["ServiceAccount", "Secret", "RoleBinding"]
    token = new.token
    assert may_push(zone, token, project)
    again = role.run()
    assert (again.changed, again.writes, again.fact) == (0, [], token)
    check_again = role.run(check=True)
    assert (check_again.changed, check_again.writes, check_again.fact) == (0, [], token)

    less: dict[str, Any] = {"role": "system:image-builder"}
    secrets = f"/api/v1/namespaces/{project}/secrets"
    assert ask(zone, token, "GET", secrets)[0] == 200
    check = role.run(check=True, **less)
    assert (check.changed, check.writes) == (1, [])
    changed = role.run(**less)
    assert (changed.changed, changed.fact) == (2, token)
    assert may_push(zone, token, project)
    assert ask(zone, token, "GET", secrets)[0] == 403
    again = role.run(**less)
    assert (again.changed, again.writes) == (0, [])

    gone: dict[str, Any] = {"state": "absent"}
    check = role.run(check=True, **gone)
    assert (check.changed, check.writes) == (1, [])
    assert may_push(zone, token, project)
    removed = role.run(**gone)
    assert (removed.changed, removed.fact, there(zone, project)) == (1, "", [])
    assert [write.rpartition("/")[0].rpartition("/")[2] for write in removed.writes] == [
        "rolebindings",
        "secrets",
        "serviceaccounts",
    ]
    assert not may_push(zone, token, project)
    again = role.run(**gone)
    assert (again.changed, again.writes) == (0, [])


@pytest.mark.thorough
def test_heals_what_was_deleted(zone: Zone, project: str, role: Role) -> None:
    role.run()
    ask(zone, zone.admin_token, "DELETE", f"/api/v1/namespaces/{project}/secrets/image-pusher-secret")
    second = role.run()
    assert second.changed == 1
    assert may_push(zone, second.token, project)
    ask(zone, zone.admin_token, "DELETE", f"/api/v1/namespaces/{project}/serviceaccounts/image-pusher")
    third = role.run()
    assert third.changed == 1
    assert may_push(zone, third.token, project)
    assert not may_push(zone, second.token, project)


@pytest.mark.thorough
def test_the_token_in_a_file(role: Role, tmp_path: Path) -> None:
    file = tmp_path / "token"
    assert role.run(check=True, token_file=str(file)).changed == 1
    assert not file.exists()
    made = role.run(token_file=str(file), verbosity=4)
    assert (made.changed, file.read_text(), file.stat().st_mode & 0o777) == (2, made.token, 0o600)
    assert made.token not in made.played.stdout
    assert role.run(token_file=str(file)).changed == 0
    role.run(state="absent", token_file=str(file))
    assert not file.exists()


def test_a_rotation_lets_the_old_token_live_for_a_while(zone: Zone, project: str, role: Role) -> None:
    first = role.run().token
    check = role.run(check=True, rotate=True)
    assert (check.changed, check.writes, check.fact) == (1, [], "")
    rotated = role.run(rotate=True)
    assert rotated.changed == 1
    second = rotated.token
    assert second != first
    assert may_push(zone, first, project)
    assert may_push(zone, second, project)
    again = role.run()
    assert (again.changed, again.fact) == (0, second)
    assert may_push(zone, first, project)
    after = role.run(grace=0)
    assert (after.changed, after.fact) == (1, second)
    assert not may_push(zone, first, project)
    assert may_push(zone, second, project)
    assert role.run(state="absent").changed == 1
    assert not may_push(zone, second, project)


def test_a_bound_token(zone: Zone, project: str, role: Role, tmp_path: Path) -> None:
    secret = role.run().token
    file = tmp_path / "token"
    options: dict[str, Any] = {"token_kind": "bound", "token_file": str(file), "expiration": 1200}
    check = role.run(check=True, **options)
    assert (check.changed, check.writes, check.fact) == (1, [], "")
    bound = role.run(verbosity=4, **options)
    assert bound.changed == 2
    assert may_push(zone, bound.token, project)
    assert bound.token not in bound.played.stdout
    assert not may_push(zone, secret, project)
    again = role.run(**options)
    assert (again.changed, again.writes, again.fact) == (0, [], bound.token)
    rotated = role.run(rotate=True, **options)
    assert rotated.changed == 1
    assert rotated.token not in ("", bound.token)
    short = role.run(token_kind="bound", expiration=60)
    assert "cannot get a bound token for image-pusher" in short.said
    assert "may not specify a duration less than 10 minutes" in short.said
    refused = role.run(token_kind="bound", api_key=None, ca_cert=None, kubeconfig=zone.kubeconfig)
    assert "not with a kubeconfig" in refused.said


def test_what_others_made_is_used_and_stays(zone: Zone, project: str, role: Role) -> None:
    """The state that the documentation of APPUiO Cloud makes by hand with oc."""
    make_account_and_secret(zone, project)
    subject = {"kind": "ServiceAccount", "name": "image-pusher", "namespace": project}
    make_binding(zone, project, "registry-editor", "registry-editor", subject)
    present = role.run()
    assert (present.changed, present.writes) == (0, [])
    assert may_push(zone, present.token, project)
    assert zone.object(*BINDING, project) is None
    absent = role.run(state="absent")
    assert (absent.changed, absent.writes) == (0, [])
    assert "was not made by this role" in absent.said


@pytest.mark.thorough
def test_adopts_when_told_to(zone: Zone, project: str, role: Role) -> None:
    make_account_and_secret(zone, project)
    adopted = role.run(verbosity=4, adopt=True)
    assert adopted.changed == 1
    for kind, name in (ACCOUNT, SECRET):
        found = zone.object(kind, name, project)
        assert found is not None
        assert found["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "appuio.registry"}
    assert adopted.token not in adopted.played.stdout
    assert role.run(adopt=True).changed == 0
    assert role.run(state="absent").changed == 1
    assert there(zone, project) == []


@pytest.mark.thorough
def test_foreign_subjects_of_a_binding_survive(zone: Zone, project: str, role: Role) -> None:
    ada = {"kind": "User", "name": "ada", "apiGroup": "rbac.authorization.k8s.io"}
    make_binding(zone, project, "image-pusher", "registry-editor", ada)
    token = role.run().token
    assert may_push(zone, token, project)
    role.run(state="absent")
    binding = zone.object(*BINDING, project)
    assert binding is not None
    assert binding["subjects"] == [ada]


def test_refuses_a_binding_to_another_role_and_a_secret_of_something_else(zone: Zone, project: str, role: Role) -> None:
    make_binding(zone, project, "image-pusher", "view")
    refused = role.run()
    assert refused.failed
    assert f"zone {zone.name}, namespace {project}: the RoleBinding image-pusher is there" in refused.said
    assert "grants view instead of registry-editor" in refused.said
    assert refused.writes == []
    opaque: dict[str, Any] = {"apiVersion": "v1", "type": "Opaque", "metadata": {"name": "image-pusher-secret"}}
    make(zone, project, "Secret", "/api/v1/namespaces/{}/secrets", **opaque)
    refused = role.run(role_binding="other")
    assert "is no token of the service account image-pusher" in refused.said
    assert refused.writes == []


@pytest.mark.thorough
def test_image_streams_for_a_pusher_that_may_not_make_them(zone: Zone, project: str, role: Role) -> None:
    options: dict[str, Any] = {"role": "system:image-pusher", "image_streams": ["app"]}
    made = role.run(**options)
    assert made.changed == 1
    assert zone.image_stream(project, "app") is not None
    streams = f"/apis/image.openshift.io/v1/namespaces/{project}/imagestreams"
    token = made.token
    assert ask(zone, token, "POST", streams, {"metadata": {"name": "other"}})[0] == 403
    assert may_push(zone, token, project)
    assert role.run(**options).changed == 0
    role.run(state="absent", **options)
    assert zone.image_stream(project, "app") is not None


def test_nothing_secret_is_printed(zone: Zone, project: str, role: Role) -> None:
    made = role.run(verbosity=4)
    again = role.run(verbosity=4)
    for output in (made.played.stdout, again.played.stdout):
        assert made.token not in output
        assert role.variables["api_key"] not in output


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ({"api_key": "wrong"}, "Unauthorized. The credential is unknown, expired or revoked"),
        (
            {"namespace": "nowhere"},
            "cannot read the role bindings: rolebindings.rbac.authorization.k8s.io is forbidden",
        ),
        ({"host": "https://127.0.0.1:1"}, "the API cannot be reached: connection refused"),
        ({"ca_cert": None}, "the certificate of the API is not trusted. Give its authority as ca_cert"),
        ({"api_key": None}, "no credential is given for https://"),
        ({"zone": "Not A Zone", "host": None}, "'Not A Zone' is not a zone identifier"),
        ({"username": "ada", "password": PASSWORD}, "token and username and password are given"),
    ],
)
def test_says_which_zone_and_why(role: Role, project: str, trouble: dict[str, Any], said: str) -> None:
    failed = role.run(**trouble)
    assert failed.failed
    place = f"zone {trouble.get('zone', role.zone.name)}, namespace {trouble.get('namespace', project)}"
    assert place in failed.said
    assert said in failed.said
    assert failed.writes == []


def test_user_and_password_leave_no_token_behind(zone: Zone, role: Role) -> None:
    made = role.run(api_key=None, username="ada", password=PASSWORD, verbosity=4)
    assert made.changed == 1
    assert PASSWORD not in made.played.stdout
    assert any(write.startswith("DELETE /apis/oauth.openshift.io/") for write in made.writes)


def test_a_kubeconfig_is_used_for_its_own_cluster_only(zone: Zone, role: Role, tmp_path: Path) -> None:
    options: dict[str, Any] = {"api_key": None, "ca_cert": None, "kubeconfig": zone.kubeconfig}
    assert role.run(check=True, **options).changed == 1
    refused = role.run(host="https://127.0.0.1:1", **options)
    assert f"the kubeconfig is logged in to {zone.host}, not to https://127.0.0.1:1" in refused.said
    assert zone.requests() == []


def test_the_environment_is_used_for_its_own_cluster_only(zone: Zone, role: Role) -> None:
    token = role.variables["api_key"]
    assert role.run(check=True, api_key=None, env={"APPUIO_TOKEN": token}).changed == 1
    elsewhere = {"K8S_AUTH_API_KEY": token, "K8S_AUTH_HOST": "https://127.0.0.1:1"}
    refused = role.run(api_key=None, env=elsewhere)
    assert "K8S_AUTH_HOST is https://127.0.0.1:1, but the zone's API is" in refused.said
    assert zone.requests() == []


@pytest.mark.thorough
def test_a_service_account_that_vanishes_while_its_token_is_awaited(tmp_path: Path) -> None:
    """Somebody deletes the account once, then each time; OpenShift then deletes the Secret."""
    with LocalZones(1, token_delay=1.5) as zones:
        zone = zones[0]
        token = zone.create_user("ada", "", {PROJECT: "admin"})
        options = {"zone": zone.name, "host": zone.host, "ca_cert": zone.ca_file, "namespace": PROJECT}
        role = Role("image_pusher", zone, tmp_path, {**options, "api_key": token}, fact="image_pusher_token")
        with Saboteur(zone, times=1):
            assert may_push(zone, role.run().token, PROJECT)
        role.run(state="absent")
        with Saboteur(zone, times=10):
            failed = role.run()
        assert "the Secret image-pusher-secret vanished twice after it was made" in failed.said


def test_a_token_that_does_not_come(tmp_path: Path) -> None:
    with LocalZones(1, token_delay=60) as zones:
        zone = zones[0]
        token = zone.create_user("ada", "", {PROJECT: "admin"})
        options = {"zone": zone.name, "host": zone.host, "ca_cert": zone.ca_file, "namespace": PROJECT}
        role = Role("image_pusher", zone, tmp_path, {**options, "api_key": token, "wait_timeout": 1})
        assert "has no token after 1 seconds" in role.run().said


class Saboteur:
    """Deletes the pusher's service account as soon as its Secret is there, some times."""

    def __init__(self, zone: Zone, times: int) -> None:
        self._zone, self._times = zone, times
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Saboteur:
        self._thread.start()
        return self

    def __exit__(self, *_ignored: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        path = f"/api/v1/namespaces/{PROJECT}/serviceaccounts/image-pusher"
        while self._times and not self._ended.wait(0.02):
            if self._zone.object(*SECRET, PROJECT) and self._zone.object(*ACCOUNT, PROJECT):
                ask(self._zone, self._zone.admin_token, "DELETE", path)
                self._times -= 1
