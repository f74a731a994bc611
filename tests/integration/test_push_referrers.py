# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures, attestations and SBOMs travel with the image, in the form that a zone takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.image import image_index, image_manifest, make_image, put_entry, write_blob
from tests.integration.push import Pusher

pytestmark = pytest.mark.thorough

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"


def attach(layout: Path, kind: str, subject: dict[str, Any] | None, config: bytes = b"{}") -> dict[str, Any]:
    """Write a manifest with one small blob, which refers to a subject where there is one."""
    layer = write_blob(layout, f"what {kind} says".encode(), f"application/vnd.example.{kind}")
    manifest = image_manifest(write_blob(layout, config, EMPTY), [layer])
    if subject:
        manifest |= {"artifactType": f"application/vnd.example.{kind}", "subject": subject}
    return write_blob(layout, json.dumps(manifest).encode(), OCI_MANIFEST)


def put_unnamed(layout: Path, descriptor: dict[str, Any]) -> None:
    """Add an entry without a name, as tools do for what refers to an image."""
    index = json.loads((layout / "index.json").read_text())
    index["manifests"].append(descriptor)
    (layout / "index.json").write_text(json.dumps(index))


def bare(descriptor: dict[str, Any]) -> dict[str, Any]:
    return {name: descriptor[name] for name in ("mediaType", "digest", "size")}


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """An image of two platforms, signed by cosign, with an SBOM for each platform and a signature of the OCI."""
    place = tmp_path / "app"
    image = make_image(place, tag="1.0")
    put_entry(place, attach(place, "cosign", None), f"{image.digest.replace(':', '-')}.sig")
    for subject in [image.descriptor, *image.manifests.values()]:
        put_unnamed(place, attach(place, "sbom", bare(subject)))
    return place


def test_what_is_attached_travels_along(pusher: Pusher, layout: Path) -> None:
    source = f"oci:{layout}"
    without = pusher.push(source, name="without")
    digest = without["digest"]
    assert pusher.tags("without") == [{"1.0": digest}] * 3
    check = pusher.push(source, check=True, referrers=True)
    pusher.clear()
    pushed = pusher.push(source, referrers=True)
    stem = digest.replace(":", "-")
    (tags, *others) = pusher.tags()
    assert others == [tags] * 2
    assert tags["1.0"] == digest
    assert set(tags) == {"1.0", *pushed["zones"][0]["referrers"]} == {"1.0", *check["zones"][0]["referrers"]}
    assert {stem, f"{stem}.sig"} < set(tags)
    assert len(tags) == 5
    for tag in set(tags) - {"1.0", f"{stem}.sig"}:
        index = json.loads(pusher.read(pusher.zones[1], f"manifests/{tag}"))
        (entry,) = index["manifests"]
        assert entry["platform"] == {"os": "unknown", "architecture": "unknown"}
        found = json.loads(pusher.read(pusher.zones[1], f"manifests/{entry['digest']}"))
        assert found["subject"]["digest"].replace(":", "-") == tag
        assert pusher.read(pusher.zones[1], f"blobs/{found['layers'][0]['digest']}") == b"what sbom says"
    pusher.clear()
    again = pusher.push(source, referrers=True)
    assert (again["changed"], pusher.writes(), again["referrers_left"]) == (False, [], [])


def test_from_zone_to_zone_and_what_others_attached_stays(pusher: Pusher, layout: Path) -> None:
    first, second, _third = pusher.zones
    pusher.push(f"oci:{layout}", referrers=True, zones=pusher.entries(first))
    digest = pusher.tags()[0]["1.0"]
    subject = next(entry for entry in json.loads((layout / "index.json").read_text())["manifests"]
                   if entry["digest"] == digest)  # fmt: skip
    put_unnamed(layout, attach(layout, "other", bare(subject)))
    pusher.push(f"oci:{layout}", referrers=True, zones=pusher.entries(second))
    copied = pusher.push(
        f"docker://{first.registry}/{pusher.project}/app:1.0",
        source_username="any",
        source_password=pusher.tokens[first.name],
        source_ca_cert=str(first.ca_file),
        referrers=True,
        zones=pusher.entries(*pusher.zones[1:]),
    )
    assert [zone["changed"] for zone in copied["zones"]] == [False, True]
    stem = digest.replace(":", "-")
    assert pusher.tags()[2] == pusher.tags()[0]
    counts = [len(json.loads(pusher.read(zone, f"manifests/{stem}"))["manifests"]) for zone in pusher.zones]
    assert counts == [1, 2, 1]


def test_what_would_break_a_repository_stays_behind(pusher: Pusher, layout: Path) -> None:
    digest = pusher.push(f"oci:{layout}")["digest"]
    tag = f"{digest.replace(':', '-')}.att"
    put_entry(layout, attach(layout, "odd", None, config=b"[]"), tag)
    pushed = pusher.push(f"oci:{layout}", referrers=True)
    assert tag not in pusher.tags()[0]
    (left,) = pushed["referrers_left"]
    assert left.startswith(f"{tag}: ")


def test_referrers_under_the_fallback_tag_of_a_layout_travel_too(pusher: Pusher, layout: Path) -> None:
    """As regctl writes them, beside those that stand in the index."""
    digest = pusher.push(f"oci:{layout}")["digest"]
    image = next(one for one in json.loads((layout / "index.json").read_text())["manifests"] if one["digest"] == digest)
    tag = digest.replace(":", "-")
    listed = attach(layout, "listed", bare(image))
    put_entry(layout, write_blob(layout, json.dumps(image_index([listed])).encode(), OCI_INDEX), tag)
    pushed = pusher.push(f"oci:{layout}", referrers=True)
    assert pushed["referrers_left"] == []
    index = json.loads(pusher.read(pusher.zones[2], f"manifests/{tag}"))
    assert listed["digest"] in {entry["digest"] for entry in index["manifests"]}
    assert len(index["manifests"]) == 2


def test_a_listed_referrer_that_would_break_a_repository_stays_behind(pusher: Pusher, layout: Path) -> None:
    digest = pusher.push(f"oci:{layout}")["digest"]
    image = next(one for one in json.loads((layout / "index.json").read_text())["manifests"] if one["digest"] == digest)
    harmful = attach(layout, "harmful", bare(image), config=b"[]")
    put_unnamed(layout, harmful)
    (left,) = pusher.push(f"oci:{layout}", referrers=True)["referrers_left"]
    assert left.startswith(f"{harmful['digest']}: ")
