# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Being a service account: its token is read, or requested, with the access to the API that somebody else has."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace

from .._errors import InvalidOptionError
from .._targets import Credential
from .method import ApiLogin, Method, ResolvedCredential

BOUND_SECONDS = 24 * 3600


@dataclass
class ServiceAccountMethod(Method):
    """A service account of the target's namespace; ``access`` is who may read its token."""

    account: str = ""
    access: Method | None = None
    _credential: ResolvedCredential | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def validate(self) -> None:
        """Raise InvalidOptionError without a namespace, or with an access that is none to an API."""
        if not self.target.namespace:
            raise InvalidOptionError("service_account needs namespace")
        if self.access is not None:
            self.access.validate()

    def credential(self) -> ResolvedCredential:
        """Return the token in the account's Secret, else a new bound one; raises AppuioError."""
        with self._lock:
            if self._credential is None:
                self._credential = self._read()
            return self._credential

    def api_login(self) -> ApiLogin:
        """Return the API as the service account sees it."""
        login, own = self._access().api_login(), self.target.connection
        # A client certificate of a kubeconfig would count before the token.
        how = replace(login.address.connection, client_cert=own.client_cert, client_key=own.client_key)
        return ApiLogin(replace(login.address, connection=how), self.credential().credential.secret)

    def release(self) -> None:
        """Let the token of whoever read this one end, if it was fetched for that."""
        self._access().release()

    def _read(self) -> ResolvedCredential:
        from .._openshift.tokens import account_token

        access = self._access()
        api = access.api_login().api()
        try:
            found = account_token(api, str(self.target.namespace), self.account, BOUND_SECONDS)
        finally:
            api.close()
            access.release()
        return self.registered(Credential(found.token, origin=f"the service account {self.account}"))

    def _access(self) -> Method:
        if self.access is None:
            raise InvalidOptionError(f"service_account {self.account} is read from the API, and nobody may ask it")
        return self.access
