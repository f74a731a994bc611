# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a set is: what is written of it, whatever becomes of its images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import ServerError
from ansible_collections.appuio.registry.plugins.module_utils._push.progress import VARIABLE, Progress
from ansible_collections.appuio.registry.plugins.module_utils._sync.set_progress import SetProgress

from tests.unit.plugins.module_utils._sync.fake_set import FakeSet, fake_set

__all__ = ["fake_set"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "progress"
    path.touch()
    return path


def written(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_what_was_planned_gives_way_to_what_is_sent(file: Path) -> None:
    progress = SetProgress(Progress(str(file), lambda: 0.0, 3600.0))
    app, web = progress.image("app:1"), progress.image("web:1")
    progress.begin(2, 300)
    with progress.working(app, 200):
        with progress.working(web, 100):
            for zone in "ab":
                app.expect(zone, 90)
            app.expect("a", -30)
            app.advance("a", 60)
            app.advance("b", 90)
            web.advance("a", 40)
        assert written(file)[-1] == {
            "zone": "", "total": 190, "sent": 190, "seconds": 0.0, "images": [1, 2], "running": ["app:1"],
        }  # fmt: skip
    progress.end(failed=True)
    progress.close()
    assert [one["total"] for one in written(file)] == [300, 300, 300, 190, 280, 250, 190, 190, 190, 190, 190]
    assert written(file)[-1] == {
        "zone": "", "total": 190, "sent": 190, "seconds": 0.0, "images": [2, 2], "running": [], "outcome": "failed",
    }  # fmt: skip


def test_a_set_without_changes_writes_nothing(file: Path) -> None:
    progress = SetProgress(Progress(str(file)))
    progress.begin(0, 0)
    progress.end(failed=False)
    progress.close()
    assert file.read_text() == ""


@pytest.mark.parametrize("atomic", ["image", "set"])
@pytest.mark.parametrize("fails", [False, True])
def test_a_run_tells_its_images_and_all_bytes_of_all_zones(
    fake_set: FakeSet, file: Path, atomic: str, fails: bool
) -> None:
    fake_set.environment = {VARIABLE: str(file)}
    unchanged = fake_set.image("z", "unchanged", "1")
    fake_set.sync(unchanged, delete="managed")
    file.write_text("")
    images = [fake_set.image("x", "app", "1", "2"), fake_set.image("y", "web", "1"), unchanged]

    def fail() -> None:
        raise ServerError("refused", status=500)

    if fails:
        fake_set.registries["b"].before[f"PUT manifest {fake_set.digests['y']}"] = fail
        fake_set.refused(*images, atomic=atomic, delete="managed")
    else:
        fake_set.sync(*images, atomic=atomic, delete="managed")
    lines = written(file)
    assert {line["zone"] for line in lines} == {""}
    assert lines[0]["images"] == [0, 2]
    seen = [tuple(line["running"]) for line in lines]
    assert {("app:1",), ("web:1",), ()} == set(seen)
    last = lines[-1]
    sent = sum(
        len(blob)
        for registry in fake_set.registries.values()
        for name in ("shop/app", "shop/web")
        for blob in registry.of(name).blobs.values()
    )
    assert (last["images"], last["outcome"]) == ([2, 2], "failed" if fails else "done")
    assert last["sent"] == last["total"]
    # What the other zone of an image that failed had sent is up to its threads.
    assert fails or last["sent"] == lines[0]["total"] == sent
