# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""appuio_registry_login when something is wrong: what it says, that nothing is written, and that others are served."""

from __future__ import annotations

import base64
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.login import MODULE, Logins, mode, stored, where
from tests.integration.playbook import LOCAL, play, run_playbook
from tests.zone import LocalZones

TOKEN = "sha256~a-token-of-nobody"


@pytest.fixture(scope="module")
def zones() -> Iterator[LocalZones]:
    with LocalZones(2, separate_authorities=True) as running:
        yield running


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "made" / "auth.json"


@pytest.fixture
def logins(zones: LocalZones, tmp_path: Path, path: Path) -> Logins:
    return Logins(tmp_path / "run", {**where(zones[0]), "auth_file": str(path), "namespace": "shop"})


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address where nobody listens, and nobody else can begin to."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


def ended_token() -> str:
    """A token that says itself that its time is over."""
    parts = [{"alg": "none"}, {"sub": "system:serviceaccount:shop:old", "exp": 1700000000}]
    return ".".join(
        [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts] + ["x"]
    )


def said(ended: Any, task: str) -> str:
    """Return what a task that had to fail said."""
    result = ended.result(task)
    assert result.get("failed"), f"{task} did not fail: {result}"
    return str(result["msg"])


def test_each_fault_is_named_and_changes_no_file(zones: LocalZones, logins: Logins, path: Path, nobody: str) -> None:
    zone = zones[0]
    good = zone.token_for("shop", "image-pusher")
    viewer = zone.token_for("shop", "viewer", role="registry-viewer")
    revoked = zone.token_for("shop", "gone")
    zone.revoke_token(revoked)
    logins.add("wrong", token="sha256~wrong-token")
    logins.add("revoked", token=revoked)
    logins.add("other zone", token=zones[1].token_for("shop", "image-pusher"))
    logins.add("over", token=ended_token())
    logins.add("no such zone", zone="nowhere-else-9", token=good, registry=None, host=None, base_domain="invalid")
    logins.add("refused", registry=nobody, token=good)
    logins.add("untrusted", registry_ca_cert=zone.ca_file, token=good)
    logins.add("no right", token=viewer, access=["pull", "push"])
    logins.add("no namespace", token=good, namespace="nowhere", access=["pull"])
    logins.add("no registry", registry=zone.host.removeprefix("https://"), registry_ca_cert=zone.ca_file, token=good)
    logins.look("the folder", path.parent)
    ended = logins.run()
    of_zone = (
        "wrong",
        "revoked",
        "other zone",
        "over",
        "refused",
        "untrusted",
        "no right",
        "no namespace",
        "no registry",
    )
    for task in of_zone:
        assert f"zone {zone.name}" in said(ended, task)
    assert "A token is good for one zone only" in said(ended, "other zone")
    assert "zone nowhere-else-9" in said(ended, "no such zone")
    assert "registry.nowhere-else-9.invalid" in said(ended, "no such zone")
    assert "the token ended at 2023-11-14T22:13:20Z" in said(ended, "over")
    assert "registry_ca_cert" in said(ended, "untrusted")
    assert "no right to push in the namespace shop" in said(ended, "no right")
    assert "no right to pull in the namespace nowhere" in said(ended, "no namespace")
    assert not ended.result("the folder")["stat"]["exists"], "nothing is written when something is wrong"


@pytest.mark.thorough
def test_rights_are_found_out_without_the_api(zones: LocalZones, logins: Logins, nobody: str) -> None:
    zone = zones[0]
    pusher = zone.token_for("shop", "image-pusher")
    viewer = zone.token_for("shop", "viewer", role="registry-viewer")
    zone.clear_requests()
    alone = {"zone": None, "host": None}
    logins.add("check", check=True, token=pusher, access=["pull", "push"], **alone)
    logins.run()
    assert zone.writes() == []
    logins.tasks.clear()
    logins.add("pusher", token=pusher, access=["pull", "push"], **alone)
    logins.add("again", token=pusher, access=["pull", "push"], **alone)
    logins.add("viewer pulls", token=viewer, access=["pull"], **alone)
    logins.add("viewer pushes", token=viewer, access=["push"], **alone)
    logins.add("api away", token=pusher, access=["push"], host=f"https://{nobody}")
    ended = logins.run()
    assert ended.result("pusher")["access"] == ["pull", "push"]
    assert ended.changed == ["pusher", "viewer pulls", "api away"]
    assert "no right to push" in said(ended, "viewer pushes")
    assert ended.result("api away")["access"] == ["push"]
    begun = [record for record in zone.writes("registry") if record["method"] == "POST" and record["status"] == 202]
    removed = [record for record in zone.writes("registry") if record["method"] == "DELETE"]
    assert len(begun) == len(removed) == 3
    assert {record["status"] for record in removed} == {204}
    assert zone.image_stream("shop", "appuio-login-check") is None


