#!/usr/bin/python
# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep a set of images in the registries of zones as it is declared."""

from __future__ import annotations

DOCUMENTATION = r"""
module: appuio_image_sync
short_description: Keep the integrated registries of zones in sync with a list of images
version_added: 1.0.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Pushes the images of a list or a file to the registries of one or several zones, in one task.
  - The list contains images with their tags, or repositories with rules that select their tags, for example the three
    newest minor versions.
  - The whole set is planned first, then pushed, several images at a time. Check mode and diff show the plan.
  - If nothing has changed, one request for each tag is sent to each zone, one request for each image to its source, and
    no layer is read. All images share connections.
  - An image that fails does not stop the others. The task fails at the end, and the result contains the outcome of each
    image.
  - Images that are no longer declared can be deleted, see O(delete).
extends_documentation_fragment:
  - appuio.registry.zone
  - appuio.registry.zone.several
  - appuio.registry.credentials
  - appuio.registry.connection
  - appuio.registry.attributes
  - appuio.registry.attributes.action_group
options:
  images:
    description:
      - The images. Values that an entry does not set are taken from O(defaults).
      - Each tag of a repository is declared once.
      - One of O(images) and O(images_file) is required, with at least one entry.
    type: list
    elements: dict
    suboptions:
      source:
        description:
          - The image, in the notation of O(appuio.registry.appuio_image_push#module:source).
          - With O(images[].select), it is the repository without a tag, for example
            V(docker://docker.io/library/alpine).
          - With O(images[].source_zone), it is the name of an image in that zone, for example V(frontend:production).
          - Exactly one of O(images[].source) and O(images[].sources) is required, except for a whole namespace of
            O(images[].source_zone).
        type: str
      source_zone: &source_zone
        description:
          - A zone from which the image is copied, with the digest that the tag has in that zone. The history is not
            copied.
          - Without O(images[].source), all images of its namespace are copied, with all their tags or those that
            O(images[].select) selects. This requires the API of the zone, and a credential that can list ImageStreams.
            RV(left_behind) lists what is not copied. The zone has to be set in the entry itself for this.
          - It is the name of a zone, or a dictionary like an entry of O(zones), for example with the keys V(zone),
            V(namespace) and V(token). Values that it does not set are taken from the entry of O(zones) for the same
            zone, or else from the task. The options of a credential are taken together, and a token of the task is only
            used for the zones of the task.
          - The namespace is that of the image unless O(images[].source_zone) sets another one.
          - If the zone is one of O(zones), the image is copied to the other zones. It can also be copied to another
            namespace of the same zone.
          - In O(defaults), it applies to images whose O(images[].source) is a name without a slash.
          - Mutually exclusive with O(images[].sources), and with the options for the registry of a C(docker://) source.
        type: raw
      sources:
        description:
          - Several images that are combined into one index, for example images that were built per platform, as in
            O(appuio.registry.appuio_image_push#module:sources). An entry is a source, or a mapping with C(source) and
            C(platform).
          - Without O(images[].name) and O(images[].tags), all sources must have the same name and tag.
          - To check for changes, the digests of the tags are requested from the registries of C(docker://) sources.
            Other values are known from the run before if the home directory of the user is writable, and read
            otherwise. No layer is read.
          - Mutually exclusive with O(images[].source), O(images[].select) and O(images[].platforms).
        type: list
        elements: raw
      name:
        description:
          - Name of the image in the namespace.
          - By default, it is the last component of the source's name.
        type: str
      tags:
        description:
          - The tags to point to the image.
          - By default, it is the source's tag, or V(latest) if it has none.
          - With an empty list, the image is pushed by its digest only.
        type: list
        elements: str
        aliases: [tag]
      select:
        description:
          - Rules that select tags of the source's repository. Each tag is pushed under the same name.
          - The conditions are applied in the order below. Without any, all tags are selected.
          - Tags of signatures and other referrers are never selected, see O(images[].referrers).
          - It is an error if the source has no tags, and if the selection matches none. For a whole namespace of
            O(images[].source_zone), it is an error if the selection matches nothing in any repository.
        type: dict
        suboptions:
          match:
            description:
              - A regular expression that matches in the tag, for example V(^1[.]).
              - If it has a group with the name C(version), the version of a tag is what this group matches, as in
                V(^(?P<version>.*\)-alpine$).
            type: str
          exclude:
            description: A regular expression that does not match in the tag.
            type: str
          semver:
            description:
              - A range of versions, for example V(>=1.2 <2), V(^1.4), V(~1.4.2), V(1.4.x), or several ranges separated
                by V(||).
              - A tag can begin with C(v), and omit its last numbers. V(1.4) counts as C(1.4.0). Tags that are not
                versions are ignored.
            type: str
          prereleases:
            description:
              - Whether versions such as C(2.0.0-rc1) are included in O(images[].select.semver),
                O(images[].select.latest_per) and O(images[].select.newest).
              - A pre-release that O(images[].select.semver) itself contains is always included.
            type: bool
          latest_per:
            description: Select only the newest tag of each minor or major version.
            type: str
            choices: [minor, major]
          newest:
            description:
              - Maximum number of tags, the newest by their version.
              - Tags that are not versions come after versions, sorted by their names.
            type: int
          repositories:
            description:
              - A regular expression that matches in the name of a repository, for example V(^shop-).
              - It can be set for a whole namespace of O(images[].source_zone), and so can
                O(images[].select.exclude_repositories). All other conditions apply to each repository.
            type: str
          exclude_repositories:
            description: A regular expression that does not match in the name of a repository.
            type: str
      expected_digest:
        description: Fail for this image if the image to push has another digest.
        type: str
      namespace: &namespace
        description: The namespace of this image. The default is that of the zone.
        type: str
      zones: &zones
        description: The zones of the task that this image is pushed to. The default is all of them.
        type: list
        elements: str
      platforms: &platforms
        description:
          - Platforms of a multi-platform image to push, as O(appuio.registry.appuio_image_push#module:platforms).
          - With O(images[].sources), use C(platform) of an entry instead. O(defaults.platforms) is ignored then.
        type: list
        elements: str
      referrers: &referrers
        description:
          - Whether to push signatures, attestations and SBOMs, too, as in
            O(appuio.registry.appuio_image_push#module:referrers).
        type: bool
      existing_tags: &existing_tags
        description:
          - What happens to a tag that points to another image already, as
            O(appuio.registry.appuio_image_push#module:existing_tags). By default, it is moved.
        type: str
        choices: [overwrite, keep, fail]
      compression: &compression
        description:
          - Compression of layers that are uncompressed in the source, as in
            O(appuio.registry.appuio_image_push#module:compression).
        type: str
        choices: [gzip, zstd, none]
      compression_level: &compression_level
        description: Level of the compression, as in O(appuio.registry.appuio_image_push#module:compression_level).
        type: int
      source_username: &source_username
        description: User name for the registry of a C(docker://) source, with the password.
        type: str
      source_password: &source_password
        description: Password or token for the user name.
        type: str
      source_auth_file: &source_auth_file
        description:
          - File with stored credentials for a C(docker://) source.
          - By default, the files that Podman and Docker read are used.
        type: path
      source_validate_certs: &source_validate_certs
        description: Whether to verify the certificate of a C(docker://) source. By default, it is verified.
        type: bool
      source_plain_http: &source_plain_http
        description:
          - Whether to allow unencrypted connections to the registry of a C(docker://) source, as in
            O(appuio.registry.appuio_image_push#module:source_plain_http).
        type: bool
      source_ca_cert: &source_ca_cert
        description: File with the certificate authorities for a C(docker://) source.
        type: path
      engine_socket: &engine_socket
        description: Socket of the engine's API, as O(appuio.registry.appuio_image_push#module:engine_socket).
        type: path
  images_file:
    description:
      - A file with the images, in YAML or JSON, on the host where the task runs.
      - It contains a list of entries as in O(images), or a mapping with such a list as C(images) and with C(defaults).
      - Error messages contain the entry and its line. Unknown, misspelled and duplicate keys are errors, and so are
        numbers that YAML would change, such as C(1.10) and C(0123) as a tag.
      - YAML requires the Python package C(PyYAML), which C(ansible-core) installs.
    type: path
  defaults:
    description:
      - Default values for all images.
      - The C(defaults) of O(images_file) take precedence over these. The options of a source's credential are taken
        together.
    type: dict
    suboptions:
      namespace: *namespace
      zones: *zones
      source_zone: *source_zone
      platforms: *platforms
      referrers: *referrers
      existing_tags: *existing_tags
      compression: *compression
      compression_level: *compression_level
      source_username: *source_username
      source_password: *source_password
      source_auth_file: *source_auth_file
      source_validate_certs: *source_validate_certs
      source_plain_http: *source_plain_http
      source_ca_cert: *source_ca_cert
      engine_socket: *engine_socket
  atomic:
    description:
      - Which tags are moved together.
      - With V(image), the tags of an image are moved in all its zones or in none. If a zone cannot be reached, no tag
        of an image for this zone is moved.
      - With V(set), the tags of all images are moved in all zones, or none is moved. All images are uploaded to all
        zones before the first tag is moved, and nothing is pushed if one image cannot be planned.
      - With V(none), the zones are independent.
    type: str
    choices: [image, set, none]
    default: image
  keep_going:
    description:
      - Whether the other images are pushed if one fails. The task fails in any case.
      - If V(false), nothing is pushed if one image cannot be planned, and no other image is started after one has
        failed.
    type: bool
    default: true
  delete:
    description:
      - Whether to delete tags that are no longer declared.
      - With V(managed), tags are deleted that this module has created with O(delete=managed) and that no entry declares
        any more, in the namespaces that the task or an entry sets. The tags that it has created are recorded in the
        annotation C(registry.appuio.cloud/managed-tags) of the ImageStream, so the module can be run from any checkout
        and machine.
      - A tag is kept if somebody else has moved it since, if another set declares it (see O(set_name)), if an entry
        copies it from this zone (see O(images[].source_zone)), if a workload uses it, if another tag follows it, or if
        its image is in use. The rules are those of M(appuio.registry.appuio_image_prune), except that a tag is also
        deleted if a tag that is kept points to the same image.
      - All tags of a repository are kept if an entry for it fails, so nothing is deleted because the tags of a source
        could not be listed or there were none. Nothing is deleted in a zone that cannot be read.
      - An ImageStream that this module has created is deleted, too, when it has no tags left.
      - This requires the API of each zone, with the Python packages C(kubernetes) and C(openshift), and a credential
        that can change ImageStreams and read workloads. It is an error with a credential for the registry only.
    type: str
    choices: [none, managed]
    default: none
  set_name:
    description:
      - Name of the set, for O(delete=managed). Each set manages only its own tags.
      - Use a different name for each list if several lists contain images for the same namespace, because otherwise
        each would delete the images of the others.
    type: str
  max_delete:
    description: Maximum number of tags and ImageStreams to delete in each zone and namespace. Others are deleted in a
      later run.
    type: int
    default: 50
  protect_in_use:
    description: Whether to keep tags that workloads use.
    type: bool
    default: true
  workload_namespaces:
    description:
      - Other namespaces whose workloads use images of these namespaces. They must be readable.
      - Other namespaces that the credential can read are included anyway.
    type: list
    elements: str
    default: []
  ignore_unreadable:
    description: Kinds and namespaces that need not be readable, for example V(BuildConfig).
    type: list
    elements: str
    default: []
  check_quota:
    description:
      - What happens if the quota of a namespace does not allow for the ImageStreams and tags that all images of the set
        need together.
      - With V(warn), a warning is shown with the numbers that are needed and left. With V(fail), no image is pushed
        that needs a new ImageStream or tag in this namespace. With V(ignore), the quota is not checked.
      - O(delete) deletes tags at the end, after all new images were pushed, so they make room for the next run. If this
        would be sufficient, the message says so.
      - This requires permission to read quotas, and is skipped otherwise.
    type: str
    choices: [warn, fail, ignore]
    default: warn
  jobs:
    description: Number of images that are planned and pushed at the same time, V(1) to V(16).
    type: int
    default: 4
  spool_limit:
    description:
      - Limit in MiB for the images that are pushed at the same time, and so for the disk space that they need in the
        temporary directory of the host where the task runs. The largest image is pushed first.
      - An image that is copied from a registry to a single zone is sent while it is read, and needs no disk space.
      - An image that is larger than the limit is pushed alone.
    type: int
    default: 4096
  progress:
    description:
      - Whether to show the progress, with a line every few seconds, on the standard error of C(ansible-playbook). It
        contains the numbers of images that are done and that change, the bytes sent to all zones together, the rate,
        and the images that are being pushed. A task that takes less than two seconds shows none.
      - No progress is shown if the task runs on another host than the controller, with C(async), in check mode, or with
        C(no_log).
    type: bool
    default: true
notes:
  - A namespace is required, in the task, in each entry of O(zones), or in each of O(images).
  - In check mode, the module only reads from the zones and the sources, and uploads nothing.
  - When the task receives a signal to stop (SIGTERM, SIGINT, SIGHUP), its uploads are stopped immediately, and tags
    that are being moved are either all moved or reset. Nothing else is started, nothing is deleted, and the next run
    continues with the remaining images.
  - If the registry of a source returns how many manifests can still be read (C(RateLimit-Remaining), as Docker Hub
    does), no image is started that needs more. It fails with the limit, the remaining number and the time when it is
    renewed, and images from other registries are still pushed. Requests for the digest of a tag are not limited there,
    so an unchanged set does not count, except for images with O(images[].platforms) or O(images[].referrers), whose
    manifests are read. The module waits for limits that are renewed within five minutes.
  - A tag that was created with O(delete=none) is not managed by this module, and is never deleted by it.
seealso:
  - module: appuio.registry.appuio_image_push
  - module: appuio.registry.appuio_image_prune
  - module: appuio.registry.appuio_image_stream
"""

