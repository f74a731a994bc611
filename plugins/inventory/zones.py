# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory of zones: each zone is a host on which tasks run locally."""

from __future__ import annotations

DOCUMENTATION = r"""
name: zones
short_description: APPUiO Cloud zones as inventory hosts
version_added: 1.0.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Creates an inventory host for each zone, so that a play with C(hosts=all) runs in every zone, and forks, limits and
    AWX's job slicing work as usual.
  - A host has the variables C(appuio_zone), C(appuio_host) (the API) and C(appuio_registry), which the playbooks of
    this collection use, and C(ansible_connection=local), because Ansible does not connect to it with SSH.
    C(ansible_python_interpreter) is the Python that runs C(ansible-playbook).
  - Hosts are members of a group of their cloud provider, for example C(provider_cloudscale), and of their region, for
    example C(region_cloudscale_lpg). Set variables of all zones in C(group_vars) as usual.
  - The name of the file must end in C(.zones.yml) or C(.zones.yaml), or be C(zones.yml) or C(zones.yaml).
  - The zones are listed in the file, or read from the control API of APPUiO Cloud, which also provides
    C(appuio_display_name), C(appuio_console), C(appuio_app_domain) and C(appuio_features).
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
options:
  plugin:
    description: Has to be V(appuio.registry.zones).
    type: str
    required: true
    choices: [appuio.registry.zones]
  zones:
    description:
      - The zones. Each is the name of a zone, or a dictionary with C(zone) and any of C(base_domain), C(registry) and
        C(host), which have the same meaning as in the modules, and C(name) for the inventory host.
      - A dictionary without C(zone) needs C(name), C(registry) and C(host).
      - Other keys become variables of the host, for example C(appuio_namespace). A misspelled key is an error.
      - Exactly one of O(zones) and O(control_api) is required.
    type: list
    elements: raw
  control_api:
    description:
      - URL of the control API of APPUiO Cloud. All zones that it lists become hosts.
      - Its answer is cached if O(cache) is set.
    type: str
  control_token:
    description: A token for the control API.
    type: str
    env:
      - name: APPUIO_CONTROL_TOKEN
  ca_cert:
    description: Path of a file with certificate authorities in PEM format to trust for the control API.
    type: path
  validate_certs:
    description: Whether to verify the certificate of the control API.
    type: bool
    default: true
  base_domain:
    description: The domain of the zones.
    type: str
    default: appuio.cloud
  group_prefix_provider:
    description: Prefix of the names of the groups of cloud providers.
    type: str
    default: provider_
  group_prefix_region:
    description: Prefix of the names of the groups of regions.
    type: str
    default: region_
notes:
  - The names of zones are C(<provider>-<region>[-<n>]). The last part does not belong to the region if it is a number.
seealso:
  - plugin: appuio.registry.zone_registry
    plugin_type: filter
  - plugin: appuio.registry.zone_api
    plugin_type: filter
"""

EXAMPLES = r"""
# zones.yml: two zones by their names
#   plugin: appuio.registry.zones
#   zones:
#     - cloudscale-lpg-2
#     - exoscale-ch-gva-2-0
#
# all.zones.yml: every zone there is; the token is in the environment variable APPUIO_CONTROL_TOKEN
#   plugin: appuio.registry.zones
#   control_api: https://control.example.com
#   cache: true
#
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

import json
from http import HTTPStatus
from typing import Any
from urllib.error import HTTPError

from ansible.errors import AnsibleParserError
from ansible.module_utils.urls import open_url
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

from ..module_utils._errors import AppuioError, ConnectionFailedError, InvalidOptionError, UnauthorizedError
from ..module_utils._zone_list import ZoneHost, check_keys, hosts_of_control_api, zone_hosts

try:
    from ansible.template import trust_as_template
except ImportError:  # ansible-core before 2.19 knows no templates that are not trusted

    def trust_as_template(value: str) -> str:
        """Return the value, which is a template as it is."""
        return value


SUFFIXES = (".zones.yml", ".zones.yaml")
NAMES = ("zones.yml", "zones.yaml")
ZONES = "/apis/appuio.io/v1/zones"
TIMEOUT = 30


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """What Ansible loads."""

    NAME = "appuio.registry.zones"

    def verify_file(self, path: str) -> bool:
        """Whether the file has a name that is this plugin's."""
        named = path.endswith(SUFFIXES) or path.rpartition("/")[2] in NAMES
        return bool(super().verify_file(path)) and named

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Add the zones to the inventory; raises AnsibleParserError."""
        super().parse(inventory, loader, path, cache)
        config = self._read_config_data(path)
        try:
            check_keys(config, {"plugin", *self.get_options()}, "the file")
            hosts = self._hosts(path, cache)
        except AppuioError as error:
            raise AnsibleParserError(f"{path}: {error}") from error
        for host in hosts:
            self._add(host)

    def _hosts(self, path: str, cache: bool) -> list[ZoneHost]:
        listed, url, domain = (self.get_option(name) for name in ("zones", "control_api", "base_domain"))
        if (listed is None) == (not url):
            raise InvalidOptionError("exactly one of zones and control_api is to be given")
        if not url:
            return zone_hosts(listed, domain)
        return hosts_of_control_api(self._cached(path, cache, url), domain)

    def _cached(self, path: str, cache: bool, url: str) -> Any:
        """Return the Zone objects of the control API, from the cache where it may be used."""
        key, caching = self.get_cache_key(path), self.get_option("cache")
        if caching and cache and key in self._cache:
            return self._cache[key]
        items = self._ask(url.rstrip("/") + ZONES)
        if caching:
            self._cache[key] = items
        return items

    def _ask(self, url: str) -> Any:
        token = self.get_option("control_token")
        if not token:
            raise UnauthorizedError("the control API needs a token", hint="Set APPUIO_CONTROL_TOKEN")
        try:
            with open_url(
                url,
                headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
                timeout=TIMEOUT,
                validate_certs=self.get_option("validate_certs"),
                ca_path=self.get_option("ca_cert"),
                follow_redirects="none",
                use_netrc=False,
            ) as answer:
                return json.load(answer)["items"]
        except HTTPError as refused:
            if refused.code == HTTPStatus.UNAUTHORIZED:
                raise UnauthorizedError(f"{url} does not accept the token", hint="Get a new one") from refused
            raise ConnectionFailedError(f"{url} answers {refused.code} {refused.reason}") from refused
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConnectionFailedError(f"{url} gives no list of zones: {error}") from error

    def _add(self, host: ZoneHost) -> None:
        self.inventory.add_host(host.name)
        # Whatever Python has read the inventory: a job may run in another execution environment.
        python = trust_as_template("{{ ansible_playbook_python }}")
        local = {"ansible_connection": "local", "ansible_python_interpreter": python}
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
