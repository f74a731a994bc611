# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A zone that images come from: which one an entry means, who is asked there, and what cannot be meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError
from ansible_collections.appuio.registry.plugins.module_utils._image_set.entry import EVERY, Origin
from ansible_collections.appuio.registry.plugins.module_utils._image_set.options import parse_options
from ansible_collections.appuio.registry.plugins.module_utils._sync.task import SyncTask, sync_task
from ansible_collections.appuio.registry.plugins.module_utils._targets import RunContext

from tests.unit.plugins.module_utils._image_set.test_options import CONTEXT, DEFAULTS, typed

ZONES = [
    {"zone": "a", "token": "of-a", "registry": "a.example"},
    {"zone": "b", "token": "of-b", "namespace": "own"},
]
C = {"zone": "c", "token": "of-c"}


def options(*images: dict[str, Any], **more: Any) -> dict[str, Any]:
    where = {} if "zone" in more else {"zones": ZONES}
    return {**DEFAULTS, "images": list(images) or None, "namespace": "shop", **where, **more}


def origin(image: dict[str, Any], **more: Any) -> Origin:
    (entry,) = parse_options(options(image, **more), CONTEXT).entries
    assert entry.origin is not None
    return entry.origin


def task(*images: dict[str, Any], context: RunContext = CONTEXT, **more: Any) -> SyncTask:
    return sync_task(options(*images, **more), context)


def refused(*images: dict[str, Any], context: RunContext = CONTEXT, **more: Any) -> str:
    with pytest.raises(AppuioError) as caught:
        task(*images, context=context, **more)
    return str(caught.value)


@pytest.mark.parametrize(
    ("image", "description"),
    [
        ({"source_zone": C, "source": "app:1.0"}, "docker://registry.c.appuio.cloud/shop/app:1.0"),
        ({"source_zone": C}, "docker://registry.c.appuio.cloud/shop"),
        ({"source_zone": C, "namespace": "team"}, "docker://registry.c.appuio.cloud/team"),
        ({"source_zone": {**C, "namespace": "old"}, "namespace": "team"}, "docker://registry.c.appuio.cloud/old"),
        ({"source_zone": json.dumps(C), "source": "app"}, "docker://registry.c.appuio.cloud/shop/app"),
        # A zone of the task has the addresses and the namespace that it has there.
        ({"source_zone": "a", "source": "app"}, "docker://a.example/shop/app"),
        ({"source_zone": {"zone": "a", "token": "another"}, "source": "app"}, "docker://a.example/shop/app"),
        ({"source_zone": "b", "source": "app"}, "docker://registry.b.appuio.cloud/own/app"),
        ({"source_zone": {"registry": "a.example"}, "source": "app"}, "docker://a.example/shop/app"),
    ],
)
def test_where_images_come_from(image: dict[str, Any], description: str) -> None:
    assert origin(image).description == description


@pytest.mark.parametrize(
    ("zone", "more", "who"),
    [
        (C, {}, {"token": "of-c"}),
        ("a", {}, {"token": "of-a"}),
        ({"registry": "a.example"}, {}, {"token": "of-a"}),
        # Another registry that calls itself by the same name, or lies in another domain, is another zone.
        ({"zone": "a", "registry": "other.example", "auth_file": "/f"}, {}, {"auth_file": "/f"}),
        ({"zone": "a", "registry": "other.example"}, {"auth_file": "/auth"}, {"auth_file": "/auth"}),
        ({"zone": "a", "base_domain": "other.example"}, {"auth_file": "/auth"}, {"auth_file": "/auth"}),
        # What is for all zones of the task is for this one, too, but for a token.
        ("c", {"auth_file": "/auth"}, {"auth_file": "/auth"}),
        ("c", {"username": "ada", "password": "secret"}, {"username": "ada", "password": "secret"}),
        ("b", {"zones": ["a", "b"], "token": "of-all"}, {"token": "of-all"}),
        ("b", {"zone": "b", "token": "of-b"}, {"token": "of-b"}),
        # What the defaults say of the zone completes it.
        ("c", {"defaults": {"source_zone": C}}, {"token": "of-c"}),
        ({"zone": "a", "namespace": "old"}, {"defaults": {"source_zone": {"zone": "a", "token": "x"}}}, {"token": "x"}),
        ("a", {"defaults": {"source_zone": C}}, {"token": "of-a"}),
    ],
)
def test_a_zone_is_asked_with_its_own_credential(zone: Any, more: dict[str, Any], who: dict[str, Any]) -> None:
    assert origin({"source_zone": zone, "source": "app"}, **more).target.who == who


