# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role image_pusher: new, again, changed, removed; in check mode and for real; with what others have made."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.image import make_layout
from tests.integration.api import ask, may_push
from tests.integration.namespace import everything_in
from tests.integration.push import Pusher
from tests.integration.role import Role, RoleModule
from tests.zone import LocalZones, Zone
from tests.zone.client import GUARD, eventually

ACCOUNT = ("ServiceAccount", "image-pusher")
SECRET = ("Secret", "image-pusher-secret")
BINDING = ("RoleBinding", "image-pusher-registry-editor")
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
    # The tests that are about it, or about everything, take the preflight; it is some more requests each time.
    return Role("image_pusher", zone, tmp_path, {**options, "preflight": False}, fact="image_pusher_token")


@pytest.fixture
def module(role: Role) -> RoleModule:
    """What the role does, without Ansible around it."""
    return RoleModule(role)


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
    deadline = time.monotonic() + GUARD
    while not (zone.object(*SECRET, project) or {}).get("data"):
        assert time.monotonic() < deadline, "the token controller does not come"
        time.sleep(0.05)


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
def test_several_pushers_in_two_namespaces(zone: Zone, project: str, role: Role, tmp_path: Path) -> None:
    """One with the default role, one with the least rights; the same names in both, and nothing gets mixed up."""
    other = f"{project}-other"
    zone.create_user("ada", "", {other: "admin"})
    file = tmp_path / "token"
    pushers = [
        {"labels": {"team": "shop"}, "annotations": {"example.com/number": 5}, "token_file": str(file)},
        {"namespace": other, "role": "system:image-pusher", "image_streams": ["app"]},
    ]
    before = [everything_in(zone, name) for name in (project, other)]
    made = role.run(pushers=pushers, verbosity=4)
    assert list(made.facts) == [f"{project}/image-pusher", f"{other}/image-pusher"]
    editor, pusher = made.facts.values()
    assert len({editor, pusher}) == 2
    assert not any(secret in made.played.stdout for secret in (editor, pusher, role.variables["api_key"]))
    assert (file.read_text(), file.stat().st_mode & 0o777) == (editor, 0o600)
    for kind, name in (ACCOUNT, SECRET, BINDING):
        found = zone.object(kind, name, project)
        assert found is not None
        assert found["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "appuio.registry", "team": "shop"}
        assert found["metadata"]["annotations"]["example.com/number"] == "5"
    least_rights(zone, tmp_path, (project, editor), (other, pusher))
    gone = role.run(pushers=pushers, state="absent")
    assert (gone.changed, gone.facts, file.exists()) == (1, {}, False)
    after = [everything_in(zone, name) for name in (project, other)]
    streams = {name for there in after for name in there if name.startswith("Image")}
    assert streams >= {"ImageStream app", "ImageStream new"}, "they hold images and stay"
    for was, there_now in zip(before, after, strict=True):
        assert {name: one for name, one in there_now.items() if name not in streams} == was
    assert not may_push(zone, editor, project)
    assert not may_push(zone, pusher, other)


def least_rights(zone: Zone, folder: Path, editor: tuple[str, str], pusher: tuple[str, str]) -> None:
    """Try with real requests what each may do: push, make a repository, read and write a Secret."""
    make_layout(folder / "image", platforms=["linux/amd64"], layers=1, size=100, seed=editor[0])
    for (project, token), may in ((editor, True), (pusher, False)):
        pushes = Pusher([zone], project, {zone.name: token}, folder)
        source = f"oci:{folder / 'image'}"
        base = f"/api/v1/namespaces/{project}"
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "another"}}
        assert ask(zone, token, "GET", f"{base}/secrets")[0] == (200 if may else 403)
        assert ask(zone, token, "GET", f"{base}/secrets/image-pusher-secret")[0] == (200 if may else 403)
        assert ask(zone, token, "POST", f"{base}/secrets?dryRun=All", secret)[0] == (201 if may else 403)
        if may:
            pushes.push(source, name="new")
        else:
            pushes.push(source, name="app")
            assert "may" in str(pushes.refused(source, name="new"))
            assert zone.image_stream(project, "new") is None


