# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which stored token is used again, which API is asked about it and how, and which one ends."""

from __future__ import annotations

import base64
import json
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._credentials.method import ApiLogin
from ansible_collections.appuio.registry.plugins.module_utils._credentials.password_method import PasswordMethod
from ansible_collections.appuio.registry.plugins.module_utils._credentials.select import select_method
from ansible_collections.appuio.registry.plugins.module_utils._errors import (
    AppuioError,
    InvalidOptionError,
    MissingLibraryError,
    UnauthorizedError,
)
from ansible_collections.appuio.registry.plugins.module_utils._login import credential, store
from ansible_collections.appuio.registry.plugins.module_utils._login import task as login_task
from ansible_collections.appuio.registry.plugins.module_utils._login.options import Login
from ansible_collections.appuio.registry.plugins.module_utils._login.task import LoginTask
from ansible_collections.appuio.registry.plugins.module_utils._openshift.oauth import OAuthToken, oauth_token_name
from ansible_collections.appuio.registry.plugins.module_utils._openshift.resources import ApiAddress
from ansible_collections.appuio.registry.plugins.module_utils._signals import StopSignals
from ansible_collections.appuio.registry.plugins.module_utils._targets import (
    Connection,
    Credential,
    RunContext,
    targets_from,
)

from tests.unit.plugins.module_utils.scripted_api import Line, ScriptedApi, answer, refusal

ZONE = {"zone": "cloudscale-lpg-2", "namespace": "shop"}
JANE = {"username": "JANE", "password": "a-password"}
WHO = "GET /apis/user.openshift.io/v1/users/~"
END = "GET /apis/oauth.openshift.io/v1/useroauthaccesstokens/sha256~"
REVOKED = "DELETE /apis/oauth.openshift.io/v1/useroauthaccesstokens/sha256~"
METADATA = {"name": oauth_token_name("sha256~t"), "creationTimestamp": "2020-01-01T00:00:00Z"}
ENDED = {"metadata": METADATA, "expiresIn": 86400}
LASTING = {"metadata": METADATA, "expiresIn": 10**10}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[ApiLogin]]:
    """Let the API answer from a script; gives the ways to it that were opened."""

    def script(*lines: Line | tuple[str, Exception]) -> list[ApiLogin]:
        opened: list[ApiLogin] = []
        left = list(lines)

        def api(login: ApiLogin) -> Any:
            opened.append(login)
            scripted = ScriptedApi()
            scripted.lines = left
            return scripted.api

        monkeypatch.setattr(ApiLogin, "api", api)
        return opened

    return script


def login(path: str = "/nowhere", environment: dict[str, str] | None = None, **options: Any) -> tuple[Login, Any]:
    target = targets_from({**ZONE, **options})[0]
    return Login(target, path), select_method(target, RunContext(environment=environment or {}))


def named(name: str) -> Line:
    return (WHO, answer(200, {"metadata": {"name": name}}))


@pytest.mark.parametrize(
    ("stored_as", "known_as", "kept"),
    [
        ("JANE", "jane", True),
        ("serviceaccount", "jane", True),
        ("JANE", "u-12345", True),  # known to OpenShift by another name altogether
        ("serviceaccount", "bob", False),
        ("bob", "bob", False),
    ],
)
def test_a_token_of_the_same_user_is_kept_by_whatever_name(
    asked: Callable[..., list[ApiLogin]], stored_as: str, known_as: str, kept: bool
) -> None:
    asked(named(known_as), (END, answer(200, LASTING)))
    wanted, method = login(**JANE)
    found = credential.reusable_credential(wanted, method, Credential("sha256~t", stored_as, is_token=False))
    assert found.kept is kept
    assert (found.credential is not None) is kept


def test_a_token_that_ends_soon_is_not_kept(asked: Callable[..., list[ApiLogin]]) -> None:
    asked(named("JANE"), (END, answer(200, ENDED)))
    wanted, method = login(**JANE)
    assert not credential.reusable_credential(wanted, method, Credential("sha256~t", "JANE")).kept


def test_a_token_that_the_api_does_not_know_is_not_kept(asked: Callable[..., list[ApiLogin]]) -> None:
    asked((WHO, refusal(401, "Unauthorized")))
    wanted, method = login(**JANE)
    assert not credential.reusable_credential(wanted, method, Credential("sha256~t", "JANE")).kept


@pytest.mark.parametrize(("stored_as", "kept"), [("JANE", True), ("serviceaccount", False)])
def test_without_the_library_the_name_that_was_stored_counts(
    monkeypatch: pytest.MonkeyPatch, stored_as: str, kept: bool
) -> None:
    def missing(*_given: Any) -> str:
        raise MissingLibraryError("kubernetes", "to ask the API of a zone")

    monkeypatch.setattr("ansible_collections.appuio.registry.plugins.module_utils._openshift.oauth.user_name", missing)
    wanted, method = login(**JANE)
    assert credential.reusable_credential(wanted, method, Credential("sha256~t", stored_as)).kept is kept


