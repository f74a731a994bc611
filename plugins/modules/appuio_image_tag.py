#!/usr/bin/python
# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Move a tag of an image that zones have: promote, roll back, remove."""

from __future__ import annotations

DOCUMENTATION = r"""
module: appuio_image_tag
short_description: Promote, roll back or remove a tag of an image in zones
version_added: 0.1.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Points a tag to another image that the zone has already, in one or several zones. Nothing is downloaded or uploaded.
  - Promotes an image by a tag or its digest, also to another repository or from another namespace of the zone, whose
    layers are mounted.
  - Rolls a tag back to an image of its history, and removes tags.
  - The manifest is put under the tag once more, byte for byte. That takes only the right to push, and the history of
    the tag shows it. An entry in C(spec.tags) is never created.
  - With several zones, either all tags move or none does.
  - A workload with an image trigger on the tag is rolled out anew when the tag moves.
extends_documentation_fragment:
  - appuio.registry.zone
  - appuio.registry.zone.several
  - appuio.registry.credentials
  - appuio.registry.connection
  - appuio.registry.attributes
  - appuio.registry.attributes.action_group
options:
  name:
    description: The image in O(namespace) whose tag it is.
    type: str
    required: true
  tag:
    description: The tag.
    type: str
    required: true
  state:
    description:
      - With V(present), the tag points to the image of O(from).
      - With V(rolled_back), it points to O(to_digest), or to the image that it pointed to O(revision) images before
        O(expected_digest).
      - With V(absent), the tag and its history are deleted. Images that nothing else points to are pruned by the zone
        later. This takes access to the API, as the registry refuses it.
    type: str
    choices: [present, absent, rolled_back]
    default: present
  from:
    description:
      - The image that the tag is to point to, for O(state=present).
      - It is another tag or a digest of the same repository, as V(staging) or V(sha256:4bc4...).
      - For an image of another repository of the zone, it is V(name:tag), V(name@digest), V(namespace/name:tag) or
        V(namespace/name@digest).
    type: str
  to_digest:
    description: The image to go back to, for O(state=rolled_back). The zone has to have it still.
    type: str
  expected_digest:
    description:
      - The digest that the tag points to before. If it points to another one, somebody was faster.
      - With O(state=rolled_back) and without O(to_digest), it is the bad image. A tag that does not point to it is
        left as it is, so that a second run does not go back further.
      - Otherwise, the task fails before anything changes. A tag that already points to the right image is fine.
    type: str
  revision:
    description:
      - How many images to go back in the history of the tag, for O(state=rolled_back) without O(to_digest).
      - The history is that of RV(appuio.registry.appuio_image_info#module:zones[].tags[].history), in each zone its
        own. This takes access to the API.
    type: int
    default: 1
  following:
    description:
      - What happens to a tag whose entry in C(spec.tags) follows another tag or an image elsewhere, which can move it
        again.
      - With V(fail), the task fails before anything changes. With V(keep), the tag is left as it is.
      - An entry that points to one image is no such case, and neither is the removal of a tag. The reason says so.
      - It can only be seen with access to the API.
    type: str
    choices: [fail, keep]
    default: fail
  atomic:
    description:
      - With several zones, whether either all tags move or none does.
      - Everything is read and mounted everywhere before the first tag moves. If a tag cannot be moved then, those
        that have moved already go back to what they pointed to. A tag that was new is removed through the API, which
        C(registry-editor) may do and C(system:image-builder) may not. One that was removed comes back without its
        history.
      - If V(false), each zone goes its own way. The task still fails if one of them does.
    type: bool
    default: true
requirements:
  - kubernetes (for what takes access to the API)
  - openshift (for what takes access to the API)
notes:
  - O(namespace) is required, in the task or in each entry of O(zones).
  - In check mode only questions are asked.
  - Right before a tag moves, the module reads once more whether it still points to the same image, and fails if not.
  - When the task is told to stop (SIGTERM, SIGINT, SIGHUP), tags that have moved go back if O(atomic), and the result
    says what each zone has.
  - A rollback to an event of the history that points to no image of the zone, as C(oc tag --reference) leaves one,
    fails and names the event.
  - APPUiO keeps three images of each tag, and spares what is younger than an hour. A rollback reaches no further.
seealso:
  - module: appuio.registry.appuio_image_info
  - module: appuio.registry.appuio_image_push
"""

