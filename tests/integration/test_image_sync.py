# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A set of images in local zones: what is asked and moved, what one failure leaves alone, and what goes again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError
from ansible_collections.appuio.registry.plugins.module_utils._image_set.options import SPEC
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import OCI_INDEX
from ansible_collections.appuio.registry.plugins.module_utils._signals import StopSignals
from ansible_collections.appuio.registry.plugins.module_utils._sync.managed import MANAGED_TAGS
from ansible_collections.appuio.registry.plugins.module_utils._sync.marking import Marking
from ansible_collections.appuio.registry.plugins.module_utils._sync.task import sync_task
from ansible_collections.appuio.registry.plugins.module_utils._targets import RunContext

from tests.image import make_layout
from tests.image.archive import save_archive
from tests.integration.images import Images
from tests.integration.playbook import run_task
from tests.integration.push import Pusher
from tests.integration.zone_playbooks import run
from tests.unit.plugins.module_utils._http.scripted_server import Line, ScriptedServer
from tests.zone import Zone

ACTION = "appuio.registry.appuio_image_sync"
DEFAULTS = {name: rule.get("default") for name, rule in SPEC.options.items()}
SOURCES = ("one", "two", "three")


@dataclass
class Syncer:
    """Two zones that are kept in sync, and a third one as the registry that images come from."""

    pusher: Pusher
    folder: Path
    digests: dict[str, str]

    @property
    def zones(self) -> Sequence[Zone]:
        return self.pusher.zones[:2]

    @property
    def origin(self) -> Zone:
        return self.pusher.zones[2]

    @property
    def project(self) -> str:
        return self.pusher.project

    def publish(self, name: str, tag: str, seed: str) -> str:
        """Put an image into the source registry, and return its digest."""
        layout = self.folder / f"{name}-{tag}-{seed}"
        digest = make_layout(layout, tag="1.0", seed=f"{self.project}-{name}-{seed}", platforms=("linux/amd64",))
        entries = self.pusher.entries(self.origin)
        self.pusher.push(f"oci:{layout}:1.0", zones=entries, tags=[tag], name=name)
        return digest

    def source(self, name: str, tag: str | None = "1.0") -> str:
        return f"docker://{self.origin.registry}/{self.project}/{name}{f':{tag}' if tag else ''}"

    def images(self, *names: str, **more: Any) -> list[dict[str, Any]]:
        return [{"source": self.source(name), **more} for name in names or SOURCES]

    def options(self, images: Sequence[dict[str, Any]] | None = None, **options: Any) -> dict[str, Any]:
        entries = [{"zone": zone.name, **self.pusher.entries(zone)[0]} for zone in self.zones]
        defaults = {
            "source_username": "serviceaccount",
            "source_password": self.pusher.tokens[self.origin.name],
            "source_ca_cert": str(self.origin.registry_ca_file),
        }
        return {
            "zones": entries,
            "namespace": self.project,
            "images": self.images() if images is None else list(images),
            "defaults": defaults,
            "retries": 1,
            "retry_delay": 0.05,
            **options,
        }

    def sync(
        self, images: Sequence[dict[str, Any]] | None = None, *, check: bool = False, **options: Any
    ) -> dict[str, Any]:
        """Sync in this process; raises AppuioError."""
        directory = self.folder / "spool"
        directory.mkdir(exist_ok=True)
        given = {**DEFAULTS, **self.options(images, **options)}
        task = sync_task(given, RunContext({}, str(directory)))
        try:
            plan = task.plan()
            return {**plan.predict(), "diff": plan.diff()} if check else task.apply(plan)
        finally:
            task.close()

    def refused(self, images: Sequence[dict[str, Any]] | None = None, **options: Any) -> AppuioError:
        """Return why a sync failed; fails the test where it does not."""
        with pytest.raises(AppuioError) as caught:
            self.sync(images, **options)
        return caught.value

    def layout(self, seed: str, *tags: str, name: str = "app", size: int = 2000, **more: Any) -> dict[str, Any]:
        """Return an entry for an image of its own in a directory."""
        folder = self.folder / f"layout-{seed}"
        if not folder.exists():
            self.digests[seed] = make_layout(
                folder, tag="1.0", seed=f"{self.project}-{seed}", platforms=("linux/amd64",), size=size
            )
        return {"source": f"oci:{folder}:1.0", "name": name, "tags": list(tags), **more}

    def managed(self, *images: dict[str, Any], **options: Any) -> dict[str, Any]:
        """Sync as somebody who may read workloads, and delete what is not declared."""
        return self.sync(images, **self._managing(options))

    def unmanageable(self, *images: dict[str, Any], **options: Any) -> AppuioError:
        """Return why that failed; fails the test where it does not."""
        return self.refused(images, **self._managing(options))

    def _managing(self, options: dict[str, Any]) -> dict[str, Any]:
        entries = [
            {
                "zone": zone.name,
                **self.pusher.entries(zone)[0],
                "token": zone.create_user("ada", "", {self.project: "admin"}),
            }
            for zone in self.zones
        ]
        return {"zones": entries, "delete": "managed", **options}

    def noted(self, name: str = "app", annotation: str = MANAGED_TAGS) -> list[dict[str, str]]:
        """Return what the ImageStreams say of the tags of the set, zone by zone."""
        streams = [zone.image_stream(self.project, name) or {} for zone in self.zones]
        found = [(one.get("metadata", {}).get("annotations") or {}).get(annotation) for one in streams]
        return [json.loads(one or "{}") for one in found]

    def tags(self, name: str = "app") -> list[dict[str, str]]:
        return [zone.tags(self.project, name) for zone in self.zones]

    def asked(self, zone: Zone) -> list[str]:
        return [f"{one['method']} {one['path']}" for one in zone.requests() if one["side"] == "registry"]

    def clear(self) -> None:
        self.pusher.clear()


