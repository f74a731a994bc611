# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first phase of a push: blobs, then manifests by digest, in all zones at once; no tag moves."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from time import monotonic
from typing import Sequence

from .._errors import Problem
from .._http.message import Body, Reader
from .._oci.model import Descriptor
from .._oci.walk import Image
from .._source.base import Source
from .plan import Abandoned, ZonePlan
from .zone_push import ZonePush


@dataclass(frozen=True)
class Work:
    """One zone's share: its plan, its repository, and the sign that it is of no use any more."""

    plan: ZonePlan
    push: ZonePush
    stopped: threading.Event


class Stage:
    """Brings an image to the zones; each zone uploads ``jobs`` blobs at a time, at its own pace."""

    def __init__(self, image: Image, source: Source, jobs: int, atomic: bool) -> None:
        self._image = image
        self._source = source
        self._jobs = jobs
        self._atomic = atomic
        self._lock = threading.Lock()
        self._wanted: dict[str, int] = {}

    def run(self, works: Sequence[Work]) -> None:
        """Stage the image; what fails is noted in the zone's outcome, and stops all zones if they hang together."""
        blobs = sorted(self._image.blobs, key=lambda blob: -blob.size)
        self._wanted = {blob.digest: len(works) for blob in blobs}
        pools = [ThreadPoolExecutor(self._jobs) for _work in works]
        started = monotonic()
        try:
            running = {
                work.plan.zone: [pool.submit(self._blob, work, works, blob) for blob in blobs]
                for work, pool in zip(works, pools)
            }
            with ThreadPoolExecutor(max(1, len(works))) as finishing:
                list(finishing.map(lambda work: self._manifests(work, works, running[work.plan.zone]), works))
        finally:
            for pool in pools:
                pool.shutdown(wait=True)
        for work in works:
            work.push.outcome.duration = monotonic() - started

    def body_of(self, work: Work, blob: Descriptor) -> Body:
        """Return the body of a blob, which ends early when the zone's share is of no use any more."""
        return _StoppableBody(self._source.blob(blob), work)

    def _blob(self, work: Work, works: Sequence[Work], blob: Descriptor) -> None:
        try:
            if not work.stopped.is_set():
                work.push.push_blob(blob, lambda wanted: self.body_of(work, wanted), work.plan)
        except Problem as problem:
            self.fail(work, works, problem)
        finally:
            with self._lock:
                self._wanted[blob.digest] -= 1
                last = not self._wanted[blob.digest]
            if last:
                self._source.release(blob)

    def _manifests(self, work: Work, works: Sequence[Work], uploads: list[Future[None]]) -> None:
        wait(uploads)
        for upload in uploads:
            upload.result()
        manifests = self._image.manifests if self._atomic and len(works) > 1 else self._image.manifests[:-1]
        if work.plan.by_digest:
            manifests = self._image.manifests
        try:
            for manifest in manifests:
                if work.stopped.is_set():
                    return
                work.push.push_manifest(
                    manifest, manifest.digest, self._image, lambda wanted: self.body_of(work, wanted)
                )
        except Problem as problem:
            self.fail(work, works, problem)

    def fail(self, work: Work, works: Sequence[Work], problem: Problem) -> None:
        """Note why a zone failed; the first reason is the one that counts."""
        with self._lock:
            if isinstance(problem, Abandoned):
                return
            if work.push.outcome.problem is None:
                work.push.outcome.problem = problem.at(zone=work.plan.zone)
            for other in works if self._atomic else (work,):
                other.stopped.set()


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
            raise Abandoned("left as it was, as another zone failed", zone=self._work.plan.zone)
        return self._reader.readinto(buffer)

    def close(self) -> None:
        self._reader.close()
