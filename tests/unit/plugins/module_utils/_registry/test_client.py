# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry is believed what a registry says: types, digests, pages; what is refused is explained for its side."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import (
    AppuioError,
    ConnectionFailedError,
    ForbiddenError,
    NotFoundError,
    ServerError,
    SourceError,
    UnauthorizedError,
)
from ansible_collections.appuio.registry.plugins.module_utils._http.client import HttpClient
from ansible_collections.appuio.registry.plugins.module_utils._http.retry import ConnectionLostError
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import OCI_INDEX, OCI_MANIFEST, digest_of
from ansible_collections.appuio.registry.plugins.module_utils._registry.client import RegistryClient
from ansible_collections.appuio.registry.plugins.module_utils._targets import Connection, Credential

from tests.unit.plugins.module_utils._http.scripted_server import Line, ScriptedServer
from tests.unit.plugins.module_utils._http.waits import Waits

MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": {}, "layers": []}).encode()
DIGEST = digest_of(MANIFEST)
OTHER = "sha256:" + "b" * 64
NAMED = {"Docker-Content-Digest": DIGEST, "Content-Type": OCI_MANIFEST}
PAGE = {"Content-Type": "text/html; charset=utf-8"}
HTML = b"<html><body>Please log in</body></html>"
TAG, BY_DIGEST = "/v2/shop/app/manifests/1", f"/v2/shop/app/manifests/{DIGEST}"
BLOB = f"/v2/shop/app/blobs/{DIGEST}"
TAGS = "/v2/shop/app/tags/list"
REFERRERS = f"/v2/shop/app/referrers/{DIGEST}"
DENIED = {"WWW-Authenticate": 'Basic realm=openshift,error="access denied"'}


def registry(server: ScriptedServer, zone: str | None = "lpg", credential: Credential | None = None) -> RegistryClient:
    http = HttpClient(server.origin, Connection(retries=1, timeout=300), None, credential, Waits().clock)
    return RegistryClient(zone, server.authority, http)


def ask(question: Callable[[RegistryClient], Any], *lines: Line, zone: str | None = "lpg", token: bool = True) -> Any:
    with ScriptedServer(*lines) as server:
        return question(registry(server, zone, Credential("token") if token else None))


def login(client: RegistryClient) -> None:
    client.check_login()


def put(client: RegistryClient) -> str:
    return client.put_manifest("shop/app", "1", MANIFEST, OCI_MANIFEST)


def put_by_digest(client: RegistryClient) -> str:
    return client.put_manifest("shop/app", DIGEST, MANIFEST, OCI_MANIFEST)


def head(client: RegistryClient) -> Any:
    return client.head_manifest("shop/app", "1")


def get(client: RegistryClient) -> Any:
    return client.get_manifest("shop/app", "1")


def get_by_digest(client: RegistryClient) -> Any:
    return client.get_manifest("shop/app", DIGEST)


def tags(client: RegistryClient) -> Any:
    return client.tags("shop/app")


def referrers(client: RegistryClient) -> Any:
    return client.referrers("shop/app", DIGEST)


def blob(offset: int = 0) -> Callable[[RegistryClient], bytes]:
    def read(client: RegistryClient) -> bytes:
        with client.open_blob("shop/app", DIGEST, offset) as opened:
            return opened.read(1000)

    return read


@pytest.mark.parametrize(
    ("question", "lines"),
    [
        (login, [Line("GET /v2/", 200, PAGE, HTML)]),
        (login, [Line("GET /v2/", 200, {"Content-Type": "application/json"}, b"welcome")]),
        (head, [Line(f"HEAD {TAG}", 200, PAGE, HTML), Line(f"GET {TAG}", 200, PAGE, HTML)]),
        (head, [Line(f"HEAD {TAG}", 200, {**PAGE, "Docker-Content-Digest": DIGEST}, HTML)]),
        (head, [Line(f"HEAD {TAG}", 200, {"Docker-Content-Digest": "nonsense"})]),
        (get, [Line(f"GET {TAG}", 200, PAGE, HTML)]),
        (get, [Line(f"GET {TAG}", 200, PAGE, MANIFEST)]),
        (get, [Line(f"GET {TAG}", 200, {}, b'{"status": "ok"}')]),
        (get, [Line(f"GET {TAG}", 200, {}, b"[" * 100_000)]),
        (
            put,
            [Line(f"PUT {TAG}", 200, PAGE, HTML), Line(f"HEAD {TAG}", 200, PAGE), Line(f"GET {TAG}", 200, PAGE, HTML)],
        ),
        (tags, [Line(f"GET {TAGS}", 200, PAGE, HTML)]),
        (tags, [Line(f"GET {TAGS}", 200, {}, b'{"status": "ok"}')]),
        (tags, [Line(f"GET {TAGS}", 200, {}, b'{"tags": "many"}')]),
        (lambda client: client.has_blob("shop/app", DIGEST), [Line(f"HEAD {BLOB}", 200, PAGE, HTML)]),
        (lambda client: client.holds_manifest("shop/app", DIGEST), [Line(f"HEAD {BY_DIGEST}", 200, PAGE, HTML)]),
        (head, [Line(f"HEAD {TAG}", 404, PAGE)]),
        (get, [Line(f"GET {TAG}", 404, PAGE, HTML)]),
        (tags, [Line(f"GET {TAGS}", 404, PAGE, HTML)]),
        (lambda client: client.has_blob("shop/app", DIGEST), [Line(f"HEAD {BLOB}", 404, PAGE)]),
        (blob(), [Line(f"GET {BLOB}", 404, PAGE, HTML)]),
    ],
)
def test_a_server_that_is_no_registry_is_not_believed(
    question: Callable[[RegistryClient], Any], lines: list[Line]
) -> None:
    with pytest.raises(ServerError, match=r"does not answer as a container registry.*\. Is the address right"):
        ask(question, *lines)