@pytest.mark.thorough
def test_new_again_changed_removed(zone: Zone, project: str, role: Role) -> None:
    """The matrix: each state in check mode and for real, first and again."""
    before = everything_in(zone, project)
    check = role.run(check=True, preflight=True)
    assert (check.changed, check.writes, there(zone, project), check.fact) == (1, [], [], "")
    new = role.run(preflight=True)
    assert (new.changed, len(new.writes)) == (1, 3)
    assert there(zone, project) == ["ServiceAccount", "Secret", "RoleBinding"]
    token = new.token
    assert may_push(zone, token, project)
    again = role.run()
    assert (again.changed, again.writes, again.fact) == (0, [], token)
    check_again = role.run(check=True)
    assert (check_again.changed, check_again.writes, check_again.fact) == (0, [], token)

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
    assert everything_in(zone, project) == before
    check_again = role.run(check=True, **gone)
    assert (check_again.changed, check_again.writes) == (0, [])
    again = role.run(**gone)
    assert (again.changed, again.writes) == (0, [])


@pytest.mark.thorough
def test_another_role_and_labels(zone: Zone, project: str, module: RoleModule) -> None:
    """What is there is changed: in check mode and for real, first and again."""
    token = module.run().token
    less: dict[str, Any] = {"role": "system:image-builder", "labels": {"team": "shop"}}
    secrets = f"/api/v1/namespaces/{project}/secrets"
    assert ask(zone, token, "GET", secrets)[0] == 200
    check = module.run(check=True, **less)
    assert (check.changed, check.writes) == (1, [])
    changed = module.run(**less)
    assert (changed.changed, changed.fact) == (1, token)
    bindings = [write for write in changed.writes if "rolebindings" in write]
    assert [write.split()[0] for write in bindings] == ["POST", "DELETE"], "the new one first"
    assert may_push(zone, token, project)
    assert ask(zone, token, "GET", secrets)[0] == 403
    check_again = module.run(check=True, **less)
    assert (check_again.changed, check_again.writes) == (0, [])
    again = module.run(**less)
    assert (again.changed, again.writes) == (0, [])


@pytest.mark.thorough
def test_a_rotation_lets_the_old_token_live_for_a_while(zone: Zone, project: str, module: RoleModule) -> None:
    """And a service account that somebody has deleted is made again, with a new token."""
    first = module.run().token
    rotated = module.run(rotate=True)
    assert rotated.changed == 1
    second = rotated.token
    assert second != first
    assert may_push(zone, first, project)
    assert may_push(zone, second, project)
    after = module.run(grace=0)
    assert (after.changed, after.fact) == (1, second)
    assert not may_push(zone, first, project)
    assert may_push(zone, second, project)
    ask(zone, zone.admin_token, "DELETE", f"/api/v1/namespaces/{project}/serviceaccounts/image-pusher")
    eventually(lambda: zone.object("Secret", "image-pusher-secret-2", project) is None)
    healed = module.run()
    assert healed.changed == 1
    assert may_push(zone, healed.token, project)
    assert not may_push(zone, second, project)


@pytest.mark.thorough
def test_a_bound_token(zone: Zone, project: str, module: RoleModule, tmp_path: Path) -> None:
    secret = module.run().token
    file = tmp_path / "token"
    options: dict[str, Any] = {"token_kind": "bound", "token_file": str(file), "expiration": 1200}
    bound = module.run(**options)
    assert bound.changed == 1
    assert may_push(zone, bound.token, project)
    assert not may_push(zone, secret, project)
    again = module.run(**options)
    assert (again.changed, again.writes, again.fact) == (0, [], bound.token)
    short = module.run(token_kind="bound", expiration=60)
    assert "cannot get a bound token for image-pusher" in short.output
    assert "may not specify a duration less than 10 minutes" in short.output
    with_kubeconfig = module.run(token_kind="bound", api_key=None, ca_cert=None, kubeconfig=zone.kubeconfig)
    assert may_push(zone, with_kubeconfig.token, project)


