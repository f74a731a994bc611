# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is looked at in the built collection, and in what an execution environment is built from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.setup import ROOT, SetupError, artifact

DEFINITION = ROOT / "extensions/patterns/appuio_registry/execution-environment.yml"
CONTAINERFILE = """
ARG EE_BASE_IMAGE="quay.io/ansible/awx-ee:latest"
RUN ansible-galaxy collection install $ANSIBLE_GALAXY_CLI_COLLECTION_OPTS -r requirements.yml --collections-path a
RUN introspect.py introspect --write-bindep=/tmp/src/bindep.txt --write-pip=/tmp/src/requirements.txt
RUN /output/scripts/install-from-bindep && rm -rf /output/wheels
"""


@pytest.fixture
def meta(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(artifact, "INSTALLED", tmp_path)
    meta = tmp_path / "ansible_collections/appuio/registry/meta"
    meta.mkdir(parents=True)
    (meta / "ee-requirements.txt").write_text("# needed\nkubernetes>=24.2\n")
    (meta / "ee-bindep.txt").write_text("# nothing\n")
    return meta


def test_what_the_collection_needs_is_found(meta: Path) -> None:
    artifact.check_requirements("kubernetes>=24.2  # from collection appuio.registry\n", "")
    with pytest.raises(SetupError, match=r"lack kubernetes>=24\.2"):
        artifact.check_requirements("openshift\n", "")
    with pytest.raises(SetupError, match="nothing needs: gcc"):
        artifact.check_requirements("kubernetes>=24.2\n", "gcc\n")
    (meta / "ee-bindep.txt").write_text("gcc [platform:rpm]\n")
    with pytest.raises(SetupError, match="lack gcc"):
        artifact.check_requirements("kubernetes>=24.2\n", "")
    (meta / "ee-requirements.txt").write_text("")
    (meta / "ee-bindep.txt").write_text("")
    with pytest.raises(SetupError, match="lack everything"):
        artifact.check_requirements("", "")


@pytest.mark.parametrize(
    ("containerfile", "listed", "problem"),
    [
        (CONTAINERFILE, "- name: appuio.registry\n", ""),
        (CONTAINERFILE.replace("awx-ee", "ee"), "- name: appuio.registry\n", "does not do this"),
        (CONTAINERFILE.replace("introspect.py", "true"), "- name: appuio.registry\n", "does not do this"),
        ("\n".join(reversed(CONTAINERFILE.splitlines())), "- name: appuio.registry\n", "does not do this"),
        (CONTAINERFILE, "- name: appuio.other\n", "would not have the collection"),
    ],
)
def test_an_image_is_built_from_what_the_pattern_names(
    containerfile: str, listed: str, problem: str, tmp_path: Path
) -> None:
    (tmp_path / "_build").mkdir()
    (tmp_path / "Containerfile").write_text(containerfile)
    (tmp_path / "_build/requirements.yml").write_text(listed)
    if problem:
        with pytest.raises(SetupError, match=problem):
            artifact.check_context(DEFINITION, tmp_path)
    else:
        artifact.check_context(DEFINITION, tmp_path)