def test_a_password_of_a_registry_is_not_sent_to_the_api(asked: Callable[..., list[ApiLogin]]) -> None:
    opened = asked()
    wanted, method = login(**JANE)
    assert credential.reusable_credential(wanted, method, Credential("a-password", "JANE")).credential is None
    assert opened == []


def test_the_path_of_the_host_is_kept(asked: Callable[..., list[ApiLogin]]) -> None:
    opened = asked(named("JANE"), (END, answer(200, LASTING)), (REVOKED, answer(200, {})))
    wanted, method = login(**JANE, host="https://proxy.example/k8s/clusters/c-1")
    stored = Credential("sha256~t", "JANE")
    credential.reusable_credential(wanted, method, stored)
    credential.revoke(wanted, stored)
    assert [way.address.url for way in opened] == ["https://proxy.example/k8s/clusters/c-1"] * 2


@pytest.mark.parametrize(
    ("options", "environment", "verified"),
    [
        ({"token": "t"}, {"K8S_AUTH_VERIFY_SSL": "false"}, True),
        (JANE, {"K8S_AUTH_VERIFY_SSL": "False"}, True),
        ({"token": "t", "service_account": "a"}, {"K8S_AUTH_VERIFY_SSL": "no"}, True),
        ({}, {"K8S_AUTH_VERIFY_SSL": "false", "K8S_AUTH_API_KEY": "t"}, False),
        ({}, {"K8S_AUTH_API_KEY": "t"}, True),
    ],
)
def test_the_environment_of_awx_counts_for_its_own_credential_alone(
    asked: Callable[..., list[ApiLogin]], options: dict[str, str], environment: dict[str, str], verified: bool
) -> None:
    opened = asked()
    _login, method = login(environment=environment, **options)
    credential.api_for(method, "another-token", attempt_once=True)
    assert (opened[0].token, opened[0].address.connection.validate_certs) == ("another-token", verified)
    assert opened[0].address.connection.retries == 0


def test_a_client_certificate_of_a_kubeconfig_does_not_speak_for_another_token(
    monkeypatch: pytest.MonkeyPatch, asked: Callable[..., list[ApiLogin]]
) -> None:
    opened = asked()
    _login, method = login(token="t")
    address = ApiAddress("https://api.example:6443", Connection(client_cert="/theirs", client_key="/theirs"))
    monkeypatch.setattr(type(method), "api_login", lambda _method: ApiLogin(address, "t"))
    credential.api_for(method, "another-token")
    assert (opened[0].address.connection.client_cert, opened[0].address.connection.client_key) == (None, None)


def test_a_kept_token_that_the_registry_refuses_is_replaced(
    monkeypatch: pytest.MonkeyPatch, asked: Callable[..., list[ApiLogin]], tmp_path: Path
) -> None:
    def refused(_login: Login, tried: Credential) -> None:
        if tried.secret != "sha256~fetched":
            raise UnauthorizedError("it was revoked")

    asked(named("JANE"), (END, answer(200, LASTING)))
    monkeypatch.setattr(login_task, "check_login", refused)
    monkeypatch.setattr(PasswordMethod, "_login", lambda _method: OAuthToken("sha256~fetched", 86400))
    path = tmp_path / "config.json"
    target = targets_from({**ZONE, **JANE})[0]
    auth = base64.b64encode(b"JANE:sha256~revoked").decode()
    path.write_text(json.dumps({"auths": {str(target.zone.registry): {"auth": auth}}}))
    task = LoginTask([Login(target, str(path))], RunContext())
    result = task.apply(task.plan())
    task.close()
    assert result["changed"]
    assert base64.b64encode(b"JANE:sha256~fetched").decode() in path.read_text()


def account_token(**claims: Any) -> str:
    parts = [{"alg": "none"}, {"sub": "system:serviceaccount:shop:image-pusher", **claims}]
    return ".".join(
        [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts] + ["x"]
    )


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("sha256~t", None),
        (
            account_token(),
            "the token of the service account image-pusher was not revoked: it is good until its Secret is deleted",
        ),
        (
            account_token(exp=1795512600),
            "the token of the service account image-pusher was not revoked: it ends at 2026-11-24T09:30:00Z",
        ),
        ("a-password", "it was not revoked, as it is no token of the zone's API"),
    ],
)
def test_what_can_be_revoked(secret: str, said: str | None) -> None:
    assert credential.unrevocable(login(**JANE)[0], Credential(secret)) == said


