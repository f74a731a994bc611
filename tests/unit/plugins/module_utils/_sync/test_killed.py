# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of a set whose process is gone at some point: what is there then, and that the next run completes it.

``python -m tests.faults.set_stops`` does it at random points, with real processes.
"""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError, ServerError

from tests.unit.plugins.module_utils._sync.fake_set import FakeSet, fake_set

__all__ = ["fake_set"]

# Zone, whether its API or its registry is asked, and which request is the first that does not happen any more.
POINTS = {
    "before anything is noted": ("a", "api", "CREATE ImageStream web", 1),
    "when one zone is noted": ("b", "api", "MERGE ImageStream app", 1),
    "while blobs are uploaded": ("b", "registry", "PUT blob", 2),
    "before the first tag": ("a", "registry", "PUT tag 1", 1),
    "between two zones": ("b", "registry", "PUT tag 1", 1),
    "between two images": ("a", "registry", "PUT tag 1", 2),
    "before anything is deleted": ("a", "api", "DELETE ImageStreamTag", 1),
    "while it deletes": ("b", "api", "DELETE ImageStreamTag gone", 1),
    "before an empty repository goes": ("a", "api", "DELETE ImageStream gone", 1),
    "before what has gone is forgotten": ("b", "api", "MERGE ImageStream app", 2),
}


def killed_at(fake_set: FakeSet, zone: str, side: str, line: str, number: int) -> list[str]:
    """Let nothing happen in any zone from a request on; return where that is noted."""
    everything: list[Any] = [*fake_set.registries.values(), *fake_set.apis.values()]
    seen: list[str] = []

    def gone() -> None:
        raise ServerError("nobody asks any more", status=599)

    def count() -> None:
        seen.append(line)
        if len(seen) == number:
            for one in everything:
                one.before[""] = gone
            gone()

    asked: dict[str, Any] = dict(fake_set.registries if side == "registry" else fake_set.apis)
    asked[zone].before[line] = count
    return seen


def revived(fake_set: FakeSet) -> None:
    everything: list[Any] = [*fake_set.registries.values(), *fake_set.apis.values()]
    for one in everything:
        one.before.clear()


@pytest.mark.parametrize("atomic", ["image", "set"])
@pytest.mark.parametrize("point", POINTS)
def test_the_next_run_completes_it_and_nothing_is_lost(fake_set: FakeSet, point: str, atomic: str) -> None:
    managing: dict[str, Any] = {"delete": "managed", "atomic": atomic}
    fake_set.sync(fake_set.image("old", "app", "1", "latest", "moved"), fake_set.image("z", "gone", "1"), **managing)
    theirs = [
        {registry.put("app", tag, f"theirs-{tag}") for tag in ("theirs", "moved")}
        for registry in fake_set.registries.values()
    ]
    declared = [fake_set.image("new", "app", "1", "2"), fake_set.image("y", "web", "1")]
    seen = killed_at(fake_set, *POINTS[point])
    try:
        fake_set.sync(*declared, **managing)
    except AppuioError:
        pass
    assert len(seen) == POINTS[point][3], "the point was reached"
    revived(fake_set)
    now = fake_set.named("app")
    for there, gone in zip(now, fake_set.named("gone"), strict=True):
        assert there["theirs"] == there["moved"] == "another"
        assert there["1"] in ("old", "new")
        assert there.get("latest") in ("old", None)
        assert gone.get("1") in ("z", None)
        arrived = all(one["1"] == one.get("2") == "new" for one in now)
        assert arrived or (there.get("latest"), gone.get("1")) == ("old", "z")
    fake_set.sync(*declared, **managing)
    app = {"1": "new", "2": "new", "theirs": "another", "moved": "another"}
    assert [fake_set.named("app"), fake_set.named("web")] == [[app] * 2, [{"1": "y"}] * 2]
    assert [registry.of("shop/gone").exists for registry in fake_set.registries.values()] == [False] * 2
    assert fake_set.noted("app") == [{"1": "new", "2": "new"}] * 2
    again = fake_set.sync(*declared, **managing)
    assert (again["changed"], again["deleted"]) == (False, [])
    for registry, own in zip(fake_set.registries.values(), theirs, strict=True):
        assert own <= {found.digest for found in registry.of("shop/app").tagged.values()}
    # What the killed run and the next have brought is known as theirs.
    assert len(fake_set.sync(fake_set.image("new", "app", "1"), **managing)["deleted"]) == 4
