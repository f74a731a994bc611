# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One blob: mounted, streamed, gone on with where it broke, or begun anew."""

from __future__ import annotations

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import (
    ForbiddenError,
    ServerError,
    UnauthorizedError,
)
from ansible_collections.appuio.registry.plugins.module_utils._http import retry
from ansible_collections.appuio.registry.plugins.module_utils._http.client import HttpClient
from ansible_collections.appuio.registry.plugins.module_utils._http.message import BytesBody, Reader
from ansible_collections.appuio.registry.plugins.module_utils._http.retry import Clock, ConnectionLostError
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import Descriptor, digest_of
from ansible_collections.appuio.registry.plugins.module_utils._registry.client import BlobsMissingError, RegistryClient
from ansible_collections.appuio.registry.plugins.module_utils._registry.upload import Upload
from ansible_collections.appuio.registry.plugins.module_utils._targets import Connection, Credential

from tests.unit.plugins.module_utils._http.scripted_server import Line, ScriptedServer

CONTENT = b"0123456789"
BLOB = Descriptor("application/octet-stream", digest_of(CONTENT), len(CONTENT))
CLOCK = Clock(lambda: 0.0, lambda _seconds: None, lambda: 0.0)
BEGUN = Line("POST /v2/shop/app/blobs/uploads/", 202, {"Location": "/up/1?_state=a"})
FINISH = f"PUT /up/1?_state=a&digest={BLOB.digest}"
STORED = {"Docker-Content-Digest": BLOB.digest}
DENIED = {"WWW-Authenticate": 'Basic realm=openshift,error="access denied"'}


class Streamed:
    """A body that is not in memory as a whole."""

    length = len(CONTENT)

    def open(self, offset: int = 0) -> Reader:
        return BytesBody(CONTENT).open(offset)


def registry(server: ScriptedServer) -> RegistryClient:
    http = HttpClient(server.origin, Connection(retries=2, timeout=300), None, Credential("token"), CLOCK)
    return RegistryClient("lpg", server.authority, http)


def upload(*lines: Line, mount_from: tuple[str, ...] = ()) -> tuple[str, list[bytes]]:
    with ScriptedServer(*lines) as server:
        how = Upload(registry(server), "shop/app", BLOB, Streamed()).run(mount_from)
        return how, [seen.body for seen in server.seen]


def test_one_stream() -> None:
    assert upload(BEGUN, Line(FINISH, 201, STORED)) == ("uploaded", [b"", CONTENT])


def test_mounted_or_not() -> None:
    asked = f"POST /v2/shop/app/blobs/uploads/?mount={BLOB.digest.replace(':', '%3A')}&from=shop%2Fbase"
    assert upload(Line(asked, 201, STORED), mount_from=("shop/base",))[0] == "mounted"
    refused = Line(asked, 202, {"Location": "/up/1?_state=a"})
    assert upload(refused, Line(FINISH, 201, STORED), mount_from=("shop/base",))[0] == "uploaded"


def test_a_broken_stream_goes_on_from_where_the_registry_got_to() -> None:
    how, bodies = upload(
        BEGUN,
        Line(FINISH, read=4),
        Line("GET /up/1?_state=a", 204, {"Range": "0-3", "Location": "/up/1?_state=b"}),
        Line("PATCH /up/1?_state=b", 202, {"Location": "/up/1?_state=c"}),
        Line(f"PUT /up/1?_state=c&digest={BLOB.digest}", 201, STORED),
    )
    assert how == "uploaded"
    assert bodies[3:] == [CONTENT[4:], b""]


def test_an_upload_that_is_gone_begins_anew() -> None:
    gone = Line("GET /up/1?_state=a", 404)
    absent = Line(f"HEAD /v2/shop/app/blobs/{BLOB.digest}", 404)
    assert upload(BEGUN, Line(FINISH, read=4), gone, absent, BEGUN, Line(FINISH, 201, STORED))[0] == "uploaded"


