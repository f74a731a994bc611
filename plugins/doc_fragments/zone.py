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
      - Name of the APPUiO Cloud zone, for example V(cloudscale-lpg-2).
      - The addresses are derived from it, C(registry.<zone>.<base_domain>) for the registry, and
        C(https://api.<zone>.<base_domain>:6443) for the API.
    type: str
  base_domain:
    description: The domain of the zones.
    type: str
    default: appuio.cloud
  registry:
    description:
      - The registry as C(host) or C(host:port). Overrides the address derived from O(zone).
      - A scheme and a trailing slash are accepted and dropped.
    type: str
    aliases: [registry_url]
  host:
    description: URL of the zone's API. Overrides the address derived from O(zone).
    type: str
  namespace:
    description: The namespace (project) in the zone.
    type: str
    aliases: [project]
"""

    SEVERAL = r"""
options:
  zones:
    description:
      - Several zones in one task, instead of O(zone), O(registry) and O(host).
      - Each entry is the name of a zone, or a dictionary with any of the options for the zone, the credential and the
        connection, for example with the keys V(zone) and V(token).
      - Options that an entry does not set are taken from the task. The options of the credential are taken together, so
        if an entry sets a credential, none of the task's credential options are used.
      - Unknown and misspelled keys of an entry are errors.
    type: list
    elements: raw
"""
