# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credential helpers, as programs that speak the protocol or do not."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._credentials.helper import Helper, without_secrets
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError, InvalidOptionError
from ansible_collections.appuio.registry.plugins.module_utils._targets import Credential

KEEPER = """#!{python}
import json, os, sys, pathlib
kept = pathlib.Path(__file__).with_name("kept.json")
log = pathlib.Path(__file__).with_name("log")
known = json.loads(kept.read_text()) if kept.exists() else {{}}
given = sys.stdin.read()
with log.open("a") as stream:
    stream.write(repr(sys.argv) + repr(dict(os.environ)))
word = sys.argv[1]
if word == "store":
    entry = json.loads(given)
    known[entry["ServerURL"]] = entry
elif word == "get":
    if given not in known:
        print("credentials not found in native keychain")
        sys.exit(1)
    print(json.dumps(known[given]))
elif word == "erase":
    known.pop(given, None)
elif word == "list":
    print(json.dumps({{server: entry["Username"] for server, entry in known.items()}}))
kept.write_text(json.dumps(known))
"""


def install(folder: Path, name: str, text: str) -> Helper:
    program = folder / f"docker-credential-{name}"
    program.write_text(text)
    program.chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return Helper(name, {"PATH": path, "APPUIO_TOKEN": "marker", "HOME": str(folder)})


def test_the_protocol(tmp_path: Path) -> None:
    helper = install(tmp_path, "keeper", KEEPER.format(python=sys.executable))
    assert helper.get("registry") is None
    helper.erase("registry")
    helper.store("registry", Credential("marker", "jane"))
    found = helper.get("registry")
    assert found is not None
    assert (found.username, found.secret, found.is_token) == ("jane", "marker", False)
    assert helper.list() == {"registry": "jane"}
    helper.erase("registry")
    assert helper.get("registry") is None
    assert "marker" not in (tmp_path / "log").read_text(), "no secret in arguments or environment"


def test_a_helper_that_is_missing_is_named() -> None:
    with pytest.raises(AppuioError, match=r"docker-credential-nothere is not installed.*credential_store to file"):
        Helper("nothere", {"PATH": "/nowhere"}).get("registry")


@pytest.mark.parametrize("name", ["../evil", "a/b", "", "-x", "a b"])
def test_a_name_that_is_a_path_is_refused(name: str) -> None:
    with pytest.raises(InvalidOptionError):
        Helper(name, {"PATH": "/usr/bin"}).find()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo the keyring is locked >&2; exit 1", "get failed: the keyring is locked"),
        ("exit 3", "get failed: it gave no reason"),
        ("echo nonsense", "get failed: its answer is no JSON object"),
        ("echo '[]'", "get failed: its answer is no JSON object"),
        ("printf '\\377\\376'", "get failed: its answer is no JSON object"),
        ("printf '{\"a\":%.0s' $(seq 5000)", "get failed: its answer is no JSON object"),
        ("""echo '{"Secret": {"a": 1}}'""", "get failed: its answer holds no user name and secret"),
        ("""printf %s '{"Secret": "a\\r\\nb"}'""", "get failed: its answer holds no user name and secret"),
        ("""printf %s '{"Secret": "a", "Username": 5}'""", "get failed: its answer holds no user name and secret"),
        ("printf 'locked \\033[2Jby\\r\\nroot'; exit 1", r"get failed: locked \[2Jby root\."),
    ],
)
def test_a_helper_that_fails_says_why(tmp_path: Path, script: str, said: str) -> None:
    with pytest.raises(AppuioError, match=rf"{said}.*credential_store: file"):
        install(tmp_path, "bad", f"#!/bin/sh\n{script}\n").get("registry")


def test_a_secret_with_a_line_end(tmp_path: Path) -> None:
    found = install(tmp_path, "echo", """#!/bin/sh\nprintf %s '{"Secret": "a-token\\n"}'\n""").get("registry")
    assert found is not None
    assert found.secret == "a-token"


def test_a_helper_that_repeats_the_secret_does_not_get_it_told(tmp_path: Path) -> None:
    helper = install(tmp_path, "chatty", "#!/bin/sh\ncat\nexit 1\n")
    with pytest.raises(AppuioError) as failed:
        helper.store("registry", Credential("marker", "jane"))
    assert "marker" not in str(failed.value)


def test_our_secrets_are_in_no_environment_of_others() -> None:
    assert without_secrets({"APPUIO_TOKEN": "x", "K8S_AUTH_PASSWORD": "x", "PATH": "/bin"}) == {"PATH": "/bin"}
