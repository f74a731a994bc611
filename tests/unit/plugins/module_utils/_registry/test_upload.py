# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One blob: mounted, streamed, gone on with where it broke, or begun anew."""

from __future__ import annotations

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._credential import Credential
from ansible_collections.appuio.registry.plugins.module_utils._errors import (
    ForbiddenError,
    ServerError,
    UnauthorizedError,
)
from ansible_collections.appuio.registry.plugins.module_utils._http.client import HttpClient
from ansible_collections.appuio.registry.plugins.module_utils._http.message import BytesBody, Reader
from ansible_collections.appuio.registry.plugins.module_utils._http.retry import Clock
from ansible_collections.appuio.registry.plugins.module_utils._oci.digest import digest_of
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import Descriptor
from ansible_collections.appuio.registry.plugins.module_utils._registry.client import BlobsMissingError, RegistryClient
from ansible_collections.appuio.registry.plugins.module_utils._registry.upload import Upload
from ansible_collections.appuio.registry.plugins.module_utils._targets import Connection

from tests.unit.plugins.module_utils._http.scripted_server import Line, ScriptedServer

CONTENT = b"0123456789"
BLOB = Descriptor("application/octet-stream", digest_of(CONTENT), len(CONTENT))
CLOCK = Clock(lambda: 0.0, lambda _seconds: None, lambda: 0.0)
BEGUN = Line("POST /v2/shop/app/blobs/uploads/", 202, {"Location": "/up/1?_state=a"})
FINISH = f"PUT /up/1?_state=a&digest={BLOB.digest}"
DENIED = {"WWW-Authenticate": 'Basic realm=openshift,error="access denied"'}


class Streamed:
    """A body that is not in memory as a whole."""

    length = len(CONTENT)

    def open(self, offset: int = 0) -> Reader:
        return BytesBody(CONTENT).open(offset)


def registry(server: ScriptedServer) -> RegistryClient:
    http = HttpClient(server.origin, Connection(retries=2, timeout=5), None, Credential("token"), CLOCK)
    return RegistryClient("lpg", server.authority, http)


def upload(*lines: Line, mount_from: tuple[str, ...] = ()) -> tuple[str, list[bytes]]:
    with ScriptedServer(*lines) as server:
        how = Upload(registry(server), "shop/app", BLOB, Streamed()).run(mount_from)
        return how, [seen.body for seen in server.seen]


def test_one_stream() -> None:
    assert upload(BEGUN, Line(FINISH, 201)) == ("uploaded", [b"", CONTENT])


def test_mounted_or_not() -> None:
    asked = f"POST /v2/shop/app/blobs/uploads/?mount={BLOB.digest.replace(':', '%3A')}&from=shop%2Fbase"
    assert upload(Line(asked, 201), mount_from=("shop/base",))[0] == "mounted"
    refused = Line(asked, 202, {"Location": "/up/1?_state=a"})
    assert upload(refused, Line(FINISH, 201), mount_from=("shop/base",))[0] == "uploaded"


def test_a_broken_stream_goes_on_from_where_the_registry_got_to() -> None:
    how, bodies = upload(
        BEGUN,
        Line(FINISH, read=4),
        Line("GET /up/1?_state=a", 204, {"Range": "0-3", "Location": "/up/1?_state=b"}),
        Line("PATCH /up/1?_state=b", 202, {"Location": "/up/1?_state=c"}),
        Line(f"PUT /up/1?_state=c&digest={BLOB.digest}", 201),
    )
    assert how == "uploaded"
    assert bodies[3:] == [CONTENT[4:], b""]


def test_an_upload_that_is_gone_begins_anew() -> None:
    gone = Line("GET /up/1?_state=a", 404)
    absent = Line(f"HEAD /v2/shop/app/blobs/{BLOB.digest}", 404)
    assert upload(BEGUN, Line(FINISH, read=4), gone, absent, BEGUN, Line(FINISH, 201))[0] == "uploaded"


def test_an_answer_that_was_lost() -> None:
    gone = Line("GET /up/1?_state=a", 404)
    there = Line(f"HEAD /v2/shop/app/blobs/{BLOB.digest}", 200)
    assert upload(BEGUN, Line(FINISH, read=10), gone, there)[0] == "uploaded"


def test_a_wrong_digest_begins_anew_and_ends_after_all_attempts() -> None:
    wrong = Line(FINISH, 400, body=b'{"errors": [{"code": "DIGEST_INVALID"}]}')
    assert upload(BEGUN, wrong, BEGUN, Line(FINISH, 201))[0] == "uploaded"
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
