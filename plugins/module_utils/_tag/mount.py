# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing an image from one repository of a zone to another without moving its bytes.

Source: OCI Distribution Specification 1.1, "Mounting a blob from another repository".
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

from .._errors import ForbiddenError
from .._oci.model import Descriptor, parse_manifest
from .._registry.client import ManifestResponse, RegistryClient, scopes, transient
from .._registry.image_reader import read_image

JOBS = 4


def mount_image(registry: RegistryClient, origin: str, repository: str, manifest: ManifestResponse) -> int:
    """Mount the blobs of an image and put the images of an index; return how many blobs; raises AppuioError.

    The manifest itself is not put.
    """
    image = read_image(registry, origin, parse_manifest(manifest.content, manifest.media_type))
    with ThreadPoolExecutor(JOBS) as pool:
        list(pool.map(lambda blob: mount_blob(registry, origin, repository, blob), image.blobs))
    for child in image.manifests[:-1]:
        registry.put_manifest(repository, child.digest, child.content, child.media_type)
    return len(image.blobs)


def mount_blob(registry: RegistryClient, origin: str, repository: str, blob: Descriptor) -> None:
    """Let a repository have a blob of another one; raises ForbiddenError where the registry does not do that."""
    step = f"mount {blob.digest}"
    path = f"/v2/{repository}/blobs/uploads/?{urlencode({'mount': blob.digest, 'from': origin})}"
    wanted = scopes(repository, "push") | scopes(origin, "pull")
    response = registry.http.request("POST", path, step=step, scopes=wanted, transient=transient)
    if response.status == 201 and registry.has_stored(response, repository, blob):
        return
    registry.expect(response, (201, 202), step, repository)
    location = response.headers.get("location")
    if response.status == 202 and location:
        registry.http.request("DELETE", str(location), step="give up the upload", scopes=wanted)
    raise ForbiddenError(
        f"the registry does not mount a layer of {origin} into {repository}",
        step=step,
        hint=f"Nothing is downloaded for this. The credential needs the right to pull in {origin.partition('/')[0]}",
    )
