# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a registry to one zone: a blob streams from a server to another one, whichever of them breaks."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError, SourceError
from ansible_collections.appuio.registry.plugins.module_utils._http.client import HttpClient
from ansible_collections.appuio.registry.plugins.module_utils._http.retry import Clock
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import Descriptor, digest_of
from ansible_collections.appuio.registry.plugins.module_utils._reference import Reference
from ansible_collections.appuio.registry.plugins.module_utils._registry.client import RegistryClient
from ansible_collections.appuio.registry.plugins.module_utils._registry.upload import Upload
from ansible_collections.appuio.registry.plugins.module_utils._source import stream
from ansible_collections.appuio.registry.plugins.module_utils._source.registry import RegistrySource
from ansible_collections.appuio.registry.plugins.module_utils._targets import Connection, Credential

from tests.unit.plugins.module_utils._http.scripted_server import Line, ScriptedServer, Seen

CONTENT = bytes(range(256)) * 2048
SIZE = len(CONTENT)
BLOB = Descriptor("application/octet-stream", digest_of(CONTENT), SIZE)
CLOCK = Clock(lambda: 0.0, lambda _seconds: None, lambda: 0.0)
GET = f"GET /v2/base/app/blobs/{BLOB.digest}"
WHOLE = Line(GET, 200, {}, CONTENT)
BEGUN = Line("POST /v2/shop/app/blobs/uploads/", 202, {"Location": "/up/1?_state=a"})
FINISH = f"PUT /up/1?_state=a&digest={BLOB.digest}"
STORED = {"Docker-Content-Digest": BLOB.digest}
ABSENT = Line(f"HEAD /v2/shop/app/blobs/{BLOB.digest}", 404)


