# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is published with a version says what is in it, and nothing is published too early."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.setup import ROOT, release

CHANGELOG = "---\nancestor: null\nreleases:\n  0.1.0:\n    changes: {}\n"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A built collection of one file."""
    info = {
        "namespace": "appuio", "name": "registry", "version": "0.1.0", "description": "Images", "repository": "https://a",
        "license": ["GPL-3.0-or-later"], "documentation": "https://b", "issues": "https://c",
    }  # fmt: skip
    files = [
        {"name": "plugins", "ftype": "dir", "chksum_sha256": None},
        {"name": "README.md", "ftype": "file", "chksum_sha256": "ab" * 32},
    ]
    path = tmp_path / "appuio-registry-0.1.0.tar.gz"
    with tarfile.open(path, "w:gz") as opened:
        add(opened, "MANIFEST.json", json.dumps({"collection_info": info}))
        add(opened, "FILES.json", json.dumps({"files": files}))
        add(opened, "meta/ee-requirements.txt", "# Why\nkubernetes>=24.2\nisal>=1.6; platform_machine == 'x86_64'\n")
    return path


def add(archive: tarfile.TarFile, name: str, text: str) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(text.encode())
    archive.addfile(member, io.BytesIO(text.encode()))


def test_bill_of_materials_has_the_files_and_what_may_be_used(archive: Path) -> None:
    bill: dict[str, Any] = release.bill_of_materials(archive)
    whole = bill["metadata"]["component"]
    assert (whole["name"], whole["version"]) == ("appuio.registry", "0.1.0")
    assert whole["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(archive.read_bytes()).hexdigest()}]
    found = {part["name"]: part for part in bill["components"]}
    assert set(found) == {"kubernetes", "isal", "README.md"}
    assert found["kubernetes"]["purl"] == "pkg:pypi/kubernetes"
    assert found["README.md"]["hashes"] == [{"alg": "SHA-256", "content": "ab" * 32}]
    assert bill["dependencies"][0]["dependsOn"] == ["pkg:pypi/kubernetes", "pkg:pypi/isal"]
    assert release.bill_of_materials(archive) == bill


def test_fragments_are_what_antsibull_changelog_takes() -> None:
    """Among others, a colon in an entry makes a mapping of it. There are none right after a release."""
    known = {section for section, _title in yaml.safe_load((ROOT / "changelogs/config.yaml").read_text())["sections"]}
    for fragment in (ROOT / "changelogs/fragments").glob("*.yml"):
        content = yaml.safe_load(fragment.read_text(encoding="utf-8"))
        assert isinstance(content.pop("release_summary", ""), str), fragment
        assert set(content) <= known, fragment
        assert [entry for entries in content.values() for entry in entries if not isinstance(entry, str)] == [], (
            fragment
        )


def test_checksums_are_what_sha256sum_reads(archive: Path) -> None:
    (archive.parent / "SHA256SUMS").write_text(release.checksums([archive]))
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=archive.parent, check=True)


def test_a_version_whose_changes_are_not_committed_is_not_ready(tmp_path: Path) -> None:
    guide = tmp_path / "guide.rst"
    guide.write_text("- name: appuio.registry\n  version: 0.1.0\n\nappuio-registry-0.1.0.tar.gz\n")
    assert release.obstacles("0.1.0", CHANGELOG, [], [guide]) == []
    left = release.obstacles("1.0.0", CHANGELOG, ["galaxy.yml"], [guide])
    assert [sentence.partition(":")[0] for sentence in left] == [
        "the changelog has no 1.0.0",
        "not committed",
        "guide.rst names the version 0.1.0",
    ]


@pytest.mark.parametrize("version", ["0.1", "0.1.00", "1.0"])
def test_a_part_of_a_version_is_not_that_version(version: str) -> None:
    assert not release.has_changelog(version, CHANGELOG)


def test_warnings_of_the_importer_are_found() -> None:
    log = "INFO: fine\nWARNING: No changelog found\nERROR: a rule\n  WARNING within a text\n"
    log += "WARNING: ERROR    Failed to find appuio.registry.push playbook.\n"
    assert release.complaints(log) == ["WARNING: No changelog found", "ERROR: a rule"]
