# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options that say where: the zone, its addresses, the namespace."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of one zone, and of several."""

    DOCUMENTATION = r"""
options:
  zone:
    description:
      - Identifier of the APPUiO Cloud zone, for example V(cloudscale-lpg-2).
      - It gives the address of the registry, C(registry.<zone>.<base_domain>), and of the API,
        C(https://api.<zone>.<base_domain>:6443).
    type: str
  base_domain:
    description: The domain under which the zones live.
    type: str
    default: appuio.cloud
  registry:
    description:
      - The registry as C(host) or C(host:port). Overrides what O(zone) gives.
      - A scheme and a trailing slash are accepted and dropped.
    type: str
    aliases: [registry_url]
  host:
    description: URL of the zone's API. Overrides what O(zone) gives.
    type: str
  namespace:
    description: The namespace (project) that the task is about.
    type: str
    aliases: [project]
"""

    SEVERAL = r"""
options:
  zones:
    description:
      - Several zones in one task, instead of O(zone), O(registry) and O(host).
      - Each entry is a zone identifier, or a dictionary with any of the options that say where, who and how,
        for example a dictionary with the keys V(zone) and V(token).
      - An option that an entry does not set is taken from the task. Credentials are taken whole, so an entry with a
        credential of its own gets nothing of the task's credentials.
      - An unknown or misspelled key of an entry is refused.
    type: list
    elements: raw
"""
