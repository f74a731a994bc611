# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tags of a registry point to, and its manifests (OCI Distribution Specification 1.1, "Pulling manifests")."""

from __future__ import annotations

from typing import NamedTuple

from .._errors import SourceError
from .._oci.model import ACCEPT, digest_of, matches
from .answers import is_away, is_page, says_missing
from .registry_requests import RegistryRequests, scopes


class ManifestResponse(NamedTuple):
    """A manifest that a registry has: its digest, type, and its bytes where they were asked for."""

    digest: str
    media_type: str
    content: bytes = b""


class ManifestReader(RegistryRequests):
    """What an unchanged push asks of a registry; ``RegistryClient`` asks for everything else."""

    def head_manifest(self, repository: str, tag: str) -> ManifestResponse | None:
        """Return what a tag points to, or None; never asks by digest, which zones answer with an error."""
        step = f"ask for the tag {tag}"
        response = self._ask("HEAD", f"/v2/{repository}/manifests/{tag}", repository, step, "pull", {"Accept": ACCEPT})
        if says_missing(response):
            return None
        self._expect(response, (200,), step, repository, "pull")
        digest = response.headers.get("docker-content-digest")
        if not digest:
            return self.get_manifest(repository, tag)
        self._check_digest(response, step)
        return ManifestResponse(digest, response.headers.get_content_type())

    def holds_manifest(self, repository: str, digest: str) -> bool:
        """Whether a manifest can be read by its digest; an error means no, as zones answer so without ImageStream."""
        step = f"ask for the manifest {digest}"
        path = f"/v2/{repository}/manifests/{digest}"
        wanted = scopes(repository, "pull")
        response = self.http.request("HEAD", path, {"Accept": ACCEPT}, step=step, scopes=wanted, transient=is_away)
        if response.status in (404, 500):
            return False
        self._expect(response, (200,), step, repository, "pull")
        self._check_digest(response, step)
        return response.headers.get("docker-content-digest", digest) == digest

    def get_manifest(self, repository: str, reference: str) -> ManifestResponse | None:
        """Return a manifest with its bytes, or None; raises SourceError if they are not what they are said to be."""
        step = f"read the manifest {reference}"
        path = f"/v2/{repository}/manifests/{reference}"
        response = self._ask("GET", path, repository, step, "pull", {"Accept": ACCEPT})
        if says_missing(response):
            return None
        self._expect(response, (200,), step, repository, "pull")
        digest = reference if ":" in reference else response.headers.get("docker-content-digest")
        if digest is None:
            # Nothing vouches for the bytes, so that they have to be what a registry would send.
            document = response.json()
            if is_page(response) or not isinstance(document, dict) or "schemaVersion" not in document:
                raise self._no_registry(response, step)
        else:
            self._check_digest(response, step)
            if not matches(response.body, digest):
                raise SourceError(
                    f"{self.registry} sent other bytes for {repository} {reference} than {digest}",
                    zone=self.zone,
                    step=step,
                    hint="Try again; if it stays, what the registry stores, or what stands in front of it, is broken",
                )
        return ManifestResponse(digest or digest_of(response.body), response.headers.get_content_type(), response.body)
