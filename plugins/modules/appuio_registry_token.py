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
version_added: 0.1.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Gets a token of a service account in one or several zones, for a pipeline that pushes images. Creates one where
    there is none, replaces it without breaking the pipelines that still use the old one, and deletes it again.
  - The service account has to be there. M(appuio.registry.appuio_registry_account) creates one that may push.
  - Before anything is changed, the zone is asked whether the rights and the quota are enough for it.
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
      - Name of the service account in O(namespace) whose token it is about. Here, it is not a kind of credential as it
        is for other modules.
      - An entry of O(zones) may have its own.
    type: str
    required: true
  token:
    description:
      - A token of somebody who may read and write Secrets in the namespace, or for O(kind=bound) create
        C(serviceaccounts/token), as its admins and editors may.
      - The token that this module gets is RV(token).
      - Without any credential in the task, the environment variable E(APPUIO_TOKEN) is used, then E(K8S_AUTH_API_KEY).
    type: str
    aliases: [api_key]
  auth_file:
    description:
      - Path of a file with credentials stored for the registry. What it holds has to be a token of the zone's API.
    type: path
  state:
    description:
      - V(present) returns the token that is there, and creates one where there is none.
      - V(rotated) creates a new one in every run. The old one lives on for O(grace).
      - V(absent) deletes the Secrets with tokens of the service account that this collection has created, which ends
        the tokens. Zones remember that a token is good for about ten seconds. Bound tokens end by themselves, or with
        the service account.
    type: str
    choices: [present, rotated, absent]
    default: present
  kind:
    description:
      - V(secret) is a token without an end, kept in a Secret of the namespace. Whoever may read Secrets there can read
        it.
      - V(bound) is a token that ends by itself after O(expiration) and is kept nowhere. Keep it, and hand it in as
        O(current_token) in the next run.
    type: str
    choices: [secret, bound]
    default: secret
  secret_name:
    description:
      - Name of the Secret with the first token. By default the name of the service account with C(-secret) appended.
      - A rotation creates another Secret with a number after this name, C(image-pusher-secret-2) and so on, since the
        same Secret created again would hold the same token. The service account keeps the highest number as an
        annotation, so that no name is used twice while it lives. RV(secret_name) is the one that holds the token now.
    type: str
  expiration:
    description:
      - How long a bound token is good, at least V(10m). Written as V(24h), V(2w), V(1d12h), V(90m), or in seconds.
      - A cluster may give less. Then there is a warning, and RV(expires_at) is when it really ends.
    type: str
    default: 24h
  current_token:
    description:
      - The bound token that an earlier run has returned. While more than half of its life is left, and it is of this
        service account as it is now, it is returned as it is and nothing changes.
      - Without it, every run gets a new one.
      - An entry of O(zones) may have its own.
    type: str
  grace:
    description:
      - How long an old token in a Secret lives on after a rotation. The first run after that deletes it.
      - Written as O(expiration).
    type: str
    default: 1h
  adopt:
    description:
      - Whether a Secret with a token of this service account that somebody else has made is taken over, so that it is
        retired by V(rotated) and deleted by V(absent). Otherwise its token is returned, and it stays as it is.
    type: bool
    default: false
  wait:
    description:
      - Whether to wait until the cluster has put a token into a new Secret. Otherwise RV(token) may be empty.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait for it. Usually it takes less than one.
    type: int
    default: 60
requirements:
  - kubernetes
  - openshift
notes:
  - The result contains the token. Use C(no_log) for such a task, and for those that use the token. Where one of several
    zones failed, it contains none, since Ansible prints failures in full. Run it again with O(state=present) to get
    them.
  - The role P(appuio.registry.image_pusher#role) and this module know each other's Secrets by their labels and
    annotations, so that one can rotate what the other has created.
  - The Secret of a service account that was deleted and made anew since holds a dead token, and OpenShift deletes it in
    a moment. It is not taken over, and the next name is used.
  - In check mode nothing is created, so that RV(token) is empty where there is none yet.
  - When the task is told to stop (SIGTERM, SIGINT, SIGHUP), the answers to what was asked of the zones are waited for,
    ten seconds at most, nothing more is begun, and the result says which zones were stopped at which step.
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
    - The token. Empty where there is none, as with O(state=absent), and in check mode where it would have to be
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
  description: When a bound token ends. A token in a Secret does not end.
  type: str
  returned: without O(zones)
  sample: '2026-11-24T09:30:00Z'
retired:
  description: Secrets of earlier tokens that live on, and after when a run removes them.
  type: list
  elements: dict
  returned: without O(zones)
  sample:
    - secret_name: image-pusher-secret
      retired_at: '2026-11-23T09:30:00Z'
      removed_after: '2026-11-23T10:30:00Z'
left:
  description: What is left alone, and why.
  type: list
  elements: str
  returned: without O(zones)
  sample: ["Secret image-pusher-secret, which was not made by this collection (adopt would delete it)"]
zones:
  description: The same for each zone, with its name. Zones that failed have V(true) in C(failed), and C(error).
  type: list
  elements: dict
  returned: with O(zones)
msg:
  description: What was done, and why.
  type: str
  returned: always
  sample: "Service account shop/image-pusher: create Secret image-pusher-secret: it holds the token"
"""

from typing import Any

from ansible_collections.appuio.registry.plugins.module_utils._runner import run_module
from ansible_collections.appuio.registry.plugins.module_utils._targets import RunContext
from ansible_collections.appuio.registry.plugins.module_utils._token.options import SPEC
from ansible_collections.appuio.registry.plugins.module_utils._token.task import token_task
from ansible_collections.appuio.registry.plugins.module_utils._zones.zone_plans import ZonesTask


def start(options: dict[str, Any], context: RunContext) -> ZonesTask[Any]:
    """Return the task that the options describe; raises InvalidOptionError."""
    return token_task(options, context)


def main() -> None:
    """Run the module."""
    run_module(SPEC, start)


if __name__ == "__main__":
    main()