@pytest.mark.thorough
def test_the_environment_of_awx_does_not_let_a_tasks_token_go_to_an_api_that_is_not_trusted(
    zones: LocalZones, logins: Logins, path: Path
) -> None:
    zone = zones[0]
    token = zone.token_for("shop", "image-pusher")
    zone.clear_requests()
    # Nothing trusts the API here: only the registry's authority is given.
    logins.options = {**logins.options, "ca_cert": None, "registry_ca_cert": zone.registry_ca_file}
    logins.add("in", token=token, access=["push"], env={"K8S_AUTH_VERIFY_SSL": "false"})
    ended = logins.run()
    assert ended.result("in")["access"] == ["push"], "the registry was asked instead"
    assert [record for record in zone.requests() if record["side"] == "api"] == []
    assert stored(path, zone.registry) == ("serviceaccount", token)


@pytest.mark.thorough
def test_a_page_for_people_is_no_registry_and_grants_nothing(zones: LocalZones, logins: Logins, path: Path) -> None:
    zone = zones[0]
    token = zone.token_for("shop", "image-pusher")
    alone = {"zone": None, "host": None, "token": token}
    for task, access, where_from in (("everything", [], "."), ("rights to pull", ["pull"], "/v2/shop/")):
        fault = zone.faults.add("page", side="registry", path=where_from)
        logins.tasks.clear()
        logins.add(task, access=access, **alone)
        logins.look("the folder", path.parent)
        ended = logins.run()
        zone.faults.remove(fault)
        assert not ended.result("the folder")["stat"]["exists"], f"{task}: nothing is written"
        expected = (
            "does not answer as a container registry does" if not access else "registry says whether the credential"
        )
        assert expected in said(ended, task)


@pytest.mark.thorough
def test_a_right_that_nobody_tells_of_is_not_taken_as_given(zones: LocalZones, logins: Logins, path: Path) -> None:
    zone = zones[0]
    token = zone.token_for("shop", "image-pusher")
    fault = zone.faults.add("status", side="registry", path="/blobs/uploads/", status=500)
    logins.add("in", zone=None, host=None, token=token, access=["push"])
    ended = logins.run()
    zone.faults.remove(fault)
    assert "whether the credential gives the right to push in the namespace shop" in said(ended, "in")
    assert not path.exists()


@pytest.mark.thorough
def test_the_api_behind_the_registry_is_down(zones: LocalZones, logins: Logins) -> None:
    zone = zones[0]
    token = zone.token_for("shop", "image-pusher")
    zone.stop("api")
    try:
        logins.add("down", token=token)
        ended = logins.run()
    finally:
        zone.start("api")
    assert f"zone {zone.name}" in said(ended, "down")
    assert "the zone's API does not answer it" in said(ended, "down")


@pytest.mark.thorough
def test_one_zone_that_fails_does_not_hide_the_others(zones: LocalZones, logins: Logins, path: Path) -> None:
    first, second = zones.zones
    entries = [
        {**where(first), "token": "sha256~wrong-token"},
        {**where(second), "token": second.token_for("shop", "image-pusher")},
    ]
    logins.options = {"auth_file": str(path)}
    logins.add("check", check=True, zones=entries)
    logins.add("both", zones=entries)
    logins.add("again", zones=entries)
    logins.add("neither", zones=[{**where(zone), "token": "sha256~wrong-token"} for zone in zones.zones])
    ended = logins.run()
    assert "2 of 2 zones failed" in said(ended, "neither")
    assert all(f"zone {zone.name}: log in to the registry" in said(ended, "neither") for zone in zones.zones)
    for task, changed in (("check", True), ("both", True), ("again", False)):
        assert f"zone {first.name}" in said(ended, task)
        told = ended.result(task)["zones"]
        assert [zone.get("failed", False) for zone in told] == [True, False]
        assert (told[0]["changed"], told[1]["changed"]) == (False, changed)
    assert stored(path, second.registry) is not None
    assert stored(path, first.registry) is None


