# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module's options as logins: what is meant, for which file, and what cannot be meant."""

from __future__ import annotations

import os
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import InvalidOptionError
from ansible_collections.appuio.registry.plugins.module_utils._login.options import SPEC, logins_from
from ansible_collections.appuio.registry.plugins.module_utils._login.task import LoginTask
from ansible_collections.appuio.registry.plugins.module_utils._targets import RunContext

TOKEN = {"token": "a-token"}
HOME = {"HOME": "/home/jane"}


def options(**given: Any) -> dict[str, Any]:
    """Return options as the module gets them, with their defaults."""
    defaults = {name: option.get("default") for name, option in SPEC.options.items()}
    return {**defaults, "zone": None if "zones" in given else "cloudscale-lpg-2", **given}


@pytest.mark.parametrize(
    ("given", "environment", "path"),
    [
        ({}, {}, "/home/jane/.docker/config.json"),
        ({}, {"REGISTRY_AUTH_FILE": "/ci/auth.json"}, "/ci/auth.json"),
        ({"auth_file": "/mine"}, {"REGISTRY_AUTH_FILE": "/ci/auth.json"}, "/mine"),
        ({"auth_file": "relative.json"}, {}, f"{os.getcwd()}/relative.json"),
        ({"client": "podman"}, {"XDG_RUNTIME_DIR": "/nowhere"}, "/home/jane/.config/containers/auth.json"),
    ],
)
def test_which_file_is_written(given: dict[str, Any], environment: dict[str, str], path: str) -> None:
    assert logins_from(options(**TOKEN, **given), {**HOME, **environment})[0].auth_file == path


def test_a_file_for_each_zone() -> None:
    zones = ["a-b-1", {"zone": "a-b-2", "auth_file": "/two"}, {"zone": "a-b-3", "auth_file": "/three", "token": "own"}]
    logins = logins_from(options(zones=zones, auth_file="/all", **TOKEN), HOME)
    assert [login.auth_file for login in logins] == ["/all", "/two", "/three"]
    assert [login.target.who for login in logins] == [TOKEN, TOKEN, {"token": "own"}]


def test_an_entry_may_call_its_file_as_the_task_does() -> None:
    option = SPEC.entry_options()["auth_file"]
    assert (option["type"], option["aliases"]) == ("path", ["authfile", "config_path", "dockercfg_path"])


def test_the_file_to_write_is_nobodys_credential() -> None:
    for given, environment in (({"auth_file": "/mine"}, {}), ({}, {"REGISTRY_AUTH_FILE": "/ci/auth.json"})):
        with pytest.raises(InvalidOptionError, match="no credential is given"):
            LoginTask(logins_from(options(**given), HOME), RunContext(environment={**HOME, **environment}))


def test_logging_out_needs_no_credential() -> None:
    login = logins_from(options(state="absent"), HOME)[0]
    assert not login.present
    LoginTask([login], RunContext(environment=HOME)).close()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"zone": None, "host": "https://api.example.com:6443"}, "nothing names the registry"),
        ({"key_scope": "namespace", "client": "podman"}, "key_scope: namespace needs namespace"),
        ({"key_scope": "namespace", "namespace": "shop"}, "Use client: podman"),
        (
            {"key_scope": "namespace", "namespace": "shop", "client": "podman", "credential_store": "pass"},
            "no credentials of single namespaces",
        ),
        ({"access": ["push"]}, "access needs namespace"),
        ({"namespace": "Bad_Name/.."}, "namespace 'Bad_Name/..' is not the name of a project"),
        ({"zones": [{"zone": "a-b-1", "namespace": "Bad_Name/.."}]}, "is not the name of a project"),
        ({"access": ["push"], "namespace": "shop", "verify": False}, "verify cannot be false"),
        ({"min_validity": -1}, "min_validity"),
        ({"credential_store": "a/b"}, "credential_store 'a/b'"),
        ({"mode": "0644"}, "would let everybody"),
        ({"mode": "0400"}, "does not let the owner"),
        ({"mode": 600}, "does not let the owner"),
        ({"mode": "u=rw"}, "no octal number"),
        ({"mode": True}, "no octal number"),
        ({"owner": "nobody-of-this-name"}, "no user 'nobody-of-this-name'"),
        ({"group": "no-group-of-this-name"}, "no group 'no-group-of-this-name'"),
        ({"owner": "²"}, "no user '²'"),
        ({"owner": "a\0b"}, "no user"),
        ({"group": "4294967295"}, "beyond the numbers"),
        ({"zones": []}, "zones is empty"),
    ],
)
def test_what_cannot_be_meant(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidOptionError, match=said):
        logins_from(options(**TOKEN, **given), HOME)


@pytest.mark.parametrize(("mode", "number"), [("0600", 0o600), (0o640, 0o640), ("660", 0o660)])
def test_modes(mode: Any, number: int) -> None:
    assert logins_from(options(mode=mode, **TOKEN), HOME)[0].attributes.mode == number


def test_owners_by_number_and_name() -> None:
    attributes = logins_from(options(owner="0", group="root", **TOKEN), HOME)[0].attributes
    assert (attributes.owner, attributes.group) == (0, 0)
