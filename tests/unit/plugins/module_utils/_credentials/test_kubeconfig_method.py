# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubeconfig files: which context, which cluster, which token, and what has none."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.appuio.registry.plugins.module_utils._credentials import kubeconfig
from ansible_collections.appuio.registry.plugins.module_utils._credentials.kubeconfig_method import KubeconfigMethod
from ansible_collections.appuio.registry.plugins.module_utils._errors import (
    AppuioError,
    InvalidOptionError,
    MissingLibraryError,
)
from ansible_collections.appuio.registry.plugins.module_utils._targets import RunContext, Target
from ansible_collections.appuio.registry.plugins.module_utils._zone import Zone

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


def write(path: Path, content: dict[str, Any], as_json: bool = False) -> str:
    path.write_text(json.dumps(content) if as_json else yaml.safe_dump(content))
    return str(path)


def method(
    path: str | None, host: str | None = SERVER, context: str | None = None, environment: dict[str, str] | None = None
) -> KubeconfigMethod:
    target = Target(Zone("lpg-2", "registry.lpg-2.example", host), "shop", {})
    return KubeconfigMethod(target, RunContext(environment or {}), "the kubeconfig", path=path, named_context=context)


def token_of(found: KubeconfigMethod) -> str:
    return found.known_credential().credential.secret


@pytest.mark.parametrize("as_json", [False, True])
def test_the_token_of_the_current_context(tmp_path: Path, as_json: bool) -> None:
    authority = base64.b64encode(b"certificates").decode()
    content = document({"token": "marker"}, **{"certificate-authority-data": authority})
    found = method(write(tmp_path / "config", content, as_json))
    login = found.api_login()
    assert (login.address.url, login.token, token_of(found)) == (SERVER, "marker", "marker")
    assert Path(str(login.address.connection.ca_cert)).read_bytes() == b"certificates"
    assert login.address.connection.validate_certs
    assert "marker" not in repr(login) + repr(found)


def test_how_a_cluster_is_reached_stands_in_the_kubeconfig(tmp_path: Path) -> None:
    cluster = {"tls-server-name": "api.internal", "proxy-url": "http://proxy:3128", "insecure-skip-tls-verify": True}
    path = write(tmp_path / "config", document({"token": "t"}, **cluster))
    address = method(path).api_login().address
    assert (address.tls_server_name, address.connection.proxy) == ("api.internal", "http://proxy:3128")
    assert not address.connection.validate_certs


def test_a_path_behind_the_host_stays(tmp_path: Path) -> None:
    content = document({"token": "t"})
    content["clusters"][0]["cluster"]["server"] = "https://proxy.example/k8s/clusters/c-1"
    found = method(write(tmp_path / "config", content), host=None).api_login()
    assert found.address.url == "https://proxy.example/k8s/clusters/c-1"


def test_a_client_certificate_asks_the_api_and_no_registry(tmp_path: Path) -> None:
    certificate = {"client-certificate-data": base64.b64encode(b"c").decode(), "client-key-data": "aw=="}
    found = method(write(tmp_path / "config", document(certificate)))
    login = found.api_login()
    assert login.token is None
    assert Path(str(login.address.connection.client_cert)).read_bytes() == b"c"
    with pytest.raises(InvalidOptionError, match="a client certificate, which gives no token that a registry takes"):
        token_of(found)


def test_another_context_and_another_cluster(tmp_path: Path) -> None:
    path = write(tmp_path / "config", document({"token": "t"}))
    assert token_of(method(path, OTHER, "gva")) == "joes"
    assert token_of(method(path, None, "gva")) == "joes"
    with pytest.raises(InvalidOptionError, match=r"logged in to https://api.exoscale.*not to https://api.cloudscale"):
        token_of(method(path, SERVER, "gva"))


def test_the_context_whose_server_is_the_zone_s_api_is_taken(tmp_path: Path) -> None:
    content = document({"token": "t"})
    path = write(tmp_path / "config", content)
    assert [token_of(method(path, host)) for host in (SERVER, OTHER)] == ["t", "joes"]
    content["contexts"].append({"name": "gva-2", "context": {"cluster": "gva", "user": "jane"}})
    with pytest.raises(InvalidOptionError, match=r"several contexts for .*exoscale.*: gva, gva-2\. Name one"):
        token_of(method(write(tmp_path / "config", content), OTHER))
    with pytest.raises(InvalidOptionError, match=r"logged in to .*cloudscale.*, not to https://elsewhere"):
        token_of(method(path, "https://elsewhere.example:6443"))


