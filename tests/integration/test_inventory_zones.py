# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory of zones, as ansible-inventory reads it: from a list, and from a control API."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.appuio.registry.plugins.inventory import zones

TOKEN = "control-token-that-nobody-sees"
COLLECTIONS = Path(zones.__file__).parents[5]
ZONES = [
    {"metadata": {"name": "cloudscale-lpg-2"}, "data": {"urls": {"registry": "https://registry.example.com"}}},
    {"metadata": {"name": "exoscale-ch-gva-2-0"}, "data": {}},
]


class ControlApi(http.server.BaseHTTPRequestHandler):
    """Lists zones to whoever has the token, and counts how often it was asked."""

    asked = 0

    def do_GET(self) -> None:
        ControlApi.asked += 1
        known = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        body = json.dumps({"items": ZONES}).encode()
        self.send_response(200 if known and self.path == "/apis/appuio.io/v1/zones" else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def control_api() -> Iterator[str]:
    ControlApi.asked = 0
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), ControlApi)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def listed(path: Path, token: str = TOKEN) -> subprocess.CompletedProcess[str]:
    """Run ansible-inventory on a file; an inventory that cannot be read is a failure."""
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_CONFIG": str(path.with_name("ansible.cfg")),
        "ANSIBLE_HOME": str(path.parent / ".ansible"),
        "ANSIBLE_INVENTORY_ENABLED": "appuio.registry.zones",
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1",
        "APPUIO_CONTROL_TOKEN": token,
    }
    path.with_name("ansible.cfg").touch()
    program = Path(sys.executable).parent / "ansible-inventory"
    return subprocess.run(
        [sys.executable, program, "-i", path, "--list"], env=environment, capture_output=True, text=True, check=False
    )


def inventory(tmp_path: Path, **options: Any) -> Path:
    path = tmp_path / "zones.yml"
    path.write_text(yaml.safe_dump({"plugin": "appuio.registry.zones", **options}))
    return path


def variables(ended: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout, object_hook=_plain)["_meta"]["hostvars"]
    return found


def _plain(value: dict[str, Any]) -> Any:
    """Take off the mark that ansible-inventory puts on text that is no template."""
    return value.get("__ansible_unsafe", value)


def test_a_list_with_groups_and_variables(tmp_path: Path) -> None:
    zones = ["cloudscale-lpg-2", {"zone": "exoscale-ch-gva-2-0", "stage": "test"}]
    keyed = [{"key": "stage", "prefix": "stage"}]
    ended = listed(
        inventory(tmp_path, zones=zones, keyed_groups=keyed, compose={"appuio_name": "'app-' ~ appuio_zone"})
    )
    hosts = variables(ended)
    assert hosts["cloudscale-lpg-2"] == {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "appuio_host": "https://api.cloudscale-lpg-2.appuio.cloud:6443",
        "appuio_name": "app-cloudscale-lpg-2",
        "appuio_registry": "registry.cloudscale-lpg-2.appuio.cloud",
        "appuio_zone": "cloudscale-lpg-2",
    }
    groups = json.loads(ended.stdout)
    assert groups["provider_cloudscale"]["hosts"] == ["cloudscale-lpg-2"]
    assert groups["region_exoscale_ch_gva_2"]["hosts"] == ["exoscale-ch-gva-2-0"]
    assert groups["stage_test"]["hosts"] == ["exoscale-ch-gva-2-0"]


def test_tasks_run_with_the_python_of_the_job_that_runs_them(tmp_path: Path) -> None:
    path = inventory(tmp_path, zones=["cloudscale-lpg-2"])
    playbook = tmp_path / "play.yml"
    task = {"ansible.builtin.command": "true", "changed_when": False}
    told = {"ansible.builtin.debug": {"msg": "with {{ ansible_python_interpreter }}"}}
    playbook.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": [task, told]}]))
    program = Path(sys.executable).parent / "ansible-playbook"
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_HOME": str(tmp_path / ".ansible"),
        "ANSIBLE_INVENTORY_ENABLED": "appuio.registry.zones",
    }
    ended = subprocess.run(
        [sys.executable, program, "-i", path, playbook], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"with {sys.executable}" in ended.stdout


def test_the_control_api(tmp_path: Path, control_api: str) -> None:
    hosts = variables(listed(inventory(tmp_path, control_api=control_api)))
    assert {name: found["appuio_registry"] for name, found in hosts.items()} == {
        "cloudscale-lpg-2": "registry.example.com",
        "exoscale-ch-gva-2-0": "registry.exoscale-ch-gva-2-0.appuio.cloud",
    }
    assert TOKEN not in json.dumps(hosts)


def test_the_control_api_is_asked_once_when_cached(tmp_path: Path, control_api: str) -> None:
    path = inventory(
        tmp_path,
        control_api=control_api,
        cache=True,
        cache_plugin="ansible.builtin.jsonfile",
        cache_connection=str(tmp_path / "cache"),
    )
    assert variables(listed(path)) == variables(listed(path))
    assert ControlApi.asked == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"zones": ["Not A Zone"]}, "cannot be the name"),
        ({"zones": ["a-b-1", "a-b-1"]}, "a-b-1 more than once"),
        ({}, "exactly one of zones and control_api"),
        ({"zones": ["a-b-1"], "control_api": "http://127.0.0.1:1"}, "exactly one of zones and control_api"),
        ({"control_api": "http://127.0.0.1:1"}, "gives no list of zones"),
        ({"zones": ["a-b-1"], "base_domian": "x"}, "unknown key base_domian. Is base_domain meant?"),
        ({"zones": [{"zone": "a-b-1", "regsitry": "r"}]}, "unknown key regsitry. Is registry meant?"),
    ],
)
def test_what_cannot_be_meant(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    ended = listed(inventory(tmp_path, **options))
    assert ended.returncode != 0
    assert said in " ".join(ended.stderr.split())


@pytest.mark.parametrize(("token", "said"), [("wrong", "does not accept the token"), ("", "needs a token")])
def test_a_token_that_the_control_api_does_not_know(tmp_path: Path, control_api: str, token: str, said: str) -> None:
    ended = listed(inventory(tmp_path, control_api=control_api), token)
    assert ended.returncode != 0
    assert said in " ".join(ended.stderr.split())


def test_the_example(tmp_path: Path) -> None:
    shutil.copytree(Path(__file__).parents[2] / "docs/examples", tmp_path / "examples")
    # What its comment says to create; Ansible reads a directory "all", and then no file "all.yml".
    tokens = tmp_path / "examples/group_vars/all/tokens.yml"
    tokens.parent.mkdir(exist_ok=True)
    tokens.write_text('{"appuio_tokens": {}}')
    hosts = variables(listed(tmp_path / "examples/zones.yml"))
    assert sorted(hosts) == ["cloudscale-lpg-2", "cloudscale-rma-1", "exoscale-ch-gva-2-0"]
    assert all(found["appuio_namespace"] == "shop" for found in hosts.values())
