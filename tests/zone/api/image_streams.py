# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ImageStreams: what makes an image visible in a repository, with the history of each tag."""

from __future__ import annotations

import re
from typing import Any

from .image_objects import INTERNAL_REGISTRY, Images
from .kinds import IMAGE
from .store import Object, Store, timestamp

STREAM_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")


class ImageStreams:
    """The ImageStreams of a zone, on the objects in the store."""

    def __init__(self, store: Store, images: Images) -> None:
        self._store = store
        self.images = images
        self.public_registry = ""

    def get(self, namespace: str, name: str) -> Object | None:
        """Return an ImageStream, or None."""
        return self._store.get(IMAGE, "imagestreams", namespace, name)

    def new(self, namespace: str, name: str) -> Object:
        """Return what a push makes of an ImageStream that does not exist."""
        return self.prepared(
            namespace,
            {
                "apiVersion": f"{IMAGE}/v1",
                "kind": "ImageStream",
                "metadata": {"name": name, "namespace": namespace},
                "spec": {"lookupPolicy": {"local": False}},
            },
        )

    def prepared(self, namespace: str, stream: Object) -> Object:
        """Fill in what the server fills in."""
        name = stream["metadata"]["name"]
        stream["metadata"].setdefault("generation", 1)
        stream.setdefault("spec", {}).setdefault("lookupPolicy", {"local": False})
        status = stream.setdefault("status", {})
        status["dockerImageRepository"] = f"{INTERNAL_REGISTRY}/{namespace}/{name}"
        status["publicDockerImageRepository"] = f"{self.public_registry}/{namespace}/{name}"
        return stream

    def tags(self, namespace: str, name: str) -> dict[str, str]:
        """Return tag → digest of what each tag points to now, as the registry knows them: references have no digest."""
        stream = self.get(namespace, name)
        named = (stream or {}).get("status", {}).get("tags") or []
        return {tag["tag"]: tag["items"][0]["image"] for tag in named if tag.get("items") and tag["items"][0]["image"]}

    def named(self, namespace: str, name: str) -> set[str]:
        """Return the names of all tags of a stream, whatever they name."""
        stream = self.get(namespace, name)
        return tag_names(stream) if stream else set()

    def put_tag(self, namespace: str, name: str, tag: str, digest: str) -> None:
        """Let a tag name an image, as a push does, and what follows it; the same image again changes nothing."""
        with self._store.lock:
            stream = self.get(namespace, name)
            if stream is None:
                stream = self._store.create(IMAGE, "imagestreams", namespace, self.new(namespace, name))
            if self._event(stream, tag, digest):
                for follower in _followers(stream, tag):
                    self._event(stream, follower, digest)
                self._store.update(IMAGE, "imagestreams", namespace, stream)

    def set_spec_tag(self, namespace: str, name: str, reference: dict[str, Any]) -> None:
        """Keep a reference under spec.tags, as ``oc tag`` does, and follow it; the stream exists."""
        with self._store.lock:
            stream = self.get(namespace, name)
            if stream is None:
                raise KeyError(name)
            others = [entry for entry in stream["spec"].get("tags") or [] if entry["name"] != reference["name"]]
            before = {entry["name"]: entry for entry in stream["spec"].get("tags") or []}.get(reference["name"])
            stream["spec"]["tags"] = sorted([*others, reference], key=lambda entry: str(entry["name"]))
            self.follow(namespace, stream, {} if before is None else {reference["name"]: before}, {reference["name"]})
            self._store.update(IMAGE, "imagestreams", namespace, stream)

    def follow(
        self, namespace: str, stream: Object, before: dict[str, dict[str, Any]], only: set[str] | None = None
    ) -> None:
        """Give changed spec tags a new generation and let status follow them; removed ones lose their history."""
        wanted = {entry["name"]: entry for entry in stream["spec"].get("tags") or []}
        changed = [name for name, entry in wanted.items() if _source(entry) != _source(before.get(name))]
        removed = [name for name in before if name not in wanted] if only is None else []
        if not changed and not removed:
            return
        stream["metadata"]["generation"] = stream["metadata"].get("generation", 0) + 1
        for name in removed:
            _drop_status(stream, name)
        for name in changed if only is None else only:
            entry = wanted[name]
            entry.setdefault("importPolicy", {}).setdefault("importMode", "Legacy")
            entry.setdefault("referencePolicy", {}).setdefault("type", "Source")
            entry["generation"] = stream["metadata"]["generation"]
            source = entry.get("from") or {}
            if source.get("kind") == "DockerImage" and entry.get("reference") and source.get("name"):
                self._event(stream, name, "", str(source["name"]))
            elif digest := self.resolve(namespace, stream, source):
                self._event(stream, name, digest)

    def resolve(self, namespace: str, stream: Object, source: dict[str, Any]) -> str | None:
        """Return the digest that a spec tag's ``from`` means, or None when it is not there."""
        text = str(source.get("name", ""))
        where = source.get("namespace") or namespace
        if source.get("kind") == "ImageStreamImage":
            name, _ignored, digest = text.partition("@")
            return digest if self.holds(where, name, digest) else None
        if source.get("kind") == "ImageStreamTag":
            name, colon, tag = text.partition(":")
            if not colon:
                name, tag = stream["metadata"]["name"], name
            return self.tags(where, name).get(tag)
        return None

    def delete_tag(self, namespace: str, name: str, tag: str) -> bool:
        """Remove a tag with its history; tells whether there was one."""
        with self._store.lock:
            stream = self.get(namespace, name)
            if stream is None:
                return False
            kept = [entry for entry in stream["spec"].get("tags") or [] if entry["name"] != tag]
            there = len(kept) != len(stream["spec"].get("tags") or [])
            if kept:
                stream["spec"]["tags"] = kept
            else:
                stream["spec"].pop("tags", None)
            there = _drop_status(stream, tag) or there
            if there:
                stream["metadata"]["generation"] = stream["metadata"].get("generation", 0) + 1
                self._store.update(IMAGE, "imagestreams", namespace, stream)
            return there

    def history(self, namespace: str, name: str) -> list[str]:
        """Return the digests of all tag events of a stream."""
        stream = self.get(namespace, name)
        named = (stream or {}).get("status", {}).get("tags") or []
        return [item["image"] for tag in named for item in tag.get("items") or [] if item["image"]]

    def holds(self, namespace: str, name: str, digest: str) -> bool:
        """Tell whether a digest is visible in a repository: by a tag's history, or as the child of one there."""
        held = self.history(namespace, name)
        return digest in held or any(digest in self.images.children(parent) for parent in held)

    def spoiled(self, namespace: str, name: str) -> bool:
        """Tell whether the stream holds an image whose configuration cannot be read: then look-ups fail."""
        return any(not self.images.decodes(digest) for digest in self.history(namespace, name))

    def _event(self, stream: Object, tag: str, digest: str, reference: str = "") -> bool:
        """Add a tag event unless it says what the last one says; one of a reference alone has no image."""
        tags = stream.setdefault("status", {}).setdefault("tags", [])
        found = next((entry for entry in tags if entry["tag"] == tag), None)
        if found is None:
            found = {"tag": tag, "items": []}
            tags.append(found)
            tags.sort(key=lambda entry: str(entry["tag"]))
        metadata = stream["metadata"]
        reference = reference or f"{INTERNAL_REGISTRY}/{metadata['namespace']}/{metadata['name']}@{digest}"
        last = found["items"][0] if found["items"] else None
        if last and last["image"] == digest and (digest or last["dockerImageReference"] == reference):
            return False
        event = {
            "created": timestamp(),
            "dockerImageReference": reference,
            "generation": metadata.get("generation", 1),
            "image": digest,
        }
        found["items"].insert(0, event)
        return True


