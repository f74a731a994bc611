# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults in the middle of a push: it goes on, or every tag in every zone stays as it was."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import Descriptor
from ansible_collections.appuio.registry.plugins.module_utils._push.mount_cache import MountCache
from ansible_collections.appuio.registry.plugins.module_utils._user_cache import cache_from

from tests.image import make_layout
from tests.integration.push import Pusher
from tests.zone import Distribution

pytestmark = pytest.mark.thorough  # in this process, without ansible-core
MIB = 1 << 20


@pytest.fixture
def source(tmp_path: Path, pusher: Pusher) -> str:
    """A newer image of some size than the one that every zone has under the tag."""
    make_layout(tmp_path / "old", seed="old")
    pusher.push(f"oci:{tmp_path / 'old'}")
    make_layout(tmp_path / "app", seed="new", size=2 * MIB, platforms=("linux/amd64",))
    pusher.clear()
    return f"oci:{tmp_path / 'app'}"


@pytest.mark.parametrize(
    ("action", "options"),
    [
        ("status", {"status": 503, "method": "POST", "path": "/blobs/uploads/"}),
        ("status", {"status": 429, "retry_after": "0", "method": "PUT", "path": "/manifests/"}),
        ("status", {"status": 400, "method": "HEAD", "path": "/manifests/"}),
        ("reset_request", {"after_bytes": MIB, "method": "PUT", "path": "/blobs/uploads/"}),
        ("reset_request", {"after_bytes": 0, "method": "PUT", "path": "/blobs/uploads/"}),
        ("lose_answer", {"method": "PUT", "path": "/blobs/uploads/"}),
        ("lose_answer", {"method": "PUT", "path": "/manifests/1.0"}),
        ("lose_answer", {"method": "POST", "path": "/blobs/uploads/"}),
    ],
)
def test_what_passes_is_survived(pusher: Pusher, source: str, action: str, options: dict[str, object]) -> None:
    fault = pusher.zones[1].faults.add(action, side="registry", count=1, **options)
    result = pusher.push(source, retries=3)
    assert pusher.zones[1].faults.hits(fault) == 1
    assert pusher.tags() == [{"1.0": result["digest"]}] * 3
    assert not pusher.push(source)["changed"]


@pytest.mark.parametrize(
    ("action", "options"),
    [
        ("status", {"status": 503, "method": "PUT", "path": "/manifests/1.0"}),
        ("status", {"status": 403, "method": "PUT", "path": "/manifests/1.0"}),
        ("status", {"status": 500, "method": "PUT", "path": "/blobs/uploads/"}),
        ("reset_request", {"after_bytes": 1000, "method": "PUT|PATCH", "path": "/blobs/uploads/"}),
        ("disk_full", {"after_bytes": 1000, "method": "PUT|PATCH"}),
        ("revoke_token", {"method": "PUT", "path": "/blobs/uploads/", "count": 1}),
    ],
)
def test_what_stays_leaves_every_tag_as_it_was(
    pusher: Pusher, source: str, action: str, options: dict[str, object]
) -> None:
    before = pusher.tags()
    pusher.zones[2].faults.add(action, side="registry", **options)
    error = pusher.refused(source, tags=["1.0", "new"])
    assert pusher.zones[2].registry in str(error)
    assert [tags.get("1.0") for tags in pusher.tags()] == [tags["1.0"] for tags in before]
    assert [zone["failed"] for zone in error.result["zones"]] == [True] * 3
    assert not error.result["changed"]
    assert all("new" not in tags for tags in pusher.tags())


def test_what_was_moved_goes_back(pusher: Pusher, source: str) -> None:
    """The last zone refuses its tag, when the others have moved theirs, of which one was new."""
    before = pusher.tags()
    pusher.zones[2].faults.add("status", side="registry", status=403, method="PUT", path="/manifests/new")
    error = pusher.refused(source, tags=["1.0", "new"])
    assert pusher.tags() == before
    assert [zone["rolled_back"] for zone in error.result["zones"]] == [True, True, True]
    assert [zone["previous_digest"] for zone in error.result["zones"]] == [{**tags, "new": None} for tags in before]


