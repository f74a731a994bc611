#!/usr/bin/python
# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get, rotate and revoke a token of a service account."""

from __future__ import annotations

DOCUMENTATION = r"""
module: appuio_registry_token
short_description: Get, rotate and revoke a token of a service account
version_added: 1.0.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Gets a token of a service account in one or several zones, for a pipeline that pushes images. Creates a token if
    there is none, replaces it without interrupting pipelines that still use the old one, and deletes it.
  - The service account must exist. M(appuio.registry.appuio_registry_account) creates one that can push.
  - Before anything is changed, the module checks the permissions and the quota.
extends_documentation_fragment:
  - appuio.registry.zone
  - appuio.registry.zone.several
  - appuio.registry.credentials
  - appuio.registry.connection
  - appuio.registry.attributes
  - appuio.registry.attributes.action_group
options:
  service_account:
    description:
      - Name of the service account in O(namespace) whose token it is about. Unlike in other modules, it is not used as
        the credential.
      - An entry of O(zones) may have its own.
    type: str
    required: true
  token:
    description:
      - A token with permission to read and write Secrets in the namespace, or for O(kind=bound) to create
        C(serviceaccounts/token), which admins and editors have.
      - The token that this module returns is RV(token).
      - Without any credential in the task, the environment variable E(APPUIO_TOKEN) is used, then E(K8S_AUTH_API_KEY).
    type: str
    aliases: [api_key]
  auth_file:
    description:
      - Path of a file with credentials stored for the registry. The credential has to be a token of the zone's API.
    type: path
  state:
    description:
      - V(present) returns the existing token, and creates one if there is none.
      - V(rotated) creates a new token in every run. The old one stays valid for O(grace).
      - V(absent) deletes the Secrets with tokens of the service account that this collection has created, which revokes
        the tokens. Zones cache the authentication for about ten seconds. Bound tokens expire, or are revoked with the
        service account.
    type: str
    choices: [present, rotated, absent]
    default: present
  kind:
    description:
      - V(secret) is a token that does not expire, stored in a Secret of the namespace. Everybody who can read Secrets
        there can read it.
      - V(bound) is a token that expires after O(expiration) and is not stored. Store it yourself, and set it as
        O(current_token) in the next run.
    type: str
    choices: [secret, bound]
    default: secret
  secret_name:
    description:
      - Name of the Secret with the first token. By default the name of the service account with C(-secret) appended.
      - A rotation creates another Secret with a number after this name, C(image-pusher-secret-2) and so on, because a
        Secret that is created again with the same name would hold the same token. The highest number is stored in an
        annotation of the service account, so that no name is used twice as long as it exists. RV(secret_name) is the
        Secret that holds the current token.
    type: str
  expiration:
    description:
      - Lifetime of a bound token, at least V(10m), for example V(24h), V(2w), V(1d12h), V(90m), or in seconds.
      - A cluster may shorten it. Then a warning is shown, and RV(expires_at) is the actual time.
    type: str
    default: 24h
  current_token:
    description:
      - The bound token that an earlier run has returned. If more than half of its lifetime is left, and it belongs to
        the current service account, it is returned again and nothing is changed.
      - Without it, every run requests a new token.
      - An entry of O(zones) may have its own.
    type: str
  grace:
    description:
      - How long an old token in a Secret stays valid after a rotation. The first run after that deletes it.
      - The format is that of O(expiration).
    type: str
    default: 1h
  adopt:
    description:
      - Whether to take over a Secret with a token of this service account that somebody else has created, so that it is
        retired by V(rotated) and deleted by V(absent). Otherwise its token is returned, and it is not changed.
    type: bool
    default: false
  wait:
    description:
      - Whether to wait until the cluster has created the token in a new Secret. Otherwise RV(token) may be empty.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait for it. It usually takes less than one second.
    type: int
    default: 60
requirements:
  - kubernetes
  - openshift
notes:
  - The result contains the token. Use C(no_log) for this task, and for tasks that use the token. If one of several
    zones failed, the result contains no token, because Ansible prints failures in full. Run it again with
    O(state=present) to get the tokens.
  - The role P(appuio.registry.image_pusher#role) and this module recognize each other's Secrets by their labels and
    annotations, so that one can rotate tokens that the other has created.
  - The Secret of a deleted service account with the same name contains an invalid token, and OpenShift deletes it after
    a moment. It is not used, and the new Secret gets the next name.
  - In check mode nothing is created, so RV(token) is empty if there is no token yet.
  - When the task receives a signal to stop (SIGTERM, SIGINT, SIGHUP), it waits at most ten seconds for the answers of
    the zones and starts nothing else, and the result contains which zones were stopped at which step.
seealso:
  - module: appuio.registry.appuio_registry_login
"""

