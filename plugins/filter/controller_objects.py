# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter appuio.registry.controller_objects."""

from __future__ import annotations

DOCUMENTATION = r"""
name: controller_objects
short_description: The AWX objects for the playbooks of this collection
version_added: 1.0.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Returns the organization, the credential type, credentials, execution environment, project, inventory with its
    source, job templates with surveys, and the workflow, as lists in the format of C(infra.aap_configuration).
  - The surveys are generated from the argument specifications of the playbooks. The playbook C(appuio.registry.awx)
    creates the objects that this filter returns.
positional: _input, settings
options:
  _input:
    description: The argument specifications of the playbooks, by the names of the playbooks.
    type: dict
    required: true
  settings:
    description: The variables of the playbook C(appuio.registry.awx), without C(appuio_awx_) in their names.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the job templates
  ansible.builtin.debug:
    msg: "{{ (specifications | appuio.registry.controller_objects(settings)).controller_templates }}"
  vars:
    specifications: "{{ (lookup('ansible.builtin.file', 'argument_specs.yml') | from_yaml).argument_specs }}"
    settings:
      project_url: https://git.example.com/images.git
"""

RETURN = r"""
_value:
  description:
    - C(aap_organizations), C(controller_credential_types), C(controller_credentials),
      C(controller_execution_environments), C(controller_projects), C(controller_inventories),
      C(controller_inventory_sources), C(controller_templates) and C(controller_workflows).
  type: dict
"""

from collections.abc import Mapping
from typing import Any, Callable

from ansible.errors import AnsibleFilterError

from ..module_utils._awx.objects import controller_objects as objects_of
from ..module_utils._errors import AppuioError


def controller_objects(
    specifications: Mapping[str, Mapping[str, Any]], settings: Mapping[str, Any]
) -> dict[str, list[dict[str, Any]]]:
    """Return what AWX needs to run the playbooks."""
    try:
        return objects_of(specifications, settings)
    except AppuioError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"controller_objects": controller_objects}
