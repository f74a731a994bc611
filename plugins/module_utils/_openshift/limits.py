# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The LimitRange objects of a namespace that limit images.

Source: OpenShift documentation, "Restrict resource consumption with limit ranges": ``openshift.io/Image`` limits the
size of an image (``storage``), ``openshift.io/ImageStream`` the number of tags and images of a repository. The
registry answers only that access is denied.
"""

from __future__ import annotations

from typing import Any

from . import resources
from .client import Api
from .quota import amount

_COUNTED = {"openshift.io/image-tags": "tags", "openshift.io/images": "images"}


def exceeded_limits(api: Api, namespace: str, size: int) -> list[str]:
    """Return a sentence for each limit that an image of ``size`` bytes exceeds, or may exceed; raises AppuioError.

    How many tags and images a repository has is not asked.
    """
    sentences = []
    for document in api.items(resources.LIMIT_RANGE, namespace, step="read the limits"):
        name = str((document.get("metadata") or {}).get("name") or "")
        for limit in _list((document.get("spec") or {}).get("limits")):
            given = limit.get("max")
            most: dict[str, Any] = given if isinstance(given, dict) else {}
            if limit.get("type") == "openshift.io/Image":
                allowed = amount(most.get("storage"))
                if allowed is not None and size > allowed:
                    sentences.append(
                        f"the LimitRange {name} allows images of {most['storage']} ({allowed} bytes), "
                        f"and this one has {size} bytes"
                    )
            elif limit.get("type") == "openshift.io/ImageStream":
                sentences += [
                    f"the LimitRange {name} allows {most[key]} {what} in a repository"
                    for key, what in _COUNTED.items()
                    if amount(most.get(key)) is not None
                ]
    return sentences


def _list(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