def test_nothing_can_be_revoked_where_nothing_names_the_api() -> None:
    target = targets_from({"registry": "registry.example.com"})[0]
    with pytest.raises(InvalidOptionError, match=r"nothing names the API\. Give zone or host"):
        credential.unrevocable(Login(target, "/nowhere"), Credential("sha256~t"))


def test_a_token_that_is_over_already_is_no_failure(asked: Callable[..., list[ApiLogin]]) -> None:
    asked((REVOKED, refusal(401, "Unauthorized")))
    credential.revoke(login(**JANE)[0], Credential("sha256~t"))


def fetching(monkeypatch: pytest.MonkeyPatch, path: Path) -> LoginTask:
    """A login that gets a token for a password, and asks no registry."""
    monkeypatch.setattr(PasswordMethod, "_login", lambda _method: OAuthToken("sha256~fetched", 86400))
    target = targets_from({**ZONE, **JANE})[0]
    return LoginTask([Login(target, str(path), verify=False)], RunContext())


def test_a_token_that_was_stored_lives_on(
    monkeypatch: pytest.MonkeyPatch, asked: Callable[..., list[ApiLogin]], tmp_path: Path
) -> None:
    opened = asked()
    task = fetching(monkeypatch, tmp_path / "config.json")
    result = task.apply(task.plan())
    task.close()
    assert result["changed"]
    assert opened == []
    auths = json.loads((tmp_path / "config.json").read_text())["auths"]
    assert base64.b64decode(next(iter(auths.values()))["auth"]) == b"JANE:sha256~fetched"
    assert result["expires_at"]


@pytest.mark.parametrize("failure", [AppuioError("the disk is full"), KeyboardInterrupt()])
def test_a_token_that_could_not_be_stored_is_revoked(
    monkeypatch: pytest.MonkeyPatch, asked: Callable[..., list[ApiLogin]], tmp_path: Path, failure: BaseException
) -> None:
    opened = asked((REVOKED, answer(200, {})))
    task = fetching(monkeypatch, tmp_path / "config.json")

    def fail(*_given: Any) -> None:
        raise failure

    monkeypatch.setattr(store, "edit", fail)
    plan = task.plan()
    with pytest.raises(type(failure)):
        task.apply(plan)
    task.close()
    assert [way.token for way in opened] == ["sha256~fetched"]


def test_a_token_that_comes_when_the_task_is_stopped_is_revoked_and_not_stored(
    monkeypatch: pytest.MonkeyPatch, asked: Callable[..., list[ApiLogin]], tmp_path: Path
) -> None:
    opened = asked((REVOKED, answer(200, {})))
    task = fetching(monkeypatch, tmp_path / "config.json")

    def login_while_stopped(_method: PasswordMethod) -> OAuthToken:
        signal.raise_signal(signal.SIGTERM)
        return OAuthToken("sha256~fetched", 86400)

    monkeypatch.setattr(PasswordMethod, "_login", login_while_stopped)
    plan = task.plan()
    with StopSignals():
        with pytest.raises(AppuioError, match=r"store the credential: stopped by SIGTERM. Run the task again"):
            task.apply(plan)
        task.close()
    assert [way.token for way in opened] == ["sha256~fetched"]
    assert not (tmp_path / "config.json").exists()


def helped(folder: Path, **given: Any) -> tuple[Login, RunContext]:
    """Return a login that the helper ``keeper`` keeps, in the file ``kept`` of the folder."""
    program, kept = folder / "docker-credential-keeper", folder / "kept"
    program.write_text(
        f'#!/bin/sh\ncase "$1" in store) cat >{kept};; get) cat {kept} 2>/dev/null || '
        f"{{ echo credentials not found; exit 1; }};; erase) rm -f {kept};; esac\n"
    )
    program.chmod(0o755)
    login = Login(
        targets_from({**ZONE, "host": "https://api.example", **given.pop("who", {"token": "sha256~t"})})[0],
        str(folder / "config.json"),
        verify=False,
        credential_store="keeper",
        **given,
    )
    return login, RunContext(environment={"PATH": f"{folder}:{os.environ['PATH']}"})


def failing_edit(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_given: Any) -> None:
        raise AppuioError("config.json cannot be written: Read-only file system", hint="Name another one")

    monkeypatch.setattr(store, "edit", fail)


@pytest.mark.parametrize("several", [False, True])
def test_what_the_helper_has_stored_is_told_where_the_file_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, several: bool
) -> None:
    failing_edit(monkeypatch)
    login, context = helped(tmp_path)
    task = LoginTask([login], context, several=several)
    with pytest.raises(
        AppuioError, match="Read-only file system; the helper keeper has the credential already"
    ) as failed:
        task.apply(task.plan())
    task.close()
    assert json.loads((tmp_path / "kept").read_text())["Secret"] == "sha256~t"
    assert failed.value.result["changed"]
    assert [zone["changed"] for zone in failed.value.result.get("zones", [])] == [True] * several


