# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Surveys of AWX, made from the argument specifications of the playbooks; pure.

Source: AWX, ``JobTemplateSurveySpec`` (types of questions, their choices and defaults) and
``_survey_element_validation`` (which answers AWX accepts).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from .._errors import InvalidOptionError

_MARKUP = re.compile(r"\b[CEMOPRV]\(([^)]*)\)")
_PREFIX = "appuio_"
# Ansible reads the answers as YAML, from ansible-core 2.19 on.
_TAGS = {"appuio_tags", "appuio_tag", "appuio_from", "appuio_image_tags"}
_VERSION = 'A version such as "1.10" in double quotes.'


def survey_of(
    name: str,
    description: str,
    options: Mapping[str, Mapping[str, Any]],
    asked: Iterable[str],
    defaults: Mapping[str, str] | None = None,
    required: Iterable[str] = (),
) -> dict[str, Any]:
    """Return the survey that asks for these options of an argument specification, in this order.

    ``defaults`` take the place of those of the options, and ``required`` names options that have to be answered beside
    those that say so themselves. Raises InvalidOptionError for an option that there is not.
    """
    must = set(required)
    questions = []
    for option in asked:
        if option not in options:
            raise InvalidOptionError(f"{name} cannot ask for {option}, which is no option of it")
        rule = {**options[option], **({"default": defaults[option]} if defaults and option in defaults else {})}
        questions.append(_question(option, rule, option in must or bool(rule.get("required"))))
    return {"name": name, "description": description, "spec": questions}


def _question(option: str, rule: Mapping[str, Any], required: bool) -> dict[str, Any]:
    choices = _choices(rule)
    kind = _type(rule, choices, required)
    question: dict[str, Any] = {
        "type": kind,
        "question_name": option[len(_PREFIX) :].replace("_", " ").capitalize(),
        "question_description": " ".join(filter(None, [_description(rule), _VERSION if option in _TAGS else ""])),
        "variable": option,
        "required": required,
    }
    if kind in ("multiplechoice", "multiselect"):
        question["choices"] = choices
    default = _default(rule)
    # A blank default would be sent as an answer, and take the place of what the inventory says.
    if default:
        question["default"] = int(default) if kind == "integer" else default
    return question


def _type(rule: Mapping[str, Any], choices: list[str], required: bool) -> str:
    """Return the type of the question. AWX accepts a blank answer for text alone, so what may be left blank is text."""
    if rule.get("no_log"):
        return "password"
    if rule["type"] == "list" and choices:
        return "multiselect"
    if rule["type"] in ("list", "dict"):
        return "textarea"
    if choices and (required or _default(rule)):
        return "multiplechoice"
    return "integer" if rule["type"] == "int" and required else "text"


def _choices(rule: Mapping[str, Any]) -> list[str]:
    given = ("true", "false") if rule["type"] == "bool" else rule.get("choices") or ()
    return [str(choice) for choice in given]


def _default(rule: Mapping[str, Any]) -> str:
    """Return a default as somebody would write it into the survey; blank where there is none, and for a secret."""
    value = rule.get("default")
    if value is None or rule.get("no_log"):
        return ""
    if isinstance(value, (list, tuple)):
        return "\n".join(str(entry) for entry in value)
    return value if isinstance(value, str) else json.dumps(value)


def plain_text(rule: Mapping[str, Any]) -> str:
    """Return the description of an option as plain text."""
    given = rule.get("description") or ""
    return " ".join(_MARKUP.sub(_plain, " ".join([given] if isinstance(given, str) else given)).split())


def _description(rule: Mapping[str, Any]) -> str:
    """Return the description as plain text, with how to write a list or a mapping."""
    written = {"list": "One a line.", "dict": "As name=value, one a line, or as JSON."}.get(rule["type"], "")
    return f"{plain_text(rule)} {written}".strip()


def _plain(markup: re.Match[str]) -> str:
    """Return what stands in a markup; an option is called as its question is."""
    text = markup.group(1)
    return text[len(_PREFIX) :].replace("_", " ") if text.startswith(_PREFIX) else text
