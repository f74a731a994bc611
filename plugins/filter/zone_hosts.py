# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter appuio.registry.zone_hosts."""

from __future__ import annotations

DOCUMENTATION = r"""
name: zone_hosts
short_description: Hosts for a play that fails if no host matches
version_added: 1.0.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Returns the hosts of the inventory that match a pattern, for C(hosts) of a play.
  - Ansible skips a play without hosts and succeeds. If the pattern matches no host, this filter returns an existing
    host, or C(localhost), so that the first task of the play can report the problem. The playbooks of this collection
    do so.
positional: _input, groups, limit
options:
  _input:
    description: A pattern of hosts, as in C(hosts) of a play.
    type: raw
    required: true
  groups:
    description: C(groups), the hosts of the inventory.
    type: dict
    required: true
  limit:
    description: C(ansible_limit), if it is set.
    type: str
    default: ""
seealso:
  - plugin: appuio.registry.zones
    plugin_type: inventory
"""

EXAMPLES = r"""
- name: Show the zones, or fail where there are none
  hosts: "{{ 'all' | appuio.registry.zone_hosts(groups, ansible_limit | default('')) }}"
  gather_facts: false
  tasks:
    - name: Fail without zones
      ansible.builtin.assert:
        that: groups['all'] | length > 0
        fail_msg: There are no zones.
"""

RETURN = r"""
_value:
  description: Names of hosts, at least one.
  type: list
  elements: str
  sample: [cloudscale-lpg-2, exoscale-ch-gva-2-0]
"""

from collections.abc import Iterable, Mapping
from typing import Any, Callable

from ansible.errors import AnsibleError, AnsibleFilterError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader

NO_INVENTORY = (
    "there is no inventory: the file of zones has to be called zones.yml or end in .zones.yml, begin with "
    "plugin: appuio.registry.zones, and be given with -i. Warnings at the beginning of the output say why a file was "
    "not read. A setting enable_plugins has to hold auto"
)


def zone_hosts(pattern: Any, groups: Mapping[str, Iterable[str]], limit: str = "") -> list[str]:
    """Return the hosts that match the pattern and the limit, or one that can tell that there are none."""
    inventory = InventoryManager(DataLoader(), parse=False)
    for group, hosts in groups.items():
        inventory.add_group(group)
        for host in hosts:
            inventory.add_host(host, group=group)
    try:
        if limit:
            inventory.subset(limit)
        matching = _names(inventory, pattern) or _names(inventory, "all")[:1] or _names(inventory, "localhost")
    except AnsibleError as error:
        raise AnsibleFilterError(f"no hosts are found by {pattern}: {error}") from error
    if not matching:
        raise AnsibleFilterError(NO_INVENTORY)
    return matching


def _names(inventory: InventoryManager, pattern: Any) -> list[str]:
    return [str(host.name) for host in inventory.get_hosts(pattern=pattern)]


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"zone_hosts": zone_hosts}