@pytest.fixture
def local(pusher: Pusher, tmp_path: Path) -> Syncer:
    """Two zones that are kept in sync with images from directories."""
    return Syncer(pusher, tmp_path, {})


@pytest.fixture
def syncer(local: Syncer) -> Syncer:
    """Two zones, and a registry with three images."""
    syncer = local
    syncer.digests = {name: syncer.publish(name, "1.0", "first") for name in SOURCES}
    syncer.clear()
    return syncer


def test_a_set_comes_and_an_unchanged_one_costs_one_question_for_each_tag_and_zone(syncer: Syncer) -> None:
    planned = syncer.sync(check=True)
    assert planned["changed"]
    assert planned["totals"]["changed"] == 3
    assert not any(zone.writes() for zone in syncer.zones)
    where = f"{syncer.zones[0].registry}/{syncer.project}/one"
    assert planned["diff"]["after"][where] == {"1.0": syncer.digests["one"]}
    result = syncer.sync()
    assert result["changed"]
    for name in SOURCES:
        assert syncer.tags(name) == [{"1.0": syncer.digests[name]}] * 2
    assert [image["digest"] for image in result["images"]] == [syncer.digests[name] for name in SOURCES]
    syncer.clear()
    again = syncer.sync()
    assert not again["changed"]
    assert again["totals"] == {
        "images": 3, "changed": 0, "failed": 0, "tags": 6, "bytes": 0, "uploaded": 0, "deleted": 0,
    }  # fmt: skip
    assert [(zone["zone"], zone["changed"]) for zone in again["zones"]] == [(one.name, False) for one in syncer.zones]
    wanted = sorted(f"HEAD /v2/{syncer.project}/{name}/manifests/1.0" for name in SOURCES)
    for zone in syncer.pusher.zones:
        # The source's registry challenges those who come with a user name.
        asked = [line for line in syncer.asked(zone) if line in wanted]
        assert sorted(set(asked)) == wanted
        assert set(syncer.asked(zone)) == set(wanted)
    for zone in syncer.zones:
        assert sorted(syncer.asked(zone)) == wanted


