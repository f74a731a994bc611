# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the quota of a namespace leaves, and what its limits allow: ResourceQuota and LimitRange objects.

Source: Kubernetes documentation, "Resource Quotas" (``count/<resource>.<group>`` and the older names);
OpenShift documentation, "Resource quotas" (``openshift.io/imagestreams``). A cluster may list a resource
as limited without counting it: then only the limit is known.

LimitRange objects limit images, too: OpenShift documentation, "Restrict resource consumption with limit ranges":
``openshift.io/Image`` limits the size of an image (``storage``), ``openshift.io/ImageStream`` the number of tags and
images of a repository. The registry answers only that access is denied.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._errors import ForbiddenError, NotFoundError
from . import resources
from .client import Api
from .documents import mapping, mappings, text

COUNTED = {
    "secrets": "secrets",
    "count/secrets": "secrets",
    "count/serviceaccounts": "serviceaccounts",
    "count/rolebindings.rbac.authorization.k8s.io": "rolebindings",
    "openshift.io/imagestreams": "imagestreams",
    "count/imagestreams.image.openshift.io": "imagestreams",
    "openshift.io/imagestreamtags": "imagestreamtags",
    "count/imagestreamtags.image.openshift.io": "imagestreamtags",
}
_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
_STREAM_LIMITS = {"openshift.io/image-tags": "tags", "openshift.io/images": "images"}


@dataclass(frozen=True)
class Allowance:
    """One limit: of which ResourceQuota, for which resource, how many in all and how many there are, if known."""

    quota: str
    resource: str
    hard: int
    used: int | None

    @property
    def left(self) -> int | None:
        """How many more may be made; None where the API does not tell."""
        return None if self.used is None else max(0, self.hard - self.used)


def allowances(api: Api, namespace: str) -> list[Allowance] | None:
    """Return the limits that concern images and pushers, None where they may not be read; raises AppuioError."""
    try:
        quotas = list(api.items(resources.RESOURCE_QUOTA, namespace, step="read the quota"))
    except (ForbiddenError, NotFoundError):
        return None
    return [one for item in quotas for one in allowances_of(item)]


def allowances_of(quota: Mapping[str, Any]) -> list[Allowance]:
    """Return the limits in one ResourceQuota object."""
    status = mapping(quota.get("status"))
    hard = mapping(status.get("hard")) or mapping(mapping(quota.get("spec")).get("hard"))
    used = mapping(status.get("used"))
    name = text(mapping(quota.get("metadata")).get("name"))
    found = []
    for written, resource in COUNTED.items():
        limit = amount(hard.get(written))
        if limit is not None:
            found.append(Allowance(name, resource, limit, amount(used.get(written))))
    return found


def lacking(found: Sequence[Allowance], wanted: Mapping[str, int]) -> list[str]:
    """Return a sentence for each limit that the making of so many objects would exceed."""
    return [
        f"the quota {one.quota} leaves {one.left} of {one.hard} {one.resource}, and {wanted[one.resource]} are needed"
        for one in found
        if one.left is not None and wanted.get(one.resource, 0) > one.left
    ]


def amount(value: Any) -> int | None:
    """Return a whole Kubernetes quantity, None for what is none."""
    found = re.fullmatch(r"([0-9]{1,18})(k|M|G|Ki|Mi|Gi)?", str(value)[:30])
    return int(found[1]) * _UNITS[found[2] or ""] if found else None


def exceeded_limits(api: Api, namespace: str, size: int | None) -> list[str]:
    """Return a sentence for each limit that an image of ``size`` bytes exceeds, or may exceed; raises AppuioError.

    Where the size is not known, every limit may be exceeded. How many tags and images a repository has is not asked.
    """
    sentences = []
    for document in api.items(resources.LIMIT_RANGE, namespace, step="read the limits"):
        name = text(mapping(document.get("metadata")).get("name"))
        for limit in mappings(mapping(document.get("spec")).get("limits")):
            most = mapping(limit.get("max"))
            if limit.get("type") == "openshift.io/Image":
                allowed = amount(most.get("storage"))
                if allowed is not None and (size is None or size > allowed):
                    own = "how large this one is, is not known" if size is None else f"this one has {size} bytes"
                    sentences.append(
                        f"the LimitRange {name} allows images of {most['storage']} ({allowed} bytes), and {own}"
                    )
            elif limit.get("type") == "openshift.io/ImageStream":
                sentences += [
                    f"the LimitRange {name} allows {most[key]} {what} in a repository"
                    for key, what in _STREAM_LIMITS.items()
                    if amount(most.get(key)) is not None
                ]
    return sentences