EXAMPLES = r"""
- name: Promote what was tested, in all zones or in none
  appuio.registry.appuio_image_tag:
    zones:
      - zone: cloudscale-lpg-2
        token: "{{ appuio_tokens['cloudscale-lpg-2'] }}"
      - zone: exoscale-ch-gva-2-0
        token: "{{ appuio_tokens['exoscale-ch-gva-2-0'] }}"
    namespace: shop
    name: frontend
    tag: production
    from: "{{ tested_digest }}"

- name: Promote from the namespace of the tests, unless somebody has promoted something else meanwhile
  appuio.registry.appuio_image_tag:
    zone: cloudscale-lpg-2
    namespace: shop
    kubeconfig: ~/.kube/config
    name: frontend
    tag: production
    from: shop-test/frontend:staging
    expected_digest: "{{ digest_in_production }}"

- name: Roll back what turned out to be bad, once
  appuio.registry.appuio_image_tag:
    zone: cloudscale-lpg-2
    namespace: shop
    token: "{{ pusher_token }}"
    name: frontend
    tag: production
    state: rolled_back
    expected_digest: "{{ bad_digest }}"
  register: back

- name: Show where it went
  ansible.builtin.debug:
    msg: "{{ back.zones | map(attribute='reference_digest') | list }}"

- name: Remove the tag of a branch that is gone
  appuio.registry.appuio_image_tag:
    zone: cloudscale-lpg-2
    namespace: shop
    token: "{{ pusher_token }}"
    name: frontend
    tag: feature-42
    state: absent
"""

RETURN = r"""
digest:
  description: Digest that the tag points to now. It is null where the tag is absent or the zones differ.
  type: str
  returned: when the options are valid
  sample: sha256:4bc453b53cb3d914b45f4b250294236adba2c0e09ff6f03793949e7e39fd4cc1
name:
  description: The image.
  type: str
  returned: when the options are valid
  sample: frontend
tag:
  description: The tag.
  type: str
  returned: when the options are valid
  sample: production
reason:
  description: Why something changed and how, or why nothing did.
  type: str
  returned: when the options are valid
  sample: >-
    does not exist yet; its manifest is put under the tag, which takes no more than the right to push
zones:
  description: What happened in each zone. On failure, it comes with the error.
  type: list
  elements: dict
  returned: when the options are valid
  contains:
    zone:
      description: Name of the zone.
      type: str
    registry:
      description: The zone's registry.
      type: str
    namespace:
      description: The namespace.
      type: str
    name:
      description: The image.
      type: str
    tag:
      description: The tag.
      type: str
    reference:
      description: Reference of the image with the tag.
      type: str
    reference_digest:
      description: Reference of the image by its digest, null where the tag is absent.
      type: str
    digest:
      description: Digest that the tag points to now, null where it is absent.
      type: str
    previous_digest:
      description: Digest of what the tag pointed to before, null for a tag that was new.
      type: str
    changed:
      description: Whether something changed in this zone.
      type: bool
    reason:
      description: Why, and how.
      type: str
    mounted:
      description: How many configurations and layers were mounted from another repository.
      type: int
    rolled_back:
      description: Whether the tag was put back in this zone, because another one failed.
      type: bool
    failed:
      description: Whether it failed in this zone.
      type: bool
    error:
      description: Why it failed, null if it did not.
      type: str
  sample:
    - zone: cloudscale-lpg-2
      registry: registry.cloudscale-lpg-2.appuio.cloud
      namespace: shop
      name: frontend
      tag: production
      reference: registry.cloudscale-lpg-2.appuio.cloud/shop/frontend:production
      digest: sha256:4bc453b53cb3d914b45f4b250294236adba2c0e09ff6f03793949e7e39fd4cc1
      previous_digest:
      changed: true
      reason: does not exist yet; its manifest is put under the tag, which takes no more than the right to push
      mounted: 0
      rolled_back: false
      failed: false
      error:
"""

from typing import Any

from ansible_collections.appuio.registry.plugins.module_utils._runner import RunContext, run_module
from ansible_collections.appuio.registry.plugins.module_utils._tag.options import SPEC
from ansible_collections.appuio.registry.plugins.module_utils._tag.task import TagTask, tag_task


def start(options: dict[str, Any], context: RunContext) -> TagTask:
    """Return the task that the options describe; raises InvalidOptionError."""
    return tag_task(options, context)


def main() -> None:
    """Run the module."""
    run_module(SPEC, start)


if __name__ == "__main__":
    main()