@pytest.mark.thorough
def test_an_entry_may_be_an_index_of_several_sources(local: Syncer) -> None:
    amd64, arm64 = local.folder / "amd64", local.folder / "arm64"
    make_layout(amd64, platforms=("linux/amd64",), seed=local.project)
    make_layout(arm64, platforms=("linux/arm64",), seed=local.project)
    save_archive(local.folder / "amd64.tar", local.folder / "saved")
    images = [
        {"sources": [f"oci:{amd64}", f"oci:{arm64}"], "name": "app", "tags": ["1.0"]},
        # Its digest is not known before its layers are compressed.
        {"sources": [f"oci:{arm64}", f"docker-archive:{local.folder / 'amd64.tar'}"], "name": "saved", "tags": ["1.0"]},
    ]
    planned, first = local.sync(images, check=True), local.sync(images)
    digests = [image["digest"] for image in first["images"]]
    assert planned["images"][0]["digest"] == digests[0]
    assert [image["source"] for image in first["images"]] == [", ".join(image["sources"]) for image in images]
    assert [local.tags("app"), local.tags("saved")] == [[{"1.0": digest}] * 2 for digest in digests]
    index = json.loads(local.pusher.read(local.zones[1], "manifests/1.0"))
    assert [entry["platform"]["architecture"] for entry in index["manifests"]] == ["amd64", "arm64"]

    local.clear()
    again = local.sync(images)
    assert not again["changed"]
    assert [image["digest"] for image in again["images"]] == digests
    assert not any(zone.writes() for zone in local.zones)

    shutil.rmtree(arm64)
    make_layout(arm64, platforms=("linux/arm64",), seed=f"{local.project}-rebuilt")
    rebuilt = local.sync(images, atomic="set")
    assert [image["changed"] for image in rebuilt["images"]] == [True, True]
    assert local.tags("app") == [{"1.0": rebuilt["images"][0]["digest"]}] * 2
    now = json.loads(local.pusher.read(local.zones[1], "manifests/1.0"))["manifests"]
    kept = [entry["digest"] in [other["digest"] for other in index["manifests"]] for entry in now]
    assert kept == [True, False]


@pytest.mark.thorough
def test_a_bad_image_is_told_at_the_end(syncer: Syncer) -> None:
    error = syncer.refused(syncer.images("one", "missing", "three"))
    assert "1 of 3 images failed" in str(error)
    assert "missing" in str(error)
    assert [image["failed"] for image in error.result["images"]] == [False, True, False]
    assert error.result["changed"]
    assert syncer.tags("one") == [{"1.0": syncer.digests["one"]}] * 2
    assert syncer.tags("three") == [{"1.0": syncer.digests["three"]}] * 2


@pytest.mark.thorough
def test_without_keep_going_nothing_is_begun_when_one_image_is_bad(syncer: Syncer) -> None:
    error = syncer.refused(syncer.images("one", "missing", "three"), keep_going=False)
    assert not error.result["changed"]
    assert not any(zone.writes() for zone in syncer.zones)


@pytest.mark.thorough
def test_a_zone_that_takes_no_credential_is_asked_for_one_image_only(local: Syncer) -> None:
    entries = local.options()["zones"]
    entries[1]["token"] = "sha256~wrong"
    images = [local.layout(name, "1", name=name) for name in ("a", "b", "c")]
    error = local.refused(images, zones=entries, jobs=1)
    assert "3 of 3 images failed" in str(error)
    assert {line.split("/")[3] for line in local.asked(local.zones[1]) if "/manifests/" in line} == {"a"}


@pytest.mark.thorough
def test_a_zone_that_is_down_holds_the_others_up_only_with_atomic(syncer: Syncer) -> None:
    syncer.zones[1].stop("registry")
    error = syncer.refused(jobs=1)
    assert "3 of 3 images failed" in str(error)
    assert syncer.tags("one")[0] == {}
    error = syncer.refused(atomic="none")
    assert error.result["changed"]
    assert [zone["failed"] for zone in error.result["images"][0]["zones"]] == [False, True]
    assert [zone["failed"] for zone in error.result["zones"]] == [False, True]
    assert syncer.zones[0].tags(syncer.project, "three") == {"1.0": syncer.digests["three"]}
    syncer.zones[1].start("registry")
    assert syncer.sync()["changed"]
    assert syncer.tags("two") == [{"1.0": syncer.digests["two"]}] * 2


