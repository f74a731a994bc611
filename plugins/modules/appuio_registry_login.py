#!/usr/bin/python
# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log in to the registry of a zone."""

from __future__ import annotations

DOCUMENTATION = r"""
module: appuio_registry_login
short_description: Log in to the integrated registry of a zone
version_added: 1.0.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Stores credentials for the registries of one or several zones in the file that Docker, Podman, skopeo and other
    clients read, so that they can pull and push without another login. Removes them with O(state=absent).
  - Checks the credentials with the registry before anything is written, and reports why they are not accepted.
  - Changes only the entry of the registry. Everything else in the file is kept, as well as its owner, its indentation
    and a symbolic link to it. The file is replaced atomically under a lock, so that concurrent logins do not overwrite
    each other. It is an error if the file does not have the format of Docker and Podman, and it is not changed then.
  - Safe for a task that runs as root for another user. A symbolic link of that user is only followed to files of that
    user, and it is an error if the file is not a regular file.
  - With O(zones), the credentials are checked with all zones at the same time. They are stored for the zones that
    accept them, and the task fails with a message that names all other zones.
  - Docker and Podman do not have to be installed.
extends_documentation_fragment:
  - appuio.registry.zone
  - appuio.registry.zone.several
  - appuio.registry.credentials
  - appuio.registry.connection
  - appuio.registry.attributes
  - appuio.registry.attributes.action_group
options:
  state:
    description:
      - V(present) stores the credentials, V(absent) removes those that are stored for the registry.
      - V(absent) needs no credentials and does not connect to the registry.
    type: str
    choices: [present, absent]
    default: present
  auth_file:
    description:
      - Path of the file to write. Missing directories are created, for the owner only.
      - Defaults to the file of E(REGISTRY_AUTH_FILE), or else to the file that O(client) reads.
      - Unlike in other modules, no credential is read from it.
      - An entry of O(zones) may have its own.
    type: path
    aliases: [authfile, config_path, dockercfg_path]
  client:
    description:
      - The client that reads the credentials, if O(auth_file) is not set.
      - For V(docker), this is C($DOCKER_CONFIG/config.json), by default C(~/.docker/config.json).
      - For V(podman), this is C($XDG_RUNTIME_DIR/containers/auth.json), which is deleted by a reboot. Without
        E(XDG_RUNTIME_DIR), or if that directory belongs to another user, it is C(/run/containers/<uid>/auth.json) if
        that exists, and C(~/.config/containers/auth.json) otherwise.
    type: str
    choices: [docker, podman]
    default: docker
  username:
    description:
      - Name of an APPUiO Cloud user, with O(password). The module requests a token from the zone's OAuth server and
        stores the token, never the password. A stored token of this user that is still valid is kept, and the password
        is not used then. The token is also recognized by the name that it was stored with, so that a user can be named
        C(JANE) here and C(jane) in OpenShift.
      - With another kind of credential, it is the user name to store. The registry ignores it, so if it is not set, any
        stored user name is kept, and C(serviceaccount) is stored if there is none.
      - V(<token>), as in the Secrets that OpenShift creates, is stored so that clients can use it, and never as an
        identity token, which OpenShift's registry does not support.
      - It must not contain a colon.
    type: str
  verify:
    description:
      - Whether to log in to the registry before anything is written.
      - If V(false), the module does not connect to the registry, and O(token) is stored without a check.
    type: bool
    default: true
  access:
    description:
      - Permissions in O(namespace) that the credentials must have, otherwise nothing is written.
      - They are checked with the zone's API, or with the registry if the API cannot be reached. For V(push), this
        starts an upload and cancels it immediately, which is not done in check mode.
    type: list
    elements: str
    choices: [pull, push]
  credential_store:
    description:
      - V(auto) uses the credential helper that the file names for the registry (C(credHelpers), C(credsStore)), and
        the file itself if it names none.
      - V(file) stores the credentials in the file even if it names a helper, and configures clients to read them there.
      - Any other value is the name of a helper, V(pass) for the program C(docker-credential-pass), which is then
        named in the file for this registry.
    type: str
    default: auto
  key_scope:
    description:
      - What the credentials are stored for. V(registry) is the whole registry.
      - V(namespace) is O(namespace) only, so that each project can have its own pusher in one file. Only Podman, skopeo
        and buildah support this, so it requires O(client=podman).
    type: str
    choices: [registry, namespace]
    default: registry
  min_validity:
    description:
      - Minimum remaining lifetime of a token in seconds. A stored token that was requested for O(username) or
        O(service_account) is kept if its remaining lifetime is longer, and replaced by a new one otherwise.
      - If O(token) expires sooner, it is stored with a warning.
    type: int
    default: 600
  revoke:
    description:
      - With O(state=absent), also revoke the stored token. This is possible for tokens of users. Zones cache the
        authentication for up to two minutes.
      - The token of a service account stays valid until its Secret is deleted, or until it expires. The result and a
        warning contain that. M(appuio.registry.appuio_registry_token) can delete or rotate it.
    type: bool
    default: false
  backup:
    description: Keep a copy of the file as it was before it is changed. The copy contains credentials.
    type: bool
    default: false
  mode:
    description:
      - Permissions of the file, as an octal number in quotes. They must not allow everybody to read it.
      - With the default, a file with wider permissions gets V(0600), and narrower permissions are kept.
    type: raw
    default: "0600"
  owner:
    description:
      - Name or number of the owner of the file. By default, it is not changed.
      - Directories that are created get the same owner.
    type: str
  group:
    description:
      - Name or number of the group of the file. By default, it is not changed. A group that the user is not a member of
        cannot be kept; then a warning is shown.
    type: str
  dockerconfigjson:
    description:
      - Return the credentials as RV(dockerconfigjson), for a pull Secret.
      - Use C(no_log) for this task, and for the task that creates the Secret.
    type: bool
    default: false
notes:
  - A login with O(token) requires only Python. O(service_account), O(kubeconfig) and O(revoke) use the API, which
    requires the Python packages C(kubernetes) and C(openshift). Without them, O(access) is checked with the registry,
    and a stored token of O(username) is recognized by its user name only.
  - The credential helper stores the credential before the file is written. If writing the file fails, the error
    contains the state of the helper, the result is C(changed), and a token that was requested for the login is not
    revoked.
  - A single file that is mounted into a container cannot be replaced atomically. Mount its directory instead.
  - C(/dev/null) and other devices, pipes and directories cannot be used as O(auth_file).
  - Options, results, diffs and logs do not contain the credentials, except RV(dockerconfigjson).
  - In check mode, nothing is written and no token is created, so a token that would be requested cannot be checked.
  - When the task receives a signal to stop (SIGTERM, SIGINT, SIGHUP), it waits at most ten seconds for the answers of
    the zones and starts nothing else, and the result contains which zones were stopped. A token that was requested with
    a password, and was not stored, is revoked.
seealso:
  - module: appuio.registry.appuio_image_push
  - name: APPUiO Cloud documentation
    description: How to push images to the integrated registry.
    link: https://docs.appuio.cloud/user/how-to/use-integrated-registry.html
"""