def test_a_registry_is_logged_in_to() -> None:
    for body in (b"{}", b"", b"\n"):
        ask(login, Line("GET /v2/", 200, {"Content-Type": "application/json"}, body))


@pytest.mark.parametrize("digest", [OTHER, "sha512:" + "a" * 128, "nonsense", "sha256:" + DIGEST[7:].upper()])
@pytest.mark.parametrize("status", [200, 201])
def test_another_digest_in_the_answer_to_a_put_is_no_success(digest: str, status: int) -> None:
    for question, path in ((put, TAG), (put_by_digest, BY_DIGEST)):
        with pytest.raises(ServerError, match=f"stored .*not {DIGEST}"):
            ask(question, Line(f"PUT {path}", status, {"Docker-Content-Digest": digest}))


def test_where_a_put_tells_no_digest_the_registry_is_asked() -> None:
    silent = Line(f"PUT {TAG}", 200)
    assert ask(put, silent, Line(f"HEAD {TAG}", 200, NAMED)) == DIGEST
    with pytest.raises(ServerError, match=f"stored {OTHER}"):
        ask(put, silent, Line(f"HEAD {TAG}", 200, {"Docker-Content-Digest": OTHER}))
    with pytest.raises(ServerError, match="does not answer as"):
        ask(put, silent, Line(f"HEAD {TAG}", 404))
    by_digest = Line(f"PUT {BY_DIGEST}", 201)
    assert ask(put_by_digest, by_digest, Line(f"HEAD {BY_DIGEST}", 200)) == DIGEST
    with pytest.raises(ServerError, match="does not answer as"):
        ask(put_by_digest, by_digest, Line(f"HEAD {BY_DIGEST}", 404))


def test_a_put_that_tells_the_digest_is_believed() -> None:
    assert ask(put, Line(f"PUT {TAG}", 201, NAMED)) == DIGEST
    assert ask(put_by_digest, Line(f"PUT {BY_DIGEST}", 201, NAMED)) == DIGEST


def test_the_bytes_of_a_manifest_are_compared_with_its_digest() -> None:
    altered = MANIFEST.replace(b"2", b"3", 1)
    with pytest.raises(SourceError, match=f"sent other bytes for shop/app 1 than {DIGEST}"):
        ask(get, Line(f"GET {TAG}", 200, NAMED, altered))
    with pytest.raises(SourceError, match="sent other bytes"):
        ask(get_by_digest, Line(f"GET {BY_DIGEST}", 200, {"Docker-Content-Digest": digest_of(altered)}, altered))
    assert ask(get, Line(f"GET {TAG}", 200, NAMED, MANIFEST)).digest == DIGEST
    assert ask(get_by_digest, Line(f"GET {BY_DIGEST}", 200, {}, MANIFEST)).digest == DIGEST
    assert ask(get, Line(f"GET {TAG}", 200, {}, MANIFEST)).digest == DIGEST


def test_a_blob_is_there_by_its_digest_and_size() -> None:
    def has(client: RegistryClient) -> bool:
        return client.has_blob("shop/app", DIGEST, 4)

    assert ask(has, Line(f"HEAD {BLOB}", 200, {"Docker-Content-Digest": DIGEST}, b"1234"))
    assert ask(has, Line(f"HEAD {BLOB}", 200, {}, b"1234"))
    assert not ask(has, Line(f"HEAD {BLOB}", 200, {}, b"12345"))
    assert not ask(has, Line(f"HEAD {BLOB}", 200, {"Docker-Content-Digest": OTHER}, b"1234"))
    assert not ask(has, Line(f"HEAD {BLOB}", 404))


