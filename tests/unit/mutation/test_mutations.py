# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the table of mutations does not fit the code is named, and the score stands where it belongs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutation.report import section, write
from tests.mutation.table import ROOT, Mutation, TableError, entries

LINE = Mutation("_http/retry.py", "return wait", "return 0", "no pause")
OTHER = Mutation("_push/plan.py", "if known:", "if True:", "a lost blob is not brought again")


def test_every_mutation_changes_something_and_says_what_it_harms() -> None:
    mutations = entries()
    assert len(set(mutations)) == len(mutations)
    assert all(mutation.line != mutation.becomes and mutation.harm for mutation in mutations)
    assert all((ROOT / path).exists() for mutation in mutations for path in mutation.tests)


@pytest.mark.parametrize("text", ["wait = 1\n", "return wait\nreturn wait\n"])
def test_a_line_that_is_not_there_exactly_once_is_named(text: str) -> None:
    with pytest.raises(TableError, match=r"_http/retry\.py has this \d times, not once.*return wait"):
        LINE.applied_to(text)


def test_a_line_is_broken_and_the_rest_stays() -> None:
    assert LINE.applied_to("a\n    return wait\nb\n") == "a\n    return 0\nb\n"


def test_the_tests_that_bear_the_name_of_a_file_come_before_those_of_its_package() -> None:
    folder = "tests/unit/plugins/module_utils/_zones"
    assert Mutation("_zones/tags.py", "a", "b", "c").nearest_tests() == [f"{folder}/test_tags.py", folder]


def test_the_score_replaces_the_last_one_and_leaves_the_rest_of_the_document(tmp_path: Path) -> None:
    document = tmp_path / "reliability.md"
    write(document, {LINE: True, OTHER: False})
    document.write_text(f"{document.read_text(encoding='utf-8')}\nMore.\n", encoding="utf-8")
    write(document, {LINE: True, OTHER: True})
    text = document.read_text(encoding="utf-8")
    assert text.startswith("<!--\nSPDX-FileCopyrightText")
    assert "2 of 2 (100 %)" in text
    assert "1 of 2" not in text
    assert text.endswith("\nMore.\n")


def test_what_nobody_noticed_is_listed() -> None:
    text = section({LINE: True, OTHER: False})
    assert "1 of 2 (50 %)" in text
    assert "- `_push/plan.py`: a lost blob is not brought again" in text
    assert "no pause" not in text