def test_a_token_file_and_an_authority_beside_the_kubeconfig(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    (tmp_path / "ca.crt").write_text("certificates")
    content = document({"tokenFile": "token"}, **{"certificate-authority": "ca.crt"})
    path = write(tmp_path / "config", content)
    login = method(path).api_login()
    assert (login.token, login.address.connection.ca_cert) == ("from-file", str(tmp_path / "ca.crt"))
    (tmp_path / "token").unlink()
    with pytest.raises(AppuioError, match=r"config cannot be used: .*token"):
        token_of(method(path))


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


def test_an_exec_plugin_is_asked_once_and_its_token_registered(tmp_path: Path) -> None:
    body = (
        f"open({str(tmp_path / 'asked')!r}, 'a').write('x')\n"
        "asked = json.loads(os.environ['KUBERNETES_EXEC_INFO'])\n"
        "assert asked['kind'] == 'ExecCredential'\n"
        "token = '-'.join([sys.argv[1], os.environ['REALM']])\n"
        "print(json.dumps({'apiVersion': 'client.authentication.k8s.io/v1', 'kind': 'ExecCredential', "
        "'status': {'token': token}}))"
    )
    registered: list[str] = []
    found = method(write(tmp_path / "config", document(plugin(tmp_path, body))))
    found.context = RunContext({}, register_secret=registered.append)
    assert token_of(found) == "get-token-zone"
    assert found.api_login().token == "get-token-zone"
    assert "get-token-zone" in registered
    assert (tmp_path / "asked").read_text() == "x"


def test_an_exec_plugin_that_does_not_answer_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubeconfig, "PLUGIN_SECONDS", 0.2)
    path = write(tmp_path / "config", document(plugin(tmp_path, "import time\ntime.sleep(5)")))
    with pytest.raises(AppuioError, match=r"exec plugin of .* gave no answer within 0\.2 s"):
        token_of(method(path))


@pytest.mark.parametrize(
    ("user", "message"),
    [
        ({"username": "u", "password": "p"}, "a user name and a password, which gives no token"),
        ({"auth-provider": {"name": "oidc"}}, "an auth provider"),
        ({}, "no credential"),
        ({"exec": {"apiVersion": "v1", "command": "/nowhere/plugin"}}, "gave no token: .*nowhere"),
        ({"exec": {"apiVersion": "v1", "command": "false"}}, "gave no token: .*returned 1"),
        ({"exec": {"apiVersion": "v1", "command": "echo", "args": ["hello"]}}, "gave no token: "),
        ({"token": "two words"}, "whitespace"),
    ],
)
def test_what_gives_no_token(tmp_path: Path, user: dict[str, Any], message: str) -> None:
    with pytest.raises(AppuioError, match=message):
        token_of(method(write(tmp_path / "config", document(user))))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "cannot be read as a kubeconfig: no YAML in line 1"),
        ("just words", "cannot be read as a kubeconfig"),
        ("{}", "cannot be read as a kubeconfig|no current context"),
        ("current-context: nowhere", "no context 'nowhere'|cannot be read"),
        ("contexts: 5", "cannot be read|no current context"),
        ("contexts: [5, null, {name: 7}]\nclusters: {}\nusers: x", "cannot be read|no current context"),
    ],
)
def test_what_is_no_kubeconfig(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "config").write_text(text)
    with pytest.raises(InvalidOptionError, match=message):
        token_of(method(str(tmp_path / "config"), None))


def test_a_file_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(InvalidOptionError, match=r"does not exist.*oc login"):
        token_of(method(str(tmp_path / "config")))
    with pytest.raises(InvalidOptionError, match=r"does not exist"):
        token_of(method(None, environment={"KUBECONFIG": f"{tmp_path}/a:{tmp_path}/b"}))


def test_several_files_are_merged_and_the_first_that_says_something_wins(tmp_path: Path) -> None:
    first = {"contexts": [{"name": "shop", "context": {"cluster": "lpg", "user": "me"}}]}
    write(tmp_path / "a", {**first, "users": [{"name": "me", "user": {"token": "mine"}}]})
    write(tmp_path / "b", document({"token": "janes"}))
    environment = {"KUBECONFIG": f"{tmp_path}/a:{tmp_path}/nowhere:{tmp_path}/b"}
    assert token_of(method(None, environment=environment)) == "mine"
    write(tmp_path / "nowhere", {"current-context": "gva"})
    assert token_of(method(None, host=None, environment=environment)) == "joes"


def test_the_file_in_the_home_directory(tmp_path: Path) -> None:
    (tmp_path / ".kube").mkdir()
    write(tmp_path / ".kube" / "config", document({"token": "t"}))
    assert token_of(method(None, context="shop", environment={"HOME": str(tmp_path)})) == "t"


def test_without_the_library_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kubernetes.config.kube_config", None)
    with pytest.raises(MissingLibraryError) as raised:
        token_of(method(write(tmp_path / "config", document({"token": "t"}))))
    assert raised.value.library == "kubernetes"
