# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tag moves in all zones or in none, and layers are mounted or nothing is done."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import (
    AppuioError,
    ConnectionFailedError,
    ForbiddenError,
)
from ansible_collections.appuio.registry.plugins.module_utils._http.client import HttpClient
from ansible_collections.appuio.registry.plugins.module_utils._http.retry import Clock
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import (
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    digest_of,
)
from ansible_collections.appuio.registry.plugins.module_utils._registry.client import RegistryClient
from ansible_collections.appuio.registry.plugins.module_utils._registry.manifest_reader import ManifestResponse
from ansible_collections.appuio.registry.plugins.module_utils._signals import StoppedError
from ansible_collections.appuio.registry.plugins.module_utils._tag import task as task_module
from ansible_collections.appuio.registry.plugins.module_utils._tag.options import Origin, TagOptions
from ansible_collections.appuio.registry.plugins.module_utils._tag.plan import ZonePlan
from ansible_collections.appuio.registry.plugins.module_utils._tag.result import TagPlan
from ansible_collections.appuio.registry.plugins.module_utils._tag.task import (
    TagTask,
    ZoneWork,
    mount_blob,
    mount_image,
    zone_tags,
)
from ansible_collections.appuio.registry.plugins.module_utils._targets import Connection, Credential
from ansible_collections.appuio.registry.plugins.module_utils._zones.tags import move_tags
from ansible_collections.appuio.registry.plugins.module_utils._zones.zone_tags import ZoneTags

from tests.unit.plugins.module_utils._http.scripted_server import Line, ScriptedServer
from tests.unit.plugins.module_utils.scripted_api import ScriptedApi, answer

OLD, NEW, THIRD = (ManifestResponse(digest_of(text), OCI_MANIFEST, text) for text in (b"old", b"new", b"third"))
BLOB = Descriptor("application/octet-stream", digest_of(b"layer"), 5)
MOUNT = f"POST /v2/shop/app/blobs/uploads/?mount={BLOB.digest.replace(':', '%3A')}&from=test%2Fapp"
HEAD = f"HEAD /v2/shop/app/blobs/{BLOB.digest}"
REMOVAL = "DELETE /apis/image.openshift.io/v1/namespaces/shop/imagestreamtags/app%3Aprod"


@dataclass
class Registry:
    """What the tag points to; ``fails`` says at which put, and ``lost`` that it is done all the same."""

    named: ManifestResponse | None
    fails: int | None = None
    lost: bool = False
    puts: list[ManifestResponse] = field(default_factory=list)

    def head_manifest(self, _repository: str, _tag: str) -> ManifestResponse | None:
        return self.named

    def get_manifest(self, _repository: str, _tag: str) -> ManifestResponse | None:
        return self.named

    def put_manifest(self, _repository: str, _tag: str, content: bytes, media_type: str) -> str:
        put = ManifestResponse(digest_of(content), media_type, content)
        self.puts.append(put)
        failed = len(self.puts) == self.fails
        if not failed or self.lost:
            self.named = put
        if failed:
            raise ConnectionFailedError("no answer")
        return put.digest


@dataclass
class Session:
    """A zone whose API cannot be asked where ``given`` is None."""

    address: str
    registry: Registry
    given: Any
    namespace: str = "shop"

    def api(self) -> Any:
        if self.given is None:
            raise AppuioError("nothing names the zone's API")
        return self.given

    def optional_api(self) -> Any:
        return self.given


def work(
    name: str,
    registry: Registry,
    before: ManifestResponse | None = OLD,
    after: ManifestResponse | None = NEW,
    api: Any = None,
) -> ZoneTags:
    digests = (before.digest if before else None, after.digest if after else None)
    plan = ZonePlan(name, f"{name}.example", "shop", "app", "prod", *digests, True)
    work = ZoneWork(plan, cast(Any, Session(f"{name}.example", registry, api)), after)
    return zone_tags(work, TagOptions("app", "prod", state="present" if after else "absent"))


def move(works: list[ZoneTags], atomic: bool) -> None:
    move_tags(works, atomic, lambda _seconds: None)


