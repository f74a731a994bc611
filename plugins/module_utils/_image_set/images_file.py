# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that says which images are wanted: YAML or JSON, each entry with the line that it begins in.

Sources: YAML 1.1 as PyYAML reads it; RFC 8259. JSON needs nothing installed.
"""

from __future__ import annotations

import json
import os
import re
import traceback
from typing import Any, Mapping, NamedTuple

from .._errors import InvalidOptionError, MissingLibraryError
from .._json import JsonError, parse_json
from .entry import GivenEntry

LARGEST = 4 * 1024 * 1024
_VAULT = (
    "Keep secrets in variables, or give its list in images, with the lookup ansible.builtin.file, which decrypts it"
)
# A whole number whose text YAML does not change: 0123 is octal, 12:30 counts minutes, and 1_000 is 1000.
_PLAIN = re.compile(r"0|[+-]?[1-9][0-9]*")
_HINT = "It is a list of images, or a mapping with images and defaults"


class ImagesFile(NamedTuple):
    """What a file says: its images, and what holds for all of them."""

    entries: list[GivenEntry]
    defaults: GivenEntry


def read_images_file(path: str) -> ImagesFile:
    """Return what a file says; raises InvalidOptionError, which names the line, and MissingLibraryError."""
    path = os.path.expanduser(path)
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise InvalidOptionError(f"images_file {path} cannot be read: {error.strerror}") from None
    if len(content) > LARGEST:
        raise InvalidOptionError(f"images_file {path} is larger than {LARGEST // 1024} KiB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeError:
        raise InvalidOptionError(f"images_file {path} is not text in UTF-8") from None
    if text.startswith("$ANSIBLE_VAULT;"):
        raise InvalidOptionError(f"images_file {path} is encrypted with Ansible Vault", hint=_VAULT)
    if path.endswith(".json") or text.lstrip()[:1] in ("{", "["):
        value, lines = _read_json(text, path)
    else:
        value, lines = _read_yaml(text, path)
    return _images(value, lines, path)


def _images(value: Any, lines: list[int], path: str) -> ImagesFile:
    defaults: Any = {}
    if isinstance(value, Mapping):
        unknown = sorted(str(name) for name in value if name not in ("images", "defaults"))
        if unknown:
            raise InvalidOptionError(f"images_file {path}: the key {unknown[0]} is unknown", hint=_HINT)
        defaults, value = value.get("defaults") or {}, value.get("images")
    if not isinstance(value, list):
        raise InvalidOptionError(f"images_file {path} has no list of images", hint=_HINT)
    numbered = zip(range(1, len(value) + 1), value, [*lines, *[0] * len(value)])
    entries = [
        GivenEntry(entry, f"{path}, entry {number}" + (f" (line {line})" if line else ""))
        for number, entry, line in numbered
    ]
    return ImagesFile(entries, GivenEntry(defaults, f"{path}, defaults"))


def _read_json(text: str, path: str) -> tuple[Any, list[int]]:
    try:
        value = parse_json(text, LARGEST)
    except JsonError as error:
        raise InvalidOptionError(f"images_file {path} {error}") from None
    return value, _lines_of_json(text)


def _lines_of_json(text: str) -> list[int]:
    """Return the line of each entry of a text that is known to be JSON; none where ``images`` is no list."""
    decoder = json.JSONDecoder()

    def blank(position: int) -> int:
        while text[position : position + 1].isspace() or text[position : position + 1] in (",", ":"):
            position += 1
        return position

    position = blank(0)
    if text[position : position + 1] == "{":
        position = blank(position + 1)
        while text[position : position + 1] == '"':
            name, position = decoder.raw_decode(text, position)
            position = blank(position)
            if name == "images":
                break
            _value, position = decoder.raw_decode(text, position)
            position = blank(position)
    lines: list[int] = []
    if text[position : position + 1] != "[":
        return lines
    position = blank(position + 1)
    while text[position : position + 1] not in ("]", ""):
        lines.append(text.count("\n", 0, position) + 1)
        _value, position = decoder.raw_decode(text, position)
        position = blank(position)
    return lines


def _read_yaml(text: str, path: str) -> tuple[Any, list[int]]:
    try:
        import yaml
    except ImportError:
        raise MissingLibraryError("PyYAML", "to read images_file in YAML", traceback.format_exc()) from None
    try:
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            _check_nodes(node, path)
            value = loader.construct_document(node) if node is not None else None
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise InvalidOptionError(f"images_file {path} cannot be read as YAML: {error.problem}{where}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidOptionError(f"images_file {path} cannot be read as YAML: {type(error).__name__}") from None
    return value, _lines_of_yaml(node)


def _check_nodes(node: Any, path: str) -> None:
    """Raise InvalidOptionError for what YAML would change in silence.

    That is a key that a mapping has twice, of which it drops the first, and a number that is not what was written.
    """
    waiting = [node]
    known: set[int] = set()
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in known:
            continue
        known.add(id(one))
        if one.tag == "tag:yaml.org,2002:map":
            names: set[str] = set()
            for key, value in one.value:
                if isinstance(key.value, str) and key.value != "<<":
                    if key.value in names:
                        line = key.start_mark.line + 1
                        raise InvalidOptionError(f"images_file {path}, line {line}: {key.value} is there twice")
                    names.add(key.value)
                waiting.append(value)
        elif one.tag == "tag:yaml.org,2002:int" and not _PLAIN.fullmatch(one.value):
            line = one.start_mark.line + 1
            raise InvalidOptionError(
                f"images_file {path}, line {line}: YAML reads {one.value} as another number", hint="Put it in quotes"
            )
        elif isinstance(one.value, list):
            waiting.extend(entry for entry in one.value if not isinstance(entry, tuple))


def _lines_of_yaml(node: Any) -> list[int]:
    if node is not None and node.tag == "tag:yaml.org,2002:map":
        node = next((value for key, value in node.value if key.value == "images"), None)
    if node is None or node.tag != "tag:yaml.org,2002:seq":
        return []
    return [entry.start_mark.line + 1 for entry in node.value]
