# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the parameters of a task to its result: entries of zones, secrets, failures."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._argspec import (
    CONNECTION,
    CREDENTIALS,
    ZONE,
    ZONES,
    ArgumentSpec,
)
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError, MissingLibraryError
from ansible_collections.appuio.registry.plugins.module_utils._runner import run_module
from ansible_collections.appuio.registry.plugins.module_utils._targets import RunContext

from tests.unit.module_arguments import handed_over

SPEC = (
    ZONE
    + ZONES
    + CREDENTIALS
    + CONNECTION
    + ArgumentSpec(
        options={
            "tags": {"type": "list", "elements": "str"},
            "current_token": {"type": "str", "no_log": True},
            "accounts": {"type": "list", "elements": "dict"},
        },
        zone_options=("current_token",),
    )
)


class Nothing:
    """A plan with nothing to do."""

    changed = False

    def __init__(self, result: dict[str, Any]) -> None:
        self._result = result

    def predict(self) -> dict[str, Any]:
        return dict(self._result)

    def diff(self) -> None:
        return None


class Task:
    """A task that returns what it was given, or fails as it was told."""

    def __init__(self, result: dict[str, Any], error: Exception | None = None) -> None:
        self.result, self.error, self.closed = result, error, False

    def plan(self) -> Nothing:
        if self.error:
            raise self.error
        return Nothing(self.result)

    def apply(self, plan: Nothing) -> dict[str, Any]:
        return plan.predict()

    def close(self) -> None:
        self.closed = True