def told(works: list[ZoneTags]) -> list[tuple[bool, bool, bool]]:
    return [(one.changed, one.rolled_back, one.error is not None) for one in works]


def test_all_zones_move() -> None:
    registries = [Registry(OLD), Registry(OLD)]
    works = [work("one", registries[0]), work("two", registries[1])]
    move(works, atomic=True)
    assert [registry.named for registry in registries] == [NEW, NEW]
    assert told(works) == [(True, False, False)] * 2


@pytest.mark.parametrize("lost", [False, True])
def test_those_that_have_moved_go_back(lost: bool) -> None:
    registries = [Registry(OLD), Registry(OLD, fails=1, lost=lost), Registry(OLD)]
    works = [work(str(number), registry) for number, registry in enumerate(registries)]
    move(works, atomic=True)
    assert [registry.named for registry in registries] == [OLD, OLD, OLD]
    assert told(works) == [(False, True, False), (False, lost, True), (False, False, False)]
    assert registries[2].puts == []


def test_each_on_its_own() -> None:
    registries = [Registry(OLD, fails=1), Registry(OLD)]
    works = [work("one", registries[0]), work("two", registries[1])]
    move(works, atomic=False)
    assert [registry.named for registry in registries] == [OLD, NEW]
    assert told(works) == [(False, False, True), (True, False, False)]


def test_a_tag_that_somebody_has_moved_meanwhile_stays() -> None:
    registries = [Registry(OLD), Registry(THIRD)]
    works = [work("one", registries[0]), work("two", registries[1])]
    move(works, atomic=True)
    assert [registry.named for registry in registries] == [OLD, THIRD]
    assert registries[0].puts == []
    assert "was moved meanwhile" in str(works[1].error)


def test_a_new_tag_is_removed_again() -> None:
    http = ScriptedApi((REMOVAL, answer(200, {})))
    works = [
        work("one", Registry(None), before=None, api=http.api),
        work("two", Registry(None, fails=1), before=None),
    ]
    move(works, atomic=True)
    assert http.lines == []
    assert told(works)[0] == (False, True, False)


def test_what_cannot_be_put_back_is_told() -> None:
    works = [work("one", Registry(None), before=None), work("two", Registry(OLD, fails=1))]
    move(works, atomic=True)
    assert told(works)[0] == (True, False, True)
    assert "could not be put back" in str(works[0].error)
    assert "It pointed to nothing before" in str(works[0].error)


def test_a_removal_that_fails_elsewhere_is_undone() -> None:
    registry = Registry(OLD)

    class Api:
        def delete(self, *_name: Any, step: str) -> dict[str, Any]:
            registry.named = None
            return {}

    class Refusing:
        def delete(self, *_name: Any, step: str) -> dict[str, Any]:
            raise ForbiddenError("no")

    works = [work("one", registry, after=None, api=Api()), work("two", Registry(OLD), after=None, api=Refusing())]
    move(works, atomic=True)
    assert registry.named == OLD
    assert told(works) == [(False, True, False), (False, False, True)]


def mount(*lines: Line) -> list[str]:
    clock = Clock(lambda: 0.0, lambda _seconds: None, lambda: 0.0)
    with ScriptedServer(*lines) as server:
        http = HttpClient(server.origin, Connection(retries=1, timeout=300), None, Credential("token"), clock)
        try:
            mount_blob(RegistryClient("lpg", server.authority, http), "test/app", "shop/app", BLOB)
        finally:
            http.close()
        return [seen.request for seen in server.seen]


def test_a_layer_is_mounted() -> None:
    assert mount(Line(MOUNT, 201, {"Docker-Content-Digest": BLOB.digest})) == [MOUNT]


def test_a_mount_whose_answer_names_no_digest_is_believed_when_the_blob_is_there() -> None:
    assert mount(Line(MOUNT, 201), Line(HEAD, 200, {"Content-Length": str(BLOB.size)})) == [MOUNT, HEAD]
    with pytest.raises(ForbiddenError, match="does not mount a layer"):
        mount(Line(MOUNT, 201), Line(HEAD, 404))
    with pytest.raises(ForbiddenError, match="does not mount a layer"):
        mount(Line(MOUNT, 201, {"Docker-Content-Digest": digest_of(b"another")}))


