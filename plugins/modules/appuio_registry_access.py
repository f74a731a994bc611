#!/usr/bin/python
# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may pull from and push into the registry of a namespace, and its pull Secrets."""

from __future__ import annotations

DOCUMENTATION = r"""
module: appuio_registry_access
short_description: Say who may pull images from a namespace and push into it
version_added: 0.1.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Grants users, groups and service accounts, also those of other namespaces, the right to pull from or to push into
    the registry of a namespace (project) in one or several zones, and creates pull Secrets for other registries.
  - The rights are in two role bindings that belong to this module. Who has a right by another binding, as C(oc policy
    add-role-to-user) makes one, gets no second one.
  - Before anything is changed, the zone is asked whether the rights and the quota are enough for it.
  - The role P(appuio.registry.registry_access#role) calls this module.
extends_documentation_fragment:
  - appuio.registry.zone
  - appuio.registry.zone.several
  - appuio.registry.credentials
  - appuio.registry.connection
  - appuio.registry.attributes
  - appuio.registry.attributes.action_group
options:
  token:
    description:
      - A token of somebody who may change role bindings, for example an admin of the namespace.
      - Without any credential in the task, the environment variable E(APPUIO_TOKEN) is used, then
        E(K8S_AUTH_API_KEY).
    type: str
    aliases: [api_key]
  auth_file:
    description:
      - Path of a file with credentials stored for the registry. What it holds has to be a token of the zone's API.
    type: path
  state:
    description:
      - Whether the access is to be there. V(absent) deletes the two bindings and the pull Secrets that this module
        has created, whoever is named in them.
    type: str
    choices: [present, absent]
    default: present
  viewers:
    description: Who may pull.
    type: list
    elements: dict
    default: []
    suboptions: &subject
      kind:
        description: What it is.
        type: str
        choices: [User, Group, ServiceAccount]
        required: true
      name:
        description:
          - Its name. The group C(system:serviceaccounts:<namespace>) is all service accounts of another namespace, so
            that its workloads can pull from this one.
        type: str
        required: true
      namespace:
        description: The namespace of a service account. By default this one.
        type: str
  editors:
    description: Who may pull and push.
    type: list
    elements: dict
    default: []
    suboptions: *subject
  viewer_role:
    description: The ClusterRole of those who may pull, V(registry-viewer) or V(system:image-puller).
    type: str
    default: registry-viewer
  editor_role:
    description:
      - The ClusterRole of those who may push. V(registry-editor) may also read and write every Secret of the
        namespace, V(system:image-builder) may not.
    type: str
    default: registry-editor
  viewer_binding:
    description: Name of the RoleBinding for those who may pull.
    type: str
    default: registry-viewers
  editor_binding:
    description: Name of the RoleBinding for those who may push.
    type: str
    default: registry-editors
  exclusive:
    description:
      - Whether the lists are complete. Others are then taken out of all bindings of the two roles in the namespace,
        also of those that somebody else has made. Service accounts of M(appuio.registry.appuio_registry_account) and
        what OpenShift itself has bound stay.
      - Otherwise the lists are added to what is there.
    type: bool
    default: false
  pull_secrets:
    description:
      - Secrets of type C(kubernetes.io/dockerconfigjson), with which the workloads of this namespace pull from
        another registry or zone.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the Secret.
        type: str
        required: true
      registry:
        description: The registry as C(host) or C(host:port).
        type: str
        required: true
      username:
        description: Name of the user. A zone's registry takes any with a token.
        type: str
        default: serviceaccount
      password:
        description: Password, or the token for a zone's registry. A line end at its end does not count.
        type: str
        required: true
      service_accounts:
        description: The service accounts whose pods pull with it. From others the Secret is taken away.
        type: list
        elements: str
        default: [default]
  preflight:
    description:
      - Whether to ask the zone before anything is changed if the rights and the quota are enough for it. Otherwise
        the task may stop halfway.
    type: bool
    default: true
requirements:
  - kubernetes
  - openshift
notes:
  - When the task is told to stop (SIGTERM, SIGINT, SIGHUP), the answers to what was asked of the zones are waited for,
    ten seconds at most, nothing more is begun, and the result says which zones were stopped at which step.
seealso:
  - module: appuio.registry.appuio_registry_account
  - module: appuio.registry.appuio_access_info
"""

EXAMPLES = r"""
- name: Let the test project pull, and the build project push
  appuio.registry.appuio_registry_access:
    zone: cloudscale-lpg-2
    namespace: shop
    token: "{{ appuio_token }}"
    viewers:
      - kind: Group
        name: system:serviceaccounts:shop-test
    editors:
      - kind: ServiceAccount
        name: builder
        namespace: shop-build

- name: Let workloads of two zones pull from another registry
  appuio.registry.appuio_registry_access:
    zones:
      - zone: cloudscale-lpg-2
        token: "{{ appuio_tokens['cloudscale-lpg-2'] }}"
      - zone: exoscale-ch-gva-2-0
        token: "{{ appuio_tokens['exoscale-ch-gva-2-0'] }}"
    namespace: shop
    pull_secrets:
      - name: from-ghcr
        registry: ghcr.io
        username: example
        password: "{{ ghcr_token }}"
"""

RETURN = r"""
namespace:
  description: The namespace.
  type: str
  returned: without O(zones)
  sample: shop
steps:
  description: What was done, or would be done in check mode, in order, each with its reason.
  type: list
  elements: dict
  returned: without O(zones)
  sample:
    - action: create
      kind: RoleBinding
      name: registry-viewers
      namespace: shop
      reason: it grants registry-viewer
left:
  description: What is left alone, and why.
  type: list
  elements: str
  returned: without O(zones)
  sample: []
zones:
  description: The same for each zone, with its name. Zones that failed have V(true) in C(failed), and C(error).
  type: list
  elements: dict
  returned: with O(zones)
msg:
  description: What was done, and why.
  type: str
  returned: always
  sample: "shop: create RoleBinding registry-viewers: it grants registry-viewer"
"""

from typing import Any

from ansible_collections.appuio.registry.plugins.module_utils._access.options import SPEC
from ansible_collections.appuio.registry.plugins.module_utils._access.task import access_task
from ansible_collections.appuio.registry.plugins.module_utils._runner import run_module
from ansible_collections.appuio.registry.plugins.module_utils._targets import RunContext
from ansible_collections.appuio.registry.plugins.module_utils._zones.zone_plans import ZonesTask


def start(options: dict[str, Any], context: RunContext) -> ZonesTask[Any]:
    """Return the task that the options describe; raises InvalidOptionError."""
    return access_task(options, context)


def main() -> None:
    """Run the module."""
    run_module(SPEC, start)


if __name__ == "__main__":
    main()
