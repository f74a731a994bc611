# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is published with a version: its software bill of materials, its checksums, and what is still in the way.

Sources: CycloneDX 1.6, JSON; the formats of MANIFEST.json and FILES.json of ansible-galaxy; sha256sum(1).
"""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from . import BUILD, ROOT

RELEASE = BUILD / "release"
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs/docsite/rst").glob("*.rst"))]
# A program that ends with status 1 where a file is no CycloneDX document.
VALIDATE = """
import sys, cyclonedx.schema as schema, cyclonedx.validation.json as json
sys.exit(str(json.JsonStrictValidator(schema.SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read()) or "") or 0)
"""
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_PINNED = re.compile(r"appuio-registry-(\d[\w.-]*?)\.tar\.gz|name: appuio\.registry\n +version: (\S+)")
_NOT_INSTALLED = re.compile(r"WARNING: ERROR +Failed to find appuio\.registry\.\w+ playbook\.")
_HASH = "chksum_sha256"


def version() -> str:
    """Return the version in galaxy.yml."""
    found = re.search(r"^version: (\S+)$", (ROOT / "galaxy.yml").read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None
    return found[1].strip("\"'")


def has_changelog(wanted: str, changelog: str) -> bool:
    """Return whether this changelog.yaml has the version."""
    return re.search(rf"^  [\"']?{re.escape(wanted)}[\"']?:", changelog, re.MULTILINE) is not None


def obstacles(wanted: str, changelog: str, changed: Iterable[str], documents: Iterable[Path]) -> list[str]:
    """Return what keeps the version from being published, each with what to do.

    ``changelog`` is the changelog.yaml that is committed, ``changed`` the files that are not, ``documents`` the guides.
    """
    found = []
    if not has_changelog(wanted, changelog):
        found.append(f"the changelog has no {wanted}: run antsibull-changelog release, and commit what it writes")
    if files := sorted(changed):
        found.append(f"not committed: {', '.join(files)}")
    for document in documents:
        named = {name for pair in _PINNED.findall(document.read_text(encoding="utf-8")) for name in pair if name}
        found += [f"{document.name} names the version {other}" for other in sorted(named - {wanted})]
    return found


def complaints(log: str) -> list[str]:
    """Return the warnings and errors in what the importer of Galaxy says.

    Not that it finds no playbook of ours: it looks at the collection where it is not installed, and a pattern imports
    the collection's playbooks by their names.
    """
    found = [line for line in log.splitlines() if line.startswith(("WARNING", "ERROR", "CRITICAL"))]
    return [line for line in found if not _NOT_INSTALLED.fullmatch(line)]


def bill_of_materials(archive: Path) -> dict[str, Any]:
    """Return the files of a built collection, and what Python packages it can use, as a CycloneDX document.

    The same archive gives the same document.
    """
    with tarfile.open(archive) as opened:
        manifest = _json(opened, "MANIFEST.json")["collection_info"]
        files = _json(opened, "FILES.json")["files"]
        requirements = _read(opened, "meta/ee-requirements.txt").decode()
    name = f"{manifest['namespace']}.{manifest['name']}"
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    whole = {
        "type": "library",
        "bom-ref": name,
        "name": name,
        "version": manifest["version"],
        "description": manifest["description"],
        "licenses": [{"license": {"id": identifier}} for identifier in manifest["license"]],
        "hashes": _sha256(digest),
        "externalReferences": [
            {"type": kind, "url": manifest[key]}
            for kind, key in (("vcs", "repository"), ("documentation", "documentation"), ("issue-tracker", "issues"))
        ],
    }
    packages = [_NAME.match(line) for line in requirements.splitlines()]
    optional = [
        {
            "type": "library",
            "bom-ref": (purl := f"pkg:pypi/{found[0]}"),
            "name": found[0],
            "purl": purl,
            "scope": "optional",
        }
        for found in packages
        if found
    ]
    own = [
        {"type": "file", "bom-ref": f"file:{file['name']}", "name": file["name"], "hashes": _sha256(file[_HASH])}
        for file in files
        if file["ftype"] == "file"
    ]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'sha256:{digest}')}",
        "version": 1,
        "metadata": {"component": whole},
        "components": [*optional, *own],
        "dependencies": [
            {"ref": name, "dependsOn": [package["bom-ref"] for package in optional]},
            *({"ref": package["bom-ref"]} for package in optional),
        ],
    }


def checksums(files: Iterable[Path]) -> str:
    """Return lines that ``sha256sum --check`` reads."""
    return "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files)


def _sha256(digest: str) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": digest}]


def _json(archive: tarfile.TarFile, name: str) -> dict[str, Any]:
    return dict(json.loads(_read(archive, name)))


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(name)
    assert member is not None
    return member.read()
