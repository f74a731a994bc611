# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The argument specifications of the playbooks are whole, and true to the modules that the variables are handed to."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.unit.module_arguments import arguments
from tests.unit.playbook_reference import specifications
from tests.unit.test_collection import MODULES, PLAYBOOKS, ROOT

SPECS: dict[str, dict[str, Any]] = specifications()
BESIDE = set(yaml.safe_load((ROOT / "playbooks/vars/run.yml").read_text())["_appuio_known_variables"])
VARIABLE = re.compile(r"(?<![\w.])appuio_[a-z0-9_]+\b")
ALL = {name for spec in SPECS.values() for name in spec["options"]}
KNOWN = ALL | BESIDE
PLAYS = ROOT / "playbooks"
# What a playbook hands on under another name than its own, or that is nobody's option.
OWN = {"zones", "result_file", "login", "login_state", "pusher", "source"}
OTHERWISE = {"bad_digest": "expected_digest", "image_tags": "tags", "sync_atomic": "atomic"}
CALLED = {
    "login": ["appuio_registry_login"],
    "push": ["appuio_image_push"],
    "rollout": ["appuio_registry_login", "appuio_image_push", "appuio_registry_account"],
    "promote": ["appuio_image_tag"],
    "rollback": ["appuio_image_tag"],
    "report": ["appuio_image_info"],
    "prune": ["appuio_image_prune"],
    "sync": ["appuio_image_sync"],
    "setup_pusher": ["appuio_registry_account"],
    "rotate_tokens": ["appuio_registry_account", "appuio_registry_login"],
    "remove": ["appuio_registry_account", "appuio_registry_login"],
}


def test_each_playbook_has_one() -> None:
    assert sorted(SPECS) == PLAYBOOKS


@pytest.mark.parametrize("playbook", [name for name in PLAYBOOKS if name != "awx"])
def test_it_chooses_its_hosts_and_begins_as_the_others_do(playbook: str) -> None:
    """What is wrong with an inventory, a pattern or a limit is told by each alike; test_silence looks how, for one."""
    (play,) = yaml.safe_load((ROOT / f"playbooks/{playbook}.yml").read_text())
    (like,) = yaml.safe_load((ROOT / "playbooks/push.yml").read_text())
    assert play["hosts"] == like["hosts"]
    assert play["tasks"][0] == like["tasks"][0]
    assert like["tasks"][0]["ansible.builtin.import_tasks"] == "tasks/check.yml"
    assert [play["gather_facts"], play["vars_files"]] == [like["gather_facts"], like["vars_files"]]
    assert play["vars"]["_appuio_playbook"] == playbook


@pytest.mark.parametrize("playbook", [name for name in PLAYBOOKS if name != "awx"])
def test_it_tells_its_outcome_also_where_every_zone_fails(playbook: str) -> None:
    """What comes after the check stands in blocks, and the outcome in the always part of the last one."""
    (play,) = yaml.safe_load((ROOT / f"playbooks/{playbook}.yml").read_text())
    blocks = [task for task in play["tasks"] if "block" in task]
    assert blocks
    last = blocks[-1]
    assert play["tasks"][-1] == last
    # Not an imported task, after which 2.16 would end the play, nor a meta task, which every zone has a heading of.
    published = {"data": "{{ _appuio_published }}", "aggregate": False}
    assert last["always"][0] == {
        "name": "Publish the outcome",
        "ansible.builtin.set_stats": published,
        "run_once": True,
    }
    imported = [task.get("ansible.builtin.import_tasks", "") for task in last["always"]]
    assert [name for name in imported if name.endswith("outcome.yml")]
    assert "tasks/collect.yml" not in [task.get("ansible.builtin.import_tasks") for task in play["tasks"]]


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_an_option_is_described_and_typed(playbook: str) -> None:
    assert SPECS[playbook]["short_description"]
    for name, rule in SPECS[playbook]["options"].items():
        assert name.startswith("appuio_")
        assert rule["description"]
        assert rule["type"] in ("str", "bool", "int", "float", "path", "list", "dict", "raw")
        assert (rule["type"] == "list") == ("elements" in rule)


