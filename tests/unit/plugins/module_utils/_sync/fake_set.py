# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones in memory with several repositories and an API that knows their ImageStreams, and sets that are kept there."""

from __future__ import annotations

import copy
import itertools
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError, ConflictError, NotFoundError
from ansible_collections.appuio.registry.plugins.module_utils._image_set.options import SPEC
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import OCI_MANIFEST, digest_of
from ansible_collections.appuio.registry.plugins.module_utils._openshift import resources
from ansible_collections.appuio.registry.plugins.module_utils._registry import upload
from ansible_collections.appuio.registry.plugins.module_utils._registry.manifest_reader import ManifestResponse
from ansible_collections.appuio.registry.plugins.module_utils._sync import task as task_module
from ansible_collections.appuio.registry.plugins.module_utils._sync.managed import annotation_of
from ansible_collections.appuio.registry.plugins.module_utils._sync.task import SyncTask, sync_task
from ansible_collections.appuio.registry.plugins.module_utils._targets import RunContext
from ansible_collections.appuio.registry.plugins.module_utils._zones import tags

from tests.image import make_layout
from tests.unit.plugins.module_utils._push.fake_zones import FakeRegistry, FakeSession, FakeSessions, FakeUpload, Hook

DEFAULTS = {name: rule.get("default") for name, rule in SPEC.options.items()}
NAMESPACE = "shop"


@dataclass
class FakeRegistries(FakeRegistry):
    """A registry of several repositories, each with its tags; hooks and the log are of all of them together."""

    repositories: dict[str, FakeRegistry] = field(default_factory=dict)

    def of(self, repository: str) -> FakeRegistry:
        """Return a repository, which is there from now on."""
        if repository not in self.repositories:
            own = FakeRegistry(self.registry, before=self.before, log=self.log, exists=False)
            self.repositories[repository] = own
        return self.repositories[repository]

    def head_manifest(self, repository: str, tag: str) -> ManifestResponse | None:
        return self.of(repository).head_manifest(repository, tag)

    def get_manifest(self, repository: str, reference: str) -> ManifestResponse | None:
        return self.of(repository).get_manifest(repository, reference)

    def holds_manifest(self, repository: str, digest: str) -> bool:
        return self.of(repository).holds_manifest(repository, digest)

    def put_manifest(self, repository: str, reference: str, content: bytes, media_type: str) -> str:
        self.of(repository).exists = True
        return self.of(repository).put_manifest(repository, reference, content, media_type)

    def tags(self, repository: str) -> list[str] | None:
        return self.of(repository).tags(repository)

    def has_blob(self, repository: str, digest: str) -> bool:
        return self.of(repository).has_blob(repository, digest)

    def open_blob(self, repository: str, digest: str, offset: int = 0) -> Any:
        return self.of(repository).open_blob(repository, digest, offset)

    def put(self, name: str, tag: str, text: str) -> str:
        """Let a tag point to something that somebody else has pushed; return its digest."""
        own = self.of(f"{NAMESPACE}/{name}")
        own.exists = True
        own.tagged[tag] = ManifestResponse(digest_of(text.encode()), OCI_MANIFEST, text.encode())
        own.manifests[own.tagged[tag].digest] = own.tagged[tag]
        return own.tagged[tag].digest