@pytest.mark.parametrize("more", [{"zone": "b", "token": "of-b"}, {"zones": ["a", "b"], "token": "of-both"}])
def test_a_token_of_the_task_goes_to_no_other_zone(more: dict[str, Any]) -> None:
    text = refused({"source_zone": "c", "source": "app"}, **more)
    assert "source_zone: zone c has no credential of its own, and the task's token is for the zones of the task" in text
    assert "of-b" not in text


def test_a_token_of_the_environment_goes_to_one_zone() -> None:
    context = RunContext({"APPUIO_TOKEN": "token"}, "/nowhere", typed=typed)
    text = refused({"source_zone": "c", "source": "app"}, zone="b", context=context)
    assert (
        "entry 1 of images: source_zone: zone c has no credential of its own, and APPUIO_TOKEN is the token of zone b"
        in text
    )
    only_there = task({"source_zone": "c", "source": "app"}, context=context)
    assert only_there.selections[0].destinations == [("a", "shop"), ("b", "own")]
    there = task({"source_zone": {**C, "namespace": "old"}, "source": "app"}, zone="b", context=context)
    assert there.selections[0].plan.source == "docker://registry.c.appuio.cloud/old/app"


def test_the_zone_of_the_defaults_is_for_names_alone() -> None:
    images = [
        {"source": "app:1.0"},
        {"source": "docker:27"},
        {"source": "docker.io/library/alpine:3.22"},
        {"source": "docker://alpine:3.22"},
        {"source": "oci:build"},
        {"sources": ["docker://a.example/x/app:1", "docker://b.example/x/app:1"]},
        {"source": "app:2.0", "source_zone": "a"},
    ]
    defaults = {"source_zone": C, "source_username": "reader", "source_password": "secret"}
    entries = parse_options(options(*images, defaults=defaults), CONTEXT).entries
    zones = [entry.origin.target.zone.name if entry.origin else None for entry in entries]
    assert zones == ["c", "c", None, None, None, None, "a"]
    assert not any("secret" in map(str, entry.push.values()) for entry in entries if entry.origin)
    assert not any("of-c" in str(entry.push) for entry in entries)


def test_an_image_goes_to_all_zones_but_the_one_that_it_comes_from() -> None:
    def goes_to(**image: Any) -> list[tuple[str, str]]:
        return task({"source_zone": "a", **image}).selections[0].destinations

    assert goes_to(source="app:1") == [("b", "own")]
    assert goes_to() == [("b", "own")]
    assert goes_to(source="app:1", name="other") == [("a", "shop"), ("b", "own")]
    assert goes_to(source="app:1", namespace="team", source_zone={"zone": "a", "namespace": "shop"}) == [
        ("a", "team"),
        ("b", "team"),
    ]


def test_a_session_is_shared_by_all_entries_of_a_zone() -> None:
    entries = [{"source_zone": C, "source": name} for name in ("app", "other")]
    made = task(*entries, {"source_zone": "a", "source": "third"})
    sessions = [made.shared.source_session(one.entry.origin.target) for one in made.selections if one.entry.origin]
    assert sessions[0].method is sessions[1].method
    assert sessions[2].method is made.shared.sessions["a"].method


def test_images_of_a_namespace_are_unknown_until_they_are_listed() -> None:
    (pending,) = task({"source_zone": C}).selections
    assert (pending.plan.name, list(pending.plan.tags)) == (EVERY, [])
    assert pending.plan.source == "docker://registry.c.appuio.cloud/shop"