@pytest.mark.parametrize("playbook", CALLED)
def test_types_choices_and_defaults_are_those_of_the_module(playbook: str) -> None:
    taken: dict[str, dict[str, Any]] = {}
    for called in CALLED[playbook]:
        spec = arguments(called)["argument_spec"]
        of_account = called == "appuio_registry_account"
        taken.update({f"pusher_{name}" if of_account else name: rule for name, rule in spec.items()})
    own = {name.removeprefix("appuio_"): rule for name, rule in SPECS[playbook]["options"].items()}
    compared = 0
    for name, rule in own.items():
        option = OTHERWISE.get(name, name)
        option = option.replace("pusher_token_kind", "pusher_kind")
        if name in OWN or option not in taken:
            continue
        module = taken[option]
        assert (rule["type"], rule.get("choices")) == (module.get("type", "str"), module.get("choices")), name
        if name not in ("atomic", "pusher_rotate") and module.get("default") not in ([], {}):
            assert rule.get("default") == module.get("default"), name
        compared += 1
    assert compared > 10


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_what_a_playbook_reads_it_declares(playbook: str) -> None:
    """Its own file and the tasks that it imports name no variable that its specification has not."""
    text = (ROOT / f"playbooks/{playbook}.yml").read_text()
    for name in re.findall(r"import_tasks: tasks/(\w+\.yml)", text):
        text += (ROOT / "playbooks/tasks" / name).read_text()
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    read = set(VARIABLE.findall(code)) - set(MODULES)
    assert read - set(SPECS[playbook]["options"]) - BESIDE == {
        name for name in read if name.startswith("appuio_pusher_") and name not in KNOWN
    }


def test_a_blank_variable_is_left_out() -> None:
    """Surveys send blanks for what nobody answers, and pipelines for what they do not set; a module refuses them.

    From ansible-core 2.19 on a blank of a survey is null, whose text is no blank.
    """
    for path in (path for pattern in ("*.yml", "tasks/*.yml", "vars/*.yml") for path in PLAYS.glob(pattern)):
        text = path.read_text().replace("or appuio_digest | default(omit, true)", "")
        assert re.findall(r"appuio_\w+ \| default\(omit", text) == [], f"{path.name}: what of a blank, and of a zero?"
        assert re.findall(r"default\(''\) \| (?:string|trim)", text) == [], f"{path.name}: what of null?"


def test_variables_of_guides_are_known() -> None:
    guides = [*ROOT.glob("docs/docsite/rst/*.rst"), *ROOT.glob("roles/*/README.md"), ROOT / "README.md"]
    named = {name for path in guides for name in VARIABLE.findall(path.read_text())}
    misspelled = {"appuio_namespaces"}  # where a guide tells what comes of it
    assert named - KNOWN - set(MODULES) == misspelled


def test_secrets_are_declared_as_such() -> None:
    secret = {name for name in ALL if re.search(r"(token|password)$", name)}
    assert secret == {"appuio_token", "appuio_password", "appuio_source_password"}
    for spec in SPECS.values():
        assert all(rule.get("no_log") for name, rule in spec["options"].items() if name in secret)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("oci:build/amd64,docker-archive:arm64.tar", "oci:/here/build/amd64,docker-archive:/here/arm64.tar"),
        ("oci:a\ndir:b", "oci:/here/a\ndir:/here/b"),
        ('["oci-archive:a.tar:1", {"source": "oci:b"}]', '["oci-archive:/here/a.tar:1", {"source": "oci:/here/b"}]'),
        ("oci:/a oci:~/b", "oci:/a oci:~/b"),
        ("docker://host/oci:1.0", "docker://host/oci:1.0"),
        ("docker://host/my-dir:1.0", "docker://host/my-dir:1.0"),
        ("docker-archive:/a.tar:dir:1.0", "docker-archive:/a.tar:dir:1.0"),
    ],
)
def test_a_relative_path_among_sources_is_meant_from_where_the_run_began(given: str, wanted: str) -> None:
    pattern = yaml.safe_load((ROOT / "playbooks/vars/zone.yml").read_text())["_appuio_path_in_sources"]
    assert re.sub(pattern, r"\1:/here/", given) == wanted


@pytest.mark.parametrize("playbook", ["push", "rollout"])
def test_an_image_is_named_in_one_way(playbook: str) -> None:
    spec = SPECS[playbook]
    assert spec["required_one_of"] == [["appuio_source", "appuio_sources"]]
    assert ["appuio_source", "appuio_sources"] in spec["mutually_exclusive"]
    assert {name for names in spec["mutually_exclusive"] for name in names} <= set(spec["options"])