EXAMPLES = r"""
- name: Keep the base images of a team in two zones
  appuio.registry.appuio_image_sync:
    zones:
      - zone: cloudscale-lpg-2
        token: "{{ appuio_tokens['cloudscale-lpg-2'] }}"
      - zone: exoscale-ch-gva-2-0
        token: "{{ appuio_tokens['exoscale-ch-gva-2-0'] }}"
    namespace: base-images
    defaults:
      platforms: [linux/amd64]
    images:
      - source: docker://docker.io/library/alpine
        select:
          semver: ">=3.20"
          latest_per: minor
          newest: 3
      - source: docker://docker.io/library/postgres:17.2-alpine
        name: postgres
        tags: ["17"]
      - source: docker://registry.example.com/vendor/tool:4.1
        zones: [cloudscale-lpg-2]
        source_username: reader
        source_password: "{{ reader_password }}"

- name: Bring what the first zone has in production to the others
  appuio.registry.appuio_image_sync:
    zones:
      - zone: cloudscale-lpg-2
        token: "{{ appuio_tokens['cloudscale-lpg-2'] }}"
      - zone: cloudscale-rma-1
        token: "{{ appuio_tokens['cloudscale-rma-1'] }}"
      - zone: exoscale-ch-gva-2-0
        token: "{{ appuio_tokens['exoscale-ch-gva-2-0'] }}"
    namespace: shop
    defaults:
      source_zone: cloudscale-lpg-2
    images:
      - source: frontend:production
      - source: backend
        select:
          semver: ">=2"

- name: Copy all images of a namespace to another zone, but for those of pull requests and caches
  appuio.registry.appuio_image_sync:
    zone: cloudscale-rma-1
    token: "{{ appuio_tokens['cloudscale-rma-1'] }}"
    namespace: shop
    images:
      - source_zone:
          zone: cloudscale-lpg-2
          token: "{{ appuio_tokens['cloudscale-lpg-2'] }}"
        select:
          exclude: ^pr-
          exclude_repositories: -cache$

- name: Keep one index of what two runners have built
  appuio.registry.appuio_image_sync:
    zone: cloudscale-lpg-2
    token: "{{ appuio_token }}"
    namespace: shop
    images:
      - sources:
          - oci-archive:build/amd64.tar
          - source: docker-archive:build/arm64.tar
            platform: linux/arm64
        name: shop
        tags: ["1.4.2", latest]

- name: Do what the file in the repository says, and remove what it does not say any more
  appuio.registry.appuio_image_sync:
    zone: cloudscale-lpg-2
    token: "{{ appuio_token }}"
    namespace: base-images
    images_file: "{{ playbook_dir }}/images.yml"
    delete: managed
  register: synced

- name: Show what would change, and nothing else
  appuio.registry.appuio_image_sync:
    zone: cloudscale-lpg-2
    token: "{{ appuio_token }}"
    namespace: base-images
    images_file: images.yml
  check_mode: true
  diff: true
"""

