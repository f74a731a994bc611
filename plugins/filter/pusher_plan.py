# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter appuio.registry.pusher_plan."""

from __future__ import annotations

DOCUMENTATION = r"""
name: pusher_plan
short_description: What has to be done for a pusher in a namespace
version_added: 0.1.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Compares the pusher that is wanted with the objects of the namespace, and returns the steps from here to there.
  - It asks no API and changes nothing.
options:
  _input:
    description:
      - The pusher that is wanted, with C(namespace), C(service_account), C(secret_name), C(role), C(role_binding),
        C(state), C(adopt), C(image_streams), C(token_kind), C(rotate), C(grace), C(labels) and C(annotations), as the
        role P(appuio.registry.image_pusher#role) has them.
    type: dict
    required: true
  accounts:
    description: The service account, in a list, or an empty list.
    type: list
    elements: dict
    required: true
  secrets:
    description: The Secret of the token, if it is there, and those of the label that the role gives to its Secrets.
    type: list
    elements: dict
    required: true
  bindings:
    description: All role bindings of the namespace.
    type: list
    elements: dict
    required: true
  image_streams:
    description: The image streams of the namespace, where any are wanted.
    type: list
    elements: dict
    default: []
notes:
  - The role P(appuio.registry.image_pusher#role) uses it.
"""

EXAMPLES = r"""
- name: Say what would be done
  ansible.builtin.debug:
    msg: "{{ (wanted | appuio.registry.pusher_plan(accounts, secrets, bindings)).steps }}"
"""

RETURN = r"""
_value:
  description: The plan.
  type: dict
  contains:
    steps:
      description: Each step with its reason, in order.
      type: list
      elements: str
    ask_first:
      description: Objects that the API has to accept in a dry run before anything is removed.
      type: list
      elements: dict
    remove:
      description: Objects to delete, before anything is made.
      type: list
      elements: dict
    put:
      description: Objects to make or to change.
      type: list
      elements: dict
    left:
      description: What is left alone, and why.
      type: list
      elements: str
    rights:
      description: The rights that the steps need, one for each, with C(verb), C(group) and C(resource).
      type: list
      elements: dict
    grants:
      description: ClusterRoles that are bound.
      type: list
      elements: str
    secret_name:
      description: The Secret that holds the token in the end. Empty when none does.
      type: str
    refused:
      description: Why nothing can be done. Empty when it can.
      type: str
"""

from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ..module_utils._openshift.pusher_plan import Namespace, Pusher, plan_pusher

Found = Sequence[Mapping[str, Any]]


def pusher_plan(
    wanted: Mapping[str, Any], accounts: Found, secrets: Found, bindings: Found, image_streams: Found = ()
) -> dict[str, Any]:
    """Return the plan for a pusher."""
    found = Namespace(accounts[0] if accounts else None, secrets, bindings, image_streams)
    # Before ansible-core 2.19, templates make text of numbers.
    plan = plan_pusher(Pusher(**{**wanted, "grace": int(wanted.get("grace", Pusher.grace))}), found)
    binds = any(definition["kind"] == "RoleBinding" for definition in plan.steps.put)
    return {**vars(plan.steps), "secret_name": plan.secret_name, "grants": [plan.role] if binds else []}


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"pusher_plan": pusher_plan}
