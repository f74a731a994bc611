# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of one zone in the others: single tags, selections, and a namespace as a whole, in local zones."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError
from ansible_collections.appuio.registry.plugins.module_utils._sync.managed import COPIED

from tests.image import make_image, make_layout, put_entry
from tests.integration.images import Images
from tests.integration.push import Pusher
from tests.integration.test_image_sync import Syncer
from tests.integration.test_push_referrers import attach, bare, put_unnamed
from tests.integration.zone_playbooks import run

LATER = "it points to nothing, and its image is to come from quay.io/a/b:1"


@dataclass
class Mover(Syncer):
    """Two zones, and a third one whose images come to them; who moves them may read the third one's project only."""

    reader: str = ""

    def put(self, name: str, *tags: str, seed: str = "", platforms: tuple[str, ...] = ("linux/amd64",)) -> str:
        """Push an image into the third zone, and return its digest."""
        layout = self.folder / f"{name}-{'-'.join(tags)}-{seed}"
        digest = make_layout(layout, tag="1.0", seed=f"{self.project}-{name}-{tags}-{seed}", platforms=platforms)
        self.pusher.push(f"oci:{layout}:1.0", zones=self.pusher.entries(self.origin), tags=list(tags), name=name)
        return digest

    def there(self, **more: Any) -> dict[str, Any]:
        """Return the third zone as an entry names it."""
        return {
            "zone": "elsewhere",
            "registry": self.origin.registry,
            "host": self.origin.host,
            "token": self.reader,
            "ca_cert": str(self.origin.ca_file),
            **more,
        }

    def entry(self, source: str | None = None, **more: Any) -> dict[str, Any]:
        return {"source_zone": self.there(), **({"source": source} if source else {}), **more}

    def move(self, *images: dict[str, Any], **options: Any) -> dict[str, Any]:
        return self.sync(images or [self.entry()], **{"defaults": {}, **options})

    def stays(self, *images: dict[str, Any], **options: Any) -> AppuioError:
        return self.refused(images or [self.entry()], **{"defaults": {}, **options})

    def asked_there(self) -> list[str]:
        return [f"{one['method']} {one['path'].partition('?')[0]}" for one in self.origin.requests()]


@pytest.fixture
def mover(pusher: Pusher, tmp_path: Path) -> Mover:
    """Three repositories in the third zone, one of them of two platforms."""
    mover = Mover(pusher, tmp_path, {})
    mover.reader = mover.origin.create_user("rita", "", {mover.project: "view"})
    mover.digests = {
        "frontend:1.0": mover.put("frontend", "1.0", seed="old"),
        "backend:2.0": mover.put("backend", "2.0", "latest", platforms=("linux/amd64", "linux/arm64")),
        "worker:0.1": mover.put("worker", "0.1"),
    }
    mover.digests["frontend:1.0"] = mover.put("frontend", "1.0", seed="new")
    mover.clear()
    return mover


