#!/usr/bin/python
# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service account that may push images, with its role binding and its token."""

from __future__ import annotations

DOCUMENTATION = r"""
module: appuio_registry_account
short_description: Create, change and remove service accounts that push images, and get their tokens
version_added: 0.1.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Creates what a pipeline needs to push images into a namespace (project) of one or several zones. A ServiceAccount,
    a Secret of type C(kubernetes.io/service-account-token) with its token, and a RoleBinding that allows it to push.
    Rotates the token, changes the role, and deletes all of it again.
  - What was there before stays as it was. A ServiceAccount or a Secret of these names is used, and only what this
    collection has created is changed or deleted, unless O(adopt) says otherwise.
  - Before anything is changed, the zone is asked whether the rights and the quota are enough for it.
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
      - The namespace (project) to push into. It has to be there already.
      - Required unless each entry of O(accounts) names its own.
    type: str
    aliases: [project]
  service_account:
    description:
      - Name of the service account. One for each project is recommended.
      - Here, it is not a kind of credential as it is for other modules.
    type: str
    default: image-pusher
  token:
    description:
      - A token of somebody who may create these objects, for example an admin of the namespace.
      - The token that this module gets is RV(token).
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
      - Whether the service account is to be there.
      - With V(absent) the rights are taken first, then the token, then the account. ImageStreams stay, since they
        hold images. A token that has ended may be accepted for about ten more seconds, because the API remembers its
        checks.
    type: str
    choices: [present, absent]
    default: present
  role:
    description:
      - The ClusterRole that is bound to the service account in the namespace.
      - By default a service account keeps the role that it has, and a new one gets V(registry-editor), the role of
        the APPUiO Cloud documentation. It may push and pull, and delete ImageStreams and tags, but it may also read
        and write B(every Secret and ServiceAccount) of the namespace.
      - V(system:image-builder) is the recommended role for a pipeline. It may push, pull and create ImageStreams, and
        has no access to Secrets. It cannot remove a tag.
      - V(system:image-pusher) may push into ImageStreams that exist, see O(image_streams), and cannot create any.
      - V(registry-viewer) and V(system:image-puller) may only pull.
      - Whoever runs this must have the rights that the role grants. An admin of the namespace has them for all of
        these.
      - When the role changes, the new binding is created first, and then the old one is deleted, so that the service
        account can push at any time.
    type: str
  role_binding:
    description:
      - Name of the RoleBinding. By default the names of service account and role, for example
        V(image-pusher-registry-editor), so that another role is another binding.
      - Where another binding grants O(role) to the service account already, as C(oc policy add-role-to-user) makes
        one, none is added. A binding of this name that somebody else has made stays as it is, and one with a number
        after the name is added, unless O(adopt) is set.
    type: str
  secret_name:
    description:
      - Name of the Secret with the first token. By default the name of the service account with C(-secret) appended.
      - A rotation creates another Secret with a number after this name, C(image-pusher-secret-2) and so on, since the
        same Secret created again would hold the same token. The service account keeps the highest number as an
        annotation, so that no name is used twice while it lives. RV(secret_name) is the one that holds the token now.
    type: str
  kind:
    description:
      - V(secret) is a token without an end, kept in a Secret of the namespace until that is deleted.
      - V(bound) is a token that ends by itself after O(expiration) and is kept nowhere but in O(token_file). A Secret
        with a token that this collection has created before is deleted.
    type: str
    choices: [secret, bound]
    default: secret
    aliases: [token_kind]
  expiration:
    description:
      - How long a bound token is good, at least V(10m). Written as V(24h), V(1d12h), V(90m), or in seconds.
      - A new one is got in every run, unless O(token_file) holds one that is good for more than half of its life.
      - A cluster may give less. Then there is a warning, and RV(expires_at) is when it really ends.
    type: str
    default: 24h
  rotate:
    description: Whether the service account gets a new token in this run. The old one lives on for O(grace).
    type: bool
    default: false
  grace:
    description:
      - How long an old token in a Secret lives on after a rotation. The first run after that deletes it.
      - Written as O(expiration).
    type: str
    default: 1h
  adopt:
    description:
      - Whether objects of these names that somebody else has created are taken over. They get the label
        C(app.kubernetes.io/managed-by=appuio.registry), and O(state=absent) deletes them.
      - The service accounts V(default), V(builder) and V(deployer), which every namespace has, are never deleted.
    type: bool
    default: false
  image_streams:
    description:
      - Names of ImageStreams to create, so that a service account with V(system:image-pusher) can push into them.
    type: list
    elements: str
    default: []
  labels:
    description:
      - Labels for what this module creates, besides C(app.kubernetes.io/managed-by=appuio.registry). What it has
        created before gets them, too. Labels that are taken out of here stay.
    type: dict
    default: {}
  annotations:
    description: Annotations for what this module creates, in the same way.
    type: dict
    default: {}
  token_file:
    description:
      - Path of a file to write the token into, with nothing else in it and readable by its owner only, for example
        for a pipeline that reads its variables from files. O(state=absent) deletes it.
      - Its directory has to be there. A file that holds something else than the token of a service account is refused
        before anything is done, so that no other file is overwritten.
    type: path
  accounts:
    description:
      - Several service accounts in one task, in any namespaces of the zone.
      - Each entry has any of C(namespace), O(service_account), O(state), O(role), O(role_binding), O(secret_name),
        O(kind), O(expiration), O(rotate), O(grace), O(adopt), O(image_streams), O(labels), O(annotations) and
        O(token_file).
      - What an entry does not say is taken from the task, except that the names of its Secret and RoleBinding come
        from its own service account, and that it has no file but its own.
    type: list
    elements: dict
    default: []
  preflight:
    description:
      - Whether to ask the zone before anything is changed if the rights and the quota are enough for it. Otherwise
        the task may stop halfway.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait until the cluster has put a token into a new Secret. Usually it takes less than one.
    type: int
    default: 60
requirements:
  - kubernetes
  - openshift
notes:
  - The result contains the token. Use C(no_log) for such a task, and for those that use the token. Where something
    failed, it contains none, since Ansible prints failures in full. Run it again to get them.
  - The Secret of a service account that was deleted and made anew since holds a dead token, and OpenShift deletes it in
    a moment. It is not taken over, and the next name is used.
  - In check mode nothing is created, so that RV(token) is empty where there is none yet.
  - When the task is told to stop (SIGTERM, SIGINT, SIGHUP), the answers to what was asked of the zones are waited for,
    ten seconds at most, nothing more is begun, and the result says which zones were stopped at which step.
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
    - The token, with O(accounts) that of the last one. Empty with O(state=absent), and in check mode where it would
      have to be created.
  type: str
  returned: without O(zones)
tokens:
  description: The tokens by namespace and service account.
  type: dict
  returned: without O(zones)
  sample:
    shop/image-pusher: "********"
expires_at:
  description: When a bound token ends. A token in a Secret does not end.
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
  description: Secrets of earlier tokens that live on, and after when a run deletes them.
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
  description: What is left alone, and why.
  type: list
  elements: str
  returned: without O(zones)
  sample: ["Secret image-pusher-secret, which was not made by this collection (adopt would delete it)"]
accounts:
  description: The same for each service account.
  type: list
  elements: dict
  returned: with O(accounts)
zones:
  description: The same for each zone, with its name. Zones that failed have V(true) in C(failed), and C(error).
  type: list
  elements: dict
  returned: with O(zones)
msg:
  description: What was done, and why.
  type: str
  returned: always
  sample: "shop/image-pusher: create Secret image-pusher-secret: it holds the token"
"""

from typing import Any

from ansible_collections.appuio.registry.plugins.module_utils._account.options import SPEC
from ansible_collections.appuio.registry.plugins.module_utils._account.task import account_task
from ansible_collections.appuio.registry.plugins.module_utils._runner import run_module
from ansible_collections.appuio.registry.plugins.module_utils._targets import RunContext
from ansible_collections.appuio.registry.plugins.module_utils._zones.zone_plans import ZonesTask


def start(options: dict[str, Any], context: RunContext) -> ZonesTask[Any]:
    """Return the task that the options describe; raises InvalidOptionError."""
    return account_task(options, context)


def main() -> None:
    """Run the module."""
    run_module(SPEC, start)


if __name__ == "__main__":
    main()
