# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documentation shows exists: modules, options, roles, playbooks and their variables."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from ansible_collections.appuio.registry.plugins.module_utils._zone_list import zone_hosts

from tests.unit.documented_code import (
    COLLECTION,
    ROOT,
    Block,
    blocks,
    module_options,
    playbook_variables,
    plugin_examples,
    role_variables,
    tasks_of,
)
from tests.unit.playbook_reference import BEGIN, PAGE, reference, specifications

FACTS = {"image_pusher_token"}
# What playbooks give, and what examples keep their tokens in, is no variable that they take.
GIVEN = {"appuio_digest", "appuio_push", "appuio_tokens", "appuio_tokens_yaml"}
MODULES = {path.stem for path in (ROOT / "plugins/modules").glob("*.py")}
ROLES = {path.name for path in (ROOT / "roles").iterdir() if path.is_dir()}
PLAYBOOKS = {path.stem for path in (ROOT / "playbooks").glob("*.yml")}
FILTERS = {path.stem for path in (ROOT / "plugins/filter").glob("*.py")}
YAML = [block for block in blocks() if block.language == "yaml"] + plugin_examples()
SHELL = [block for block in blocks() if block.language == "shell"]


def documents(block: Block) -> list[Any]:
    return [document for document in yaml.safe_load_all(block.text) if document is not None]


def taken_by_playbooks() -> set[str]:
    """Return every variable that the playbooks take."""
    return {name for spec in specifications().values() for name in spec["options"]}


def test_there_is_code_to_check() -> None:
    assert len(YAML) > 10
    assert len(SHELL) > 5


@pytest.mark.parametrize("block", YAML, ids=str)
def test_options_exist(block: Block) -> None:
    for document in documents(block):
        for task in tasks_of(document):
            for key, options in task.items():
                collection, _separator, name = key.rpartition(".")
                if collection != COLLECTION:
                    continue
                assert name in MODULES, f"{block}: there is no module {key}"
                unknown = set(options) - module_options(name)
                assert not unknown, f"{block}: {key} has no option {unknown}"


@pytest.mark.parametrize("block", YAML, ids=str)
def test_variables_of_roles_exist(block: Block) -> None:
    for document in documents(block):
        for task in tasks_of(document):
            role = (task.get("ansible.builtin.include_role") or {}).get("name", "")
            if role.startswith(COLLECTION):
                name = role.rpartition(".")[2]
                assert name in ROLES, f"{block}: there is no role {role}"
                unknown = set(task.get("vars", {})) - role_variables(name)
                assert not unknown, f"{block}: the role {role} has no variable {unknown}"
                assert f"{name}_namespace" in task["vars"]


@pytest.mark.parametrize("block", YAML, ids=str)
def test_inventories_are_inventories(block: Block) -> None:
    for document in documents(block):
        if isinstance(document, dict) and document.get("plugin") == "appuio.registry.zones":
            assert document.get("control_api") or zone_hosts(document["zones"])


@pytest.mark.parametrize("block", [*YAML, *SHELL], ids=str)
def test_playbooks_and_variables_exist(block: Block) -> None:
    for name in re.findall(r"ansible-playbook [^|&;]*?appuio\.registry\.(\w+)", block.text.replace("\\\n", " ")):
        assert name in PLAYBOOKS, f"{block}: there is no playbook {name}"
    for name in set(re.findall(r"-e (appuio_\w+)=", block.text)):
        assert name in taken_by_playbooks(), f"{block}: no playbook takes {name}"


@pytest.mark.parametrize("block", YAML, ids=str)
def test_filters_exist(block: Block) -> None:
    for name in re.findall(r"\| *appuio\.registry\.(\w+)", block.text):
        assert name in FILTERS, f"{block}: there is no filter {name}"


def test_every_variable_of_the_playbooks_is_documented() -> None:
    guide = playbook_variables((ROOT / "docs/docsite/rst/playbooks.rst").read_text()) - {"appuio_"}
    assert taken_by_playbooks() - guide == set()
    assert guide - taken_by_playbooks() - GIVEN == set()


def test_the_reference_of_the_playbooks_is_what_they_check() -> None:
    assert PAGE.read_text().partition(BEGIN)[2] == "\n" + reference(), f"run {reference.__module__} to write it anew"


def test_links_of_the_readme_lead_somewhere() -> None:
    """Galaxy shows README.md where no file lies beside it."""
    targets = re.findall(r"\]\(([^)]+)\)", (ROOT / "README.md").read_text())
    assert [target for target in targets if not target.startswith("https://")] == []
    files = [target.partition("/blob/main/")[2] for target in targets if "/blob/main/" in target]
    assert len(files) > 10
    assert [file for file in files if not (ROOT / file).is_file()] == []
