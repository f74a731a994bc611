# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter appuio.registry.oauth_token_name."""

from __future__ import annotations

DOCUMENTATION = r"""
name: oauth_token_name
short_description: The name of the object behind a user's OAuth token
version_added: 0.1.0
author:
  - The appuio.registry authors (@appuio)
description:
  - OpenShift keeps the tokens of users as objects of the kind C(UserOAuthAccessToken). Their names are digests of the
    tokens, and whoever deletes such an object makes the token end.
options:
  _input:
    description: The token, which starts with C(sha256~).
    type: str
    required: true
notes:
  - The roles of this collection use it to log out.
"""

EXAMPLES = r"""
- name: Make a token end
  kubernetes.core.k8s:
    api_version: oauth.openshift.io/v1
    kind: UserOAuthAccessToken
    name: "{{ my_token | appuio.registry.oauth_token_name }}"
    state: absent
    host: https://api.cloudscale-lpg-2.appuio.cloud:6443
    api_key: "{{ my_token }}"
  no_log: true
"""

RETURN = r"""
_value:
  description: The name of the object. It is no secret.
  type: str
"""

from typing import Any, Callable

from ..module_utils._openshift.tokens import oauth_token_name


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"oauth_token_name": oauth_token_name}
