# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A blob that is sent while it is made: in parts, gone on with after a break, given to an upload, or forgotten."""

from __future__ import annotations

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import CancelledError
from ansible_collections.appuio.registry.plugins.module_utils._http.message import BytesBody, Reader
from ansible_collections.appuio.registry.plugins.module_utils._registry.early_upload import EarlyUpload
from ansible_collections.appuio.registry.plugins.module_utils._registry.upload import Upload

from tests.unit.plugins.module_utils._http.scripted_server import Line, ScriptedServer
from tests.unit.plugins.module_utils._registry.test_upload import BEGUN, BLOB, CONTENT, STORED, registry

UP = "/up/1?_state="
FINISHED = f"&digest={BLOB.digest}"
CANCELLED = "DELETE " + UP


class Growing:
    """A body that grows to these sizes, one after the other; ``whole`` is what there is then."""

    def __init__(self, *sizes: int) -> None:
        self._sizes = list(sizes)
        self.length = 0
        self.asked: list[int] = []

    def grows(self, offset: int) -> bool:
        self.asked.append(offset)
        if not self._sizes:
            return False
        self.length = self._sizes.pop(0)
        return True

    def open(self, offset: int = 0) -> Reader:
        return BytesBody(CONTENT[: self.length]).open(offset)


def begun(*lines: Line, sizes: tuple[int, ...], ends: str = "upload") -> tuple[str | None, list[bytes]]:
    """Send what grows to these sizes, and upload the whole blob after it; return how, and what was sent."""
    with ScriptedServer(*lines) as server:
        client, body = registry(server), Growing(*sizes)
        early = EarlyUpload(client, "shop/app", "upload a layer", body, body.grows)
        early.run()
        how = None
        if ends == "upload":
            how = Upload(client, "shop/app", BLOB, BytesBody(CONTENT)).run((), early.taken())
        early.cancel()
        assert not server.lines
        assert not server.unexpected
        return how, [seen.body for seen in server.seen]


def part(state: str, status: int = 202, read: int | None = None) -> Line:
    following = chr(ord(state) + 1)
    return Line(f"PATCH {UP}{state}", status, {"Location": UP + following} if status == 202 else {}, read=read)


def finish(state: str) -> Line:
    return Line(f"PUT {UP}{state}{FINISHED}", 201, STORED)


def test_parts_come_first_and_the_digest_at_the_end() -> None:
    how, bodies = begun(BEGUN, part("a"), part("b"), part("c"), finish("d"), sizes=(4, 7))
    assert how == "uploaded"
    assert bodies == [b"", CONTENT[:4], CONTENT[4:7], CONTENT[7:], b""]


def test_a_blob_of_which_all_was_sent_is_only_finished() -> None:
    assert begun(BEGUN, part("a"), finish("b"), sizes=(10,)) == ("uploaded", [b"", CONTENT, b""])


def test_nothing_is_begun_for_what_does_not_grow() -> None:
    assert begun(BEGUN, Line(f"PUT {UP}a{FINISHED}", 201, STORED), sizes=()) == ("uploaded", [b"", CONTENT])


def test_each_part_says_where_it_belongs() -> None:
    with ScriptedServer(BEGUN, part("a"), part("b"), Line(CANCELLED + "c", 204)) as server:
        body = Growing(4, 7)
        early = EarlyUpload(registry(server), "shop/app", "upload a layer", body, body.grows)
        early.run()
        early.cancel()
        assert [seen.headers.get("content-range") for seen in server.seen[1:3]] == ["0-3", "4-6"]
        assert body.asked == [0, 4, 7]


def test_after_a_break_it_goes_on_where_the_registry_got_to() -> None:
    how, bodies = begun(
        BEGUN,
        part("a"),
        part("b", read=1),
        Line(f"GET {UP}b", 204, {"Range": "0-4", "Location": f"{UP}c"}),
        part("c"),
        part("d"),
        finish("e"),
        sizes=(4, 7, 8),
    )
    assert how == "uploaded"
    assert bodies[4:] == [CONTENT[5:8], CONTENT[8:], b""]


def test_a_break_in_the_last_part_is_for_the_upload() -> None:
    how, bodies = begun(
        BEGUN,
        part("a", read=3),
        Line(f"GET {UP}a", 204, {"Range": "0-2", "Location": f"{UP}b"}),
        part("b"),
        finish("c"),
        sizes=(4,),
    )
    assert (how, bodies[3:]) == ("uploaded", [CONTENT[3:], b""])


def test_an_upload_that_is_gone_begins_anew() -> None:
    lost = Line(f"GET {UP}b", 404)
    how, bodies = begun(
        BEGUN, part("a"), part("b", read=1), lost, BEGUN, part("a"), part("b"), finish("c"), sizes=(4, 7, 8)
    )
    assert how == "uploaded"
    assert bodies[5:] == [CONTENT[:8], CONTENT[8:], b""]


@pytest.mark.parametrize("status", [404, 413, 416])
def test_a_registry_that_takes_no_parts_gets_the_blob_in_one_piece(status: int) -> None:
    whole = Line(f"PUT {UP}a{FINISHED}", 201, STORED)
    how, bodies = begun(BEGUN, part("a", status), BEGUN, whole, sizes=(4, 7))
    assert how == "uploaded"
    assert bodies[2:] == [b"", CONTENT]


def test_a_registry_that_begins_no_upload_is_asked_when_the_blob_is_there() -> None:
    refused = Line("POST /v2/shop/app/blobs/uploads/", 404)
    how, _bodies = begun(refused, BEGUN, Line(f"PUT {UP}a{FINISHED}", 201, STORED), sizes=(4, 7))
    assert how == "uploaded"


def test_a_busy_registry_is_asked_again() -> None:
    how, bodies = begun(
        BEGUN,
        part("a", 503),
        Line(f"GET {UP}a", 204, {"Range": "0-0", "Location": f"{UP}a"}),
        BEGUN,
        part("a"),
        part("b"),
        finish("c"),
        sizes=(4, 4),
    )
    assert (how, bodies[4:]) == ("uploaded", [CONTENT[:4], CONTENT[4:], b""])


def test_a_busy_registry_is_not_asked_for_ever() -> None:
    busy = [part("a", 503), Line(f"GET {UP}a", 204, {"Range": "0-1", "Location": f"{UP}a"})]
    how, _bodies = begun(BEGUN, *busy, *busy, *busy, part("a"), finish("b"), sizes=(4, 5, 6, 7, 8))
    assert how == "uploaded"


def test_what_nobody_needs_is_forgotten() -> None:
    assert begun(BEGUN, part("a"), Line(CANCELLED + "b", 204), sizes=(4,), ends="")[0] is None


@pytest.mark.parametrize(
    "answer", [Line(CANCELLED + "b", 401), Line(CANCELLED + "b", 500), Line(CANCELLED + "b", raw=b"nonsense")]
)
def test_a_registry_that_does_not_forget_is_no_failure(answer: Line) -> None:
    begun(BEGUN, part("a"), answer, sizes=(4,), ends="")


def test_what_is_cancelled_ends_at_once() -> None:
    class Cancelled(Growing):
        def open(self, offset: int = 0) -> Reader:
            raise CancelledError("left as it was")

    with ScriptedServer(BEGUN, Line(CANCELLED + "a", 204)) as server:
        body = Cancelled(4, 7)
        early = EarlyUpload(registry(server), "shop/app", "upload a layer", body, body.grows)
        with pytest.raises(CancelledError):
            early.run()
        early.cancel()
