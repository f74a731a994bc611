#!/usr/bin/python
# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove tags that nobody needs any more."""

from __future__ import annotations

DOCUMENTATION = r"""
module: appuio_image_prune
short_description: Remove tags that nobody needs any more
version_added: 0.1.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Removes tags of the image streams of a namespace, in one or several zones, so that its quota is not used up. With
    O(revisions), what the other tags pointed to before goes, too, and with O(empty_repositories), image streams that
    have no tags.
  - Says of each tag why it is removed or stays, in check mode and in the diff too.
  - What workloads use stays, whether they name it by its tag or by its digest. That includes an image that a tag
    pointed to earlier, and the image of a platform under an index, where no tag that stays holds it.
  - A tag that points to the same image as one that stays, stays. So does one that another tag follows, of any image
    stream that the credential may read, one that is kept up to date with an image elsewhere, and one that is only a
    reference to an image elsewhere (C(oc tag --reference)).
  - Only versions, as V(1.4.2), and builds, as V(main-1a2b3c4), V(build-17) or V(20260131.2), are counted as old images.
    Any other name, as V(latest), V(staging) or V(production-2), is taken for a tag that moves from image to image. So
    is a numbered one that has pointed to several, as V(pr-12). These go only where O(match) names them.
  - Tags are removed through the zone's API, with their history, as the registry refuses it. The images themselves are
    removed by the zone later on.
  - Each zone goes its own way.
extends_documentation_fragment:
  - appuio.registry.zone
  - appuio.registry.zone.several
  - appuio.registry.credentials
  - appuio.registry.connection
  - appuio.registry.attributes
  - appuio.registry.attributes.action_group
options:
  name:
    description: The image stream whose tags are pruned. By default, these are all of O(namespace).
    type: str
  keep:
    description:
      - How many tags of each image stream stay at least, beside those that stay for another reason.
      - Tags that are versions, as V(1.4.2) or V(v1.4.2-rc.1), are counted by their order. The other tags are counted by
        themselves, by when they were last pushed. Tags whose names are neither versions nor builds are not counted,
        unless O(match) names them.
    type: int
  older_than:
    description: Only tags that were last pushed that long ago go, as V(30d), V(2w), V(1d12h), or in seconds.
    type: str
  revisions:
    description:
      - How many images the history of a tag keeps, counting the one that it points to now. The history of the tags that
        O(match) and O(protect) leave for a prune is cut. Images in use stay in it, and so do those that are younger
        than O(older_than).
      - This takes the right to update C(imagestreams/status), as the cluster role C(system:image-pruner) has it. Users
        of APPUiO Cloud do not have it; there, the zone cuts each history to three images every night.
    type: int
  match:
    description:
      - Only tags in which this regular expression is found go, and only they are counted.
      - This is also what lets moving tags go, as V(^pr-) does the tags of pull requests.
    type: str
  protect:
    description: Tags in which this regular expression is found stay.
    type: str
  max_delete:
    description: How many tags go at most in one run and zone, over all image streams. The oldest go first.
    type: int
    default: 50
  protect_in_use:
    description:
      - Whether tags stay that workloads use. Looked at are Pods with their volumes and what the nodes have pulled for
        them, Deployments, StatefulSets, DaemonSets, ReplicaSets, ControllerRevisions, ReplicationControllers, Jobs,
        CronJobs, DeploymentConfigs, BuildConfigs and Builds, with their triggers, and the tags of other image streams.
        What is scaled to zero or has finished counts as well, as a rollback or a new start comes back to it.
      - Each kind is read in all namespaces where the credential may, else in O(namespace), in O(workload_namespaces)
        and in all other projects that it may see.
      - If one of these kinds cannot be read in O(namespace) or in O(workload_namespaces), nothing is removed. The role
        C(view) may read them all.
    type: bool
    default: true
  workload_namespaces:
    description:
      - Other namespaces whose workloads use these images, so that they have to be readable.
      - Namespaces that the credential has something to do with are read anyway, as far as it may.
    type: list
    elements: str
    default: []
  ignore_unreadable:
    description:
      - Kinds and namespaces that need not be readable, as V(BuildConfig). What they use is not protected.
      - V(ImageStreamLayers) stands for what the indexes of an image stream consist of. Where that cannot be read, its
        tags stay.
    type: list
    elements: str
    default: []
  last_tag:
    description: Whether an image stream may lose its last tag.
    type: bool
    default: false
  empty_repositories:
    description:
      - Whether image streams without tags are removed, which count in the quota, too. Those that something uses or
        follows stay, and those younger than O(older_than), or than a day.
      - They count in O(max_delete), after the tags.
    type: str
    choices: [keep, remove]
    default: keep
requirements:
  - kubernetes
  - openshift
notes:
  - One of O(keep), O(older_than), O(revisions) and O(empty_repositories=remove) is required.
  - O(namespace) is required, in the task or in each entry of O(zones).
  - Before a tag is removed, it is read once more. One that was pushed since the module began stays. What is pushed
    between that and the removal is put back by its digest, by the changes of the image stream.
  - An image that is in no history any more can neither be pulled by its digest nor be rolled back to.
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
  description: How many tags go, or how many zones changed.
  type: str
  returned: always
  sample: 12 of 40 tags go
zones:
  description: What happened in each zone, or would happen in check mode.
  type: list
  elements: dict
  returned: always
  contains:
    zone:
      description: The zone, or its registry where no zone was named.
      type: str
    namespace:
      description: The namespace.
      type: str
    changed:
      description: Whether a tag, or an image of its history, was removed.
      type: bool
    deleted:
      description: Tags that were removed, with C(name) of the image stream, C(tag), C(digest) and C(reason).
      type: list
      elements: dict
    kept:
      description: Tags that stay, in the same form.
      type: list
      elements: dict
    trimmed:
      description: Tags whose history was cut, with C(name) of the image stream, C(tag), C(digests) and C(reason).
      type: list
      elements: dict
    deleted_repositories:
      description: Image streams without tags that were removed, with C(name) and C(reason).
      type: list
      elements: dict
    kept_repositories:
      description: Image streams without tags that stay, in the same form, with O(empty_repositories=remove).
      type: list
      elements: dict
    skipped:
      description: What was left aside, as its name is none, a sentence each.
      type: list
      elements: str
    unreadable:
      description: What could not be read for images in use, as C(kind) and C(namespace).
      type: list
      elements: dict
    reason:
      description: How many tags go.
      type: str
    failed:
      description: Whether this zone failed.
      type: bool
    error:
      description: Why it failed.
      type: str
"""

from typing import Any

from ansible_collections.appuio.registry.plugins.module_utils._prune.options import SPEC
from ansible_collections.appuio.registry.plugins.module_utils._prune.task import PruneTask, prune_task
from ansible_collections.appuio.registry.plugins.module_utils._runner import RunContext, run_module


def start(options: dict[str, Any], context: RunContext) -> PruneTask:
    """Return the task that the options describe; raises InvalidOptionError."""
    return prune_task(options, context)


def main() -> None:
    """Run the module."""
    run_module(SPEC, start)


if __name__ == "__main__":
    main()
