# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which ImageStream is wanted: the module's options, checked before anybody is asked; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping

from .._argspec import TARGETS, ArgumentSpec
from .._errors import InvalidOptionError
from .._reference import DEFAULT_TAG, Reference, checked_image_name, checked_namespace, parse_reference

SPEC = TARGETS + ArgumentSpec(
    options={
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "local_lookup": {"type": "bool"},
        "labels": {"type": "dict"},
        "annotations": {"type": "dict"},
        "import_from": {"type": "list", "elements": "str", "default": []},
        "scheduled": {"type": "bool", "default": False},
        "reference_policy": {"type": "str", "choices": ["source", "local"], "default": "source"},
        "protect_in_use": {"type": "bool", "default": True},
        "workload_namespaces": {"type": "list", "elements": "str", "default": []},
        "ignore_unreadable": {"type": "list", "elements": "str", "default": []},
    },
)
_PRESENT_ONLY = ("local_lookup", "labels", "annotations", "import_from")


@dataclass(frozen=True)
class StreamOptions:
    """An ImageStream as it is to be; None is what stays as it is, and a label without a value is taken away."""

    name: str
    present: bool = True
    local_lookup: bool | None = None
    labels: Mapping[str, str | None] = field(default_factory=dict)
    annotations: Mapping[str, str | None] = field(default_factory=dict)
    imports: Mapping[str, Reference] = field(default_factory=dict)
    scheduled: bool = False
    reference_policy: str = "Source"
    protect_in_use: bool = True
    workload_namespaces: tuple[str, ...] = ()
    ignore_unreadable: frozenset[str] = frozenset()


def parse_options(options: Mapping[str, Any]) -> StreamOptions:
    """Return what the module's options say; raises InvalidOptionError."""
    present = options["state"] == "present"
    given = [name for name in _PRESENT_ONLY if options.get(name) not in (None, [], {})]
    if given and not present:
        raise InvalidOptionError(f"{' and '.join(given)} need state: present")
    imports: dict[str, Reference] = {}
    for text in options.get("import_from") or ():
        reference = parse_reference(str(text))
        tag = reference.tag or DEFAULT_TAG
        if tag in imports:
            raise InvalidOptionError(f"import_from names the tag {tag} twice: {imports[tag]} and {reference}")
        imports[tag] = reference if reference.digest else reference.with_tag(tag)
    return StreamOptions(
        name=checked_image_name(str(options["name"])),
        present=present,
        local_lookup=options.get("local_lookup"),
        labels=_texts("labels", options.get("labels")),
        annotations=_texts("annotations", options.get("annotations")),
        imports=imports,
        scheduled=bool(options["scheduled"]),
        reference_policy=str(options["reference_policy"]).capitalize(),
        protect_in_use=bool(options["protect_in_use"]),
        workload_namespaces=tuple(checked_namespace(str(one)) for one in options["workload_namespaces"] or ()),
        ignore_unreadable=frozenset(str(one).lower() for one in options["ignore_unreadable"] or ()),
    )


def _texts(option: str, given: Any) -> dict[str, str | None]:
    """Numbers and booleans of YAML are texts in labels and annotations."""
    texts: dict[str, str | None] = {}
    for name, value in (given or {}).items():
        if isinstance(value, (Mapping, list)):
            raise InvalidOptionError(f"{option}: {name} is a text, not a list or a mapping")
        texts[str(name)] = value if value is None or isinstance(value, str) else _text(value)
    return texts


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
