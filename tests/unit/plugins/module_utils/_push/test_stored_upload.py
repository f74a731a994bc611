# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A blob that is sent as it is in a file: verified by the registry that names its digest, else by us, before it counts
as uploaded."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import (
    CancelledError,
    ForbiddenError,
    ServerError,
    SourceError,
)
from ansible_collections.appuio.registry.plugins.module_utils._http.client import HttpClient
from ansible_collections.appuio.registry.plugins.module_utils._http.retry import Clock
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import Descriptor, digest_of
from ansible_collections.appuio.registry.plugins.module_utils._push.mount_cache import MountCache
from ansible_collections.appuio.registry.plugins.module_utils._push.plan import ZonePlan
from ansible_collections.appuio.registry.plugins.module_utils._push.progress import Progress
from ansible_collections.appuio.registry.plugins.module_utils._push.zone_repository import ZoneRepository
from ansible_collections.appuio.registry.plugins.module_utils._push.zone_upload import ZoneUpload
from ansible_collections.appuio.registry.plugins.module_utils._registry.client import RegistryClient
from ansible_collections.appuio.registry.plugins.module_utils._source.oci_layout import OciLayout
from ansible_collections.appuio.registry.plugins.module_utils._targets import Connection
from ansible_collections.appuio.registry.plugins.module_utils._user_cache import Cache

from tests.unit.plugins.module_utils._http.scripted_server import Line, ScriptedServer
from tests.unit.plugins.module_utils._push.fake_zones import FakeSession

CONTENT = bytes(range(256)) * 2048
ALTERED = CONTENT[:-1] + b"x"
BLOB = Descriptor("application/octet-stream", digest_of(CONTENT), len(CONTENT))
CLOCK = Clock(lambda: 0.0, lambda _seconds: None, lambda: 0.0)
BEGUN = Line("POST /v2/shop/app/blobs/uploads/", 202, {"Location": "/up/1?_state=a"})
FINISH = f"PUT /up/1?_state=a&digest={BLOB.digest}"
HEAD = f"HEAD /v2/shop/app/blobs/{BLOB.digest}"
STORED = Line(FINISH, 201, {"Docker-Content-Digest": BLOB.digest})
UNNAMED = Line(FINISH, 201)
THERE = Line(HEAD, 200, {"Docker-Content-Digest": BLOB.digest}, CONTENT)
GONE = Line("GET /up/1?_state=a", 404)
INVALID = b'{"errors": [{"code": "DIGEST_INVALID"}]}'
REFUSED = Line(FINISH, 400, {}, INVALID)


class Stored:
    """A layout with one blob; ``hashed`` counts how often its file is, and ``before`` is called then."""

    zone: ZoneUpload

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.file = folder / "blobs" / "sha256" / BLOB.digest.partition(":")[2]
        self.file.parent.mkdir(parents=True)
        self.file.write_bytes(CONTENT)
        self.layout = OciLayout(str(folder), None)
        self.hashed = 0
        self.before: Callable[[], None] = lambda: None
        blob_class = type(self.layout.blob(BLOB))
        computed = blob_class._computed  # type: ignore[attr-defined]

        def counted(blob: object, *more: object) -> str:
            self.hashed += 1
            self.before()
            return str(computed(blob, *more))

        monkeypatch.setattr(blob_class, "_computed", counted)

    def push(self, *lines: Line) -> tuple[list[bytes], ZoneUpload]:
        """Push the blob; return the bodies of the requests that brought all of it, and what came of it."""
        with ScriptedServer(*lines) as server:
            http = HttpClient(server.origin, Connection(retries=2, timeout=300), None, None, CLOCK)
            client = RegistryClient("lpg", server.authority, http)
            session: Any = FakeSession("lpg", cast(Any, client))
            found = ZoneRepository(session, "shop/app", client)
            plan = ZonePlan("lpg", server.authority, "shop/app", empty=True)
            self.zone = zone = ZoneUpload(found, plan, MountCache(Cache(None)), Progress(None))
            try:
                assert zone.push_blob(BLOB, self.layout.blob)
            finally:
                http.close()
        return [seen.body for seen in server.seen if seen.request == FINISH], zone

    def refused(self, *lines: Line) -> str:
        """Return the message for a blob that is not what its digest says."""
        with pytest.raises(SourceError) as caught:
            self.push(*lines)
        return caught.value.message


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stored:
    return Stored(tmp_path / "app", monkeypatch)


@pytest.fixture
def altered(stored: Stored) -> Stored:
    stored.file.write_bytes(ALTERED)
    return stored


@pytest.fixture
def message(stored: Stored) -> str:
    source = stored.layout.description
    return f"the blob {BLOB.digest} of {source} is altered: it should be {BLOB.digest} and is {digest_of(ALTERED)}"


def test_a_registry_that_names_the_digest_has_verified_it(stored: Stored) -> None:
    bodies, zone = stored.push(BEGUN, STORED)
    assert bodies == [CONTENT]
    assert (zone.result.uploaded, zone.result.bytes_uploaded) == (1, len(CONTENT))
    assert stored.hashed == 0