class FakeApi:
    """What a zone's API tells and takes: the ImageStreams of its registry, a quota, and no workloads but these."""

    def __init__(self, registry: FakeRegistries) -> None:
        self.registry = registry
        self.streams: dict[str, dict[str, Any]] = {}
        self.quota: dict[str, int] = {}
        self.workloads: list[dict[str, Any]] = []
        self.before: dict[str, Hook] = {}
        self.log: list[str] = []
        self._versions = itertools.count(1)

    def get(self, resource: Any, namespace: str, name: str, *, step: str, subresource: str = "") -> dict[str, Any]:
        self._do(f"GET {resource.kind} {name}")
        if subresource == "layers":
            return {"kind": "ImageStreamLayers", "images": {}}
        found = self._documents(namespace).get(name)
        if resource is not resources.IMAGE_STREAM or found is None:
            raise NotFoundError(f"there is no {resource.kind} {name}", step=step)
        return copy.deepcopy(found)

    def items(self, resource: Any, namespace: str, **_more: Any) -> Iterator[dict[str, Any]]:
        self._do(f"LIST {resource.kind}")
        if resource is resources.IMAGE_STREAM:
            return iter(copy.deepcopy(list(self._documents(namespace).values())))
        if resource is resources.RESOURCE_QUOTA and self.quota:
            streams = self._documents(namespace)
            count = sum(len(stream["status"]["tags"]) for stream in streams.values())
            used = {"openshift.io/imagestreams": str(len(streams)), "openshift.io/imagestreamtags": str(count)}
            hard = {name: str(count) for name, count in self.quota.items()}
            return iter([{"metadata": {"name": "images"}, "status": {"hard": hard, "used": used}}])
        if resource.kind == "Deployment":
            return iter(copy.deepcopy(self.workloads))
        return iter([])

    def create(self, resource: Any, namespace: str, body: Mapping[str, Any], *, step: str, **_more: Any) -> Any:
        name = body.get("metadata", {}).get("name", "")
        self._do(f"CREATE {resource.kind} {name}")
        if resource is not resources.IMAGE_STREAM:
            return {"status": {"allowed": True}}
        if name in self._documents(namespace):
            raise ConflictError(f"there is {name} already", step=step)
        self.registry.of(f"{namespace}/{name}").exists = True
        self.streams[name] = copy.deepcopy(dict(body))
        self._changed(name)
        return body

    def merge(
        self, resource: Any, namespace: str, name: str, change: Mapping[str, Any], *, step: str, **_more: Any
    ) -> Any:
        self._do(f"MERGE {resource.kind} {name}")
        document = self._documents(namespace)[name]
        metadata = change["metadata"]
        if metadata["resourceVersion"] != document["metadata"]["resourceVersion"]:
            raise ConflictError("it has changed meanwhile", step=step)
        annotations = {**document["metadata"].get("annotations", {}), **metadata["annotations"]}
        own = self.streams[name]
        own["metadata"]["annotations"] = {key: value for key, value in annotations.items() if value is not None}
        self._changed(name)
        return own

    def delete(self, resource: Any, namespace: str, name: str, *, step: str, **_more: Any) -> None:
        self._do(f"DELETE {resource.kind} {name}")
        stream, _colon, tag = name.partition(":")
        own = self.registry.of(f"{namespace}/{stream}")
        if tag:
            if tag not in own.tagged:
                raise NotFoundError(f"there is no {name}", step=step)
            del own.tagged[tag]
            self._changed(stream)
            return
        own.tagged.clear()
        own.exists = False
        self.streams.pop(stream, None)

    def answer(self, method: str, path: str, step: str, body: Any = None, query: Any = None) -> bytes:
        """Nothing has changed meanwhile."""
        self._do(f"{method.upper()} {path}")
        return b""

    def annotate(self, name: str, annotation: str, tags: Mapping[str, str]) -> None:
        """Note tags as somebody else's, or as ours from an earlier run."""
        self._documents(NAMESPACE)
        self.streams[name]["metadata"].setdefault("annotations", {})[annotation] = json.dumps(dict(tags))
        self._changed(name)

    def noted(self, name: str, set_name: str = "") -> dict[str, str]:
        """Return what is noted of a set's tags."""
        metadata = self._documents(NAMESPACE).get(name, {}).get("metadata", {})
        return dict(json.loads(metadata.get("annotations", {}).get(annotation_of(set_name), "{}")))

    def _documents(self, namespace: str) -> dict[str, dict[str, Any]]:
        for repository, own in self.registry.repositories.items():
            name = repository.partition("/")[2]
            if not own.exists and not own.tagged:
                continue
            stream = self.streams.setdefault(name, {"metadata": {"name": name, "namespace": namespace}})
            stream["metadata"].setdefault("resourceVersion", "0")
            stream["metadata"].setdefault("uid", f"uid-{name}")
            stream["metadata"].setdefault("creationTimestamp", "2026-01-01T00:00:00Z")
            event = {"created": "2026-01-01T00:00:00Z", "generation": 1}
            stream["status"] = {
                "dockerImageRepository": f"registry/{repository}",
                "tags": [
                    {"tag": tag, "items": [{**event, "image": found.digest}]} for tag, found in own.tagged.items()
                ],
            }
        return self.streams

    def _changed(self, name: str) -> None:
        self.streams[name].setdefault("metadata", {})["resourceVersion"] = str(next(self._versions))

    def _do(self, line: str) -> None:
        self.log.append(line)
        for name, hook in list(self.before.items()):
            if line.startswith(name):
                hook()


@dataclass
class SetSession(FakeSession):
    """A zone of a set."""

    @property
    def target(self) -> Any:
        return SimpleNamespace(namespace=self.namespace, zone=SimpleNamespace(registry=self.address, name=self.name))

    def in_namespace(self, namespace: str) -> SetSession:
        return SetSession(self.name, self.registry, self.answers, namespace)

    def check_api(self) -> None:
        """The credential is good for it."""

    def abort(self) -> None:
        self.registry.http.abort()

    def resume(self) -> None:
        self.registry.http.aborted = False