@pytest.mark.thorough
def test_a_set_moves_as_a_whole_or_not_at_all(local: Syncer) -> None:
    local.sync([local.layout("a", "1"), local.layout("b", "1", name="other")])
    before = [local.tags(), local.tags("other")]
    images = [local.layout("c", "1", "2"), local.layout("d", "1", name="other"), local.layout("e", "1", name="third")]
    last = max(local.zones, key=lambda zone: zone.registry)
    fault = last.faults.add("status", side="registry", method="POST", path="/third/blobs/uploads/", status=403)
    error = local.refused(images, atomic="set")
    assert not error.result["changed"]
    assert [local.tags(), local.tags("other"), local.tags("third")] == [*before, [{}, {}]]
    last.faults.remove(fault)
    fault = last.faults.add("status", side="registry", method="PUT", path="/third/manifests/1$", status=403)
    error = local.refused(images, atomic="set")
    assert "3 of 3 images failed" in str(error)
    assert not error.result["changed"]
    assert [local.tags(), local.tags("other"), local.tags("third")] == [*before, [{}, {}]]
    reasons = {image["name"]: image["zones"][0]["error"] for image in error.result["images"]}
    assert "as another image of the set failed; its tags were put back" in reasons["app"]
    last.faults.remove(fault)
    assert local.sync(images, atomic="set")["totals"]["changed"] == 3
    c, d, e = (local.digests[name] for name in "cde")
    assert [local.tags(), local.tags("other"), local.tags("third")] == [
        [{"1": c, "2": c}] * 2,
        [{"1": d}] * 2,
        [{"1": e}] * 2,
    ]
    error = local.refused([local.layout("f", "1"), {"source": "oci:/nowhere", "name": "other"}], atomic="set")
    assert not any(image["changed"] for image in error.result["images"])
    assert local.tags() == [{"1": c, "2": c}] * 2


@pytest.mark.thorough
def test_a_signal_ends_all_uploads_and_leaves_all_tags(local: Syncer) -> None:
    local.sync([local.layout("a", "1")])
    for zone in local.zones:
        zone.faults.add("throttle", method="PUT|PATCH", path="/blobs/", bytes_per_second=20_000)
    local.clear()

    def tell() -> None:
        while not any("/blobs/uploads/" in one["path"] for one in local.zones[1].requests()):
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    images = [local.layout("b", "1", size=2_000_000), local.layout("c", "1", name="other", size=2_000_000)]
    images += [local.layout("d", "1", name="third")]
    with StopSignals() as signals:
        threading.Thread(target=tell, daemon=True).start()
        # It would take minutes to send all.
        error = local.refused(images, jobs=2)
        signals.finish()
    assert "SIGTERM" in str(error) or "the task was stopped" in str(error)
    assert not error.result["changed"]
    assert [local.tags(), local.tags("other"), local.tags("third")] == [
        [{"1": local.digests["a"]}] * 2,
        *[[{}, {}]] * 2,
    ]
    assert not any("/manifests/" in write["path"] for zone in local.zones for write in zone.writes())


@pytest.mark.thorough
def test_a_limit_of_a_source_stops_the_images_of_this_source_alone(local: Syncer) -> None:
    said = {
        "RateLimit-Limit": "100;w=21600",
        "RateLimit-Remaining": "1;w=21600",
        "Docker-Content-Digest": f"sha256:{'0' * 64}",
        "Content-Type": OCI_INDEX,
    }
    with ScriptedServer(*(Line(f"HEAD /v2/library/{name}/manifests/1.0", 200, said) for name in ("a", "b"))) as hub:
        limited = [{"source": f"docker://{hub.authority}/library/{name}:1.0"} for name in ("a", "b")]
        defaults = {"source_plain_http": True}
        error = local.refused([*limited, local.layout("c", "1.0")], defaults=defaults, jobs=1)
        assert hub.lines == []
    assert "2 of 3 images failed" in str(error)
    words = f"gives 100 manifests in 6 hours, of which 1 remain, and {limited[1]['source']} needs 2 more"
    assert words in error.result["images"][1]["error"]
    assert [image["changed"] for image in error.result["images"]] == [False, False, True]
    assert [local.tags(), local.tags("a"), local.tags("b")] == [[{"1.0": local.digests["c"]}] * 2, *[[{}, {}]] * 2]


