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
version_added: 1.0.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Pushes a container image to the registry of one or several zones, as C(<registry>/<namespace>/<name>:<tag>).
  - No container engine and no other program is needed, only Python has to be installed on the host where it runs.
  - The image is copied byte for byte, with all its platforms unless O(platforms) selects some, so that its digest is
    the same in every zone.
  - The module first reads the tags in the zones. If they point to the image already, no layer is read and nothing is
    changed.
  - All content is verified against its digest. If the source is truncated or altered, the task fails before a tag is
    moved.
  - The image is pushed to several zones at the same time, and the source is read once.
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
      - V(docker://host/repository:tag) or V(docker://host/repository@digest) is an image in a registry. The prefix can
        be omitted.
      - V(oci:DIRECTORY) or V(oci:DIRECTORY:NAME) is an image in an OCI image layout, on the host where the task runs.
        The name is the full name in the layout (V(docker.io/library/alpine:3.20)), or its tag if only one image has
        that tag. V(oci:DIRECTORY:@NUMBER) is an entry of C(index.json), counted from 0, and V(oci:DIRECTORY@DIGEST) an
        image by its digest. Without a name, the layout has to contain exactly one image.
      - V(oci-archive:FILE) or V(oci-archive:FILE:NAME) is the same in a tar archive, read in place.
      - V(docker-archive:FILE), V(docker-archive:FILE:NAME:TAG) or V(docker-archive:FILE:@NUMBER) is an image in an
        archive of C(docker save) or C(podman save), read in place. The number counts from 0. It has one platform. If
        the archive contains several platforms, set O(platforms) to one of them, or use V(oci-archive:FILE) for all of
        them.
      - A compressed archive is decompressed to a temporary file first.
      - V(dir:DIRECTORY) is an image in a directory written by C(skopeo copy).
      - V(docker-daemon:NAME:TAG) is an image of the Docker engine, V(containers-storage:NAME:TAG) is an image of
        Podman. It is read from the socket of the engine's API, see O(engine_socket). Instead of a name, an image ID can
        be used. A name without a tag refers to the tag V(latest). A manifest list of Podman is an error, because the
        engine returns only one of its images.
      - Images of C(docker-archive), C(docker-daemon) and C(containers-storage) have no manifest. A manifest is created,
        and uncompressed layers are compressed according to O(compression), as well as layers in xz or bzip2. All layers
        are decompressed and verified against the configuration. Such an image is identified by its image ID, and a tag
        is not changed if it points to an image with that ID.
      - Content that OpenShift would store but could not serve is an error before anything is written, namely artifacts
        whose configuration is not that of an image, and digests other than sha256.
      - A path without a prefix is an error.
      - Exactly one of O(source) and O(sources) is required.
    type: str
  sources:
    description:
      - Several images that are combined into one index, for example images that were built per platform.
      - An entry is a source as in O(source), or a mapping of C(source) and C(platform).
      - The platform of an image is taken from its configuration. Set C(platform) if the configuration contains no
        platform or no variant. It is an error if neither contains a platform, and if they differ.
      - If a source is an index, all its images are used, with their attestations, or only the image for C(platform) if
        that is set.
      - It is an error if two sources have an image for the same platform.
      - The result is always an OCI index, sorted by platform whatever the order of the sources, and without a
        timestamp, so that the same images give the same digest. The images in it are not changed, including those in
        Docker's format (schema 2), which clients support in an OCI index.
      - If all images have manifests, the digest of the index is known before the push, also in check mode. If there is
        an image of C(docker-archive), C(docker-daemon) or C(containers-storage) among them, the index under the tag in
        the zone is read and its images are compared.
      - O(name) and O(tags) are required if the sources have different ones. O(source_password) is for one registry
        only, so sources in several registries need O(source_auth_file).
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
      - By default, the files that Podman and Docker read are used.
    type: path
  source_validate_certs:
    description:
      - Whether to verify the certificate of a C(docker://) source.
      - With V(false), connections are still encrypted, see O(source_plain_http).
    type: bool
    default: true
  source_plain_http:
    description:
      - Whether to allow unencrypted connections to the registry of a C(docker://) source that does not support TLS.
        O(source_password) and the image are then sent in clear text.
      - If O(source_validate_certs) is V(false), unencrypted connections to a loopback address of the host where the
        module runs are also allowed.
    type: bool
    default: false
  source_ca_cert:
    description: File with the certificate authorities for a C(docker://) source.
    type: path
  name:
    description:
      - Name of the image in O(namespace).
      - By default, it is the last component of the source's name. It is required if the O(sources) have different
        names.
    type: str
  tags:
    description:
      - The tags to point to the image.
      - By default, it is the source's tag, or V(latest) if it has none. It is required if the O(sources) have different
        tags.
      - With an empty list, the image is pushed by its digest only. A zone does not list such an image before a tag
        points to it.
    type: list
    elements: str
    aliases: [tag]
  platforms:
    description:
      - Platforms of a multi-platform image to push, as V(linux/amd64) or V(linux/arm/v7). By default, all platforms are
        pushed, and the index is not changed.
      - With one platform, the image for that platform is pushed without an index. With several, a new index is pushed,
        which has another digest than the source.
      - With O(sources), use C(platform) of an entry instead.
    type: list
    elements: str
  referrers:
    description:
      - Whether to push signatures, attestations and SBOMs that are attached to the image, or to one of its platforms,
        too. They are found by cosign's tags and as OCI referrers, for C(docker://), C(oci) and C(oci-archive) sources.
      - OpenShift's registry has no referrers API, so they are listed under the fallback tag. Each of these tags counts
        towards the quota.
      - Referrers that a zone does not support are listed in RV(referrers_left).
    type: bool
    default: false
  atomic:
    description:
      - With several zones or tags, whether to move either all tags or none.
      - All content is uploaded to all zones before the first tag is moved. If a tag cannot be moved, the tags that were
        moved are reset. A new tag is deleted with the zone's API, which C(registry-editor) allows and
        C(system:image-builder) does not. In that case, a warning is shown before the push, if the API can be read.
      - Immediately before a tag is moved, it is read again. If somebody else has moved it since the task started, the
        push fails, and the tag is not changed.
      - If two pushes to the same tags in the same zones overlap, one fails, and all zones have the image of the other
        one.
      - If V(false), the zones are independent, and the tags of a zone are moved as soon as it has the whole image. The
        task still fails if a zone fails.
    type: bool
    default: true
  existing_tags:
    description:
      - What happens to a tag that points to another image already.
      - With V(overwrite) it is moved, with V(keep) it is not changed, with V(fail) the task fails before anything is
        uploaded.
      - This also applies to a tag that somebody creates while the image is uploaded.
    type: str
    choices: [overwrite, keep, fail]
    default: overwrite
  expected_digest:
    description:
      - Fail before anything is uploaded if the image to push has another digest.
      - For an image without a manifest, it is compared with the image ID. It cannot be used for O(sources) with such an
        image, because the digest of their index is not known before the push.
    type: str
  check_quota:
    description:
      - What happens if the quota of the namespace does not allow for a new repository or new tags.
      - With V(warn) the push continues with a warning, because a cluster may count differently. With V(fail) nothing is
        uploaded. With V(ignore) the quota is not checked.
      - The quota is only read for new tags, if the address of the zone's API is known and the credential can read the
        quota. This requires the Python packages C(kubernetes) and C(openshift). Without them, the push continues with a
        warning.
    type: str
    choices: [warn, fail, ignore]
    default: warn
  force:
    description: Push the tags again even if they already point to this image.
    type: bool
    default: false
  compression:
    description:
      - Compression for layers that are uncompressed in a source without a manifest.
      - An image with a manifest is not changed.
      - V(gzip) uses C(isal) if that is installed where the task runs, which is several times faster, else C(zlib-ng),
        which is faster, too, else Python's own library. Without C(isal), all cores compress blocks of a layer, and a
        block that would get no smaller is stored. V(zstd) needs C(zstandard) before Python 3.14.
      - A layer is compressed once for all zones, and not at all if every zone has it already.
      - If a zone has the image under one of the O(tags), or had it from an earlier push, the other tags and zones get
        the same manifest and layers, however its layers were compressed. So it has the same digest everywhere.
    type: str
    choices: [gzip, zstd, none]
    default: gzip
  compression_level:
    description:
      - Level of the compression, from V(0) to V(9) for C(gzip) and from V(1) to V(19) for C(zstd).
      - The default is a fast level. With C(gzip), C(isal) supports levels up to V(3), and is not used for higher
        levels.
    type: int
  engine_socket:
    description:
      - Socket of the engine's API for C(docker-daemon) and C(containers-storage) sources.
      - By default, it is the value of E(DOCKER_HOST) or E(CONTAINER_HOST), or else the default path of the engine.
    type: path
  jobs:
    description: Number of blobs that are uploaded to each zone at the same time, V(1) to V(32).
    type: int
    default: 4
  progress:
    description:
      - Whether to show the progress of the push, with a line per zone every few seconds, on the standard error of
        C(ansible-playbook). A push that takes less than two seconds shows none.
      - No progress is shown if the task runs on another host than the controller, with C(async), in check mode, or with
        C(no_log).
    type: bool
    default: true
notes:
  - O(namespace) is required, in the task or in each entry of O(zones).
  - In check mode, the module only reads from the zones and the source, and uploads nothing.
  - When the task receives a signal to stop (SIGTERM, SIGINT, SIGHUP), its uploads are stopped immediately, tags that
    were moved are reset, and the result contains the state of each zone. If C(ansible-playbook) is killed with SIGKILL,
    a task on the controller does the same within a second or two. A task with C(async) does not depend on its playbook.
  - With an empty list of O(tags), the zone cannot be asked for the manifest, only for the layers. If it has all layers,
    nothing is reported as changed, and the manifest is pushed again. In check mode, the layers of an image without a
    manifest are only known on a host that has pushed it before.
  - OpenShift rejects an index with an entry that has no platform. This is detected before anything is uploaded.
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
  description: Media type of the image that was pushed, after O(platforms) were selected.
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
  description: Referrers of the image that were not pushed, each with its reason, with O(referrers).
  type: list
  elements: str
  returned: when the source could be read
  sample: []
reason:
  description: Why something was changed, or nothing was.
  type: str
  returned: when the source could be read
  sample: "1.4.2: does not exist yet"
zones:
  description: The result of each zone. It is also returned on failure, with the error.
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
      description: Reference of the image by its digest.
      type: str
    pull_reference:
      description: Reference of the image by its digest, as the pods of the zone pull it from inside the cluster.
      type: str
    digest:
      description: Digest of the image, or of the image that is kept with O(existing_tags=keep).
      type: str
    previous_digest:
      description: The digest that each tag pointed to before. It is null for a new tag.
      type: dict
    tags:
      description: The tags.
      type: list
      elements: str
    referrers:
      description: The tags of the referrers of the image, with O(referrers).
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
        - The total is null for an index of which nothing has to be pushed, because its images are not read.
      type: dict
    duration:
      description: Duration in seconds in this zone.
      type: float
    rolled_back:
      description: Whether tags were reset in this zone, because another zone failed.
      type: bool
    failed:
      description: Whether the push failed in this zone.
      type: bool
    error:
      description: The error, null if the push did not fail.
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

from ansible_collections.appuio.registry.plugins.module_utils._push.options import SPEC
from ansible_collections.appuio.registry.plugins.module_utils._push.task import push_task
from ansible_collections.appuio.registry.plugins.module_utils._runner import run_module


def main() -> None:
    """Run the module."""
    run_module(SPEC, push_task)


if __name__ == "__main__":
    main()