@pytest.mark.thorough
def test_what_others_made_is_used_and_stays_unless_adopted(zone: Zone, project: str, module: RoleModule) -> None:
    """The state that the documentation of APPUiO Cloud makes by hand with oc, and a binding of somebody else."""
    make_account_and_secret(zone, project)
    ada = {"kind": "User", "name": "ada", "apiGroup": "rbac.authorization.k8s.io"}
    make_binding(zone, project, "image-pusher-registry-editor", "registry-editor", ada)
    before = everything_in(zone, project)
    joined = module.run(labels={"team": "shop"})
    assert (joined.changed, len(joined.writes)) == (1, 1), "only the right was missing"
    assert may_push(zone, joined.token, project)
    absent = module.run(state="absent", grace=0)
    assert "was not made by this collection" in absent.output
    assert everything_in(zone, project) == before
    assert not may_push(zone, joined.token, project)

    subject = {"kind": "ServiceAccount", "name": "image-pusher", "namespace": project}
    make_binding(zone, project, "registry-editor", "registry-editor", subject)
    adopted = module.run(adopt=True)
    assert adopted.fact == joined.token
    for kind, name in (ACCOUNT, SECRET):
        found = zone.object(kind, name, project)
        assert found is not None
        assert found["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "appuio.registry"}
    assert module.run(state="absent").changed == 1
    assert there(zone, project) == ["RoleBinding"], "that of somebody else"


@pytest.mark.thorough
def test_refuses_a_binding_to_another_role_and_a_secret_of_something_else(
    zone: Zone, project: str, module: RoleModule
) -> None:
    make_binding(zone, project, "image-pusher-registry-editor", "view")
    refused = module.run()
    assert refused.failed
    place = f"zone {zone.name}, namespace {project}"
    assert f"{place}: the RoleBinding image-pusher-registry-editor is there" in refused.output
    assert "grants view instead of registry-editor" in refused.output
    assert refused.writes == []
    opaque: dict[str, Any] = {"apiVersion": "v1", "type": "Opaque", "metadata": {"name": "image-pusher-secret"}}
    make(zone, project, "Secret", "/api/v1/namespaces/{}/secrets", **opaque)
    refused = module.run(role_binding="other")
    assert "is no token of the service account image-pusher" in refused.output
    assert refused.writes == []


@pytest.mark.thorough
def test_says_what_is_missing_before_anything_is_made(zone: Zone, project: str, module: RoleModule) -> None:
    """Rights and quota at once, and then a role that is more than one has."""
    quota = {"metadata": {"name": "objects", "namespace": project}, "spec": {"hard": {"secrets": "0"}}}
    zone.put_object({"apiVersion": "v1", "kind": "ResourceQuota", **quota})
    editor = zone.create_user("eve", "", {project: "view"})
    zone.bind(project, "registry-editor", {"kind": "User", "name": "eve", "apiGroup": "rbac.authorization.k8s.io"})
    binding_reader = {"kind": "User", "name": "eve", "apiGroup": "rbac.authorization.k8s.io"}
    zone.bind(project, "cluster-reader", binding_reader)
    refused = module.run(api_key=editor, preflight=True)
    assert refused.failed
    right = f"the right to create rolebindings.rbac.authorization.k8s.io in the namespace {project} is missing"
    assert right in refused.output
    assert "the quota objects leaves 0 of 0 secrets, and 1 are needed" in refused.output
    assert "Nothing was changed" in refused.output
    assert refused.writes == []
    zone.put_object({"apiVersion": "v1", "kind": "ResourceQuota", **quota, "spec": {"hard": {}}})
    refused = module.run(role="cluster-admin", preflight=True)
    assert "cluster-admin may not be granted" in refused.output
    assert "attempting to grant RBAC permissions not currently held" in refused.output
    assert refused.writes == []


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"api_key": "wrong"}, "the API does not accept the credential"),
        pytest.param(
            {"namespace": "nowhere"},
            "read the role bindings: the API refuses this (the server said: rolebindings.rbac.authorization.k8s.io is",
            marks=pytest.mark.thorough,
        ),
        pytest.param(
            {"ca_cert": None},
            "is not trusted: unable to get local issuer certificate. Name the authority that signed it in ca_cert",
            marks=pytest.mark.thorough,
        ),
        ({"api_key": None}, "no credential is given. Give token"),
        pytest.param(
            {"zone": "Not A Zone", "host": None}, "'Not A Zone' is not a zone identifier", marks=pytest.mark.thorough
        ),
        pytest.param(
            {"username": "ada", "password": PASSWORD},
            "token, username and password are given",
            marks=pytest.mark.thorough,
        ),
    ],
)
def test_says_which_zone_and_why(role: Role, project: str, fault: dict[str, Any], said: str) -> None:
    failed = role.run(**fault)
    assert failed.failed
    place = f"zone {fault.get('zone', role.zone.name)}, namespace {fault.get('namespace', project)}"
    assert place in failed.output
    assert said in failed.output
    assert failed.writes == []


