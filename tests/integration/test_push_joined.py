# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One index of several sources in the local zones."""

from __future__ import annotations

import json
from pathlib import Path

from tests.image import make_layout
from tests.image.archive import save_archive
from tests.integration.push import Pusher


def test_an_index_of_layouts_an_archive_and_a_registry(pusher: Pusher, tmp_path: Path) -> None:
    first = pusher.zones[0]
    make_layout(tmp_path / "arm64", platforms=("linux/arm64",), media="docker")
    made = pusher.push(f"oci:{make_attested(tmp_path)}", name="built", zones=pusher.entries(first))
    sources = [
        f"oci:{tmp_path / 'arm64'}",
        {"source": f"docker://{first.registry}/{pusher.project}/built:1.0", "platform": "linux/s390x"},
    ]
    login = {"source_username": "any", "source_password": pusher.tokens[first.name], "source_ca_cert": first.ca_file}
    predicted = pusher.push(None, check=True, sources=sources, **login)
    pushed = pusher.push(None, sources=sources, expected_digest=predicted["digest"], **login)
    assert pusher.tags() == [{"1.0": pushed["digest"]}] * 3
    index = json.loads(pusher.read(pusher.zones[2], "manifests/1.0"))
    assert [entry["platform"]["architecture"] for entry in index["manifests"]] == ["arm64", "s390x", "unknown"]
    assert made["platforms"] == ["linux/s390x"]
    for entry in index["manifests"]:
        assert json.loads(pusher.read(pusher.zones[2], f"manifests/{entry['digest']}"))["layers"]
    pusher.clear()
    assert not pusher.push(None, sources=sources[::-1], **login)["changed"]
    assert [lines[-1:] for lines in pusher.asked()[1:]] == [["HEAD manifests/1.0"]] * 2
    assert [len(lines) for lines in pusher.asked()[1:]] == [1, 1]

    save_archive(tmp_path / "amd64.tar", tmp_path / "saved")
    more = [*sources, f"docker-archive:{tmp_path / 'amd64.tar'}"]
    joined = pusher.push(None, sources=more, existing_tags="overwrite", **login)
    assert joined["platforms"] == ["linux/amd64", "linux/arm64", "linux/s390x"]
    assert [zone["previous_digest"] for zone in joined["zones"]] == [{"1.0": pushed["digest"]}] * 3
    pusher.clear()
    again = pusher.push(None, sources=more, **login)
    assert (again["changed"], again["digest"]) == (False, joined["digest"])
    assert pusher.writes() == []


def make_attested(folder: Path) -> Path:
    """Return a layout with an image for one platform and what attests it, as buildx leaves it."""
    make_layout(folder / "s390x", platforms=("linux/s390x",), attestations=True)
    return folder / "s390x"
