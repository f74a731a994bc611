# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter appuio.registry.api_options."""

from __future__ import annotations

DOCUMENTATION = r"""
name: api_options
short_description: Connection options of kubernetes.core for one zone
version_added: 0.1.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Turns the options that say where, who and how, as the modules and roles of this collection have them, into the
    connection options of the modules of C(kubernetes.core).
  - A token goes to no other cluster than its own. Without a credential in the options, the environment variables
    E(APPUIO_TOKEN), E(K8S_AUTH_API_KEY) and E(K8S_AUTH_KUBECONFIG) of the controller are used, unless E(K8S_AUTH_HOST)
    names another cluster.
  - Instead of failing, the result has the key C(refused) that says what is wrong, so that a role can tell it in its
    own words.
options:
  _input:
    description:
      - Any of C(zone), C(base_domain), C(host), C(token), C(username), C(password), C(kubeconfig), C(context),
        C(validate_certs), C(ca_cert), C(client_cert), C(client_key) and C(proxy). Empty ones are as good as missing.
    type: dict
    required: true
  kubeconfig_content:
    description: What stands in the kubeconfig file, to check that it is logged in to the zone.
    type: dict
notes:
  - The roles of this collection use it. It is of use wherever C(kubernetes.core) is called for a zone.
"""

EXAMPLES = r"""
- name: Read the quota of a project
  module_defaults:
    group/kubernetes.core.k8s: "{{ {'zone': 'cloudscale-lpg-2', 'token': my_token} | appuio.registry.api_options }}"
  block:
    - name: Read it
      kubernetes.core.k8s_info:
        kind: ResourceQuota
        namespace: my-project
"""

RETURN = r"""
_value:
  description: Options of the modules of C(kubernetes.core), and C(refused) where they cannot be meant.
  type: dict
  sample:
    host: https://api.cloudscale-lpg-2.appuio.cloud:6443
    api_key: "********"
    validate_certs: true
"""

import os
from collections.abc import Mapping
from typing import Any, Callable

from ..module_utils._errors import AppuioError
from ..module_utils._openshift.api_options import api_options as options_from
from ..module_utils._openshift.api_options import check_kubeconfig, host_of


def api_options(given: Mapping[str, Any], kubeconfig_content: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return connection options of kubernetes.core, or ``refused``."""
    try:
        options = options_from(given, os.environ)
        host = host_of(given)
        if kubeconfig_content and host:
            check_kubeconfig(kubeconfig_content, options.get("context"), host)
    except AppuioError as error:
        return {"refused": str(error)}
    return options


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"api_options": api_options}