@pytest.mark.thorough
def test_a_refused_password_is_told_in_words(role: Role) -> None:
    refused = role.run(api_key=None, username="ada", password="another-password")
    assert "the OAuth server refuses the password of user ada" in refused.output
    assert "give it as token if the user logs in by a single sign-on" in refused.output
    assert "another-password" not in refused.output


@pytest.mark.thorough
@pytest.mark.parametrize("credential", [{"api_key": None}, {}], ids=["alone", "beside a credential"])
def test_a_token_where_the_result_belongs_is_told(role: Role, credential: dict[str, None]) -> None:
    """Not set anew either: where it comes from -e, it would stay, and the push after it would go on with it."""
    refused = role.run(token="some-token", **credential)
    assert "image_pusher_token is what this role returns" in refused.output
    assert refused.writes == []


@pytest.mark.thorough
def test_text_and_blanks_of_a_survey(zone: Zone, project: str, role: Role) -> None:
    blank = (
        "state", "token_kind", "expiration", "grace", "rotate", "annotations", "pushers", "wait_timeout", "adopt",
        "validate_certs", "token_file", "username", "password", "secret_name", "service_account", "role",
        "role_binding", "kubeconfig", "context", "base_domain", "proxy", "client_cert", "client_key", "retries",
    )  # fmt: skip
    text = {"image_streams": "frontend\nbackend, web", "labels": "team=shop", "preflight": "yes"}
    made = role.run(**dict.fromkeys(blank, ""), **text)
    assert may_push(zone, made.token, project)
    assert there(zone, project) == ["ServiceAccount", "Secret", "RoleBinding"]
    assert all(zone.object("ImageStream", name, project) for name in ("frontend", "backend", "web"))
    assert (zone.object(*ACCOUNT, project) or {})["metadata"]["labels"]["team"] == "shop"


