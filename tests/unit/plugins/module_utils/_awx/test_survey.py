# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Surveys agree with the argument specifications, and AWX would take them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._awx.jobs import JOBS, Job
from ansible_collections.appuio.registry.plugins.module_utils._awx.survey import survey_of
from ansible_collections.appuio.registry.plugins.module_utils._errors import InvalidOptionError

from tests.unit.awx_arguments import survey_problems
from tests.unit.playbook_reference import specifications

SPECS = specifications()


def question(rule: dict[str, Any], **how: Any) -> dict[str, Any]:
    survey = survey_of(
        "Survey", "About", {"appuio_some_thing": {"description": "It.", **rule}}, ["appuio_some_thing"], **how
    )
    found: dict[str, Any] = survey["spec"][0]
    return found


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ({"type": "str"}, {"type": "text"}),
        ({"type": "path", "default": "a.html"}, {"type": "text", "default": "a.html"}),
        ({"type": "str", "no_log": True, "default": "secret"}, {"type": "password"}),
        (
            {"type": "bool", "default": True},
            {"type": "multiplechoice", "choices": ["true", "false"], "default": "true"},
        ),
        ({"type": "bool"}, {"type": "text"}),
        ({"type": "bool", "required": True}, {"type": "multiplechoice", "choices": ["true", "false"]}),
        (
            {"type": "str", "choices": ["gzip", "none"], "default": "gzip"},
            {"type": "multiplechoice", "choices": ["gzip", "none"], "default": "gzip"},
        ),
        ({"type": "str", "choices": ["gzip", "none"]}, {"type": "text"}),
        ({"type": "list", "elements": "str"}, {"type": "textarea"}),
        ({"type": "list", "elements": "str", "default": ["a", "b"]}, {"type": "textarea", "default": "a\nb"}),
        (
            {"type": "list", "elements": "str", "choices": ["pull", "push"]},
            {"type": "multiselect", "choices": ["pull", "push"]},
        ),
        ({"type": "dict", "default": {"a": "b"}}, {"type": "textarea", "default": '{"a": "b"}'}),
        ({"type": "int", "default": 50}, {"type": "text", "default": "50"}),
        ({"type": "int", "default": 50, "required": True}, {"type": "integer", "default": 50}),
        ({"type": "int"}, {"type": "text"}),
    ],
    ids=str,
)
def test_the_type_of_a_question_is_one_that_takes_every_answer(rule: dict[str, Any], wanted: dict[str, Any]) -> None:
    found = question(rule)
    assert {key: found[key] for key in found if key in ("type", "choices", "default")} == wanted
    assert found["required"] is bool(rule.get("required"))


def test_a_question_is_plain_text() -> None:
    found = question(
        {
            "type": "list",
            "description": [
                "As V(linux/amd64) of M(appuio.registry.a), with O(appuio_source_password).",
                "See E(HOME).",
            ],
        }
    )
    assert found["question_name"] == "Some thing"
    assert (
        found["question_description"]
        == "As linux/amd64 of appuio.registry.a, with source password. See HOME. One a line."
    )


def test_a_question_for_a_tag_says_how_a_version_is_written() -> None:
    """Ansible reads answers as YAML, from ansible-core 2.19 on, in which 1.10 is 1.1."""
    rule = {"type": "list", "description": "Tags."}
    (asked,) = survey_of("Survey", "About", {"appuio_tags": rule}, ["appuio_tags"])["spec"]
    assert asked["question_description"] == 'Tags. One a line. A version such as "1.10" in double quotes.'


def test_a_default_and_what_is_required_can_be_given() -> None:
    found = question(
        {"type": "str", "default": "a"}, defaults={"appuio_some_thing": "b"}, required=["appuio_some_thing"]
    )
    assert (found["default"], found["required"]) == ("b", True)


def test_an_option_that_there_is_not_is_refused() -> None:
    with pytest.raises(InvalidOptionError, match="Survey cannot ask for appuio_other"):
        survey_of("Survey", "About", {}, ["appuio_other"])


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.playbook)
def test_each_survey_is_one_that_awx_takes(job: Job) -> None:
    spec = SPECS[job.playbook]
    survey = survey_of(job.name, spec["short_description"], spec["options"], job.asked, required=job.required)
    assert survey_problems(survey) == []
    required = {name for name, rule in spec["options"].items() if rule.get("required")}
    assert required <= {*job.asked, *job.variables}, "what a playbook needs has to be asked for, or given"
    assert set(job.required) <= set(job.asked)
    for one_of in spec.get("required_one_of", ()):
        assert len(set(one_of) & {*job.required, *job.variables}) == 1, "one of these is asked for, or given"
    assert set(job.variables) <= set(spec["options"])
    asked = {question["variable"]: spec["options"][question["variable"]] for question in survey["spec"]}
    assert not [name for name, rule in asked.items() if rule["type"] == "path"], "a path is one in the container"
    assert "appuio_token" not in asked
