# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter appuio.registry.zone_table."""

from __future__ import annotations

DOCUMENTATION = r"""
name: zone_table
short_description: Results of zones as a table
version_added: 1.0.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Returns the lines of a table with a row for each zone, from the C(zones) that a module of this collection returns.
positional: _input, columns
options:
  _input:
    description: The results, as in RV(appuio.registry.appuio_image_push#module:zones).
    type: list
    elements: dict
    required: true
  columns:
    description:
      - The columns, which are names of values in the results.
      - V(digest) is shortened, V(bytes) is the number of uploaded bytes, V(seconds) is the duration.
    type: list
    elements: str
    default: [zone, reference, digest, changed, bytes, seconds]
"""

EXAMPLES = r"""
- name: Show what each zone has
  ansible.builtin.debug:
    msg: "{{ pushed.zones | appuio.registry.zone_table }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ..module_utils._outcome import table_of

COLUMNS = ("zone", "reference", "digest", "changed", "bytes", "seconds")


def zone_table(results: Sequence[Mapping[str, Any]], columns: Sequence[str] = COLUMNS) -> list[str]:
    """Return the lines of a table."""
    return table_of(results, columns)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"zone_table": zone_table}