@pytest.mark.thorough
def test_files_that_cannot_be(zones: LocalZones, logins: Logins, tmp_path: Path) -> None:
    token = zones[0].token_for("shop", "image-pusher")
    broken = tmp_path / "broken.json"
    broken.write_text('{"auths": {\n  "a": {}\n  "b": {}\n}}')
    (tmp_path / "file").touch()
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    missing = tmp_path / "helper.json"
    missing.write_text('{"credsStore": "not-there"}')
    logins.add("broken", token=token, auth_file=str(broken))
    logins.add("broken, absent", state="absent", auth_file=str(broken))
    logins.add("no folder", token=token, auth_file=str(tmp_path / "file" / "auth.json"))
    logins.add("pipe", token=token, auth_file=str(pipe))
    logins.add("pipe, absent", state="absent", auth_file=str(pipe))
    logins.add("home", token=token, auth_file=None, env={"HOME": "/proc/nowhere"})
    logins.add("no helper", token=token, auth_file=str(missing))
    logins.add("file anyway", token=token, auth_file=str(missing), credential_store="file")
    ended = logins.run()
    for task in ("broken", "broken, absent"):
        assert f"{broken} cannot be read" in said(ended, task)
        assert "line 3, column 3" in said(ended, task)
    assert f"{pipe} is a named pipe, not a regular file" in said(ended, "pipe")
    assert f"{pipe} is a named pipe, not a regular file" in said(ended, "pipe, absent")
    assert broken.read_text().count("\n") == 3
    assert mode(broken) != 0o600, "a file that is refused is left as it is"
    assert "cannot be written: Not a directory" in said(ended, "no folder")
    assert "auth_file or REGISTRY_AUTH_FILE" in said(ended, "home")
    assert "docker-credential-not-there is not installed" in said(ended, "no helper")
    assert json.loads(missing.read_text())["credHelpers"] == {zones[0].registry: ""}


@pytest.mark.thorough
def test_a_symbolic_link_and_a_backup(zones: LocalZones, logins: Logins, tmp_path: Path) -> None:
    token = zones[0].token_for("shop", "image-pusher")
    link, real = tmp_path / "link.json", tmp_path / "real.json"
    real.write_text('{"auths": {}}')
    link.symlink_to(real)
    logins.add("linked", token=token, auth_file=str(link), backup=True)
    ended = logins.run()
    assert link.is_symlink()
    assert stored(real, zones[0].registry) == ("serviceaccount", token)
    assert Path(ended.result("linked")["backup_file"]).read_text() == '{"auths": {}}'
    assert (mode(real), mode(Path(ended.result("linked")["backup_file"]))) == (0o600, 0o600)


UNUSABLE: dict[str, tuple[dict[str, Any], str]] = {
    "nobody": ({"auth_file": "/x"}, "no credential is given"),
    "a password alone": ({"token": TOKEN, "password": "a-long-password"}, "required by 'password'"),
    "docker's file": ({"token": TOKEN, "key_scope": "namespace"}, "docker keeps one credential per registry"),
    "for everybody": ({"token": TOKEN, "mode": "0644"}, "would let everybody read the credentials"),
    "rights where": ({"token": TOKEN, "access": ["push"], "namespace": None}, "access needs namespace"),
    "a path": ({"token": TOKEN, "credential_store": "../evil"}, "credential_store"),
    "no such user": ({"token": TOKEN, "owner": "nobody-of-this-name"}, "no user 'nobody-of-this-name'"),
}


@pytest.mark.thorough
def test_options_that_cannot_be_meant(zones: LocalZones, logins: Logins) -> None:
    zones[0].clear_requests()
    for task, (options, _message) in UNUSABLE.items():
        logins.add(task, **options)
    ended = logins.run()
    for task, (_options, message) in UNUSABLE.items():
        assert message in said(ended, task)
    assert zones[0].requests() == [], "found before anything is asked"


@pytest.mark.thorough
def test_many_hosts_at_once_in_one_file(tmp_path: Path) -> None:
    path = tmp_path / "auth.json"
    inventory = {"all": {"hosts": {f"zone-{number}": LOCAL for number in range(20)}}}
    options = {"zone": "{{ inventory_hostname }}", "token": "of-{{ inventory_hostname }}", "verify": False}
    task = {"name": "in", MODULE: {**options, "auth_file": str(path)}}
    ended = run_playbook(
        [play([task], hosts="all")], tmp_path / "run", inventory=inventory, arguments=["--forks", "10"]
    ).succeeded()
    assert len(ended.changed) == 20
    for number in range(20):
        assert stored(path, f"registry.zone-{number}.appuio.cloud") == ("serviceaccount", f"of-zone-{number}")
    assert sorted(os.listdir(tmp_path)) == ["auth.json", "run"]