@pytest.mark.parametrize(
    ("image", "text"),
    [
        ({"source_zone": {"zone": "c", "tokn": "x"}, "source": "a"}, "source_zone: tokn. Supported"),
        ({"source_zone": ["c"], "source": "a"}, "source_zone: it is neither a zone identifier nor a dictionary"),
        ({"source_zone": "https://c", "source": "a"}, "source_zone: zone 'https://c' is not a zone identifier"),
        ({"source_zone": {"namespace": "x"}, "source": "a"}, "source_zone: no zone is named"),
        ({"source_zone": {"host": "c.example", "token": "x"}}, "source_zone: zone https://c.example has no registry"),
        ({"source_zone": {**C, "namespace": "X"}}, "source_zone: namespace 'X' is not the name of a project"),
        ({"source_zone": "c", "source": "a"}, "source_zone: no credential is given"),
        ({"source_zone": C, "source": "shop/a:1"}, "source 'shop/a:1' has a slash"),
        ({"source_zone": C, "source": "docker://x/a:1"}, "source 'docker://x/a:1' has a slash"),
        ({"source_zone": C, "source": "a:b:c"}, "'a:b:c' is not an image reference"),
        ({"source_zone": C, "sources": ["oci:/a", "oci:/b"]}, "source_zone and sources exclude each other"),
        (
            {"source_zone": C, "source": "a", "source_ca_cert": "/x"},
            "source_zone and source_ca_cert exclude each other",
        ),
        ({"source_zone": C, "name": "x"}, "stands for all images of a namespace, which have no name in common"),
        ({"source_zone": C, "tags": ["1"]}, "which have no tags in common"),
        ({"source_zone": C, "source": "a:1", "select": {}}, "select is for a repository without a tag"),
        ({"source_zone": C, "source": "a", "select": {"repositories": "x"}}, "select.repositories is for all images"),
        ({"source_zone": C, "select": {"repositories": "("}}, "select.repositories '(' is no regular expression"),
        ({"source_zone": "a", "source": "x", "zones": ["a"]}, "would go to zone a, where it is"),
        ({"source_zone": "a", "zones": ["b", "a"]}, "docker://a.example/shop would go to zone a, where it is"),
        ({"source_zone": {"registry": "c.example", "token": "x"}}, "lists: the API of the zone has to be asked"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anybody_is_asked(image: dict[str, Any], text: str) -> None:
    said = refused(image)
    assert text in said
    assert "entry 1 of images" in said
    assert "of-c" not in said


def test_a_login_to_the_registry_lists_no_namespace(tmp_path: Path) -> None:
    (tmp_path / "auth.json").write_text('{"auths": {"registry.c.appuio.cloud": {"auth": "YTpi"}}}', encoding="utf-8")
    there = {"zone": "c", "auth_file": str(tmp_path / "auth.json")}
    text = refused({"source_zone": there})
    assert "stands for all images of a namespace, which the API of zone c lists: what " in text
    assert text.endswith("or name each image in source")
    assert task({"source_zone": there, "source": "app"}).selections


def test_an_entry_without_source_copies_no_namespace_because_the_defaults_name_a_zone() -> None:
    assert "source is missing" in refused({"zones": ["a"]}, defaults={"source_zone": C})


def test_the_only_zone_of_a_task_is_not_where_its_images_come_from() -> None:
    text = refused({"source_zone": "b"}, zone="b", token="of-b")
    assert "docker://registry.b.appuio.cloud/shop would go to zone b, where it is" in text


def test_a_zone_may_stand_in_the_file_of_images(tmp_path: Path) -> None:
    (tmp_path / "images.yml").write_text(
        "defaults: {source_zone: c}\nimages:\n- source: app:1\n- source_zone: {zone: c, tken: x}\n", encoding="utf-8"
    )
    given = {"images_file": str(tmp_path / "images.yml"), "defaults": {"source_zone": C}}
    assert "entry 2 (line 4): source_zone: tken. Supported" in refused(**given)
    (tmp_path / "images.yml").write_text("defaults: {source_zone: c}\nimages:\n- source: app:1\n", encoding="utf-8")
    (pending,) = task(**given).selections
    assert pending.entry.origin is not None
    assert pending.entry.origin.target.who == {"token": "of-c"}
