# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the options and the file of images say, and how a mistake in them is told."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.appuio.registry.plugins.module_utils._errors import (
    AppuioError,
    InvalidOptionError,
    MissingLibraryError,
)
from ansible_collections.appuio.registry.plugins.module_utils._image_set.options import SPEC, SyncOptions, parse_options
from ansible_collections.appuio.registry.plugins.module_utils._sync.task import sync_task
from ansible_collections.appuio.registry.plugins.module_utils._targets import RunContext

DEFAULTS = {name: rule.get("default") for name, rule in SPEC.options.items()}
ZONES = [
    {"registry": "a.example", "host": "https://api.a.example", "token": "t"},
    {"registry": "b.example", "host": "https://api.b.example", "token": "t"},
]


def typed(options: Any, given: Any) -> dict[str, Any]:
    result = ArgumentSpecValidator(dict(options)).validate(dict(given))
    if result.error_messages:
        raise InvalidOptionError("; ".join(result.error_messages))
    return {name: value for name, value in result.validated_parameters.items() if value is not None}


CONTEXT = RunContext({}, "/nowhere", typed=typed)


def parsed(*images: dict[str, Any], **options: Any) -> SyncOptions:
    return parse_options({**DEFAULTS, "images": list(images) or None, **options}, CONTEXT)


def refused(*images: dict[str, Any], **options: Any) -> str:
    given = {**DEFAULTS, "images": list(images) or None, "zones": ZONES, "namespace": "shop", **options}
    with pytest.raises(AppuioError) as caught:
        sync_task(given, CONTEXT)
    return str(caught.value)


def written(folder: Path, text: str, name: str = "images.yml") -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def test_an_entry_goes_before_the_defaults_of_the_file_and_those_before_the_tasks(tmp_path: Path) -> None:
    path = written(
        tmp_path, "defaults: {existing_tags: keep, platforms: [linux/arm64]}\nimages:\n- source: example.org/a:1\n"
    )
    options = {"images_file": path, "defaults": {"existing_tags": "fail", "referrers": True}}
    (entry,) = parsed(**options).entries
    assert entry.push["existing_tags"] == "keep"
    assert entry.push["referrers"] is True
    assert entry.push["platforms"] == ["linux/arm64"]
    assert entry.where == f"{path}, entry 1 (line 3)"


def test_an_index_of_several_sources_has_what_the_defaults_say_but_platforms(tmp_path: Path) -> None:
    text = "- sources: [oci:/amd64/app:1, {source: oci:/s390x/app:1, platform: linux/s390x}]\n- source: oci:/app:1\n"
    defaults = {"platforms": ["linux/amd64"], "existing_tags": "keep"}
    index, image = parsed(images_file=written(tmp_path, text), defaults=defaults).entries
    assert index.push["sources"] == ["oci:/amd64/app:1", {"source": "oci:/s390x/app:1", "platform": "linux/s390x"}]
    assert (index.push["platforms"], index.push["existing_tags"]) == (None, "keep")
    assert image.push["platforms"] == ["linux/amd64"]


def test_credentials_of_a_source_are_taken_whole() -> None:
    defaults = {"source_username": "reader", "source_password": "secret"}
    image = {"source": "example.org/a:1", "source_auth_file": "/auth.json"}
    (entry,) = parsed(image, defaults=defaults).entries
    assert entry.push["source_password"] is None
    assert "secret" not in repr(entry)


def test_plain_numbers_and_names_of_a_file_stay_as_they_are(tmp_path: Path) -> None:
    text = "- source: example.org/a:1\n  tags: [20261126, 0, 1e3, 0o17, 1.2.3, '0123']\n"
    (entry,) = parsed(images_file=written(tmp_path, text)).entries
    assert entry.push["tags"] == ["20261126", "0", "1e3", "0o17", "1.2.3", "0123"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- source: example.org/a:1\n- source: example.org/b:1\n  tgas: [x]\n", "entry 2 (line 2): "),
        ("\n\n- source: example.org/a:1\n  tags: [1.10]\n", "entry 1 (line 3): tags holds 1.1"),
        ("- source: example.org/a:1\n- [x]\n", "entry 2 (line 2): it is no mapping"),
        ("- name: app\n", "entry 1 (line 1): source is missing"),
        ("- source: oci:/a:1\n  sources: [oci:/a:1]\n", "entry 1 (line 1): sources and source exclude each other"),
        ("\n- sources: [oci:/a:1, {platform: linux/arm64}]\n", "entry 1 (line 2): entry 2 of sources: it is neither"),
        ("images: {a: b}\n", "has no list of images"),
        ("", "has no list of images"),
        ("[]", "there are no images"),
        ("images: []\n", "there are no images"),
        ("imgaes: []\n", "the key imgaes is unknown"),
        ("- source: a\n  - b\n", "(line 2, column 3)"),
        ("- source: example.org/a:1\n  source: example.org/b:1\n", "line 2: source is there twice"),
        ("- !!python/object:os.system {}\n", "cannot be read as YAML"),
        ("- source: example.org/a:1\n  tags: [x,\n    0123]\n", "line 3: YAML reads 0123 as another number"),
        ("- source: example.org/a:1\n  tags: [12:30]\n", "line 2: YAML reads 12:30 as another number"),
        ("- source: example.org/a:1\n  name: 1_0\n", "line 2: YAML reads 1_0 as another number. Put it in quotes"),
        (
            "- source: example.org/a:1\n  tags: [2026-01-02]\n",
            "tags holds 2026-01-02, which is no text. Put it in quotes",
        ),
        (
            "- source: example.org/a:1\n  tags: [yes]\n",
            "tags holds True, which may not be what was written: YAML reads yes",
        ),
        ("- source: example.org/a\n  select: {semver: 1.10}\n", "entry 1 (line 1): select.semver is the number 1.1"),
        ("defaults: {platforms: [1.5]}\nimages: [{source: a/b:1}]\n", "defaults: platforms holds 1.5"),
        ("$ANSIBLE_VAULT;1.1;AES256\n3334\n3334\n", "is encrypted with Ansible Vault. Keep secrets in variables"),
        (
            "- source: example.org/a:1\n  select: {newest: 1}\n",
            "entry 1 (line 1): select is for a repository without a tag",
        ),
        ("- source: tarball:/nowhere\n", "entry 1 (line 1): source has an unknown transport"),
    ],
)
def test_a_mistake_in_the_file_names_entry_and_line(tmp_path: Path, text: str, message: str) -> None:
    assert message in refused(images_file=written(tmp_path, text))