def test_a_namespace_comes_as_a_whole_and_costs_one_list_when_nothing_has_changed(mover: Mover) -> None:
    planned = mover.move(check=True)
    assert planned["totals"]["changed"] == 3
    assert not any(zone.writes() for zone in mover.pusher.zones)
    result = mover.move()
    digests = mover.digests
    both = digests["backend:2.0"]
    copied = {
        "frontend": {"1.0": digests["frontend:1.0"]},
        "backend": {"2.0": both, "latest": both},
        "worker": {"0.1": digests["worker:0.1"]},
    }
    assert {name: mover.tags(name) for name in copied} == {name: [tags] * 2 for name, tags in copied.items()}
    index = json.loads(mover.pusher.read(mover.zones[1], "manifests/2.0", "backend"))
    assert [one["platform"]["architecture"] for one in index["manifests"]] == ["amd64", "arm64"]
    assert result["left_behind"] == [
        {
            "zone": "elsewhere",
            "namespace": mover.project,
            "name": "frontend",
            "tag": None,
            "reason": "the history of its tags, with 1 older images",
        }
    ]
    mover.clear()
    again = mover.move()
    assert (again["changed"], again["totals"]["tags"]) == (False, 8)
    assert mover.asked_there() == [f"GET /apis/image.openshift.io/v1/namespaces/{mover.project}/imagestreams"]
    wanted = sorted(f"HEAD /v2/{mover.project}/{name}/manifests/{tag}" for name, tags in copied.items() for tag in tags)
    assert [sorted(mover.asked(zone)) for zone in mover.zones] == [wanted] * 2

    moved = mover.put("worker", "0.1", seed="new")
    mover.put("scratch", "pr-7")
    result = mover.move(mover.entry(select={"exclude": "^pr-", "exclude_repositories": "^frontend$"}))
    assert {image["name"]: image["changed"] for image in result["images"]} == {"backend": False, "worker": True}
    assert mover.tags("worker") == [{"0.1": moved}] * 2
    assert mover.tags("scratch") == [{}, {}]
    # The third zone keeps all as it is, and nobody is in another zone who is of it.
    assert not [one for one in mover.origin.writes() if one["side"] == "api"]
    assert "rita" not in {one["user"] for zone in mover.zones for one in zone.requests()}


@pytest.mark.thorough
@pytest.mark.parametrize("referrers", [False, True])
def test_what_is_attached_to_an_image_comes_with_its_namespace(mover: Mover, referrers: bool) -> None:
    place = mover.folder / "signed"
    image = make_image(place, tag="1.0")
    put_entry(place, attach(place, "cosign", None), f"{image.digest.replace(':', '-')}.sig")
    put_unnamed(place, attach(place, "sbom", bare(image.descriptor)))
    mover.pusher.push(f"oci:{place}", zones=mover.pusher.entries(mover.origin), name="signed", referrers=True)
    tags = mover.origin.tags(mover.project, "signed")
    assert len(tags) == 3
    entry = mover.entry(select={"repositories": "^signed$"}, referrers=True) if referrers else mover.entry()
    mover.move(entry)
    assert mover.tags("signed") == [tags] * 2
    assert not mover.move(entry)["changed"]


@pytest.mark.thorough
def test_a_tag_comes_by_its_digest_and_goes_to_the_other_zones_of_the_task(mover: Mover) -> None:
    zones = [{"zone": zone.name, **mover.pusher.entries(zone)[0]} for zone in mover.pusher.zones]
    images = [{"source": "backend:latest"}, {"source": "frontend", "select": {"semver": ">=1"}}]
    given = {"zones": zones, "defaults": {"source_zone": mover.origin.name}}
    result = mover.sync(images, **given)
    assert [[zone["zone"] for zone in one["zones"]] for one in result["images"]] == [[z.name for z in mover.zones]] * 2
    assert mover.tags("backend") == [{"latest": mover.digests["backend:2.0"]}] * 2
    assert mover.tags("frontend") == [{"1.0": mover.digests["frontend:1.0"]}] * 2
    assert result["left_behind"] == []
    mover.clear()
    assert not mover.sync(images, **given)["changed"]
    registry = f"/v2/{mover.project}"
    # The one credential of the zone, which needs no API, asks for each tag, and once for the list.
    assert sorted(mover.asked_there()) == [
        f"GET {registry}/frontend/tags/list",
        f"HEAD {registry}/backend/manifests/latest",
        f"HEAD {registry}/frontend/manifests/1.0",
    ]


@pytest.mark.thorough
def test_images_go_to_another_namespace_of_the_same_zone(mover: Mover) -> None:
    project = f"{mover.project}-copy"
    zone = mover.origin
    token = zone.create_user("mia", "", {project: "admin", mover.project: "view"})
    entries = [{"zone": zone.name, **mover.pusher.entries(zone, token=token)[0]}]
    entry = {"source_zone": {"zone": zone.name, "namespace": mover.project}}
    result = mover.move(entry, zones=entries, namespace=project)
    assert result["totals"]["changed"] == 3
    assert zone.tags(project, "worker") == {"0.1": mover.digests["worker:0.1"]}
    assert not mover.move(entry, zones=entries, namespace=project)["changed"]


