# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first phase of a push: blobs, then manifests by digest, in all zones at once; no tag moves."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from time import monotonic
from typing import Sequence

from .._errors import AppuioError, CancelledError
from .._http.message import Body, Reader
from .._oci.model import Descriptor
from .content import Content, Parcel
from .gauge import Gauge, GaugedBody
from .plan import ZonePlan
from .zone_push import ZonePush


@dataclass(frozen=True)
class Work:
    """One zone's share: its plan, its repository, and the sign that it is of no use any more."""

    plan: ZonePlan
    push: ZonePush
    gauge: Gauge
    stopped: threading.Event = field(default_factory=threading.Event)


class Stage:
    """Brings an image to the zones; each zone uploads ``jobs`` blobs at a time, at its own pace."""

    def __init__(self, content: Content, jobs: int, atomic: bool) -> None:
        self.content = content
        self._jobs = jobs
        self._atomic = atomic
        self._lock = threading.Lock()
        self._wanted: dict[Parcel, int] = {}

    def run(self, works: Sequence[Work]) -> None:
        """Stage the image; what fails is noted in the zone's outcome, and stops all zones if they hang together."""
        parcels = sorted(self.content.parcels, key=lambda parcel: -parcel.size)
        self._wanted = {parcel: len(works) for parcel in parcels}
        pools = [ThreadPoolExecutor(self._jobs) for _work in works]
        started = monotonic()
        for work in works:
            work.gauge.expect(sum(parcel.size for parcel in parcels))
        try:
            self.content.begin(lambda digest: all(not work.plan.empty and work.push.holds(digest) for work in works))
            running = {
                work.plan.zone: [pool.submit(self._parcel, work, works, parcel) for parcel in parcels]
                for work, pool in zip(works, pools)
            }
            with ThreadPoolExecutor(max(1, len(works))) as finishing:
                list(finishing.map(lambda work: self._manifests(work, works, running[work.plan.zone]), works))
        finally:
            for pool in pools:
                pool.shutdown(wait=True)
        for work in works:
            work.push.outcome.duration = monotonic() - started
            work.gauge.end("failed" if work.push.outcome.error else "uploaded")

    def body_of(self, work: Work, blob: Descriptor) -> Body:
        """Return the body of a blob, which ends early when the zone's share is of no use any more."""
        return GaugedBody(_StoppableBody(self.content.body(blob), work), work.gauge)

    def _parcel(self, work: Work, works: Sequence[Work], parcel: Parcel) -> None:
        try:
            if not work.stopped.is_set():
                blob = parcel.descriptor()
                work.gauge.expect(blob.size - parcel.size)
                if work.push.push_blob(blob, lambda wanted: self.body_of(work, wanted), work.plan) != "uploaded":
                    work.gauge.expect(-blob.size)
        except AppuioError as error:
            self.fail(work, works, error)
        finally:
            with self._lock:
                self._wanted[parcel] -= 1
                last = not self._wanted[parcel]
            if last:
                self.content.release(parcel)

    def _manifests(self, work: Work, works: Sequence[Work], uploads: list[Future[None]]) -> None:
        wait(uploads)
        for upload in uploads:
            upload.result()
        if work.stopped.is_set():
            return
        try:
            manifests = self.content.image().manifests
            if not (work.plan.by_digest or (self._atomic and len(works) > 1)):
                manifests = manifests[:-1]
            for manifest in manifests:
                if work.stopped.is_set():
                    return
                work.push.push_manifest(
                    manifest, manifest.digest, self.content.image(), lambda wanted: self.body_of(work, wanted)
                )
        except AppuioError as error:
            self.fail(work, works, error)

    def fail(self, work: Work, works: Sequence[Work], error: AppuioError) -> None:
        """Note why a zone failed; the first reason is the one that counts."""
        with self._lock:
            if isinstance(error, CancelledError):
                return
            if work.push.outcome.error is None:
                work.push.outcome.error = error.at(zone=work.plan.zone)
            for other in works if self._atomic else (work,):
                other.stopped.set()
            if all(other.stopped.is_set() for other in works):
                self.content.stop()


class _StoppableBody:
    def __init__(self, body: Body, work: Work) -> None:
        self._body = body
        self._work = work

    @property
    def length(self) -> int:
        return self._body.length

    def open(self, offset: int = 0) -> Reader:
        return _StoppableReader(self._body.open(offset), self._work)


class _StoppableReader:
    def __init__(self, reader: Reader, work: Work) -> None:
        self._reader = reader
        self._work = work

    def readinto(self, buffer: memoryview) -> int:
        if self._work.stopped.is_set():
            raise CancelledError("left as it was, as another zone failed", zone=self._work.plan.zone)
        return self._reader.readinto(buffer)

    def close(self) -> None:
        self._reader.close()
