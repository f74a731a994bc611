# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A blob that is sent where it is read: nothing stored, verified before its last block, gone on with after breaks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import (
    AppuioError,
    CancelledError,
    ConnectionFailedError,
    ForbiddenError,
    ServerError,
    SourceError,
)
from ansible_collections.appuio.registry.plugins.module_utils._http.retry import Attempts, Clock, ConnectionLostError
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import Descriptor, digest_of
from ansible_collections.appuio.registry.plugins.module_utils._source import stream
from ansible_collections.appuio.registry.plugins.module_utils._source.stream import StreamedBlob

from .fake_source import CONTENT, DESCRIPTOR, FakeSource, FakeStream, Partly, read

ALTERED = CONTENT[:550_000] + b"x" + CONTENT[550_001:]


@pytest.fixture(autouse=True)
def _close_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the hash every 100,000 bytes."""
    monkeypatch.setattr(stream, "CHECKPOINT", 100_000)


def begun(blob: StreamedBlob, count: int) -> bytes:
    """Read at least so many bytes, as an upload does that breaks then."""
    reader, got, buffer = blob.open(), bytearray(), memoryview(bytearray(30_000))
    while len(got) < count:
        got += buffer[: reader.readinto(buffer)]
    reader.close()
    return bytes(got)


@pytest.mark.parametrize("attempts", [(CONTENT,), (300_000, 600_000, CONTENT), (300_000, Partly(500_000), CONTENT)])
@pytest.mark.parametrize("block", [7_777, 262_144])
def test_it_is_read_once_and_gone_on_with_where_it_broke(attempts: tuple[bytes | int, ...], block: int) -> None:
    source = FakeSource(*attempts)
    assert read(source.blob(), block=block) == CONTENT
    assert source.asked == [0, *(int(one) for one in attempts if isinstance(one, int))]
    assert source.opened == 0


@pytest.mark.parametrize(
    ("offset", "asked"), [(0, 0), (99_999, 0), (100_000, 100_000), (150_000, 100_000), (430_000, 400_000)]
)
def test_an_upload_that_broke_goes_on_from_the_offset_that_the_target_has(offset: int, asked: int) -> None:
    source = FakeSource(CONTENT, CONTENT)
    blob = source.blob()
    got = begun(blob, 450_000)
    assert got == CONTENT[: len(got)]
    assert read(blob, offset) == CONTENT[offset:]
    assert source.asked == [0, asked]


def test_what_the_target_has_to_the_byte_is_not_read_again() -> None:
    source = FakeSource(CONTENT, CONTENT)
    blob = source.blob()
    got = begun(blob, 420_000)
    assert read(blob, len(got)) == CONTENT[len(got) :]
    assert source.asked == [0, len(got)]


def test_both_sides_may_break_more_than_once() -> None:
    source = FakeSource(300_000, CONTENT, 450_000, CONTENT, 700_000, CONTENT)
    blob = source.blob(retries=3)
    begun(blob, 400_000)
    begun_again, buffer = blob.open(350_000), memoryview(bytearray(262_144))
    got = b"".join(bytes(buffer[: begun_again.readinto(buffer)]) for _block in range(4))
    assert got == CONTENT[350_000 : 350_000 + len(got)]
    begun_again.close()
    assert read(blob, 610_000) == CONTENT[610_000:]
    assert source.left == []


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"x" + CONTENT[1:], "altered"), (CONTENT[:-1] + b"x", "altered"), (CONTENT + b"x", "too long")],
    ids=["first", "last", "long"],
)
@pytest.mark.parametrize("offset", [0, 500_000, len(CONTENT) - 1])
def test_the_last_block_of_what_is_wrong_is_never_given(content: bytes, kind: str, offset: int) -> None:
    source = FakeSource(content, content)
    blob = source.blob()
    for _attempt in range(2):
        with pytest.raises(SourceError, match=f"the blob is {kind}") as caught:
            read(blob, offset)
        assert caught.value.result["got"] < len(CONTENT) - offset
    assert source.opened == 0


@pytest.mark.parametrize("content", [b"", CONTENT[:-5]])
def test_what_is_too_short_is_not_waited_for(content: bytes) -> None:
    with pytest.raises(SourceError, match=f"truncated: it has {len(content)} bytes"):
        read(FakeSource(content).blob())


@pytest.mark.parametrize(("first", "second"), [(ALTERED, CONTENT), (CONTENT, ALTERED)])
def test_what_was_sent_before_a_break_is_what_is_verified_after_it(first: bytes, second: bytes) -> None:
    """The target has bytes that the second answer of the source does not have, or the other way round."""
    blob = FakeSource(first, second, CONTENT).blob()
    begun(blob, 590_000)
    with pytest.raises(SourceError, match=r"altered.*something else each time"):
        read(blob, 560_000)
    assert read(blob) == CONTENT, "a new upload does not suffer from it"


def test_an_empty_blob_is_verified_too() -> None:
    for digest, right in ((digest_of(b""), True), (digest_of(b"x"), False)):
        blob = StreamedBlob(Descriptor("", digest, 0), "the blob", FakeSource().open, Attempts(0, 0))
        if right:
            assert read(blob) == b""
        else:
            with pytest.raises(SourceError, match="altered"):
                read(blob)


def test_a_connection_that_ends_badly_behind_the_last_byte_takes_nothing_away() -> None:
    assert read(FakeSource(len(CONTENT)).blob(retries=0)) == CONTENT


def test_passing_trouble_is_waited_for_as_long_as_the_server_asks() -> None:
    waited: list[float] = []
    limited = ServerError("too many", status=429, retry_after=7)
    source = FakeSource(limited, 300_000, ServerError("away", status=503), CONTENT)
    assert read(source.blob(3, waited)) == CONTENT
    assert waited == [7, 0, 0]
    assert source.asked == [0, 0, 300_000, 300_000]


@pytest.mark.parametrize("error", [ServerError("no", status=400), ForbiddenError("no")])
def test_what_does_not_pass_ends_it_at_once(error: AppuioError) -> None:
    with pytest.raises(type(error), match="no"):
        read(FakeSource(error).blob())


def test_a_source_that_is_lost_is_no_break_of_the_upload() -> None:
    with pytest.raises(ConnectionFailedError, match="it broke") as caught:
        read(FakeSource(1, 2, 3).blob())
    assert not isinstance(caught.value, ConnectionLostError), "the upload would try again, for nothing"


def test_who_waits_for_bytes_that_nobody_needs_any_more_is_let_go() -> None:
    waiting, cut = threading.Event(), threading.Event()

    class Silent(FakeStream):
        def readinto(self, buffer: memoryview) -> int:
            if self.content:
                return super().readinto(buffer)
            waiting.set()
            cut.wait()
            raise ConnectionLostError("it was cut")

        def cut(self) -> None:
            cut.set()

    @contextmanager
    def silent(_offset: int) -> Iterator[FakeStream]:
        yield Silent(CONTENT[:1000], True)

    blob = StreamedBlob(DESCRIPTOR, "the blob", silent, Attempts(5, 1000))
    raised: list[type] = []

    def work() -> None:
        try:
            read(blob)
        except AppuioError as error:
            raised.append(type(error))

    thread = threading.Thread(target=work)
    thread.start()
    waiting.wait()
    blob.release()
    thread.join()
    assert raised == [CancelledError]


def test_nobody_waits_for_another_attempt_at_what_is_not_needed_any_more() -> None:
    source = FakeSource(1, CONTENT)
    clock = Clock(lambda: 0.0, lambda _seconds: blob.release(), lambda: 0.0)
    blob = StreamedBlob(DESCRIPTOR, "the blob", source.open, Attempts(5, 1, clock))
    with pytest.raises(CancelledError, match="not needed any more"):
        read(blob)
    assert source.asked == [0]
    with pytest.raises(CancelledError):
        read(blob)


def test_several_may_read_it() -> None:
    source = FakeSource(*[CONTENT] * 3)
    blob, got = source.blob(), {}
    threads = [
        threading.Thread(target=lambda block=block: got.update({block: read(blob, block=block)}))
        for block in (1_000, 65_536, 262_144)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(got.values()) == {CONTENT}
