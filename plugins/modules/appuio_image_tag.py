#!/usr/bin/python
# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Move a tag of an image that zones have: promote, roll back, remove."""

from __future__ import annotations

DOCUMENTATION = r"""
module: appuio_image_tag
short_description: Promote, roll back or delete a tag of an image in zones
version_added: 1.0.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Points a tag to another image that is already in the zone, in one or several zones. No layer is downloaded or
    uploaded.
  - Promotes an image by a tag or its digest, also to another repository or from another namespace of the zone, whose
    layers are mounted.
  - Rolls a tag back to an image of its history, and deletes tags.
  - The manifest is pushed again under the tag, byte for byte. This requires only permission to push, and the change is
    recorded in the history of the tag. An entry in C(spec.tags) is never created.
  - With several zones, the tags are moved in all zones or in none.
  - Workloads with an image trigger for the tag are rolled out when the tag is moved.
extends_documentation_fragment:
  - appuio.registry.zone
  - appuio.registry.zone.several
  - appuio.registry.credentials
  - appuio.registry.connection
  - appuio.registry.attributes
  - appuio.registry.attributes.action_group
options:
  name:
    description: The image in O(namespace).
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
      - With V(absent), the tag and its history are deleted. Images without any other tag are pruned by the zone later.
        This requires access to the API, because the registry does not support it.
    type: str
    choices: [present, absent, rolled_back]
    default: present
  from:
    description:
      - The image to point the tag to, for O(state=present).
      - It is another tag or a digest of the same repository, for example V(staging) or V(sha256:4bc4...).
      - For an image of another repository of the zone, it is V(name:tag), V(name@digest), V(namespace/name:tag) or
        V(namespace/name@digest).
    type: str
  to_digest:
    description: The image to roll back to, for O(state=rolled_back). It must still exist in the zone.
    type: str
  expected_digest:
    description:
      - The digest that the tag points to before the change. If it points to another digest, somebody else has moved it.
      - With O(state=rolled_back) and without O(to_digest), it is the bad image. A tag that does not point to it is not
        changed, so that a second run does not go back further.
      - Otherwise, the task fails before anything is changed, unless the tag already points to the right image.
    type: str
  revision:
    description:
      - How many images to go back in the history of the tag, for O(state=rolled_back) without O(to_digest).
      - Each zone has its own history, which RV(appuio.registry.appuio_image_info#module:zones[].tags[].history) shows.
        This requires access to the API.
      - It is an error if that image is O(expected_digest), too.
    type: int
    default: 1
  following:
    description:
      - What happens to a tag whose entry in C(spec.tags) follows another tag or an image in another registry, which can
        move it again.
      - With V(fail), the task fails before anything is changed. With V(keep), the tag is not changed.
      - This does not apply to an entry that points to a fixed image, nor to the deletion of a tag.
      - Entries can only be read with access to the API.
    type: str
    choices: [fail, keep]
    default: fail
  atomic:
    description:
      - With several zones, whether to move the tags in all zones or in none.
      - Everything is read and mounted in all zones before the first tag is moved. If a tag cannot be moved, the tags
        that were moved are reset. A new tag is deleted with the API, which C(registry-editor) allows and
        C(system:image-builder) does not. A deleted tag is restored without its history.
      - If V(false), the zones are independent. The task still fails if a zone fails.
    type: bool
    default: true
requirements:
  - kubernetes (for what takes access to the API)
  - openshift (for what takes access to the API)
notes:
  - O(namespace) is required, in the task or in each entry of O(zones).
  - In check mode, the module only reads.
  - Immediately before a tag is moved, the module checks whether it still points to the same image, and fails if it does
    not.
  - When the task receives a signal to stop (SIGTERM, SIGINT, SIGHUP), tags that were moved are reset if O(atomic), and
    the result contains the state of each zone.
  - A rollback fails if the entry of the history points to no image of the zone, for example after C(oc tag
    --reference).
  - Signatures and other referrers of an image are not copied from another repository. Push the image with
    O(appuio.registry.appuio_image_push#module:referrers) for this.
  - APPUiO Cloud keeps three images of each tag, and images that are younger than an hour. A rollback to older images is
    not possible.
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
  description: Digest that the tag points to now. It is null if the tag is absent or the zones differ.
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
  description: Why something was changed and how, or why nothing was.
  type: str
  returned: when the options are valid
  sample: >-
    does not exist yet; its manifest is put under the tag, which takes no more than the right to push
zones:
  description: The result of each zone. It is also returned on failure, with the error.
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
      description: Reference of the image by its digest, null if the tag is absent.
      type: str
    digest:
      description: Digest that the tag points to now, null if it is absent.
      type: str
    previous_digest:
      description: Digest that the tag pointed to before, null for a new tag.
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
      description: Whether the tag was reset in this zone, because another zone failed.
      type: bool
    failed:
      description: Whether it failed in this zone.
      type: bool
    error:
      description: The error, null if the zone did not fail.
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

from ansible_collections.appuio.registry.plugins.module_utils._runner import run_module
from ansible_collections.appuio.registry.plugins.module_utils._tag.options import SPEC
from ansible_collections.appuio.registry.plugins.module_utils._tag.task import tag_task


def main() -> None:
    """Run the module."""
    run_module(SPEC, tag_task)


if __name__ == "__main__":
    main()
