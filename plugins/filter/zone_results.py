# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter appuio.registry.zone_results."""

from __future__ import annotations

DOCUMENTATION = r"""
name: zone_results
short_description: The results of all zones of a play
version_added: 1.0.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Returns the results of all zones of a play as one list, from the variable that a task with a module of this
    collection has registered on each host.
  - A host that has failed before has a result, too, with C(failed) and C(error), so that no zone is missing.
positional: _input, alive, hostvars, name
options:
  _input:
    description: C(ansible_play_hosts_all).
    type: list
    elements: str
    required: true
  alive:
    description: C(ansible_play_hosts).
    type: list
    elements: str
    required: true
  hostvars:
    description: C(hostvars).
    type: dict
    required: true
  name:
    description: The registered variable.
    type: str
    required: true
  together:
    description: Whether one task with C(run_once) was run for all zones.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Push the image, each zone on its own
  hosts: all
  gather_facts: false
  tasks:
    - name: Push it
      appuio.registry.appuio_image_push:
        registry: "{{ appuio_registry }}"
        namespace: shop
        token: "{{ appuio_token }}"
        source: oci:build/frontend
      register: pushed

    - name: Show the digests
      ansible.builtin.debug:
        msg: "{{ results | map(attribute='digest') | unique }}"
      vars:
        results: >-
          {{ ansible_play_hosts_all | appuio.registry.zone_results(ansible_play_hosts, hostvars, 'pushed') }}
      run_once: true
"""

RETURN = r"""
_value:
  description: The results, as in RV(appuio.registry.appuio_image_push#module:zones).
  type: list
  elements: dict
"""

from collections.abc import Iterable, Mapping
from typing import Any, Callable

from ..module_utils._outcome import zone_results as results_of


def zone_results(
    hosts: Iterable[str], alive: Iterable[str], hostvars: Mapping[str, Any], name: str, together: bool = False
) -> list[dict[str, Any]]:
    """Return the results of all zones."""
    return results_of(hosts, alive, hostvars, name, together)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"zone_results": zone_results}
