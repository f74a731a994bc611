# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Being somebody by a token of the zone's API, which the zone's registry takes, too."""

from __future__ import annotations

from dataclasses import dataclass, field

from .._targets import Credential
from .method import ApiLogin, Method, ResolvedCredential
from .token import checked_token


@dataclass
class TokenMethod(Method):
    """A token of a user or of a service account."""

    name: str = "token"
    secret: str = field(default="", repr=False)

    def validate(self) -> None:
        """Raise InvalidOptionError for what can be no token."""
        self.secret = checked_token(self.secret, self.name)

    def known_credential(self) -> ResolvedCredential:
        """Return the token as it is."""
        return self.registered(Credential(self.secret, self.username, origin=self.origin))

    def api_login(self) -> ApiLogin:
        """Return the API of the zone, asked with the token."""
        from .._openshift.client import ApiAddress  # most tasks with a token never ask the API

        return ApiLogin(ApiAddress(self.api_host(), self.api_connection()), self.secret)
