# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that know nothing of our zones get from them what OpenShift's registry and API gave the same clients."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.image import make_layout
from tests.zone import Distribution, Zone
from tests.zone.client import GUARD

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def project(fresh_project: Callable[..., str]) -> str:
    return fresh_project("clients")


@pytest.fixture
def run(tmp_path: Path, zone: Zone) -> Run:
    """Run a client with the zone's authority trusted and an auth file of its own."""
    certificates = tmp_path / "certificates"
    certificates.mkdir()
    shutil.copy(zone.registry_ca_file, certificates / "ca.crt")

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        known = {"CERTS": str(certificates), "AUTH": str(tmp_path / "auth.json")}
        command = [known.get(word, word) for word in words]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=GUARD)

    return run


@pytest.fixture
def layout(tmp_path: Path) -> tuple[str, str]:
    """An image for two platforms: what skopeo calls it, and its digest."""
    return f"oci:{tmp_path / 'layout'}", make_layout(tmp_path / "layout")


@pytest.mark.parametrize("client", ["skopeo", "podman"])
def test_login(zone: Zone, project: str, run: Run, client: str) -> None:
    words = (client, "login", "--authfile", "AUTH", "--cert-dir", "CERTS", "-u", "serviceaccount", "-p")
    assert "invalid username/password" in run(*words, "wrong", zone.registry).stderr
    good = run(*words, zone.token_for(project, "idle", ""), zone.registry)
    assert (good.returncode, good.stdout.strip()) == (0, "Login Succeeded!")


def test_skopeo_copies_an_index_and_reads_it_back(
    zone: Zone,
    project: str,
    run: Run,
    layout: tuple[str, str],
    tmp_path: Path,
) -> None:
    source, digest = layout
    credentials = f"x:{zone.token_for(project, 'pusher')}"
    target = f"docker://{zone.registry}/{project}/app"
    copied = run(
        "skopeo", "copy", "--all", "--dest-creds", credentials, "--dest-cert-dir", "CERTS", source, f"{target}:v1"
    )
    assert copied.returncode == 0, copied.stderr
    assert zone.tags(project, "app") == {"v1": digest}
    shown = run("skopeo", "inspect", "--creds", credentials, "--cert-dir", "CERTS", f"{target}:v1")
    assert json.loads(shown.stdout)["Digest"] == digest
    assert json.loads(shown.stdout)["RepoTags"] == ["v1"]
    back = ("--src-creds", credentials, "--src-cert-dir", "CERTS", f"{target}:v1", f"oci:{tmp_path / 'back'}:v1")
    assert run("skopeo", "copy", "--all", *back).returncode == 0
    index = json.loads((tmp_path / "back" / "index.json").read_text())
    assert index["manifests"][0]["digest"] == digest


def test_skopeo_converts_to_docker_s_format(
    zone: Zone,
    project: str,
    run: Run,
    layout: tuple[str, str],
) -> None:
    credentials = f"x:{zone.token_for(project, 'pusher')}"
    target = f"docker://{zone.registry}/{project}/app:docker"
    words = ("--dest-creds", credentials, "--dest-cert-dir", "CERTS", "--format", "v2s2")
    copied = run("skopeo", "copy", *words, layout[0], target)
    assert copied.returncode == 0, copied.stderr
    raw = run("skopeo", "inspect", "--raw", "--creds", credentials, "--cert-dir", "CERTS", target)
    assert json.loads(raw.stdout)["mediaType"] == "application/vnd.docker.distribution.manifest.v2+json"


def test_skopeo_may_not_push_with_a_viewer_s_token_nor_delete(
    zone: Zone,
    project: str,
    run: Run,
    layout: tuple[str, str],
) -> None:
    target = f"docker://{zone.registry}/{project}/app:v1"
    viewer = f"x:{zone.token_for(project, 'viewer', 'registry-viewer')}"
    refused = run("skopeo", "copy", "--all", "--dest-creds", viewer, "--dest-cert-dir", "CERTS", layout[0], target)
    assert "authentication required" in refused.stderr
    assert zone.image_stream(project, "app") is None
    editor = f"x:{zone.token_for(project, 'editor')}"
    words = ("--dest-creds", editor, "--dest-cert-dir", "CERTS", layout[0], target)
    assert run("skopeo", "copy", "--all", *words).returncode == 0
    assert run("skopeo", "delete", "--creds", editor, "--cert-dir", "CERTS", target).returncode != 0
    assert zone.tags(project, "app")


@pytest.mark.parametrize("auth", ["anonymous", "basic", "token"])
def test_skopeo_pushes_to_a_plain_registry(tmp_path: Path, run: Run, layout: tuple[str, str], auth: str) -> None:
    with Distribution(tmp_path / "plain", tls=False, auth=auth, users={"writer": "pw"}) as plain:
        words = ["skopeo", "copy", "--all", "--dest-tls-verify=false"]
        target = f"docker://{plain.registry}/some/where/deep:1"
        assert (run(*words, layout[0], target).returncode == 0) is (auth == "anonymous")
        copied = run(*words, "--dest-creds", "writer:pw", layout[0], target)
        assert copied.returncode == 0, copied.stderr


def test_openshift_s_dynamic_client(zone: Zone, project: str) -> None:
    from kubernetes import client, config
    from openshift.dynamic import DynamicClient
    from openshift.dynamic.exceptions import ForbiddenError, NotFoundError

    dynamic = DynamicClient(config.new_client_from_config(zone.kubeconfig))
    streams = dynamic.resources.get(api_version="image.openshift.io/v1", kind="ImageStream")
    body = {"apiVersion": "image.openshift.io/v1", "kind": "ImageStream", "metadata": {"name": "app"}}
    made = streams.create(namespace=project, body=body)
    assert made.status.publicDockerImageRepository == f"{zone.registry}/{project}/app"
    assert [item.metadata.name for item in streams.get(namespace=project).items] == ["app"]
    with pytest.raises(NotFoundError):
        streams.get(name="none", namespace=project)
    limited = client.Configuration(
        host=zone.host, api_key={"authorization": f"Bearer {zone.token_for(project, 'idle', '')}"}
    )
    limited.ssl_ca_cert = zone.ca_file
    idle = DynamicClient(client.ApiClient(limited))
    secrets = idle.resources.get(api_version="v1", kind="Secret")
    with pytest.raises(ForbiddenError):
        secrets.get(namespace=project)
