# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones in memory, which take blobs and manifests as a registry does, and do on the way what a test says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError, NotFoundError, ServerError
from ansible_collections.appuio.registry.plugins.module_utils._http.message import BLOCK_SIZE, BytesBody
from ansible_collections.appuio.registry.plugins.module_utils._http.retry import Attempts
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import (
    OCI_MANIFEST,
    Descriptor,
    digest_of,
    parse_manifest,
)
from ansible_collections.appuio.registry.plugins.module_utils._push import archive_layer
from ansible_collections.appuio.registry.plugins.module_utils._push.open_image import open_image
from ansible_collections.appuio.registry.plugins.module_utils._push.progress import Progress
from ansible_collections.appuio.registry.plugins.module_utils._push.task import PushTask
from ansible_collections.appuio.registry.plugins.module_utils._registry import upload
from ansible_collections.appuio.registry.plugins.module_utils._registry.client import BlobsMissingError
from ansible_collections.appuio.registry.plugins.module_utils._registry.manifest_reader import ManifestResponse
from ansible_collections.appuio.registry.plugins.module_utils._targets import RunContext
from ansible_collections.appuio.registry.plugins.module_utils._user_cache import Cache
from ansible_collections.appuio.registry.plugins.module_utils._zones import tags
from ansible_collections.appuio.registry.plugins.module_utils._zones.fanout import ZoneOutcome, each_zone

Hook = Callable[[], None]
THIRD = ManifestResponse(digest_of(b"third"), OCI_MANIFEST, b"third")


@dataclass
class Http:
    """What is asked of the HTTP client itself."""

    aborted: bool = False

    def attempts(self) -> Attempts:
        return Attempts(0, 0)

    def abort(self) -> None:
        self.aborted = True


@dataclass
class FakeRegistry:
    """A repository. ``before`` runs before a request, by its line in ``log``: ``PUT tag 1.0``, ``PUT blob``."""

    registry: str
    tagged: dict[str, ManifestResponse] = field(default_factory=dict)
    manifests: dict[str, ManifestResponse] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    before: dict[str, Hook] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    http: Http = field(default_factory=Http)
    exists: bool = True

    def head_manifest(self, _repository: str, tag: str) -> ManifestResponse | None:
        self._do(f"HEAD tag {tag}")
        return self.tagged.get(tag)

    def get_manifest(self, _repository: str, reference: str) -> ManifestResponse | None:
        self._do(f"GET {reference}")
        return self.tagged.get(reference) or self.manifests.get(reference)

    def holds_manifest(self, _repository: str, digest: str) -> bool:
        self._do(f"HEAD manifest {digest}")
        # A zone does not show what stands under no tag, nor below the index of one.
        return any(digest in (one.digest, *_children(one)) for one in self.tagged.values())

    def put_manifest(self, _repository: str, reference: str, content: bytes, media_type: str) -> str:
        self._do(f"PUT {'manifest' if ':' in reference else 'tag'} {reference}")
        try:
            manifest = parse_manifest(content, media_type)
        except AppuioError:
            missing: tuple[str, ...] = ()
        else:
            missing = tuple(blob.digest for blob in manifest.blobs if blob.digest not in self.blobs)
        if missing:
            raise BlobsMissingError(ServerError("blob unknown", status=404), missing)
        found = ManifestResponse(digest_of(content), media_type, content)
        self.manifests[found.digest] = found
        if ":" not in reference:
            self.tagged[reference] = found
        return found.digest

    def tags(self, _repository: str) -> list[str] | None:
        return sorted(self.tagged) if self.exists else None

    def has_blob(self, _repository: str, digest: str) -> bool:
        self._do(f"HEAD blob {digest}")
        return digest in self.blobs

    @contextmanager
    def open_blob(self, _repository: str, digest: str, offset: int = 0) -> Iterator[Any]:
        self._do(f"GET blob {digest}")
        if digest not in self.blobs:
            raise NotFoundError("the registry does not have it")
        yield _Opened(self.blobs[digest][offset:])

    def named(self) -> dict[str, str]:
        """Return the digest of each tag."""
        return {tag: found.digest for tag, found in self.tagged.items()}

    def writes(self) -> list[str]:
        return [line for line in self.log if line.startswith(("PUT", "DELETE"))]

    def _do(self, line: str) -> None:
        self.log.append(line)
        for name, hook in list(self.before.items()):
            if line.startswith(name):
                hook()


class _Opened:
    def __init__(self, content: bytes) -> None:
        self._reader = BytesBody(content).open()

    def readinto(self, buffer: memoryview) -> int:
        return self._reader.readinto(buffer)

    def read(self, count: int) -> bytes:
        buffer = bytearray(count)
        return bytes(buffer[: self._reader.readinto(memoryview(buffer))])


class FakeUpload:
    """An upload in one piece; the registry's hook runs before, the body is read to its end.

    As the real one: the registry refuses other bytes than the digest's, and whose fault that is shows in the source.
    """

    def __init__(
        self, registry: FakeRegistry, _repository: str, blob: Descriptor, body: Any, verify: Callable[[], None]
    ) -> None:
        self._registry, self._blob, self._body, self._verify = registry, blob, body, verify

    def run(self, _candidates: Sequence[str], begun: bytes | None = None) -> str:
        self._registry._do(f"PUT blob {self._blob.digest}")
        content = begun or b""
        content += _read(self._body, len(content))
        if digest_of(content) != self._blob.digest:
            self._verify()
            raise ServerError("digest invalid", status=400)
        self._registry.blobs[self._blob.digest] = content
        return "uploaded"


