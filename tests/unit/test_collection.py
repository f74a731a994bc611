# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection holds together: what one file promises about another is true."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.playbook.task import Task

from tests.unit.module_arguments import MODULES, arguments, module

ROOT = Path(__file__).resolve().parents[2]
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir())
PLAYBOOKS = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))
PLUGINS = sorted(
    path.relative_to(ROOT / "plugins").with_suffix("").as_posix()
    for kind in ("filter", "inventory", "modules")
    for path in (ROOT / "plugins" / kind).glob("*.py")
)
TASK_KEYWORDS = {*Task.fattributes, "args", "local_action"}
OWN = "appuio.registry."
BUILTIN = "ansible.builtin."

# What users' tasks rely on, with defaults: a name may be added here, none may go.
WHERE: dict[str, Any] = {"zone": None, "base_domain": "appuio.cloud", "registry": None, "host": None, "namespace": None}
WHO: dict[str, Any] = dict.fromkeys(
    ("token", "username", "password", "kubeconfig", "context", "service_account", "auth_file")
)
HOW: dict[str, Any] = {
    "validate_certs": True,
    "ca_cert": None,
    "registry_ca_cert": None,
    "client_cert": None,
    "client_key": None,
    "proxy": None,
    "timeout": 60,
    "retries": 5,
    "retry_delay": 1.0,
}
PROMISED: dict[str, dict[str, Any]] = {
    "appuio_registry_login": {
        **WHERE,
        **WHO,
        **HOW,
        "zones": None,
        "state": "present",
        "client": "docker",
        "verify": True,
        "access": None,
        "min_validity": 600,
    },
    "appuio_registry_token": {
        **WHERE,
        **WHO,
        **HOW,
        "zones": None,
        "state": "present",
        "kind": "secret",
        "secret_name": None,
        "expiration": "24h",
        "current_token": None,
        "grace": "1h",
        "adopt": False,
        "wait": True,
        "wait_timeout": 60,
    },
    "appuio_image_push": {
        **WHERE,
        **WHO,
        **HOW,
        "zones": None,
        "source": None,
        "name": None,
        "tags": None,
        "platforms": None,
        "atomic": True,
        "existing_tags": "overwrite",
        "expected_digest": None,
        "force": False,
        "jobs": 4,
        "progress": True,
    },
    "appuio_image_info": {**WHERE, **WHO, **HOW, "zones": None, "name": None, "tags": None, "details": True, "jobs": 4},
    "appuio_image_tag": {
        **WHERE,
        **WHO,
        **HOW,
        "zones": None,
        "name": None,
        "tag": None,
        "state": "present",
        "from": None,
        "to_digest": None,
        "expected_digest": None,
        "revision": 1,
        "following": "fail",
        "atomic": True,
    },
}
PROMISED_ALIASES = {
    "namespace": "project",
    "registry": "registry_url",
    "token": "api_key",
    "validate_certs": "verify_ssl",
    "ca_cert": "ca_path",
}


