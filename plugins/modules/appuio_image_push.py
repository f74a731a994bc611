#!/usr/bin/python
# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Push an image to the registries of zones."""

from __future__ import annotations

DOCUMENTATION = r"""
module: appuio_image_push
short_description: Push an image to the integrated registries of zones
version_added: 0.1.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Brings a container image to the registry of one or several zones, as C(<registry>/<namespace>/<name>:<tag>).
  - No container engine and no other tool is needed, and nothing but Python has to be installed where it runs.
  - The image is passed through byte for byte, with all its platforms unless O(platforms) chooses some, so that its
    digest is the same in every zone.
  - Asks the zones first what the tags point to. If that is the image already, no layer is read and nothing changes.
  - Every byte is checked against its digest on the way. A source that is truncated or altered fails before a tag moves.
  - Several zones are served at the same time, and the source is read once for all of them.
extends_documentation_fragment:
  - appuio.registry.zone
  - appuio.registry.zone.several
  - appuio.registry.credentials
  - appuio.registry.connection
  - appuio.registry.attributes
  - appuio.registry.attributes.action_group
options:
  source:
    description:
      - The image, in the notation of C(containers-transports(5)).
      - V(docker://host/repository:tag) or V(docker://host/repository@digest) is an image in a registry. A reference
        without a prefix is the same.
      - V(oci:DIRECTORY) or V(oci:DIRECTORY:NAME) is an image in an OCI image layout, on the host where the task runs.
        The name is what its writer gave, in full (V(docker.io/library/alpine:3.20)), or its tag where that fits one
        image only. V(oci:DIRECTORY:@NUMBER) is an entry of C(index.json), counted from 0, and V(oci:DIRECTORY@DIGEST)
        an image by its digest. Without a name, the layout has to hold one image.
      - V(oci-archive:FILE) or V(oci-archive:FILE:NAME) is the same in a tar archive, read in place.
      - V(docker-archive:FILE), V(docker-archive:FILE:NAME:TAG) or V(docker-archive:FILE:@NUMBER) is an image in an
        archive of C(docker save) or C(podman save), read in place. The number counts from 0. It is one platform; an
        archive that holds several of them is refused unless O(platforms) names the one, and V(oci-archive:FILE) has
        them all.
      - An archive that is compressed as a whole is decompressed into a temporary file first.
      - V(dir:DIRECTORY) is an image as C(skopeo copy) leaves it in a directory.
      - V(docker-daemon:NAME:TAG) is an image of the Docker engine, V(containers-storage:NAME:TAG) one of podman. The
        engine is asked over the socket of its API, see O(engine_socket). Both take an image ID as well. A name without
        a tag is its V(latest). A manifest list of podman is refused, as the engine gives one of its images only.
      - Images of C(docker-archive), C(docker-daemon) and C(containers-storage) have no manifest. One is created, and
        layers that are not compressed yet are, as O(compression) says; so are layers in xz or bzip2. All layers are
        unpacked and compared with what the configuration says of them. Such an image is identified by its image ID,
        and a zone has it already when a tag points to an image with that ID.
      - What OpenShift would store and could not give back is refused before anything is written, namely artifacts whose
        configuration is none of an image, and digests other than sha256.
      - A path without a prefix is refused with the notation that it needs.
      - Exactly one of O(source) and O(sources) is required.
    type: str
  sources:
    description:
      - Several images, of which one index is made and pushed, such as those that were built per platform.
      - An entry is a source as in O(source), or a mapping of C(source) and C(platform).
      - The platform of an image is what its configuration says. C(platform) gives it where the configuration names
        none, or no variant. It is an error when neither says it, and when they contradict each other.
      - A source that is an index gives all its images, with their attestations, or the one for C(platform) if that is
        given.
      - Two sources with an image for the same platform are an error.
      - The index is always one of the OCI, ordered by platform whatever the order of the sources, and without a
        timestamp, so that the same images give the same digest. The images in it stay as they are, those of Docker's
        format (schema 2) too, which clients read in an index of the OCI.
      - Images that have manifests give an index whose digest is known beforehand, also in check mode. With an image of
        C(docker-archive), C(docker-daemon) or C(containers-storage) among them, a zone is asked whether the index under
        its tag is made of the same images.
      - O(name) and O(tags) are required where the sources have different ones. O(source_password) is for one registry
        only, so that sources in several registries need O(source_auth_file).
      - Mutually exclusive with O(source) and O(platforms).
    type: list
    elements: raw
  source_username:
    description: User name for the registry of a C(docker://) source, with O(source_password).
    type: str
  source_password:
    description: Password or token for O(source_username).
    type: str
  source_auth_file:
    description:
      - File with stored credentials for a C(docker://) source.
      - By default, the files that podman and docker read are used.
    type: path
  source_validate_certs:
    description:
      - Whether to verify the certificate of a C(docker://) source.
      - V(false) does not mean that anything is sent without encryption, see O(source_plain_http).
    type: bool
    default: true
  source_plain_http:
    description:
      - Whether the registry of a C(docker://) source may be spoken to without TLS when it does not speak it, so that
        O(source_password) and the image cross the network in clear.
      - A registry on a loopback address of the host where the module runs may also lack TLS when
        O(source_validate_certs) is V(false).
    type: bool
    default: false
  source_ca_cert:
    description: File with the authorities that sign the certificate of a C(docker://) source.
    type: path
  name:
    description:
      - What the image is called in O(namespace).
      - By default, it is the last component of the source's name. O(sources) that are called differently need it.
    type: str
  tags:
    description:
      - The tags that are to point to the image.
      - By default, it is the source's tag, or V(latest) if it has none. O(sources) with different tags need it.
      - With an empty list, the image is pushed by its digest only. A zone does not show such an image before
        something points to it.
    type: list
    elements: str
    aliases: [tag]
  platforms:
    description:
      - Platforms of a multi-platform image to push, as V(linux/amd64) or V(linux/arm/v7). By default, these are all,
        and the index is pushed as it is.
      - With one platform, that image is pushed without an index. With several, an index of these is pushed, which has
        another digest than the source.
      - With O(sources), C(platform) of an entry chooses instead.
    type: list
    elements: str
  referrers:
    description:
      - Whether signatures, attestations and SBOMs that are attached to the image, or to one of its platforms, travel
        along. They are found by cosign's tags and by the referrers of the OCI, at C(docker://), C(oci) and
        C(oci-archive) sources.
      - A zone has no API for referrers, so they are listed under the tag that stands in for it. Each of these tags
        counts for the quota.
      - What a zone does not take is listed in RV(referrers_left).
    type: bool
    default: false
  atomic:
    description:
      - With several zones or tags, whether either all tags move or none does.
      - Everything is uploaded everywhere before the first tag moves. If a tag cannot be moved then, those that have
        moved already go back to what they pointed to. A tag that was new is removed through the zone's API, which
        C(registry-editor) may do and C(system:image-builder) may not. A warning says so before the push, where the
        API can be asked.
      - Right before a tag moves, it is read once more. If somebody else has moved it since the task began, the push
        fails, and nothing of others is overwritten or removed.
      - Of two pushes to the same tags in the same zones at the same time, one fails, and all zones have the image of
        the other one.
      - If V(false), each zone goes its own way, and its tags move as soon as it has all of the image. The task still
        fails if one of them does.
    type: bool
    default: true
  existing_tags:
    description:
      - What happens to a tag that points to another image already.
      - With V(overwrite) it is moved, with V(keep) it stays as it is, with V(fail) the task fails before anything is
        uploaded.
      - This holds for a tag that somebody creates while the image is uploaded, too.
    type: str
    choices: [overwrite, keep, fail]
    default: overwrite
  expected_digest:
    description:
      - Fail before anything is uploaded unless what would be pushed has exactly this digest.
      - For an image without a manifest, it is compared with the image ID. It is refused for O(sources) with such an
        image, as the digest of their index is not known beforehand.
    type: str
  check_quota:
    description:
      - What happens when the quota of the namespace does not leave room for a new repository or new tags.
      - With V(warn) the push goes on with a warning, as a cluster may count otherwise. With V(fail) nothing is
        uploaded. With V(ignore) the quota is not checked.
      - It is asked only for new tags, where the zone's API is known and the credential may read the quota. This takes
        the Python packages C(kubernetes) and C(openshift). Without them the push goes on with a warning.
    type: str
    choices: [warn, fail, ignore]
    default: warn
  force:
    description: Put the tags again even if they point to this image already.
    type: bool
    default: false
  compression:
    description:
      - How layers are compressed that the source holds uncompressed, where it has no manifest.
      - An image with a manifest is passed through as it is.
      - V(gzip) uses C(isal) if that is installed where the task runs, which is several times faster, else C(zlib-ng),
        which is faster, too, else Python's own library. Without C(isal), all cores compress blocks of a layer, and a
        block that would get no smaller is stored. V(zstd) needs C(zstandard) before Python 3.14.
      - A layer is compressed once for all zones, and not again when every zone has it already.
      - An image that a zone has under one of its O(tags), or had from an earlier push, is put under the others and in
        the other zones as it is there, however its layers were compressed. So it has the same digest everywhere.
    type: str
    choices: [gzip, zstd, none]
    default: gzip
  compression_level:
    description:
      - How hard to compress, from V(0) to V(9) for C(gzip) and from V(1) to V(19) for C(zstd).
      - By default, it is a level that favours speed. With C(gzip), C(isal) knows levels up to V(3), and is not used for
        more.
    type: int
  engine_socket:
    description:
      - Socket of the engine's API for C(docker-daemon) and C(containers-storage) sources.
      - By default, it is what E(DOCKER_HOST) or E(CONTAINER_HOST) names, else the engine's own place.
    type: path
  jobs:
    description: How many blobs are uploaded at the same time to each zone, V(1) to V(32).
    type: int
    default: 4
  progress:
    description:
      - Whether to show how far the push is while it runs, as a line per zone every few seconds, on the standard error
        of C(ansible-playbook). A push that is done within two seconds shows none.
      - Nothing is shown when the task runs on another host than the controller, with C(async), in check mode, or with
        C(no_log).
    type: bool
    default: true
notes:
  - O(namespace) is required, in the task or in each entry of O(zones).
  - In check mode only the zones and the source are asked, and nothing is uploaded.
  - When the task is told to stop (SIGTERM, SIGINT, SIGHUP), its uploads end at once, tags that have moved go back, and
    the result says what each zone has. When its C(ansible-playbook) is gone without a word, as after SIGKILL, a task
    on the controller does the same within a second or two. A task with C(async) is not bound to its playbook.
  - With an empty list of O(tags), a zone does not say whether it has the manifest, only whether it has all layers. If
    it has, nothing changes, and the manifest is put once more.
    Which layers those of an image without a manifest are is known in check mode where it was pushed from before.
  - OpenShift refuses an index with an entry that does not say its platform. This is found before anything is uploaded.
seealso:
  - module: appuio.registry.appuio_registry_login
  - name: APPUiO Cloud documentation
    description: How to push images to the integrated registry.
    link: https://docs.appuio.cloud/user/how-to/use-integrated-registry.html
"""