def page(*names: object) -> bytes:
    return json.dumps({"name": "shop/app", "tags": list(names)}).encode()


def test_all_pages_of_tags_are_read_and_no_size_is_asked_for() -> None:
    lines = [
        Line(f"GET {TAGS}", 200, {"Link": f'<{TAGS}?n=2&last=b>; rel="next"'}, page("b", "a")),
        Line(f"GET {TAGS}?n=2&last=b", 200, {"Link": '<?n=2&last=c>; foo="bar"; rel=next'}, page("c")),
        Line(f"GET {TAGS}?n=2&last=c", 200, {"Link": f'<{TAGS}>; rel="prev"'}, page("d", "a")),
    ]
    assert ask(tags, *lines) == ["a", "b", "c", "d"]


def test_a_repository_without_tags_and_none_at_all() -> None:
    assert ask(tags, Line(f"GET {TAGS}", 200, {}, b'{"tags": null}')) == []
    assert ask(tags, Line(f"GET {TAGS}", 404)) is None


def test_a_name_that_is_no_tag_does_not_become_a_path() -> None:
    assert ask(tags, Line(f"GET {TAGS}", 200, {}, page("../../x", "a", 5, None, "b c", "x" * 129))) == ["a"]


def test_a_page_that_fails_is_not_left_out() -> None:
    first = Line(f"GET {TAGS}", 200, {"Link": f'<{TAGS}?last=a>; rel="next"'}, page("a"))
    with pytest.raises(NotFoundError):
        ask(tags, first, Line(f"GET {TAGS}?last=a", 404))
    with pytest.raises(ServerError, match="status 500"):
        ask(tags, first, *[Line(f"GET {TAGS}?last=a", 500)] * 2)


def test_pages_without_end_are_told() -> None:
    again = Line(f"GET {TAGS}", 200, {"Link": f'<{TAGS}>; rel="next"'}, page("a"))
    with pytest.raises(ServerError, match="without end"):
        ask(tags, again)


@pytest.mark.parametrize("link", ["http://127.0.0.1:9/v2/x", "//other.example/x", "http://[::1/x", "http://a..b/x"])
def test_a_page_of_another_server_is_not_read(link: str) -> None:
    with pytest.raises((ServerError, ConnectionFailedError), match=r"sends us to"):
        ask(tags, Line(f"GET {TAGS}", 200, {"Link": f'<{link}>; rel="next"'}, page("a")))


def test_a_next_page_of_its_own_host_in_clear_is_asked_where_the_registry_is() -> None:
    with ScriptedServer() as server:
        link = f"http://127.0.0.1{TAGS}?last=a"
        server.lines += [Line(f"GET {TAGS}", 200, {"Link": f'<{link}>; rel="next"'}, page("a"))]
        server.lines += [Line(f"GET {TAGS}?last=a", 200, {}, page("b"))]
        assert registry(server).tags("shop/app") == ["a", "b"]


def index(*digests: str) -> bytes:
    entries = [{"mediaType": OCI_MANIFEST, "digest": digest, "size": 7} for digest in digests]
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()


def test_all_pages_of_referrers_are_read() -> None:
    more = {"Content-Type": OCI_INDEX, "Link": f'<{REFERRERS}?next=x>; rel="next"'}
    second = Line(f"GET {REFERRERS}?next=x", 200, {"Content-Type": OCI_INDEX}, index(OTHER))
    found = ask(referrers, Line(f"GET {REFERRERS}", 200, more, index(DIGEST)), second)
    assert [entry.digest for entry in found.entries] == [DIGEST, OTHER]


@pytest.mark.parametrize("status", [400, 404, 405, 406])
def test_a_registry_without_referrers(status: int) -> None:
    assert ask(referrers, Line(f"GET {REFERRERS}", status, {}, b"no such page")) is None


def test_a_page_for_people_is_no_list_of_referrers() -> None:
    assert ask(referrers, Line(f"GET {REFERRERS}", 200, PAGE, HTML)) is None


