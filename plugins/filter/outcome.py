# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter appuio.registry.outcome."""

from __future__ import annotations

DOCUMENTATION = r"""
name: outcome
short_description: Results of zones as the outcome of a playbook
version_added: 1.0.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Returns the data for the next job of a workflow or a pipeline, as the playbooks of this collection publish it with
    C(ansible.builtin.set_stats).
positional: _input, playbook
options:
  _input:
    description: The results, as in RV(appuio.registry.appuio_image_push#module:zones).
    type: list
    elements: dict
    required: true
  playbook:
    description: Name of the playbook.
    type: str
    required: true
  more:
    description: Additional data of the outcome.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Publish what was pushed
  ansible.builtin.set_stats:
    data:
      my_push: "{{ pushed.zones | appuio.registry.outcome('my_push') }}"
"""

RETURN = r"""
_value:
  description:
    - C(playbook), C(changed), C(failed), C(digest), which is empty if the zones differ, C(references) with the digest,
      and C(zones).
  type: dict
"""

from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ..module_utils._outcome import outcome_of


def outcome(
    results: Sequence[Mapping[str, Any]], playbook: str, more: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the outcome of a playbook."""
    return outcome_of(playbook, results, more or {})


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"outcome": outcome}
