# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Being a service account: its token is read, or requested, with the access to the API that somebody else has.

Bound tokens end by themselves: when one at hand is still good, and how a new one is got. Source: Kubernetes,
TokenRequest (``authentication.k8s.io/v1``). All times are seconds since the epoch.
"""

from __future__ import annotations

import threading
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Callable

from .._errors import InvalidOptionError
from .._managed_objects.tokens import account_token, bound_token
from .._signals import check_stop
from .._targets import Credential, RunContext, Target
from .method import ApiLogin, Method, ResolvedCredential
from .token import account_user, claims, expiry, subject

if TYPE_CHECKING:
    from .._managed_objects.objects import LiveObject
    from .._openshift.client import Api

BOUND_SECONDS = 24 * 3600
# A cluster may add a little to what was asked for, and the clocks of two machines differ.
TOLERANCE = 60


class ServiceAccountMethod(Method):
    """A service account of the target's namespace; ``access`` is who may read its token."""

    def __init__(
        self, target: Target, context: RunContext, origin: str, account: str, access: Method | None = None
    ) -> None:
        super().__init__(target, context, origin)
        self.account = account
        self.access = access
        self._credential: ResolvedCredential | None = None
        self._lock = threading.Lock()

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
        how = login.address.connection._replace(client_cert=own.client_cert, client_key=own.client_key)
        return ApiLogin(login.address._replace(connection=how), self.credential().credential.secret)

    def release(self) -> None:
        """Let the token of whoever read this one end, if it was fetched for that."""
        self._access().release()

    def _read(self) -> ResolvedCredential:
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


def why_renewed(
    current: str | None, namespace: str, name: str, account: LiveObject | None, expiration: int, now: float
) -> str:
    """Return why a bound token at hand is replaced; empty while it is good for more than half of its life.

    ``account`` is the service account as the API has it, None where it is not there or may not be read.
    """
    if current is None:
        return "none is at hand"
    if subject(current) != account_user(namespace, name):
        return "the one at hand is of somebody else"
    held = claims(current)
    of = held.get("kubernetes.io")
    bound = of.get("serviceaccount") if isinstance(of, dict) else None
    known = bound.get("uid") if isinstance(bound, dict) else None
    if account is not None and known and known != account["metadata"].get("uid"):
        return "the service account was made anew since the one at hand"
    end = expiry(current)
    if end is None:
        return "the one at hand does not end"
    made = held.get("iat")
    life = end - made if isinstance(made, (int, float)) else expiration
    return "the one at hand is past half of its life" if end - now <= life / 2 else ""


def request_bound_token(
    api: Api, namespace: str, name: str, seconds: int, now: float, warn: Callable[[str], None]
) -> tuple[str, float | None]:
    """Return a new bound token and when it ends; raises AppuioError. Warns where the cluster gave less than asked."""
    check_stop(f"request a token of {name}")
    made = bound_token(api, namespace, name, seconds)
    end = expiry(made.token)
    if end is None and made.expires_at:
        try:
            end = datetime.strptime(made.expires_at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()
        except ValueError:
            end = None
    if end is not None and end - now < seconds - TOLERANCE:
        warn(
            f"the cluster gives tokens for less time than expiration says: that of {namespace}/{name} ends after "
            f"{round(end - now)} seconds instead of {seconds}"
        )
    return made.token, end
