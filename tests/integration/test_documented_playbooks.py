# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks in README, guides and roles run as they stand there, against local zones of the same names."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from tests.image import make_layout
from tests.image.archive import save_archive
from tests.integration.images import Images
from tests.integration.playbook import PlaybookResult, run_playbook
from tests.unit.documented_code import Block, blocks, is_playbook
from tests.zone import LocalZones

# What a reader has to have beside what stands in the text.
READERS_OWN = {"my_vault_password": "v", "ghcr_token": "g", "image_pusher_token": "t"}
# Has a test of its own.
NEEDS_AN_IMAGE = "Bring the other zones to what the first one has"
NUMBERS = itertools.count(1)
# What the runners of pushing.rst have built, and layouts for what is an archive there or in nobody's registry.
BUILT = {"amd64": "linux/amd64", "arm64": "linux/arm64", "armv6": "linux/arm/v6"}
ELSEWHERE = {
    "docker-archive:build/arm64.tar": "oci:build/arm64",
    "docker://registry.example.com/ci/frontend:1.4.2-armv6": "oci:build/armv6",
}


def playbooks() -> list[Block]:
    """Return the code blocks that are playbooks."""
    return [block for block in blocks() if is_playbook(block)]


@pytest.fixture(scope="module")
def zones() -> Iterator[LocalZones]:
    with LocalZones(2) as started:
        yield started


@pytest.fixture
def project() -> str:
    """A project of its own for each guide, since some set the same things up otherwise."""
    return f"shop{next(NUMBERS)}"


@pytest.fixture
def tokens(zones: LocalZones, project: str) -> dict[str, str]:
    projects = dict.fromkeys((project, f"{project}-test"), "admin")
    return {zone.name: zone.create_user("ada", projects=projects) for zone in zones.zones}


def play(block: Block, folder: Path, zones: LocalZones, tokens: dict[str, str], project: str) -> PlaybookResult:
    """Run a block in a folder that is what the guides tell a reader to have: zones.yml, variables, a built image."""
    make_layout(folder / "build/frontend", platforms=["linux/amd64"], layers=1, size=100)
    make_layout(folder / "build/backend", platforms=["linux/amd64"], layers=1, size=100)
    save_archive(folder / "build/frontend.tar", folder / "build", names=("frontend:1.4.2",))
    for name, platform in BUILT.items():
        make_layout(folder / "build" / name, platforms=[platform], layers=1, size=100)
    (folder / "tokens").mkdir(exist_ok=True)
    (folder / "zones.yml").write_text(readme_inventory())
    for zone in zones.zones:
        addresses = {"appuio_host": zone.host, "appuio_registry": zone.registry}
        write(folder / "host_vars" / f"{zone.name}.yml", addresses)
    authorities = {f"{role}_ca_cert": zones.zones[0].ca_file for role in ("image_pusher", "registry_access")}
    shared = {"appuio_tokens": tokens, "appuio_token": "{{ appuio_tokens[appuio_zone] }}", **authorities, **READERS_OWN}
    if "appuio.registry.image_pusher" in block.text:
        del shared["image_pusher_token"]  # the role returns it, and takes none
    write(folder / "group_vars/all.yml", shared)
    text = block.text
    for source, built in ELSEWHERE.items():
        text = text.replace(source, built)
    (folder / "book.yml").write_text(re.sub(r"\bshop\b", project, with_addresses(text, zones)))
    # The README shows that it works in several zones; for the others one tells as much.
    limit = [] if block.place.startswith("README.md") else ["--limit", f"{zones.zones[0].name},localhost"]
    trust = {"SSL_CERT_FILE": zones.zones[0].ca_file}
    return run_playbook(folder / "book.yml", folder, inventory=folder / "zones.yml", env=trust, arguments=limit)


def readme_inventory() -> str:
    """Return the inventory that README.md shows."""
    return next(block.text for block in blocks() if block.place.startswith("README.md") and "plugin:" in block.text)


def with_addresses(text: str, zones: LocalZones) -> str:
    """Add the local addresses where a zone is named literally."""
    for zone in zones.zones:
        pattern = rf"^( *)(- )?zone: {zone.name}$"

        def extended(match: re.Match[str], registry: str = zone.registry, host: str = zone.host) -> str:
            indent = match.group(1) + " " * len(match.group(2) or "")
            return f"{match.group(0)}\n{indent}registry: {registry}\n{indent}host: {host}"

        text = re.sub(pattern, extended, text, flags=re.MULTILINE)
    return text


def write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def test_there_are_playbooks_to_run() -> None:
    assert len(playbooks()) >= 6


@pytest.mark.thorough
@pytest.mark.parametrize("block", [block for block in playbooks() if NEEDS_AN_IMAGE not in block.text], ids=str)
def test_playbook(block: Block, tmp_path: Path, zones: LocalZones, tokens: dict[str, str], project: str) -> None:
    assert play(block, tmp_path, zones, tokens, project).succeeded().tasks


@pytest.mark.thorough
def test_the_other_zone_gets_what_the_first_one_has(
    tmp_path: Path, zones: LocalZones, tokens: dict[str, str], project: str
) -> None:
    first, other = zones.zones
    digest = Images([first], project, tmp_path).push("first", "production", name="frontend")
    block = next(block for block in playbooks() if NEEDS_AN_IMAGE in block.text)
    assert play(block, tmp_path, zones, tokens, project).succeeded().changed == ["Copy what is in production"]
    assert other.tags(project, "frontend") == {"production": digest}


@pytest.mark.thorough
def test_tokens_that_are_handed_on(tmp_path: Path, zones: LocalZones, tokens: dict[str, str], project: str) -> None:
    """The files of credentials.rst: for their owner only, one of them encrypted, and unchanged by a second run."""
    block = next(block for block in playbooks() if "Write an encrypted file" in block.text)
    assert play(block, tmp_path, zones, tokens, project).succeeded().changed
    name = zones.zones[0].name
    plain, encrypted = tmp_path / "tokens" / f"{name}.env", tmp_path / "tokens" / f"{name}.yml"
    assert [path.stat().st_mode & 0o777 for path in (plain, encrypted)] == [0o600, 0o600]
    assert plain.read_text() == "APPUIO_TOKEN=t\n"
    vault = VaultLib([("default", VaultSecret(b"v"))])
    assert yaml.safe_load(vault.decrypt(encrypted.read_bytes())) == {"appuio_token": "t"}
    assert play(block, tmp_path, zones, tokens, project).succeeded().changed == []
