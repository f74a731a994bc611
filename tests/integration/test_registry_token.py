# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""appuio_registry_token on local zones: the matrix, a rotation under pushes, what others have made, what is shown."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects.tokens import USED
from ansible_collections.appuio.registry.plugins.module_utils._runner import RunContext
from ansible_collections.appuio.registry.plugins.module_utils._token.options import SPEC
from ansible_collections.appuio.registry.plugins.module_utils._token.task import token_task

from tests.image import make_layout
from tests.integration.api import ask, may_push
from tests.integration.namespace import everything_in
from tests.integration.playbook import play, run_playbook
from tests.integration.push import Pusher
from tests.zone import LocalZones, Zone
from tests.zone.client import GUARD

MODULE = "appuio.registry.appuio_registry_token"
RIGHTS = "appuio.registry.appuio_access_info"
HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
DEFAULTS = {name: option.get("default") for name, option in SPEC.options.items()}


@pytest.fixture(scope="module")
def zones() -> Iterator[list[Zone]]:
    with LocalZones(2) as running:
        yield running.zones


@dataclass
class Account:
    """A project of a test's own with a service account that may push, and its admin."""

    zone: Zone
    project: str
    admin: str = field(repr=False)
    warned: list[str] = field(default_factory=list)

    @property
    def where(self) -> dict[str, Any]:
        """The options that lead there."""
        return {"zone": self.zone.name, "host": self.zone.host, "ca_cert": self.zone.ca_file, "retries": 0}

    def run(self, *, check: bool = False, **options: Any) -> dict[str, Any]:
        """Run the module's task in this process; raises AppuioError."""
        who = {"namespace": self.project, "service_account": "image-pusher", "token": self.admin}
        directory = str(Path(self.zone.ca_file).parent)
        context = RunContext({}, directory, lambda _value: None, self.warned.append)
        task = token_task({**DEFAULTS, **self.where, **who, **options}, context)
        self.zone.clear_requests()
        try:
            plan = task.plan()
            result = plan.predict() if check else task.apply(plan)
        finally:
            task.close()
        assert result["changed"] == (plan.diff() is not None)
        return result

    def writes(self) -> list[str]:
        """Return the requests of the last run that changed something."""
        return [f"{one['method']} {one['path'].rpartition('/')[2]}" for one in self.zone.writes()]

    def may_push(self, token: str) -> bool:
        """Whether the registry takes the token for a push."""
        return may_push(self.zone, token, self.project)


@pytest.fixture
def account(zones: list[Zone], request: pytest.FixtureRequest) -> Account:
    return made_account(zones[0], "p" + hashlib.sha256(request.node.name.encode()).hexdigest()[:8])


def made_account(zone: Zone, project: str) -> Account:
    admin = zone.create_user("ada", "", {project: "admin"})
    zone.token_for(project, "image-pusher")
    return Account(zone, project, admin)


def matrix(account: Account, steps: Mapping[str, dict[str, Any]]) -> dict[str, list[bool]]:
    """Run check and real, first and again; check mode must write nothing and foresee what happens."""
    found = {}
    for name, options in steps.items():
        check = account.run(check=True, **options)
        assert account.writes() == [], f"{name} in check mode"
        real = account.run(**options)
        assert check["msg"] == real["msg"]
        assert bool(account.writes()) == real["changed"], name
        again_check = account.run(check=True, **options)
        assert account.writes() == []
        again = account.run(**options)
        found[name] = [check["changed"], real["changed"], again_check["changed"], again["changed"]]
    return found


@pytest.mark.thorough
def test_the_matrix_of_a_token_in_a_secret(account: Account) -> None:
    before = everything_in(account.zone, account.project)
    found = matrix(account, {"new": {}, "again": {}})
    assert found == {"new": [True, True, False, False], "again": [False] * 4}
    first = account.run()
    assert account.may_push(first["token"])
    assert (first["secret_name"], first["expires_at"]) == ("image-pusher-secret", None)
    assert matrix(account, {"changed": {"state": "rotated"}}) == {"changed": [True] * 4}, "each rotation is a new one"
    rotated = account.run()
    assert (rotated["changed"], rotated["secret_name"]) == (False, "image-pusher-secret-3")
    assert [one["secret_name"] for one in rotated["retired"]] == ["image-pusher-secret", "image-pusher-secret-2"]
    assert account.may_push(first["token"])
    assert matrix(account, {"after": {"grace": "0"}}) == {"after": [True, True, False, False]}
    assert not account.may_push(first["token"])
    assert account.may_push(rotated["token"])
    assert matrix(account, {"removed": {"state": "absent"}}) == {"removed": [True, True, False, False]}
    assert not account.may_push(rotated["token"])
    assert as_it_was(account) == before
    assert account.run()["token"] not in (first["token"], rotated["token"]), "they stay dead"


