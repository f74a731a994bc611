# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The views of images that are not objects of their own: ImageStreamTags, ImageTags, ImageStreamImages, layers."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from . import errors
from .call import APPLY_PATCH, JSON_PATCH, MERGE_PATCH, Call
from .image_streams import ImageStreams, tag_names
from .kinds import IMAGE
from .manifest import ManifestInvalid, read_manifest
from .patch import json_patch, merge_patch
from .quota import Quota
from .resources import Answer, Resources
from .store import Object, Store, is_terminating
from .validation import check_identity

_FROM_KINDS = ("ImageStreamTag", "ImageStreamImage", "DockerImage")


class ImageViews:
    """Answers for the virtual resources of image.openshift.io."""

    def __init__(self, store: Store, streams: ImageStreams, resources: Resources, quota: Quota) -> None:
        self._store, self._streams, self._resources, self._quota = store, streams, resources, quota

    def answer(self, call: Call) -> Answer:
        """Do what a call asks; raises ApiError."""
        with self._store.lock:
            if call.resource.plural == "imagestreams":
                return 200, self._layers(call)
            if call.resource.plural == "imagestreamimages":
                return 200, self._image(call)
            if call.resource.plural == "imagestreammappings":
                return self._mapping(call)
            return self._tags(call)

    def _tags(self, call: Call) -> Answer:
        if call.verb == "list":
            items = self._store.items(IMAGE, "imagestreams", call.namespace)
            return 200, self._resources.listed(call, [tag for stream in items for tag in self._all_tags(call, stream)])
        if call.verb == "create":
            check_identity(call.resource, call.body, call.namespace, "")
            call.name = str(call.body["metadata"].get("name", ""))
        name, colon, tag = call.name.partition(":")
        if not colon or not name or not tag:
            if call.verb == "create":
                text = f'Invalid value: "{call.name}": must be in the form <name>:<tag>'
                causes = [("metadata.name", "FieldValueInvalid", text)]
                raise errors.invalid(call.resource.kind, IMAGE, call.name, causes)
            raise errors.bad_request("imagestream tags must be specified with <imagestream-name>:<tag>")
        stream = self._streams.get(call.namespace, name)
        shown = self._tag(call, stream, tag) if stream else None
        if call.verb == "delete":
            if stream is None:
                raise errors.not_found("imagestreams", IMAGE, name)
            if tag not in tag_names(stream):
                raise errors.not_found(call.resource.plural, IMAGE, call.name)
            if not call.dry_run:
                self._streams.delete_tag(call.namespace, name, tag)
            return 200, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
                         "details": {"name": call.name, "group": IMAGE, "kind": call.resource.plural}}  # fmt: skip
        if call.verb == "get":
            if shown is None:
                raise errors.not_found(call.resource.plural, IMAGE, call.name)
            return 200, shown
        return self._write(call, stream, shown, name, tag)

    def _write(self, call: Call, stream: Object | None, shown: Object | None, name: str, tag: str) -> Answer:
        if call.verb == "create" and stream is not None and tag in _spec_tags(stream):
            raise errors.already_exists(call.resource.plural, IMAGE, call.name)
        if call.verb == "patch":
            if shown is None and call.content_type != APPLY_PATCH:
                raise errors.not_found(call.resource.plural, IMAGE, call.name)
            if call.content_type == JSON_PATCH:
                call.body = json_patch(shown, call.body)
            elif call.content_type == MERGE_PATCH or call.content_type != APPLY_PATCH:
                call.body = merge_patch(shown, call.body)
        check_identity(call.resource, call.body, call.namespace, call.name)
        version = call.body["metadata"].get("resourceVersion")
        if version and stream is not None and version != stream["metadata"]["resourceVersion"]:
            raise errors.conflict(call.resource.plural, IMAGE, call.name)
        member = "tag" if call.resource.plural == "imagestreamtags" else "spec"
        reference = call.body.get(member)
        if not isinstance(reference, dict) or not isinstance(reference.get("from"), dict):
            causes = [(f"{member}.from", "FieldValueRequired", "Required value")]
            raise errors.invalid(call.resource.kind, IMAGE, call.name, causes)
        source = reference["from"]
        if source.get("kind") not in _FROM_KINDS or not source.get("name"):
            text = f'Invalid value: "{source.get("kind")}": valid values are {", ".join(_FROM_KINDS)}'
            raise errors.invalid(
                call.resource.kind, IMAGE, call.name, [(f"{member}.from.kind", "FieldValueInvalid", text)]
            )
        kept = ("annotations", "from", "reference", "importPolicy", "referencePolicy")
        entry = {"name": tag, "annotations": None} | {key: reference[key] for key in kept if key in reference}
        namespace = self._store.get("", "namespaces", "", call.namespace)
        if namespace is None:
            raise errors.not_found("namespaces", "", call.namespace)
        if shown is None and is_terminating(namespace):
            raise errors.terminating(call.resource.plural, IMAGE, call.name, call.namespace)
        if stream is None and (why := self._quota.exceeded(call.namespace, IMAGE, "imagestreams")):
            raise errors.forbidden("imagestreams", IMAGE, name, why)
        new = stream is None or tag not in tag_names(stream)
        if new and (why := self._quota.exceeded(call.namespace, IMAGE, "imagestreamtags")):
            raise errors.forbidden(call.resource.plural, IMAGE, call.name, why)
        if call.dry_run:
            return (201 if shown is None else 200), call.body
        if stream is None:
            self._store.create(IMAGE, "imagestreams", call.namespace, self._streams.new(call.namespace, name))
        self._streams.set_spec_tag(call.namespace, name, entry)
        now = self._streams.get(call.namespace, name)
        return (201 if shown is None else 200), (self._tag(call, now, tag) if now else None) or call.body

    def _all_tags(self, call: Call, stream: Object) -> list[Object]:
        names = {entry["tag"] for entry in (stream.get("status") or {}).get("tags") or []}
        if call.resource.plural == "imagetags":
            names |= set(_spec_tags(stream))
        return [shown for tag in sorted(names) if (shown := self._tag(call, stream, tag))]

    def _tag(self, call: Call, stream: Object, tag: str) -> Object | None:
        status = {entry["tag"]: entry for entry in (stream.get("status") or {}).get("tags") or []}.get(tag)
        spec = _spec_tags(stream).get(tag)
        if status is None and spec is None:
            return None
        # An ImageStreamTag is there only when its last event has an image: not for a reference alone.
        has_image = bool(status and status.get("items") and status["items"][0]["image"])
        if call.resource.plural == "imagestreamtags" and not has_image:
            return None
        metadata = {
            key: stream["metadata"][key]
            for key in ("namespace", "uid", "resourceVersion", "creationTimestamp")
            if key in stream["metadata"]
        } | {"name": f"{stream['metadata']['name']}:{tag}"}
        shown: Object = {"apiVersion": call.resource.api_version, "kind": call.resource.kind, "metadata": metadata}
        image: Object | None = None
        if status and status.get("items"):
            first = status["items"][0]
            metadata["creationTimestamp"] = first["created"]
            image = self._store.get(IMAGE, "images", "", first["image"])
            if image is not None:
                image = {key: value for key, value in image.items() if key not in ("kind", "apiVersion")}
                image["dockerImageReference"] = first["dockerImageReference"]
        if call.resource.plural == "imagetags":
            return shown | {"spec": spec, "status": status, "image": image}
        generation = status["items"][0]["generation"] if status and status.get("items") else 0
        lookup = stream["spec"].get("lookupPolicy") or {"local": False}
        return shown | {"tag": spec, "generation": generation, "lookupPolicy": lookup, "image": image}

    def _image(self, call: Call) -> Object:
        name, at, digest = call.name.partition("@")
        if not at or not digest:
            raise errors.bad_request("ImageStreamImages must be retrieved with <name>@<id>")
        stream = self._streams.get(call.namespace, name)
        if stream is None:
            raise errors.not_found("imagestreams", IMAGE, name)
        found = sorted({held for held in self._streams.history(call.namespace, name) if _same(held, digest)})
        if len(found) != 1 or (image := self._store.get(IMAGE, "images", "", found[0])) is None:
            raise errors.not_found(call.resource.plural, IMAGE, call.name)
        metadata = {**stream["metadata"], "name": f"{name}@{found[0]}"}
        metadata.pop("managedFields", None)
        return {"apiVersion": f"{IMAGE}/v1", "kind": "ImageStreamImage", "metadata": metadata, "image": image}

    def _layers(self, call: Call) -> Object:
        stream = self._streams.get(call.namespace, call.name)
        if stream is None:
            raise errors.not_found("imagestreams", IMAGE, call.name)
        images: dict[str, Any] = {}
        blobs: dict[str, Any] = {}
        held = set(self._streams.history(call.namespace, call.name))
        for digest in sorted(held | {child for parent in held for child in self._streams.images.children(parent)}):
            manifest = self._streams.images.manifest(digest)
            if manifest is None:
                images[digest] = {"imageMissing": True}
                continue
            if not self._streams.images.decodes(digest):
                field = f"images[{digest}].config"
                causes = [(field, "FieldValueInvalid", 'Invalid value: "": config cannot be an empty string')]
                raise errors.invalid("", IMAGE, "", causes)
            parts = [*([manifest.config] if manifest.config else []), *manifest.layers]
            blobs |= {part["digest"]: {"size": part.get("size"), "mediaType": part.get("mediaType")} for part in parts}
            blobs.setdefault(digest, {"size": None, "mediaType": manifest.media_type})
            images[digest] = {"layers": [layer["digest"] for layer in manifest.layers]} if manifest.layers else {}
            if manifest.config:
                images[digest]["config"] = manifest.config["digest"]
            if manifest.children:
                images[digest]["manifests"] = [child["digest"] for child in manifest.children]
        metadata = {**stream["metadata"]}
        metadata.pop("managedFields", None)
        return {"apiVersion": f"{IMAGE}/v1", "kind": "ImageStreamLayers", "metadata": metadata, "blobs": blobs,
                "images": images}  # fmt: skip

    def _mapping(self, call: Call) -> Answer:
        """Give a tag an image that is there already, or one whose manifest comes along."""
        check_identity(call.resource, call.body, call.namespace, "")
        name, tag, image = call.body["metadata"].get("name", ""), call.body.get("tag"), call.body.get("image") or {}
        digest = (image.get("metadata") or {}).get("name")
        if not tag or not digest:
            field = "tag" if not tag else "image.metadata.name"
            raise errors.invalid(call.resource.kind, IMAGE, name, [(field, "FieldValueRequired", "Required value")])
        if self._streams.get(call.namespace, name) is None:
            raise errors.not_found("imagestreams", IMAGE, name)
        if self._streams.images.manifest(digest) is None:
            content = str(image.get("dockerImageManifest", "")).encode()
            if "sha256:" + hashlib.sha256(content).hexdigest() != digest:
                raise errors.invalid(call.resource.kind, IMAGE, name, [("image", "FieldValueInvalid", "no such image")])
            media_type = image.get("dockerImageManifestMediaType") or json.loads(content).get("mediaType", "")
            try:
                manifest = read_manifest(content, media_type, digest)
            except ManifestInvalid as error:
                raise errors.bad_request(str(error)) from None
            if not call.dry_run:
                self._streams.images.add(manifest, f"{call.namespace}/{name}", None)
        if not call.dry_run:
            self._streams.put_tag(call.namespace, name, tag, digest)
        return 201, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}


def _spec_tags(stream: Object) -> dict[str, Object]:
    return {entry["name"]: entry for entry in (stream.get("spec") or {}).get("tags") or []}


def _same(held: str, wanted: str) -> bool:
    return held == wanted or held.partition(":")[2].startswith(wanted.partition(":")[2] or wanted)