@pytest.mark.thorough
def test_a_token_that_was_fetched_for_the_other_zone_ends_with_the_task(mover: Mover) -> None:
    mover.origin.create_user("lea", "secret-of-lea", {mover.project: "view"})
    there = mover.there(token=None, username="lea", password="secret-of-lea")
    mover.clear()
    result = mover.move({"source_zone": {name: one for name, one in there.items() if one}})
    assert result["totals"]["changed"] == 3
    ended = [one for one in mover.origin.requests() if one["method"] == "DELETE"]
    assert len(ended) == 1
    assert "/useroauthaccesstokens/" in ended[0]["path"]
    assert "secret-of-lea" not in json.dumps(result)


@pytest.mark.thorough
def test_what_cannot_be_copied_is_told(mover: Mover) -> None:
    project, zone = mover.project, mover.origin
    there = {"zone": "elsewhere", "namespace": project}
    assert f"the namespace {project} of zone elsewhere" in str(mover.stays(mover.entry(select={"match": "^none$"})))
    text = str(mover.stays(mover.entry("frontend:9.9")))
    assert "frontend:9.9 does not exist: frontend has no tag 9.9, only 1.0" in text
    assert "there is no ImageStream nothing" in str(mover.stays(mover.entry("nothing:1.0")))

    stream: Any = zone.image_stream(project, "worker")
    stream["spec"]["tags"] = [{"name": "soon", "from": {"kind": "DockerImage", "name": "quay.io/a/b:1"}}]
    zone.put_object(stream)
    # The image of a tag is gone, as an administrator's pruning leaves it.
    digest = mover.digests["frontend:1.0"]
    zone.faults.add(
        "status", side="registry", method="GET|HEAD", path=f"/frontend/manifests/(1.0|{digest})", status=404
    )
    error = mover.stays()
    assert "1 of 3 images failed" in str(error)
    assert f"the image {digest} of frontend is not in the registry, or no longer, to which 1.0 points" in str(error)
    assert {**there, "name": "worker", "tag": "soon", "reason": LATER} in error.result["left_behind"]
    assert mover.tags("worker") == [{"0.1": mover.digests["worker:0.1"]}] * 2
    text = str(mover.stays(mover.entry("frontend:1.0")))
    assert f"frontend:1.0 does not exist: frontend:1.0 points to {digest}, which is not in the registry" in text
    text = str(mover.stays(mover.entry("worker:soon")))
    assert f"worker:soon does not exist: of the tag worker:soon, {LATER}" in text


@pytest.mark.thorough
def test_a_namespace_that_is_empty_or_may_not_be_read_is_told_and_nothing_goes(mover: Mover) -> None:
    kept = mover.layout("kept", "1.0")
    moved = mover.entry(select={"repositories": "^worker$"})
    mover.managed(kept, moved, defaults={})
    stranger = mover.origin.create_user("sam", "", {f"{mover.project}-empty": "view"})

    def told(**there: Any) -> str:
        entry = {"source_zone": mover.there(**{"token": stranger, **there})}
        error = mover.unmanageable(kept, entry, defaults={})
        assert error.result["deleted"] == []
        assert [image["name"] for image in error.result["images"]] == ["app", "*"]
        assert mover.tags("worker") == [{"0.1": mover.digests["worker:0.1"]}] * 2
        return str(error)

    empty = told(namespace=f"{mover.project}-empty")
    assert f"the namespace {mover.project}-empty of zone elsewhere has no ImageStreams" in empty
    fault = mover.origin.faults.add("status", side="api", method="GET", path="/imagestreams", status=503)
    assert "zone elsewhere: list the ImageStreams" in told(token=mover.reader, retries=0)
    mover.origin.faults.remove(fault)
    forbidden = told()
    assert "zone elsewhere: list the ImageStreams" in forbidden
    assert f"The namespace {mover.project} may not exist, or the credential has no right to it" in forbidden
    # What is there and cannot be copied at the moment is declared nevertheless.
    stream: Any = mover.origin.image_stream(mover.project, "worker")
    stream["spec"]["tags"] = [
        {"name": "0.1", "reference": True, "from": {"kind": "DockerImage", "name": "a.example/b"}}
    ]
    mover.origin.put_object(stream)
    result = mover.managed(kept, mover.entry(), defaults={})
    assert result["deleted"] == []
    assert {one["tag"] for one in result["left_behind"]} >= {"0.1"}
    # And what is not declared any more goes, as it does from any other source.
    result = mover.managed(kept, mover.entry(select={"repositories": "^backend$"}), defaults={})
    assert {(one["name"], one["tag"]) for one in result["deleted"]} >= {("worker", "0.1")}