def as_it_was(account: Account) -> dict[str, Any]:
    """Return everything that is there but the note of the names that were used, which stays with the account."""
    found = everything_in(account.zone, account.project)
    del found["ServiceAccount image-pusher"]["metadata"]["annotations"][USED]
    if not found["ServiceAccount image-pusher"]["metadata"]["annotations"]:
        del found["ServiceAccount image-pusher"]["metadata"]["annotations"]
    return found


@pytest.mark.thorough
def test_the_matrix_of_a_bound_token(account: Account) -> None:
    bound: dict[str, Any] = {"kind": "bound", "expiration": "20m"}
    before = everything_in(account.zone, account.project)
    assert matrix(account, {"new": bound}) == {"new": [True] * 4}, "nobody has kept it"
    token = account.run(**bound)["token"]
    kept = {**bound, "current_token": token}
    assert matrix(account, {"again": kept}) == {"again": [False] * 4}
    assert account.run(**kept)["token"] == token
    assert account.may_push(token)
    assert matrix(account, {"changed": {**kept, "state": "rotated"}}) == {"changed": [True] * 4}
    assert matrix(account, {"removed": {**kept, "state": "absent"}}) == {"removed": [False] * 4}
    assert everything_in(account.zone, account.project) == before
    old = account.zone.bound_token_for(account.project, "image-pusher", 0)
    assert account.run(**{**bound, "current_token": old})["changed"], "its life is over"


@pytest.mark.thorough
def test_what_others_made_is_used_and_stays_unless_adopted(account: Account) -> None:
    path = f"/api/v1/namespaces/{account.project}/secrets"
    metadata = {
        "name": "image-pusher-secret",
        "labels": {"of": "oc"},
        "annotations": {"kubernetes.io/service-account.name": "image-pusher"},
    }
    secret = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token"}
    assert ask(account.zone, account.admin, "POST", path, {**secret, "metadata": metadata})[0] == 201
    used = account.run()
    assert account.may_push(used["token"])
    before = everything_in(account.zone, account.project)
    rotated = account.run(state="rotated")
    assert rotated["secret_name"] == "image-pusher-secret-2"
    assert "adopt would retire it" in rotated["left"][0]
    assert account.run(state="absent", grace="0")["left"]
    assert as_it_was(account) == before
    assert account.run(adopt=True)["changed"]
    found = account.zone.object("Secret", "image-pusher-secret", account.project)
    assert found is not None
    assert found["metadata"]["labels"] == {"of": "oc", "app.kubernetes.io/managed-by": "appuio.registry"}
    assert account.run(state="absent")["changed"]
    assert not account.may_push(used["token"])


@pytest.mark.thorough
def test_with_a_password_and_with_a_kubeconfig(account: Account) -> None:
    """The session of a password ends with the task, in check mode as well."""
    account.zone.create_user("ada", "a-password")
    user = {"token": None, "username": "ada", "password": "a-password"}
    for check in (True, False):
        assert account.run(check=check, **user)["changed"]
        revoked = [one for one in account.zone.writes() if one["method"] == "DELETE"]
        assert ["oauthaccesstokens" in one["path"] for one in revoked] == [True]
    kubeconfig = {"token": None, "ca_cert": None, "kubeconfig": account.zone.kubeconfig}
    assert account.run(**kubeconfig)["changed"] is False


@pytest.mark.thorough
def test_no_push_fails_while_tokens_rotate(account: Account, tmp_path: Path) -> None:
    """A pipeline that takes the new token at once, and one that keeps the old one for the time of grace."""
    tokens = {"old": account.run()["token"]}
    tokens["new"] = tokens["old"]
    images = [f"oci:{tmp_path / name}" for name in ("one", "two")]
    for image in images:
        make_layout(image.partition(":")[2], platforms=["linux/amd64"], layers=1, size=500, seed=image)
    pipelines = {name: Pipeline(account, tmp_path / name, tokens, name, images) for name in tokens}
    for pipeline in pipelines.values():
        pipeline.start()
    for _rotation in range(2):
        for pipeline in pipelines.values():
            pipeline.push_once_more()
        tokens["new"] = account.run(state="rotated")["token"]
    for pipeline in pipelines.values():
        pipeline.push_once_more()
        pipeline.end()
        assert pipeline.failures == []
    account.run(grace="0")
    with pytest.raises(AppuioError, match="does not accept the credential"):
        pipelines["old"].push(images[0])
    pipelines["new"].push(images[0])


class Pipeline(threading.Thread):
    """Pushes two images in turn under one tag, with whatever token of this name there is at the time."""

    def __init__(self, account: Account, folder: Path, tokens: dict[str, str], name: str, images: list[str]) -> None:
        super().__init__(name=name)
        folder.mkdir()
        self._account, self._folder, self._tokens, self._images = account, folder, tokens, images
        self._ended, self._pushed = threading.Event(), threading.Semaphore(0)
        self.failures: list[str] = []

    def run(self) -> None:
        number = 0
        while not self._ended.is_set():
            try:
                self.push(self._images[number % 2])
            except AppuioError as error:
                self.failures.append(str(error))
            number += 1
            self._pushed.release()

    def push(self, image: str) -> None:
        """Push with the token of the moment; raises AppuioError."""
        zone = self._account.zone
        pusher = Pusher([zone], self._account.project, {zone.name: self._tokens[self.name]}, self._folder)
        pusher.push(image, name=self.name)

    def push_once_more(self) -> None:
        """Wait until a push has begun and ended from now on."""
        while self._pushed.acquire(blocking=False):
            pass
        for _push in range(2):
            assert self._pushed.acquire(timeout=GUARD)

    def end(self) -> None:
        """Let the last push end."""
        self._ended.set()
        self.join()


