# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removing a tag through the API, the only way there is: the registry refuses it to everyone but pruners.

Source: OpenShift API reference, ImageStreamTag (image.openshift.io/v1). One request without a library, as
a push, which needs it to put back what it did, has to run where nothing is installed.
"""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from .._errors import NotFound
from .json_api import Http, JsonApi


def remove_tag(http: Http, host: str, token: str, namespace: str, name: str, tag: str) -> bool:
    """Remove a tag with its history; return whether it was there; raises Problem."""
    path = f"/apis/image.openshift.io/v1/namespaces/{quote(namespace)}/imagestreamtags/{quote(f'{name}:{tag}')}"
    try:
        JsonApi(http, token, urlsplit(host).path.rstrip("/")).delete(path, f"remove the tag {tag}")
    except NotFound:
        return False
    return True