def test_json_has_lines_too_and_needs_no_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    images = [{"source": "example.org/a:1"}, {"source": "example.org/b:1", "tags": [1.5]}]
    text = json.dumps({"defaults": {"referrers": False}, "images": images}, indent=1)
    line = text[: text.index('{\n   "source": "example.org/b:1"')].count("\n") + 1
    assert f"entry 2 (line {line}): tags holds 1.5" in refused(images_file=written(tmp_path, text, "images.json"))
    assert "line 2" in refused(images_file=written(tmp_path, "[\n{]", "broken.json"))
    with pytest.raises(MissingLibraryError):
        parsed(images_file=written(tmp_path, "- source: example.org/a:1\n"))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert "No such file" in refused(images_file=str(tmp_path / "missing.yml"))
    (tmp_path / "latin.yml").write_bytes(b"- \xff\n")
    assert "UTF-8" in refused(images_file=str(tmp_path / "latin.yml"))


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ({"source": "example.org/a:1", "zones": ["c"]}, "entry 1 of images: the zone c is none of this task's"),
        ({"source": "example.org/a:1", "zones": []}, "zones is empty"),
        ({"source": "example.org/a:1", "tags": ["x y"]}, "entry 1 of images: tag 'x y' is not a tag"),
        ({"source": "example.org/a:1", "namespace": "Shop"}, "namespace 'Shop'"),
        ({"source": "example.org/a:1", "source_username": "reader"}, "are required together"),
        ({"source": "example.org/a@sha256:1", "select": {}}, "entry 1 of images: "),
        ({"source": "example.org/a", "select": {}, "tags": ["x"]}, "select and tags exclude each other"),
        ({"source": "example.org/a", "select": {"semver": "new"}}, "no range of versions"),
        ({"name": "app"}, "entry 1 of images: source is missing"),
        ({"source": "oci:/a:1", "sources": ["oci:/a:1"]}, "entry 1 of images: sources and source exclude each other"),
        ({"sources": ["example.org/a"], "select": {}}, "entry 1 of images: sources and select exclude each other"),
        ({"sources": ["oci:/a:1"], "platforms": ["linux/amd64"]}, "sources and platforms exclude each other"),
        ({"sources": []}, "entry 1 of images: sources is empty"),
        ({"sources": ["oci:/a:1", "oci:/b:1"]}, "entry 1 of images: the sources have different names: a, b"),
    ],
)
def test_a_mistake_in_an_entry_is_told_before_anybody_is_asked(image: dict[str, Any], message: str) -> None:
    assert message in refused(image)


def test_a_tag_is_declared_once_in_each_zone() -> None:
    one, other = {"source": "example.org/a:1", "name": "app"}, {"source": "example.org/b:1", "name": "app"}
    assert "entry 1 of images and entry 2 of images both say what shop/app:1 is" in refused(one, other)
    zones = [{**one, "zones": ["a.example"]}, {**other, "zones": ["b.example"]}]
    sync_task({**DEFAULTS, "images": zones, "zones": ZONES, "namespace": "shop"}, CONTEXT).close()


def test_every_image_has_a_namespace() -> None:
    message = refused({"source": "example.org/a:1"}, namespace=None)
    assert "nothing names the namespace in zone a.example" in message


@pytest.mark.parametrize(
    "option", [{"jobs": 0}, {"jobs": 17}, {"max_delete": 0}, {"spool_limit": 0}, {"set_name": "A b"}]
)
def test_numbers_and_names_are_checked(option: dict[str, Any]) -> None:
    assert next(iter(option)) in refused({"source": "example.org/a:1"}, **option)


def test_deletion_needs_the_api_of_every_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    zones = [ZONES[0], {"registry": "b.example", "token": "t"}]
    message = refused({"source": "example.org/a:1"}, zones=zones, delete="managed")
    assert "delete is managed, which needs the API of zone b.example" in message
