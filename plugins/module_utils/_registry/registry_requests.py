# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to one registry: with the right scopes and attempts, refusals explained in the user's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._errors import AppuioError, ForbiddenError, UnauthorizedError
from .._http.client import HttpClient
from .._http.message import Response
from .._reference import is_digest
from .answers import is_page, transient

if TYPE_CHECKING:
    from .._http.retry import Attempts
    from .errors import Hints
    from .pull_limit import PullLimit

LOG_IN = "log in to the registry"


class RegistryRequests:
    """A registry, by the name its zone has in messages; safe for several threads.

    ``hints`` say what to do next on its side; without a zone it is a source, whose ``limit`` is noted.
    """

    def __init__(
        self,
        zone_name: str | None,
        registry: str,
        http: HttpClient,
        hints: Hints | None = None,
        limit: PullLimit | None = None,
    ) -> None:
        self.zone = zone_name
        self.registry = registry
        self.http = http
        self._given_hints = hints
        self._limit = limit

    def expect(self, response: Response, statuses: tuple[int, ...], step: str, repository: str) -> None:
        """Raise the error that an answer to a push is, unless its status is one of these."""
        self._expect(response, statuses, step, repository, "push")

    def close(self) -> None:
        """Give back connections."""
        self.http.close()

    def abort(self) -> None:
        """Cut all connections, as ``HttpClient.abort`` does."""
        self.http.abort()

    def _ask(
        self,
        method: str,
        path: str,
        repository: str,
        step: str,
        action: str,
        headers: dict[str, str] | None = None,
        attempts: Attempts | None = None,
    ) -> Response:
        wanted = scopes(repository, action)
        response = self.http.request(
            method, path, headers, step=step, scopes=wanted, transient=transient, attempts=attempts
        )
        if self._limit is not None and "/manifests/" in path:
            self._limit.note(response.headers, refused=response.status == 429)
        return response

    def _expect(self, response: Response, statuses: tuple[int, ...], step: str, repository: str, action: str) -> None:
        if response.status not in statuses:
            raise self._explained(response, step, repository, action)

    def _check_digest(self, response: Response, step: str) -> None:
        """What has no digest may come from a registry all the same, a page or a nonsensical digest does not."""
        digest = response.headers.get("docker-content-digest")
        if is_page(response) or (digest is not None and not is_digest(digest)):
            raise self._no_registry(response, step)

    # What only a refusal needs is imported there, as a module is compiled anew in each task.

    @property
    def _hints(self) -> Hints:
        from .errors import SOURCE_HINTS, ZONE_HINTS

        return self._given_hints or (ZONE_HINTS if self.zone else SOURCE_HINTS)

    def _no_registry(self, response: Response, step: str) -> AppuioError:
        from .errors import no_registry

        return no_registry(response, step, self.registry, self.zone)

    def _refusal(self, response: Response, step: str) -> AppuioError:
        from .errors import refusal

        return refusal(response, step, self.registry, self.zone, self._hints)

    def _explained(self, response: Response, step: str, repository: str, action: str) -> AppuioError:
        """OpenShift answers alike to a bad token and to missing rights: whether it lets us in tells them apart."""
        if response.status != 401:
            return self._refusal(response, step)
        lets_in = self.http.credential is not None and self._lets_in()
        if lets_in is None:
            return self._refusal(response, step)
        if not lets_in:
            return self._unauthorized(step, response)
        from .errors import server_message_of

        namespace = repository.rpartition("/")[0] or repository
        return ForbiddenError(
            f"the credential is good, but gives no right to {action} in {namespace} of {self.registry}",
            zone=self.zone,
            step=step,
            server_message=server_message_of(response),
            hint=self._hints.rights,
        )

    def _lets_in(self) -> bool | None:
        """Whether the registry takes the credential at all; None where that cannot be asked."""
        try:
            return self.http.request("GET", "/v2/", step=LOG_IN, transient=transient).status == 200
        except UnauthorizedError:
            return False
        except AppuioError:
            return None

    def _unauthorized(self, step: str, response: Response) -> AppuioError:
        from .errors import server_message_of

        given = self.http.credential is not None
        wrong = f"{self.registry} does not accept the credential: it is wrong, expired or revoked"
        return UnauthorizedError(
            wrong if given else f"{self.registry} wants a credential for this, and none was given",
            zone=self.zone,
            step=step,
            server_message=server_message_of(response),
            hint=self._hints.credential if given else self._hints.no_credential,
        )


def scopes(repository: str, action: str) -> frozenset[str]:
    """Return what a registry with a token handshake is asked for; to push needs to pull, too."""
    return frozenset({f"repository:{repository}:{'pull,push' if action == 'push' else 'pull'}"})
