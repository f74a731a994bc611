# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What docker and podman write, read as they read it, and changed in one place only."""

from __future__ import annotations

import base64
import copy
import json
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._credentials import auth_document
from ansible_collections.appuio.registry.plugins.module_utils._targets import Credential
from hypothesis import given
from hypothesis import strategies as st

REGISTRY = "registry.cloudscale-lpg-2.appuio.cloud"
AUTH = base64.b64encode(b"jane:secret").decode()
names = st.text(
    st.characters(codec="utf-8", exclude_characters="/:", exclude_categories=["Cc"]), min_size=1, max_size=12
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("key", "same"),
    [
        (REGISTRY, True),
        (f"https://{REGISTRY}", True),
        (f"http://{REGISTRY}/v1/", True),
        (f"https://{REGISTRY}/v2/", True),
        (f"{REGISTRY}/v2", True),
        (f"{REGISTRY}/", True),
        (REGISTRY.upper(), True),
        (f"{REGISTRY}/shop", False),
        (f"{REGISTRY}:5000", False),
        (f"x{REGISTRY}", False),
    ],
)
def test_keys_that_mean_a_registry(key: str, same: bool) -> None:
    assert auth_document.matching_keys([key], REGISTRY) == [key] * same
    found = auth_document.find_credential({"auths": {key: {"auth": AUTH}}}, REGISTRY, "f")
    assert (found is not None and found.secret == "secret") is same


@pytest.mark.parametrize("registry", ["docker.io", "index.docker.io", "registry-1.docker.io"])
def test_docker_hub_has_many_names(registry: str) -> None:
    document = {"auths": {"https://index.docker.io/v1/": {"auth": AUTH}}}
    assert auth_document.find_credential(document, auth_document.key_of(registry), "f") is not None


@pytest.mark.parametrize(
    ("entry", "username", "secret"),
    [
        ({"auth": AUTH}, "jane", "secret"),
        ({"auth": AUTH.rstrip("=")}, "jane", "secret"),
        ({"auth": base64.b64encode(b"jane:with:colons").decode()}, "jane", "with:colons"),
        ({"auth": base64.b64encode(b"jane:secret\n").decode()}, "jane", "secret"),
        ({"auth": base64.b64encode(b"jane:secret\r\n").decode()}, "jane", "secret"),
        ({"auth": base64.b64encode(b"<token>:secret").decode()}, "<token>", "secret"),
        ({"username": "jane", "password": "secret\n"}, "jane", "secret"),
        ({"registrytoken": "bearer\n"}, "serviceaccount", "bearer"),
        ({"username": "jane", "password": "secret"}, "jane", "secret"),
        ({"auth": AUTH, "identitytoken": "identity"}, "<token>", "identity"),
        ({"registrytoken": "bearer"}, "serviceaccount", "bearer"),
    ],
)
def test_forms_of_an_entry(entry: dict[str, str], username: str, secret: str) -> None:
    found = auth_document.find_credential({"auths": {REGISTRY: entry}}, REGISTRY, "f")
    assert found is not None
    assert (found.username, found.secret) == (username, secret)


EMPTY = base64.b64encode(b"jane:").decode()


@pytest.mark.parametrize(
    "entry", [{}, {"auth": ""}, {"auth": EMPTY}, {"username": "j"}, {"email": "a@b"}, None, "text"]
)
def test_an_entry_without_a_secret_is_none(entry: object) -> None:
    assert auth_document.find_credential({"auths": {REGISTRY: entry}}, REGISTRY, "f") is None


def test_the_exact_key_comes_first() -> None:
    other = base64.b64encode(b"old:old").decode()
    document = {"auths": {f"https://{REGISTRY}/v1/": {"auth": other}, REGISTRY: {"auth": AUTH}}}
    found = auth_document.find_credential(document, REGISTRY, "f")
    assert found is not None
    assert found.username == "jane"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"auths": {', "line 1, column 12"),
        ('{\n  "auths": {},\n}', "line 2, column 14|line 3, column 1"),
        ("[]", "no JSON object"),
        ('{"auths": []}', "its auths is no JSON object"),
        ('{"credHelpers": 1}', "its credHelpers is no JSON object"),
        ('{"credsStore": {}}', "its credsStore is no text"),
        ('{"auths": {"a": {}, "a": {}}}', "it has 'a' more than once"),
        ('{"credHelpers": {"a": 1}}', "its credHelpers names no helper for a"),
        ("[" * 100000, "levels deep"),
        ('{"a": ' + "[" * 300 + "]" * 300 + "}", "levels deep"),
        ('{"a": "\\ud800"}', "not Unicode"),
        ('{"a": 1e999}', "."),
        ('{"a": NaN}', "NaN is no number"),
        ('{"a": ' + "9" * 5000 + "}", "digits"),
    ],
)
def test_a_broken_file_is_refused_with_its_position(text: str, said: str) -> None:
    with pytest.raises(auth_document.BrokenAuthFileError, match=said) as refused:
        auth_document.parse(text, "/home/jane/config.json")
    assert "/home/jane/config.json" in str(refused.value)


