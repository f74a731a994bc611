# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes an ImageStream what it is to be; pure.

Source: OpenShift API reference, ``ImageStream`` (``spec.lookupPolicy``, ``spec.tags``). A new entry of ``spec.tags``
makes the cluster import the image; what an entry said before stays where nothing else is wanted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from .._errors import InvalidOptionError
from .._managed_objects import objects
from .._openshift.documents import mapping, mappings, text
from .._openshift.image_streams import parse_stream
from .._reference import Reference
from .options import StreamOptions

CREATE, REPLACE, DELETE, NONE = "create", "replace", "delete", "none"


@dataclass(frozen=True)
class StreamPlan:
    """One step for one zone's ImageStream, with its reason; ``before`` and ``after`` are what is shown of it."""

    action: str
    reason: str
    body: Mapping[str, Any] | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None

    @property
    def changes(self) -> bool:
        """Whether anything changes."""
        return self.action != NONE


def plan_stream(options: StreamOptions, namespace: str, live: Mapping[str, Any] | None) -> StreamPlan:
    """Return the step from what is there (None: nothing); raises InvalidOptionError for what would hide a push."""
    before = shown(live) if live is not None else None
    if not options.present:
        if live is None:
            return StreamPlan(NONE, "it does not exist")
        tags = len(parse_stream(live).tags)
        return StreamPlan(DELETE, f"it is removed with its {tags} tags" if tags else "it is removed", None, before)
    wanted = _with_options(live if live is not None else objects.image_stream(namespace, options.name), options)
    after = shown(wanted)
    if live is None:
        return StreamPlan(CREATE, "it does not exist yet", wanted, None, after)
    if wanted == live:
        return StreamPlan(NONE, "it is as it is to be", None, before, before)
    differing = sorted(key for key in {*(before or {}), *after} if (before or {}).get(key) != after.get(key))
    return StreamPlan(REPLACE, f"it differs in {', '.join(differing)}", wanted, before, after)


def shown(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of an ImageStream this module sets."""
    metadata, spec = mapping(document.get("metadata")), mapping(document.get("spec"))
    imports = {}
    for entry in mappings(spec.get("tags")):
        origin = mapping(entry.get("from"))
        imports[text(entry.get("name"))] = {
            "from": f"{text(origin.get('kind'))} {text(origin.get('name'))}",
            "scheduled": bool(mapping(entry.get("importPolicy")).get("scheduled")),
            "reference_policy": text(mapping(entry.get("referencePolicy")).get("type")) or "Source",
        }
    return {
        "labels": dict(mapping(metadata.get("labels"))),
        "annotations": dict(mapping(metadata.get("annotations"))),
        "local_lookup": bool(mapping(spec.get("lookupPolicy")).get("local")),
        "imports": imports,
    }


def _with_options(document: Mapping[str, Any], options: StreamOptions) -> dict[str, Any]:
    """Return the document as it is to be; equal to the given one where nothing is to change."""
    metadata, spec = dict(mapping(document.get("metadata"))), dict(mapping(document.get("spec")))
    for member, changes in (("labels", options.labels), ("annotations", options.annotations)):
        merged = {**mapping(metadata.get(member)), **changes}
        kept = {name: value for name, value in merged.items() if value is not None}
        if kept != mapping(metadata.get(member)):
            metadata[member] = kept
    lookup = mapping(spec.get("lookupPolicy"))
    if options.local_lookup is not None and options.local_lookup != bool(lookup.get("local")):
        spec["lookupPolicy"] = {**lookup, "local": options.local_lookup}
    tags = _imported(document, options)
    if tags is not None:
        spec["tags"] = tags
    return {**document, "metadata": metadata, "spec": spec}


def _imported(document: Mapping[str, Any], options: StreamOptions) -> list[Mapping[str, Any]] | None:
    """Return ``spec.tags`` with the images to import, None where nothing changes."""
    entries = {text(entry.get("name")): entry for entry in mappings(mapping(document.get("spec")).get("tags"))}
    stream = parse_stream(document)
    changed = False
    for tag, reference in options.imports.items():
        entry = entries.get(tag)
        if entry is None and tag in stream.tags:
            raise InvalidOptionError(
                f"the tag {options.name}:{tag} was pushed, and an import would move it to {reference}",
                hint="Remove the tag first, or import under another one",
            )
        wanted = _entry(entry or {}, tag, reference, options)
        if wanted != entry:
            changed = True
            # Without a generation the cluster takes the entry for a new one, and imports.
            entries[tag] = {name: value for name, value in wanted.items() if name != "generation"}
    return list(entries.values()) if changed else None


def _entry(entry: Mapping[str, Any], tag: str, reference: Reference, options: StreamOptions) -> dict[str, Any]:
    wanted = dict(entry)
    wanted["name"] = tag
    origin = mapping(entry.get("from"))
    if (origin.get("kind"), origin.get("name")) != ("DockerImage", str(reference)):
        wanted["from"] = {"kind": "DockerImage", "name": str(reference)}
    if bool(mapping(entry.get("importPolicy")).get("scheduled")) != options.scheduled:
        wanted["importPolicy"] = {**mapping(entry.get("importPolicy")), "scheduled": options.scheduled}
    if (mapping(entry.get("referencePolicy")).get("type") or "Source") != options.reference_policy:
        wanted["referencePolicy"] = {**mapping(entry.get("referencePolicy")), "type": options.reference_policy}
    return wanted
