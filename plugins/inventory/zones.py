# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory of zones: each zone is a host on which tasks run locally."""

from __future__ import annotations

DOCUMENTATION = r"""
name: zones
short_description: APPUiO Cloud zones as inventory hosts
version_added: 0.1.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Makes an inventory host of each zone, so that a play over C(hosts=all) does its work in every zone, with
    Ansible's own forks, limits and AWX's job slicing.
  - A host has the variables C(appuio_zone), C(appuio_host) (the API) and C(appuio_registry), which the playbooks of
    this collection use, and C(ansible_connection=local), as there is nothing to log in to. Its
    C(ansible_python_interpreter) is the Python that runs C(ansible-playbook), which has the libraries that Ansible's
    controller has.
  - Hosts are in a group of their cloud provider, for example C(provider_cloudscale), and of their region, for example
    C(region_cloudscale_lpg). Variables that all zones share stand in C(group_vars) as usual.
  - The file has to end in C(.zones.yml) or C(.zones.yaml), or be called C(zones.yml) or C(zones.yaml).
extends_documentation_fragment:
  - ansible.builtin.constructed
options:
  plugin:
    description: Has to be V(appuio.registry.zones).
    type: str
    required: true
    choices: [appuio.registry.zones]
  zones:
    description:
      - The zones. Each is a zone identifier, or a dictionary with C(zone) and any of C(base_domain), C(registry) and
        C(host), which have the meaning they have in the modules, and C(name) for the inventory host.
      - A dictionary without C(zone) needs C(name), C(registry) and C(host).
      - Other keys become variables of the host, for example C(appuio_namespace).
    type: list
    elements: raw
    required: true
  base_domain:
    description: The domain under which the zones live.
    type: str
    default: appuio.cloud
  group_prefix_provider:
    description: What the names of the groups of cloud providers start with.
    type: str
    default: provider_
  group_prefix_region:
    description: What the names of the groups of regions start with.
    type: str
    default: region_
notes:
  - The names of zones are C(<provider>-<region>[-<n>]). The last part does not belong to the region when it is a
    number.
seealso:
  - plugin: appuio.registry.zone_registry
    plugin_type: filter
  - plugin: appuio.registry.zone_api
    plugin_type: filter
"""

EXAMPLES = r"""
# zones.yml: two zones by their names
plugin: appuio.registry.zones
zones:
  - cloudscale-lpg-2
  - exoscale-ch-gva-2-0

---
# production.zones.yml: variables of a zone, and groups made from them
plugin: appuio.registry.zones
zones:
  - zone: cloudscale-lpg-2
    appuio_namespace: shop-prod
    stage: production
  - zone: exoscale-ch-gva-2-0
    appuio_namespace: shop-prod-gva
    stage: production
  - name: lab
    host: https://api.lab.example.com:6443
    registry: registry.lab.example.com
    stage: test
keyed_groups:
  - key: stage
    prefix: stage
compose:
  appuio_tags: "['stable'] if stage == 'production' else ['edge']"
"""

import sys
from typing import Any

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Constructable

from ..module_utils._errors import Problem
from ..module_utils._zone_list import ZoneHost, zone_hosts

SUFFIXES = (".zones.yml", ".zones.yaml")
NAMES = ("zones.yml", "zones.yaml")


class InventoryModule(BaseInventoryPlugin, Constructable):
    """What Ansible loads."""

    NAME = "appuio.registry.zones"

    def verify_file(self, path: str) -> bool:
        """Whether the file has a name that is this plugin's."""
        named = path.endswith(SUFFIXES) or path.rpartition("/")[2] in NAMES
        return bool(super().verify_file(path)) and named

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Add the zones of the file to the inventory; raises AnsibleParserError."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        try:
            hosts = zone_hosts(self.get_option("zones"), self.get_option("base_domain"))
        except Problem as problem:
            raise AnsibleParserError(f"{path}: {problem}") from problem
        for host in hosts:
            self._add(host)

    def _add(self, host: ZoneHost) -> None:
        self.inventory.add_host(host.name)
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        variables = {**local, **host.variables}
        for name, value in variables.items():
            self.inventory.set_variable(host.name, name, value)
        if host.provider:
            self._group(host.name, self.get_option("group_prefix_provider") + host.provider)
            self._group(host.name, self.get_option("group_prefix_region") + f"{host.provider}_{host.region}")
        strict = self.get_option("strict")
        known = {**variables, "inventory_hostname": host.name}
        self._set_composite_vars(self.get_option("compose"), known, host.name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), known, host.name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), known, host.name, strict=strict)

    def _group(self, host: str, name: str) -> None:
        group = self.inventory.add_group(self._sanitize_group_name(name))
        self.inventory.add_child(group, host)
