# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One zone as those see it who look at its images: its registry, and its API where that can be asked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Callable, Mapping

from .._credentials.api_access import ApiAccess, api_access, api_connection
from .._credentials.kinds import AuthFile, Choice, Kubeconfig, check_credentials, choose
from .._credentials.resolve import Resolved, resolve_credential
from .._errors import InvalidOptionError
from .._http.client import HttpClient
from .._openshift.client import Api
from .._reference import checked_namespace
from .._registry.client import RegistryClient
from .._targets import Target, targets_from

PATIENCE = 5


@dataclass
class ImageZone:
    """A zone with a credential; ``api`` is None where nothing says where the API is, or no token of it is at hand."""

    name: str
    namespace: str
    registry: RegistryClient
    api: Api | None
    _resolved: Resolved = field(repr=False)
    _access: ApiAccess | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """The registry as ``host[:port]``."""
        return self.registry.registry

    def glance(self) -> Api | None:
        """Return the API for what is good to know but not needed, so that it holds nothing up where it is away."""
        if self._access is None:
            return None
        connection = self._access.connection
        quick = replace(connection, timeout=min(PATIENCE, connection.timeout), retries=0)
        return replace(self._access, connection=quick).api()

    def close(self) -> None:
        """Give back connections, and a token that was only fetched for this task."""
        self.registry.close()
        if self._access is not None:
            self._access.close()
        self._resolved.release()


def image_targets(options: Mapping[str, Any], environment: Mapping[str, str]) -> list[Target]:
    """Return the zones that the options name, each with a namespace, a registry and a credential; asks nobody."""
    targets = targets_from(options)
    for target in targets:
        checked_namespace(target.namespace)
        if target.zone.registry is None:
            raise InvalidOptionError(f"zone {target.zone.name} has no registry", hint="Give zone or registry")
    check_credentials(targets, environment)
    return targets


def open_zone(target: Target, environment: Mapping[str, str], register_secret: Callable[[str], None]) -> ImageZone:
    """Return a zone with the credential of the target; raises AppuioError where that cannot be had."""
    choice = choose(target, environment)
    resolved = resolve_credential(target, environment, register_secret)
    connection, address = target.connection, str(target.zone.registry)
    authorities = connection.registry_ca_cert or connection.ca_cert
    http = HttpClient(f"https://{address}", connection, authorities, resolved.credential)
    registry = RegistryClient(target.zone.name, address, http)
    access = _access(choice, target, resolved, environment, register_secret)
    api = access.api() if access else None
    return ImageZone(target.zone.name, str(target.namespace), registry, api, resolved, access)


def _access(
    choice: Choice,
    target: Target,
    resolved: Resolved,
    environment: Mapping[str, str],
    register_secret: Callable[[str], None],
) -> ApiAccess | None:
    """The registry takes tokens of the API, so that the same token asks both."""
    token = resolved.credential.secret
    if isinstance(choice.kind, Kubeconfig):
        return replace(api_access(choice, target, environment, register_secret), token=token)
    if target.zone.host is None or (isinstance(choice.kind, AuthFile) and not resolved.credential.is_token):
        return None
    return ApiAccess(target.zone.host, token, api_connection(target, environment if choice.environment else {}))