EXAMPLES = r"""
- name: Get the token of a pusher
  appuio.registry.appuio_registry_token:
    zone: cloudscale-lpg-2
    namespace: shop
    token: "{{ appuio_token }}"
    service_account: image-pusher
  register: pusher
  no_log: true

- name: Log in with it
  appuio.registry.appuio_registry_login:
    zone: cloudscale-lpg-2
    token: "{{ pusher.token }}"
  no_log: true

- name: Replace it, and let the old one live until all pipelines have the new one
  appuio.registry.appuio_registry_token:
    zone: cloudscale-lpg-2
    namespace: shop
    token: "{{ appuio_token }}"
    service_account: image-pusher
    state: rotated
    grace: 2d
  register: pusher
  no_log: true

- name: Keep a token that ends after a day, and replace it when half of that is over
  appuio.registry.appuio_registry_token:
    zone: cloudscale-lpg-2
    namespace: shop
    token: "{{ appuio_token }}"
    service_account: image-pusher
    kind: bound
    expiration: 24h
    current_token: "{{ lookup('ansible.builtin.file', '/etc/ci/token', errors='ignore') | default(omit, true) }}"
  register: bound
  no_log: true

- name: Write it where the pipeline reads it
  ansible.builtin.copy:
    content: "{{ bound.token }}"
    dest: /etc/ci/token
    mode: "0600"
  no_log: true
  when: bound.token

- name: Take the tokens away in two zones
  appuio.registry.appuio_registry_token:
    zones:
      - zone: cloudscale-lpg-2
        token: "{{ appuio_tokens['cloudscale-lpg-2'] }}"
      - zone: exoscale-ch-gva-2-0
        token: "{{ appuio_tokens['exoscale-ch-gva-2-0'] }}"
    namespace: shop
    service_account: image-pusher
    state: absent
"""

RETURN = r"""
token:
  description:
    - The token. It is empty if there is none, for example with O(state=absent), and in check mode if it would be
      created.
  type: str
  returned: without O(zones)
namespace:
  description: The namespace of the service account.
  type: str
  returned: without O(zones)
  sample: shop
service_account:
  description: The service account.
  type: str
  returned: without O(zones)
  sample: image-pusher
kind:
  description: The kind of token.
  type: str
  returned: without O(zones)
  sample: secret
secret_name:
  description: The Secret that holds the token. Empty for a bound token.
  type: str
  returned: without O(zones)
  sample: image-pusher-secret-2
expires_at:
  description: When a bound token expires. A token in a Secret does not expire.
  type: str
  returned: without O(zones)
  sample: '2026-11-24T09:30:00Z'
retired:
  description: Secrets of earlier tokens that are still valid, and when the next run deletes them.
  type: list
  elements: dict
  returned: without O(zones)
  sample:
    - secret_name: image-pusher-secret
      retired_at: '2026-11-23T09:30:00Z'
      removed_after: '2026-11-23T10:30:00Z'
left:
  description: Objects that were not changed, and why.
  type: list
  elements: str
  returned: without O(zones)
  sample: ["Secret image-pusher-secret, which was not made by this collection (adopt would delete it)"]
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
  sample: "Service account shop/image-pusher: create Secret image-pusher-secret: it holds the token"
"""

from ansible_collections.appuio.registry.plugins.module_utils._runner import run_module
from ansible_collections.appuio.registry.plugins.module_utils._token.options import SPEC
from ansible_collections.appuio.registry.plugins.module_utils._token.task import token_task


def main() -> None:
    """Run the module."""
    run_module(SPEC, token_task)


if __name__ == "__main__":
    main()