@pytest.mark.thorough
def test_a_quota_is_held_against_what_all_images_need(local: Syncer) -> None:
    local.sync([local.layout("a", "1.0", name="a")])
    zone = local.zones[1]
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "images", "namespace": local.project},
        "spec": {"hard": {"openshift.io/imagestreams": "2"}},
    }
    zone.put_object(quota)
    zone.bind(local.project, "view", {"kind": "ServiceAccount", "name": "image-pusher", "namespace": local.project})
    # Two tags of one repository make one ImageStream; each image by itself would fit.
    images = [
        local.layout("a", "1.0", name="a"),
        local.layout("b", "1.0", name="b"),
        local.layout("b", "2.0", name="b"),
    ]
    assert "warnings" not in local.sync(images, check=True, check_quota="fail")
    images.append(local.layout("c", "1.0", name="c"))
    words = (
        f"for all images of the set in {local.project}, the quota images leaves 1 of 2 imagestreams, and 2 are needed"
    )
    assert local.sync(images, check=True)["warnings"] == [f"zone {zone.name}: {words}"]
    assert "warnings" not in local.sync(images, check=True, check_quota="ignore")
    local.clear()
    error = local.refused([*images, local.layout("d", "1.0", name="a", tags=["2.0"])], check_quota="fail")
    assert "4 of 5 images failed" in str(error)
    assert words in str(error)
    assert not any(zone.writes() for zone in local.zones)
    elsewhere = local.refused(images, check_quota="fail", atomic="none")
    assert [image["failed"] for image in elsewhere.result["images"]] == [False, True, True, True]
    assert [local.tags("b"), local.tags("c")] == [
        [dict.fromkeys(["1.0", "2.0"], local.digests["b"]), {}],
        [{"1.0": local.digests["c"]}, {}],
    ]


def deployment(zone: Zone, project: str, image: str) -> None:
    container = {"name": "app", "image": image}
    zone.put_object(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "app", "namespace": project},
            "spec": {"template": {"spec": {"containers": [container]}}},
        }
    )


@pytest.mark.thorough
def test_what_is_no_longer_declared_goes_in_all_zones_and_nothing_else(local: Syncer) -> None:
    local.pusher.push(local.layout("theirs")["source"], zones=local.pusher.entries(*local.zones), tags=["theirs"])
    first = [local.layout("a", "1.0", "latest"), local.layout("b", "1.0", name="gone"), local.layout("c", "old")]
    local.managed(*first)
    a, c = local.digests["a"], local.digests["c"]
    assert local.noted() == [{"1.0": a, "latest": a, "old": c}] * 2
    second = [local.layout("a", "1.0"), local.layout("d", "latest")]
    planned = local.managed(*second, check=True)
    assert {(one["name"], one["tag"]) for one in planned["deleted"]} == {("app", "old"), ("gone", "1.0")}
    result = local.managed(*second)
    assert result["deleted"] == planned["deleted"]
    assert {one["reason"] for one in result["deleted"]} == {"it is no longer declared"}
    wanted = {"1.0": a, "latest": local.digests["d"], "theirs": local.digests["theirs"]}
    assert local.tags() == [wanted] * 2
    # The set has created one ImageStream, and the other one was there before.
    assert [one["name"] for one in result["deleted_repositories"]] == ["gone", "gone"]
    assert [zone.image_stream(local.project, "gone") for zone in local.zones] == [None, None]
    assert local.noted() == [{"1.0": a, "latest": local.digests["d"]}] * 2
    local.clear()
    again = local.managed(*second)
    assert (again["changed"], again["deleted"], again["kept"]) == (False, [], [])
    assert not any(zone.writes() for zone in local.zones)


