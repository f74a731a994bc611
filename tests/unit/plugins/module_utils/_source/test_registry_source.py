# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image of a registry: cuts, limits and tokens that end are passing trouble, and errors are those of the source."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import (
    AppuioError,
    CancelledError,
    LocalStorageError,
    SourceError,
)
from ansible_collections.appuio.registry.plugins.module_utils._http.retry import Clock
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import (
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    MissingContentError,
    digest_of,
)
from ansible_collections.appuio.registry.plugins.module_utils._reference import Reference
from ansible_collections.appuio.registry.plugins.module_utils._source.registry import RegistrySource
from ansible_collections.appuio.registry.plugins.module_utils._source.source_registries import source_error
from ansible_collections.appuio.registry.plugins.module_utils._targets import Connection, Credential

from tests.unit.plugins.module_utils._http.scripted_server import Line, ScriptedServer

CONTENT = bytes(range(256)) * 2048
BLOB = Descriptor("application/octet-stream", digest_of(CONTENT), len(CONTENT))
GET = f"GET /v2/shop/app/blobs/{BLOB.digest}"
PASSWORD = Credential("geheim", "me", is_token=False, origin="source_password")


@contextmanager
def source_at(
    folder: Path, *lines: Line, credential: Credential | None = None, retries: int = 3
) -> Iterator[tuple[RegistrySource, ScriptedServer, list[float]]]:
    """Give a source whose registry answers so, the registry, and the seconds that were waited."""
    waited: list[float] = []
    with ScriptedServer(*lines) as server:
        reference = Reference(server.authority, "shop/app", "1.0")
        connection = Connection(retries=retries, retry_delay=0, timeout=300, validate_certs=False)
        clock = Clock(lambda: 0.0, waited.append, lambda: 0.0)
        source = RegistrySource(reference, connection, credential, str(folder), clock)
        try:
            yield source, server, waited
        finally:
            source.close()


def read(source: RegistrySource, descriptor: Descriptor = BLOB, readers: int = 1) -> bytes:
    reader, got, buffer = source.blob(descriptor, readers).open(), bytearray(), memoryview(bytearray(100_000))
    try:
        while count := reader.readinto(buffer):
            got += buffer[:count]
    finally:
        reader.close()
    return bytes(got)


def part(first: int, last: int) -> Line:
    """The answer to a request for the rest: with these bytes, which may be others than were asked for."""
    headers = {"Content-Range": f"bytes {first}-{last}/{len(CONTENT)}"}
    return Line(GET, 206, headers, CONTENT[first : last + 1])


CUT = Line(GET, 200, {}, CONTENT, cut=300_000)
END = len(CONTENT) - 1


@pytest.mark.parametrize(
    "lines",
    [
        [part(300_000, END)],
        [Line(GET, 206, {}, CONTENT[300_000:])],
        # Fastly, which ignores Range (RFC 9110, section 14.2).
        [Line(GET, 200, {}, CONTENT)],
        [Line(GET, 200, {}, CONTENT, cut=310_000), part(310_000, END)],
        [Line(GET, 200, {}, CONTENT, cut=100), part(300_000, END)],
        # A part of what was asked for, and more than that.
        [part(300_000, 399_999), part(400_000, END)],
        [part(200_000, END)],
        # Another part: as good as a cut.
        [part(400_000, END), part(300_000, END)],
        [Line(GET, 503), part(300_000, END)],
        [Line(GET, 429, {"Retry-After": "3"}), part(300_000, END)],
        [Line(GET, 500, {}, b"x"), Line(GET, 502), Line(GET, 200, {}, CONTENT)],
    ],
)
@pytest.mark.parametrize("readers", [1, 2])
def test_a_cut_is_gone_on_from(tmp_path: Path, lines: list[Line], readers: int) -> None:
    with source_at(tmp_path, CUT, *lines) as (source, server, _waited):
        assert read(source, readers=readers) == CONTENT
        assert server.lines == []
        assert server.seen[1].headers["range"] == "bytes=300000-"


@pytest.mark.parametrize("readers", [1, 2])
def test_a_limit_is_waited_for(tmp_path: Path, readers: int) -> None:
    limit = Line(GET, 429, {"Retry-After": "11"})
    with source_at(tmp_path, limit, limit, Line(GET, 200, {}, CONTENT)) as (source, _server, waited):
        assert read(source, readers=readers) == CONTENT
        assert waited == [11, 11]


@pytest.mark.parametrize("readers", [1, 2])
def test_no_bytes_of_a_layer_are_told(tmp_path: Path, readers: int) -> None:
    secret = b"KEY OF A LAYER"
    lines = [Line(GET, 418, {"Content-Type": "text/plain"}, b"tea"), Line(GET, 201, {}, secret)]
    for line in lines:
        with source_at(tmp_path, line) as (source, _server, _waited), pytest.raises(AppuioError) as caught:
            read(source, readers=readers)
        assert "KEY OF" not in str(caught.value)
        assert source.description in str(caught.value)


