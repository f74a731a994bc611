# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The zones that images come from: a session of each, and an image in the registry of one."""

from __future__ import annotations

from typing import Sequence

from .._errors import (
    AppuioError,
    ConnectionFailedError,
    InvalidOptionError,
    NotFoundError,
    SourceError,
    TlsVerificationError,
)
from .._oci.model import Manifest
from .._openshift.image_streams import get_stream
from .._reference import Reference
from .._source.registry import RegistrySource
from .._source.source_registries import SourceClients
from .._targets import Credential, RunContext, Target
from .._zones.session import ZoneSession
from .namespace_plan import why_missing

# Each is of one zone.
_TOKENS = ("APPUIO_TOKEN", "K8S_AUTH_API_KEY")
_PUSH_ANEW = "Push it there anew, or name another tag"
_AUTHORITY = "Name the authority that signed it in registry_ca_cert or ca_cert of source_zone"


def source_session(
    target: Target, task: Sequence[ZoneSession], opened: list[ZoneSession], context: RunContext
) -> ZoneSession:
    """Return the session of a zone that images come from; asks no server; raises InvalidOptionError.

    A zone of the ``task`` is the one that is open already. Another one is opened once, and then one of ``opened``.
    """
    for session in (*task, *opened):
        if session.target._replace(namespace=target.namespace) == target:
            return session.in_namespace(str(target.namespace))
    try:
        made = ZoneSession(target, context)
    except InvalidOptionError as error:
        error.message = f"source_zone: {error.message}"
        raise error.at(zone=target.zone.name) from None
    if made.method.from_environment and made.method.origin in _TOKENS:
        for session in task:
            if session.method.from_environment:
                raise InvalidOptionError(
                    f"source_zone: zone {made.name} has no credential of its own, and {made.method.origin} is the "
                    f"token of zone {session.name}",
                    hint="Give it one in source_zone, such as token",
                )
    opened.append(made)
    return made


class ZoneImage(RegistrySource):
    """An image in the registry of a zone; without a credential, it is asked for nothing yet.

    ``tags`` are those that the zone has for it, where it is named by its digest.
    """

    def __init__(
        self,
        session: ZoneSession,
        reference: Reference,
        credential: Credential | None,
        directory: str,
        clients: SourceClients,
        tags: Sequence[str] = (),
    ) -> None:
        connection = session.target.connection
        how = connection._replace(ca_cert=connection.registry_ca_cert or connection.ca_cert)
        super().__init__(reference, how, credential, directory, clients=clients)
        self._session = session
        self._known_as = tags

    def root(self) -> Manifest:
        """Return what the reference names; an error says why the zone does not have it; raises AppuioError."""
        try:
            return super().root()
        except SourceError as error:
            raise self._missing(error) from None

    def _missing(self, error: SourceError) -> SourceError:
        """Return why the zone does not have it, as its ImageStream shows that: asked for a few seconds, if at all."""
        reference, api = self._reference, self._session.optional_api()
        try:
            stream = get_stream(api, self._session.namespace, reference.name) if api is not None else None
        except AppuioError:
            api = None
        error.message = f"{self.description} does not exist"
        error.hint = _PUSH_ANEW
        if api is not None:
            tag = reference.tag if not reference.digest else None
            error.message += f": {why_missing(stream, reference.name, tag, reference.digest)}"
        if self._known_as:
            error.message += f", to which {', '.join(self._known_as)} points"
        return error

    def _explained(self, error: AppuioError) -> AppuioError:
        explained = super()._explained(error)
        if isinstance(error, TlsVerificationError):
            explained.hint = _AUTHORITY
        elif isinstance(error, ConnectionFailedError):
            explained.hint = "Can the registry of source_zone be reached from where the task runs?"
        elif isinstance(error, NotFoundError):
            explained.hint = _PUSH_ANEW
        return explained