def test_an_answer_that_was_lost() -> None:
    gone = Line("GET /up/1?_state=a", 404)
    there = Line(f"HEAD /v2/shop/app/blobs/{BLOB.digest}", 200, body=CONTENT)
    assert upload(BEGUN, Line(FINISH, read=10), gone, there)[0] == "uploaded"


def test_a_wrong_digest_begins_anew_and_ends_after_all_attempts() -> None:
    wrong = Line(FINISH, 400, body=b'{"errors": [{"code": "DIGEST_INVALID"}]}')
    assert upload(BEGUN, wrong, BEGUN, Line(FINISH, 201, STORED))[0] == "uploaded"
    with pytest.raises(ServerError, match="DIGEST_INVALID"):
        upload(BEGUN, wrong, BEGUN, wrong, BEGUN, wrong)


def test_what_a_refusal_means_is_found_out_at_the_door() -> None:
    refused = Line("POST /v2/shop/app/blobs/uploads/", 401, DENIED)
    with pytest.raises(ForbiddenError, match=r"zone lpg.*no right to push in shop"):
        upload(refused, Line("GET /v2/", 200))
    with pytest.raises(UnauthorizedError, match="wrong, expired or revoked"):
        upload(refused, Line("GET /v2/", 401, DENIED))


def test_a_manifest_names_the_blobs_that_it_lacks() -> None:
    said = b'{"errors": [{"code": "MANIFEST_BLOB_UNKNOWN", "detail": {"digest": "%s"}}]}' % BLOB.digest.encode()
    line = Line("PUT /v2/shop/app/manifests/1", 400, body=said)
    with ScriptedServer(line) as server, pytest.raises(BlobsMissingError) as caught:
        registry(server).put_manifest("shop/app", "1", b"{}", "application/json")
    assert caught.value.digests == (BLOB.digest,)


def test_an_error_by_digest_means_that_it_is_not_there() -> None:
    with ScriptedServer(Line(f"HEAD /v2/shop/app/manifests/{BLOB.digest}", 500)) as server:
        assert not registry(server).holds_manifest("shop/app", BLOB.digest)


def test_a_mount_that_fails_does_not_fail_the_upload() -> None:
    asked = f"POST /v2/shop/app/blobs/uploads/?mount={BLOB.digest.replace(':', '%3A')}&from=shop%2Fbase"
    for refused in (Line(asked, 500), Line(asked, 401, DENIED), Line(asked, 404), Line(asked, 200, {}, b"<html>")):
        assert upload(refused, BEGUN, Line(FINISH, 201, STORED), mount_from=("shop/base",))[0] == "uploaded"


def test_every_repository_that_may_have_the_blob_is_tried() -> None:
    asked = f"POST /v2/shop/app/blobs/uploads/?mount={BLOB.digest.replace(':', '%3A')}&from=shop%2F"
    lines = [Line(f"{asked}one", 500), Line(f"{asked}two", 201, STORED)]
    assert upload(*lines, mount_from=("shop/one", "shop/two"))[0] == "mounted"


def test_a_mount_that_tells_no_digest_is_looked_at() -> None:
    asked = f"POST /v2/shop/app/blobs/uploads/?mount={BLOB.digest.replace(':', '%3A')}&from=shop%2Fbase"
    head = f"HEAD /v2/shop/app/blobs/{BLOB.digest}"
    assert upload(Line(asked, 201), Line(head, body=CONTENT), mount_from=("shop/base",))[0] == "mounted"
    lines = [Line(asked, 201), Line(head, 404), BEGUN, Line(FINISH, 201, STORED)]
    assert upload(*lines, mount_from=("shop/base",))[0] == "uploaded"


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_blob_that_was_stored_without_an_answer_is_not_sent_again(status: int) -> None:
    gone = Line("GET /up/1?_state=a", 404)
    there = Line(f"HEAD /v2/shop/app/blobs/{BLOB.digest}", 200, STORED, CONTENT)
    how, bodies = upload(BEGUN, Line(FINISH, status), gone, there)
    assert how == "uploaded"
    assert bodies.count(CONTENT) == 1


