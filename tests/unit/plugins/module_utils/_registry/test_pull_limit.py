# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The limit of a source's registry: read from any text, and no manifest is asked for that it does not give any more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from email.message import Message
from pathlib import Path

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import ServerError
from ansible_collections.appuio.registry.plugins.module_utils._http.retry import Clock
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import OCI_INDEX, OCI_MANIFEST, digest_of
from ansible_collections.appuio.registry.plugins.module_utils._push.image import ManifestImage
from ansible_collections.appuio.registry.plugins.module_utils._push.options import PushOptions
from ansible_collections.appuio.registry.plugins.module_utils._reference import Reference
from ansible_collections.appuio.registry.plugins.module_utils._registry.pull_limit import (
    PullLimit,
    Remaining,
    duration,
    remaining_of,
)
from ansible_collections.appuio.registry.plugins.module_utils._source.registry import RegistrySource
from ansible_collections.appuio.registry.plugins.module_utils._source.source_registries import SourceClients
from ansible_collections.appuio.registry.plugins.module_utils._targets import Connection, Credential

from tests.unit.plugins.module_utils._http.scripted_server import Line, ScriptedServer

HUB = "3;w=21600"
CONFIG = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest_of(b"{}"), "size": 2}
MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": CONFIG, "layers": []}).encode()
DIGEST = digest_of(MANIFEST)


NOW = 1_800_000_000.0


def headers(remaining: str | None, limit: str | None = None, reset: str | None = None) -> Message:
    message = Message()
    if reset is not None:
        message["RateLimit-Reset"] = reset
    if remaining is not None:
        message["RateLimit-Remaining"] = remaining
    if limit is not None:
        message["ratelimit-limit"] = limit
    return message


@pytest.mark.parametrize(
    ("remaining", "limit", "expected"),
    [
        (HUB, "100;w=21600", Remaining(3, 21600, 100)),
        ("0;w=21600", None, Remaining(0, 21600)),
        (" 3 ; w = 21600", "100", Remaining(3, 21600, 100)),
        ("3", "100, 100;w=3600", Remaining(3, 3600, 100)),
        ("3", "10, 10;w=1, 1000;w=3600", None),
        ("3", '100;comment="x";w="3600"', Remaining(3, 3600, 100)),
        ("3;w=21600, 9;w=60", "many", Remaining(3, 21600)),
        # Of several, the one that ends first.
        ("9;w=60, 3;w=21600", "10;w=60, 100;w=21600", Remaining(3, 21600, 100)),
        ("80;w=86400, 3;w=21600", "1000, 100", Remaining(3, 21600, 100)),
        ("3, 80", "100;w=21600, 1000;w=86400", Remaining(3, 21600, 100)),
        ("5, 3;w=21600", None, Remaining(3, 21600)),
        # Texts, also with commas in them.
        ('3;comment="9, 8";w=21600', '100;comment=", 7";w=60', Remaining(3, 21600, 100)),
        ('3;comment="9, 8', "100;w=21600", Remaining(3, 21600, 100)),
        ("unlimited", "unlimited", None),
        ("unlimited;w=21600, 3;w=3600", None, Remaining(3, 3600)),
        ('"hub";r=3;t=21600', '"hub";q=100;w=21600', None),
        ("0x3;w=21600", None, None),
        ("3 manifests;w=21600", None, None),
        # What renews within minutes is waited for.
        ("3;w=60", "100;w=60", None),
        ("1999", "2000", Remaining(1999, None, 2000)),
        ("5", None, Remaining(5)),
        (None, "100;w=21600", None),
        ("", "", None),
        ("-1;w=21600", None, None),
        ("3.5;w=21600", None, None),
        ("٣;w=21600", None, None),
        ("3;w=" + "9" * 5000, None, None),
        ("9" * 5000 + ";w=21600", None, None),
        (" " * 100_000 + "3;w=21600", ";" * 100_000, None),
        ("," * 100_000, '"' * 100_000, None),
        ("8," * 500 + "3;w=21600", None, Remaining(8)),
        (" " * 998 + "21;w=21600", None, None),
        ("3" + "; w" * 50_000, "x=w=21600", None),
    ],
)
def test_any_text_is_read(remaining: str | None, limit: str | None, expected: Remaining | None) -> None:
    found = remaining_of(headers(remaining, limit), NOW)
    assert (found and found[:3]) == (expected and expected[:3])


def test_a_header_may_be_there_several_times() -> None:
    message = headers("80;w=86400", "1000;w=86400")
    message["RateLimit-Remaining"], message["RateLimit-Limit"] = "3;w=21600", "100;w=21600"
    assert remaining_of(message, NOW) == Remaining(3, 21600, 100, 21600)


@pytest.mark.parametrize(
    ("reset", "renews"),
    [
        ("30", None),
        ("299", None),
        ("4271", 4271),
        (f"{NOW + 4271:.0f}", 4271),
        (f"{NOW + 30:.0f}", None),
        (f"{NOW - 30:.0f}", None),
        ("soon", 21600),
        ("9" * 5000, 21600),
    ],
)
def test_when_a_limit_renews_counts_more_than_its_window(reset: str, renews: int | None) -> None:
    found = remaining_of(headers("3;w=21600", "100;w=21600", reset), NOW)
    assert found == (renews and Remaining(3, 21600, 100, renews))