def option_shown(result: dict[str, Any], name: str) -> Any:
    """Return what Ansible shows of an option; newer versions show none."""
    return (result.get("invocation") or {}).get("module_args", {}).get(name)


def test_as_a_task(zones: list[Zone], tmp_path: Path) -> None:
    """What Ansible shows: nothing secret but the result itself, check mode, diff, several zones, preflight."""
    first, second = (made_account(zone, "tasks") for zone in zones)
    who = {**first.where, "namespace": "tasks", "service_account": "image-pusher", "token": first.admin}
    entries = [{**one.where, "token": one.admin} for one in (first, second)]
    together = {"namespace": "tasks", "service_account": "image-pusher", "zones": entries}
    editor = first.zone.token_for("tasks", "editor", "registry-viewer")
    bound = {**who, "kind": "bound", "expiration": "1h"}
    tasks: list[dict[str, Any]] = [
        {"name": "foreseen", MODULE: who, "check_mode": True},
        {"name": "made", MODULE: who, "register": "made"},
        {"name": "itself", MODULE: {**who, "token": "{{ made.token }}"}},
        {"name": "rotated", MODULE: {**who, "state": "rotated"}},
        {"name": "bound", MODULE: bound, "register": "bound"},
        {"name": "kept", MODULE: {**bound, "current_token": "{{ bound.token }}"}},
        {"name": "no account", MODULE: {**who, "service_account": "nobody"}, "ignore_errors": True},
        {"name": "no right", MODULE: {**who, "token": editor, "kind": "bound"}, "ignore_errors": True},
        {"name": "one fails", MODULE: {**together, "zones": [entries[0], {**entries[1], "token": "a-wrong-token"}]},
         "ignore_errors": True},
        {"name": "absent", MODULE: {**together, "state": "absent"}},
        {"name": "rights", RIGHTS: {**who, "service_account": None, "token": editor, "roles": ["view"],
                                    "rights": [{"verb": "create", "resource": "secrets"}]}},
        {"name": "roles", RIGHTS: {**who, "service_account": None, "roles": ["view", "cluster-admin"]}},
        {"name": "as it", RIGHTS: {**who, "rights": [
            {"verb": "update", "group": "image.openshift.io", "resource": "imagestreams/layers"},
            {"verb": "create", "resource": "serviceaccounts/token"}]}},
    ]  # fmt: skip
    for task in tasks:
        for options in task.values():
            if isinstance(options, dict):
                options.update({name: "{{ omit }}" for name, value in options.items() if value is None})
    ended = run_playbook([play(tasks)], tmp_path, diff=True, verbosity=3).succeeded()
    results = ended.results

    assert (results["foreseen"]["changed"], results["foreseen"]["token"]) == (True, None)
    made = results["made"]
    assert made["diff"]["after"] == results["foreseen"]["diff"]["after"] == "image-pusher-secret: holds the token\n"
    assert first.zone.object("Secret", "image-pusher-secret", "tasks") is None
    assert made["token"].count(".") == 2
    itself = results["itself"]
    assert (itself["changed"], itself["token"]) == (False, made["token"]), "its own token is no secret to the result"
    assert option_shown(itself, "token") in (None, HIDDEN)
    assert results["rotated"]["secret_name"] == "image-pusher-secret-2"
    assert (results["kept"]["changed"], results["kept"]["token"]) == (False, results["bound"]["token"])
    assert option_shown(results["kept"], "current_token") in (None, HIDDEN)
    assert "no service account nobody in the namespace tasks" in results["no account"]["msg"]
    assert "the right to create serviceaccounts/token in the namespace tasks is missing" in results["no right"]["msg"]
    told = results["one fails"]["zones"]
    assert [entry.get("failed", False) for entry in told] == [False, True]
    assert [entry["token"] for entry in told] == [None, None], "failures are printed"
    assert second.zone.name in results["one fails"]["msg"]
    assert [entry["changed"] for entry in results["absent"]["zones"]] == [True, False]
    shown = json.dumps([task.result for task in ended.tasks])
    assert not any(account.admin in shown for account in (first, second))

    assert results["rights"]["problems"] == ["the right to create secrets in the namespace tasks is missing"]
    roles = results["roles"]
    assert list(roles["refused"]) == ["cluster-admin"]
    assert "attempting to grant RBAC permissions not currently held" in roles["refused"]["cluster-admin"]
    assert (results["as it"]["sufficient"], results["as it"]["missing"]) == (False, ["create serviceaccounts/token"])
