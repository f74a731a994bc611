# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Being somebody by what is already stored for the registry, in an auth file or by a credential helper."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from .._errors import InvalidOptionError, UnauthorizedError
from .._openshift.client import ApiAddress
from .method import ApiLogin, Method, ResolvedCredential
from .token import is_api_token


@dataclass
class AuthFileMethod(Method):
    """A file with credentials of registries."""

    path: str = ""

    reaches_api: ClassVar[bool] = False

    def validate(self) -> None:
        """Raise InvalidOptionError where no registry says which credential is meant."""
        if self.target.zone.registry is None:
            raise InvalidOptionError(f"{self.origin} holds credentials of registries, and no registry is given")

    def known_credential(self) -> ResolvedCredential:
        """Return what is stored for the registry, or for the namespace in it; raises UnauthorizedError for nothing."""
        from .auth_file import stored_credential

        registry = str(self.target.zone.registry)
        stored = stored_credential(registry, self.target.namespace, self.path, self.context.environment)
        if stored is None:
            raise UnauthorizedError(
                f"{self.path} holds no credential for {registry}", hint="Log in with appuio_registry_login first"
            )
        return self.registered(replace(stored, is_token=stored.is_token or is_api_token(stored.secret)))

    def api_login(self) -> ApiLogin:
        """Return the API, asked with the stored token; raises UnauthorizedError for a registry's password.

        A credential goes to the host it is for: only a token of an API may go to the zone's.
        """
        stored = self.known_credential().credential
        if not is_api_token(stored.secret):
            raise UnauthorizedError(
                f"what {self.path} holds for {self.target.zone.registry} is no token of the zone's API",
                hint="Give token, username and password, or kubeconfig",
            )
        return ApiLogin(ApiAddress(self.api_host(), self.api_connection()), stored.secret)
