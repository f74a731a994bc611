# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter appuio.registry.zone_api."""

from __future__ import annotations

DOCUMENTATION = r"""
name: zone_api
short_description: The API of an APPUiO Cloud zone
version_added: 1.0.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Returns the URL of a zone's API, in the format of the option O(kubernetes.core.k8s#module:host) of kubernetes.core.
  - An invalid name is an error, so that a typo does not become an address.
positional: _input, base_domain
options:
  _input:
    description: Name of the zone, for example V(cloudscale-lpg-2).
    type: str
    required: true
  base_domain:
    description: The domain of the zones.
    type: str
    default: appuio.cloud
seealso:
  - plugin: appuio.registry.zone_registry
    plugin_type: filter
  - plugin: appuio.registry.zones
    plugin_type: inventory
"""

EXAMPLES = r"""
- name: List the image streams of a project
  kubernetes.core.k8s_info:
    host: "{{ 'cloudscale-lpg-2' | appuio.registry.zone_api }}"
    api_key: "{{ my_token }}"
    api_version: image.openshift.io/v1
    kind: ImageStream
    namespace: my-project
"""

RETURN = r"""
_value:
  description: The URL of the zone's API.
  type: str
  sample: https://api.cloudscale-lpg-2.appuio.cloud:6443
"""

from typing import Any, Callable

from ansible.errors import AnsibleFilterError

from ..module_utils._errors import AppuioError
from ..module_utils._zone import DEFAULT_BASE_DOMAIN
from ..module_utils._zone import zone_api as api_of


def zone_api(zone: str, base_domain: str = DEFAULT_BASE_DOMAIN) -> str:
    """Return the URL of the zone's API."""
    try:
        return api_of(str(zone), base_domain)
    except AppuioError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"zone_api": zone_api}