@pytest.mark.thorough
def test_what_is_used_or_was_moved_by_others_stays(local: Syncer) -> None:
    rest = local.layout("rest", "1.0", name="rest")
    local.managed(rest, local.layout("a", "used"), local.layout("b", "moved"), local.layout("c", "free"))
    deployment(local.zones[0], local.project, f"elsewhere/app@{local.digests['a']}")
    local.pusher.push(local.layout("theirs")["source"], zones=local.pusher.entries(*local.zones), tags=["moved"])
    result = local.managed(rest)
    assert {(one["zone"], one["tag"]) for one in result["deleted"]} == {
        (local.zones[0].name, "free"),
        (local.zones[1].name, "free"),
        (local.zones[1].name, "used"),
    }
    reasons = {one["tag"]: one["reason"] for one in result["kept"] if one["zone"] == local.zones[0].name}
    assert reasons["used"] == f"it is used by Deployment {local.project}/app"
    assert reasons["moved"] == f"somebody else has moved it since, from {local.digests['b']}"
    theirs = local.digests["theirs"]
    assert local.tags() == [{"used": local.digests["a"], "moved": theirs}, {"moved": theirs}]
    # What others have moved is theirs from now on, and what is used may go later.
    assert local.noted() == [{"used": local.digests["a"]}, {}]


@pytest.mark.thorough
def test_no_more_than_max_delete_goes_in_one_run(local: Syncer) -> None:
    rest = local.layout("rest", "1.0", name="rest")
    local.managed(rest, local.layout("a", "1", "2", "3"))
    result = local.managed(rest, max_delete=2)
    assert len(result["deleted"]) == 4
    assert [len(tags) for tags in local.tags()] == [1, 1]
    assert {one["reason"] for one in result["kept"]} == {"max_delete is 2, so it goes in a later run"}
    assert len(local.managed(rest, max_delete=2)["deleted"]) == 2
    assert local.tags() == [{}, {}]


@pytest.mark.thorough
def test_nothing_goes_because_a_source_or_a_zone_could_not_be_read(local: Syncer) -> None:
    repository = f"docker://{local.origin.registry}/{local.project}/empty"
    local.managed(local.layout("a", "1.0"), local.layout("b", "1.0", name="other"))
    rest = local.layout("rest", "1.0", name="rest")
    unlisted = {"source": "docker://127.0.0.1:1/library/app", "name": "app", "select": {}}
    error = local.unmanageable(rest, unlisted, retries=0)
    assert "1 of 2 images failed" in str(error)
    assert [one["name"] for one in error.result["deleted"]] == ["other", "other"]
    assert local.tags() == [{"1.0": local.digests["a"]}] * 2
    error = local.unmanageable(rest, {"source": repository, "name": "app", "select": {}})
    assert f"{repository} lists no tags" in str(error)
    assert error.result["deleted"] == []
    local.pusher.push(local.layout("x")["source"], zones=local.pusher.entries(local.origin), tags=["1.0"], name="empty")
    error = local.unmanageable(rest, {"source": repository, "name": "app", "select": {"semver": ">2"}})
    assert "select matches none of the 1 tags" in str(error)
    assert local.tags() == [{"1.0": local.digests["a"]}] * 2
    local.zones[1].faults.add("status", side="api", method="GET", path="/imagestreams", status=503)
    error = local.unmanageable(rest, retries=0)
    assert [one["zone"] for one in error.result["deleted"]] == [local.zones[0].name]
    assert local.tags() == [{}, {"1.0": local.digests["a"]}]
    assert f"deletion: zone {local.zones[1].name}: list the ImageStreams" in str(error)


@pytest.mark.thorough
def test_a_push_that_fails_keeps_what_was_to_go_from_its_repository(local: Syncer) -> None:
    local.managed(local.layout("a", "1.0"))
    fault = local.zones[0].faults.add("status", side="registry", method="PUT", path="/manifests/2.0", status=403)
    error = local.unmanageable(local.layout("b", "2.0"))
    assert error.result["deleted"] == []
    assert local.tags() == [{"1.0": local.digests["a"]}] * 2
    assert local.noted() == [{"1.0": local.digests["a"]}] * 2
    local.zones[0].faults.remove(fault)
    assert len(local.managed(local.layout("b", "2.0"))["deleted"]) == 2
    assert local.tags() == [{"2.0": local.digests["b"]}] * 2


