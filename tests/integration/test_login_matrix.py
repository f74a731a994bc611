# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""appuio_registry_login: new, again, changed, removed; each in check mode, for real, and once more."""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.login import Logins, mode, stored, where
from tests.zone import LocalZones, Zone

STEPS = ("new", "again", "changed", "removed")
OTHER = {"auths": {"quay.io": {"auth": "bzpv"}}, "HttpHeaders": {"X": "y"}, "detachKeys": "ctrl-e"}
KEEPER = f"""#!{sys.executable}
import json, pathlib, sys
kept = pathlib.Path(__file__).with_name("kept.json")
known = json.loads(kept.read_text()) if kept.exists() else {{}}
given = sys.stdin.read()
if sys.argv[1] == "store":
    known[json.loads(given)["ServerURL"]] = json.loads(given)
elif sys.argv[1] == "erase":
    known.pop(given)
elif given in known:
    print(json.dumps(known[given]))
else:
    sys.exit("credentials not found in native keychain")
kept.write_text(json.dumps(known))
"""


@pytest.fixture(scope="module")
def zones() -> Iterator[LocalZones]:
    with LocalZones(2) as running:
        yield running


def matrix(logins: Logins, first: dict[str, Any], changed: dict[str, Any], path: Path) -> dict[str, list[bool]]:
    """Run the twelve steps and return for each what it said of changing; check mode must not touch the file."""
    options = {"new": first, "again": first, "changed": changed, "removed": {"state": "absent", "token": None}}
    for step in STEPS:
        logins.look(f"{step} before", path)
        logins.add(f"{step} check", check=True, **options[step])
        logins.look(f"{step} checked", path)
        logins.add(f"{step} real", **options[step])
        logins.add(f"{step} once more", **options[step])
    logins.look("after", path)
    ended = logins.run()
    for step in STEPS:
        before, checked = (_written(ended.result(f"{step} {when}")["stat"]) for when in ("before", "checked"))
        assert before == checked, f"{step} in check mode changed the file"
        assert ended.result(f"{step} check")["msg"] == ended.result(f"{step} real")["msg"]
    assert not any(task.result.get("failed") for task in ended.tasks), ended.stdout
    return {
        step: [ended.result(f"{step} {run}")["changed"] for run in ("check", "real", "once more")] for step in STEPS
    }


def _written(found: dict[str, Any]) -> dict[str, Any]:
    """Everything about a file but when it was read."""
    return {name: value for name, value in found.items() if name != "atime"}


EXPECTED = {
    "new": [True, True, False],
    "again": [False, False, False],
    "changed": [True, True, False],
    "removed": [True, True, False],
}


@pytest.mark.thorough
def test_a_file_with_other_entries(zones: LocalZones, tmp_path: Path) -> None:
    zone = zones[0]
    path = tmp_path / "config.json"
    path.write_text(json.dumps(OTHER, indent=4))
    path.chmod(0o644)
    tokens = [{"token": zone.token_for("shop", name)} for name in ("first", "second")]
    zone.clear_requests()
    logins = Logins(tmp_path / "run", {**where(zone), "auth_file": str(path), "namespace": "shop", "access": ["push"]})
    assert matrix(logins, tokens[0], tokens[1], path) == EXPECTED
    assert json.loads(path.read_text()) == OTHER
    assert '\n    "HttpHeaders"' in path.read_text()
    assert mode(path) == 0o600
    assert zone.writes() == [], "a login changes nothing in the zone"


@pytest.mark.thorough
def test_a_fresh_home_and_several_zones(zones: LocalZones, tmp_path: Path) -> None:
    tokens = [[zone.token_for("shop", name) for name in ("first", "second")] for zone in zones.zones]
    entries = [
        [{**where(zone), "token": tokens[number][which]} for number, zone in enumerate(zones.zones)] for which in (0, 1)
    ]
    home = tmp_path / "run" / "home"
    logins = Logins(tmp_path / "run", {})
    path = home / ".docker" / "config.json"
    for step, given in (("new", entries[0]), ("changed", [entries[0][0], entries[1][1]])):
        logins.add(f"{step} check", check=True, zones=given)
        logins.look(f"{step} checked", path)
        logins.add(step, zones=given)
        logins.add(f"{step} again", zones=given)
    logins.add("removed", zones=entries[0], state="absent")
    ended = logins.run()
    assert not ended.result("new checked")["stat"]["exists"]
    told = {task.task: [zone["changed"] for zone in task.result.get("zones", [])] for task in ended.tasks}
    assert [told[name] for name in ("new check", "new", "new again")] == [[True] * 2, [True] * 2, [False] * 2]
    assert [told[name] for name in ("changed check", "changed", "changed again")] == [
        [False, True],
        [False, True],
        [False, False],
    ]
    assert told["removed"] == [True, True]
    assert [zone["zone"] for zone in ended.result("new")["zones"]] == [zone.name for zone in zones.zones]
    assert ended.result("new")["zones"][0]["auth_file"] == str(path)
    assert json.loads(path.read_text()) == {"auths": {}}
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)


