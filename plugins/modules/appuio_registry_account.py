#!/usr/bin/python
# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service account that may push images, with its role binding and its token."""

from __future__ import annotations

DOCUMENTATION = r"""
module: appuio_registry_account
short_description: Create, change and delete service accounts that push images, and get their tokens
version_added: 1.0.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Creates the objects that a pipeline needs to push images to a namespace (project) of one or several zones, which are
    a ServiceAccount, a Secret of type C(kubernetes.io/service-account-token) with its token, and a RoleBinding that
    allows it to push. Rotates the token, changes the role, and deletes the objects.
  - Existing objects are kept. A ServiceAccount or a Secret with these names is used, and only objects that this
    collection has created are changed or deleted, unless O(adopt) is set.
  - Before anything is changed, the module checks the permissions and the quota.
  - The role P(appuio.registry.image_pusher#role) calls this module.
extends_documentation_fragment:
  - appuio.registry.zone
  - appuio.registry.zone.several
  - appuio.registry.credentials
  - appuio.registry.connection
  - appuio.registry.attributes
  - appuio.registry.attributes.action_group
options:
  namespace:
    description:
      - The namespace (project) to push to. It must exist.
      - Required unless it is set in each entry of O(accounts).
    type: str
    aliases: [project]
  service_account:
    description:
      - Name of the service account. One for each project is recommended.
      - Unlike in other modules, it is not used as the credential.
    type: str
    default: image-pusher
  token:
    description:
      - A token with permission to create these objects, for example of an admin of the namespace.
      - The token that this module returns is RV(token).
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
      - Whether the service account should exist.
      - With V(absent), the role binding is deleted first, then the token, then the service account. ImageStreams are
        kept, because they contain images. The API may accept a deleted token for about ten more seconds, because it
        caches authentication.
    type: str
    choices: [present, absent]
    default: present
  role:
    description:
      - The ClusterRole that is bound to the service account in the namespace.
      - By default, a service account keeps its role, and a new one gets V(registry-editor), the role that the APPUiO
        Cloud documentation recommends. It can push and pull, and delete ImageStreams and tags, but it can also read and
        write B(every Secret and ServiceAccount) of the namespace.
      - V(system:image-builder) is the recommended role for a pipeline. It can push, pull and create ImageStreams, and
        has no access to Secrets. It cannot delete tags.
      - V(system:image-pusher) can push to existing ImageStreams, see O(image_streams), and cannot create any.
      - V(registry-viewer) and V(system:image-puller) can only pull.
      - The credential must have the permissions that the role grants. An admin of the namespace has them for all of
        these roles.
      - When the role changes, the new binding is created before the old one is deleted, so that the service account can
        push at any time.
    type: str
  role_binding:
    description:
      - Name of the RoleBinding. By default, it consists of the names of the service account and the role, for example
        V(image-pusher-registry-editor), so that each role has a different binding.
      - If another binding grants O(role) to the service account already, for example one created by C(oc policy
        add-role-to-user), none is added. A binding with this name that somebody else has created is not changed, and a
        binding with a number after the name is added, unless O(adopt) is set.
    type: str
  secret_name:
    description:
      - Name of the Secret with the first token. By default the name of the service account with C(-secret) appended.
      - A rotation creates another Secret with a number after this name, C(image-pusher-secret-2) and so on, because a
        Secret that is created again with the same name would hold the same token. The highest number is stored in an
        annotation of the service account, so that no name is used twice as long as it exists. RV(secret_name) is the
        Secret that holds the current token.
    type: str
  kind:
    description:
      - V(secret) is a token that does not expire, stored in a Secret of the namespace until that is deleted.
      - V(bound) is a token that expires after O(expiration), and is only stored in O(token_file). A Secret with a token
        that this collection has created before is deleted.
    type: str
    choices: [secret, bound]
    default: secret
    aliases: [token_kind]
  expiration:
    description:
      - Lifetime of a bound token, at least V(10m), for example V(24h), V(1d12h), V(90m), or in seconds.
      - A new token is requested in every run, unless O(token_file) contains a token with more than half of its lifetime
        left.
      - A cluster may shorten it. Then a warning is shown, and RV(expires_at) is the actual time.
    type: str
    default: 24h
  rotate:
    description: Whether to create a new token in this run. The old one stays valid for O(grace).
    type: bool
    default: false
  grace:
    description:
      - How long an old token in a Secret stays valid after a rotation. The first run after that deletes it.
      - The format is that of O(expiration).
    type: str
    default: 1h
  adopt:
    description:
      - Whether to take over objects with these names that somebody else has created. They get the label
        C(app.kubernetes.io/managed-by=appuio.registry), and O(state=absent) deletes them.
      - The service accounts V(default), V(builder) and V(deployer), which every namespace has, are never deleted.
    type: bool
    default: false
  image_streams:
    description:
      - Names of ImageStreams to create, so that a service account with V(system:image-pusher) can push to them.
    type: list
    elements: str
    default: []
  labels:
    description:
      - Labels of the objects that this module creates, in addition to C(app.kubernetes.io/managed-by=appuio.registry).
        Objects that it has created before get them, too. Labels that are no longer listed here are not removed.
    type: dict
    default: {}
  annotations:
    description: Annotations of the objects that this module creates, in the same way.
    type: dict
    default: {}
  token_file:
    description:
      - Path of a file that the token is written to, without any other content and readable by its owner only, for
        example for a pipeline that reads its variables from files. O(state=absent) deletes it.
      - Its directory must exist. If the file contains anything but the token of a service account, the task fails
        before anything is done, so that no other file is overwritten.
    type: path
  accounts:
    description:
      - Several service accounts in one task, in any namespaces of the zone.
      - Each entry can set C(namespace), O(service_account), O(state), O(role), O(role_binding), O(secret_name),
        O(kind), O(expiration), O(rotate), O(grace), O(adopt), O(image_streams), O(labels), O(annotations) and
        O(token_file).
      - Options that an entry does not set are taken from the task, except that the names of its Secret and RoleBinding
        are derived from its own service account, and that it does not use the O(token_file) of the task.
    type: list
    elements: dict
    default: []
  preflight:
    description:
      - Whether to check the permissions and the quota before anything is changed. Otherwise the task may fail halfway.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait until the cluster has created the token in a new Secret. It usually takes less than one
      second.
    type: int
    default: 60
requirements:
  - kubernetes
  - openshift
notes:
  - The result contains the token. Use C(no_log) for this task, and for tasks that use the token. If something failed,
    the result contains no token, because Ansible prints failures in full. Run it again to get the tokens.
  - The Secret of a deleted service account with the same name contains an invalid token, and OpenShift deletes it after
    a moment. It is not used, and the new Secret gets the next name.
  - In check mode nothing is created, so RV(token) is empty if there is no token yet.
  - When the task receives a signal to stop (SIGTERM, SIGINT, SIGHUP), it waits at most ten seconds for the answers of
    the zones and starts nothing else, and the result contains which zones were stopped at which step.
seealso:
  - module: appuio.registry.appuio_registry_token
  - module: appuio.registry.appuio_registry_access
  - module: appuio.registry.appuio_registry_login
"""

