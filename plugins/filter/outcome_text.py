# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter appuio.registry.outcome_text."""

from __future__ import annotations

DOCUMENTATION = r"""
name: outcome_text
short_description: The outcome of a playbook as text for a pipeline
version_added: 1.0.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Returns the outcome as the content of a file, whose extension determines the format.
  - For C(.json), it contains all data as JSON. For C(.env), it contains lines such as C(APPUIO_DIGEST=...), which
    GitLab reads as a report of the type C(dotenv). Otherwise, it contains lines such as C(digest=...), which GitHub
    reads from E(GITHUB_OUTPUT).
positional: _input, path
options:
  _input:
    description: The result of P(appuio.registry.outcome#filter).
    type: dict
    required: true
  path:
    description: The name of the file.
    type: str
    required: true
seealso:
  - plugin: appuio.registry.outcome
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Hand the digest on
  ansible.builtin.copy:
    content: "{{ pushed.zones | appuio.registry.outcome('push') | appuio.registry.outcome_text('push.env') }}"
    dest: push.env
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The content of the file.
  type: str
"""

from collections.abc import Mapping
from typing import Any, Callable

from ..module_utils._outcome import text_of


def outcome_text(outcome: Mapping[str, Any], path: str) -> str:
    """Return the content of the file."""
    return text_of(path, outcome)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"outcome_text": outcome_text}