def test_where_a_registry_names_no_digest_the_file_is_hashed(stored: Stored) -> None:
    stored.push(BEGUN, UNNAMED, THERE)
    assert stored.hashed == 1


def test_a_registry_that_takes_anything_and_names_no_digest_gets_no_altered_blob_under_a_tag(
    altered: Stored, message: str
) -> None:
    """It is not even asked whether it has the blob: it would only repeat what it was told."""
    assert altered.refused(BEGUN, UNNAMED) == message


@pytest.mark.parametrize(
    "lost",
    [
        [Line(FINISH, read=len(CONTENT)), GONE],
        [Line(FINISH, 503, {}, b"x"), GONE],
        [Line(FINISH, 404, {}, b"x")],
    ],
    ids=["none", "503", "404"],
)
def test_an_answer_that_was_lost_has_named_no_digest(altered: Stored, message: str, lost: list[Line]) -> None:
    assert altered.refused(BEGUN, *lost, THERE) == message


def test_a_blob_whose_answer_was_lost_is_not_sent_again(stored: Stored) -> None:
    bodies, _zone = stored.push(BEGUN, Line(FINISH, 503, {}, b"x"), GONE, THERE)
    assert bodies == [CONTENT]
    assert stored.hashed == 1


def test_an_altered_blob_that_the_registry_refuses_is_sent_once(altered: Stored, message: str) -> None:
    assert altered.refused(BEGUN, REFUSED) == message


@pytest.mark.parametrize("body", [INVALID, b'{"errors": [{"code": "BLOB_UPLOAD_INVALID"}]}', b"<html>", b""])
def test_whatever_code_a_registry_refuses_an_altered_blob_with_the_source_is_named(
    altered: Stored, message: str, body: bytes
) -> None:
    assert altered.refused(BEGUN, Line(FINISH, 400, {}, body)) == message


def test_a_digest_that_is_refused_with_another_status_is_looked_into(altered: Stored, message: str) -> None:
    assert altered.refused(BEGUN, Line(FINISH, 422, {}, INVALID)) == message


def test_what_was_changed_on_the_way_is_sent_again_and_the_file_hashed_once(stored: Stored) -> None:
    bodies, _zone = stored.push(BEGUN, REFUSED, BEGUN, REFUSED, BEGUN, STORED)
    assert bodies == [CONTENT] * 3
    assert stored.hashed == 1


def test_what_is_changed_on_the_way_each_time_is_no_fault_of_the_source(stored: Stored) -> None:
    with pytest.raises(ServerError, match="DIGEST_INVALID"):
        stored.push(BEGUN, REFUSED, BEGUN, REFUSED, BEGUN, REFUSED)
    assert stored.hashed == 1


def test_a_registry_that_stores_what_it_got_is_not_blamed_for_the_source(altered: Stored, message: str) -> None:
    assert altered.refused(BEGUN, Line(FINISH, 201, {"Docker-Content-Digest": digest_of(ALTERED)})) == message


def test_a_registry_that_stores_something_else_is_named(stored: Stored) -> None:
    other = digest_of(ALTERED)
    with pytest.raises(ServerError, match=f"stored {other}, not {BLOB.digest}, which it was sent"):
        stored.push(BEGUN, Line(FINISH, 201, {"Docker-Content-Digest": other}))


@pytest.mark.parametrize("status", [403, 413])
def test_another_refusal_reads_no_file(stored: Stored, status: int) -> None:
    with pytest.raises((ServerError, ForbiddenError)):
        stored.push(BEGUN, Line(FINISH, status, {}, b"x"))
    assert stored.hashed == 0


def test_an_upload_that_goes_on_does_not_read_what_was_sent_before(stored: Stored) -> None:
    asked = Line("GET /up/1?_state=a", 204, {"Range": "0-299999", "Location": "/up/1?_state=b"})
    patch = Line("PATCH /up/1?_state=b", 202, {"Location": "/up/1?_state=c"})
    finish = Line(f"PUT /up/1?_state=c&digest={BLOB.digest}", 201, STORED.headers)
    stored.push(BEGUN, Line(FINISH, read=300_000), asked, patch, finish)
    assert stored.hashed == 0


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT + b"x"], ids=["truncated", "too long"])
def test_a_blob_of_another_size_is_not_begun(stored: Stored, content: bytes) -> None:
    stored.file.write_bytes(content)
    layout = OciLayout(str(stored.file.parents[2]), None)
    with pytest.raises(SourceError, match=f"has {len(content)} bytes and should have {len(CONTENT)}"):
        layout.blob(BLOB)


def test_a_file_that_becomes_shorter_meanwhile_is_the_sources_fault(stored: Stored) -> None:
    os.truncate(stored.file, 0)
    assert f"is truncated: it has 0 bytes and should have {len(CONTENT)}" in stored.refused(BEGUN)


def test_a_push_that_is_stopped_waits_for_no_hash(stored: Stored) -> None:
    stored.before = lambda: stored.zone.cancel("the push was stopped")
    with pytest.raises(CancelledError, match="the push was stopped"):
        stored.push(BEGUN, UNNAMED)
