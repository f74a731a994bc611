# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which limit or quota has refused a tag: a registry only answers that access is denied, the API tells the rest."""

from __future__ import annotations

from contextlib import suppress

from .._errors import AppuioError
from .._openshift.client import Api
from .._openshift.quota import allowances, exceeded_limits, lacking
from .session import ZoneSession


def explain_refusal(session: ZoneSession, error: AppuioError, size: int | None, repositories: int, tags: int) -> None:
    """Name the limits and quotas that stand against a tag in the error's hint, where the API tells; raises nothing.

    ``size`` are the bytes of the image, None where they are not known. ``repositories`` and ``tags`` are new.
    """
    with suppress(AppuioError):
        api = session.optional_api()
        if api is None:
            return
        causes = exceeded_limits(api, session.namespace, size)
        with suppress(AppuioError):
            causes += exceeded_quota(api, session.namespace, repositories, tags)
        if causes:
            error.hint = "; ".join(causes)


def exceeded_quota(api: Api, namespace: str, repositories: int, tags: int) -> list[str]:
    """Return a sentence for each quota that leaves no room for so many new ones; raises AppuioError."""
    return lacking(allowances(api, namespace) or [], {"imagestreams": repositories, "imagestreamtags": tags})
