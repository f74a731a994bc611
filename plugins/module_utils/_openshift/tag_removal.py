# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removing a tag for one who has no API at hand, only where it is and a token of it.

One request without a library, as a push, which needs it to put back what it did, has to run where nothing
is installed.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from .image_streams import delete_tag
from .json_api import Http, JsonApi


def remove_tag(http: Http, host: str, token: str, namespace: str, name: str, tag: str) -> bool:
    """Remove a tag with its history; return whether it was there; raises Problem."""
    return delete_tag(JsonApi(http, token, urlsplit(host).path.rstrip("/")), namespace, name, tag)
