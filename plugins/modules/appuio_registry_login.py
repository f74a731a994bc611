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
version_added: 0.1.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Stores credentials for the registries of one or several zones where docker, podman, skopeo and the like read them,
    so that they can pull and push without any further login. Removes them again with O(state=absent).
  - Asks the registry whether it takes the credentials before anything is written, and says why it does not.
  - Changes only the entry of the registry. Everything else in the file stays, and so do its owner, its indentation
    and a symbolic link to it. The file is written as a whole under a lock, so that logins at the same time do not
    lose each other. A file that holds something else than docker or podman would write is refused and left alone.
  - Safe for a task that runs as root for somebody else. A symbolic link of that user is followed only to what belongs
    to that user, and what is no regular file is refused.
  - With O(zones), the zones are asked at the same time. Credentials are stored for those zones that took them, and the
    task fails with a message that names all others.
  - Neither docker nor podman has to be installed.
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
      - V(present) stores the credentials, V(absent) removes what is stored for the registry.
      - V(absent) needs no credentials and does not ask the registry.
    type: str
    choices: [present, absent]
    default: present
  auth_file:
    description:
      - Path of the file to write. Missing directories are created, for the owner only.
      - Defaults to the file of E(REGISTRY_AUTH_FILE), and without that to the one O(client) reads.
      - Here, it is not a kind of credential as it is for other modules.
      - An entry of O(zones) may have its own.
    type: path
    aliases: [authfile, config_path, dockercfg_path]
  client:
    description:
      - Who reads the credentials, if no O(auth_file) is set.
      - For V(docker), this is C($DOCKER_CONFIG/config.json), by default C(~/.docker/config.json).
      - For V(podman), this is C($XDG_RUNTIME_DIR/containers/auth.json), which is gone after a reboot. Without
        E(XDG_RUNTIME_DIR), or if that directory belongs to another user, it is C(/run/containers/<uid>/auth.json)
        if that exists, and C(~/.config/containers/auth.json) otherwise.
    type: str
    choices: [docker, podman]
    default: docker
  username:
    description:
      - Name of an APPUiO Cloud user, with O(password). The zone's OAuth server gives a token for them, and the token
        is what is stored, never the password. A stored token of this user that is still good is kept, and then the
        password is not tried. It is known again by the name it was stored with, too, so that one user may be called
        C(JANE) here and C(jane) by OpenShift.
      - With another kind of credential, it is the user name to store. The registry ignores it, so that any stored
        user name is taken as good if this is not set, and C(serviceaccount) is stored if there is none.
      - V(<token>), as in the Secrets that OpenShift makes itself, is stored so that clients can use it, and never as an
        identity token, for which OpenShift's registry gives nothing.
      - Must not contain a colon.
    type: str
  verify:
    description:
      - Whether to log in to the registry before anything is written.
      - If V(false), the registry is not asked at all, and a given O(token) is stored as it is.
    type: bool
    default: true
  access:
    description:
      - Rights in O(namespace) that the credentials must give, otherwise nothing is written.
      - They are asked of the zone's API. If the API cannot be reached, the registry is asked. For V(push), this begins
        an upload and ends it at once, which is not done in check mode.
    type: list
    elements: str
    choices: [pull, push]
  credential_store:
    description:
      - V(auto) uses the credential helper that the file names for the registry (C(credHelpers), C(credsStore)), and
        the file itself if it names none.
      - V(file) stores the credentials in the file even if it names a helper, and makes clients look there.
      - Any other value is the name of a helper, V(pass) for the program C(docker-credential-pass), which is then
        named in the file for this registry.
    type: str
    default: auto
  key_scope:
    description:
      - What the credentials are stored for. V(registry) is the whole registry.
      - V(namespace) is O(namespace) alone, so that each project can have its own pusher in one file. Only podman,
        skopeo and buildah know this, so it needs O(client=podman).
    type: str
    choices: [registry, namespace]
    default: registry
  min_validity:
    description:
      - Seconds that a token has to be good for. A stored token that was got for O(username) or O(service_account) is
        kept while more than this is left, and replaced by a new one otherwise.
      - A given token that ends sooner is stored with a warning.
    type: int
    default: 600
  revoke:
    description:
      - With O(state=absent), let the stored token end as well. This is possible for tokens of users. Zones remember
        that a token is good for up to two minutes.
      - The token of a service account goes on until its Secret is deleted, or until it ends. The result and a warning
        say so. M(appuio.registry.appuio_registry_token) can delete or rotate it.
    type: bool
    default: false
  backup:
    description: Keep a copy of the file as it was before it is changed. The copy contains credentials.
    type: bool
    default: false
  mode:
    description:
      - Permissions of the file, in quotes as an octal number. They may not let everybody read it.
      - With the default, a file that is more open gets V(0600), and one that is even less open is left so.
    type: raw
    default: "0600"
  owner:
    description:
      - Name or number of the user who is to own the file. By default, it is left as it is.
      - Directories that have to be created get the same owner.
    type: str
  group:
    description:
      - Name or number of the group which is to own the file. By default, it is left as it is. A group that the user
        is not in cannot be kept, as a warning says.
    type: str
  dockerconfigjson:
    description:
      - Return the credentials as RV(dockerconfigjson), for a pull Secret.
      - Use C(no_log) for such a task, and for the one which creates the Secret.
    type: bool
    default: false
