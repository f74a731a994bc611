# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's playbooks, run on local zones that have images."""

from __future__ import annotations

import sys
from typing import Any

from tests.integration.images import Images
from tests.integration.playbook import PlaybookResult, run_playbook
from tests.zone import Zone


def run(images: Images, playbook: str, *, check: bool = False, **variables: Any) -> PlaybookResult:
    """Run a playbook of the collection on all zones, with variables that start with appuio_."""
    hosts = {
        zone.name: {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "appuio_zone": zone.name,
            "appuio_registry": zone.registry,
            "appuio_host": zone.host,
            "appuio_token": images.tokens[zone.name],
            "appuio_ca_cert": zone.ca_file,
            "appuio_retries": 1,
            "appuio_retry_delay": 0.1,
        }
        for zone in images.zones
    }
    given = {"namespace": images.project, **variables}
    return run_playbook(
        f"appuio.registry.{playbook}",
        images.folder,
        inventory={"all": {"hosts": hosts}},
        extra_vars={f"appuio_{name}": value for name, value in given.items()},
        check=check,
    )


def quota(zone: Zone, project: str, tags: int) -> None:
    """Limit a project to 20 ImageStreams and some tags; the zone counts them, and enforces the first only."""
    hard = {"openshift.io/imagestreams": "20", "openshift.io/imagestreamtags": str(tags)}
    metadata = {"name": "organization-objects", "namespace": project}
    zone.put_object({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": hard}})
