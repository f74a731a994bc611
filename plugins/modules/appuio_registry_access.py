#!/usr/bin/python
# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may pull from and push into the registry of a namespace, and its pull Secrets."""

from __future__ import annotations

DOCUMENTATION = r"""
module: appuio_registry_access
short_description: Manage who can pull images from a namespace and push to it
version_added: 1.0.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Grants users, groups and service accounts, also those of other namespaces, permission to pull from or push to the
    registry of a namespace (project) in one or several zones, and creates pull Secrets for other registries.
  - The permissions are granted by two role bindings that this module manages. Subjects that have the permission by
    another binding, for example one created by C(oc policy add-role-to-user), are not added.
  - Before anything is changed, the module checks the permissions and the quota.
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
      - A token with permission to change role bindings, for example of an admin of the namespace.
      - Without any credential in the task, the environment variable E(APPUIO_TOKEN) is used, then
        E(K8S_AUTH_API_KEY).
    type: str
    aliases: [api_key]
  auth_file:
    description:
      - Path of a file with credentials stored for the registry. The credential has to be a token of the zone's API.
    type: path
  state:
    description:
      - Whether the access should exist. V(absent) deletes the two bindings and the pull Secrets that this module has
        created, whichever subjects they contain.
    type: str
    choices: [present, absent]
    default: present
  viewers:
    description: Users, groups and service accounts that can pull.
    type: list
    elements: dict
    default: []
    suboptions: &subject
      kind:
        description: Kind of the subject.
        type: str
        choices: [User, Group, ServiceAccount]
        required: true
      name:
        description:
          - Name of the subject. The group C(system:serviceaccounts:<namespace>) contains all service accounts of
            another namespace, so that its workloads can pull from this namespace.
        type: str
        required: true
      namespace:
        description: The namespace of a service account. The default is O(namespace).
        type: str
  editors:
    description: Users, groups and service accounts that can pull and push.
    type: list
    elements: dict
    default: []
    suboptions: *subject
  viewer_role:
    description: The ClusterRole for O(viewers), V(registry-viewer) or V(system:image-puller).
    type: str
    default: registry-viewer
  editor_role:
    description:
      - The ClusterRole for O(editors). V(registry-editor) can also read and write every Secret of the namespace,
        V(system:image-builder) cannot.
    type: str
    default: registry-editor
  viewer_binding:
    description: Name of the RoleBinding for O(viewers).
    type: str
    default: registry-viewers
  editor_binding:
    description: Name of the RoleBinding for O(editors).
    type: str
    default: registry-editors
  exclusive:
    description:
      - Whether the lists are complete. All other subjects are then removed from all bindings of the two roles in the
        namespace, including bindings that somebody else has created. Service accounts of
        M(appuio.registry.appuio_registry_account) and subjects that OpenShift itself has bound are kept.
      - Otherwise, the lists are added to the existing bindings.
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
        description: Name of the user. A zone's registry accepts any name together with a token.
        type: str
        default: serviceaccount
      password:
        description: Password, or the token for a zone's registry. A trailing newline is ignored.
        type: str
        required: true
      service_accounts:
        description: The service accounts that the Secret is linked to, so that their pods use it. It is unlinked from
          other service accounts.
        type: list
        elements: str
        default: [default]
  preflight:
    description:
      - Whether to check the permissions and the quota before anything is changed. Otherwise the task may fail halfway.
    type: bool
    default: true
requirements:
  - kubernetes
  - openshift
notes:
  - When the task receives a signal to stop (SIGTERM, SIGINT, SIGHUP), it waits at most ten seconds for the answers of
    the zones and starts nothing else, and the result contains which zones were stopped at which step.
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
  description: Objects that were not changed, and why.
  type: list
  elements: str
  returned: without O(zones)
  sample: []
zones:
  description: The same values for each zone, with its name. For zones that failed, C(failed) is V(true), and C(error)
    is set.
  type: list
  elements: dict
  returned: with O(zones)
msg:
  description: What was done, and why.
  type: str
  returned: always
  sample: "shop: create RoleBinding registry-viewers: it grants registry-viewer"
"""

from ansible_collections.appuio.registry.plugins.module_utils._access.options import SPEC
from ansible_collections.appuio.registry.plugins.module_utils._access.task import access_task
from ansible_collections.appuio.registry.plugins.module_utils._runner import run_module


def main() -> None:
    """Run the module."""
    run_module(SPEC, access_task)


if __name__ == "__main__":
    main()