EXAMPLES = r"""
- name: Push an image that a build has left in a directory
  appuio.registry.appuio_image_push:
    zone: cloudscale-lpg-2
    namespace: shop
    token: "{{ pusher_token }}"
    source: oci:build/shop:1.4.2
    name: shop
    tags: ["1.4.2", latest]

- name: Copy an image from another registry to two zones, in both or in none
  appuio.registry.appuio_image_push:
    zones:
      - zone: cloudscale-lpg-2
        token: "{{ appuio_tokens['cloudscale-lpg-2'] }}"
      - zone: exoscale-ch-gva-2-0
        token: "{{ appuio_tokens['exoscale-ch-gva-2-0'] }}"
    namespace: shop
    source: docker://registry.example.com/shop/frontend:1.4.2
    source_username: reader
    source_password: "{{ reader_password }}"
  register: pushed

- name: Show where the image can be pulled from
  ansible.builtin.debug:
    msg: "{{ pushed.zones | map(attribute='reference_digest') | list }}"

- name: Push only one platform, with the credentials of an earlier login
  appuio.registry.appuio_image_push:
    zone: cloudscale-lpg-2
    namespace: shop
    auth_file: ~/.docker/config.json
    source: docker://registry.example.com/shop/frontend:1.4.2
    platforms: [linux/amd64]

- name: Push one index of the images that were built per platform
  appuio.registry.appuio_image_push:
    zone: cloudscale-lpg-2
    namespace: shop
    token: "{{ pusher_token }}"
    sources:
      - oci:build/amd64
      - docker-archive:build/arm64.tar
      - source: docker://registry.example.com/shop/frontend:1.4.2-armv6
        platform: linux/arm/v6
    name: frontend
    tags: ["1.4.2"]

- name: Push a release that must not replace another one
  appuio.registry.appuio_image_push:
    zone: cloudscale-lpg-2
    namespace: shop
    token: "{{ pusher_token }}"
    source: oci:build/shop
    name: shop
    tags: ["{{ release }}"]
    existing_tags: fail
    expected_digest: "{{ approved_digest }}"
"""

