# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pipelines of the guide: their files, and the scripts in these, as a runner would run them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Any

import yaml

from tests.unit.documented_code import blocks

PAGE = "docs/docsite/rst/ci_pipelines.rst"
GITLAB = ".gitlab-ci.yml"
GITHUB = ".github/workflows/release.yml"
FORGEJO = ".forgejo/workflows/release.yml"
JENKINS = "Jenkinsfile"
TEKTON = "tekton"
KANIKO = "kaniko/.gitlab-ci.yml"  # the job that takes the place of another in the pipeline for GitLab
PIPELINES = (GITLAB, GITHUB, FORGEJO, JENKINS, TEKTON)


def files() -> dict[str, str]:
    """Return the files that the guide shows, by their names."""
    return {block.caption: block.text for block in blocks() if block.place.startswith(PAGE) and block.caption}


def text_of(name: str) -> str:
    """Return a pipeline, that of Tekton with all its objects as documents of one text."""
    return "---\n".join(text for file, text in files().items() if file == name or file.startswith(f"{name}/"))


def scripts(name: str) -> dict[str, str]:
    """Return the scripts of a pipeline by the name of their job or step."""
    text = text_of(name)
    if name == JENKINS:
        found = [textwrap.dedent(script) for script in re.findall(r"sh \'\'\'\n(.*?)\'\'\'", text, re.DOTALL)]
        return dict(zip(("build", "push"), found, strict=True))
    documents = list(yaml.safe_load_all(text))
    if name == TEKTON:
        steps = [step for task in documents if task["kind"] == "Task" for step in task["spec"]["steps"]]
        return {step["name"]: step["script"] for step in steps}
    if name in (GITLAB, KANIKO):
        jobs = {job.lstrip("."): content for job, content in documents[0].items() if isinstance(content, dict)}
        return {job: "\n".join(content["script"]) for job, content in jobs.items() if "script" in content}
    jobs = documents[0]["jobs"]
    return {job: "\n".join(step["run"] for step in content["steps"] if "run" in step) for job, content in jobs.items()}


def variables(name: str) -> dict[str, str]:
    """Return what the push gets into its environment, by the name of the variable."""
    text = text_of(name)
    if name == JENKINS:
        return dict(re.findall(r"^ +([A-Z_]+) = (.+)$", text, re.MULTILINE))
    documents = list(yaml.safe_load_all(text))
    if name == GITLAB:
        return {str(key): str(value) for key, value in documents[0]["push"]["variables"].items()}
    if name == TEKTON:
        step = next(each for each in documents if each["metadata"]["name"] == "push-frontend")["spec"]["steps"][0]
        return {entry["name"]: str(entry.get("value") or entry["valueFrom"]) for entry in step["env"]}
    steps = documents[0]["jobs"]["push"]["steps"]
    return {key: value for step in steps for key, value in step.get("env", {}).items()}


def mappings(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every mapping in a document."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    for entry in value if isinstance(value, list) else []:
        yield from mappings(entry)