def test_an_upload_that_ended_when_it_was_finished_is_looked_for() -> None:
    there = Line(f"HEAD /v2/shop/app/blobs/{BLOB.digest}", 200, STORED, CONTENT)
    assert upload(BEGUN, Line(FINISH, 404), there)[0] == "uploaded"


@pytest.mark.parametrize("digest", ["sha256:" + "b" * 64, "sha512:" + "b" * 128, "nonsense"])
def test_another_digest_in_the_answer_to_an_upload_is_no_success(digest: str) -> None:
    with pytest.raises(ServerError, match=f"stored {digest}, not {BLOB.digest}"):
        upload(BEGUN, Line(FINISH, 201, {"Docker-Content-Digest": digest}))


def test_where_an_upload_tells_no_digest_the_registry_is_asked() -> None:
    head = f"HEAD /v2/shop/app/blobs/{BLOB.digest}"
    assert upload(BEGUN, Line(FINISH, 201), Line(head, body=CONTENT))[0] == "uploaded"
    for answer in (Line(head, 404), Line(head, body=CONTENT[1:]), Line(head, 200, {"Docker-Content-Digest": "x"})):
        with pytest.raises(ServerError):
            upload(BEGUN, Line(FINISH, 201), answer)


def test_a_page_is_no_upload() -> None:
    page = {"Content-Type": "text/html"}
    with pytest.raises(ServerError, match="does not answer as a container registry"):
        upload(Line("POST /v2/shop/app/blobs/uploads/", 200, page, b"<html>"))
    with pytest.raises(ServerError, match="gave no location"):
        upload(Line("POST /v2/shop/app/blobs/uploads/", 202))


@pytest.mark.parametrize(
    ("got", "rest"),
    [("0-8", CONTENT[9:]), ("bytes=0-1", CONTENT[2:]), ("0-9", None), ("0-10", "anew"), ("0-0", "anew")],
)
def test_an_upload_goes_on_at_the_byte_that_the_registry_lacks(got: str, rest: object) -> None:
    asked = Line("GET /up/1?_state=a", 204, {"Range": got, "Location": "/up/1?_state=b"})
    absent = Line(f"HEAD /v2/shop/app/blobs/{BLOB.digest}", 404)
    patch = Line("PATCH /up/1?_state=b", 202, {"Location": "/up/1?_state=c"})
    finish = Line(f"PUT /up/1?_state=c&digest={BLOB.digest}", 201, STORED)
    if rest == "anew":
        _how, bodies = upload(BEGUN, Line(FINISH, read=4), asked, absent, BEGUN, Line(FINISH, 201, STORED))
        assert bodies[-1] == CONTENT
    elif rest is None:
        finish = Line(f"PUT /up/1?_state=b&digest={BLOB.digest}", 201, STORED)
        _how, bodies = upload(BEGUN, Line(FINISH, read=4), asked, finish)
        assert bodies[-1] == b""
    else:
        _how, bodies = upload(BEGUN, Line(FINISH, read=4), asked, patch, finish)
        assert bodies[-2:] == [rest, b""]


def test_attempts_are_counted_anew_where_the_upload_gets_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "PROGRESS", 1)
    lines = [BEGUN, Line(FINISH, read=1)]
    for last in range(1, 9):
        lines.append(Line("GET /up/1?_state=a", 204, {"Range": f"0-{last}", "Location": "/up/1?_state=a"}))
        lines.append(Line("PATCH /up/1?_state=a", read=1))
    lines.append(Line("GET /up/1?_state=a", 204, {"Range": "0-9", "Location": "/up/1?_state=a"}))
    assert upload(*lines, Line(FINISH, 201, STORED))[0] == "uploaded"