EXAMPLES = r"""
- name: Log in to the registry of a zone
  appuio.registry.appuio_registry_login:
    zone: cloudscale-lpg-2
    token: "{{ appuio_token }}"

- name: Log in podman as a service account that must be able to push to a project
  appuio.registry.appuio_registry_login:
    zone: cloudscale-lpg-2
    namespace: shop
    token: "{{ pusher_token }}"
    client: podman
    access: [push]

- name: Log in with the token of a service account that the administrator of a project may read
  appuio.registry.appuio_registry_login:
    zone: cloudscale-lpg-2
    namespace: shop
    service_account: image-pusher
    kubeconfig: ~/.kube/config
    context: shop/api-cloudscale-lpg-2-appuio-cloud:6443/jane

- name: Log in to two zones, each with its own token
  appuio.registry.appuio_registry_login:
    zones:
      - zone: cloudscale-lpg-2
        token: "{{ appuio_tokens['cloudscale-lpg-2'] }}"
      - zone: exoscale-ch-gva-2-0
        token: "{{ appuio_tokens['exoscale-ch-gva-2-0'] }}"
    auth_file: /var/lib/ci/auth.json
    owner: ci

- name: Keep one pusher for each project of a zone in one file
  appuio.registry.appuio_registry_login:
    zone: cloudscale-lpg-2
    namespace: "{{ item.namespace }}"
    token: "{{ item.token }}"
    client: podman
    key_scope: namespace
  loop: "{{ pushers }}"
  loop_control:
    label: "{{ item.namespace }}"
  no_log: true

- name: Log out, and let the token end
  appuio.registry.appuio_registry_login:
    zone: cloudscale-lpg-2
    state: absent
    revoke: true

- name: Get the content of a pull Secret for another cluster
  appuio.registry.appuio_registry_login:
    zone: cloudscale-lpg-2
    token: "{{ puller_token }}"
    auth_file: "{{ workspace }}/auth.json"
    dockerconfigjson: true
  register: login
  no_log: true

- name: Make the pull Secret
  kubernetes.core.k8s:
    definition:
      apiVersion: v1
      kind: Secret
      type: kubernetes.io/dockerconfigjson
      metadata:
        name: shop-images
        namespace: elsewhere
      data:
        .dockerconfigjson: "{{ login.dockerconfigjson }}"
  no_log: true
"""

