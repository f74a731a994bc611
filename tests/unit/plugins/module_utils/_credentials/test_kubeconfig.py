# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubeconfig files: which context, which cluster, which token, and what has none."""

from __future__ import annotations

import base64
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.appuio.registry.plugins.module_utils._credentials.kinds import Kubeconfig
from ansible_collections.appuio.registry.plugins.module_utils._credentials.kubeconfig import kubeconfig_login
from ansible_collections.appuio.registry.plugins.module_utils._errors import (
    AppuioError,
    InvalidOptionError,
    MissingLibraryError,
)

SERVER = "https://api.cloudscale-lpg-2.appuio.cloud:6443"
OTHER = "https://api.exoscale-ch-gva-2-0.appuio.cloud:6443"


def document(user: dict[str, Any], **cluster: Any) -> dict[str, Any]:
    return {
        "current-context": "shop",
        "contexts": [
            {"name": "shop", "context": {"cluster": "lpg", "user": "jane"}},
            {"name": "gva", "context": {"cluster": "gva", "user": "joe"}},
        ],
        "clusters": [
            {"name": "lpg", "cluster": {"server": SERVER, **cluster}},
            {"name": "gva", "cluster": {"server": OTHER}},
        ],
        "users": [{"name": "jane", "user": user}, {"name": "joe", "user": {"token": "joes"}}],
    }


def write(path: Path, content: dict[str, Any], as_json: bool = False) -> Kubeconfig:
    path.write_text(json.dumps(content) if as_json else yaml.safe_dump(content))
    return Kubeconfig(str(path), None, "the option kubeconfig")


@pytest.mark.parametrize("as_json", [False, True])
def test_the_token_of_the_current_context(tmp_path: Path, as_json: bool) -> None:
    authority = base64.b64encode(b"certificates").decode()
    kind = write(
        tmp_path / "config", document({"token": "marker"}, **{"certificate-authority-data": authority}), as_json
    )
    login = kubeconfig_login(kind, SERVER, {})
    assert (login.server, login.token, login.ca_data, login.verify) == (SERVER, "marker", b"certificates", True)
    assert "marker" not in repr(login)


def test_another_context_and_another_cluster(tmp_path: Path) -> None:
    kind = write(tmp_path / "config", document({"token": "t"}))
    named = Kubeconfig(kind.path, "gva", kind.source)
    assert kubeconfig_login(named, OTHER, {}).token == "joes"
    assert kubeconfig_login(named, None, {}).token == "joes"
    with pytest.raises(InvalidOptionError, match=r"logged in to https://api.exoscale.*not to https://api.cloudscale"):
        kubeconfig_login(named, SERVER, {})


def test_a_token_file_and_an_authority_beside_the_kubeconfig(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    kind = write(
        tmp_path / "config",
        document({"tokenFile": "token", "token": "older"}, **{"certificate-authority": "ca.crt"}),
    )
    login = kubeconfig_login(kind, SERVER, {})
    assert (login.token, login.ca_file) == ("from-file", str(tmp_path / "ca.crt"))
    (tmp_path / "token").unlink()
    with pytest.raises(AppuioError, match=r"token file .* cannot be read"):
        kubeconfig_login(kind, SERVER, {})


def plugin(tmp_path: Path, body: str) -> dict[str, Any]:
    path = tmp_path / "plugin"
    path.write_text(f"#!{sys.executable}\nimport json, os, sys\n{body}\n")
    path.chmod(0o755)
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": str(path),
            "args": ["get-token"],
            "env": [{"name": "REALM", "value": "zone"}],
        }
    }


def test_an_exec_plugin(tmp_path: Path) -> None:
    body = (
        "asked = json.loads(os.environ['KUBERNETES_EXEC_INFO'])\n"
        "assert asked['spec'] == {'interactive': False} and 'APPUIO_TOKEN' not in os.environ\n"
        "token = '-'.join([sys.argv[1], os.environ['REALM']])\n"
        "print(json.dumps({'kind': 'ExecCredential', 'status': {'token': token}}))"
    )
    kind = write(tmp_path / "config", document(plugin(tmp_path, body)))
    environment = {"APPUIO_TOKEN": "marker", "PATH": os.environ["PATH"]}
    assert kubeconfig_login(kind, SERVER, environment).token == "get-token-zone"


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ({"client-certificate-data": "x", "client-key-data": "y"}, "a client certificate, which gives no token"),
        ({"username": "u", "password": "p"}, "a user name and a password, which gives no token"),
        ({"auth-provider": {"name": "oidc"}}, "an auth provider"),
        ({}, "no credential"),
        ({"exec": {"command": "/nowhere/plugin", "installHint": "Get it"}}, "not installed. Get it"),
        ({"exec": {"args": ["x"]}}, "names no command"),
        ({"exec": {"command": "false"}}, "failed with status 1"),
        ({"exec": {"command": "echo", "args": ["hello"]}}, "gave no token"),
        ({"token": "two words"}, "whitespace"),
    ],
)
def test_what_gives_no_token(tmp_path: Path, user: dict[str, Any], said: str) -> None:
    kind = write(tmp_path / "config", document(user))
    with pytest.raises(AppuioError, match=said):
        kubeconfig_login(kind, SERVER, {"PATH": os.environ["PATH"]})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "is no YAML in line 1"),
        ("just words", "is no kubeconfig"),
        ("{}", "no current context"),
        ("current-context: nowhere", "no context 'nowhere'"),
    ],
)
def test_what_is_no_kubeconfig(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "config").write_text(text)
    with pytest.raises(InvalidOptionError, match=said):
        kubeconfig_login(Kubeconfig(str(tmp_path / "config"), None, "k"), SERVER, {})


def test_a_file_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(InvalidOptionError, match=r"does not exist.*oc login"):
        kubeconfig_login(Kubeconfig(str(tmp_path / "config"), None, "k"), SERVER, {})
    with pytest.raises(InvalidOptionError, match=r"none of the kubeconfig files .* exists"):
        kubeconfig_login(Kubeconfig(None, None, "k"), SERVER, {"KUBECONFIG": f"{tmp_path}/a:{tmp_path}/b"})


def test_several_files_the_first_that_says_something_wins(tmp_path: Path) -> None:
    first = {"contexts": [{"name": "shop", "context": {"cluster": "lpg", "user": "me"}}]}
    write(tmp_path / "a", {**first, "users": [{"name": "me", "user": {"token": "mine"}}]})
    write(tmp_path / "b", document({"token": "janes"}))
    environment = {"KUBECONFIG": f"{tmp_path}/a:{tmp_path}/nowhere:{tmp_path}/b"}
    assert kubeconfig_login(Kubeconfig(None, None, "k"), SERVER, environment).token == "mine"


def test_the_file_in_the_home_directory(tmp_path: Path) -> None:
    (tmp_path / ".kube").mkdir()
    write(tmp_path / ".kube" / "config", document({"token": "t"}))
    assert kubeconfig_login(Kubeconfig(None, "shop", "k"), SERVER, {"HOME": str(tmp_path)}).token == "t"


def test_without_pyyaml_json_still_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    kind = write(tmp_path / "json", document({"token": "t"}), as_json=True)
    assert kubeconfig_login(kind, SERVER, {}).token == "t"
    (tmp_path / "yaml").write_text("current-context: shop")
    with pytest.raises(MissingLibraryError, match="PyYAML"):
        kubeconfig_login(Kubeconfig(str(tmp_path / "yaml"), None, "k"), SERVER, {})
