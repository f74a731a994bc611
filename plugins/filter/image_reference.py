# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter appuio.registry.image_reference."""

from __future__ import annotations

DOCUMENTATION = r"""
name: image_reference
short_description: The parts of an image reference
version_added: 1.0.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Parses C([registry/]repository[:tag][@digest]) with the same rules as the modules of this collection.
  - The first component is a registry if it contains a dot or a port, or is C(localhost). A name with one component and
    without a registry is an image in C(library) on Docker Hub.
  - An invalid image reference is an error.
options:
  _input:
    description: The reference of an image.
    type: str
    required: true
seealso:
  - module: appuio.registry.appuio_image_push
"""

EXAMPLES = r"""
- name: Push a released image under the name and tag it has there
  appuio.registry.appuio_image_push:
    zone: cloudscale-lpg-2
    namespace: my-project
    source: "{{ released }}"
    name: "{{ (released | appuio.registry.image_reference).name }}"
    tags: ["{{ (released | appuio.registry.image_reference).tag }}"]
  vars:
    released: ghcr.io/example/shop/frontend:1.4.2
"""

RETURN = r"""
_value:
  description: The parts of the reference.
  type: dict
  contains:
    registry:
      description: The registry as C(host) or C(host:port).
      type: str
      sample: registry.cloudscale-lpg-2.appuio.cloud
    repository:
      description: The repository in the registry.
      type: str
      sample: my-project/app
    namespace:
      description: The repository without its last component. It is empty if there is only one component.
      type: str
      sample: my-project
    name:
      description: The last component of the repository.
      type: str
      sample: app
    tag:
      description: The tag, or null if the reference has none.
      type: str
      sample: 1.4.2
    digest:
      description: The digest, or null if the reference has none.
      type: str
      sample: null
"""

from typing import Any, Callable

from ansible.errors import AnsibleFilterError

from ..module_utils._errors import AppuioError
from ..module_utils._reference import parse_reference


def image_reference(text: str) -> dict[str, Any]:
    """Return the parts of an image reference."""
    try:
        reference = parse_reference(str(text))
    except AppuioError as error:
        raise AnsibleFilterError(str(error)) from error
    return {
        "registry": reference.registry,
        "repository": reference.repository,
        "namespace": reference.repository.rpartition("/")[0],
        "name": reference.name,
        "tag": reference.tag,
        "digest": reference.digest,
    }


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"image_reference": image_reference}