@pytest.fixture(autouse=True)
def _close_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the hash every 100,000 bytes."""
    monkeypatch.setattr(stream, "CHECKPOINT", 100_000)


def part(first: int) -> Line:
    """The answer to a request for the rest."""
    return Line(GET, 206, {"Content-Range": f"bytes {first}-{SIZE - 1}/{SIZE}"}, CONTENT[first:])


def push(tmp_path: Path, source_lines: list[Line], *lines: Line) -> tuple[list[Seen], list[Seen]]:
    """Upload the blob; return what the source and the zone were asked."""
    connection = Connection(retries=2, retry_delay=0, timeout=300, validate_certs=False)
    with ScriptedServer(*source_lines) as there, ScriptedServer(*lines) as here:
        # Whatever it would write goes nowhere.
        source = RegistrySource(
            Reference(there.authority, "base/app", "1.0"), connection, None, str(tmp_path / "no directory"), CLOCK
        )
        registry = RegistryClient("lpg", here.authority, HttpClient(here.origin, connection, None, None, CLOCK))
        try:
            assert Upload(registry, "shop/app", BLOB, source.blob(BLOB)).run() == "uploaded"
        except AppuioError as error:
            error.result["seen"] = there.seen, here.seen
            raise
        finally:
            registry.close()
            source.close()
        return there.seen, here.seen


def resumed(offset: int) -> list[Line]:
    """What the zone answers when an upload broke of which it has so many bytes."""
    return [
        Line("GET /up/1?_state=a", 204, {"Range": f"0-{offset - 1}", "Location": "/up/1?_state=b"}),
        Line("PATCH /up/1?_state=b", 202, {"Location": "/up/1?_state=c"}),
        Line(f"PUT /up/1?_state=c&digest={BLOB.digest}", 201, STORED),
    ]


def test_it_needs_no_disk(tmp_path: Path) -> None:
    there, here = push(tmp_path, [WHOLE], BEGUN, Line(FINISH, 201, STORED))
    assert [seen.body for seen in here] == [b"", CONTENT]
    assert len(there) == 1


@pytest.mark.parametrize("ignores_range", [False, True])
@pytest.mark.parametrize("offset", [100_000, 150_000, 299_999])
def test_a_target_that_breaks_gets_the_rest_from_its_own_offset(
    tmp_path: Path, offset: int, ignores_range: bool
) -> None:
    kept = offset - offset % 100_000
    rest = WHOLE if ignores_range else part(kept)
    there, here = push(tmp_path, [WHOLE, rest], BEGUN, Line(FINISH, read=300_000), *resumed(offset))
    assert there[1].headers["range"] == f"bytes={kept}-"
    assert here[3].headers["content-range"] == f"{offset}-{SIZE - 1}"
    assert here[3].body == CONTENT[offset:]


def test_both_may_break_in_the_same_blob(tmp_path: Path) -> None:
    cut = Line(GET, 200, {}, CONTENT, cut=400_000)
    rest = Line(GET, 206, {"Content-Range": f"bytes 200000-{SIZE - 1}/{SIZE}"}, CONTENT[200_000:], cut=210_000)
    lines = [BEGUN, Line(FINISH, read=380_000), *resumed(250_000)]
    there, here = push(tmp_path, [cut, part(400_000), rest, part(410_000)], *lines)
    assert [seen.headers.get("range") for seen in there[1:]] == [
        f"bytes={first}-" for first in (400_000, 200_000, 410_000)
    ]
    assert here[3].body == CONTENT[250_000:]


@pytest.mark.parametrize(
    "trouble",
    [
        [Line(FINISH, read=300_000), Line("GET /up/1?_state=a", 404), ABSENT],
        [Line(FINISH, read=300_000), Line("GET /up/1?_state=a", 204, {"Range": "0-0"}), ABSENT],
        [Line(FINISH, 503, {}, b"x"), Line("GET /up/1?_state=a", 404), ABSENT],
        [Line(FINISH, 404, {}, b'{"errors": [{"code": "BLOB_UPLOAD_UNKNOWN"}]}'), ABSENT],
        [Line(FINISH, 400, {}, b'{"errors": [{"code": "DIGEST_INVALID"}]}')],
    ],
    ids=["expired", "nothing arrived", "503", "404", "damaged on the way"],
)
def test_an_upload_that_is_gone_begins_anew_and_so_does_the_source(tmp_path: Path, trouble: list[Line]) -> None:
    there, here = push(tmp_path, [WHOLE, WHOLE], BEGUN, *trouble, BEGUN, Line(FINISH, 201, STORED))
    assert "range" not in there[1].headers
    assert here[-1].body == CONTENT


def test_a_token_that_ends_in_the_middle_is_renewed_and_the_blob_sent_again(tmp_path: Path) -> None:
    connection = Connection(retries=1, retry_delay=0, timeout=300, validate_certs=False)
    with ScriptedServer(WHOLE, WHOLE) as there, ScriptedServer() as here:
        challenge = {"WWW-Authenticate": f'Bearer realm="{here.origin}/token",service="s"'}
        token = "GET /token?service=s&scope=repository%3Ashop%2Fapp%3Apull%2Cpush"
        here.lines += [
            Line(BEGUN.request, 401, challenge),
            Line(token, 200, {}, b'{"token": "first"}'),
            BEGUN,
            Line(FINISH, 401, challenge),
            Line(token, 200, {}, b'{"token": "second"}'),
            Line(FINISH, 201, STORED),
        ]
        source = RegistrySource(Reference(there.authority, "base/app", "1.0"), connection, None, str(tmp_path), CLOCK)
        http = HttpClient(here.origin, connection, None, Credential("geheim", "me", is_token=False), CLOCK)
        Upload(RegistryClient("lpg", here.authority, http), "shop/app", BLOB, source.blob(BLOB)).run()
        assert (here.seen[-1].headers["authorization"], here.seen[-1].body) == ("Bearer second", CONTENT)
        source.close()
        http.close()


@pytest.mark.parametrize("content", [CONTENT[:-1] + b"x", b"x" + CONTENT[1:], CONTENT + b"x"])
def test_wrong_bytes_never_arrive_whole_and_are_sent_once(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SourceError, match=r"docker://.* is (altered|too long)") as caught:
        push(tmp_path, [Line(GET, 200, {}, content)], BEGUN, Line(FINISH, 201, STORED))
    _there, here = caught.value.result["seen"]
    while len(here) < 2:  # until the zone has noticed that its connection is closed
        time.sleep(0.01)
    assert len(here[1].body) < SIZE


@pytest.mark.parametrize("answer", [Line(GET, 404), Line(GET, 403), Line(GET, 200)], ids=["404", "403", "nothing"])
def test_no_request_to_the_target_begins_before_the_source_has_answered(tmp_path: Path, answer: Line) -> None:
    """A proxy that pulls the blob itself may take longer for its first byte than a route waits for a body."""
    with pytest.raises(AppuioError, match="docker://"):
        push(tmp_path, [answer], BEGUN)  # another request would fail the test


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([Line(GET, 503)] * 2, "503.*trouble of the source's registry"),
        ([Line(GET, 200, {}, CONTENT, cut=100)] * 2, "Can it be reached|reached from where the task runs"),
        ([Line(GET, 404, {}, b'{"errors": [{"code": "BLOB_UNKNOWN"}]}')], "does not exist"),
    ],
    ids=["503", "cut", "404"],
)
def test_a_source_that_stays_away_is_no_trouble_of_the_target(tmp_path: Path, lines: list[Line], words: str) -> None:
    cut = Line(GET, 200, {}, CONTENT, cut=300_000)
    with pytest.raises(AppuioError, match=rf"docker://.*{words}") as caught:
        push(tmp_path, [cut, *lines], BEGUN, Line(FINISH, 201, STORED))
    assert caught.value.step
    assert caught.value.zone is None
