# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checkout is what Ansible finds, whatever it held before."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.setup import tree


def test_a_folder_of_which_compiled_code_is_left_hides_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "ROOT", tmp_path)
    monkeypatch.setattr(tree, "BUILD", tmp_path / ".build")
    old = ("_cache/__pycache__/entry.pyc", "_cache/parts/__pycache__/part.pyc")
    for name in (*old, "_kept/__pycache__/one.pyc", "_kept/one.py", "_cache.py"):
        file = tmp_path / "plugins" / "module_utils" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    tree.linked()
    left = tmp_path / "plugins" / "module_utils"
    assert sorted(path.name for path in left.iterdir()) == ["_cache.py", "_kept"]
    assert (left / "_kept" / "__pycache__" / "one.pyc").is_file()
