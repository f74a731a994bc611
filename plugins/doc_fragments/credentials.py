# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options that say who somebody is."""

from __future__ import annotations


class ModuleDocFragment:
    """Exactly one kind of credential, checked before any network call."""

    DOCUMENTATION = r"""
options:
  token:
    description:
      - A token of the zone's API, of a user (C(oc whoami -t)) or of a service account.
      - Without any credential in the task, the environment variable E(APPUIO_TOKEN) is used, then E(K8S_AUTH_API_KEY).
    type: str
    aliases: [api_key]
  username:
    description:
      - Name of an APPUiO Cloud user, with O(password). The module requests a token from the zone's OAuth server, and
        revokes it at the end if only this task needed it.
      - With another kind of credential, it is the user name for the registry, which ignores it. The default is
        C(serviceaccount). It must not contain a colon.
    type: str
  password:
    description: Password of the user O(username).
    type: str
  kubeconfig:
    description:
      - Path of a kubeconfig file that contains a token for the zone.
      - It is an error if the file belongs to another cluster than the zone, so that a token is never sent to the wrong
        cluster.
    type: path
  context:
    description: The context of the kubeconfig to use instead of its current one.
    type: str
  service_account:
    description:
      - Name of a service account in O(namespace) whose token is used. It is read through the zone's API, with the
        access that O(token), O(username) and O(password), or O(kubeconfig) give.
      - The token in its newest Secret is used. If there is none, a bound token for one day is requested. Tokens of a
        deleted service account with the same name are not used.
    type: str
  auth_file:
    description:
      - Path of a file with credentials already stored for the registry, as C(docker login) and C(podman login)
        write it.
      - Without any credential in the task or in E(APPUIO_TOKEN), the file of E(REGISTRY_AUTH_FILE) is used.
    type: path
"""
