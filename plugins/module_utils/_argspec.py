# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument specifications that merge, with the options that modules share, and what is made of what users send; pure.

Surveys of AWX send text for lists and blanks for what was not filled in; YAML reads 1.10 as the number 1.1.
"""

from __future__ import annotations

from typing import Any, Mapping

from ._errors import InvalidOptionError
from ._text import as_list, as_mapping, as_texts, is_blank, unquoted


class ArgumentSpec:
    """Options with the rules that bind them; ``+`` gives the options and rules of both.

    ``zone_options`` are the module's own options that an entry of ``zones`` may have, too.
    """

    def __init__(
        self,
        options: dict[str, dict[str, Any]],
        mutually_exclusive: tuple[tuple[str, ...], ...] = (),
        required_together: tuple[tuple[str, ...], ...] = (),
        required_one_of: tuple[tuple[str, ...], ...] = (),
        required_if: tuple[tuple[Any, ...], ...] = (),
        required_by: Mapping[str, tuple[str, ...]] | None = None,
        zone_options: tuple[str, ...] = (),
    ) -> None:
        self.options = options
        self.mutually_exclusive = mutually_exclusive
        self.required_together = required_together
        self.required_one_of = required_one_of
        self.required_if = required_if
        self.required_by = dict(required_by or {})
        self.zone_options = zone_options

    def __add__(self, other: ArgumentSpec) -> ArgumentSpec:
        return ArgumentSpec(
            options={**self.options, **other.options},
            mutually_exclusive=self.mutually_exclusive + other.mutually_exclusive,
            required_together=self.required_together + other.required_together,
            required_one_of=self.required_one_of + other.required_one_of,
            required_if=self.required_if + other.required_if,
            required_by={**self.required_by, **other.required_by},
            zone_options=self.zone_options + other.zone_options,
        )

    def entry_options(self) -> dict[str, dict[str, Any]]:
        """Return the options of an entry of ``zones``: where, who and how, and what the module has of its own.

        What an entry does not say is the task's, so that nothing in it has a default.
        """
        shared = {**ZONE.options, **CREDENTIALS.options, **CONNECTION.options}
        names = [*shared, *self.zone_options]
        return entry_rules({name: self.options.get(name, shared.get(name, {})) for name in names})

    def arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of ``AnsibleModule`` that this specification amounts to."""
        return {
            "argument_spec": self.options,
            "mutually_exclusive": self.mutually_exclusive,
            "required_together": self.required_together,
            "required_one_of": self.required_one_of,
            "required_if": self.required_if,
            "required_by": self.required_by,
        }


def entry_rules(rules: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return options as an entry of a list has them: what it does not say is the task's, so that none has a default."""
    return {
        name: {key: rule[key] for key in rule if key not in ("default", "required")} for name, rule in rules.items()
    }


ZONE = ArgumentSpec(
    options={
        "zone": {"type": "str"},
        "base_domain": {"type": "str", "default": "appuio.cloud"},
        "registry": {"type": "str", "aliases": ["registry_url"]},
        "host": {"type": "str"},
        "namespace": {"type": "str", "aliases": ["project"]},
    },
)

ZONES = ArgumentSpec(
    options={"zones": {"type": "list", "elements": "raw"}},
    mutually_exclusive=(("zone", "zones"), ("registry", "zones"), ("host", "zones")),
)

CREDENTIALS = ArgumentSpec(
    options={
        "token": {"type": "str", "no_log": True, "aliases": ["api_key"]},
        "username": {"type": "str"},
        "password": {"type": "str", "no_log": True},
        "kubeconfig": {"type": "path"},
        "context": {"type": "str"},
        "service_account": {"type": "str"},
        "auth_file": {"type": "path"},
    },
    required_by={"password": ("username",)},
)

CONNECTION = ArgumentSpec(
    options={
        "validate_certs": {"type": "bool", "default": True, "aliases": ["verify_ssl"]},
        "plain_http": {"type": "bool", "default": False},
        "ca_cert": {"type": "path", "aliases": ["ca_path", "ssl_ca_cert"]},
        "registry_ca_cert": {"type": "path"},
        "client_cert": {"type": "path"},
        "client_key": {"type": "path", "no_log": False},
        "proxy": {"type": "str"},
        "timeout": {"type": "int", "default": 60},
        "retries": {"type": "int", "default": 5},
        "retry_delay": {"type": "float", "default": 1.0},
    },
)

# Where, who and how: what every module of zones begins with.
TARGETS = ZONE + ZONES + CREDENTIALS + CONNECTION

# Blank, these say no more than when they are left out; what is missing then is reported by what needs it.
_AS_NOT_GIVEN = frozenset({*ZONE.options, *ZONES.options, *CONNECTION.options})


def readable_parameters(given: Mapping[str, Any], spec: ArgumentSpec) -> dict[str, Any]:
    """Return the parameters of a task with lists and mappings as such, and without what is blank.

    Raises InvalidOptionError for a blank where the option has no default, since a variable behind it is empty, and
    for a number with a fraction where a text is wanted, since that is not what was written.
    """
    parameters = dict(given)
    for option, rule in spec.options.items():
        for name in (option, *rule.get("aliases", ())):
            if name not in parameters or parameters[name] is None:
                continue
            value = parameters[name]
            if is_blank(value):
                if "default" not in rule and option not in _AS_NOT_GIVEN:
                    raise InvalidOptionError(
                        f"{name} is empty", hint="The variable or command that it comes from gave nothing: give a value"
                    )
                del parameters[name]
            else:
                parameters[name] = _readable(name, value, rule)
    return parameters


def _readable(name: str, value: Any, rule: Mapping[str, Any]) -> Any:
    kind = rule.get("type", "str")
    if kind == "list":
        return as_texts(name, value) if rule.get("elements") == "str" else as_list(name, value)
    if kind == "dict":
        found = as_mapping(name, value)
        return _readable_mapping(name, found, rule["options"]) if found and rule.get("options") else found
    if kind == "str" and isinstance(value, float):
        raise InvalidOptionError(
            f"{name} is the number {value!r}, which may not be what was written: YAML reads 1.10 as 1.1",
            hint="Put it in quotes",
        )
    if kind == "str" and isinstance(value, str) and not rule.get("no_log"):
        return unquoted(value)
    return value


def _readable_mapping(name: str, given: Mapping[str, Any], options: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the values of an option that has options of its own; what is blank stays, and what is unknown."""
    rules = {known: rule for option, rule in options.items() for known in (option, *rule.get("aliases", ()))}
    return {
        key: value if is_blank(value) or key not in rules else _readable(f"{name}.{key}", value, rules[key])
        for key, value in given.items()
    }
