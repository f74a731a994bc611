#!/usr/bin/python
# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show which images zones have."""

from __future__ import annotations

DOCUMENTATION = r"""
module: appuio_image_info
short_description: Show the images, tags and quota of zones
version_added: 1.0.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Shows the images of a namespace in one or several zones, with the image of each tag, its date, platforms and size,
    and the history of the tag.
  - With several zones, it also shows which tags differ between them.
  - Reads the ImageStreams from the zone's API if the credential allows it. With a credential that only the registry
    accepts, it shows the data of the registry, and lists missing values in RV(zones[].unknown).
  - If an image does not exist, the lists are empty and the task does not fail.
extends_documentation_fragment:
  - appuio.registry.zone
  - appuio.registry.zone.several
  - appuio.registry.credentials
  - appuio.registry.connection
  - appuio.registry.attributes.info
  - appuio.registry.attributes.action_group
options:
  name:
    description:
      - The image in O(namespace) to show.
      - By default, all images are shown. This requires access to the API, because a registry does not list its
        repositories.
    type: str
  tags:
    description: The tags to show. By default, all tags are shown.
    type: list
    elements: str
    aliases: [tag]
  details:
    description:
      - Whether to read platforms and sizes from the registry, which requires two or more requests for each image.
      - If V(false), RV(zones[].tags[].size), RV(zones[].tags[].platforms), RV(zones[].tags[].media_type) and
        RV(zones[].tags[].image_id) are null.
    type: bool
    default: true
  jobs:
    description: Number of concurrent requests to each zone, V(1) to V(32).
    type: int
    default: 4
  query:
    description:
      - A JMESPath expression over the result, whose value is returned as RV(queried). See U(https://jmespath.org).
      - This requires the Python package C(jmespath) on the host where the module runs.
    type: str
requirements:
  - kubernetes (for what only the API knows)
  - openshift (for what only the API knows)
  - jmespath (for O(query))
notes:
  - O(namespace) is required, in the task or in each entry of O(zones).
  - If a zone cannot be read, the task fails. Its result still contains the other zones.
  - The role C(view) in the namespace is required for all values. C(registry-viewer) is sufficient for all but the
    quota, whose use is counted then.
seealso:
  - module: appuio.registry.appuio_image_tag
  - module: appuio.registry.appuio_image_push
"""

EXAMPLES = r"""
- name: Look at all images of a namespace
  appuio.registry.appuio_image_info:
    zone: cloudscale-lpg-2
    namespace: shop
    kubeconfig: ~/.kube/config
  register: images

- name: Show what the tags name
  ansible.builtin.debug:
    msg: "{{ images.zones[0].tags | map(attribute='reference_digest') | list }}"

- name: See whether production is the same in all zones
  appuio.registry.appuio_image_info:
    zones:
      - zone: cloudscale-lpg-2
        token: "{{ appuio_tokens['cloudscale-lpg-2'] }}"
      - zone: exoscale-ch-gva-2-0
        token: "{{ appuio_tokens['exoscale-ch-gva-2-0'] }}"
    namespace: shop
    name: frontend
    tags: [production]
    details: false
  register: production

- name: Stop where it is not
  ansible.builtin.assert:
    that: production.in_sync
    fail_msg: "{{ production.drift }}"

- name: Get the names of all tags that have no image for arm64
  appuio.registry.appuio_image_info:
    zone: cloudscale-lpg-2
    namespace: shop
    kubeconfig: ~/.kube/config
    query: "zones[].tags[] | [?platforms && !contains(platforms, 'linux/arm64')].join(':', [name, tag])"
  register: images

- name: See what a registry knows, with the credentials of an earlier login
  appuio.registry.appuio_image_info:
    registry: registry.cloudscale-lpg-2.appuio.cloud
    namespace: shop
    name: frontend
    auth_file: ~/.docker/config.json
"""