@pytest.mark.thorough
def test_garbage_in_the_file_for_the_token_is_told_before_anything_is_made(
    zone: Zone, project: str, module: RoleModule, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    for kind in ("secret", "bound"):
        refused = module.run(token_file=str(file), token_kind=kind)
        assert "holds something that is no token" in refused.output
        assert refused.writes == []
    assert file.read_text().startswith("-----BEGIN"), "nobody's file is overwritten"
    file.write_text("")
    assert module.run(token_file=str(file)).token == file.read_text()


@pytest.mark.thorough
def test_an_ended_bound_token_is_replaced_whatever_the_time_zone(
    zone: Zone, project: str, module: RoleModule, tmp_path: Path
) -> None:
    """East of Greenwich local time is later than the token's."""
    module.run()
    file = tmp_path / "token"
    ended = zone.bound_token_for(project, "image-pusher", 0)
    file.write_text(f"{ended}\n")
    options: dict[str, Any] = {"token_kind": "bound", "token_file": str(file), "expiration": 1200}
    for name in ("Asia/Tokyo", "America/Los_Angeles"):
        replaced = module.run(env={"TZ": name}, **options)
        assert replaced.token != ended
        assert may_push(zone, replaced.token, project)
        assert module.run(env={"TZ": name}, **options).changed == 0
        file.write_text(ended)


@pytest.mark.thorough
def test_a_token_that_got_into_wrong_hands_stays_dead(zone: Zone, project: str, module: RoleModule) -> None:
    """The account stays, as somebody else has made it, and everything of ours goes and comes again."""
    make(zone, project, "ServiceAccount", "/api/v1/namespaces/{}/serviceaccounts", apiVersion="v1",
         metadata={"name": "image-pusher"})  # fmt: skip
    stolen = module.run().token
    module.run(rotate=True, grace=0)
    module.run(state="absent")
    again = module.run()
    assert again.token != stolen
    assert may_push(zone, again.token, project)
    assert not may_push(zone, stolen, project)


@pytest.mark.thorough
def test_a_secret_that_is_deleted_by_hand_is_not_made_again_under_its_name(
    zone: Zone, project: str, module: RoleModule
) -> None:
    stolen = module.run().token
    path = f"/api/v1/namespaces/{project}/secrets/image-pusher-secret"
    assert ask(zone, zone.admin_token, "DELETE", path)[0] == 200
    again = module.run()
    assert again.token != stolen
    assert not may_push(zone, stolen, project)


def test_user_and_password_leave_no_token_behind(zone: Zone, project: str, role: Role) -> None:
    """One session for two pushers, one of which has a bound token."""
    pushers = [
        {"grace": 60, "annotations": {"example.com/number": 5}},
        {"service_account": "ci", "token_kind": "bound", "expiration": 1200, "role": "system:image-builder"},
    ]
    how: dict[str, Any] = {"username": "ada", "password": PASSWORD, "preflight": True}
    made = role.run(api_key=None, pushers=pushers, verbosity=4, **how)
    assert made.changed == 1
    assert list(made.facts) == [f"{project}/image-pusher", f"{project}/ci"]
    assert len(set(made.facts.values())) == 2
    assert all(may_push(zone, token, project) for token in made.facts.values())
    assert not any(secret in made.played.stdout for secret in (PASSWORD, *made.facts.values()))
    assert any(write.startswith("DELETE /apis/oauth.openshift.io/") for write in made.writes)


@pytest.mark.thorough
def test_a_kubeconfig_is_used_for_its_own_cluster_only(zone: Zone, module: RoleModule) -> None:
    options: dict[str, Any] = {"api_key": None, "ca_cert": None, "kubeconfig": zone.kubeconfig, "preflight": True}
    assert module.run(check=True, **options).changed == 1
    assert any("selfsubjectaccessreviews" in one["path"] for one in zone.requests()), "the preflight takes it too"
    refused = module.run(host="https://127.0.0.1:1", **options)
    assert f"the kubeconfig is logged in to {zone.host}, not to https://127.0.0.1:1" in refused.output
    assert zone.requests() == []


@pytest.mark.thorough
def test_the_environment_is_used_for_its_own_cluster_only(zone: Zone, role: Role) -> None:
    token = role.variables["api_key"]
    assert role.run(check=True, api_key=None, env={"APPUIO_TOKEN": token}).changed == 1
    elsewhere = {"K8S_AUTH_API_KEY": token, "K8S_AUTH_HOST": "https://127.0.0.1:1"}
    refused = role.run(api_key=None, env=elsewhere)
    assert "K8S_AUTH_HOST is https://127.0.0.1:1, but the zone's API is" in refused.output
    assert zone.requests() == []


@pytest.mark.thorough
def test_a_service_account_that_vanishes_while_its_token_is_awaited(tmp_path: Path) -> None:
    """Somebody deletes the account each time, and OpenShift its Secret. The role tries once more."""
    with LocalZones(1, token_delay=3600) as zones:
        zone = zones[0]
        token = zone.create_user("ada", "", {PROJECT: "admin"})
        options = {"zone": zone.name, "host": zone.host, "ca_cert": zone.ca_file, "namespace": PROJECT}
        role = Role("image_pusher", zone, tmp_path, {**options, "api_key": token}, fact="image_pusher_token")
        with Saboteur(zone, PROJECT):
            failed = RoleModule(role).run(wait_timeout=600)
        assert "the Secret image-pusher-secret vanished twice after it was made" in failed.output


@pytest.mark.thorough
def test_a_token_that_does_not_come(tmp_path: Path) -> None:
    with LocalZones(1, token_delay=3600) as zones:
        zone = zones[0]
        token = zone.create_user("ada", "", {PROJECT: "admin"})
        options = {"zone": zone.name, "host": zone.host, "ca_cert": zone.ca_file, "namespace": PROJECT}
        role = Role("image_pusher", zone, tmp_path, {**options, "api_key": token, "wait_timeout": 1})
        assert "has no token after 1 seconds" in RoleModule(role).run().output


class Saboteur:
    """Deletes the pusher's service account as soon as its Secret is there, and the Secret as the controller would."""

    def __init__(self, zone: Zone, project: str) -> None:
        self._zone, self._project = zone, project
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Saboteur:
        self._thread.start()
        return self

    def __exit__(self, *_ignored: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        base = f"/api/v1/namespaces/{self._project}"
        while not self._ended.wait(0.02):
            if self._zone.object(*SECRET, self._project) and self._zone.object(*ACCOUNT, self._project):
                for path in ("serviceaccounts/image-pusher", "secrets/image-pusher-secret"):
                    ask(self._zone, self._zone.admin_token, "DELETE", f"{base}/{path}")
