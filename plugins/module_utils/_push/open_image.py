# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the options ``source`` or ``sources`` to the image that is pushed; nobody is asked yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping, Sequence, cast

from .._errors import InvalidOptionError
from .._source.base import AnySource, ArchiveSource, Source, is_archive
from .._source.location import SourceContext, parse_location
from .._targets import RunContext
from .._user_cache import Cache
from .image import Image, ManifestImage
from .options import PushOptions, parse_options

if TYPE_CHECKING:
    from .._oci.model import Platform
    from .._source.source_registries import SourceClients
    from .archive_image import ArchiveImage


def open_image(
    options: Mapping[str, Any],
    context: RunContext,
    cache: Cache,
    clients: SourceClients | None = None,
    source: AnySource | None = None,
) -> tuple[str, PushOptions, Image]:
    """Return the source as it was written, the options of the push, and the image; raises InvalidOptionError.

    With ``clients``, several images share connections to the registries that they are read from. A ``source`` that is
    open already is taken as it is.
    """
    opened = source_context(options, context, clients)
    if options.get("sources") is not None:
        return _open_joined(options, opened, cache)
    written = str(options["source"])
    source = source or parse_location(written).open(opened)
    parsed = parse_options(options, source.name, source.tag)
    if is_archive(source):
        return written, parsed, _archive(source, parsed, options, cache, opened.directory)
    return written, parsed, ManifestImage(cast(Source, source), parsed)


def source_context(
    options: Mapping[str, Any], context: RunContext, clients: SourceClients | None = None
) -> SourceContext:
    """Return what a source is opened with."""
    directory = context.temporary_directory
    return SourceContext(options, context.environment, context.register_secret, directory, clients)


def _open_joined(options: Mapping[str, Any], context: SourceContext, cache: Cache) -> tuple[str, PushOptions, Image]:
    # The option is rare, and a module is compiled anew in each task.
    from .._source.joined import JoinedSource, parse_entries, shared_name, shared_tag

    entries = parse_entries(options)
    sources: Sequence[AnySource] = [entry.location.open(context) for entry in entries]
    parsed = parse_options(options, shared_name(sources, options.get("name")), shared_tag(sources, options.get("tags")))
    known: list[tuple[Source, Platform | None]] = []
    unknown: list[tuple[ArchiveImage, Platform | None]] = []
    for source, entry in zip(sources, entries):
        if is_archive(source):
            if parsed.expected_digest:
                raise InvalidOptionError(
                    f"expected_digest cannot be compared: {source.description} has no manifest, so that the digest of "
                    "the index is known only once its layers are compressed",
                    hint="Give sources that have manifests, such as oci-archive:",
                )
            unknown.append((_archive(source, parsed, options, cache, context.directory), entry.platform))
        else:
            known.append((cast(Source, source), entry.platform))
    joined = JoinedSource(known, cache) if known else None
    written = ", ".join(entry.written for entry in entries)
    if joined is not None and not unknown:
        return written, parsed, ManifestImage(joined, parsed)
    from .joined_image import JoinedImage

    return written, parsed, JoinedImage(joined, unknown, parsed)


def _archive(
    source: ArchiveSource, parsed: PushOptions, options: Mapping[str, Any], cache: Cache, directory: str
) -> ArchiveImage:
    from .._compression.compressors import GZIP, choose_compressor
    from .archive_image import ArchiveImage

    compressor = choose_compressor(options.get("compression") or GZIP, options.get("compression_level"))
    return ArchiveImage(source, parsed, compressor, cache, directory)
