# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a push tells a zone's API, and with which credential: each goes to the host that it is for, and nowhere else."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.image import make_layout
from tests.integration.push import Pusher
from tests.zone import Distribution, Zone

pytestmark = pytest.mark.thorough
QUOTA = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "spec": {"hard": {"openshift.io/imagestreams": "0"}},
}


def basic(username: str, password: str) -> str:
    return base64.b64encode(f"{username}:{password}".encode()).decode()


def api_requests(zone: Zone) -> list[dict[str, Any]]:
    return [one for one in zone.requests() if one["side"] == "api"]


@pytest.fixture
def source(tmp_path: Path) -> str:
    make_layout(tmp_path / "app", seed="new", platforms=("linux/amd64",))
    return f"oci:{tmp_path / 'app'}"


@pytest.mark.parametrize("given", ["option", "environment"])
def test_the_password_of_a_registry_never_goes_to_an_api(
    pusher: Pusher, source: str, tmp_path: Path, given: str
) -> None:
    """A new tag makes a push look at the quota, with a credential that was stored for another host."""
    zone, auth_file = pusher.zones[0], tmp_path / "auth.json"
    with Distribution(auth="basic") as registry:
        auth_file.write_text(json.dumps({"auths": {registry.registry: {"auth": basic("reader", "secret")}}}))
        entry = {
            "registry": registry.registry,
            "host": zone.host,
            "ca_cert": str(zone.ca_file),
            "registry_ca_cert": str(registry.ca_file),
        }
        environment = {}
        if given == "option":
            entry["auth_file"] = str(auth_file)
        else:
            environment = {"REGISTRY_AUTH_FILE": str(auth_file)}
        result = pusher.push(source, zones=[entry], environment=environment)
    assert result["changed"]
    assert api_requests(zone) == []


def kubeconfig(zone: Zone, path: Path, token: str) -> str:
    authority = base64.b64encode(Path(zone.ca_file).read_bytes()).decode()
    cluster = {"server": zone.host, "certificate-authority-data": authority}
    document = {
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "me"}}],
        "clusters": [{"name": "it", "cluster": cluster}],
        "users": [{"name": "me", "user": {"token": token}}],
    }
    path.write_text(yaml.safe_dump(document))
    return str(path)


def test_with_a_kubeconfig_a_new_tag_is_taken_back_and_the_quota_is_read(
    pusher: Pusher, source: str, tmp_path: Path
) -> None:
    """Server and authority of the API stand in the kubeconfig alone."""
    entries = [
        {
            "registry": zone.registry,
            "registry_ca_cert": str(zone.registry_ca_file),
            "kubeconfig": kubeconfig(zone, tmp_path / f"{number}.yml", pusher.tokens[zone.name]),
        }
        for number, zone in enumerate(pusher.zones)
    ]
    last = max(pusher.zones, key=lambda zone: zone.registry)
    last.faults.add("status", side="registry", status=403, method="PUT", path="/manifests/1.0")
    error = pusher.refused(source, zones=entries)
    assert pusher.tags() == [{}, {}, {}]
    assert sorted(zone["rolled_back"] for zone in error.result["zones"]) == [False, True, True]
    zone = pusher.zones[0]
    zone.put_object({**QUOTA, "metadata": {"name": "images", "namespace": pusher.project}})
    subject = {"kind": "ServiceAccount", "name": "image-pusher", "namespace": pusher.project}
    zone.bind(pusher.project, "view", subject)
    check = pusher.push(source, zones=entries, name="second", check=True)
    assert "leaves 0 of 0 imagestreams, and 1 are needed" in check["warnings"][0]


def test_a_pusher_that_cannot_remove_a_tag_again_is_told_so_in_check_mode(pusher: Pusher, source: str) -> None:
    zone = pusher.zones[1]
    token = zone.token_for(pusher.project, "builder-only", "system:image-builder")
    entries = [*pusher.entries(pusher.zones[0]), *pusher.entries(zone, token=token)]
    check = pusher.push(source, zones=entries, check=True)
    assert len(check["warnings"]) == 1
    assert f"zone {zone.registry}: the credential may not remove tags" in check["warnings"][0]
    assert pusher.writes() == []