SPLIT = base64.b64encode(b"jane:marker\nmarker").decode()


@pytest.mark.parametrize(
    "entry",
    [
        {"auth": "bWFya2Vy"},
        {"auth": 5},
        {"auth": SPLIT},
        {"identitytoken": {"marker": 1}},
        {"username": "jane", "password": ["marker"]},
        {"username": {"marker": 1}, "password": "marker"},
        {"registrytoken": "marker\r\nX-Other: marker"},
    ],
)
def test_a_broken_entry_is_refused_without_showing_it(entry: dict[str, Any]) -> None:
    with pytest.raises(auth_document.BrokenAuthFileError) as refused:
        auth_document.find_credential({"auths": {REGISTRY: entry}}, REGISTRY, "f")
    for word in ("marker", "bWFya2Vy", SPLIT):
        assert word not in str(refused.value)


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_file_is_an_empty_document(text: str) -> None:
    assert auth_document.parse(text, "f") == {}


@pytest.mark.parametrize(
    "text",
    [
        '{\n\t"auths": {},\n\t"x": [\n\t\t1\n\t]\n}',
        '{\n    "auths": {},\n    "x": 1\n}\n',
        '{"auths": {}, "x": "ü"}',
        '{"auths": {}}\n',
    ],
)
def test_the_form_of_a_file_stays(text: str) -> None:
    assert auth_document.format_like(json.loads(text), text) == text


def test_a_new_file_looks_like_dockers() -> None:
    assert auth_document.format_like({"auths": {}}, "") == '{\n\t"auths": {}\n}\n'


@given(st.dictionaries(names, json_values, max_size=4), st.dictionaries(names, json_values, max_size=4), names, names)
def test_only_the_entry_of_the_registry_changes(
    top: dict[str, Any], auths: dict[str, Any], username: str, secret: str
) -> None:
    document = {**top, "auths": {**auths, REGISTRY: {"auth": AUTH, "email": "a@b"}}}
    before = copy.deepcopy(document)
    wanted = Credential(secret, username)
    auth_document.put_entry(document, REGISTRY, wanted)
    found = auth_document.find_credential(document, REGISTRY, "f")
    assert found is not None
    assert (found.username, found.secret.rstrip("\0")) == (username, secret.rstrip("\0"))
    assert document["auths"][REGISTRY]["email"] == "a@b"
    assert list(document) == list(before)
    assert list(document["auths"]) == list(before["auths"])
    assert auth_document.remove_entry(document, REGISTRY)
    before["auths"].pop(REGISTRY)
    assert document == before


def test_nothing_is_stored_as_an_identity_token() -> None:
    document: dict[str, Any] = {"auths": {REGISTRY: {"identitytoken": "old"}}}
    auth_document.put_entry(document, REGISTRY, Credential("s", "<token>"))
    assert document["auths"][REGISTRY] == {"auth": base64.b64encode(b"<token>:s").decode()}


def test_an_old_spelling_is_replaced() -> None:
    document = {"auths": {f"https://{REGISTRY}/v1/": {"auth": "x"}, "other": {"auth": AUTH}}}
    auth_document.put_entry(document, REGISTRY, Credential("s", "u"))
    assert list(document["auths"]) == ["other", REGISTRY]


@pytest.mark.parametrize(
    ("document", "helper"),
    [
        ({}, None),
        ({"credsStore": "desktop"}, "desktop"),
        ({"credsStore": "desktop", "credHelpers": {REGISTRY: "pass"}}, "pass"),
        ({"credsStore": "desktop", "credHelpers": {REGISTRY: ""}}, None),
        ({"credsStore": "desktop", "credHelpers": {"other": "pass"}}, "desktop"),
        ({"credHelpers": None}, None),
        ({"credHelpers": {REGISTRY: None}}, None),
        ({"credHelpers": {REGISTRY: None}, "credsStore": "desktop"}, None),
    ],
)
def test_which_helper_is_asked(document: dict[str, Any], helper: str | None) -> None:
    assert auth_document.helper_for(document, REGISTRY) == helper


def test_keys_for_a_repository_from_the_longest() -> None:
    assert auth_document.lookup_keys("r", "a/b") == ["r/a/b", "r/a", "r"]
    assert auth_document.lookup_keys("docker.io", None) == ["https://index.docker.io/v1/"]
