# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter appuio.registry.access_plan."""

from __future__ import annotations

DOCUMENTATION = r"""
name: access_plan
short_description: What has to be done for the registry access of a namespace
version_added: 0.1.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Compares the access that is wanted with the objects of the namespace, and returns the steps from here to there.
  - It asks no API and changes nothing.
options:
  _input:
    description:
      - The access that is wanted, with C(namespace), C(state), C(exclusive), C(viewers), C(editors), C(viewer_role),
        C(editor_role), C(viewer_binding), C(editor_binding) and C(pull_secrets), as the role
        P(appuio.registry.registry_access#role) has them.
    type: dict
    required: true
  bindings:
    description: All role bindings of the namespace.
    type: list
    elements: dict
    required: true
  secrets:
    description: The Secrets of the pull Secrets' names.
    type: list
    elements: dict
    required: true
  accounts:
    description: All service accounts of the namespace.
    type: list
    elements: dict
    required: true
notes:
  - The role P(appuio.registry.registry_access#role) uses it.
"""

EXAMPLES = r"""
- name: Say what would be done
  ansible.builtin.debug:
    msg: "{{ (wanted | appuio.registry.access_plan(bindings, secrets, accounts)).steps }}"
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
    put_secret:
      description: Objects to make or to change that must not be shown.
      type: list
      elements: dict
    rights:
      description: The rights that the steps need, one for each, with C(verb), C(group) and C(resource).
      type: list
      elements: dict
    grants:
      description: ClusterRoles that are bound.
      type: list
      elements: str
    left:
      description: What is left alone, and why.
      type: list
      elements: str
    refused:
      description: Why nothing can be done. Empty when it can.
      type: str
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ..module_utils._openshift.access_plan import Access, Namespace, PullSecret, plan_access

Found = Sequence[Mapping[str, Any]]


def access_plan(wanted: Mapping[str, Any], bindings: Found, secrets: Found, accounts: Found) -> dict[str, Any]:
    """Return the plan for a namespace's access."""
    access = Access(
        namespace=wanted["namespace"],
        bindings={
            wanted["viewer_role"]: wanted["viewer_binding"],
            wanted["editor_role"]: wanted["editor_binding"],
        },
        subjects={wanted["viewer_role"]: wanted["viewers"], wanted["editor_role"]: wanted["editors"]},
        pull_secrets=[_pull_secret(given) for given in wanted["pull_secrets"]],
        exclusive=bool(wanted["exclusive"]),
        state=wanted["state"],
    )
    steps = plan_access(access, Namespace(bindings, secrets, accounts))
    grants = [definition["roleRef"]["name"] for definition in steps.put if "roleRef" in definition]
    return {**vars(steps), "grants": grants}


def _pull_secret(given: Mapping[str, Any]) -> PullSecret:
    credential = f"{given.get('username') or 'serviceaccount'}:{given.get('password') or ''}"
    auth = base64.b64encode(credential.encode()).decode()
    accounts = given.get("service_accounts")
    return PullSecret(given["name"], {given["registry"]: {"auth": auth}}, ["default"] if accounts is None else accounts)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"access_plan": access_plan}