def test_a_mount_that_is_refused_uploads_nothing() -> None:
    begun = Line(MOUNT, 202, {"Location": "/up/1?_state=a"})
    with pytest.raises(ForbiddenError, match="needs the right to pull in test"):
        mount(begun, Line("DELETE /up/1?_state=a", 204))


def test_a_problem_names_its_zone() -> None:
    works = [work("lpg", Registry(OLD, fails=1))]
    move(works, atomic=True)
    error = works[0].error
    assert isinstance(error, AppuioError)
    assert error.zone == "lpg"


def test_an_index_that_is_mounted_brings_its_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its images, an index under a tag gives a 404 for each platform that is pulled."""
    parts = make_index()
    puts: list[tuple[str, str]] = []
    mounted: list[str] = []
    monkeypatch.setattr(task_module, "mount_blob", lambda _registry, _origin, _to, blob: mounted.append(blob.digest))

    class Holder:
        def holds_manifest(self, _repository: str, _digest: str) -> bool:
            return True

        def get_manifest(self, _repository: str, reference: str) -> ManifestResponse:
            return parts[reference]

        def put_manifest(self, repository: str, reference: str, _content: bytes, _media_type: str) -> None:
            puts.append((repository, reference))

    index = parts["index"]
    assert mount_image(cast(Any, Holder()), "test/app", "shop/app", index) == 3
    children = [digest for digest in parts if digest != "index"]
    assert puts == [("shop/app", digest) for digest in children]
    assert len(mounted) == 3


def make_index() -> dict[str, ManifestResponse]:
    """Return an index of two images that share a layer, and these by their digests."""
    parts = {}
    for architecture in ("amd64", "arm64"):
        config = {"mediaType": "config", "digest": digest_of(architecture.encode()), "size": 5}
        layer = {"mediaType": "layer", "digest": BLOB.digest, "size": 5}
        document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer]}
        content = json.dumps(document).encode()
        parts[digest_of(content)] = ManifestResponse(digest_of(content), OCI_MANIFEST, content)
    entries = [
        {
            "mediaType": OCI_MANIFEST,
            "digest": digest,
            "size": len(part.content),
            "platform": {"os": "linux", "architecture": architecture},
        }
        for (digest, part), architecture in zip(parts.items(), ("amd64", "arm64"), strict=True)
    ]
    content = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()
    return {**parts, "index": ManifestResponse(digest_of(content), OCI_INDEX, content)}


@dataclass
class Sessions:
    """The zones of a task."""

    sessions: list[Session]

    def __getitem__(self, zone: str) -> Session:
        return next(session for session in self.sessions if session.address == zone)


def promoted(registries: list[Registry], atomic: bool = True) -> tuple[TagTask, TagPlan]:
    """Return a task that mounts an image of another repository and moves the tag of each zone, and its plan."""
    sessions = Sessions([Session(f"{number}.example", registry, None) for number, registry in enumerate(registries)])
    options = TagOptions("app", "prod", origin=Origin("1.0", "app", "test"), atomic=atomic)
    manifests = {session.address: NEW for session in sessions.sessions}
    task = TagTask(options, cast(Any, sessions), cast(Any, manifests))
    place = ("shop", "app", "prod", OLD.digest, NEW.digest, True, "test/app")
    return task, TagPlan(tuple(ZonePlan(one.address, one.address, *place) for one in sessions.sessions))


@pytest.mark.parametrize("atomic", [True, False])
def test_no_tag_moves_where_a_zone_could_not_mount(monkeypatch: pytest.MonkeyPatch, atomic: bool) -> None:
    registries = [Registry(OLD), Registry(OLD)]

    def mount(registry: Any, *_more: Any) -> int:
        if registry is registries[1]:
            raise ForbiddenError("the registry does not mount")
        return 3

    monkeypatch.setattr(task_module, "mount_image", mount)
    task, plan = promoted(registries, atomic)
    with pytest.raises(AppuioError, match="the registry does not mount") as caught:
        task.apply(plan)
    assert [registry.named for registry in registries] == [OLD if atomic else NEW, OLD]
    zones = caught.value.result["zones"]
    assert [(zone["changed"], zone["failed"]) for zone in zones] == [(not atomic, atomic), (False, True)]


def test_a_signal_puts_back_what_has_moved_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    registries = [Registry(OLD), Registry(OLD)]

    def stop(*_any: Any) -> str:
        raise StoppedError("SIGTERM")

    monkeypatch.setattr(task_module, "mount_image", lambda *_any: 0)
    monkeypatch.setattr(registries[1], "put_manifest", stop)
    task, plan = promoted(registries)
    with pytest.raises(AppuioError, match="stopped by SIGTERM; the tag was put back") as caught:
        task.apply(plan)
    assert [registry.named for registry in registries] == [OLD, OLD]
    assert [zone["rolled_back"] for zone in caught.value.result["zones"]] == [True, False]


def test_a_signal_after_the_last_zone_is_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    registries = [Registry(OLD), Registry(OLD)]

    def move_and_stop(*zones: Any) -> None:
        move_tags(*zones)
        raise StoppedError("SIGTERM")

    monkeypatch.setattr(task_module, "mount_image", lambda *_any: 0)
    monkeypatch.setattr(task_module, "move_tags", move_and_stop)
    task, plan = promoted(registries)
    result = task.apply(plan)
    assert [registry.named for registry in registries] == [NEW, NEW]
    assert [(zone["changed"], zone["failed"]) for zone in result["zones"]] == [(True, False)] * 2


class Limits:
    """An API with a limit for the size of images, and a quota that leaves no room."""

    def items(self, resource: Any, _namespace: str, **_how: Any) -> Any:
        limit = {"type": "openshift.io/Image", "max": {"storage": "10"}}
        quota = {"hard": {"openshift.io/imagestreams": "2"}, "used": {"openshift.io/imagestreams": "2"}}
        found = {
            "limitranges": [{"metadata": {"name": "images"}, "spec": {"limits": [limit]}}],
            "resourcequotas": [{"metadata": {"name": "objects"}, "status": quota}],
        }
        return iter(found[resource.plural])


def refused(monkeypatch: pytest.MonkeyPatch, before: ManifestResponse | None, image: ManifestResponse) -> str:
    """Return why a zone with these limits did not let a tag point to an image."""

    def refuse(*_any: Any) -> str:
        raise ForbiddenError("9.example denies this", hint="one of many causes")

    registry = Registry(before)
    monkeypatch.setattr(registry, "put_manifest", refuse)
    monkeypatch.setattr(registry, "tags", lambda _repository: None, raising=False)
    place = ("9.example", "9.example", "shop", "app", "prod", before.digest if before else None, image.digest, True)
    session = Session("9.example", registry, Limits())
    options = TagOptions("app", "prod", origin=Origin("1.0"))
    task = TagTask(options, cast(Any, Sessions([session])), cast(Any, {"9.example": image}))
    with pytest.raises(AppuioError) as caught:
        task.apply(TagPlan((ZonePlan(*place, origin="shop/app"),)))
    return str(caught.value)


def test_the_limit_and_the_quota_that_refused_a_tag_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    config, layer = Descriptor("", digest_of(b"config"), 6), Descriptor("", digest_of(b"layer"), 5)
    blobs = [{"digest": one.digest, "size": one.size, "mediaType": one.media_type} for one in (config, layer)]
    content = json.dumps({"schemaVersion": 2, "config": blobs[0], "layers": blobs[1:]}).encode()
    image = ManifestResponse(digest_of(content), OCI_MANIFEST, content)
    text = refused(monkeypatch, None, image)
    assert "the LimitRange images allows images of 10 (10 bytes), and this one has 11 bytes" in text
    assert "the quota objects leaves 0 of 2 imagestreams, and 1 are needed" in text
    assert "one of many causes" not in text
    assert "quota" not in refused(monkeypatch, OLD, image)


def test_a_limit_is_named_for_an_image_whose_size_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    text = refused(monkeypatch, OLD, NEW)
    assert "the LimitRange images allows images of 10 (10 bytes), and how large this one is, is not known" in text
