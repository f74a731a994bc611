#!/usr/bin/python
# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask which rights are missing in a namespace, and what its quota leaves."""

from __future__ import annotations

DOCUMENTATION = r"""
module: appuio_access_info
short_description: Ask which rights are missing in a namespace, and what its quota leaves
version_added: 0.1.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Asks the API of one or several zones whether somebody has the rights for a piece of work, before any of it is done,
    and how many ImageStreams, tags, Secrets and the like the quota of the namespace leaves.
  - A missing right is no failure. It is listed in RV(problems), so that a playbook can decide.
  - The modules M(appuio.registry.appuio_registry_account) and M(appuio.registry.appuio_registry_access) ask the same
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
      - The rights that are needed in O(namespace).
      - As many objects of a kind as there are entries with the verb V(create) for it have to fit into the quota.
    type: list
    elements: dict
    default: []
    suboptions:
      verb:
        description: What is to be done, V(get), V(list), V(create), V(update), V(patch), V(delete) and the like.
        type: str
        required: true
      resource:
        description: With what, in the plural and with a subresource where there is one, V(imagestreams/layers).
        type: str
        required: true
      group:
        description: Its API group. Empty for the core group.
        type: str
        default: ""
  roles:
    description:
      - ClusterRoles that are to be bound in the namespace. Nobody can grant rights that they do not have, so the API is
        asked to bind each of them in a dry run, which stores nothing.
      - They are only asked when no right of O(rights) is missing.
    type: list
    elements: str
    default: []
requirements:
  - kubernetes
  - openshift
notes:
  - To push takes V(update) on V(imagestreams/layers) of the group V(image.openshift.io), and V(create) on
    V(imagestreams) for a repository that is new. To pull takes V(get) on V(imagestreams/layers).
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
  description: Whether no right is missing and the quota is enough, in all zones.
  type: bool
  returned: success
  sample: false
problems:
  description: What is missing, a sentence each.
  type: list
  elements: str
  returned: without O(zones)
  sample: ["the right to create secrets in the namespace shop is missing"]
missing:
  description: The rights of O(rights) that are missing.
  type: list
  elements: str
  returned: without O(zones)
  sample: [create secrets]
refused:
  description: The roles of O(roles) that may not be granted, with the API's reason.
  type: dict
  returned: without O(zones)
  sample: {}
quota:
  description:
    - The limits that concern images and pushers. C(used) and C(left) are empty where the zone does not count.
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
  description: Whether the quota may be read.
  type: bool
  returned: without O(zones)
  sample: true
namespace:
  description: The namespace.
  type: str
  returned: without O(zones)
  sample: shop
zones:
  description: The same for each zone, with its name. Zones that failed have V(true) in C(failed), and C(error).
  type: list
  elements: dict
  returned: with O(zones)
msg:
  description: The problems in one line.
  type: str
  returned: without O(zones)
  sample: "the right to create secrets in the namespace shop is missing"
"""

from typing import Any

from ansible_collections.appuio.registry.plugins.module_utils._access_info.task import (
    SPEC,
    AccessInfoTask,
    access_info_task,
)
from ansible_collections.appuio.registry.plugins.module_utils._runner import run_module
from ansible_collections.appuio.registry.plugins.module_utils._targets import RunContext


def start(options: dict[str, Any], context: RunContext) -> AccessInfoTask:
    """Return the task that the options describe; raises InvalidOptionError."""
    return access_info_task(options, context)


def main() -> None:
    """Run the module."""
    run_module(SPEC, start)


if __name__ == "__main__":
    main()
