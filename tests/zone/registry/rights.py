# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what on the registry side: credentials, challenges, and rights by imagestreams/layers."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..api.authentication import ANONYMOUS, Authentication, User
from ..api.rbac import Rbac
from ..http.exchange import Exchange
from .errors import RegistryError, entry, registry_errors


@dataclass
class Access:
    """What a request asks for: (type, name, action) as the registry lists it in a refusal."""

    records: list[tuple[str, str, str]] = field(default_factory=list)
    mount_from: str = ""
    may_mount: bool = False
    deletes_upload: bool = False

    @classmethod
    def of(cls, exchange: Exchange, kind: str, name: str) -> Access:
        """Return what this request needs."""
        if kind == "catalog":
            return cls([("registry", "catalog", "*")])
        if not name:
            return cls()
        if exchange.method in ("GET", "HEAD"):
            return cls([("repository", name, "pull")])
        if exchange.method == "DELETE":
            return cls([("repository", name, "delete")], deletes_upload=kind == "upload")
        access = cls([("repository", name, "pull"), ("repository", name, "push")])
        if kind == "start" and "mount" in exchange.query and exchange.query.get("from"):
            access.mount_from = exchange.query["from"]
            access.records.append(("repository", access.mount_from, "pull"))
        return access


class FrontRights:
    """Checks a request's credentials and rights; raises the refusal."""

    def __init__(self, authentication: Authentication, rbac: Rbac) -> None:
        self._authentication = authentication
        self._rbac = rbac

    def check(self, exchange: Exchange, access: Access, *, api_runs: bool) -> User:
        """Return who asks, when everything is in order; notes in ``access`` whether a mount is allowed."""
        given = exchange.credentials()
        if given is None:
            host = exchange.headers.get("X-Forwarded-Host") or exchange.headers.get("Host")
            raise self._refusal(access, f'Bearer realm="https://{host}/openshift/token"')
        if not given[1]:
            raise self._refusal(access, 'Basic realm=openshift,error="failed to decode credentials"')
        for kind, name, _ignored in access.records:
            if kind == "repository" and name != access.mount_from and name.count("/") != 1:
                raise RegistryError(400, b"", [])
        if not api_runs:
            raise RegistryError(400, b"", [])
        user = self._authentication.user(given[1])
        denied = self._refusal(access, 'Basic realm=openshift,error="access denied"')
        if user is None:
            raise denied
        if not access.records:
            return user
        for kind, name, action in access.records:
            if name == access.mount_from and action == "pull" and len(access.records) > 2:
                access.may_mount = name.count("/") == 1 and self._may(user, kind, name, action, access)
            elif not self._may(user, kind, name, action, access):
                raise denied
        return user

    def _may(self, user: User, kind: str, name: str, action: str, access: Access) -> bool:
        if user is ANONYMOUS:
            return False
        if kind == "registry":
            return self._rbac.allowed(user, "list", "image.openshift.io", "imagestreams")
        namespace, _ignored, stream = name.partition("/")
        if action == "delete" and not access.deletes_upload:
            return self._rbac.allowed(user, "delete", "image.openshift.io", "images")
        verb = "get" if action == "pull" else "update"
        return self._rbac.allowed(user, verb, "image.openshift.io", "imagestreams/layers", namespace, stream)

    @staticmethod
    def _refusal(access: Access, challenge: str) -> RegistryError:
        detail = [
            {"Type": kind, "Class": "", "Name": name, "Action": action} for kind, name, action in access.records
        ] or None
        return registry_errors(
            401, [entry("UNAUTHORIZED", "authentication required", detail)], [("WWW-Authenticate", challenge)]
        )