def run(
    capsys: pytest.CaptureFixture[str], given: dict[str, Any], error: Exception | None = None, **returned: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the options and the result of a run."""
    seen: dict[str, Any] = {}

    def start(options: dict[str, Any], context: RunContext) -> Task:
        seen.update(options, context=context)
        return Task(returned, error)

    with handed_over(given), pytest.raises(SystemExit):
        run_module(SPEC, start)
    printed = capsys.readouterr().out.strip().splitlines()[-1]
    result = json.loads(printed)
    # How a module of ansible-core 2.22 tells the controller what to hide.
    result.pop("_ansible_new_secrets", None)
    return seen, result


def test_entries_of_zones_have_the_types_and_aliases_of_the_options(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/jane")
    monkeypatch.setenv("CA", "/ca")
    entries = ["a-b-1", {"zone": "a-b-2", "api_key": "t", "timeout": "9", "verify_ssl": "no", "ca_path": "~/ca.crt"}]
    options, result = run(capsys, {"zones": [*entries, {"zone": "a-b-3", "registry_ca_cert": "$CA/r.crt"}]})
    assert not result.get("failed"), result
    typed = {"zone": "a-b-2", "token": "t", "timeout": 9, "validate_certs": False, "ca_cert": "/home/jane/ca.crt"}
    assert options["zones"] == [{"zone": "a-b-1"}, typed, {"zone": "a-b-3", "registry_ca_cert": "/ca/r.crt"}]


def test_entries_whose_options_the_task_knows_stay_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    entries = [{"name": "ci", "labels": "team=shop"}]
    options, result = run(capsys, {"zone": "a-b-1", "accounts": entries})
    assert not result.get("failed"), result
    assert options["accounts"] == entries


@pytest.mark.parametrize(
    ("zones", "message"),
    [
        (
            [{"zone": "a-b-1", "regsitry": "x"}],
            "entry 1 of zones: the option regsitry is unknown. Known are zone, base",
        ),
        (["a-b-1", {"zone": "a-b-2", "timeout": "soon"}], "entry 2 of zones: .*timeout"),
        ([7], "neither a zone identifier nor a dictionary"),
        ([{"zone": "a-b-1", "tags": ["x"]}], "entry 1 of zones: .*tags"),
    ],
)
def test_an_entry_that_cannot_be_meant_is_refused(
    zones: list[Any], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options, result = run(capsys, {"zones": zones})
    assert result["failed"]
    assert options == {}
    assert re.search(message, result["msg"]), result["msg"]


def test_secrets_in_the_entries_of_zones_are_shown_nowhere(capsys: pytest.CaptureFixture[str]) -> None:
    zones = [
        {"zone": "a-b-1", "token": "marker-one"},
        {"zone": "a-b-2", "username": "u", "password": "marker-two", "current_token": "marker-three"},
    ]
    words = "marker-one marker-two marker-three"
    _options, result = run(capsys, {"zones": zones}, words=words)
    assert "marker" not in json.dumps(result)
    _options, result = run(capsys, {"zones": zones}, AppuioError(words))
    assert "marker" not in json.dumps(result)
    _options, result = run(capsys, {"zones": [*zones, {"timeout": "marker-one"}]})
    assert "marker" not in json.dumps(result)


def test_secrets_of_zones_that_images_come_from_are_shown_nowhere(capsys: pytest.CaptureFixture[str]) -> None:
    accounts = [{"source_zone": {"zone": "c", "api_key": "marker-one"}}, {"source_zone": {"password": "marker-two"}}]
    given = {"zone": "a-b-1", "accounts": accounts}
    # Whoever types them comes after this failure.
    _options, result = run(capsys, given, AppuioError("marker-one marker-two"))
    assert "marker" not in json.dumps(result)
    _options, result = run(capsys, {**given, "accounts": [{"labels": {"token": "marker"}}]}, AppuioError("marker"))
    assert result["msg"] == "marker"


def test_a_blank_and_a_number_are_told_before_the_task_begins(capsys: pytest.CaptureFixture[str]) -> None:
    options, result = run(capsys, {"zone": "a-b-1", "token": ""})
    assert result["failed"]
    assert result["msg"].startswith("token is empty")
    assert options == {}
    _options, result = run(capsys, {"tags": [1.1]})
    assert "Put it in quotes" in result["msg"]


def test_a_failure_brings_its_result_and_an_unexpected_one_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    _options, result = run(capsys, {}, AppuioError("it is so", zone="one", result={"zones": [1]}))
    assert (result["failed"], result["msg"], result["zones"]) == (True, "zone one: it is so", [1])
    _options, result = run(capsys, {}, ValueError("odd"))
    assert "This is a bug" in result["msg"]


@pytest.mark.parametrize("error", [None, AppuioError("it is so", result={"warnings": ["a tag stays"]})])
def test_warnings_are_given_to_ansible_as_it_wants_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, error: AppuioError | None
) -> None:
    internal = sys.modules.get("ansible.module_utils._internal")
    if internal is not None:
        # Where other tests have loaded what belongs to the controller, Ansible would show warnings at once.
        monkeypatch.setattr(internal, "is_controller", False, raising=False)
    _options, result = run(capsys, {"_ansible_check_mode": True}, error, warnings=["a tag stays"])
    assert "a tag stays" in json.dumps(result["warnings"])
    assert "deprecations" not in result


@pytest.mark.parametrize(
    ("library", "packages"), [("openshift", "kubernetes openshift"), ("jmespath", "jmespath"), ("lzma", None)]
)
def test_a_missing_library_comes_with_the_command_that_installs_it(
    capsys: pytest.CaptureFixture[str], library: str, packages: str | None
) -> None:
    _options, result = run(capsys, {}, MissingLibraryError(library, "for this"))
    assert f"Failed to import the required Python library ({library})" in result["msg"]
    assert result["msg"].endswith(f"{sys.executable} -m pip install {packages}") == (packages is not None)
    assert ("pip install" in result["msg"]) == (packages is not None)


def test_secrets_of_the_environment_are_inherited_by_no_program(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APPUIO_TOKEN", "marker")
    monkeypatch.setenv("K8S_AUTH_PASSWORD", "marker")
    options, _result = run(capsys, {})
    assert options["context"].environment["APPUIO_TOKEN"] == "marker"
    assert "marker" not in "".join(os.environ.values())


@pytest.mark.parametrize("error", [None, AppuioError("no")])
def test_passwords_in_addresses_are_shown_nowhere(
    capsys: pytest.CaptureFixture[str], error: AppuioError | None
) -> None:
    given = {"proxy": "http://jane:hidden@proxy:3128", "zones": [{"zone": "a-b-1", "proxy": "jane:hi/hidden@proxy"}]}
    _options, result = run(capsys, given, error, way=given["proxy"])
    assert error or result["way"].endswith("proxy:3128")
    # Older Ansible shows the options with each result.
    assert "hidden" not in json.dumps(result)
    _options, result = run(capsys, {**given, "timeout": "soon", "registry": "jane:hidden@registry.example"})
    assert result["failed"]
    assert "hidden" not in json.dumps(result)


def test_a_short_password_in_an_address_masks_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    _options, result = run(capsys, {"proxy": "http://a:1@proxy:3128"}, digest="sha256:1111")
    assert result["digest"] == "sha256:1111"