notes:
  - A login with O(token) needs nothing installed but Python. What asks the API needs the Python packages C(kubernetes)
    and C(openshift), which are O(service_account), O(kubeconfig) and O(revoke). Where they are missing, O(access) is
    asked of the registry, and a stored token of O(username) is known again by its user name alone.
  - A credential helper is asked first and the file is written then. Where that fails, the error says what the helper
    has already, the result says C(changed), and a token that was got for the login is not revoked.
  - A single file that is mounted into a container cannot be replaced as a whole. Mount its directory instead.
  - C(/dev/null) and other devices, pipes and directories are no O(auth_file).
  - No option value, result, difference or log contains the credentials, except RV(dockerconfigjson).
  - In check mode nothing is written and no token is made, so that a token which would have to be got is not tried.
  - When the task is told to stop (SIGTERM, SIGINT, SIGHUP), the answers to what was asked of the zones are waited for,
    ten seconds at most, nothing more is begun, and the result says which zones were stopped. A token that was got for a
    password, and is not stored, is revoked.
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
  description: The user name that is stored, or with O(state=absent) the one that was.
  type: str
  returned: without O(zones)
  sample: serviceaccount
auth_file:
  description: The file that clients read.
  type: str
  returned: without O(zones)
  sample: /home/jane/.docker/config.json
credential_store:
  description: Where the secret is kept, V(file) or the name of a credential helper.
  type: str
  returned: without O(zones)
  sample: file
expires_at:
  description: When the token ends, if that is known. Tokens in Secrets of service accounts do not end.
  type: str
  returned: without O(zones)
  sample: '2026-11-24T09:30:00Z'
access:
  description: The rights of O(access) that were found to be given.
  type: list
  elements: str
  returned: without O(zones)
  sample: [push]
backup_file:
  description: The copy of the file as it was.
  type: str
  returned: with O(backup), if the file was changed
  sample: /home/jane/.docker/config.json.4711.2026-11-23@09:30:00~
dockerconfigjson:
  description:
    - The credentials as a value for C(.dockerconfigjson) under C(data) of a Secret of type
      C(kubernetes.io/dockerconfigjson). Contains the token, only encoded in base64.
    - With O(zones), there are credentials for all of them in it.
  type: str
  returned: with O(dockerconfigjson=true), not in check mode
zones:
  description: The same for each zone, with its name. Zones that failed have V(true) in C(failed), and C(error).
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
