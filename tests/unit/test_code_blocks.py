# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each code block of the documentation is of a kind that a check holds; one of another kind fails.

Whole playbooks run in tests/integration/test_documented_playbooks.py, the scripts of pipelines in
test_documented_pipelines.py beside it. What has no variable here has none in a reader's shell or playbook either.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.appuio.registry.plugins.inventory import zones as inventory
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError, InvalidOptionError
from ansible_collections.appuio.registry.plugins.module_utils._image_set.options import SPEC, parse_options
from ansible_collections.appuio.registry.plugins.module_utils._outcome import table_of
from ansible_collections.appuio.registry.plugins.module_utils._targets import RunContext
from ansible_collections.appuio.registry.plugins.module_utils._zone_list import check_keys, zone_hosts

from tests.unit import documented_shell
from tests.unit.documented_code import GUIDES, MARKDOWN, ROOT, Block, blocks, is_playbook
from tests.unit.documented_commands import run_recorded
from tests.unit.documented_pipelines import PIPELINES, files
from tests.unit.documented_shell import KNOWN, ZONES
from tests.unit.documented_tasks import of_inventory, problems, read_variables, set_variables

IMAGES_SPEC = {name: rule.get("default") for name, rule in SPEC.options.items()}
# What a table of the guide is about, to be printed as the playbooks print it.
RESULTS = [
    {
        "zone": ZONES[0],
        "reference": f"registry.{ZONES[0]}.appuio.cloud/shop/frontend:1.4.2",
        "digest": "sha256:4bc453b53cb3d914b45f4b250294236adba2c0e09ff6f03793949e7e39fd4cc1",
        "changed": True,
        "bytes": {"uploaded": 1110148, "total": 1110148},
        "duration": 0.6,
    },
    {"zone": ZONES[1], "failed": True, "error": f"registry.{ZONES[1]}.appuio.cloud cannot be reached"},
]
# What a clone of the repository is called.
ROOT_NAME = documented_shell.GALAXY["repository"].rpartition("/")[2]
# Where they come from stands in credentials.rst.
TOKENS = {"appuio_token", "appuio_tokens"}


def check_shell(block: Block, folder: Path) -> None:
    for zone in ZONES:
        (folder / f"token-{zone}").write_text("t")
    (folder / "push.env").write_text("APPUIO_DIGEST=sha256:" + "4" * 64)  # what the playbook writes that the code runs
    (folder / ROOT_NAME).mkdir()  # as git clone does
    calls = run_recorded(block.text, folder, documented_shell.PROGRAMS)
    assert calls, f"{block}: it runs nothing"
    assert [wrong for call in calls if (wrong := documented_shell.problem(call, folder))] == []


def check_tasks(block: Block, _folder: Path) -> None:
    for document in documents(block):
        assert problems(document) == []
        here = set_variables(document) | of_inventory()
        prose = (ROOT / block.place.partition(":")[0]).read_text(encoding="utf-8").replace(block.text, "")
        if "docsite.credentials" in prose:
            here |= TOKENS
        unexplained = {name for name in read_variables(document) - here if not re.search(rf"\b{name}\b", prose)}
        assert unexplained == set(), f"{block}: what a reader has to set is named beside the code"


def check_inventory(block: Block, _folder: Path) -> None:
    for document in documents(block):
        check_keys(document, {"plugin", *yaml.safe_load(inventory.DOCUMENTATION)["options"]}, block.place)
        assert [host.name for host in zone_hosts(document["zones"])]


def check_images(block: Block, folder: Path) -> None:
    (folder / "images.yml").write_text(block.text, encoding="utf-8")
    context = RunContext({}, str(folder), typed=typed)
    task = {**IMAGES_SPEC, "zones": [ZONES[1]], "namespace": "shop"}
    assert parse_options({**task, "images_file": str(folder / "images.yml")}, context).entries


def check_variables(block: Block, _folder: Path) -> None:
    assert [name for document in documents(block) for name in document if name not in KNOWN] == []


def check_tokens(block: Block, _folder: Path) -> None:
    assert all(token.startswith("sha256~") for document in documents(block) for token in document.values())


def check_trigger(block: Block, _folder: Path) -> None:
    (document,) = documents(block)
    (trigger,) = json.loads(document["metadata"]["annotations"]["image.openshift.io/triggers"])
    assert trigger["from"]["kind"] == "ImageStreamTag"
    assert re.fullmatch(r'spec\.template\.spec\.containers\[\?\(@\.name=="[\w-]+"\)\]\.image', trigger["fieldPath"])


def check_pipeline(block: Block, _folder: Path) -> None:
    assert block.caption in files(), "test_documented_pipelines.py holds it"
    assert block.caption.startswith((*PIPELINES, "deploy/", "kaniko/"))


def check_table(block: Block, _folder: Path) -> None:
    assert block.text.strip().splitlines() == table_of(RESULTS, block.text.split()[:6])


def check_layers(block: Block, _folder: Path) -> None:
    utilities = ROOT / "plugins/module_utils"
    named = set(re.findall(r"(?<!\S)(_[a-z_]+)\b", block.text))
    assert named >= {"_runner", "_push", "_zones", "_http"}
    assert [
        name for name in named if not (utilities / name).is_dir() and not (utilities / f"{name}.py").is_file()
    ] == []


def check_message(block: Block, _folder: Path) -> None:
    forms = [text for path in (ROOT / "plugins/module_utils").rglob("*.py") for text in texts_with_values(path)]
    assert any(re.fullmatch(form, block.text.strip()) for form in forms), f"{block}: no code says that"


