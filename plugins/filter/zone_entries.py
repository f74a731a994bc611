# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter appuio.registry.zone_entries."""

from __future__ import annotations

DOCUMENTATION = r"""
name: zone_entries
short_description: Hosts of the inventory as the option zones of the modules
version_added: 1.0.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Returns an entry for each host, in the format of the option O(appuio.registry.appuio_image_push#module:zones) of the
    modules, from the host's variables C(appuio_zone), C(appuio_registry), C(appuio_host), C(appuio_namespace),
    C(appuio_token), C(appuio_ca_cert) and so on. The name of a variable is the name of the option with the prefix
    C(appuio_).
  - The zone is the name of the host if C(appuio_zone) is not set. Empty variables are omitted.
  - An entry can contain a token. Do not print it.
  - Variables under C(vars) of a play do not belong to a host and are ignored. Use the inventory, C(group_vars) or
    C(-e).
positional: _input, hostvars
options:
  _input:
    description: Names of inventory hosts, for example C(groups['all']).
    type: list
    elements: str
    required: true
  hostvars:
    description: C(hostvars), the variables of all hosts.
    type: dict
    required: true
seealso:
  - plugin: appuio.registry.zones
    plugin_type: inventory
"""

EXAMPLES = r"""
- name: See whether all zones of the inventory have the same image
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Ask them
      appuio.registry.appuio_image_info:
        zones: "{{ groups['all'] | appuio.registry.zone_entries(hostvars) }}"
        namespace: shop
        name: frontend
"""

RETURN = r"""
_value:
  description: An entry for each host, in the order of the hosts.
  type: list
  elements: dict
  sample:
    - zone: cloudscale-lpg-2
      registry: registry.cloudscale-lpg-2.appuio.cloud
      host: https://api.cloudscale-lpg-2.appuio.cloud:6443
      namespace: shop
"""

from collections.abc import Iterable, Mapping
from typing import Any, Callable

from ansible.errors import AnsibleFilterError

from ..module_utils._variables import entry_of


def zone_entries(hosts: Iterable[str], hostvars: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return an entry of ``zones`` for each host."""
    if isinstance(hosts, (str, Mapping)):
        raise AnsibleFilterError("zone_entries takes a list of hosts, as groups['all'] is one")
    missing = [host for host in hosts if host not in hostvars]
    if missing:
        raise AnsibleFilterError(f"the inventory has no host {', '.join(missing)}")
    return [entry_of(host, hostvars[host]) for host in hosts]


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"zone_entries": zone_entries}
