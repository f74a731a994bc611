#!/usr/bin/python
# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask which rights are missing in a namespace, and what its quota leaves."""

from __future__ import annotations

DOCUMENTATION = r"""
module: appuio_access_info
short_description: Show missing permissions in a namespace, and its remaining quota
version_added: 1.0.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Checks with the API of one or several zones whether the credential has certain permissions, and how many
    ImageStreams, tags, Secrets and other objects the quota of the namespace still allows.
  - The task does not fail if a permission is missing. It is listed in RV(problems), so that a playbook can decide.
  - The modules M(appuio.registry.appuio_registry_account) and M(appuio.registry.appuio_registry_access) do the same
    before they change anything.
extends_documentation_fragment:
  - appuio.registry.zone
  - appuio.registry.zone.several
  - appuio.registry.credentials
  - appuio.registry.connection
  - appuio.registry.attributes.info
  - appuio.registry.attributes.action_group
options:
  rights:
    description:
      - The permissions that are needed in O(namespace).
      - The quota has to allow for one object for each entry with the verb V(create).
    type: list
    elements: dict
    default: []
    suboptions:
      verb:
        description: The verb, for example V(get), V(list), V(create), V(update), V(patch) or V(delete).
        type: str
        required: true
      resource:
        description: The resource, in the plural and with a subresource if there is one, for example
          V(imagestreams/layers).
        type: str
        required: true
      group:
        description: Its API group. Empty for the core group.
        type: str
        default: ""
  roles:
    description:
      - ClusterRoles to bind in the namespace. Users can only grant permissions that they have, so the API is asked to
        bind each role in a dry run, which stores nothing.
      - They are only checked if no permission of O(rights) is missing.
    type: list
    elements: str
    default: []
requirements:
  - kubernetes
  - openshift
notes:
  - A push requires V(update) on V(imagestreams/layers) of the group V(image.openshift.io), and V(create) on
    V(imagestreams) for a new repository. A pull requires V(get) on V(imagestreams/layers).
"""

EXAMPLES = r"""
- name: See whether a pusher may push and make image streams
  appuio.registry.appuio_access_info:
    zone: cloudscale-lpg-2
    namespace: shop
    token: "{{ image_pusher_token }}"
    rights:
      - verb: update
        group: image.openshift.io
        resource: imagestreams/layers
      - verb: create
        group: image.openshift.io
        resource: imagestreams
  register: access

- name: Say what is missing
  ansible.builtin.debug:
    msg: "{{ access.problems }}"
  when: not access.sufficient

- name: See in all zones what is left before a rollout
  appuio.registry.appuio_access_info:
    zones: [cloudscale-lpg-2, exoscale-ch-gva-2-0]
    namespace: shop
    kubeconfig: ~/.kube/config
"""

RETURN = r"""
sufficient:
  description: Whether no permission is missing and the quota is sufficient, in all zones.
  type: bool
  returned: success
  sample: false
problems:
  description: The missing permissions and quota, as sentences.
  type: list
  elements: str
  returned: without O(zones)
  sample: ["the right to create secrets in the namespace shop is missing"]
missing:
  description: The permissions of O(rights) that are missing.
  type: list
  elements: str
  returned: without O(zones)
  sample: [create secrets]
refused:
  description: The roles of O(roles) that cannot be granted, with the reason of the API.
  type: dict
  returned: without O(zones)
  sample: {}
quota:
  description:
    - The limits for images and pushers. C(used) and C(left) are empty if the zone does not count.
  type: list
  elements: dict
  returned: without O(zones)
  sample:
    - quota: organization-objects
      resource: imagestreams
      hard: 20
      used: 7
      left: 13
quota_known:
  description: Whether the quota could be read.
  type: bool
  returned: without O(zones)
  sample: true
namespace:
  description: The namespace.
  type: str
  returned: without O(zones)
  sample: shop
zones:
  description: The same values for each zone, with its name. For zones that failed, C(failed) is V(true), and C(error)
    is set.
  type: list
  elements: dict
  returned: with O(zones)
msg:
  description: The problems in one line.
  type: str
  returned: without O(zones)
  sample: "the right to create secrets in the namespace shop is missing"
"""

from ansible_collections.appuio.registry.plugins.module_utils._access.info import SPEC, access_info_task
from ansible_collections.appuio.registry.plugins.module_utils._runner import run_module


def main() -> None:
    """Run the module."""
    run_module(SPEC, access_info_task)


if __name__ == "__main__":
    main()
