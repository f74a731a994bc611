# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images for tests and the demonstration, made without an engine and without a network.

``make_layout(directory)`` writes an OCI image layout and returns the digest of what its ``index.json``
names; the same arguments give the same digests. ``make_image`` is the same and returns all parts.
What comes out can be changed piece by piece: ``write_blob``, ``image_manifest``, ``image_index`` and
``put_entry`` are the pieces it is made of.
"""

from __future__ import annotations

from .layers import file_layer, random_layer
from .layout import Image, blob_path, image_index, image_manifest, make_image, make_layout, put_entry, write_blob

__all__ = [
    "Image",
    "blob_path",
    "file_layer",
    "image_index",
    "image_manifest",
    "make_image",
    "make_layout",
    "put_entry",
    "random_layer",
    "write_blob",
]
