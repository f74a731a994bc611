# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""References: what they name, and what a zone does not take."""

from __future__ import annotations

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import InvalidOptionError
from ansible_collections.appuio.registry.plugins.module_utils._reference import (
    checked_image_name,
    checked_namespace,
    checked_tag,
    parse_reference,
)
from hypothesis import given
from hypothesis import strategies as st

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "registry", "repository", "tag", "digest"),
    [
        ("alpine", "docker.io", "library/alpine", None, None),
        ("alpine:3.22", "docker.io", "library/alpine", "3.22", None),
        ("index.docker.io/me/app", "docker.io", "me/app", None, None),
        ("ghcr.io/me/app:1", "ghcr.io", "me/app", "1", None),
        ("localhost/app", "localhost", "app", None, None),
        ("localhost:5000/app:1", "localhost:5000", "app", "1", None),
        ("[::1]:5000/app", "[::1]:5000", "app", None, None),
        (f"ghcr.io/me/app@{DIGEST}", "ghcr.io", "me/app", None, DIGEST),
        (f"ghcr.io/me/app:1@{DIGEST}", "ghcr.io", "me/app", "1", DIGEST),
        ("me/app", "docker.io", "me/app", None, None),
    ],
)
def test_what_a_reference_names(text: str, registry: str, repository: str, tag: str | None, digest: str | None) -> None:
    found = parse_reference(text)
    assert (found.registry, found.repository, found.tag, found.digest) == (registry, repository, tag, digest)


@pytest.mark.parametrize(
    "text",
    ["", "App", "ghcr.io/", "ghcr.io/a//b", "a:", "a@sha256:12", "a:b c", "ghcr.io/a:" + "x" * 129, "http://a/b"],
)
def test_what_is_no_reference(text: str) -> None:
    with pytest.raises(InvalidOptionError):
        parse_reference(text)


@given(
    st.from_regex(r"[a-z0-9]{1,8}\.example(:[0-9]{2,4})?", fullmatch=True),
    st.from_regex(r"[a-z0-9]{1,8}(/[a-z0-9]{1,8}){0,2}", fullmatch=True),
    st.one_of(st.none(), st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,20}", fullmatch=True)),
)
def test_a_reference_is_read_as_it_is_written(registry: str, repository: str, tag: str | None) -> None:
    text = f"{registry}/{repository}" + (f":{tag}" if tag else "")
    assert str(parse_reference(text)) == text


@pytest.mark.parametrize("name", ["app", "my.app", "my_app", "my-app", "x" * 64])
def test_names_that_openshift_takes(name: str) -> None:
    assert checked_image_name(name) == name


@pytest.mark.parametrize("name", ["a/b", "App", "my__app", "my--app", "", "-a", "a-"])
def test_names_that_openshift_refuses(name: str) -> None:
    with pytest.raises(InvalidOptionError):
        checked_image_name(name)


def test_namespaces_and_tags() -> None:
    assert checked_namespace("shop-1") == "shop-1"
    assert checked_tag("V1_x.0") == "V1_x.0"
    for namespace in ("Shop", "a.b", "x" * 64):
        with pytest.raises(InvalidOptionError):
            checked_namespace(namespace)
    for nothing in (None, ""):
        with pytest.raises(InvalidOptionError, match=r"namespace is missing.*a variable that is empty"):
            checked_namespace(nothing)
    for tag in ("", ".a", "x" * 129, "a b"):
        with pytest.raises(InvalidOptionError):
            checked_tag(tag)