def test_a_token_that_the_helper_has_lives_on(
    monkeypatch: pytest.MonkeyPatch, asked: Callable[..., list[ApiLogin]], tmp_path: Path
) -> None:
    opened = asked()
    failing_edit(monkeypatch)
    monkeypatch.setattr(PasswordMethod, "_login", lambda _method: OAuthToken("sha256~fetched", 86400))
    login, context = helped(tmp_path, who=JANE)
    task = LoginTask([login], context)
    with pytest.raises(AppuioError):
        task.apply(task.plan())
    task.close()
    assert json.loads((tmp_path / "kept").read_text())["Secret"] == "sha256~fetched"
    assert opened == []


def test_what_a_logout_has_done_is_told_where_the_file_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, asked: Callable[..., list[ApiLogin]], tmp_path: Path
) -> None:
    asked((REVOKED, answer(200, {})))
    login, context = helped(tmp_path, present=False, revoke=True)
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "kept").write_text(json.dumps({"Username": "jane", "Secret": "sha256~t"}))
    failing_edit(monkeypatch)
    task = LoginTask([login], context)
    with pytest.raises(AppuioError) as failed:
        task.apply(task.plan())
    assert failed.value.result["changed"]
    assert "; the helper keeper has removed the credential already; the token is revoked already" in str(failed.value)


def test_nothing_is_told_as_changed_where_nothing_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    failing_edit(monkeypatch)
    target = targets_from({**ZONE, "token": "sha256~t"})[0]
    task = LoginTask([Login(target, str(tmp_path / "config.json"), verify=False)], RunContext(), several=True)
    with pytest.raises(AppuioError) as failed:
        task.apply(task.plan())
    assert not failed.value.result["changed"]
    assert "already" not in str(failed.value)


def test_check_mode_gets_no_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    task = fetching(monkeypatch, tmp_path / "config.json")
    monkeypatch.setattr(PasswordMethod, "_login", lambda _method: pytest.fail("a token was got"))
    assert task.plan().predict()["msg"].startswith("Logged in to registry.cloudscale-lpg-2.appuio.cloud: no credential")
    task.close()


def stored_login(path: Path, secret: str) -> Login:
    target = targets_from(ZONE)[0]
    auth = base64.b64encode(f"serviceaccount:{secret}".encode()).decode()
    path.write_text(json.dumps({"auths": {str(target.zone.registry): {"auth": auth}}}))
    return Login(target, str(path), present=False, revoke=True)


def test_a_logout_says_truly_what_was_not_revoked(tmp_path: Path) -> None:
    warnings: list[str] = []
    task = LoginTask([stored_login(tmp_path / "config.json", account_token())], RunContext(warn=warnings.append))
    plan = task.plan()
    predicted = plan.predict()
    result = task.apply(plan)
    assert result["msg"] == predicted["msg"]
    assert "its token is revoked" not in result["msg"]
    assert result["msg"].endswith("image-pusher was not revoked: it is good until its Secret is deleted")
    assert warnings == [f"zone cloudscale-lpg-2: {result['msg'].partition('; ')[2]}"]
    assert json.loads((tmp_path / "config.json").read_text()) == {"auths": {}}


def test_a_login_stays_where_its_token_could_not_be_revoked(
    asked: Callable[..., list[ApiLogin]], tmp_path: Path
) -> None:
    asked((REVOKED, refusal(500, "etcd is away")))
    task = LoginTask([stored_login(tmp_path / "config.json", "sha256~t")], RunContext())
    before = (tmp_path / "config.json").read_text()
    with pytest.raises(AppuioError, match=r"zone cloudscale-lpg-2: revoke the token: .*etcd is away"):
        task.apply(task.plan())
    assert (tmp_path / "config.json").read_text() == before


def test_zones_are_asked_at_once_and_written_only_where_they_said_yes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "config.json"
    everybody = threading.Barrier(3, timeout=600)

    def check(wanted: Login, _credential: Credential) -> None:
        everybody.wait()
        if wanted.target.zone.name != "a-b-2":
            raise UnauthorizedError("no")

    monkeypatch.setattr(login_task, "check_login", check)
    targets = targets_from({"zones": ["a-b-1", "a-b-2", "a-b-3"], "token": "t"})
    task = LoginTask([Login(target, str(path)) for target in targets], RunContext(), several=True)
    with pytest.raises(AppuioError, match=r"2 of 3 zones failed: zone a-b-1: no \| zone a-b-3: no") as failed:
        task.apply(task.plan())
    assert [zone["changed"] for zone in failed.value.result["zones"]] == [False, True, False]
    assert list(json.loads(path.read_text())["auths"]) == ["registry.a-b-2.appuio.cloud"]
