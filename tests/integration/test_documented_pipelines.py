# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scripts of the pipelines in the guide bring an image of two platforms into local zones of the same names."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image import make_layout
from tests.image.archive import save_archive
from tests.integration.playbook import environment
from tests.integration.push import Pusher
from tests.unit.documented_code import blocks
from tests.unit.documented_pipelines import (
    FORGEJO,
    GITHUB,
    GITLAB,
    KANIKO,
    PIPELINES,
    TEKTON,
    files,
    scripts,
)
from tests.zone import LocalZones, Zone

PROGRAMS = ("sh", "mkdir", "sed", "tr", "cp")
# What is there in the place of what a runner downloads, or has.
STUBS = {
    "apt-get": "exit 0",
    "dnf": "exit 0",
    "pip": "exit 0",
    "pipx": "exit 0",
    "ansible-galaxy": 'test "$*" = "collection install --requirements-file deploy/requirements.yml"',
    "python3": 'test "$1 $2" = "-m venv" && mkdir -p "$3/bin" && : > "$3/bin/activate"',
    "buildah": 'test "$1" = build || cp "built/buildah-$ARCH.tar" "${3#oci-archive:}"',
    "docker": 'test "$1 $2 $3" = "buildx build --output" && cp "built/buildx-$ARCH.tar" "${4#type=oci,dest=}"',
    "executor": 'test "$3 $6" = "--no-push --tar-path" && cp "built/kaniko-$ARCH.tar" "$7"',
}


@pytest.fixture(scope="module")
def zones() -> Iterator[LocalZones]:
    with LocalZones(2) as started:
        yield started


@pytest.fixture
def repository(tmp_path: Path, zones: LocalZones) -> Path:
    """The repository of the guide, with the addresses of the local zones, and what each builder will build."""
    for name, text in files().items():
        write(tmp_path / name, text)
    for zone in zones.zones:
        addresses = {"appuio_host": zone.host, "appuio_registry": zone.registry}
        write(tmp_path / "deploy/host_vars" / f"{zone.name}.yml", json.dumps(addresses))
    built = tmp_path / "built"
    built.mkdir()
    for arch in ("amd64", "arm64"):
        for builder, layout in (("buildah", "layouts"), ("buildx", "attested")):
            how = {"layers": 1, "size": 100, "seed": tmp_path, "attestations": builder == "buildx"}
            make_layout(tmp_path / layout / arch, platforms=[f"linux/{arch}"], **how)
            with tarfile.open(built / f"{builder}-{arch}.tar", "w") as archive:
                archive.add(tmp_path / layout / arch, arcname=".")
        saved = {"platform": f"linux/{arch}", "size": 512, "compression": "gzip"}
        save_archive(built / f"kaniko-{arch}.tar", tmp_path / "saved" / arch, **saved)
    write_programs(tmp_path / "programs")
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def write_programs(folder: Path) -> None:
    """Fill a folder that is the whole path of a script: nothing is installed, and nothing is asked in the network."""
    folder.mkdir()
    for name in PROGRAMS:
        (folder / name).symlink_to(shutil.which(name) or name)
    ansible = Path(sys.executable).parent / "ansible-playbook"
    real = f'PATH="{os.environ["PATH"]}" exec "{sys.executable}" "{ansible}" "$@"'
    for name, script in {**STUBS, "ansible-playbook": real}.items():
        write(folder / name, f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)


def pushers(zones: list[Zone], project: str, folder: Path) -> Pusher:
    """Return pushers with no more rights than they need."""
    tokens = {zone.name: zone.token_for(project, "image-pusher", "system:image-builder") for zone in zones}
    return Pusher(zones, project, tokens, folder)