RETURN = r"""
registry:
  description: The registry. With O(zones), see RV(zones).
  type: str
  returned: without O(zones)
  sample: registry.cloudscale-lpg-2.appuio.cloud
username:
  description: The user name that is stored, or that was stored before O(state=absent).
  type: str
  returned: without O(zones)
  sample: serviceaccount
auth_file:
  description: The file that clients read.
  type: str
  returned: without O(zones)
  sample: /home/jane/.docker/config.json
credential_store:
  description: Where the credential is stored, V(file) or the name of a credential helper.
  type: str
  returned: without O(zones)
  sample: file
expires_at:
  description: When the token expires, if that is known. Tokens in Secrets of service accounts do not expire.
  type: str
  returned: without O(zones)
  sample: '2026-11-24T09:30:00Z'
access:
  description: The permissions of O(access) that the credential has.
  type: list
  elements: str
  returned: without O(zones)
  sample: [push]
backup_file:
  description: The copy of the file before the change.
  type: str
  returned: with O(backup), if the file was changed
  sample: /home/jane/.docker/config.json.4711.2026-11-23@09:30:00~
dockerconfigjson:
  description:
    - The credentials as a value for C(.dockerconfigjson) under C(data) of a Secret of type
      C(kubernetes.io/dockerconfigjson). Contains the token, only encoded in base64.
    - With O(zones), it contains the credentials for all of them.
  type: str
  returned: with O(dockerconfigjson=true), not in check mode
zones:
  description: The same values for each zone, with its name. For zones that failed, C(failed) is V(true), and C(error)
    is set.
  type: list
  elements: dict
  returned: with O(zones)
  sample:
    - zone: cloudscale-lpg-2
      registry: registry.cloudscale-lpg-2.appuio.cloud
      username: serviceaccount
      auth_file: /var/lib/ci/auth.json
      credential_store: file
      expires_at:
      access: []
      changed: true
      msg: "Logged in to registry.cloudscale-lpg-2.appuio.cloud: no credential was stored"
msg:
  description: What was done, and why.
  type: str
  returned: always
  sample: "Logged in to registry.cloudscale-lpg-2.appuio.cloud: another credential is stored"
"""

from typing import Any

from ansible_collections.appuio.registry.plugins.module_utils._login.options import SPEC, logins_from
from ansible_collections.appuio.registry.plugins.module_utils._login.task import LoginTask
from ansible_collections.appuio.registry.plugins.module_utils._runner import run_module
from ansible_collections.appuio.registry.plugins.module_utils._targets import RunContext


def start(options: dict[str, Any], context: RunContext) -> LoginTask:
    """Return the task that the options describe; raises InvalidOptionError."""
    return LoginTask(
        logins_from(options, context.environment),
        context,
        several=options.get("zones") is not None,
        dockerconfigjson=options["dockerconfigjson"],
    )


def main() -> None:
    """Run the module."""
    run_module(SPEC, start)


if __name__ == "__main__":
    main()
