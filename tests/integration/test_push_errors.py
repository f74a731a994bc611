# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot be pushed is told with zone and cause; nothing is written, and no tag moves."""

from __future__ import annotations

import gzip
import hashlib
import tarfile
from pathlib import Path

import pytest

from tests.image import blob_path, make_image, make_layout
from tests.integration.push import Pusher

pytestmark = pytest.mark.thorough  # in this process, without ansible-core


@pytest.fixture
def source(tmp_path: Path, pusher: Pusher) -> str:
    """A newer image than the one that every zone has under the tag."""
    make_layout(tmp_path / "old", seed="old")
    pusher.push(f"oci:{tmp_path / 'old'}")
    make_layout(tmp_path / "app", seed="new")
    pusher.clear()
    return f"oci:{tmp_path / 'app'}"


@pytest.fixture(autouse=True)
def nothing_happens(source: str, pusher: Pusher) -> object:
    """Whatever fails, all zones are as they were afterwards."""
    before = pusher.tags()
    assert all(before)
    yield
    assert pusher.tags() == before


def test_a_wrong_token(pusher: Pusher, source: str) -> None:
    entries = [*pusher.entries(*pusher.zones[:2]), *pusher.entries(pusher.zones[2], token="sha256~wrong")]
    told = str(pusher.refused(source, zones=entries))
    assert f"zone {pusher.zones[2].registry}" in told
    assert "does not accept the credential" in told
    assert "sha256~wrong" not in told
    assert pusher.writes() == []


def test_a_token_without_rights(pusher: Pusher, source: str) -> None:
    stranger = pusher.zones[0].token_for("elsewhere", "stranger")
    pusher.clear()
    told = str(pusher.refused(source, zones=pusher.entries(pusher.zones[0], token=stranger)))
    assert "the credential is good, but gives no right" in told
    assert pusher.project in told
    assert pusher.writes() == []


def test_a_token_that_may_only_pull(pusher: Pusher, source: str) -> None:
    viewer = pusher.zones[1].token_for(pusher.project, "viewer", "registry-viewer")
    entries = [*pusher.entries(pusher.zones[0]), *pusher.entries(pusher.zones[1], token=viewer)]
    told = str(pusher.refused(source, zones=entries))
    assert "gives no right to push" in told
    assert f"zone {pusher.zones[1].registry}" in told


def test_a_namespace_that_does_not_exist(pusher: Pusher, source: str) -> None:
    told = str(pusher.refused(source, namespace="nowhere"))
    assert "nowhere" in told
    assert "Does the namespace exist" in told
    assert pusher.writes() == []


def test_an_unknown_zone(pusher: Pusher, source: str) -> None:
    entries = [*pusher.entries(pusher.zones[0]), {"zone": "nowhere-lpg-9", "base_domain": "invalid", "token": "x"}]
    told = str(pusher.refused(source, zones=entries))
    assert "zone nowhere-lpg-9" in told
    assert "registry.nowhere-lpg-9.invalid is not known" in told
    assert pusher.writes() == []


def test_what_is_no_zone_identifier(pusher: Pusher, source: str) -> None:
    told = str(pusher.refused(source, zones=["https://registry.example.com"]))
    assert "is not a zone identifier" in told
    assert pusher.asked() == [[], [], []]


def test_an_unreachable_registry(pusher: Pusher, source: str) -> None:
    entries = [*pusher.entries(pusher.zones[0]), *pusher.entries(pusher.zones[1], registry="127.0.0.1:1")]
    told = str(pusher.refused(source, zones=entries))
    assert "zone 127.0.0.1:1" in told
    assert "refuses connections" in told
    assert pusher.writes() == []


def test_a_registry_whose_certificate_is_not_trusted(pusher: Pusher, source: str) -> None:
    told = str(pusher.refused(source, zones=pusher.entries(pusher.zones[0], ca_cert=None)))
    assert "is not trusted" in told
    assert "registry_ca_cert" in told


def test_a_source_that_does_not_exist(pusher: Pusher, source: str) -> None:
    assert "does not exist" in str(pusher.refused(f"{source}-not"))
    assert "has no tag 9.9" in str(pusher.refused(f"{source}:9.9"))
    missing = f"docker://{pusher.zones[0].registry}/{pusher.project}/app:9.9"
    token = pusher.tokens[pusher.zones[0].name]
    login = {"source_username": "any", "source_password": token, "source_ca_cert": pusher.zones[0].ca_file}
    told = str(pusher.refused(missing, **login))
    assert f"{missing} does not exist" in told
    assert token not in told
    assert pusher.writes() == []


