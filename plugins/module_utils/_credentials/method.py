# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all ways to be somebody have in common, and the simplest: a token of the API, which the registry takes, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Mapping, NamedTuple

from .._errors import AppuioError, InvalidOptionError
from .._targets import DEFAULT_USERNAME, Connection, Credential, RunContext, Target, basic
from .._zone import api_url
from .token import checked_token, expiry

if TYPE_CHECKING:
    from .._openshift.client import Api
    from .._openshift.resources import ApiAddress

_FALSE = ("0", "f", "false", "n", "no", "off")


class ResolvedCredential(NamedTuple):
    """A credential for a registry; ``expires_at`` is when it ends in seconds since the epoch, where that is known."""

    credential: Credential
    expires_at: float | None = None


class ApiLogin(NamedTuple):
    """An API, how it is reached, and the token to ask it with; None where a client certificate says who one is."""

    address: ApiAddress
    token: str | None = None

    def __repr__(self) -> str:
        """Leave out the token."""
        return f"ApiLogin({self.address!r})"

    def api(self) -> Api:
        """Return a client of the API."""
        from .._openshift.client import Api

        return Api(self.address, self.token)


class Method:
    """One way to be somebody in one zone.

    ``origin`` tells the user where it came from, and ``from_environment`` that it was no option of the task;
    what the environment says of the API holds for such a credential alone. Every secret is registered as soon
    as it is known.
    """

    # Whether it says itself which cluster it is of, and whether it gives access to an API.
    names_a_cluster: ClassVar[bool] = False
    reaches_api: ClassVar[bool] = True

    def __init__(self, target: Target, context: RunContext, origin: str) -> None:
        self.target = target
        self.context = context
        self.origin = origin
        self.from_environment = False

    @property
    def username(self) -> str:
        """What the registry is told; it does not matter to OpenShift."""
        return str(self.target.who.get("username") or DEFAULT_USERNAME)

    def validate(self) -> None:
        """Raise InvalidOptionError for what cannot be meant; asks no server."""

    def known_credential(self) -> ResolvedCredential | None:
        """Return the credential where no server has to be asked for it, else None; raises AppuioError."""
        return None

    def credential(self) -> ResolvedCredential:
        """Return the credential for the zone's registry; raises AppuioError."""
        known = self.known_credential()
        if known is None:
            raise AppuioError(f"{self.origin} gives no credential for a registry")
        return known

    def api_login(self) -> ApiLogin:
        """Return the way to the zone's API; raises AppuioError where this is nobody there."""
        raise AppuioError(f"{self.origin} gives no access to the API")

    def keep(self) -> None:
        """Let a token that was fetched outlive the task, as it is stored."""

    def release(self) -> None:
        """Let a token end that was only fetched for this task."""

    def registered(self, credential: Credential) -> ResolvedCredential:
        """Keep a credential out of the output in all forms it takes, and return it with its end."""
        register = self.context.register_secret
        register(credential.secret)
        register(basic(credential))
        if credential.username != DEFAULT_USERNAME:
            register(basic(credential._replace(username=DEFAULT_USERNAME)))
        return ResolvedCredential(credential, expiry(credential.secret))

    def api_host(self) -> str:
        """Return the URL of the zone's API; raises InvalidOptionError where nothing names it."""
        host = self.target.zone.host
        named = self.context.environment.get("K8S_AUTH_HOST") if self.from_environment else None
        if host is None and named:
            host = api_url(named)
        if host is None:
            raise InvalidOptionError(
                "the API of the zone has to be asked, and nothing names it", hint="Give zone or host"
            )
        return host

    def api_connection(self) -> Connection:
        """Return how the API is reached; of the environment only what belongs to a credential from there."""
        return api_connection(self.target, self.context.environment if self.from_environment else {})


def api_connection(target: Target, environment: Mapping[str, str]) -> Connection:
    """Return how an API is reached, with what the environment says of it.

    AWX sets K8S_AUTH_VERIFY_SSL to False where its credential has no authority: that never holds for a registry.
    """
    connection = target.connection
    if environment.get("K8S_AUTH_SSL_CA_CERT") and not connection.ca_cert:
        connection = connection._replace(ca_cert=environment["K8S_AUTH_SSL_CA_CERT"])
    if environment.get("K8S_AUTH_VERIFY_SSL", "").strip().lower() in _FALSE and not connection.ca_cert:
        connection = connection._replace(validate_certs=False)
    return connection


class TokenMethod(Method):
    """A token of a user or of a service account."""

    def __init__(self, target: Target, context: RunContext, origin: str, name: str, secret: str) -> None:
        super().__init__(target, context, origin)
        self.name = name
        self.secret = secret

    def validate(self) -> None:
        """Raise InvalidOptionError for what can be no token."""
        self.secret = checked_token(self.secret, self.name)

    def known_credential(self) -> ResolvedCredential:
        """Return the token as it is."""
        return self.registered(Credential(self.secret, self.username, origin=self.origin))

    def api_login(self) -> ApiLogin:
        """Return the API of the zone, asked with the token."""
        from .._openshift.resources import ApiAddress  # most tasks with a token never ask the API

        return ApiLogin(ApiAddress(self.api_host(), self.api_connection()), self.secret)