def output(name: str, repository: Path) -> str:
    """Return the digest as the next job of the pipeline gets it."""
    if name in (GITHUB, FORGEJO):
        return (repository / "output").read_text().partition("\ndigest=")[2].splitlines()[0]
    if name == TEKTON:
        return (repository / "result").read_text()
    lines = (repository / "push.env").read_text().splitlines()
    return next(line.partition("=")[2] for line in lines if line.startswith("APPUIO_DIGEST="))


def run_script(script: str, repository: Path, pusher: Pusher, **more: str) -> None:
    """Run a script as a runner does that has the tokens from its secrets; fails the test where the script fails."""
    secrets = dict(zip(("TOKEN_LPG", "TOKEN_GVA"), pusher.tokens.values(), strict=True))
    runner = {"PATH": str(repository / "programs"), "SSL_CERT_FILE": pusher.zones[0].ca_file, **secrets, **more}
    ended = subprocess.run(
        ["/bin/sh", "-ec", script],
        cwd=repository,
        env=environment(repository, repository / "results.jsonl", None, runner),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    assert not any(token in ended.stdout for token in secrets.values())


@pytest.mark.thorough
@pytest.mark.parametrize("name", PIPELINES)
def test_pipeline_brings_one_index_into_all_zones(name: str, repository: Path, zones: LocalZones) -> None:
    project = f"shop{PIPELINES.index(name)}"
    pusher = pushers(zones.zones, project, repository)
    shared = repository / "deploy/group_vars/all.yml"
    shared.write_text(shared.read_text().replace("appuio_namespace: shop", f"appuio_namespace: {project}"))
    (repository / "output").write_text("earlier=1\n")
    found = scripts(name)
    run_script(found["build"], repository, pusher, ARCH="amd64")
    run_script(found["build"], repository, pusher, ARCH="arm64")
    push = found["push"].replace("$(results.digest.path)", str(repository / "result"))
    run_script(push, repository, pusher, TAG="1.10", GITHUB_OUTPUT=str(repository / "output"))
    assert pusher.tags("frontend") == [{"1.10": output(name, repository)}] * 2
    attested = ["unknown", "unknown"] if name == GITHUB else []
    assert platforms(pusher) == ["amd64", "arm64", *attested]


def platforms(pusher: Pusher) -> list[str]:
    """Return the architectures of the index, in its order; what builders attest has an unknown one."""
    index = json.loads(pusher.read(pusher.zones[0], "manifests/1.10", "frontend"))
    return [entry["platform"]["architecture"] for entry in index["manifests"]]


@pytest.mark.thorough
def test_the_job_with_kaniko_brings_one_index_into_all_zones(repository: Path, zones: LocalZones) -> None:
    pusher = pushers(zones.zones, "kaniko", repository)
    shared = repository / "deploy/group_vars/all.yml"
    given = shared.read_text().replace("appuio_namespace: shop", "appuio_namespace: kaniko")
    shared.write_text(given.replace("oci-archive:", "docker-archive:"))
    build = scripts(KANIKO)["build"]
    for arch in ("amd64", "arm64"):
        run_script(build, repository, pusher, ARCH=arch)
    run_script(scripts(GITLAB)["push"], repository, pusher, TAG="1.10")
    assert pusher.tags("frontend") == [{"1.10": output(GITLAB, repository)}] * 2
    assert platforms(pusher) == ["amd64", "arm64"]


@pytest.mark.thorough
def test_what_the_cookbook_has_tested_becomes_production(repository: Path, zones: LocalZones) -> None:
    pusher = pushers(zones.zones, "shop", repository)
    for name in ("zones.yml", "host_vars"):
        (repository / name).symlink_to(repository / "deploy" / name)
    (repository / "build").mkdir()
    (repository / "layouts/amd64").rename(repository / "build/frontend")
    run_script(next(block.text for block in blocks() if ". ./push.env" in block.text), repository, pusher)
    tags = pusher.tags("frontend")
    assert [set(found) for found in tags] == [{"staging", "production"}] * 2
    assert len({digest for found in tags for digest in found.values()}) == 1
