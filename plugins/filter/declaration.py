# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter appuio.registry.declaration."""

from __future__ import annotations

DOCUMENTATION = r"""
name: declaration
short_description: Compare the images of zones with those that a file declares
version_added: 1.0.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Combines the result of M(appuio.registry.appuio_image_info) with the result of M(appuio.registry.appuio_image_sync)
    in check mode, as the playbook C(report) does.
positional: _input, compared
options:
  _input:
    description: The zones, as in RV(appuio.registry.appuio_image_info#module:zones).
    type: list
    elements: dict
    required: true
  compared:
    description:
      - Results of M(appuio.registry.appuio_image_sync) in check mode. The first with C(images) is used, and the
        messages of those before it explain what is not known.
    type: list
    elements: dict
    required: true
  name:
    description: Only this image.
    type: str
  tags:
    description: Only these tags, as a list or as text.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Look at the images
  appuio.registry.appuio_image_info:
    zone: cloudscale-lpg-2
    namespace: base-images
    token: "{{ appuio_token }}"
  register: there

- name: Compare them with the file
  appuio.registry.appuio_image_sync:
    zone: cloudscale-lpg-2
    namespace: base-images
    token: "{{ appuio_token }}"
    images_file: images.yml
    delete: managed
  check_mode: true
  register: compared

- name: Show what nobody has declared
  ansible.builtin.debug:
    msg: "{{ (there.zones | appuio.registry.declaration([compared])).undeclared }}"
"""

RETURN = r"""
_value:
  description:
    - C(as_declared), which is null if it is not known, and the tags that are C(declared), C(missing), C(outdated),
      C(no_longer_declared), C(undeclared) and C(unknown), each with C(name), C(tag), C(zones) and C(reason).
    - C(counts) contains their numbers, counted in each zone.
    - C(zones) contains the zones, each with its C(declaration), which contains C(counts), and in C(tags) the state of
      each tag.
    - If nothing was compared, C(declaration_error) is set instead.
  type: dict
"""

from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ansible.errors import AnsibleFilterError

from ..module_utils._declaration import declaration_of
from ..module_utils._errors import AppuioError
from ..module_utils._text import as_texts


def declaration(
    zones: Sequence[Mapping[str, Any]],
    compared: Sequence[Mapping[str, Any]],
    name: str | None = None,
    tags: Any = None,
) -> dict[str, Any]:
    """Return what zones have beside what is declared."""
    try:
        wanted = as_texts("tags", tags) or ()
    except AppuioError as error:
        raise AnsibleFilterError(str(error)) from None
    return declaration_of(zones, compared, str(name or "").strip(), wanted)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"declaration": declaration}
