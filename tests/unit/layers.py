# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of ``plugins``: imports go down only, pure code stays pure, files are small and named for their job."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
COLLECTION = "ansible_collections.appuio.registry.plugins."

# Layer of module_utils: its rank. What is imported must rank lower, or be in the same package.
RANKS = {
    "_errors": 0,
    "_signals": 1,
    "_json": 1,
    "_text": 2,
    "_zone": 1,
    "_reference": 1,
    "_oci": 2,
    "_targets": 2,
    "_argspec": 3,
    "_outcome": 1,
    "_declaration": 1,
    "_variables": 4,
    "_zone_list": 4,
    "_awx": 4,
    "_user_cache": 2,
    "_compression": 2,
    "_http": 3,
    "_openshift": 4,
    "_managed_objects": 5,
    "_credentials": 6,
    "_registry": 7,
    "_zones": 8,
    "_source": 8,
    "_push": 9,
    "_login": 9,
    "_info": 9,
    "_tag": 9,
    "_prune": 9,
    "_stream": 9,
    "_token": 9,
    "_access": 9,
    "_account": 9,
    "_image_set": 10,
    "_sync": 11,
    "_runner": 12,
}
TOP = 13
PURE = {
    "_errors",
    "_json",
    "_argspec",
    "_text",
    "_zone",
    "_reference",
    "_oci",
    "_targets",
    "_zone_list",
    "_outcome",
    "_declaration",
    "_variables",
    "_awx",
}
IMPURE_IMPORTS = {
    "ansible",
    "http",
    "os",
    "pathlib",
    "shutil",
    "socket",
    "ssl",
    "subprocess",
    "tempfile",
    "urllib.request",
}
HEAVY_IMPORTS = {"jmespath", "kubernetes", "openshift", "requests", "requests_oauthlib", "urllib3", "yaml"}
FORBIDDEN_NAMES = {"common", "helper_functions", "helpers", "misc", "util", "utils"}
LONGEST = 250
# In pieces, so that no tool takes it for the header of this file.
HEAD = (
    "# SPDX-FileCopyright"
    "Text: 2026 The appuio.registry authors\n"
    "# SPDX-License-"
    "Identifier: GPL-3.0-or-later\n"
    "from __future__ import annotations\n"
)
# AnsibleModule is known in one place; action, filter and inventory plugins are Ansible's own classes.
KNOWS_ANSIBLE = {"_runner"}


@dataclass(frozen=True)
class Source:
    """A file under ``plugins``: its path from there, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def parts(self) -> tuple[str, ...]:
        return Path(self.path).with_suffix("").parts

    @property
    def layer(self) -> str | None:
        """Its layer in module_utils; None outside."""
        return self.parts[1] if self.parts[0] == "module_utils" else None

    @property
    def pure(self) -> bool:
        planned = self.layer is not None and self.parts[-1].endswith("plan")
        return self.layer in PURE or planned

    def imports(self, top_level: bool = False) -> Iterator[str]:
        """Yield the dotted names imported; ours as ``module_utils._layer.file``, from wherever they are imported."""
        for node in self.tree.body if top_level else ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name.removeprefix(COLLECTION) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = self._base(node)
                yield from (f"{base}.{alias.name}" for alias in node.names)

    def _base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return (node.module or "").removeprefix(COLLECTION)
        above = self.parts[: -node.level]
        return ".".join([*above, *([node.module] if node.module else [])])


def sources() -> list[Source]:
    return [
        Source(path.relative_to(PLUGINS).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(PLUGINS.rglob("*.py"))
    ]


def downwards(source: Source) -> Iterator[str]:
    if source.layer is not None and source.layer not in RANKS:
        yield f"{source.layer} has no rank"
        return
    own = TOP if source.layer is None else RANKS[source.layer]
    for name in source.imports():
        parts = name.split(".")
        if parts[0] not in ("module_utils", "modules", "action", "filter", "inventory"):
            continue
        if parts[0] != "module_utils":
            yield f"imports {name}, which nothing may build on"
        elif parts[1] != source.layer and RANKS.get(parts[1], TOP) >= own:
            yield f"imports {name}, which is not below it"


def pure(source: Source) -> Iterator[str]:
    if not source.pure:
        return
    for name in source.imports():
        if any(name == impure or name.startswith(impure + ".") for impure in IMPURE_IMPORTS):
            yield f"is pure and imports {name}"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open":
            yield f"is pure and opens a file in line {node.lineno}"


def ansible_in_one_place(source: Source) -> Iterator[str]:
    for name in source.imports():
        if source.layer is not None and source.layer not in KNOWS_ANSIBLE and name.split(".")[0] == "ansible":
            yield f"imports {name}; only {', '.join(KNOWS_ANSIBLE)} knows Ansible"
        if source.layer is None and name.endswith(".AnsibleModule"):
            yield "imports AnsibleModule; that is what _runner is for"


def light(source: Source) -> Iterator[str]:
    for name in source.imports(top_level=True):
        if name.split(".")[0] in HEAVY_IMPORTS:
            yield f"imports {name} unguarded at its top, so every task waits for it"


def small(source: Source) -> Iterator[str]:
    lines = source.text.count("\n")
    if source.layer is not None and lines > LONGEST:
        yield f"has {lines} lines; more than {LONGEST} are two jobs"


def named_for_its_job(source: Source) -> Iterator[str]:
    if source.path.endswith("__init__.py"):
        yield "is an __init__.py, which Ansible does not need here"
    for part in source.parts[1:]:
        if part.strip("_") in FORBIDDEN_NAMES:
            yield f"is called {part}, which says nothing"
    for node in ast.walk(source.tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name.strip("_").lower() in FORBIDDEN_NAMES:
            yield f"has a {node.name}, which says nothing"
    if source.layer is not None and not source.layer.startswith("_"):
        yield "is private, so the name of its layer starts with _"


def headed(source: Source) -> Iterator[str]:
    lines = source.text.splitlines()
    for line in HEAD.splitlines():
        if line not in lines:
            yield f"lacks the line {line}"


def without_assert(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Assert):
            yield f"asserts in line {node.lineno}, which python -O drops"


RULES: list[Callable[[Source], Iterator[str]]] = [
    downwards,
    pure,
    ansible_in_one_place,
    light,
    small,
    named_for_its_job,
    headed,
    without_assert,
]


def circles(files: dict[str, Source]) -> list[str]:
    """Return the import circles among these files, each as ``a > b > a``."""
    edges = {path: [edge for edge in map(_file_of(files), source.imports()) if edge] for path, source in files.items()}
    found: list[str] = []
    finished: set[str] = set()

    def visit(path: str, trail: tuple[str, ...]) -> None:
        if path in trail:
            found.append(" > ".join([*trail[trail.index(path) :], path]))
        elif path not in finished:
            for edge in edges[path]:
                visit(edge, (*trail, path))
            finished.add(path)

    for path in files:
        visit(path, ())
    return found


def _file_of(files: dict[str, Source]) -> Callable[[str], str | None]:
    def find(name: str) -> str | None:
        whole = posixpath.join(*name.split(".")) + ".py"
        parent = posixpath.join(*name.split(".")[:-1] or [""]) + ".py"
        return whole if whole in files else parent if parent in files else None

    return find