@pytest.mark.thorough
def test_nothing_goes_from_where_images_are_copied(mover: Mover) -> None:
    """After a change of sides: what a zone has got by the set is what the other zones get from it now."""
    mover.managed(mover.entry(), defaults={})
    copied = {name: mover.tags(name)[0] for name in ("frontend", "backend", "worker")}
    first = mover.zones[0]
    worker = f"worker@{copied['worker']['0.1']}"
    for entry, stays in (
        ({}, {"frontend:1.0", "backend:2.0", "backend:latest", "worker:0.1"}),
        ({"select": {"exclude_repositories": "^front"}}, {"backend:2.0", "backend:latest", "worker:0.1"}),
        ({"source": "backend", "select": {"match": "^2"}}, {"backend:2.0"}),
        ({"source": worker}, {"worker:0.1"}),
    ):
        result = mover.managed({"source_zone": first.name, **entry}, check=True, defaults={})
        assert {f"{one['name']}:{one['tag']}" for one in result["kept"] if one["reason"] == COPIED} == stays
        assert not stays & {f"{one['name']}:{one['tag']}" for one in result["deleted"] if one["zone"] == first.name}
    for _again in (1, 2):
        result = mover.managed({"source_zone": first.name}, defaults={})
        assert (result["deleted"], result["deleted_repositories"]) == ([], [])
        assert {name: mover.tags(name) for name in copied} == {name: [tags] * 2 for name, tags in copied.items()}
    # Nor does it where nobody knows what there is to copy; and they are the set's own when it turns again.
    fault = first.faults.add("status", side="api", method="GET", path=f"/{mover.project}/imagestreams", status=503)
    assert mover.unmanageable({"source_zone": first.name}, defaults={}, retries=0).result["deleted"] == []
    first.faults.remove(fault)
    result = mover.managed(mover.entry(select={"exclude_repositories": "^worker$"}), defaults={})
    assert {(one["zone"], one["name"]) for one in result["deleted"]} == {(z.name, "worker") for z in mover.zones}


def test_as_a_playbook_with_and_without_a_file(mover: Mover) -> None:
    images = Images(mover.pusher.zones, mover.project, mover.folder)
    others = ",".join(zone.name for zone in mover.zones)
    origin = mover.origin.name
    # The zone that they come from is a host of the inventory, and none of the play's.
    played = run(images, "sync", zones=others, source_zone=origin).succeeded()
    assert played.changed == ["Sync the images"]
    assert mover.tags("worker") == [{"0.1": mover.digests["worker:0.1"]}] * 2
    told = played.result("Tell what each zone has now")["msg"]
    assert [line.split()[:2] for line in told[1:3]] == [[zone.name, "yes"] for zone in mover.zones]
    assert f"not copied: {origin} frontend: the history of its tags, with 1 older images" in told
    # Here it is one of them, and the images go to the others.
    (mover.folder / "images.yml").write_text('[{"source": "worker:0.1", "name": "copy"}, {"source": "backend:latest"}]')
    played = run(images, "sync", images_file="images.yml", source_zone=origin, source_namespace=mover.project)
    synced = played.succeeded().result("Sync the images")
    assert [image["changed"] for image in synced["images"]] == [True, False]
    assert [len(image["zones"]) for image in synced["images"]] == [3, 2]
    assert mover.reader not in played.stdout