class SetSessions(FakeSessions):
    """The zones of a set."""

    def some(self, zones: Collection[str], namespace: str | None) -> SetSessions:
        chosen: list[Any] = [session for session in self.sessions if session.name in zones]
        return SetSessions([session.in_namespace(namespace) if namespace else session for session in chosen])


class FakeSet:
    """Zones ``a``, ``b`` and so on, and sets that are brought there."""

    def __init__(self, folder: Path, names: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.registries = {name: FakeRegistries(f"{name}.example") for name in names}
        self.apis = {name: FakeApi(registry) for name, registry in self.registries.items()}
        self.digests: dict[str, str] = {}
        self.environment: dict[str, str] = {}
        self._sessions = [SetSession(name, registry, self.apis[name]) for name, registry in self.registries.items()]
        (folder / "spool").mkdir()
        made: Any = monkeypatch
        made.setattr(task_module, "ZoneSessions", lambda _targets, _context: SetSessions(list(self._sessions)))
        made.setattr(task_module, "targets_from", lambda _options, **_more: [])

    def image(self, seed: str, name: str, *tags: str, **more: Any) -> dict[str, Any]:
        """Return an entry for an image of its own."""
        folder = self.folder / f"layout-{seed}"
        if not folder.exists():
            self.digests[seed] = make_layout(folder, tag="1.0", seed=seed, platforms=("linux/amd64",), size=2000)
        return {"source": f"oci:{folder}:1.0", "name": name, "tags": list(tags), **more}

    def task(self, *images: Mapping[str, Any], **options: Any) -> SyncTask:
        """Return the task of a set."""
        given = {**DEFAULTS, "images": list(images), "jobs": 1, "namespace": NAMESPACE, **options}
        return sync_task(given, RunContext(self.environment, str(self.folder / "spool")))

    def sync(self, *images: Mapping[str, Any], check: bool = False, **options: Any) -> dict[str, Any]:
        """Bring a set and return the result; raises AppuioError."""
        task = self.task(*images, **options)
        try:
            plan = task.plan()
            return plan.predict() if check else task.apply(plan)
        finally:
            task.close()

    def refused(self, *images: Mapping[str, Any], **options: Any) -> AppuioError:
        """Return why a set failed; fails the test where it does not."""
        with pytest.raises(AppuioError) as caught:
            self.sync(*images, **options)
        return caught.value

    def named(self, name: str) -> list[dict[str, str]]:
        """Return what the tags of a repository point to, zone by zone, by the seeds of the images."""
        seeds = defaultdict(lambda: "another", {digest: seed for seed, digest in self.digests.items()})
        return [
            {tag: seeds[digest] for tag, digest in registry.of(f"{NAMESPACE}/{name}").named().items()}
            for registry in self.registries.values()
        ]

    def noted(self, name: str, set_name: str = "") -> list[dict[str, str]]:
        """Return what the zones know of the set's tags, by the seeds of the images."""
        seeds = {digest: seed for seed, digest in self.digests.items()}
        return [{tag: seeds[digest] for tag, digest in api.noted(name, set_name).items()} for api in self.apis.values()]

    def clear(self) -> None:
        """Forget what was asked."""
        for registry in self.registries.values():
            registry.log.clear()
        for api in self.apis.values():
            api.log.clear()

    def asked(self) -> list[list[str]]:
        """Return what was asked of each registry."""
        return [registry.log for registry in self.registries.values()]


def upload_to(registry: FakeRegistries, repository: str, blob: Any, body: Any, verify: Any) -> FakeUpload:
    """Return an upload to one of the registry's repositories."""
    return FakeUpload(registry.of(repository), repository, blob, body, verify)


def errors(result: Mapping[str, Any]) -> list[str | None]:
    """Return why each image failed."""
    return [image["error"] for image in result["images"]]


def at_once_in_order(
    work: Callable[[Any], None], items: Sequence[Any], on_stop: Callable[[], None] | None = None
) -> None:
    """Do one after the other, so that a test knows the order."""
    for item in items:
        work(item)


@pytest.fixture
def fake_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSet:
    """Two empty zones."""
    monkeypatch.setattr(upload, "Upload", upload_to)
    monkeypatch.setattr(tags, "_OTHER_RUN", 0.0)
    return FakeSet(tmp_path, "ab", monkeypatch)
