#!/usr/bin/python
# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep a set of images in the registries of zones as it is declared."""

from __future__ import annotations

DOCUMENTATION = r"""
module: appuio_image_sync
short_description: Keep a set of images in the integrated registries of zones as it is declared
version_added: 0.1.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Brings many images to the registries of one or several zones, in one task, as one list or one file says.
  - The list names images with their tags, or a repository elsewhere and which of its tags are wanted, for example the
    three newest minor versions.
  - The whole set is planned first, then pushed, several images at a time. Check mode and diff show the plan.
  - If all is there already, each zone is asked once for each tag, each source registry once for each image, and no
    layer is read. All images share connections.
  - One image that fails does not stop the others. The task fails in the end, and the result says what became of each.
  - What is no longer declared can go again, see O(delete).
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
      - The images that are to be there. What an entry does not say is taken from O(defaults).
      - Each tag of a repository is declared once.
      - One of O(images) and O(images_file) is required, with at least one entry.
    type: list
    elements: dict
    suboptions:
      source:
        description:
          - The image, in the notation of O(appuio.registry.appuio_image_push#module:source).
          - With O(images[].select), it is the repository alone, as V(docker://docker.io/library/alpine).
          - With O(images[].source_zone), it is the name of an image there, as V(frontend:production).
          - Exactly one of O(images[].source) and O(images[].sources) is required, but for a whole namespace of
            O(images[].source_zone).
        type: str
      source_zone: &source_zone
        description:
          - A zone that the image comes from. It is what the zone has under the tag, by exactly that digest, and its
            history stays behind.
          - Without O(images[].source), all images of its namespace are copied, with all their tags or those that
            O(images[].select) chooses. That takes the API of the zone, and a credential that may list ImageStreams.
            RV(left_behind) says what does not travel. The entry itself has to name the zone for this.
          - It is a zone identifier, or a dictionary like an entry of O(zones), for example with the keys V(zone),
            V(namespace) and V(token). What it does not say is said by the entry of O(zones) for the same zone, or else
            by the task. Credentials are taken whole, and a token of the task is for the zones of the task alone.
          - The namespace is that of the image if O(images[].source_zone) says no other.
          - Where the zone is one of O(zones), the image goes to the others. It goes to another namespace of the same
            zone, too.
          - In O(defaults), it holds for images whose O(images[].source) is a name without a slash.
          - Mutually exclusive with O(images[].sources), and with what is said of the registry of a C(docker://) source.
        type: raw
      sources:
        description:
          - Several images, of which one index is made, such as those that were built per platform, as
            O(appuio.registry.appuio_image_push#module:sources). An entry is a source, or a mapping of C(source) and
            C(platform).
          - Without O(images[].name) and O(images[].tags), all sources have to have the same.
          - To find out whether anything has changed, the registries of C(docker://) sources are asked for the digests
            of their tags. What else is needed of them is known from the run before if the home directory of the user
            can be written, and read otherwise. No layer is read.
          - Mutually exclusive with O(images[].source), O(images[].select) and O(images[].platforms).
        type: list
        elements: raw
      name:
        description:
          - What the image is called in the namespace.
          - By default, it is the last component of the source's name.
        type: str
      tags:
        description:
          - The tags that are to point to the image.
          - By default, it is the source's tag, or V(latest) if it has none.
          - With an empty list, the image is pushed by its digest only.
        type: list
        elements: str
        aliases: [tag]
      select:
        description:
          - Which tags of the source's repository are wanted, each under its own name.
          - The conditions follow one another in the order below. Without any, all tags are wanted.
          - Tags that stand for signatures and other referrers are never selected, see O(images[].referrers).
          - A source that lists no tags, and a selection that matches none, fail. Of a whole namespace of
            O(images[].source_zone), only one that matches nothing in any repository does.
        type: dict
        suboptions:
          match:
            description:
              - A regular expression that is found in the tag, as V(^1[.]).
              - If it has a group with the name C(version), the version of a tag is what this group matches, as in
                V(^(?P<version>.*\)-alpine$).
            type: str
          exclude:
            description: A regular expression that is not found in the tag.
            type: str
          semver:
            description:
              - A range of versions, as V(>=1.2 <2), V(^1.4), V(~1.4.2), V(1.4.x), or several with V(||) between them.
              - A tag may begin with C(v), and lack its last numbers. V(1.4) counts as C(1.4.0). What is no version is
                left out.
            type: str
          prereleases:
            description:
              - Whether versions such as C(2.0.0-rc1) count for O(images[].select.semver),
                O(images[].select.latest_per) and O(images[].select.newest).
              - A pre-release that O(images[].select.semver) itself names counts in any case.
            type: bool
          latest_per:
            description: Of each minor or major version, only the newest tag is wanted.
            type: str
            choices: [minor, major]
          newest:
            description:
              - At most so many tags are wanted, the newest by their version.
              - Tags that are no versions come after those that are, ordered by their names.
            type: int
          repositories:
            description:
              - A regular expression that is found in the name of a repository, as V(^shop-).
              - It is for a whole namespace of O(images[].source_zone), as is
                O(images[].select.exclude_repositories). All other conditions hold in each repository.
            type: str
          exclude_repositories:
            description: A regular expression that is not found in the name of a repository.
            type: str
      expected_digest:
        description: Fail, for this image, unless what would be pushed has exactly this digest.
        type: str
      namespace: &namespace
        description: The namespace of this image. By default, it is that of the zone.
        type: str
      zones: &zones
        description: The zones that get this image, of those that the task names. By default, all of them do.
        type: list
        elements: str
      platforms: &platforms
        description:
          - Platforms of a multi-platform image to push, as O(appuio.registry.appuio_image_push#module:platforms).
          - With O(images[].sources), C(platform) of an entry chooses instead, and O(defaults.platforms) does not count.
        type: list
        elements: str
      referrers: &referrers
        description:
          - Whether signatures, attestations and SBOMs travel along, as
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
          - How layers are compressed that the source holds uncompressed, as
            O(appuio.registry.appuio_image_push#module:compression).
        type: str
        choices: [gzip, zstd, none]
      compression_level: &compression_level
        description: How hard to compress, as O(appuio.registry.appuio_image_push#module:compression_level).
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
          - By default, the files that podman and docker read are used.
        type: path
      source_validate_certs: &source_validate_certs
        description: Whether to verify the certificate of a C(docker://) source. By default, it is verified.
        type: bool
      source_plain_http: &source_plain_http
        description:
          - Whether the registry of a C(docker://) source may be spoken to without TLS, as
            O(appuio.registry.appuio_image_push#module:source_plain_http).
        type: bool
      source_ca_cert: &source_ca_cert
        description: File with the authorities that sign the certificate of a C(docker://) source.
        type: path
      engine_socket: &engine_socket
        description: Socket of the engine's API, as O(appuio.registry.appuio_image_push#module:engine_socket).
        type: path
  images_file:
    description:
      - A file with the images, in YAML or JSON, on the host where the task runs.
      - It is a list of entries as in O(images), or a mapping with such a list as C(images) and with C(defaults).
      - Errors name the entry and its line. Unknown and misspelled keys are refused, and keys that are there twice.
      - YAML takes the Python package C(PyYAML), which C(ansible-core) has.
    type: path
  defaults:
    description:
      - What holds for every image that does not say otherwise.
      - The C(defaults) of O(images_file) go before these. Credentials of sources are taken whole.
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
      - What moves together.
      - With V(image), the tags of one image move in all its zones, or none of them does. A zone that cannot be reached
        then keeps every image of its entry where it is.
      - With V(set), the tags of all images move in all zones, or none does. All images are uploaded everywhere before
        the first tag moves, and nothing is begun when one image cannot be planned.
      - With V(none), each zone goes its own way.
    type: str
    choices: [image, set, none]
    default: image
  keep_going:
    description:
      - Whether the other images are pushed when one fails. The task fails in any case.
      - If V(false), nothing is begun when one image cannot be planned, and nothing more when one fails.
    type: bool
    default: true
  delete:
    description:
      - Whether tags go that are no longer declared.
      - With V(managed), tags go that this module has brought with O(delete=managed) and that no entry declares any
        more, from the namespaces that the task or an entry names. What it has brought is noted on the ImageStream, in
        the annotation C(registry.appuio.cloud/managed-tags), so that every checkout and every machine knows the same.
      - A tag stays that somebody else has moved since, that another set declares (see O(set_name)), that a workload
        uses, that another tag follows, or whose image something in use needs. The rules are those of
        M(appuio.registry.appuio_image_prune), but a tag goes also where one that stays has the same image.
      - All tags of a repository stay while an entry for it fails, so nothing goes because a source could not be listed
        or listed nothing. Nothing goes from a zone that cannot be read.
      - An ImageStream that this module has created goes, too, when nothing is left in it.
      - This needs the API of each zone, with the Python packages C(kubernetes) and C(openshift), and a credential that
        may change ImageStreams and read workloads. With a credential for the registry alone it is refused.
    type: str
    choices: [none, managed]
    default: none
  set_name:
    description:
      - Name of the set, for O(delete=managed). Each set knows its own tags only.
      - Give each list of images its own name if several of them bring images to one namespace, as each would take the
        images of the others for undeclared.
    type: str
  max_delete:
    description: How many tags and ImageStreams go at most, in each zone and namespace. Others go in a later run.
    type: int
    default: 50
  protect_in_use:
    description: Whether tags stay that workloads use.
    type: bool
    default: true
  workload_namespaces:
    description:
      - Other namespaces whose workloads use images of these namespaces, and which have to be readable.
      - All namespaces that the credential may read are read in any case.
    type: list
    elements: str
    default: []
  ignore_unreadable:
    description: Kinds and namespaces that do not matter where they cannot be read, as V(BuildConfig).
    type: list
    elements: str
    default: []
  check_quota:
    description:
      - What happens when the quota of a namespace does not leave room for the ImageStreams and tags that all images of
        the set need there together.
      - With V(warn), there is a warning with how many are needed and left. With V(fail), no image is pushed there that
        needs a new ImageStream or tag. With V(ignore), nobody is asked.
      - What O(delete) removes goes last, when all new images are there, so that it makes room for the next run. Where
        that would be enough, the message says so.
      - It takes the right to read quotas, and is left out without it.
    type: str
    choices: [warn, fail, ignore]
    default: warn
  jobs:
    description: How many images are planned and pushed at the same time, V(1) to V(16).
    type: int
    default: 4
  spool_limit:
    description:
      - How many MiB of images are on their way at the same time, and so how much is on disk at most, in the temporary
        directory of the host where the task runs. The largest image goes first.
      - An image that goes from a registry to a single zone is sent while it is read, and takes no disk.
      - An image that is larger is pushed alone.
    type: int
    default: 4096
  progress:
    description:
      - Whether to show how far the set is while it runs, as a line every few seconds, on the standard error of
        C(ansible-playbook). It tells how many images are done of those that change, how much was sent to all zones
        together, how fast, and which images are at work. What is done within two seconds shows none.
      - Nothing is shown when the task runs on another host than the controller, with C(async), in check mode, or with
        C(no_log).
    type: bool
    default: true
notes:
  - A namespace is required, in the task, in each entry of O(zones), or in each of O(images).
  - In check mode only the zones and the sources are asked, and nothing is uploaded.
  - When the task is told to stop (SIGTERM, SIGINT, SIGHUP), its uploads end at once, and tags that are moving move to
    the end or go back. Nothing more is begun, nothing is deleted, and the next run goes on from what is there.
  - Where a source's registry says how many manifests it still gives (C(RateLimit-Remaining), as Docker Hub does), no
    image is begun that needs more. It fails with the limit, what remains and when that renews, and images from
    elsewhere go on. Asking which digest a tag has is free there, so that an unchanged set costs nothing, except for
    images with O(images[].platforms) or O(images[].referrers), which are read to know what would be pushed. Limits that
    renew within five minutes are waited for.
  - A tag that was brought with O(delete=none) is not known as brought by this module, and never goes by itself.
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
  description: How many images change, how many tags go, and how many images failed.
  type: str
  returned: when the images could be planned
  sample: 2 of 30 images change, 1 tags go
images:
  description: What happened to each image, also on failure. A selected tag is an image of its own.
  type: list
  elements: dict
  returned: when the images could be planned
  contains:
    entry:
      description: Which entry of O(images) or O(images_file) it is of.
      type: str
    source:
      description:
        - The source, with the tag that was used.
        - All of O(images[].sources), with commas between them.
      type: str
    name:
      description: What the image is called in the namespace, V(*) where those of a namespace could not be listed.
      type: str
    tags:
      description: The tags. There are none where the source's tags could not be listed.
      type: list
      elements: str
    digest:
      description: Digest of the image, where it is known.
      type: str
    changed:
      description: Whether something changed in any zone.
      type: bool
    reason:
      description: Why something changed, or nothing did.
      type: str
    referrers_left:
      description: What is attached to the image and does not travel, each with its reason.
      type: list
      elements: str
    zones:
      description: What happened in each zone, as RV(appuio.registry.appuio_image_push#module:zones).
      type: list
      elements: dict
    failed:
      description: Whether the image failed.
      type: bool
    error:
      description: Why it failed, null if it did not.
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
  description: What happened in each zone, over all images. RV(images) has it image by image.
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
      description: How many images change here, and how many tags go.
      type: str
    bytes:
      description: Size of the images that change as C(total), and C(uploaded) bytes.
      type: dict
    deleted:
      description: How many tags went.
      type: int
    deletion_error:
      description: Why nothing could be deleted here, null if it could.
      type: str
    failed:
      description: Whether an image or a deletion failed here.
      type: bool
    error:
      description: Why, null if nothing failed.
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
    - Each declared tag in each zone, with what it points to and what it is to point to.
    - An image that failed has a row for each of its tags, and one without a tag, as nobody knows which other tags of
      this repository are declared.
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
      description: What the image is called in the namespace. C(*) stands for all of them.
      type: str
    tag:
      description: The tag, null for others of a repository in doubt.
      type: str
    state:
      description:
        - V(up_to_date), V(missing) or V(outdated), which is a tag that points to another image.
        - V(kept) is a tag that points to another image, and stays, see O(images[].existing_tags), or that cannot be
          copied and stays where it is, see RV(left_behind).
        - V(unknown) is a tag whose source or zone could not be asked.
      type: str
    digest:
      description: What the tag points to, null if there is no such tag, or it is not known.
      type: str
    wanted:
      description: What it is to point to, null where that is not known before its layers are compressed.
      type: str
    entry:
      description: Which entry of O(images) or O(images_file) declares it.
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
  description: The tags that went, each with its zone, namespace, image name, digest and reason.
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
  description: The tags that are no longer declared and stay, each with the reason.
  type: list
  elements: dict
  returned: when the images could be planned
  sample: []
deleted_repositories:
  description: The ImageStreams that went, each with its zone, namespace and reason.
  type: list
  elements: dict
  returned: when the images could be planned
  sample: []
left_behind:
  description:
    - What does not travel of a namespace of O(images[].source_zone), each with its C(zone), C(namespace), image
      C(name), C(tag) and C(reason). The C(tag) is null for what is said of the whole repository.
    - Tags that point to nothing, or to images that the zone only refers to, are left out, and copies of them that are
      in the zones already stay. Of images that are copied, it is the history, and what a tag follows by itself.
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
    - Sums over all images. C(tags) counts each tag in each zone, C(bytes) are the sizes of all images where something
      changes, and C(uploaded) are the bytes that were sent.
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

from typing import Any

from ansible_collections.appuio.registry.plugins.module_utils._runner import RunContext, run_module
from ansible_collections.appuio.registry.plugins.module_utils._sync.options import SPEC
from ansible_collections.appuio.registry.plugins.module_utils._sync.task import SyncTask, sync_task


def start(options: dict[str, Any], context: RunContext) -> SyncTask:
    """Return the task that the options describe; raises InvalidOptionError."""
    return sync_task(options, context)


def main() -> None:
    """Run the module."""
    run_module(SPEC, start)


if __name__ == "__main__":
    main()