def test_without_a_window_a_limit_counts_once_it_has_refused() -> None:
    limit = PullLimit()
    limit.note(headers("0", "100"))
    with limit.reading("docker.io", "anything", 1000):
        pass
    limit.note(headers("0", "100"), refused=True)
    with pytest.raises(ServerError) as caught, limit.reading("docker.io", "app"):
        raise AssertionError("it was begun")
    assert caught.value.message == "docker.io gives 100 manifests, of which 0 remain, and app needs 1 more"
    limit.note(headers("0", "100", "4271"))
    with pytest.raises(ServerError) as renewing, limit.reading("docker.io", "app"):
        raise AssertionError("it was begun")
    assert str(renewing.value.hint).startswith("They renew within 72 minutes: ")
    assert str(caught.value.hint).startswith("It does not say when they renew: run it again later, or give ")


@pytest.mark.parametrize(
    ("seconds", "text"), [(21600, "6 hours"), (3600, "1 hour"), (5400, "90 minutes"), (301, "301 seconds")]
)
def test_windows_have_the_largest_whole_unit(seconds: int, text: str) -> None:
    assert duration(seconds) == text


def test_what_is_being_asked_for_counts_as_gone() -> None:
    limit = PullLimit()
    with limit.reading("docker.io", "anything", 1000):
        pass
    limit.note(headers(HUB))
    limit.note(headers(None))
    with limit.reading("docker.io", "one", 2):
        with pytest.raises(ServerError), limit.reading("docker.io", "two", 2):
            raise AssertionError("it was begun")
        with limit.reading("docker.io", "three"):
            pass
    with limit.reading("docker.io", "two", 3):
        pass


Sources = dict[str, RegistrySource]


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def sources(server: ScriptedServer, tmp_path: Path) -> Iterator[Sources]:
    """Three images of one registry; the last one is read by another user."""
    clients = SourceClients(Clock(lambda: 0.0, lambda _seconds: None, lambda: 0.0))
    connection = Connection(retries=0, retry_delay=0, timeout=300, validate_certs=False)
    other = Credential("geheim", "me", is_token=False, origin="source_password")
    with ExitStack() as stack:
        stack.callback(clients.close)
        made = {}
        for name, credential in (("a", None), ("b", None), ("mine", other)):
            reference = Reference(server.authority, f"shop/{name}", "1.0")
            made[name] = RegistrySource(reference, connection, credential, str(tmp_path), clients=clients)
        yield made


def answer(
    method: str,
    name: str,
    remaining: str,
    *,
    media_type: str = OCI_MANIFEST,
    status: int = 200,
    limit: str = "100;w=21600",
) -> Line:
    said = {
        "RateLimit-Limit": limit,
        "RateLimit-Remaining": remaining,
        "Docker-Content-Digest": DIGEST,
        "Content-Type": media_type,
    }
    return Line(f"{method} /v2/shop/{name}/manifests/1.0", status, said, b"" if method == "HEAD" else MANIFEST)


def test_nothing_is_asked_for_that_the_limit_does_not_give(server: ScriptedServer, sources: Sources) -> None:
    server.lines = [answer("GET", "a", "0;w=21600"), answer("HEAD", "b", "0;w=21600")]
    assert sources["a"].root().digest == DIGEST
    assert sources["b"].head() is not None
    with pytest.raises(ServerError) as caught:
        sources["b"].root()
    assert server.lines == []
    described = f"docker://{server.authority}/shop/b:1.0"
    assert caught.value.message == (
        f"{server.authority} gives 100 manifests in 6 hours, of which 0 remain, and {described} needs 1 more"
    )
    assert str(caught.value.hint).startswith("They renew within 6 hours")


def test_an_index_needs_one_more_for_an_image_of_it(server: ScriptedServer, sources: Sources) -> None:
    server.lines = [
        answer("HEAD", "a", "1;w=21600", media_type=OCI_INDEX),
        answer("HEAD", "b", "1;w=21600"),
        answer("GET", "b", "0;w=21600"),
    ]
    assert sources["a"].head() is not None
    with pytest.raises(ServerError, match=r"of which 1 remain, and docker://.*/shop/a:1\.0 needs 2 more"):
        sources["a"].root()
    assert sources["b"].head() is not None
    assert sources["b"].root().digest == DIGEST
    assert server.lines == []


def test_no_image_of_an_index_is_read_unless_all_can_be(server: ScriptedServer, sources: Sources) -> None:
    entry = {"mediaType": OCI_MANIFEST, "digest": DIGEST, "size": len(MANIFEST)}
    platforms = [{"os": "linux", "architecture": name} for name in ("amd64", "arm64", "s390x")]
    entries = [{**entry, "platform": platform} for platform in platforms]
    content = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()
    said = {"RateLimit-Remaining": "2;w=21600", "Content-Type": OCI_INDEX}
    server.lines = [Line("GET /v2/shop/a/manifests/1.0", 200, said, content)]
    image = ManifestImage(sources["a"], PushOptions("a", ("1.0",)))
    assert image.open().digest == digest_of(content)
    with pytest.raises(ServerError, match=r"of which 2 remain, and docker://.*/shop/a:1\.0 needs 3 more"):
        image.check()
    assert len(server.seen) == 1


def test_each_user_has_a_limit(server: ScriptedServer, sources: Sources) -> None:
    server.lines = [answer("HEAD", "a", "0;w=21600"), answer("GET", "mine", "200;w=21600")]
    assert sources["a"].head() is not None
    assert sources["mine"].root().digest == DIGEST


@pytest.mark.parametrize("remaining", ["0;w=21600", "0"])
def test_what_a_refusal_says_of_the_limit_counts(server: ScriptedServer, sources: Sources, remaining: str) -> None:
    server.lines = [answer("GET", "a", remaining, status=429, limit="100" if remaining == "0" else "100;w=21600")]
    with pytest.raises(ServerError, match="status 429"):
        sources["a"].root()
    with pytest.raises(ServerError, match="of which 0 remain"):
        sources["b"].root()
    assert server.lines == []