class FakeEarlyUpload:
    """What is sent before the digest is known; the registry's hook runs before each part."""

    def __init__(
        self, registry: FakeRegistry, _repository: str, _step: str, body: Any, grows: Callable[[int], bool]
    ) -> None:
        self._registry, self._body, self._grows = registry, body, grows
        self._content: bytes | None = None

    def run(self) -> None:
        while self._grows(len(self._content or b"")):
            content = self._content = self._content or b""
            self._registry._do("PATCH upload")
            self._content = content + _read(self._body, len(content))

    def taken(self) -> bytes | None:
        content, self._content = self._content, None
        return content

    def cancel(self) -> None:
        if self.taken() is not None:
            self._registry._do("DELETE upload")


def _read(body: Any, offset: int) -> bytes:
    content, buffer = b"", bytearray(BLOCK_SIZE)
    reader = body.open(offset)
    while count := reader.readinto(memoryview(buffer)):
        content += bytes(buffer[:count])
    reader.close()
    return content


@dataclass
class FakeSession:
    """A zone; its API answers ``answers``, and cannot be asked where that is None."""

    name: str
    registry: FakeRegistry
    answers: Any = None
    namespace: str = "shop"
    api_unavailable: str = "nothing names the API"

    @property
    def address(self) -> str:
        return self.registry.registry

    def repository(self, name: str) -> str:
        return f"{self.namespace}/{name}"

    @property
    def manifests(self) -> FakeRegistry:
        return self.registry

    def client(self, _manifests: Any) -> FakeRegistry:
        return self.registry

    def note_failure(self, error: AppuioError | None) -> None:
        """Nothing is asked again."""

    def api(self) -> Any:
        if self.answers is None:
            raise AppuioError(self.api_unavailable)
        return self.answers

    def optional_api(self) -> Any:
        return self.answers


@dataclass
class FakeSessions:
    """The zones of a task."""

    sessions: list[FakeSession]

    def each(self, work: Callable[[Any], Any]) -> list[ZoneOutcome[Any]]:
        return each_zone(work, self.sessions, lambda session: session.name)

    def __getitem__(self, zone: str) -> FakeSession:
        return next(session for session in self.sessions if session.name == zone)

    def close(self) -> None:
        """Nothing is held."""


class Zones:
    """Zones ``a``, ``b`` and so on, and pushes to them."""

    def __init__(self, folder: Path, names: str) -> None:
        self.folder = folder
        self.registries = {name: FakeRegistry(f"{name}.example") for name in names}
        self.sessions = FakeSessions([FakeSession(name, registry) for name, registry in self.registries.items()])
        self.cache = Cache(str(folder / "cache"))
        self.spool = folder / "spool"
        self.spool.mkdir(exist_ok=True)

    def __getitem__(self, name: str) -> FakeRegistry:
        return self.registries[name]

    def task(self, source: str | list[Any], level: int | None = None, **options: Any) -> PushTask:
        """Return a push of a source, or of an index of several, under the tag 1.0, or the ``tags`` given."""
        given = {"name": "app", "tags": ["1.0"], "jobs": 4, "compression_level": level, **options}
        given["source" if isinstance(source, str) else "sources"] = source
        written, chosen, image = open_image(given, RunContext({}, str(self.spool)), self.cache)
        sessions: Any = self.sessions
        return PushTask(chosen, written, image, sessions, Cache(None), lambda: Progress(None))

    def push(self, source: str | list[Any], *, check: bool = False, **options: Any) -> dict[str, Any]:
        """Push and return the result; raises AppuioError."""
        task = self.task(source, **options)
        try:
            plan = task.plan()
            return plan.predict() if check else task.apply(plan)
        finally:
            task.close()

    def refused(self, source: str | list[Any], **options: Any) -> AppuioError:
        """Return why a push failed; fails the test where it does not."""
        with pytest.raises(AppuioError) as caught:
            self.push(source, **options)
        return caught.value


def _children(found: ManifestResponse) -> list[str]:
    with suppress(AppuioError):
        return [entry.digest for entry in parse_manifest(found.content, found.media_type).entries]
    return []


def in_turn(*steps: Callable[[], object]) -> Callable[[], None]:
    """Return what does one after the other."""

    def run() -> None:
        for step in steps:
            step()

    return run


def waiting_for(event: threading.Event) -> Hook:
    """Return a hook that waits for an event, and fails where that never comes."""

    given_up: list[bool] = []

    def wait() -> None:
        if given_up or not event.wait(600):
            given_up.append(True)
            raise AssertionError("what is waited for does not come")

    return wait


def raising(error: BaseException) -> Hook:
    def fail() -> None:
        raise error

    return fail


@pytest.fixture
def two_zones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Zones:
    """Zones a and b, which are empty."""
    monkeypatch.setattr(upload, "Upload", FakeUpload)
    monkeypatch.setattr(tags, "_OTHER_RUN", 0.0)
    return Zones(tmp_path, "ab")


@pytest.fixture
def compressed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The layers that were compressed, by their digests before."""
    made: list[str] = []
    make = archive_layer.make_layer

    def counting(part: Any, diff_id: str, *more: Any) -> Any:
        made.append(diff_id)
        return make(part, diff_id, *more)

    monkeypatch.setattr(archive_layer, "make_layer", counting)
    return made