EXAMPLES = r"""
- name: Create a pusher that may push and create ImageStreams, but sees no Secret
  appuio.registry.appuio_registry_account:
    zone: cloudscale-lpg-2
    namespace: shop
    token: "{{ appuio_token }}"
    role: system:image-builder
  register: pusher
  no_log: true

- name: Log in with its token
  appuio.registry.appuio_registry_login:
    zone: cloudscale-lpg-2
    token: "{{ pusher.token }}"
  no_log: true

- name: Give it a new token, and let the old one live until all pipelines have the new one
  appuio.registry.appuio_registry_account:
    zone: cloudscale-lpg-2
    namespace: shop
    token: "{{ appuio_token }}"
    rotate: true
    grace: 2d
  register: pusher
  no_log: true

- name: Create the pushers of two projects in two zones
  appuio.registry.appuio_registry_account:
    zones:
      - zone: cloudscale-lpg-2
        token: "{{ appuio_tokens['cloudscale-lpg-2'] }}"
      - zone: exoscale-ch-gva-2-0
        token: "{{ appuio_tokens['exoscale-ch-gva-2-0'] }}"
    role: system:image-builder
    labels:
      app.kubernetes.io/part-of: shop
    accounts:
      - namespace: shop
      - namespace: shop-test
        role: system:image-pusher
        image_streams: [frontend, backend]
  register: pushers
  no_log: true

- name: Keep a token that ends after a day in a file, and replace it when half of that is over
  appuio.registry.appuio_registry_account:
    zone: cloudscale-lpg-2
    namespace: shop
    token: "{{ appuio_token }}"
    service_account: nightly
    kind: bound
    expiration: 24h
    token_file: /etc/ci/token
  no_log: true

- name: Take it all away
  appuio.registry.appuio_registry_account:
    zone: cloudscale-lpg-2
    namespace: shop
    token: "{{ appuio_token }}"
    state: absent
"""