def tag_names(stream: Object) -> set[str]:
    """Return the names of the tags in spec and status of a stream."""
    in_spec = {str(entry["name"]) for entry in (stream.get("spec") or {}).get("tags") or []}
    return in_spec | {str(entry["tag"]) for entry in (stream.get("status") or {}).get("tags") or []}


def _followers(stream: Object, tag: str) -> list[str]:
    """Return the tags of a stream whose spec follows another of its tags; those of other streams stay behind."""
    metadata, found = stream["metadata"], []
    for entry in (stream.get("spec") or {}).get("tags") or []:
        source = entry.get("from") or {}
        name, colon, followed = str(source.get("name", "")).partition(":")
        if not colon:
            name, followed = metadata["name"], name
        same = (source.get("namespace") or metadata["namespace"], name) == (metadata["namespace"], metadata["name"])
        if source.get("kind") == "ImageStreamTag" and same and followed == tag and entry["name"] != tag:
            found.append(str(entry["name"]))
    return found


def _drop_status(stream: Object, tag: str) -> bool:
    status = stream.get("status") or {}
    kept = [entry for entry in status.get("tags") or [] if entry["tag"] != tag]
    there = len(kept) != len(status.get("tags") or [])
    if kept:
        status["tags"] = kept
    else:
        status.pop("tags", None)
    return there


def _source(entry: dict[str, Any] | None) -> Any:
    return None if entry is None else (entry.get("from"), entry.get("reference"))