RETURN = r"""
reason:
  description: How many images were changed, how many tags were deleted, and how many images failed.
  type: str
  returned: when the images could be planned
  sample: 2 of 30 images change, 1 tags go
images:
  description: The result of each image, also on failure. Each selected tag is a separate image.
  type: list
  elements: dict
  returned: when the images could be planned
  contains:
    entry:
      description: The entry of O(images) or O(images_file).
      type: str
    source:
      description:
        - The source, with the tag that was used.
        - With O(images[].sources), all sources, separated by commas.
      type: str
    name:
      description: Name of the image in the namespace, V(*) if the images of a namespace could not be listed.
      type: str
    tags:
      description: The tags. The list is empty if the source's tags could not be listed.
      type: list
      elements: str
    digest:
      description: Digest of the image, if it is known.
      type: str
    changed:
      description: Whether something changed in any zone.
      type: bool
    reason:
      description: Why something changed, or nothing did.
      type: str
    referrers_left:
      description: Referrers of the image that were not pushed, each with its reason.
      type: list
      elements: str
    zones:
      description: The result of each zone, as in RV(appuio.registry.appuio_image_push#module:zones).
      type: list
      elements: dict
    failed:
      description: Whether the image failed.
      type: bool
    error:
      description: The error, null if the image did not fail.
      type: str
  sample:
    - entry: entry 1 of images
      source: docker://docker.io/library/alpine:3.22.1
      name: alpine
      tags: ["3.22.1"]
      digest: sha256:4bc453b53cb3d914b45f4b250294236adba2c0e09ff6f03793949e7e39fd4cc1
      changed: true
      reason: 2 of 2 zones changed
      referrers_left: []
      zones: []
      failed: false
      error:
zones:
  description: The result of each zone for all images together. RV(images) contains the result of each image.
  type: list
  elements: dict
  returned: when the images could be planned
  contains:
    zone:
      description: Name of the zone.
      type: str
    registry:
      description: The zone's registry.
      type: str
    changed:
      description: Whether anything changed in this zone.
      type: bool
    reason:
      description: How many images were changed in this zone, and how many tags were deleted.
      type: str
    bytes:
      description: Size of the images that change as C(total), and C(uploaded) bytes.
      type: dict
    deleted:
      description: How many tags were deleted.
      type: int
    deletion_error:
      description: The error of the deletion, null if there was none.
      type: str
    failed:
      description: Whether an image or a deletion failed in this zone.
      type: bool
    error:
      description: The error, null if nothing failed.
      type: str
  sample:
    - zone: cloudscale-lpg-2
      registry: registry.cloudscale-lpg-2.appuio.cloud
      changed: true
      reason: 2 of 30 images change, 1 tags go
      bytes:
        total: 62914560
        uploaded: 31457280
      deleted: 1
      deletion_error:
      failed: false
      error:
declared:
  description:
    - Each declared tag in each zone, with its current and its declared digest.
    - An image that failed has an entry for each of its tags, and one without a tag, because it is not known which other
      tags of this repository are declared.
  type: list
  elements: dict
  returned: in check mode, and where nothing was begun as images failed
  contains:
    zone:
      description: Name of the zone.
      type: str
    namespace:
      description: The namespace.
      type: str
    name:
      description: Name of the image in the namespace. C(*) means all of them.
      type: str
    tag:
      description: The tag, null for other tags of a repository whose declared tags are not known.
      type: str
    state:
      description:
        - V(up_to_date), V(missing) or V(outdated), which is a tag that points to another image.
        - V(kept) is a tag that points to another image, and is not changed, see O(images[].existing_tags), or that
          cannot be copied and is not changed, see RV(left_behind).
        - V(unknown) is a tag whose source or zone could not be read.
      type: str
    digest:
      description: Digest that the tag points to, null if there is no such tag, or it is not known.
      type: str
    wanted:
      description: Declared digest, null if it is not known before its layers are compressed.
      type: str
    entry:
      description: The entry of O(images) or O(images_file) that declares it.
      type: str
    source:
      description: The source.
      type: str
    reason:
      description: Why it has this state.
      type: str
  sample:
    - zone: cloudscale-lpg-2
      namespace: base-images
      name: alpine
      tag: 3.22.1
      state: missing
      digest:
      wanted: sha256:4bc453b53cb3d914b45f4b250294236adba2c0e09ff6f03793949e7e39fd4cc1
      entry: entry 1 of images
      source: docker://docker.io/library/alpine:3.22.1
      reason: does not exist yet
deleted:
  description: The tags that were deleted, each with its zone, namespace, image name, digest and reason.
  type: list
  elements: dict
  returned: when the images could be planned
  sample:
    - zone: cloudscale-lpg-2
      namespace: base-images
      name: alpine
      tag: 3.19.4
      digest: sha256:4bc453b53cb3d914b45f4b250294236adba2c0e09ff6f03793949e7e39fd4cc1
      reason: it is no longer declared
kept:
  description: The tags that are no longer declared and were kept, each with the reason.
  type: list
  elements: dict
  returned: when the images could be planned
  sample: []
deleted_repositories:
  description: The ImageStreams that were deleted, each with its zone, namespace and reason.
  type: list
  elements: dict
  returned: when the images could be planned
  sample: []
left_behind:
  description:
    - Parts of a namespace of O(images[].source_zone) that are not copied, each with its C(zone), C(namespace), image
      C(name), C(tag) and C(reason). The C(tag) is null if it applies to the whole repository.
    - Tags without an image, or with images that the zone only refers to, are not copied, and existing copies of them
      are kept. For images that are copied, it is the history, and the source that a tag follows.
  type: list
  elements: dict
  returned: when the images could be planned
  sample:
    - zone: cloudscale-lpg-2
      namespace: shop
      name: frontend
      tag:
      reason: the history of its tags, with 12 older images
totals:
  description:
    - Sums over all images. C(tags) counts each tag in each zone, C(bytes) is the size of all images that were changed,
      and C(uploaded) is the number of bytes that were sent.
  type: dict
  returned: when the images could be planned
  sample:
    images: 30
    changed: 2
    failed: 0
    tags: 93
    bytes: 62914560
    uploaded: 31457280
    deleted: 1
"""

from ansible_collections.appuio.registry.plugins.module_utils._image_set.options import SPEC
from ansible_collections.appuio.registry.plugins.module_utils._runner import run_module
from ansible_collections.appuio.registry.plugins.module_utils._sync.task import sync_task


def main() -> None:
    """Run the module."""
    run_module(SPEC, sync_task)


if __name__ == "__main__":
    main()