@pytest.mark.thorough
def test_a_credential_helper(zones: LocalZones, tmp_path: Path) -> None:
    zone = zones[0]
    program = tmp_path / "docker-credential-keeper"
    program.write_text(KEEPER)
    program.chmod(0o755)
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"credsStore": "keeper"}))
    tokens = [{"token": zone.token_for("shop", name)} for name in ("first", "second")]
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    logins = Logins(tmp_path / "run", {**where(zone), "auth_file": str(path)}, environment)
    assert matrix(logins, tokens[0], tokens[1], path) == EXPECTED
    assert json.loads(path.read_text()) == {"credsStore": "keeper"}
    assert json.loads((tmp_path / "kept.json").read_text()) == {}


@pytest.mark.thorough
def test_one_pusher_for_each_namespace(zones: LocalZones, tmp_path: Path) -> None:
    zone = zones[0]
    path = tmp_path / "auth.json"
    shop, office = (zone.token_for(name, "image-pusher") for name in ("shop", "office"))
    logins = Logins(
        tmp_path / "run", {**where(zone), "auth_file": str(path), "client": "podman", "key_scope": "namespace"}
    )
    logins.add("shop", namespace="shop", token=shop, access=["push"])
    logins.add("office", namespace="office", token=office, access=["push"])
    logins.add("shop again", namespace="shop", token=shop, access=["push"])
    logins.add("swapped", namespace="shop", token=office, access=["push"])
    logins.add("office removed", namespace="office", state="absent")
    ended = logins.run()
    assert ended.changed == ["shop", "office", "office removed"]
    assert "no right to push in the namespace shop" in ended.result("swapped")["msg"]
    assert stored(path, f"{zone.registry}/shop") == ("serviceaccount", shop)
    assert list(json.loads(path.read_text())["auths"]) == [f"{zone.registry}/shop"]


def basic(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.thorough
def test_the_same_in_other_words_changes_nothing(zones: LocalZones, tmp_path: Path) -> None:
    zone: Zone = zones[0]
    token = zone.token_for("shop", "image-pusher")
    written = {
        "plain": {zone.registry: {"username": "serviceaccount", "password": token}},
        "old": {f"https://{zone.registry}/v1/": {"username": "serviceaccount", "password": token}},
        "named": {zone.registry: {"username": "jane", "password": token}},
        "openshift's own": {zone.registry: {"auth": basic(f"<token>:{token}")}},
        "made with echo": {zone.registry: {"auth": basic(f"serviceaccount:{token}\n")}},
        "for an exchange": {zone.registry: {"identitytoken": token}},
    }
    logins = Logins(tmp_path / "run", {**where(zone), "token": token})
    for name, auths in written.items():
        (tmp_path / name).write_text(json.dumps({"auths": auths}))
        (tmp_path / name).chmod(0o400)
        logins.add(name, auth_file=str(tmp_path / name))
    logins.add("another name", auth_file=str(tmp_path / "named"), username="joe")
    for name in ("made with echo", "for an exchange"):
        logins.add(f"{name}, again", auth_file=str(tmp_path / name))
    ended = logins.run()
    assert ended.changed == ["made with echo", "for an exchange", "another name"], "clients can use what is left"
    assert "in another form" in ended.result("made with echo")["msg"]
    for name in ("made with echo", "for an exchange"):
        assert stored(tmp_path / name, zone.registry) == ("serviceaccount", token)
    assert ended.result("named")["username"] == "jane"
    assert stored(tmp_path / "named", zone.registry) == ("joe", token)
