# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pipelines of the guide are files that GitLab, GitHub and Tekton take, and do nothing that can be abused."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.unit.documented_pipelines import (
    FORGEJO,
    GITHUB,
    GITLAB,
    JENKINS,
    KANIKO,
    PIPELINES,
    TEKTON,
    files,
    mappings,
    scripts,
    text_of,
    variables,
)

ROOT = Path(__file__).resolve().parents[2]
# Who made the file's language; Forgejo reads GitHub's.
SCHEMAS = {
    GITLAB: "vendor.gitlab-ci",
    KANIKO: "vendor.gitlab-ci",
    GITHUB: "vendor.github-workflows",
    FORGEJO: "vendor.github-workflows",
}
TOKENS = ("TOKEN_LPG", "TOKEN_GVA")


def checked(schema: str, path: Path) -> str:
    """Return what check-jsonschema says of a file, nothing where it is right; it brings the schema along."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if answer.returncode == 0 else answer.stdout + answer.stderr


@pytest.mark.parametrize("name", SCHEMAS)
def test_file_is_valid_by_the_schema_of_its_vendor(name: str, tmp_path: Path) -> None:
    file = tmp_path / "pipeline.yml"
    file.write_text(files()[name], encoding="utf-8")
    assert checked(SCHEMAS[name], file) == ""


def test_the_schema_notices_a_wrong_file(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.yml"
    file.write_text(files()[GITHUB].replace("runs-on:", "runs_on:", 1), encoding="utf-8")
    assert "runs_on" in checked(SCHEMAS[GITHUB], file)


def test_the_workflow_of_this_repository_is_valid() -> None:
    assert checked(SCHEMAS[GITHUB], ROOT / ".github/workflows/ci.yml") == ""


def test_the_job_with_kaniko_takes_the_place_of_that_with_buildah() -> None:
    (name, job), *others = yaml.safe_load(files()[KANIKO]).items()
    replaced = yaml.safe_load(files()[GITLAB])[name]
    assert (others, job["stage"], job["artifacts"]) == ([], replaced["stage"], replaced["artifacts"])
    assert re.search(r":v\d+\.\d+\.\d+-debug$", job["image"]["name"]), "pinned, and with a shell"


def test_tekton_gets_objects_that_name_each_other() -> None:
    objects = list(yaml.safe_load_all(text_of(TEKTON)))
    assert [each["kind"] for each in objects] == ["Task", "Task", "Pipeline", "Trigger"]
    names = {each["metadata"]["name"] for each in objects}
    referred = {
        ref["name"] for each in mappings(objects) for key in ("taskRef", "pipelineRef") if (ref := each.get(key))
    }
    assert referred == {"build-frontend", "push-frontend", "release-frontend"} & names
    tasks = objects[2]["spec"]["tasks"]
    assert [run["pipelineTaskName"] for run in list(mappings(objects[3])) if "pipelineTaskName" in run] == [
        task["name"] for task in tasks[:2]
    ]
    for task in tasks:
        wanted = next(each for each in objects if each["metadata"]["name"] == task["taskRef"]["name"])["spec"]
        assert [param["name"] for param in task["params"]] == [param["name"] for param in wanted["params"]]


def test_jenkins_gets_as_many_braces_as_it_closes() -> None:
    text = text_of(JENKINS)
    assert text.count("{") == text.count("}")
    assert text.count("buildingTag()") == 2, "tags only"
    assert 'sh """' not in text, "Groovy would write secrets into the script"


@pytest.mark.parametrize("name", PIPELINES)
def test_script_is_shell_into_which_nothing_is_put(name: str) -> None:
    found = scripts(name)
    assert {"build", "push"} <= set(found)
    for script in found.values():
        subprocess.run(["sh", "-n"], input=script, text=True, check=True)
        put_in = re.findall(r"\$\{\{.*?\}\}|\$\((?:params|tasks|tt|extensions|body)\b[^)]*\)", script)
        assert put_in == [], "it would be executed"


@pytest.mark.parametrize("name", PIPELINES)
def test_tokens_are_secrets_and_never_arguments(name: str) -> None:
    for script in scripts(name).values():
        assert not re.search(r"TOKEN|-e\s*[\"']?appuio_token", script)
    given = variables(name)
    assert "TAG" in given
    if name == GITLAB:  # its protected variables are in the environment of each job of a protected tag
        assert not set(TOKENS) & set(given)
        return
    assert all(re.search(r"secrets\.|credentials\(|secretKeyRef", given[token]) for token in TOKENS)


@pytest.mark.parametrize("name", PIPELINES)
def test_versions_are_pinned(name: str) -> None:
    installed = re.findall(r"install (ansible-core\S*)", text_of(name))
    assert installed
    assert all(re.fullmatch(r"ansible-core==\d+\.\d+\.\d+", package) for package in installed)
    images = re.findall(r"image: (\S+/\S+|\w+:\S+)", text_of(name))
    assert all(":" in image and not image.endswith(":latest") for image in images)
    assert re.search(r"version: \d+\.\d+\.\d+$", files()["deploy/requirements.yml"], re.MULTILINE)
