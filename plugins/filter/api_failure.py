# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter appuio.registry.api_failure."""

from __future__ import annotations

DOCUMENTATION = r"""
name: api_failure
short_description: Why a task of kubernetes.core failed, in the API's own words
version_added: 0.1.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Finds the API's message in the result of a failed task of C(kubernetes.core), which may be a whole HTTP response or
    a traceback, and adds what to do about it where that is known.
options:
  _input:
    description: The failed result, for example C(ansible_failed_result) in a C(rescue).
    type: dict
    required: true
notes:
  - The roles of this collection use it.
"""

EXAMPLES = r"""
- name: Read a Secret and say plainly why it did not work
  block:
    - name: Read it
      kubernetes.core.k8s_info:
        kind: Secret
        namespace: my-project
        name: my-secret
      no_log: true
  rescue:
    - name: Say why
      ansible.builtin.fail:
        msg: "{{ ansible_failed_result | appuio.registry.api_failure }}"
"""

RETURN = r"""
_value:
  description: The cause, and the next thing to do.
  type: str
"""

from typing import Any, Callable

from ..module_utils._openshift.api_failure import api_failure


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"api_failure": api_failure}
