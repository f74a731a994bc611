# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a push asks of a zone's API: what the quota leaves, and to remove a tag that it has made."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from .._errors import AppuioError, InvalidOptionError
from .._openshift.client import Api, ApiAddress
from .._openshift.image_streams import delete_tag
from .._openshift.quota import allowances, lacking
from .._targets import Target
from .plan import ZonePlan

PATIENCE = 5


@dataclass(frozen=True)
class ZoneApi:
    """The API of a zone, asked with the token that the registry takes; ``token`` is one of the API."""

    target: Target
    token: str = field(repr=False)

    def remove_tag(self, name: str, tag: str) -> None:
        """Remove a tag with its history; raises AppuioError."""
        host = self.target.zone.host
        if host is None:
            raise InvalidOptionError("the address of the zone's API is not known", hint="Give zone or host")
        api = Api(ApiAddress(host, self.target.connection), self.token)
        try:
            delete_tag(api, str(self.target.namespace), name, tag)
        finally:
            api.close()

    def lacking(self, plan: ZonePlan) -> list[str]:
        """Return a sentence for each quota that the plan would exceed; nothing where the API cannot be asked."""
        host = self.target.zone.host
        new = sum(move.before is None and move.needed for move in plan.moves)
        if host is None or not new:
            return []
        # It is only asked in passing, so it does not hold up a push where it cannot be reached.
        connection = replace(self.target.connection, timeout=min(PATIENCE, self.target.connection.timeout), retries=0)
        api = Api(ApiAddress(host, connection), self.token)
        try:
            found = allowances(api, str(self.target.namespace)) or []
        except AppuioError:
            return []
        finally:
            api.close()
        return lacking(found, {"imagestreams": int(plan.empty), "imagestreamtags": new})
