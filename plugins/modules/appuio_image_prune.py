#!/usr/bin/python
# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove tags that nobody needs any more."""

from __future__ import annotations

DOCUMENTATION = r"""
module: appuio_image_prune
short_description: Delete tags that are no longer needed
version_added: 1.0.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Deletes tags of the ImageStreams of a namespace, in one or several zones, so that its quota is not used up. With
    O(revisions), also trims the history of the other tags, and with O(empty_repositories), deletes ImageStreams without
    tags.
  - Returns for each tag why it is deleted or kept, also in check mode and in the diff.
  - Images that workloads use are kept, whether by tag or by digest. This includes earlier images of a tag, and the
    image for a platform in an index, unless another tag that is kept contains the image.
  - A tag is kept if it points to the same image as a tag that is kept, if another tag follows it, in any ImageStream
    that the credential can read, if it is imported on a schedule, and if it is only a reference to an image in another
    registry (C(oc tag --reference)).
  - Only versions, such as V(1.4.2), and builds, such as V(main-1a2b3c4), V(build-17) or V(20260131.2), are counted as
    old images. Any other name, such as V(latest), V(staging) or V(production-2), is treated as a moving tag, and so is
    a numbered tag that has pointed to several images, such as V(pr-12). Moving tags are only deleted if they match
    O(match).
  - Tags are deleted with the zone's API, together with their history, because the registry does not support it. The
    images themselves are deleted by the zone later.
  - The zones are independent.
extends_documentation_fragment:
  - appuio.registry.zone
  - appuio.registry.zone.several
  - appuio.registry.credentials
  - appuio.registry.connection
  - appuio.registry.attributes
  - appuio.registry.attributes.action_group
options:
  name:
    description: The ImageStream whose tags are pruned. By default, all ImageStreams of O(namespace).
    type: str
  keep:
    description:
      - How many tags of each ImageStream are kept at least, in addition to those that are kept for another reason.
      - Tags that are versions, such as V(1.4.2) or V(v1.4.2-rc.1), are sorted by version. The other tags are counted
        separately, sorted by their last push. Tags that are neither versions nor builds are not counted, unless they
        match O(match).
    type: int
  older_than:
    description: Only tags that were last pushed longer ago than this are deleted, for example V(30d), V(2w), V(1d12h),
      or in seconds.
    type: str
  revisions:
    description:
      - How many images the history of a tag keeps, including the current one. The history is trimmed for the tags that
        O(match) and O(protect) select for a prune. Images that are in use, and images that are younger than
        O(older_than), are kept in it.
      - This requires permission to update C(imagestreams/status), which the cluster role C(system:image-pruner)
        includes. Users of APPUiO Cloud do not have it; there, the zone trims each history to three images every night.
    type: int
  match:
    description:
      - Only tags that match this regular expression are deleted and counted. It can match anywhere in the tag.
      - It is also required to delete moving tags, for example V(^pr-) for the tags of pull requests.
    type: str
  protect:
    description: Tags that match this regular expression are kept. It can match anywhere in the tag.
    type: str
  max_delete:
    description: Maximum number of tags to delete in a run and zone, in all ImageStreams together. The oldest are
      deleted first.
    type: int
    default: 50
  protect_in_use:
    description:
      - Whether to keep tags that workloads use. This includes Pods with their volumes and the images that the nodes
        have pulled for them, Deployments, StatefulSets, DaemonSets, ReplicaSets, ControllerRevisions,
        ReplicationControllers, Jobs, CronJobs, DeploymentConfigs, BuildConfigs and Builds, with their triggers, and the
        tags of other ImageStreams. Workloads that are scaled to zero or have finished are included, because a rollback
        or restart needs their images.
      - Each kind is read in all namespaces if the credential allows it, otherwise in O(namespace), in
        O(workload_namespaces) and in all other projects that it can read.
      - If one of these kinds cannot be read in O(namespace) or in O(workload_namespaces), nothing is deleted. The role
        C(view) can read all of them.
    type: bool
    default: true
  workload_namespaces:
    description:
      - Other namespaces whose workloads use these images. They must be readable.
      - Other namespaces that the credential can read are included anyway.
    type: list
    elements: str
    default: []
  ignore_unreadable:
    description:
      - Kinds and namespaces that need not be readable, for example V(BuildConfig). Images that they use are not
        protected.
      - V(ImageStreamLayers) is the content of the indexes of an ImageStream. If it cannot be read, the tags of the
        ImageStream are kept.
    type: list
    elements: str
    default: []
  last_tag:
    description: Whether the last tag of an ImageStream can be deleted.
    type: bool
    default: false
  empty_repositories:
    description:
      - Whether to delete ImageStreams without tags, which count towards the quota, too. ImageStreams are kept if they
        are in use or followed, and if they are younger than O(older_than), or than a day.
      - They count towards O(max_delete), after the tags.
    type: str
    choices: [keep, remove]
    default: keep
requirements:
  - kubernetes
  - openshift
notes:
  - One of O(keep), O(older_than), O(revisions) and O(empty_repositories=remove) is required.
  - O(namespace) is required, in the task or in each entry of O(zones).
  - Before a tag is deleted, it is read again. A tag that was pushed since the start of the module is kept. If an image
    is pushed to the tag between that and the deletion, the tag is restored with the digest of that image.
  - An image that is no longer in any history can neither be pulled by its digest nor be the target of a rollback.
seealso:
  - module: appuio.registry.appuio_image_push
"""