RETURN = r"""
digest:
  description: Digest of the image or index that was pushed.
  type: str
  returned: when the source could be read
  sample: sha256:4bc453b53cb3d914b45f4b250294236adba2c0e09ff6f03793949e7e39fd4cc1
media_type:
  description: Media type of the image that is pushed, after O(platforms) were chosen.
  type: str
  returned: when the source could be read
  sample: application/vnd.oci.image.index.v1+json
platforms:
  description: Platforms of the image.
  type: list
  elements: str
  returned: when the source could be read
  sample: [linux/amd64, linux/arm64]
source:
  description: The source, with the tag that was used. With O(sources), all of them, separated by commas.
  type: str
  returned: when the source could be read
  sample: docker://registry.example.com/shop/frontend:1.4.2
image_id:
  description: Digest of the image's configuration, for an image of one platform.
  type: str
  returned: when the source could be read
referrers_left:
  description: What is attached to the image and does not travel, each with its reason, with O(referrers).
  type: list
  elements: str
  returned: when the source could be read
  sample: []
reason:
  description: Why something changed, or nothing did.
  type: str
  returned: when the source could be read
  sample: "1.4.2: does not exist yet"
zones:
  description: What happened in each zone. On failure, it comes with the error.
  type: list
  elements: dict
  returned: when the source could be read
  contains:
    zone:
      description: Name of the zone.
      type: str
    registry:
      description: The zone's registry.
      type: str
    reference:
      description: Reference of the image with its first tag.
      type: str
    reference_digest:
      description: Reference of the image by its digest. It can always be pulled.
      type: str
    pull_reference:
      description: Reference of the image by its digest, as the pods of the zone pull it from inside the cluster.
      type: str
    digest:
      description: Digest of the image, or of the one that the zone keeps with O(existing_tags=keep).
      type: str
    previous_digest:
      description: The digest that each tag pointed to before. It is null for a tag that was new.
      type: dict
    tags:
      description: The tags.
      type: list
      elements: str
    referrers:
      description: The tags of what is attached to the image, with O(referrers).
      type: list
      elements: str
    changed:
      description: Whether something changed in this zone.
      type: bool
    reason:
      description: Why, tag by tag.
      type: str
    blobs:
      description: How many configurations and layers were C(uploaded), C(mounted), and C(existing) in the repository.
      type: dict
    bytes:
      description:
        - Size of all configurations and layers as C(total), and C(uploaded) bytes.
        - The total of an index of which nothing has to be pushed is null, as its images are not read.
      type: dict
    duration:
      description: Seconds that it took in this zone.
      type: float
    rolled_back:
      description: Whether tags were put back in this zone, because another one failed.
      type: bool
    failed:
      description: Whether the push failed in this zone.
      type: bool
    error:
      description: Why it failed, null if it did not.
      type: str
  sample:
    - zone: cloudscale-lpg-2
      registry: registry.cloudscale-lpg-2.appuio.cloud
      reference: registry.cloudscale-lpg-2.appuio.cloud/shop/frontend:1.4.2
      pull_reference: >-
        image-registry.openshift-image-registry.svc:5000/shop/frontend@sha256:4bc453b53cb3d914b45f4b250294236adba2c0e09ff6f03793949e7e39fd4cc1
      digest: sha256:4bc453b53cb3d914b45f4b250294236adba2c0e09ff6f03793949e7e39fd4cc1
      previous_digest:
        1.4.2:
      tags: [1.4.2]
      referrers: []
      changed: true
      reason: "1.4.2: does not exist yet"
      blobs:
        uploaded: 4
        mounted: 0
        existing: 0
      bytes:
        total: 31457280
        uploaded: 31457280
      duration: 2.31
      rolled_back: false
      failed: false
      error:
"""

from typing import Any

from ansible_collections.appuio.registry.plugins.module_utils._push.options import SPEC
from ansible_collections.appuio.registry.plugins.module_utils._push.task import PushTask, push_task
from ansible_collections.appuio.registry.plugins.module_utils._runner import RunContext, run_module


def start(options: dict[str, Any], context: RunContext) -> PushTask:
    """Return the task that the options describe; raises InvalidOptionError."""
    return push_task(options, context)


def main() -> None:
    """Run the module."""
    run_module(SPEC, start)


if __name__ == "__main__":
    main()
