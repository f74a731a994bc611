# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everybody gets the same set of images to bring, under the same names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.benchmark.contenders import Push
from tests.benchmark.images import Image
from tests.benchmark.peers import Crane, Skopeo
from tests.benchmark.programs import Program
from tests.benchmark.registries import Registry
from tests.benchmark.sets import Loop, PreparedLoop, SkopeoSync, member_pushes, set_options

SKOPEO = Program("skopeo", "1.22.0", command=("loader", "skopeo"))


@pytest.fixture
def push(tmp_path: Path) -> Push:
    """Two images of a registry, to two others."""
    ca_file = tmp_path / "zone" / "ca.crt"
    ca_file.parent.mkdir()
    ca_file.write_text("an authority")
    image = Image("docker", "source:1/bench/several", "sha256:0", ca_file, ("sha256:0", "sha256:1"))
    return Push(image, [Registry("a:1", ca_file), Registry("b:2", ca_file)], "set-1/several-0")


def test_each_image_has_its_own_source_and_name(push: Push) -> None:
    found = [(one.source(), one.repository, one.image.digest) for one in member_pushes(push)]
    assert found == [
        ("docker://source:1/bench/several-0:1", "set-1/several-0", "sha256:0"),
        ("docker://source:1/bench/several-1:1", "set-1/several-1", "sha256:1"),
    ]
    layout = Image("oci", "/several", "sha256:0", members=("sha256:0", "sha256:1"))
    assert layout.member(1) == Image("oci", "/several:1", "sha256:1")
    assert member_pushes(Push(layout.member(1), push.registries, "bench/app"))[0].repository == "bench/app"


def test_one_task_has_all_images(push: Push) -> None:
    options = set_options(push)
    assert [(one["source"], one["name"]) for one in options["images"]] == [
        ("docker://source:1/bench/several-0:1", "several-0"),
        ("docker://source:1/bench/several-1:1", "several-1"),
    ]
    assert options["namespace"] == "set-1"
    assert options["defaults"]["source_ca_cert"].endswith("ca.crt")
    assert "source" not in options


def test_skopeo_sync_has_them_in_a_file(push: Push, tmp_path: Path) -> None:
    one, other = SkopeoSync(SKOPEO).job(push, tmp_path).commands
    assert [one[-1], other[-1]] == ["a:1/set-1", "b:2/set-1"]
    assert list(one[:3]) == ["loader", "skopeo", "sync"]
    content = json.loads(Path(one[-2]).read_text())
    assert content["source:1"]["images"] == {"bench/several-0": ["1"], "bench/several-1": ["1"]}
    assert content["source:1"]["tls-verify"] is True


def test_a_loop_copies_each_to_each_registry(push: Push, tmp_path: Path) -> None:
    assert [command[-1] for command in Loop(Skopeo(SKOPEO)).job(push, tmp_path).commands] == [
        f"docker://{registry}/set-1/several-{number}:1" for number in (0, 1) for registry in ("a:1", "b:2")
    ]


def test_who_remembers_nothing_is_prepared_by_our_task(push: Push, tmp_path: Path) -> None:
    loop = PreparedLoop(Crane(Program("crane", "0.20.7", command=("crane",))))
    assert loop.name == "crane 0.20.7, a loop"
    (command,) = loop.prepare(push, tmp_path).commands
    assert Path(command[1]).name == "ansible-playbook"
