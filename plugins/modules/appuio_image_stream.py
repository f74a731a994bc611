#!/usr/bin/python
# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create, change and remove image streams."""

from __future__ import annotations

DOCUMENTATION = r"""
module: appuio_image_stream
short_description: Create, change and remove image streams
version_added: 0.1.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Creates, changes or removes an image stream, which is a repository of a zone's registry, in one or several zones.
  - Created beforehand, it can be pushed to by an account that may not create any (C(system:image-pusher)).
  - With O(import_from), tags of it stand for images of registries elsewhere, which the zone imports, and keeps up to
    date with O(scheduled).
  - What is not set stays as it is, that is, other labels, annotations and tags.
  - Removed, it no longer counts in the quota. One that something uses is not removed.
  - Each zone goes its own way.
extends_documentation_fragment:
  - appuio.registry.zone
  - appuio.registry.zone.several
  - appuio.registry.credentials
  - appuio.registry.connection
  - appuio.registry.attributes
  - appuio.registry.attributes.action_group
options:
  name:
    description: Name of the image stream in O(namespace).
    type: str
    required: true
  state:
    description:
      - V(present) creates it, or changes what differs.
      - V(absent) removes it with all its tags and their history.
    type: str
    choices: [present, absent]
    default: present
  local_lookup:
    description:
      - Whether workloads of O(namespace) may name its images without the registry, as V(frontend:1.4.2).
      - By default, it stays as it is, which is V(false) for a new one.
    type: bool
  labels:
    description: Labels to set. One whose value is null is removed. Others stay.
    type: dict
  annotations:
    description: Annotations to set. One whose value is null is removed. Others stay.
    type: dict
  import_from:
    description:
      - Images elsewhere, as V(docker.io/library/nginx:1.27), each of which gets the tag of its name, or V(latest).
      - The zone imports them by itself within a moment. RV(appuio.registry.appuio_image_info#module:zones[].tags) shows
        what has come of it. Credentials for their registries are those of the pull Secrets of O(namespace).
      - A tag that was pushed is not moved to an image elsewhere. The task fails before anything changes.
      - Tags that were imported earlier and are no longer named stay.
    type: list
    elements: str
    default: []
  scheduled:
    description: Whether the zone imports O(import_from) again and again, as a rule every 15 minutes.
    type: bool
    default: false
  reference_policy:
    description:
      - From where workloads pull what was imported. V(source) is the registry of O(import_from). V(local) is the zone's
        own, which fetches from there what it does not hold yet, and keeps it.
    type: str
    choices: [source, local]
    default: source
  protect_in_use:
    description:
      - Whether an image stream that workloads use, or that tags of others follow, stays. Then V(absent) fails. What
        counts as use is what counts for O(appuio.registry.appuio_image_prune#module:protect_in_use).
    type: bool
    default: true
  workload_namespaces:
    description: Other namespaces whose workloads use these images, so that they have to be readable.
    type: list
    elements: str
    default: []
  ignore_unreadable:
    description: Kinds and namespaces that need not be readable, as V(BuildConfig). What they use is not protected.
    type: list
    elements: str
    default: []
requirements:
  - kubernetes
  - openshift
notes:
  - O(namespace) is required, in the task or in each entry of O(zones).
  - This takes the rights of C(registry-editor) in the namespace, and C(view) to read workloads.
  - When the task is told to stop (SIGTERM, SIGINT, SIGHUP), the answers to what was asked of the zones are waited for,
    ten seconds at most, nothing more is begun, and the result says which zones were stopped at which step.
seealso:
  - module: appuio.registry.appuio_image_push
  - module: appuio.registry.appuio_image_prune
"""

EXAMPLES = r"""
- name: Make a repository that pods can name without its registry
  appuio.registry.appuio_image_stream:
    zone: cloudscale-lpg-2
    namespace: shop
    token: "{{ appuio_token }}"
    name: frontend
    local_lookup: true
    labels:
      team: web

- name: Keep a base image up to date in two zones, and pull it through their registries
  appuio.registry.appuio_image_stream:
    zones:
      - zone: cloudscale-lpg-2
        token: "{{ appuio_tokens['cloudscale-lpg-2'] }}"
      - zone: exoscale-ch-gva-2-0
        token: "{{ appuio_tokens['exoscale-ch-gva-2-0'] }}"
    namespace: shop
    name: nginx
    import_from:
      - docker.io/library/nginx:1.27
      - docker.io/library/nginx:1.28
    scheduled: true
    reference_policy: local

- name: Free the quota of a repository that nobody needs
  appuio.registry.appuio_image_stream:
    zone: cloudscale-lpg-2
    namespace: shop
    token: "{{ appuio_token }}"
    name: experiment
    state: absent
"""

RETURN = r"""
reason:
  description: Why it changed or did not, or how many zones changed.
  type: str
  returned: always
  sample: it does not exist yet
zones:
  description: What happened in each zone, or would happen in check mode.
  type: list
  elements: dict
  returned: always
  contains:
    zone:
      description: The zone, or its registry where no zone was named.
      type: str
    registry:
      description: The zone's registry, null where only O(host) is known.
      type: str
    namespace:
      description: The namespace.
      type: str
    name:
      description: Name of the image stream.
      type: str
    reference:
      description: Where it can be pulled from, without a tag.
      type: str
    exists:
      description: Whether it exists afterwards. It is null where that is not known.
      type: bool
    changed:
      description: Whether it was created, changed or removed.
      type: bool
    reason:
      description: Why.
      type: str
    failed:
      description: Whether this zone failed.
      type: bool
    error:
      description: Why it failed.
      type: str
"""

from typing import Any

from ansible_collections.appuio.registry.plugins.module_utils._runner import RunContext, run_module
from ansible_collections.appuio.registry.plugins.module_utils._stream.options import SPEC
from ansible_collections.appuio.registry.plugins.module_utils._stream.task import StreamTask, stream_task


def start(options: dict[str, Any], context: RunContext) -> StreamTask:
    """Return the task that the options describe; raises InvalidOptionError."""
    return stream_task(options, context)


def main() -> None:
    """Run the module."""
    run_module(SPEC, start)


if __name__ == "__main__":
    main()