def test_without_atomic_each_zone_goes_its_way(pusher: Pusher, source: str) -> None:
    before = pusher.tags()
    pusher.zones[0].faults.add("status", side="registry", status=403, method="PUT", path="/manifests/")
    error = pusher.refused(source, atomic=False)
    digest = error.result["digest"]
    assert pusher.tags() == [before[0], {"1.0": digest}, {"1.0": digest}]
    assert [zone["failed"] for zone in error.result["zones"]] == [True, False, False]


@pytest.mark.parametrize("auth", ["anonymous", "basic", "token"])
def test_a_source_is_read_once_for_all_zones(pusher: Pusher, tmp_path: Path, auth: str) -> None:
    make_layout(tmp_path / "app", seed=auth, size=MIB)
    with Distribution(auth=auth) as registry:
        options = {"source_ca_cert": registry.ca_file, "source_username": "reader", "source_password": "secret"}
        _fill(registry, tmp_path)
        registry.clear_requests()
        result = pusher.push(f"docker://{registry.registry}/base/app:2.0", **options)
        read = [one["path"] for one in registry.requests() if one["method"] == "GET" and "/blobs/" in one["path"]]
    assert result["zones"][0]["reference"].endswith("/app:1.0")
    assert pusher.tags() == [{"1.0": result["digest"]}] * 3
    assert len(read) == len(set(read)) == result["zones"][0]["blobs"]["uploaded"]


def test_a_quota_that_is_used_up(pusher: Pusher, source: str) -> None:
    zone = pusher.zones[1]
    zone.put_object(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "images", "namespace": pusher.project},
            "spec": {"hard": {"openshift.io/imagestreams": "1"}},
        }
    )
    subject = {"kind": "ServiceAccount", "name": "image-pusher", "namespace": pusher.project}
    told = "leaves 0 of 1 imagestreams, and 1 are needed"
    # As long as the quota may not be read, nothing is said of it.
    assert "warnings" not in pusher.push(source, name="second", check=True, check_quota="fail")
    zone.bind(pusher.project, "view", subject)
    assert told in str(pusher.refused(source, name="second", check_quota="fail"))
    assert pusher.writes() == []
    check = pusher.push(source, name="second", check=True)
    assert told in check["warnings"][0]
    assert "warnings" not in pusher.push(source, name="second", check=True, check_quota="ignore")
    assert "warnings" not in pusher.push(source, tags=["2.0"], check=True)


def test_what_another_repository_has_is_mounted(pusher: Pusher, tmp_path: Path) -> None:
    make_layout(tmp_path / "app", seed="mount", size=100_000, platforms=("linux/amd64",))
    environment = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    pusher.push(f"oci:{tmp_path / 'app'}", name="base", environment=environment)
    mounted = pusher.push(f"oci:{tmp_path / 'app'}", name="child", environment=environment)
    assert [zone["blobs"] for zone in mounted["zones"]] == [{"uploaded": 1, "mounted": 2, "existing": 0}] * 3
    # What is noted is wrong: the blobs are sent as if nothing had been noted.
    make_layout(tmp_path / "new", seed="not mounted", size=100_000, platforms=("linux/amd64",))
    mounts = MountCache(cache_from(environment))
    for file in (tmp_path / "new/blobs/sha256").iterdir():
        for zone in pusher.zones:
            blob = Descriptor("", f"sha256:{file.name}", file.stat().st_size)
            mounts.add(zone.registry, f"{pusher.project}/nowhere", blob)
    sent = pusher.push(f"oci:{tmp_path / 'new'}", environment=environment)
    assert [zone["blobs"]["uploaded"] for zone in sent["zones"]] == [3] * 3
    tried = [path for path in pusher.asked()[0] if "mount=" in path and "nowhere" in path]
    assert len(tried) == 2


def _fill(registry: Distribution, tmp_path: Path) -> None:
    subprocess.run(
        [
            *("skopeo", "copy", "--all", "--dest-tls-verify=false", "--dest-creds", "reader:secret"),
            *(f"oci:{tmp_path / 'app'}", f"docker://{registry.registry}/base/app:2.0"),
        ],
        check=True,
        capture_output=True,
    )