@pytest.mark.thorough
def test_a_run_that_was_killed_before_its_tags_moved_makes_nothing_ours(local: Syncer) -> None:
    source = local.layout("theirs")["source"]
    local.pusher.push(source, zones=local.pusher.entries(*local.zones), tags=["1.0"])
    given = {**DEFAULTS, **local.options([local.layout("a", "1.0"), local.layout("b", "1.0", name="new")])}
    task = sync_task({**given, **local._managing({})}, RunContext({}, str(local.folder)))
    task.plan()
    for image in task.images:
        Marking(image, "").note()
    task.close()
    assert local.noted() == [{"1.0": local.digests["a"]}] * 2
    result = local.managed(local.layout("rest", "1.0", name="rest"))
    assert result["deleted"] == []
    assert local.tags() == [{"1.0": local.digests["theirs"]}] * 2
    assert [one["name"] for one in result["deleted_repositories"]] == ["new", "new"]
    assert local.noted() == [{}, {}]


@pytest.mark.thorough
@pytest.mark.parametrize("tags_moved", [0, 1])
def test_a_run_goes_on_from_where_another_one_ended(local: Syncer, tags_moved: int) -> None:
    local.pusher.push(local.layout("theirs")["source"], zones=local.pusher.entries(*local.zones), tags=["theirs"])
    local.managed(local.layout("a", "1.0"), local.layout("c", "old"))
    # After its note and these tags the zones take nothing, not even what would go back, as if the process were gone.
    changing = {"side": "api", "method": "PUT|PATCH|DELETE", "skip": 1}
    moving = {"side": "registry", "method": "PUT", "path": r"/manifests/(1\.0|latest)$", "skip": tags_moved}
    faults = [
        (zone, zone.faults.add("status", status=403, **what)) for zone in local.zones for what in (changing, moving)
    ]
    wanted = local.layout("b", "1.0", "latest")
    local.unmanageable(wanted)
    a, b, c, theirs = (local.digests[seed] for seed in ("a", "b", "c", "theirs"))
    assert local.noted() == [{"1.0": b, "latest": b, "old": c}] * 2
    now = [[tags.get("1.0") == b, tags.get("latest") == b].count(True) for tags in local.tags()]
    assert max(now) == tags_moved
    assert all(tags["1.0"] in (a, b) and tags["old"] == c for tags in local.tags())
    for zone, fault in faults:
        zone.faults.remove(fault)
    assert {one["tag"] for one in local.managed(wanted)["deleted"]} == {"old"}
    assert local.tags() == [{"1.0": b, "latest": b, "theirs": theirs}] * 2
    assert local.noted() == [{"1.0": b, "latest": b}] * 2
    again = local.managed(wanted)
    assert (again["changed"], again["deleted"]) == (False, [])


@pytest.mark.thorough
def test_what_has_gone_and_is_still_noted_is_not_ours_when_it_comes_again(local: Syncer) -> None:
    local.managed(local.layout("a", "1.0"), local.layout("c", "old"), local.layout("d", "older"))
    faults = [(zone, zone.faults.add("status", side="api", method="PUT|PATCH", status=403)) for zone in local.zones]
    rest = local.layout("a", "1.0")
    local.unmanageable(rest)
    a, c, d = (local.digests[seed] for seed in "acd")
    assert [local.tags(), local.noted()] == [[{"1.0": a}] * 2, [{"1.0": a, "old": c, "older": d}] * 2]
    for zone, fault in faults:
        zone.faults.remove(fault)
    local.pusher.push(local.layout("theirs")["source"], zones=local.pusher.entries(*local.zones), tags=["old"])
    assert local.managed(rest)["deleted"] == []
    assert local.tags() == [{"1.0": a, "old": local.digests["theirs"]}] * 2
    assert local.noted() == [{"1.0": a}] * 2
    local.clear()
    again = local.managed(rest)
    assert (again["changed"], again["deleted"], again["kept"]) == (False, [], [])
    assert not any(zone.writes() for zone in local.zones)