def texts_with_values(path: Path) -> list[str]:
    """Return a pattern for each text of a file into which values are put."""
    found = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.JoinedStr)]
    texts = [[part.value if isinstance(part, ast.Constant) else None for part in node.values] for node in found]
    long = [parts for parts in texts if sum(len(str(part)) for part in parts if part) > 20]
    return ["".join(".+" if part is None else re.escape(str(part)) for part in parts) for parts in long]


def typed(options: Any, given: Any) -> dict[str, Any]:
    """Return the options as Ansible would give them to a module."""
    result = ArgumentSpecValidator(dict(options)).validate(dict(given))
    if result.error_messages:
        raise InvalidOptionError("; ".join(result.error_messages))
    return {name: value for name, value in result.validated_parameters.items() if value is not None}


def documents(block: Block) -> list[Any]:
    return [document for document in yaml.safe_load_all(block.text) if document is not None]


def kind_of(block: Block) -> str:
    """Return what a block is; raises LookupError where it is nothing that a check knows."""
    if block.caption:
        return "file of a pipeline"
    if block.language == "shell":
        return "shell code"
    if block.language == "yaml":
        return _kind_of_yaml(block)
    if block.language == "text":
        for begin, kind in (("zone ", "table"), ("playbooks --", "layers")):
            if block.text.startswith(begin):
                return kind
        return "message"
    raise LookupError(f"{block}: no check knows the language {block.language}")


def _kind_of_yaml(block: Block) -> str:
    content = documents(block)
    if is_playbook(block):
        return "playbook"
    if all(isinstance(document, list) for document in content):
        return "tasks"
    names = {name for document in content for name in document}
    for key, kind in (("plugin", "inventory"), ("images", "images"), ("kind", "manifest")):
        if key in names:
            return kind
    if names <= set(ZONES):
        return "tokens"
    if all(name.startswith("appuio_") for name in names):
        return "variables"
    raise LookupError(f"{block}: no check knows a file with {sorted(names)}")


CHECKS: dict[str, Callable[[Block, Path], None]] = {
    "file of a pipeline": check_pipeline,
    "images": check_images,
    "inventory": check_inventory,
    "layers": check_layers,
    "manifest": check_trigger,
    "message": check_message,
    "playbook": check_tasks,
    "shell code": check_shell,
    "table": check_table,
    "tasks": check_tasks,
    "tokens": check_tokens,
    "variables": check_variables,
}


@pytest.mark.parametrize("block", blocks(), ids=str)
def test_block_is_right(block: Block, tmp_path: Path) -> None:
    CHECKS[kind_of(block)](block, tmp_path)


def test_no_block_is_missed() -> None:
    """Those in lists are found, and a block that no language is said of does not hide one."""
    found = Counter(block.place.rpartition(":")[0] for block in blocks())
    for path in GUIDES:
        text = path.read_text(encoding="utf-8")
        assert text.count("code-block::") == found[str(path.relative_to(ROOT))], path
        assert re.findall(r"^(?!\.\.).*::$|^\.\. (?:literalinclude|parsed-literal)", text, re.MULTILINE) == [], path
    for path in MARKDOWN:
        text = path.read_text(encoding="utf-8")
        assert text.count("```") == 2 * found[str(path.relative_to(ROOT))], path
    assert sum(found.values()) >= 80


def test_each_kind_of_block_is_there() -> None:
    assert {kind_of(block) for block in blocks()} == set(CHECKS)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("shell", "ansible-playbook -i zones.yml appuio.registry.rollout -e appuio_namespace=a -e appuio_tag=1"),
        ("shell", "ansible-playbook -i zones.yml appuio.registry.push -e appuio_namespace=shop"),
        ("shell", "ansible-playbook -i hosts.ini appuio.registry.report -e appuio_namespace=shop"),
        ("shell", "ansible-playbook -i zones.yml appuio.registry.report -e appuio_namespace=shop \\ -e appuio_name=a"),
        ("shell", "ansible-playbook -i zones.yml appuio.registry.reports"),
        ("shell", 'ansible-playbook -i zones.yml appuio.registry.login -e appuio_token="$TOKEN"'),
        ("shell", "docker pull registry.example.com/shop/frontend"),
        ("shell", "kubectl get pods"),
        ("shell", "make everything"),
        ("shell", "python3 -m pip install requests"),
        ("shell", "if true; then make demo"),
        ("yaml", "- appuio.registry.appuio_image_push: {zone: a, namespace: shop, sauce: oci:a}"),
        ("yaml", "- appuio.registry.appuio_image_tag: {zone: a, namespace: shop}"),
        ("yaml", "- appuio.registry.appuio_image_info: {zone: a, namespace: '{{ of_nobody }}'}"),
        ("yaml", "- appuio.registry.appuio_image_prune: {zone: a, namespace: shop, keep: many}"),
        ("yaml", "images: [{source: oci:a, sauce: oci:b}]"),
        ("yaml", "appuio_namespaces: shop"),
        ("yaml", "services: {}"),
        ("python", "print()"),
        ("text", "no program prints this"),
    ],
)
def test_what_is_wrong_is_noticed(language: str, text: str, tmp_path: Path) -> None:
    block = Block("README.md:1", language, text + "\n")
    with pytest.raises((AssertionError, LookupError, AppuioError, subprocess.CalledProcessError)):
        CHECKS[kind_of(block)](block, tmp_path)