def test_a_token_that_ends_in_the_middle_is_renewed(tmp_path: Path) -> None:
    with ScriptedServer() as server:
        challenge = {"WWW-Authenticate": f'Bearer realm="{server.origin}/token",service="s"'}
        token = "GET /token?service=s&scope=repository%3Ashop%2Fapp%3Apull"
        server.lines += [
            Line(GET, 401, challenge),
            Line(token, 200, {}, b'{"token": "first"}'),
            Line(GET, 200, {}, CONTENT, cut=300_000),
            Line(GET, 401, challenge),
            Line(token, 200, {}, b'{"token": "second"}'),
            part(300_000, END),
        ]
        reference = Reference(server.authority, "shop/app", "1.0")
        clock = Clock(lambda: 0.0, lambda _seconds: None, lambda: 0.0)
        connection = Connection(retries=1, retry_delay=0, timeout=300, validate_certs=False)
        source = RegistrySource(reference, connection, None, str(tmp_path), clock)
        assert read(source) == CONTENT
        assert server.seen[-1].headers["authorization"] == "Bearer second"
        source.close()


def test_only_what_goes_to_several_zones_takes_a_file(tmp_path: Path) -> None:
    nowhere = tmp_path / "gone"
    for readers in (1, 3):
        with source_at(nowhere, *[Line(GET, 200, {}, CONTENT)] * (readers == 1)) as (source, _server, _waited):
            source.blob(BLOB)  # as a check beforehand does, when the zones are not known
            if readers == 1:
                assert read(source) == CONTENT
            else:
                with pytest.raises(LocalStorageError, match=f"{nowhere} cannot be written to"):
                    read(source, readers=readers)


@pytest.mark.parametrize("readers", [1, 2])
def test_who_waits_for_a_source_that_is_closed_is_let_go(tmp_path: Path, readers: int) -> None:
    """As a signal does in the middle of a push."""
    raised: list[AppuioError] = []

    def work() -> None:
        with pytest.raises(CancelledError) as caught:
            read(source, readers=readers)
        raised.append(caught.value)

    with source_at(tmp_path, Line(GET, stalls=True)) as (source, server, _waited):
        thread = threading.Thread(target=work)
        thread.start()
        server.stalled.wait()
        source.close()
        thread.join()
    assert len(raised) == 1


def test_a_configuration_comes_once(tmp_path: Path) -> None:
    config = Descriptor("application/json", digest_of(b"{}"), 2)
    get = f"GET /v2/shop/app/blobs/{config.digest}"
    with source_at(tmp_path, Line(get, 503), Line(get, 200, {}, b"{}")) as (source, server, _waited):
        assert [source.read(config), source.read(config), read(source, config)] == [b"{}"] * 3
        assert server.lines == []


@pytest.mark.parametrize("body", [b"[]", b"{} ", b"{"])
def test_a_configuration_is_what_its_digest_says(tmp_path: Path, body: bytes) -> None:
    config = Descriptor("application/json", digest_of(b"{}"), 2)
    line = Line(f"GET /v2/shop/app/blobs/{config.digest}", 200, {}, body)
    with source_at(tmp_path, line) as (source, _server, _waited), pytest.raises(SourceError, match="docker://127"):
        source.read(config)
    with source_at(tmp_path) as (source, server, _waited), pytest.raises(SourceError, match="no configuration has"):
        source.read(Descriptor("", config.digest, 1 << 40))
    assert server.seen == []


def test_a_manifest_that_an_index_names_and_the_registry_lacks(tmp_path: Path) -> None:
    line = Line(f"GET /v2/shop/app/manifests/{BLOB.digest}", 404)
    with source_at(tmp_path, line) as (source, _server, _waited), pytest.raises(MissingContentError, match="docker://"):
        source.manifest(BLOB)


def test_only_foreign_layers_are_asked_for(tmp_path: Path) -> None:
    foreign = Descriptor(
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", BLOB.digest, 1, urls=("https://x",)
    )
    head = f"HEAD /v2/shop/app/blobs/{BLOB.digest}"
    with source_at(tmp_path, Line(head, 404), Line(head, 200)) as (source, server, _waited):
        assert source.holds(BLOB)
        assert (source.holds(foreign), source.holds(foreign)) == (False, True)
        assert server.lines == []