@pytest.mark.thorough
def test_a_tag_that_moves_at_the_source_moves_in_the_zones(syncer: Syncer) -> None:
    syncer.sync()
    moved = syncer.publish("two", "1.0", "second")
    syncer.clear()
    result = syncer.sync()
    assert [(image["name"], image["changed"]) for image in result["images"]] == [
        ("one", False), ("two", True), ("three", False),
    ]  # fmt: skip
    assert syncer.tags("two") == [{"1.0": moved}] * 2
    assert {write["path"].split("/")[3] for zone in syncer.zones for write in zone.writes()} == {"two"}
    assert not syncer.sync()["changed"]


@pytest.mark.thorough
def test_tags_are_selected_from_all_pages_of_a_source(local: Syncer) -> None:
    digests = {tag: local.publish("app", tag, tag) for tag in ("1.0", "1.1", "2.0")}
    path = f"/v2/{local.project}/app/tags/list"
    for tag, asked in (("1.0", "list$"), ("1.1", "last=1.0"), ("2.0", "last=1.1")):
        link = [] if tag == "2.0" else [("Link", f'<{path}?n=1&last={tag}>; rel="next"')]
        body = json.dumps({"name": "app", "tags": [tag]}).encode()
        answer = {"status": 200, "body": body, "headers": [("Content-Type", "application/json"), *link]}
        local.origin.faults.add("status", side="registry", method="GET", path=f"/app/tags/{asked}|&{asked}", **answer)
    entry = {"source": local.source("app", None), "select": {"semver": ">=1.1"}}
    result = local.managed(entry)
    assert [image["tags"] for image in result["images"]] == [["2.0"], ["1.1"]]
    wanted = [{tag: digests[tag] for tag in ("1.1", "2.0")}] * 2
    assert local.tags() == wanted
    local.origin.faults.add("status", side="registry", method="GET", path="&last=1.1", status=500)
    error = local.unmanageable(entry, retries=0)
    assert error.result["deleted"] == []
    assert local.tags() == wanted


@pytest.mark.thorough
def test_each_set_knows_its_own_tags(local: Syncer) -> None:
    local.managed(local.layout("a", "1.0"), local.layout("b", "both"), set_name="base")
    local.managed(local.layout("c", "2.0"), local.layout("b", "both"), set_name="apps")
    # What another set has brought and this one declares, both keep.
    wanted = {"2.0": local.digests["c"], "both": local.digests["b"]}
    assert local.noted(annotation=f"{MANAGED_TAGS}.apps") == [wanted] * 2
    result = local.managed(local.layout("rest", "1.0", name="rest"), set_name="base")
    assert {one["tag"] for one in result["deleted"]} == {"1.0"}
    assert {one["reason"] for one in result["kept"]} == {"another set declares it, too"}
    assert local.tags() == [wanted] * 2
    result = local.managed(local.layout("rest", "2.0", name="rest"), set_name="apps")
    assert {one["tag"] for one in result["deleted"]} == {"2.0", "both"}


def test_as_a_task_and_as_a_playbook_with_a_file(local: Syncer) -> None:
    images = [local.layout("a", "1.0"), {**local.layout("b"), "tags": "1.0, latest", "name": "other"}]
    (local.folder / "images.yml").write_text(
        json.dumps({"images": images, "defaults": {"source_password": "top secret"}})
    )
    options = {**local.options(), "images_file": str(local.folder / "images.yml")}
    del options["images"], options["defaults"]
    wrong = run_task(ACTION, options, local.folder / "wrong")
    assert wrong.rc != 0
    assert "images.yml, entry 1 (line 1): source_username and source_password are required together" in wrong.stdout
    assert "top secret" not in wrong.stdout
    (local.folder / "images.yml").write_text(json.dumps(images))
    played = run(Images(local.pusher.zones, local.project, local.folder), "sync", images_file="images.yml").succeeded()
    assert played.changed == ["Sync the images"]
    told = played.result("Tell what each zone has now")["msg"]
    assert [line.split()[:2] for line in told[1:4]] == [[zone.name, "yes"] for zone in local.pusher.zones]
    assert f"changed: other 1.0, latest from {images[1]['source']}" in told
    assert local.tags("other") == [{"1.0": local.digests["b"], "latest": local.digests["b"]}] * 2