def test_a_truncated_layer(pusher: Pusher, source: str, tmp_path: Path) -> None:
    image = make_image(tmp_path / "app", seed="truncated", size=700_000)
    layer = max((tmp_path / "app/blobs/sha256").iterdir(), key=lambda path: path.stat().st_size)
    layer.write_bytes(layer.read_bytes()[:-1])
    told = str(pusher.refused(source, tags=["1.0", "2.0"]))
    assert f"sha256:{layer.name}" in told
    assert "truncated" in told
    assert image.digest not in str(pusher.tags())
    assert pusher.writes() == []


def test_a_truncated_archive(pusher: Pusher, source: str, tmp_path: Path) -> None:
    make_layout(tmp_path / "app", seed="archive", size=700_000, platforms=("linux/amd64",))
    archive = tmp_path / "app.tar"
    with tarfile.open(archive, "w") as tar:
        for path in sorted((tmp_path / "app").rglob("*"), key=lambda path: path.stat().st_size):
            tar.add(path, path.relative_to(tmp_path / "app"), recursive=False)
    archive.write_bytes(archive.read_bytes()[:-600_000])
    told = str(pusher.refused(f"oci-archive:{archive}"))
    assert "truncated" in told or "ends too early" in told
    archive.write_bytes(gzip.compress(b"nothing"))
    assert "is no tar archive" in str(pusher.refused(f"oci-archive:{archive}"))


@pytest.mark.parametrize("count", [1, 3], ids=["one zone", "three"])
def test_an_altered_layer(pusher: Pusher, source: str, tmp_path: Path, count: int) -> None:
    """The registry refuses it, and the source is named; it is sent once to a zone, and not at all to one that stops."""
    make_layout(tmp_path / "app", seed="altered", size=700_000)
    layer = max((tmp_path / "app/blobs/sha256").iterdir(), key=lambda path: path.stat().st_size)
    content = bytearray(layer.read_bytes())
    content[10] ^= 1
    layer.write_bytes(content)
    error = pusher.refused(source, zones=pusher.entries(*pusher.zones[:count]), retries=3)
    digest = hashlib.sha256(content).hexdigest()
    told = (
        f"the blob sha256:{layer.name} of {source} is altered: it should be sha256:{layer.name} and is sha256:{digest}"
    )
    assert told in str(error)
    assert [zone["failed"] for zone in error.result["zones"]] == [True] * count
    sent = [[request["status"] for request in zone.writes() if layer.name in request["path"]] for zone in pusher.zones]
    assert [400] in sent[:count]
    assert all(len(statuses) <= 1 for statuses in sent)


def test_a_layer_that_is_not_there(pusher: Pusher, source: str, tmp_path: Path) -> None:
    image = make_image(tmp_path / "app", seed="missing", size=700_000)
    layer = max((tmp_path / "app/blobs/sha256").iterdir(), key=lambda path: path.stat().st_size)
    for missing in (layer, blob_path(tmp_path / "app", image.digest)):
        missing.unlink()
        assert f"{missing} does not exist" in str(pusher.refused(source))
    assert pusher.writes() == []


def test_another_digest_than_expected(pusher: Pusher, source: str) -> None:
    told = str(pusher.refused(source, expected_digest="sha256:" + "0" * 64))
    assert "not sha256:000" in told
    assert pusher.writes() == []


def test_an_index_that_openshift_refuses(pusher: Pusher, source: str, tmp_path: Path) -> None:
    make_layout(tmp_path / "app", seed="bare", entry_platforms=False)
    told = str(pusher.refused(source))
    assert "entry 0 of the index" in told
    assert pusher.writes() == []


def test_a_tag_that_must_not_be_replaced(pusher: Pusher, source: str) -> None:
    told = str(pusher.refused(source, existing_tags="fail"))
    assert "the tag 1.0 points to another image" in told
    assert pusher.writes() == []
    kept = pusher.push(source, existing_tags="keep")
    assert not kept["changed"]
    assert "is kept" in kept["zones"][0]["reason"]
