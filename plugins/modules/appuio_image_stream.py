#!/usr/bin/python
# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create, change and remove image streams."""

from __future__ import annotations

DOCUMENTATION = r"""
module: appuio_image_stream
short_description: Create, change and delete ImageStreams
version_added: 1.0.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Creates, changes or deletes an ImageStream, which is a repository of a zone's registry, in one or several zones.
  - Service accounts that cannot create ImageStreams (C(system:image-pusher)) can push to one that exists.
  - With O(import_from), tags point to images of other registries, which the zone imports, and updates with
    O(scheduled).
  - Other labels, annotations and tags are not changed.
  - A deleted ImageStream no longer counts towards the quota. An ImageStream that is in use is not deleted.
  - The zones are independent.
extends_documentation_fragment:
  - appuio.registry.zone
  - appuio.registry.zone.several
  - appuio.registry.credentials
  - appuio.registry.connection
  - appuio.registry.attributes
  - appuio.registry.attributes.action_group
options:
  name:
    description: Name of the ImageStream in O(namespace).
    type: str
    required: true
  state:
    description:
      - V(present) creates it, or changes values that differ.
      - V(absent) deletes it with all its tags and their history.
    type: str
    choices: [present, absent]
    default: present
  local_lookup:
    description:
      - Whether workloads of O(namespace) can use its images without the name of the registry, for example
        V(frontend:1.4.2).
      - By default, it is not changed, and V(false) for a new ImageStream.
    type: bool
  labels:
    description: Labels to set. A label whose value is null is removed. Other labels are kept.
    type: dict
  annotations:
    description: Annotations to set. An annotation whose value is null is removed. Other annotations are kept.
    type: dict
  import_from:
    description:
      - Images in other registries, for example V(docker.io/library/nginx:1.27). Each is imported to the tag of its
        reference, or V(latest).
      - The zone imports them shortly afterwards. RV(appuio.registry.appuio_image_info#module:zones[].tags) shows the
        result. The zone uses the credentials in the pull Secrets of O(namespace).
      - If the tag was pushed, it is not replaced by an import. The task fails before anything is changed.
      - Tags that were imported earlier and are no longer listed are kept.
    type: list
    elements: str
    default: []
  scheduled:
    description: Whether the zone imports O(import_from) regularly, usually every 15 minutes.
    type: bool
    default: false
  reference_policy:
    description:
      - The registry from which workloads pull imported images. V(source) is the registry of O(import_from). V(local) is
        the zone's registry, which downloads missing content from there and stores it.
    type: str
    choices: [source, local]
    default: source
  protect_in_use:
    description:
      - Whether to keep an ImageStream that workloads use, or that tags of other ImageStreams follow. V(absent) then
        fails. Use is determined as for O(appuio.registry.appuio_image_prune#module:protect_in_use).
    type: bool
    default: true
  workload_namespaces:
    description: Other namespaces whose workloads use these images. They must be readable.
    type: list
    elements: str
    default: []
  ignore_unreadable:
    description: Kinds and namespaces that need not be readable, for example V(BuildConfig). Images that they use are
      not protected.
    type: list
    elements: str
    default: []
requirements:
  - kubernetes
  - openshift
notes:
  - O(namespace) is required, in the task or in each entry of O(zones).
  - This requires the role C(registry-editor) in the namespace, and C(view) to read workloads.
  - When the task receives a signal to stop (SIGTERM, SIGINT, SIGHUP), it waits at most ten seconds for the answers of
    the zones and starts nothing else, and the result contains which zones were stopped at which step.
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
  description: Why it was changed or not, or how many zones changed.
  type: str
  returned: always
  sample: it does not exist yet
zones:
  description: The result of each zone. In check mode, it is the predicted result.
  type: list
  elements: dict
  returned: always
  contains:
    zone:
      description: The zone, or its registry if no zone was set.
      type: str
    registry:
      description: The zone's registry, null if only O(host) is set.
      type: str
    namespace:
      description: The namespace.
      type: str
    name:
      description: Name of the ImageStream.
      type: str
    reference:
      description: Reference of the image, without a tag.
      type: str
    exists:
      description: Whether it exists afterwards. It is null if that is not known.
      type: bool
    changed:
      description: Whether it was created, changed or deleted.
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

from ansible_collections.appuio.registry.plugins.module_utils._runner import run_module
from ansible_collections.appuio.registry.plugins.module_utils._stream.options import SPEC
from ansible_collections.appuio.registry.plugins.module_utils._stream.task import stream_task


def main() -> None:
    """Run the module."""
    run_module(SPEC, stream_task)


if __name__ == "__main__":
    main()