RETURN = r"""
queried:
  description: The value of O(query), null if it matches nothing.
  type: raw
  returned: with O(query)
  sample: ["frontend:1.4.1"]
in_sync:
  description:
    - Whether the same tags point to the same images in all zones.
    - It is null if no difference was found and a zone could not be read.
  type: bool
  returned: with O(zones)
  sample: false
drift:
  description: The tags that differ, with their digest in each zone, null for zones without the tag.
  type: list
  elements: dict
  returned: with O(zones)
  sample:
    - name: frontend
      tag: production
      digests:
        cloudscale-lpg-2: sha256:4bc453b53cb3d914b45f4b250294236adba2c0e09ff6f03793949e7e39fd4cc1
        exoscale-ch-gva-2-0:
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
    known_from:
      description: The source of the data, V(api) or V(registry). It is null for a zone that could not be read.
      type: str
    unknown:
      description: The missing values, as sentences.
      type: list
      elements: str
    exists:
      description: Whether the image exists, or any image if O(name) is not set. It is null if that is not known.
      type: bool
    images:
      description: The images.
      type: list
      elements: dict
      contains:
        name:
          description: Name of the image in the namespace.
          type: str
        reference:
          description: Reference of the image, without a tag.
          type: str
        created:
          description: When the ImageStream was created.
          type: str
        tags:
          description: Names of its tags, if they are in O(tags).
          type: list
          elements: str
    tags:
      description: The tags of all images.
      type: list
      elements: dict
      contains:
        name:
          description: Name of the image in the namespace.
          type: str
        tag:
          description: The tag.
          type: str
        reference:
          description: Reference of the image with the tag.
          type: str
        reference_digest:
          description: Reference of the image by its digest.
          type: str
        digest:
          description: Digest that the tag points to. It is null for a tag whose image was never imported.
          type: str
        created:
          description: Since when the tag points to it, null if only the registry was read.
          type: str
        size:
          description: Bytes of all configurations and layers, each counted once, for all platforms together.
          type: int
        platforms:
          description: Platforms of the image.
          type: list
          elements: str
        media_type:
          description: Media type of its manifest or index.
          type: str
        image_id:
          description: Digest of its configuration, null for an image of several platforms.
          type: str
        docker_image_reference:
          description: The reference that the cluster itself uses to pull it.
          type: str
        follows:
          description:
            - The tag, or the image in another registry, that the tag's entry in C(spec.tags) follows, and that can move
              it.
            - It is null if only pushes move it.
          type: str
        history:
          description:
            - The current image of the tag, as C(revision) 0, and its earlier images, each with C(digest), C(created)
              and C(docker_image_reference).
            - The numbers can be used as O(appuio.registry.appuio_image_tag#module:revision).
            - It is null if only the registry was read, which has no history.
          type: list
          elements: dict
    quota:
      description:
        - For C(imagestreams) and C(imagestreamtags), how many are C(used), C(allowed) and C(left), and the name of the
          C(quota). If there is no limit, C(allowed) and C(left) are null.
        - If the quota does not report the use, the module counts the objects.
        - It is null if it is not known.
      type: dict
    failed:
      description: Whether the zone could not be read.
      type: bool
    error:
      description: The error, null if the zone could be read.
      type: str
  sample:
    - zone: cloudscale-lpg-2
      registry: registry.cloudscale-lpg-2.appuio.cloud
      namespace: shop
      known_from: api
      unknown: []
      exists: true
      images:
        - name: frontend
          reference: registry.cloudscale-lpg-2.appuio.cloud/shop/frontend
          created: "2026-11-23T08:10:28Z"
          tags: [production]
      tags:
        - name: frontend
          tag: production
          reference: registry.cloudscale-lpg-2.appuio.cloud/shop/frontend:production
          digest: sha256:4bc453b53cb3d914b45f4b250294236adba2c0e09ff6f03793949e7e39fd4cc1
          created: "2026-11-23T08:10:30Z"
          size: 31457280
          platforms: [linux/amd64, linux/arm64]
          media_type: application/vnd.oci.image.index.v1+json
          image_id:
          follows:
          history:
            - revision: 0
              digest: sha256:4bc453b53cb3d914b45f4b250294236adba2c0e09ff6f03793949e7e39fd4cc1
              created: "2026-11-23T08:10:30Z"
      quota:
        imagestreams:
          used: 7
          allowed: 20
          left: 13
          quota: organization-objects
      failed: false
      error:
"""

from ansible_collections.appuio.registry.plugins.module_utils._info.options import SPEC
from ansible_collections.appuio.registry.plugins.module_utils._info.task import info_task
from ansible_collections.appuio.registry.plugins.module_utils._runner import run_module


def main() -> None:
    """Run the module."""
    run_module(SPEC, info_task)


if __name__ == "__main__":
    main()