def test_a_tag_of_older_clients_counts_beside_the_api(tmp_path: Path) -> None:
    first, second = ("sha256:" + one * 64 for one in "ab")
    tag = BLOB.digest.replace(":", "-")

    def index(*digests: str) -> bytes:
        entries = [{"mediaType": OCI_MANIFEST, "digest": one, "size": 7} for one in digests]
        return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()

    lines = [
        Line("GET /v2/shop/app/tags/list", 200, {}, json.dumps({"tags": ["1.0", tag]}).encode()),
        Line(f"GET /v2/shop/app/referrers/{BLOB.digest}", 200, {"Content-Type": OCI_INDEX}, index(first)),
        Line(f"GET /v2/shop/app/manifests/{tag}", 200, {"Content-Type": OCI_INDEX}, index(first, second)),
    ]
    with source_at(tmp_path, *lines) as (source, server, _waited):
        assert tag in source.tags()
        assert {one.digest for one in source.referrers(BLOB.digest).entries} == {first, second}
        assert server.lines == []


def test_lists_come_in_pages(tmp_path: Path) -> None:
    """Quay, ghcr, GitLab and ECR give them so; what stands on the second page would else be left behind."""
    first, second = ("sha256:" + one * 64 for one in "ab")

    def page(digest: str) -> bytes:
        entry = {"mediaType": OCI_MANIFEST, "digest": digest, "size": 7}
        return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}).encode()

    tags, api = "/v2/shop/app/tags/list", f"/v2/shop/app/referrers/{BLOB.digest}"
    lines = [
        Line(f"GET {tags}", 200, {"Link": f'<{tags}?last=1.0&n=1>; rel="next"'}, b'{"tags": ["1.0"]}'),
        Line(f"GET {tags}?last=1.0&n=1", 200, {}, b'{"tags": ["2.0"]}'),
        Line(f"GET {api}", 200, {"Content-Type": OCI_INDEX, "Link": f'<{api}?next=x>; rel="next"'}, page(first)),
        Line(f"GET {api}?next=x", 200, {"Content-Type": OCI_INDEX}, page(second)),
    ]
    with source_at(tmp_path, *lines) as (source, server, _waited):
        assert source.tags() == ["1.0", "2.0"]
        assert [one.digest for one in source.referrers(BLOB.digest).entries] == [first, second]
        assert server.lines == []


def test_a_list_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    tag = BLOB.digest.replace(":", "-")
    headers = {"Content-Type": OCI_INDEX}
    lines = [
        Line(f"GET /v2/shop/app/referrers/{BLOB.digest}", 200, headers, b'{"manifests": [1]}'),
        Line(f"GET /v2/shop/app/manifests/{tag}", 200, headers, b'{"schemaVersion": 2}'),
    ]
    with source_at(tmp_path, *lines) as (source, server, _waited):
        found = source.referrers(BLOB.digest)
        assert (found.entries, server.lines) == ((), [])
        assert [one.partition(": ")[0] for one in found.skipped] == [BLOB.digest, tag]


UNKNOWN = Line("GET /v2/shop/app/manifests/1.0", 404, {}, b'{"errors": [{"code": "NAME_UNKNOWN"}]}')
REFUSED = Line("GET /v2/shop/app/manifests/1.0", 401, {"WWW-Authenticate": "Basic realm=x"})
PING = Line("GET /v2/", 200)


@pytest.mark.parametrize(
    ("lines", "credential", "words"),
    [
        ([UNKNOWN], None, "does not exist"),
        ([REFUSED], None, "to nobody without credential.*If it is private, give source_username"),
        ([REFUSED, REFUSED, PING], PASSWORD, "does not give it to the credential of source_password"),
        ([Line("GET /v2/shop/app/manifests/1.0", 403)], PASSWORD, "credential of source_password"),
        ([Line("GET /v2/shop/app/manifests/1.0", 429)], None, "status 429.*Its limit is reached"),
        ([Line("GET /v2/shop/app/manifests/1.0", 500, {}, b"x")], None, "status 500.*trouble of the source's registry"),
    ],
)
def test_errors_are_told_from_the_side_of_the_source(
    tmp_path: Path, lines: list[Line], credential: Credential | None, words: str
) -> None:
    with source_at(tmp_path, *lines, credential=credential, retries=0) as (source, _server, _waited):
        with pytest.raises(AppuioError, match=rf"docker://127\.0\.0\.1.*{words}") as caught:
            source.root()
        assert str(caught.value.step).startswith("read the ")
    told = str(caught.value)
    for advice in ("zone", "registry-editor", "registry-viewer", "namespace", "quota", "nothing was written", "geheim"):
        assert advice not in told, advice


def test_a_registry_that_is_not_there(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # kept, so that nobody else listens there meanwhile
        reference = Reference(f"127.0.0.1:{nobody.getsockname()[1]}", "shop/app")
        source = RegistrySource(reference, Connection(retries=0, timeout=300), None, str(tmp_path))
        with pytest.raises(AppuioError, match=r"docker://.*cannot be read.*Is the registry in source spelled right"):
            source.root()
        with pytest.raises(AppuioError, match=r"docker://.*cannot be read.*Is the registry in source spelled right"):
            read(source)
        source.close()


def test_errors_of_this_machine_stay_what_they_are() -> None:
    error = SourceError("app is altered")
    assert source_error(error, "docker://x/y", "x", None) is error
