# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter appuio.registry.zone_registry."""

from __future__ import annotations

DOCUMENTATION = r"""
name: zone_registry
short_description: The registry of an APPUiO Cloud zone
version_added: 1.0.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Returns the host of a zone's registry, as it is used in image references.
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
  - plugin: appuio.registry.zone_api
    plugin_type: filter
  - plugin: appuio.registry.zones
    plugin_type: inventory
"""

EXAMPLES = r"""
- name: Show the registry of a zone
  ansible.builtin.debug:
    msg: "{{ 'cloudscale-lpg-2' | appuio.registry.zone_registry }}"
  # registry.cloudscale-lpg-2.appuio.cloud
"""

RETURN = r"""
_value:
  description: The host of the zone's registry.
  type: str
  sample: registry.cloudscale-lpg-2.appuio.cloud
"""

from typing import Any, Callable

from ansible.errors import AnsibleFilterError

from ..module_utils._errors import AppuioError
from ..module_utils._zone import DEFAULT_BASE_DOMAIN
from ..module_utils._zone import zone_registry as registry_of


def zone_registry(zone: str, base_domain: str = DEFAULT_BASE_DOMAIN) -> str:
    """Return the host of the zone's registry."""
    try:
        return registry_of(str(zone), base_domain)
    except AppuioError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"zone_registry": zone_registry}