def load(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def text_of(*folders: str) -> str:
    files = [path for folder in folders for path in sorted((ROOT / folder).rglob("*")) if path.is_file()]
    return "\n".join(path.read_text(encoding="utf-8") for path in files if path.suffix in (".py", ".yml", ".yaml", ""))


def test_the_action_group_is_all_modules() -> None:
    assert sorted(load("meta/runtime.yml")["action_groups"]["appuio"]) == MODULES


@pytest.mark.parametrize("name", PROMISED)
def test_what_was_promised_is_still_there(name: str) -> None:
    taken = arguments(name)["argument_spec"]
    assert {option: taken[option].get("default") for option in PROMISED[name] if option in taken} == PROMISED[name]
    for option, alias in PROMISED_ALIASES.items():
        assert alias in taken[option]["aliases"]


@pytest.mark.parametrize("name", MODULES)
def test_module_says_what_every_module_says(name: str) -> None:
    documentation = yaml.safe_load(module(name).DOCUMENTATION)
    assert documentation["module"] == name
    assert documentation["version_added"]
    fragments = documentation["extends_documentation_fragment"]
    assert any(fragment.startswith(f"{OWN}attributes") for fragment in fragments)
    assert yaml.safe_load(module(name).RETURN)


@pytest.mark.parametrize("name", MODULES)
def test_module_is_tried_against_the_zones(name: str) -> None:
    assert f"{OWN}{name}" in text_of("tests/integration", "tests/interop", "roles", "playbooks")


def test_each_module_says_what_counts_as_a_node() -> None:
    assert sorted(load("extensions/audit/event_query.yml")) == [f"{OWN}{name}" for name in MODULES]


@pytest.mark.parametrize("name", PLUGINS)
def test_plugin_is_named_in_the_tests(name: str) -> None:
    assert re.search(rf"\b{Path(name).name}\b", text_of("tests/unit/plugins", "tests/integration", "tests/interop"))


@pytest.mark.parametrize("name", ROLES)
def test_role_is_whole(name: str) -> None:
    role = ROOT / "roles" / name
    assert (role / "README.md").is_file()
    options = load(f"roles/{name}/meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    defaults = load(f"roles/{name}/defaults/main.yml")
    assert all(option.startswith(f"{name}_") for option in [*options, *defaults])
    assert set(defaults) <= set(options)
    documented = {option: said["default"] for option, said in options.items() if "default" in said}
    plain = {option: value for option, value in defaults.items() if "{{" not in str(value) and value is not None}
    assert {option: documented[option] for option in documented if option in plain} == {
        option: plain[option] for option in plain if option in documented
    }
    assert name in text_of("tests/integration", "playbooks")


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_playbook_is_run_in_a_test(name: str) -> None:
    assert re.search(rf"\b{name}\b", text_of("tests/integration", "tests/interop", "tests/demo"))


def test_dependencies_are_what_roles_and_playbooks_use() -> None:
    # awx.awx is looked for by the playbook awx alone, when it runs: tests/unit/plugins/module_utils/_awx says so.
    declared = {"awx.awx", *load("galaxy.yml")["dependencies"]}
    used = {name for name in _actions() if not name.startswith((OWN, BUILTIN))}
    assert {".".join(name.split(".")[:2]) for name in used} <= declared
    assert all(name.count(".") >= 2 for name in _actions()), "every action by its full name"


def test_versions_agree() -> None:
    galaxy = load("galaxy.yml")
    assert re.fullmatch(r"\d+\.\d+\.\d+", galaxy["version"])
    assert load("meta/runtime.yml")["requires_ansible"] == ">=2.16.0"
    assert galaxy["license"] == ["GPL-3.0-or-later"]
    assert (ROOT / galaxy["readme"]).is_file()
    assert "2.16" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_requirements_are_named_where_they_are_needed() -> None:
    lines = (ROOT / "meta" / "ee-requirements.txt").read_text(encoding="utf-8").splitlines()
    names = {re.split(r"[<>=]", line)[0] for line in lines if line and not line.startswith("#")}
    assert names == {"isal", "jmespath", "kubernetes", "openshift"}
    environment = load("meta/execution-environment.yml")["dependencies"]
    assert all((ROOT / file).is_file() for file in environment.values())


def test_ci_runs_what_the_readme_says() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & stat.S_IXUSR
    lines = [line for line in script.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    assert lines == ["set -euo pipefail", 'cd "$(dirname "${BASH_SOURCE[0]}")/.."', "make test"]
    assert "make test" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_has_the_sections_of_automation_hub() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## (.+)$", text, re.MULTILINE)
    wanted = ["Description", "Requirements", "Installation", "Use cases", "Testing", "Contributing"]
    wanted += ["Support and communication", "Release notes", "Related information", "License"]
    assert [section for section in sections if section in wanted] == wanted
    # Galaxy and the hub show the page at another address than the repository's.
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert len(links) > 10
    assert [link for link in links if not link.startswith("https://")] == []
    for named in ("CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "SECURITY.md", "LICENSE"):
        assert (ROOT / named).is_file()
        assert any(link.endswith(f"/{named}") for link in links), named


@pytest.mark.parametrize("file", ["README.md", "CONTRIBUTING.md"])
def test_commands_in_the_manuals_are_targets(file: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(
        re.findall(r"^ *make ([a-z]+)|`make ([a-z]+)`", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert {first or second for first, second in named} <= targets
    assert named


@pytest.mark.parametrize("path", sorted((ROOT / "tests" / "sanity").glob("ignore-*.txt")), ids=lambda path: path.name)
def test_every_sanity_ignore_has_a_reason_and_a_file(path: Path) -> None:
    for line in path.read_text(encoding="utf-8").splitlines():
        entry, _separator, reason = line.partition(" # ")
        assert len(reason) > 20, line
        # Of these, ansible-lint and Automation Hub permit hardly any.
        assert not line.startswith(("plugins/", "roles/")), line
        assert (ROOT / entry.split()[0]).is_file(), line


def test_guides_that_are_listed_exist() -> None:
    sections = load("docs/docsite/extra-docs.yml")["sections"]
    listed = {name for section in sections for name in section["toctree"]}
    assert listed == {path.stem for path in (ROOT / "docs" / "docsite" / "rst").glob("*.rst")}


def _actions() -> list[str]:
    """Return the name of every action in roles and playbooks."""
    found: list[str] = []
    for folder in ("roles", "playbooks"):
        for path in sorted((ROOT / folder).rglob("*.yml")):
            if "tasks" in path.parts or path.parent.name == "playbooks":
                found += _actions_in(yaml.safe_load(path.read_text(encoding="utf-8")))
    return found


def _actions_in(value: Any) -> Iterator[str]:
    for entry in value if isinstance(value, list) else ():
        nested = [
            entry.get(key) for key in ("pre_tasks", "tasks", "post_tasks", "block", "rescue", "always", "handlers")
        ]
        for tasks in nested:
            yield from _actions_in(tasks)
        if not any(nested) and "hosts" not in entry and "ansible.builtin.import_playbook" not in entry:
            yield from (key for key in entry if key not in TASK_KEYWORDS and not key.startswith("with_"))
