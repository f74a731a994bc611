# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the shell code of the documentation calls: each program with the calls that the documentation may make of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible.parsing.splitter import parse_kv
from ansible_collections.appuio.registry.plugins.filter.variable_problems import variable_problems
from ansible_collections.appuio.registry.plugins.inventory.zones import InventoryModule
from ansible_collections.appuio.registry.plugins.module_utils._reference import parse_reference
from ansible_collections.appuio.registry.plugins.module_utils._zone import zone_registry

from tests.unit.documented_code import COLLECTION, ROOT
from tests.unit.playbook_reference import specifications

ZONES = ("cloudscale-lpg-2", "exoscale-ch-gva-2-0")
REGISTRIES = {zone_registry(zone): zone for zone in ZONES}
GALAXY = yaml.safe_load((ROOT / "galaxy.yml").read_text())
BUILT = f"{GALAXY['namespace']}-{GALAXY['name']}-{GALAXY['version']}.tar.gz"
COLLECTIONS = {COLLECTION, "awx.awx", f"git+{GALAXY['repository']}.git", BUILT}
SPECS = specifications()
RUN = yaml.safe_load((ROOT / "playbooks/vars/run.yml").read_text())
KNOWN = {*RUN["_appuio_known_variables"], *(name for spec in SPECS.values() for name in spec["options"])}
FLAGS = ("--check", "--diff", "--ask-vault-pass")
# What a call has to be, word by word; what is in braces is one of the values beside it.
CALLS = {
    "oc": (
        "whoami -t",
        f"login https://api\\.({'|'.join(ZONES)})\\.appuio\\.cloud:6443",
        f"login --token=\\S+ https://api\\.({'|'.join(ZONES)})\\.appuio\\.cloud:6443",
        r"-n \w+ get secret image-pusher-secret -o jsonpath=\{\.data\.token\}",
        r"-n \w+ delete secret image-pusher-secret",
        r"-n \w+ set image deployment/(\w+) \1=\S+@sha256:[0-9a-f]{64}",
        r"-n \w+ set triggers deployment/(\w+) --from-image=\1:[\w.]+ --containers=\1",
    ),
    "docker": (r"pull (?P<image>\S+)", r"login --username \w+ --password-stdin (?P<registry>\S+)"),
    "git": (f"clone {re.escape(GALAXY['repository'])}\\.git",),
    "skopeo": (r"copy --all oci:[\w/]+ docker://(?P<image>\S+)",),
}


def problem(call: list[str], folder: Path) -> str:
    """Return what is wrong with a call of a program in that folder, nothing where it is right."""
    program, *words = call
    return CHECKS[program](words, folder)


def _listed(program: str) -> Callable[[list[str], Path], str]:
    def check(words: list[str], _folder: Path) -> str:
        text = " ".join(words)
        found = next((match for form in CALLS[program] if (match := re.fullmatch(form, text))), None)
        if found is None:
            return f"{program} {text} is no call that is known to be right"
        named = found.groupdict()
        registry = parse_reference(named["image"]).registry if "image" in named else named.get("registry")
        return "" if registry is None or registry in REGISTRIES else f"{registry} is no zone's registry"

    return check


def _ansible_playbook(words: list[str], folder: Path) -> str:
    inventory = limit = playbook = ""
    given: dict[str, Any] = {}
    left = iter(words)
    for word in left:
        if word in FLAGS:
            continue
        if word == "-i":
            inventory = next(left)
        elif word == "--limit":
            limit = next(left)
        elif word == "-e":
            given.update(_extra_variables(next(left)))
        elif word.startswith(f"{COLLECTION}.") and not playbook:
            playbook = word.removeprefix(f"{COLLECTION}.")
        else:
            return f"{word!r} is no argument of ansible-playbook that is known to be right"
    if playbook not in SPECS:
        return f"there is no playbook {playbook!r}"
    if playbook != "awx":
        (folder / inventory).parent.mkdir(parents=True, exist_ok=True)
        (folder / inventory).touch()
        if not InventoryModule().verify_file(str(folder / inventory)):
            return f"the plugin reads no inventory {inventory!r}"
        if limit and limit not in ZONES:
            return f"{limit} is no zone of the documentation"
    options = {name: {key: rule[key] for key in rule if key != "description"} for name, rule in _options(playbook)}
    rules = [RUN[f"_appuio_{rule}"].get(playbook, []) for rule in ("required_one_of", "mutually_exclusive")]
    return "; ".join(variable_problems(given, options, given, KNOWN, RUN["_appuio_mistaken_variables"], *rules))


def _options(playbook: str) -> list[tuple[str, Mapping[str, Any]]]:
    return list(SPECS[playbook]["options"].items())


def _extra_variables(text: str) -> dict[str, Any]:
    """Return what ``-e`` gives; of a file, that is what stands in another block."""
    if text.startswith("@"):
        return {}
    return dict(yaml.safe_load(text) if text.startswith(("{", "[")) else parse_kv(text))


def _ansible_galaxy(words: list[str], _folder: Path) -> str:
    names = [word for word in words[2:] if word != "--upgrade"]
    if words[:2] != ["collection", "install"] or len(names) != 1:
        return f"ansible-galaxy {words} installs no collection"
    return "" if names[0] in COLLECTIONS else f"{names[0]} is neither this collection nor one that it names"


def _python(words: list[str], _folder: Path) -> str:
    if words[:3] == ["-m", "pip", "install"]:
        packages = re.findall(r"^[\w-]+", (ROOT / "meta/ee-requirements.txt").read_text(), re.MULTILINE)
        return "" if set(words[3:]) <= set(packages) else f"{words[3:]} are not in meta/ee-requirements.txt"
    module = ROOT / words[1].replace(".", "/") / "__main__.py"
    return "" if words[0] == "-m" and module.is_file() else f"python {words} runs nothing"


def _make(words: list[str], _folder: Path) -> str:
    targets = re.findall(r"^([a-z]+): *##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return "" if words and set(words) <= set(targets) else f"make has no {words}"


def _nox(words: list[str], _folder: Path) -> str:
    before, _separator, after = " ".join(words).partition(" -- ")
    sessions = re.findall(r"-s (\S+)", before)
    source = (ROOT / "noxfile.py").read_text()
    # antsibull-nox brings the formatters.
    unknown = [name for name in sessions if name != "formatters" and name.partition("-")[0] not in source]
    files = [word for word in after.split() if word.endswith(".py") and not (ROOT / word).is_file()]
    return f"there is no {[*unknown, *files]}" if unknown or files else ""


def _copy(words: list[str], _folder: Path) -> str:
    source = words[-2].partition("/ansible_collections/appuio/registry/")[2]
    return "" if words[0] == "-r" and (ROOT / source).is_dir() else f"there is no {source!r} to copy"


CHECKS: dict[str, Callable[[list[str], Path], str]] = {
    **{program: _listed(program) for program in CALLS},
    "ansible-playbook": _ansible_playbook,
    "ansible-galaxy": _ansible_galaxy,
    "python": _python,
    "python3": _python,
    "make": _make,
    "nox": _nox,
    "cp": _copy,
}
PROGRAMS = (*CHECKS, ".build/tools/bin/nox")
