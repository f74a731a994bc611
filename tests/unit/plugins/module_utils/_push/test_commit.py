# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags move, and move back, in zones that answer as they like."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError
from ansible_collections.appuio.registry.plugins.module_utils._oci.digest import digest_of
from ansible_collections.appuio.registry.plugins.module_utils._oci.media_types import OCI_MANIFEST
from ansible_collections.appuio.registry.plugins.module_utils._push.commit import Commit
from ansible_collections.appuio.registry.plugins.module_utils._push.plan import Move, ZonePlan
from ansible_collections.appuio.registry.plugins.module_utils._push.stage import Work
from ansible_collections.appuio.registry.plugins.module_utils._push.zone_push import ZonePush
from ansible_collections.appuio.registry.plugins.module_utils._registry.client import ManifestResponse


def found(text: str) -> ManifestResponse:
    content = text.encode()
    return ManifestResponse(digest_of(content), OCI_MANIFEST, content)


NEW, OLD = found("new"), found("old")
ROOT = SimpleNamespace(digest=NEW.digest, content=NEW.content, media_type=OCI_MANIFEST)


class Client:
    """A repository: its tags, what it holds, and for which tags a PUT is stored without an answer, or refused."""

    registry = "registry.example"

    def __init__(
        self, tags: dict[str, ManifestResponse], mute: tuple[str, ...] = (), refuse: tuple[str, ...] = ()
    ) -> None:
        self.tags, self.mute, self.refuse = dict(tags), mute, refuse
        self.held = {one.digest: one for one in (*tags.values(), NEW)}
        self.reads: list[str] = []

    def head_manifest(self, _repository: str, reference: str) -> ManifestResponse | None:
        return self.tags.get(reference)

    def get_manifest(self, _repository: str, reference: str) -> ManifestResponse | None:
        self.reads.append(reference)
        return self.held.get(reference) or self.tags.get(reference)

    def put_manifest(self, _repository: str, reference: str, content: bytes, _media_type: str) -> None:
        if reference in self.refuse:
            raise AppuioError("refused")
        self.tags[reference] = found(content.decode())
        if reference in self.mute and content == NEW.content:
            raise AppuioError("the connection was cut")


def work(zone: str, client: Client, *tags: str) -> Work:
    before = {tag: client.tags[tag].digest if tag in client.tags else None for tag in tags}
    moves = tuple(Move(tag, digest, digest == NEW.digest, True, "") for tag, digest in before.items())
    push = ZonePush(client, "shop/app", None)  # type: ignore[arg-type]
    nobody: Any = None
    return Work(ZonePlan(zone, client.registry, "shop/app", moves), push, nobody)


def commit(*works: Work, atomic: bool = True) -> list[str]:
    """Move the tags of all zones and return which tags were removed."""
    removed: list[str] = []

    def remove(zone: str, tag: str) -> None:
        client: Any = next(one.push.client for one in works if one.plan.zone == zone)
        if tag == "stuck":
            raise AppuioError("there is no API")
        del client.tags[tag]
        removed.append(f"{zone} {tag}")

    stage: Any = SimpleNamespace(
        content=SimpleNamespace(image=lambda: SimpleNamespace(root=ROOT, blobs=())), body_of=lambda *_any: None
    )
    Commit(stage, atomic, remove).run(works)
    return removed


def named(client: Client) -> dict[str, str]:
    return {tag: one.content.decode() for tag, one in client.tags.items()}


def test_one_zone_that_refuses_takes_the_others_back() -> None:
    one, two = Client({"1.0": OLD}), Client({"1.0": OLD}, refuse=("1.0",))
    works = (work("lpg", one, "1.0", "new"), work("rma", two, "1.0"))
    assert commit(*works) == ["lpg new"]
    assert (named(one), named(two)) == ({"1.0": "old"}, {"1.0": "old"})
    assert [(one.push.outcome.changed, one.push.outcome.rolled_back) for one in works] == [
        (False, True),
        (False, False),
    ]


def test_alone_each_zone_keeps_what_it_has() -> None:
    one, two = Client({"1.0": OLD}), Client({"1.0": OLD}, refuse=("1.0",))
    works = (work("lpg", one, "1.0"), work("rma", two, "1.0"))
    assert commit(*works, atomic=False) == []
    assert (named(one), named(two)) == ({"1.0": "new"}, {"1.0": "old"})


@pytest.mark.parametrize("before", [{"1.0": OLD}, {}])
def test_a_single_tag_whose_answer_is_lost_is_put_back_and_never_lost(before: dict[str, ManifestResponse]) -> None:
    client = Client(before, mute=("1.0",))
    only = work("lpg", client, "1.0")
    assert commit(only) == ([] if before else ["lpg 1.0"])
    assert named(client) == ({"1.0": "old"} if before else {})
    assert "the connection was cut" in str(only.push.outcome.error)
    assert only.push.outcome.changed is False


def test_a_single_tag_that_moves_is_not_read_before() -> None:
    client = Client({"1.0": OLD})
    assert commit(work("lpg", client, "1.0")) == []
    assert (named(client), client.reads) == ({"1.0": "new"}, [])


def test_what_cannot_be_put_back_is_told_even_if_another_tag_can() -> None:
    one, two = Client({"1.0": OLD}), Client({"1.0": OLD}, refuse=("1.0",))
    works = (work("lpg", one, "1.0", "stuck"), work("rma", two, "1.0"))
    commit(*works)
    assert named(one) == {"1.0": "old", "stuck": "new"}
    outcome = works[0].push.outcome
    assert (outcome.changed, outcome.rolled_back) == (True, True)
    assert "the tag stuck was moved and could not be put back" in str(outcome.error)


def test_what_is_gone_from_the_registry_cannot_be_put_back() -> None:
    client = Client({"1.0": OLD}, mute=("1.0",))
    client.held.clear()
    only = work("lpg", client, "1.0")
    client.get_manifest = lambda *_any: None  # type: ignore[method-assign]
    assert commit(only) == []
    assert named(client) == {"1.0": "new"}
    assert OLD.digest in str(only.push.outcome.error)
