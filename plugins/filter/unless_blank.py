# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter appuio.registry.unless_blank."""

from __future__ import annotations

DOCUMENTATION = r"""
name: unless_blank
short_description: A value, or a default if it is empty
version_added: 1.0.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Returns the value, or a default if the value is null or text without any characters but blanks.
  - Surveys send empty values for unanswered questions, which ansible-core 2.19 and newer read as null, and pipelines
    send them for variables that are not set. Unlike C(default) with C(true), this filter keeps V(false) and V(0).
positional: _input, otherwise
options:
  _input:
    description: The value.
    type: raw
    required: true
  otherwise:
    description: The default, often C(omit).
    type: raw
    required: true
seealso:
  - plugin: ansible.builtin.mandatory
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Push the image, to the tag of the source where the survey names none
  appuio.registry.appuio_image_push:
    zone: cloudscale-lpg-2
    namespace: my-project
    token: "{{ pusher_token }}"
    source: oci:build/app:1.4.2
    tags: "{{ survey_tags | default('') | appuio.registry.unless_blank(omit) }}"
"""

RETURN = r"""
_value:
  description: The value, or the default.
  type: raw
"""

from typing import Any, Callable

from ..module_utils._text import is_blank


def unless_blank(value: Any, otherwise: Any) -> Any:
    """Return the value, or the other one where it is blank."""
    return otherwise if is_blank(value) else value


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"unless_blank": unless_blank}