def test_attempts_end_where_each_is_cut_after_a_few_bytes() -> None:
    """Else a large layer would take thousands of them."""
    lines = [BEGUN, Line(FINISH, read=1)]
    for last in (1, 2):
        lines.append(Line("GET /up/1?_state=a", 204, {"Range": f"0-{last}", "Location": "/up/1?_state=a"}))
        lines.append(Line("PATCH /up/1?_state=a", read=1))
    with pytest.raises(ConnectionLostError, match=r"zone lpg: upload sha256"):
        upload(*lines)


def test_attempts_end_where_the_upload_does_not_get_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "PROGRESS", 1)
    asked = Line("GET /up/1?_state=a", 204, {"Range": "0-3", "Location": "/up/1?_state=a"})
    patch = Line("PATCH /up/1?_state=a", read=1)
    with pytest.raises(ConnectionLostError, match=r"zone lpg: upload sha256"):
        upload(BEGUN, Line(FINISH, read=4), asked, patch, asked, patch, asked, patch)


def test_a_registry_that_is_away_is_asked_as_often_as_said_in_all() -> None:
    away = Line("POST /v2/shop/app/blobs/uploads/", raw=b"")
    with pytest.raises(ConnectionLostError):
        upload(away, away, away)


def test_a_mount_that_begins_an_upload_nowhere_is_passed_over() -> None:
    asked = f"POST /v2/shop/app/blobs/uploads/?mount={BLOB.digest.replace(':', '%3A')}&from=shop%2Fbase"
    assert upload(Line(asked, 202), BEGUN, Line(FINISH, 201, STORED), mount_from=("shop/base",))[0] == "uploaded"


def test_a_right_that_only_the_mount_lacks_does_not_fail_the_upload() -> None:
    mount = f"POST /v2/shop/app/blobs/uploads/?mount={BLOB.digest.replace(':', '%3A')}&from=shop%2Fbase"
    push = "scope=repository%3Ashop%2Fapp%3Apull%2Cpush"
    with ScriptedServer() as server:
        asked = {"WWW-Authenticate": f'Bearer realm="{server.origin}/token"'}
        server.lines += [
            Line(mount, 401, asked),
            Line(f"GET /token?{push}&scope=repository%3Ashop%2Fbase%3Apull", 403),
            Line(f"GET /token?{push}", body=b'{"token": "one"}'),
            BEGUN,
            Line(FINISH, 201, STORED),
        ]
        http = HttpClient(server.origin, Connection(retries=0), None, Credential("pw", "me", is_token=False), CLOCK)
        client = RegistryClient("lpg", server.authority, http)
        assert Upload(client, "shop/app", BLOB, Streamed()).run(("shop/base",)) == "uploaded"


@pytest.mark.parametrize("status", [200, 404, 410])
def test_an_upload_that_is_gone_is_not_gone_on_with_whatever_it_says_of_its_range(status: int) -> None:
    gone = Line("GET /up/1?_state=a", status, {"Range": "0-3", "Location": "/up/1?_state=b"})
    absent = Line(f"HEAD /v2/shop/app/blobs/{BLOB.digest}", 404)
    assert upload(BEGUN, Line(FINISH, read=4), gone, absent, BEGUN, Line(FINISH, 201, STORED))[0] == "uploaded"


@pytest.mark.parametrize(("status", "kind"), [(403, ForbiddenError), (413, ServerError), (400, ServerError)])
def test_a_final_refusal_of_an_upload_is_not_asked_again(status: int, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        upload(BEGUN, Line(FINISH, status, {}, b"no"))


def test_an_empty_400_of_a_zone_whose_api_is_away_is_asked_again() -> None:
    away = Line(BEGUN.request, 400)
    assert upload(away, BEGUN, Line(FINISH, 201, STORED))[0] == "uploaded"
    with pytest.raises(ServerError, match="status 400"):
        upload(Line(BEGUN.request, 400, {}, b"no such name"))