EXAMPLES = r"""
- name: See what would go
  appuio.registry.appuio_image_prune:
    zone: cloudscale-lpg-2
    namespace: shop
    token: "{{ appuio_token }}"
    keep: 10
    older_than: 30d
  check_mode: true
  register: pruned

- name: Keep three builds of each branch in two zones, and all releases
  appuio.registry.appuio_image_prune:
    zones:
      - zone: cloudscale-lpg-2
        token: "{{ appuio_tokens['cloudscale-lpg-2'] }}"
      - zone: exoscale-ch-gva-2-0
        token: "{{ appuio_tokens['exoscale-ch-gva-2-0'] }}"
    namespace: shop
    name: frontend
    keep: 3
    protect: '^v?\d+\.\d+\.\d+$'
    workload_namespaces: [shop-prod]

- name: Remove the tags of pull requests that have been quiet for two weeks, and image streams that nothing is left of
  appuio.registry.appuio_image_prune:
    zone: cloudscale-lpg-2
    namespace: shop
    token: "{{ appuio_token }}"
    match: '^pr-\d+$'
    older_than: 2w
    empty_repositories: remove

- name: Let each tag of a cluster of one's own remember three images
  appuio.registry.appuio_image_prune:
    host: https://api.okd.example.com:6443
    registry: registry.okd.example.com
    namespace: shop
    token: "{{ pruner_token }}"
    revisions: 3
"""

RETURN = r"""
reason:
  description: How many tags were deleted, or how many zones changed.
  type: str
  returned: always
  sample: 12 of 40 tags go
zones:
  description: The result of each zone. In check mode, it is the predicted result.
  type: list
  elements: dict
  returned: always
  contains:
    zone:
      description: The zone, or its registry if no zone was set.
      type: str
    namespace:
      description: The namespace.
      type: str
    changed:
      description: Whether a tag, or an image of its history, was deleted.
      type: bool
    deleted:
      description: Tags that were deleted, with C(name) of the ImageStream, C(tag), C(digest) and C(reason).
      type: list
      elements: dict
    kept:
      description: Tags that were kept, in the same format.
      type: list
      elements: dict
    trimmed:
      description: Tags whose history was trimmed, with C(name) of the ImageStream, C(tag), C(digests) and C(reason).
      type: list
      elements: dict
    deleted_repositories:
      description: ImageStreams without tags that were deleted, with C(name) and C(reason).
      type: list
      elements: dict
    kept_repositories:
      description: ImageStreams without tags that were kept, in the same format, with O(empty_repositories=remove).
      type: list
      elements: dict
    skipped:
      description: Objects that were ignored because of an invalid name, as sentences.
      type: list
      elements: str
    unreadable:
      description: Kinds that could not be read to find images in use, with C(kind) and C(namespace).
      type: list
      elements: dict
    reason:
      description: How many tags were deleted.
      type: str
    failed:
      description: Whether this zone failed.
      type: bool
    error:
      description: Why it failed.
      type: str
"""

from ansible_collections.appuio.registry.plugins.module_utils._prune.options import SPEC
from ansible_collections.appuio.registry.plugins.module_utils._prune.task import prune_task
from ansible_collections.appuio.registry.plugins.module_utils._runner import run_module


def main() -> None:
    """Run the module."""
    run_module(SPEC, prune_task)


if __name__ == "__main__":
    main()
