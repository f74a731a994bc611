# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests, tags and the catalog: what OpenShift's registry keeps in Images and ImageStreams."""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from ..api.authentication import User
from ..api.image_streams import STREAM_NAME, ImageStreams
from ..api.kinds import IMAGE
from ..api.manifest import (
    DOCKER_LIST,
    INDEXES,
    LARGEST,
    OCI_INDEX,
    OCI_MANIFEST,
    SCHEMA1,
    SCHEMA2,
    Manifest,
    ManifestInvalid,
    read_manifest,
)  # fmt: skip
from ..api.quota import Quota
from ..api.rbac import Rbac
from ..api.store import Store, is_terminating
from ..http.exchange import Exchange
from ..settings import Settings
from .blobs import Blobs
from .errors import HEADERS, RegistryError, denied, entry, registry_error, registry_errors, unknown
from .upstream import Upstream


class Manifests:
    """Answers for manifests and tags."""

    def __init__(
        self, store: Store, streams: ImageStreams, blobs: Blobs, quota: Quota, rbac: Rbac, settings: Settings
    ) -> None:
        self._store, self._streams, self._blobs, self._quota, self._rbac = store, streams, blobs, quota, rbac
        self._settings = settings
        self.sleep: Callable[[float], None] = time.sleep

    def handle(self, exchange: Exchange, upstream: Upstream, name: str, reference: str, user: User) -> None:
        """Answer a request for one manifest."""
        if exchange.method == "PUT":
            self._put(exchange, upstream, name, reference, user)
        elif exchange.method == "DELETE":
            self._delete(exchange, name, reference)
        else:
            self._get(exchange, name, reference)

    def tags(self, exchange: Exchange, name: str) -> None:
        """Answer tags/list: complete, in no order."""
        namespace, _ignored, stream = name.partition("/")
        if self._streams.get(namespace, stream) is None:
            raise registry_error(404, "NAME_UNKNOWN", "repository name not known to registry", {"name": name})
        tags = list(self._streams.tags(namespace, stream))
        random.shuffle(tags)
        self._page(exchange, "tags", tags, {"name": name})

    def catalog(self, exchange: Exchange) -> None:
        """Answer the catalog: every repository with an ImageStream."""
        streams = self._store.items(IMAGE, "imagestreams")
        names = [f"{stream['metadata']['namespace']}/{stream['metadata']['name']}" for stream in streams]
        self._page(exchange, "repositories", names, {})

    def _page(self, exchange: Exchange, key: str, values: list[str], rest: dict[str, str]) -> None:
        last, count = exchange.query.get("last"), exchange.query.get("n", "")
        if last in values:
            values = values[values.index(last) + 1 :]
        headers = [*HEADERS]
        if count.isdigit() and 0 < int(count) < len(values):
            values = values[: int(count)]
            query = urlencode({"last": values[-1], "n": count})
            headers.append(("Link", f'<{exchange.path}?{query}>; rel="next"'))
        exchange.reply_json(200, rest | {key: values}, headers)

    def _get(self, exchange: Exchange, name: str, reference: str) -> None:
        namespace, _ignored, stream = name.partition("/")
        by_tag = ":" not in reference
        if by_tag:
            if self._streams.get(namespace, stream) is None:
                raise registry_error(404, "NAME_UNKNOWN", "repository name not known to registry")
            digest = self._streams.tags(namespace, stream).get(reference, "")
            gone = registry_error(404, "MANIFEST_UNKNOWN", "manifest unknown", {"Tag": reference})
        else:
            digest = reference if self._visible(namespace, stream, reference) else ""
            detail = {"Name": name, "Revision": reference}
            gone = registry_error(404, "MANIFEST_UNKNOWN", "manifest unknown", detail)
        manifest = self._streams.images.manifest(digest)
        if manifest is None:
            raise gone
        media_type, content, digest = self._as_accepted(exchange, manifest, by_tag=by_tag)
        if exchange.headers.get("If-None-Match").strip('"') == digest:
            exchange.reply(304, b"", [*HEADERS])
            return
        headers = [("Content-Type", media_type), ("Docker-Content-Digest", digest), ("Etag", f'"{digest}"')]
        exchange.reply(200, content, [*HEADERS, *headers])

    def _visible(self, namespace: str, stream: str, digest: str) -> bool:
        """Tell whether a digest can be had here; raises the 500 where OpenShift's registry stumbles."""
        if self._streams.get(namespace, stream) is None:
            raise unknown()
        if digest in self._streams.history(namespace, stream):
            return True
        if self._streams.spoiled(namespace, stream):
            raise unknown()
        return self._streams.holds(namespace, stream, digest)

    def _as_accepted(self, exchange: Exchange, manifest: Manifest, *, by_tag: bool) -> tuple[str, bytes, str]:
        accepted = {part.partition(";")[0].strip() for part in exchange.headers.get("Accept").split(",")}
        if manifest.media_type in (OCI_MANIFEST, OCI_INDEX) and manifest.media_type not in accepted:
            what = "OCI manifest found, but accept header does not support OCI manifests"
            if manifest.media_type == OCI_INDEX:
                what = "OCI index found, but accept header does not support OCI indexes"
            raise registry_error(404, "MANIFEST_UNKNOWN", what)
        if by_tag and manifest.media_type == DOCKER_LIST and DOCKER_LIST not in accepted:
            for child in manifest.children:
                platform = child.get("platform") or {}
                if (platform.get("os"), platform.get("architecture")) == ("linux", "amd64"):
                    manifest = self._streams.images.manifest(child["digest"]) or manifest
        if by_tag and manifest.media_type == SCHEMA2 and SCHEMA2 not in accepted:
            old = json.dumps({"schemaVersion": 1, "name": "converted", "tag": "", "history": manifest.digest}, indent=3)
            return SCHEMA1, old.encode(), "sha256:" + hashlib.sha256(old.encode()).hexdigest()
        return manifest.media_type, manifest.content, manifest.digest

    def _put(self, exchange: Exchange, upstream: Upstream, name: str, reference: str, user: User) -> None:
        try:
            content = exchange.read(LARGEST)
        except ValueError:
            raise _invalid("http: request body too large") from None
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        by_digest = ":" in reference
        try:
            manifest = read_manifest(content, exchange.headers.get("Content-Type"), digest)
        except ManifestInvalid as error:
            raise _invalid(error.detail) from None
        if by_digest and reference != digest:
            raise registry_error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        self._check_blobs(upstream, name, manifest)
        self._check_platforms(manifest, explained=by_digest)
        config = None
        if manifest.config is not None:
            config = self._blobs.content(upstream, name, manifest.config["digest"])
        namespace, _ignored, stream = name.partition("/")
        with self._store.lock:
            if not by_digest:
                self._may_tag(namespace, stream, reference, manifest, user)
            self._streams.images.add(manifest, name, config)
            if not by_digest:
                self._streams.put_tag(namespace, stream, reference, digest)
        location = f"https://{exchange.headers.get('Host')}/v2/{name}/manifests/{digest}"
        exchange.reply(201, b"", [*HEADERS, ("Docker-Content-Digest", digest), ("Location", location)])

    def _check_blobs(self, upstream: Upstream, name: str, manifest: Manifest) -> None:
        missing, wrong = [], []
        parts = [*([manifest.config] if manifest.config else []), *manifest.layers]
        for part in parts:
            if part is not manifest.config and part.get("urls"):
                continue
            size = self._blobs.size(upstream, name, part["digest"])
            if size is None:
                self.sleep(self._settings.missing_blob_delay)
                missing.append(entry("MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", part["digest"]))
            elif part is not manifest.config and size != part.get("size", size):
                detail = {"Digest": part["digest"], "ActualSize": size, "SizeInManifest": part["size"]}
                wrong.append(entry("UNKNOWN", "unknown error", detail))
        if missing:
            raise registry_errors(400, missing)
        if wrong:
            raise registry_errors(500, [entry("UNKNOWN", "unknown error"), *wrong])

    @staticmethod
    def _check_platforms(manifest: Manifest, *, explained: bool) -> None:
        """Refuse an index without platforms; only a PUT by digest gets told why."""
        if manifest.media_type not in INDEXES or not (lacking := manifest.without_platform()):
            return
        if not explained:
            raise unknown()
        fields = [f"dockerImageManifests[{number}].{field}" for number, field in lacking]
        text = ", ".join(f"{field}: Required value" for field in fields)
        causes = [{"reason": "FieldValueRequired", "message": "Required value", "field": field} for field in fields]
        text = f"[{text}]" if len(fields) > 1 else text
        status = {
            "metadata": {},
            "status": "Failure",
            "message": f'Image.image.openshift.io "{manifest.digest}" is invalid: {text}',
            "reason": "Invalid",
            "details": {"name": manifest.digest, "group": IMAGE, "kind": "Image", "causes": causes},
            "code": 422,
        }
        raise unknown({"ErrStatus": status})

    def _may_tag(self, namespace: str, name: str, tag: str, manifest: Manifest, user: User) -> None:
        """Raise the refusal of a tag that rights, quota or limits do not allow."""
        if not STREAM_NAME.fullmatch(name):
            raise unknown()
        found = self._store.get("", "namespaces", "", namespace)
        stream = self._streams.get(namespace, name)
        if found is None or (stream is None and is_terminating(found)):
            raise denied()
        if stream is None and (
            not self._rbac.allowed(user, "create", IMAGE, "imagestreams", namespace)
            or self._quota.exceeded(namespace, IMAGE, "imagestreams")
        ):
            raise denied()
        new = tag not in self._streams.named(namespace, name)
        if new and self._quota.exceeded(namespace, IMAGE, "imagestreamtags"):
            raise denied()
        tags = {*self._streams.tags(namespace, name), tag}
        held = {*self._streams.history(namespace, name), manifest.digest}
        if self._quota.image_too_large(namespace, manifest) or self._quota.stream_full(namespace, tags, held):
            raise denied()

    def _delete(self, exchange: Exchange, name: str, reference: str) -> None:
        """Do what a cluster-admin's DELETE does: nothing, and say 202 for a tag."""
        if ":" not in reference:
            exchange.reply(202, b"", [*HEADERS])
            return
        namespace, _ignored, stream = name.partition("/")
        if self._streams.holds(namespace, stream, reference):
            raise registry_error(405, "UNSUPPORTED", "The operation is unsupported.")
        raise RegistryError(
            500, b'{"errors":[{"code":"UNKNOWN","message":"unknown error"}]}\n', [("Content-Type", "application/json")]
        )


def _invalid(detail: Any) -> RegistryError:
    return registry_error(400, "MANIFEST_INVALID", "manifest invalid", detail)