RETURN = r"""
token:
  description:
    - The token. With O(accounts), it is the token of the last entry. It is empty with O(state=absent), and in check
      mode if it would be created.
  type: str
  returned: without O(zones)
tokens:
  description: The tokens by namespace and service account.
  type: dict
  returned: without O(zones)
  sample:
    shop/image-pusher: "********"
expires_at:
  description: When a bound token expires. A token in a Secret does not expire.
  type: str
  returned: without O(zones) and O(accounts)
  sample: '2026-11-24T09:30:00Z'
secret_name:
  description: The Secret that holds the token. Empty for a bound token.
  type: str
  returned: without O(zones) and O(accounts)
  sample: image-pusher-secret-2
namespace:
  description: The namespace of the service account.
  type: str
  returned: without O(zones) and O(accounts)
  sample: shop
service_account:
  description: The service account.
  type: str
  returned: without O(zones) and O(accounts)
  sample: image-pusher
role:
  description: The role of the service account.
  type: str
  returned: without O(zones) and O(accounts)
  sample: registry-editor
role_binding:
  description: The RoleBinding that grants it.
  type: str
  returned: without O(zones) and O(accounts)
  sample: image-pusher-registry-editor
kind:
  description: The kind of token.
  type: str
  returned: without O(zones) and O(accounts)
  sample: secret
retired:
  description: Secrets of earlier tokens that are still valid, and when the next run deletes them.
  type: list
  elements: dict
  returned: without O(zones) and O(accounts)
  sample:
    - secret_name: image-pusher-secret
      retired_at: '2026-11-23T09:30:00Z'
      removed_after: '2026-11-23T10:30:00Z'
steps:
  description: What was done, or would be done in check mode, in order, each with its reason.
  type: list
  elements: dict
  returned: without O(zones)
  sample:
    - action: create
      kind: ServiceAccount
      name: image-pusher
      namespace: shop
      reason: the token and the rights are its own
left:
  description: Objects that were not changed, and why.
  type: list
  elements: str
  returned: without O(zones)
  sample: ["Secret image-pusher-secret, which was not made by this collection (adopt would delete it)"]
accounts:
  description: The same values for each service account.
  type: list
  elements: dict
  returned: with O(accounts)
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
  sample: "shop/image-pusher: create Secret image-pusher-secret: it holds the token"
"""

from ansible_collections.appuio.registry.plugins.module_utils._account.options import SPEC
from ansible_collections.appuio.registry.plugins.module_utils._account.task import account_task
from ansible_collections.appuio.registry.plugins.module_utils._runner import run_module


def main() -> None:
    """Run the module."""
    run_module(SPEC, account_task)


if __name__ == "__main__":
    main()
