# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs in local zones: the same zones for all, and a pusher of its own for each repository."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.benchmark.contenders import Contender, Push
from tests.benchmark.images import Image
from tests.benchmark.plays import EmptyPlay, RolePlay, Rollout, ZoneRegistry

ZONES = [
    ZoneRegistry(f"{name}:5000", Path("/ca.crt"), zone=name, host=f"https://{name}:6443", token=f"token-{name}")
    for name in ("a", "b")
]


def given(contender: Contender, zones: Sequence[ZoneRegistry], folder: Path) -> tuple[str, dict[str, Any], Any]:
    """Return the playbook, the hosts and the variables that a contender runs with."""
    push = Push(Image("oci", "/light", "sha256:0"), zones, "bench/rollout-7")
    (command,) = contender.job(push, folder).commands
    hosts = json.loads(Path(command[3]).read_text())["all"]["hosts"]
    return command[-1], hosts, json.loads(Path(command[5].removeprefix("@")).read_text())


def test_a_rollout_goes_to_all_zones_with_a_pusher_of_its_own(tmp_path: Path) -> None:
    playbook, hosts, variables = given(Rollout(), ZONES, tmp_path)
    assert playbook == "appuio.registry.rollout"
    assert {name: host["appuio_token"] for name, host in hosts.items()} == {"a": "token-a", "b": "token-b"}
    assert variables["appuio_pusher_service_account"] == variables["appuio_name"] == "rollout-7"
    assert variables["appuio_source"] == "oci:/light"


@pytest.mark.parametrize("contender", [RolePlay(), EmptyPlay()])
def test_what_it_is_held_against_has_as_many_hosts(contender: Contender, tmp_path: Path) -> None:
    playbook, hosts, variables = given(contender, ZONES[:1], tmp_path)
    (play,) = json.loads(Path(playbook).read_text())
    assert (list(hosts), play["hosts"]) == (["a"], "all")
    if isinstance(contender, RolePlay):
        assert variables["image_pusher_service_account"] == "rollout-7"
        assert variables["image_pusher_host"] == "https://a:6443"