@pytest.mark.parametrize(
    ("status", "headers", "body", "read"),
    [
        (206, {"Content-Range": "bytes 4-9/10"}, b"456789", b"456789"),
        (206, {"Content-Range": "bytes 2-9/10"}, b"23456789", b"456789"),
        (206, {"Content-Range": "bytes 0-9/*"}, b"0123456789", b"456789"),
        (206, {"Content-Range": "Bytes 4-9/*"}, b"456789", b"456789"),
        (206, {}, b"456789", b"456789"),
        (200, {}, b"0123456789", b"456789"),
        (200, {"Content-Encoding": "identity"}, b"0123456789", b"456789"),
    ],
)
def test_a_cut_download_goes_on_with_whatever_part_is_sent(
    status: int, headers: dict[str, str], body: bytes, read: bytes
) -> None:
    with ScriptedServer(Line(f"GET {BLOB}", status, headers, body)) as server:
        assert blob(4)(registry(server)) == read
        assert server.seen[0].headers["range"] == "bytes=4-"
        assert server.seen[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (206, {"Content-Range": "bytes 5-9/10"}, b"56789"),
        (206, {"Content-Range": "bytes 4-7/10"}, b"4567"),
        (206, {"Content-Range": "bytes 0-2/3"}, b"012"),
        (200, {}, b"012"),
    ],
)
def test_a_part_that_does_not_reach_is_told_as_a_cut(status: int, headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(ConnectionLostError):
        ask(blob(4), Line(f"GET {BLOB}", status, headers, body))


def test_an_encoding_that_was_not_asked_for_is_refused() -> None:
    with pytest.raises(ServerError, match="encoded as gzip"):
        ask(blob(), Line(f"GET {BLOB}", 200, {"Content-Encoding": "gzip"}, b"x"))


def test_the_whole_blob_is_not_asked_for_with_a_range() -> None:
    with ScriptedServer(Line(f"GET {BLOB}", 200, {}, b"x")) as server:
        assert blob()(registry(server)) == b"x"
        assert "range" not in server.seen[0].headers
    with pytest.raises(ServerError):
        ask(blob(), Line(f"GET {BLOB}", 206, {"Content-Range": "bytes 0-0/2"}, b"x"))


def test_without_a_credential_none_is_called_good() -> None:
    for zone, advice in (("lpg", "Give token"), (None, "Give source_username")):
        with pytest.raises(
            UnauthorizedError, match=rf"wants a credential for this, and none was given.*{advice}"
        ) as caught:
            ask(tags, Line(f"GET {TAGS}", 401), zone=zone, token=False)
        assert "credential is good" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "kind", "of_zone", "of_source"),
    [
        (403, ForbiddenError, "ImageStream", "limit of the registry"),
        (404, NotFoundError, "namespace/name", "Are repository and tag spelled right"),
        (500, ServerError, "try again later", "try again later"),
        (429, ServerError, "limits how much", "limits how much"),
    ],
)
def test_the_next_step_fits_the_side(status: int, kind: type[AppuioError], of_zone: str, of_source: str) -> None:
    for zone, advice in (("lpg", of_zone), (None, of_source)):
        lines = [Line(f"GET {BLOB}", status)]
        with pytest.raises(kind) as caught:
            ask(blob(), *lines, zone=zone)
        assert advice in str(caught.value)
        assert ("registry-editor" in str(caught.value)) <= (zone is not None)


def test_missing_rights_are_told_for_the_side() -> None:
    lines = [Line(f"GET {TAGS}", 401, DENIED), Line("GET /v2/", 200)]
    with pytest.raises(ForbiddenError, match=r"credential is good.*registry-viewer"):
        ask(tags, *lines)
    with pytest.raises(ForbiddenError, match=r"credential is good.*May this user read") as caught:
        ask(tags, *lines, zone=None)
    assert "registry-viewer" not in str(caught.value)


def test_a_refused_credential_is_told_and_nothing_about_what_was_written() -> None:
    for zone in ("lpg", None):
        with pytest.raises(UnauthorizedError, match=r"wrong, expired or revoked.*\. \w") as caught:
            ask(tags, Line(f"GET {TAGS}", 401, DENIED), Line("GET /v2/", 401, DENIED), zone=zone)
        assert "written" not in str(caught.value)
        assert ("A token is good for one zone only" in str(caught.value)) == (zone is not None)


def test_where_the_credential_cannot_be_looked_at_nothing_is_said_about_it() -> None:
    with pytest.raises(UnauthorizedError) as caught:
        ask(tags, Line(f"GET {TAGS}", 401, DENIED), *[Line("GET /v2/", raw=b"")] * 3)
    assert "credential is good" not in str(caught.value)


def test_a_server_that_asks_for_hours_is_told() -> None:
    with pytest.raises(ServerError, match=r"status 429.*asks to wait 21600 seconds") as caught:
        ask(tags, Line(f"GET {TAGS}", 429, {"Retry-After": "21600"}))
    assert caught.value.retry_after == 21600


def test_words_of_a_registry_are_harmless() -> None:
    words = json.dumps({"errors": [{"code": "DENIED", "message": "no\x1b[31m\nok: [zone]"}]}).encode()
    with pytest.raises(ForbiddenError) as caught:
        ask(blob(), Line(f"GET {BLOB}", 403, {}, words))
    assert "(the server said: no ok: [zone])" in str(caught.value)
