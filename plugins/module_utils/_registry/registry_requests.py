# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to one registry: with the right scopes and attempts, page by page, refusals explained in the user's words.

Where in a blob the body of an answer begins: RFC 9110, 14.2 and 15.3.7.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Iterator
from urllib.parse import urljoin

from .._errors import AppuioError, ForbiddenError, ServerError, UnauthorizedError
from .._http.client import HttpClient, passing
from .._http.message import BLOCK_SIZE, Response
from .._http.open_response import OpenResponse
from .._http.retry import Attempts, ConnectionLostError
from .._reference import is_digest
from .errors import SOURCE_HINTS, ZONE_HINTS, Hints, is_page, no_registry, refusal, server_message_of

if TYPE_CHECKING:
    from .pull_limit import PullLimit

LOG_IN = "log in to the registry"
MOST_PAGES = 1000
_NEXT = re.compile(r'<([^<>]{1,4096})>\s*;[^,<]{0,200}?rel="?next\b')
_CONTENT_RANGE = re.compile(r"\s*bytes\s+(\d{1,18})-(\d{1,18})/(?:(\d{1,18})|\*)\s*", re.IGNORECASE)
_HINT = "Try again; if it stays, what the registry stores, or what stands in front of it, is broken"


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
        self._hints = hints or (ZONE_HINTS if zone_name else SOURCE_HINTS)
        self._limit = limit

    def expect(self, response: Response, statuses: tuple[int, ...], step: str, repository: str) -> None:
        """Raise the error that an answer to a push is, unless its status is one of these."""
        self._expect(response, statuses, step, repository, "push")

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

    def _pages(
        self, path: str, repository: str, step: str, headers: dict[str, str] | None = None
    ) -> Iterator[Response]:
        """Yield the pages of a list, as the registry links them (OCI Distribution Specification, "Listing Tags")."""
        seen: set[str] = set()
        following: str | None = path
        while following is not None:
            if following in seen or len(seen) == MOST_PAGES:
                raise ServerError(
                    f"{self.registry} sends pages of a list without end",
                    zone=self.zone,
                    step=step,
                    hint="The registry is broken: its operators can tell",
                )
            seen.add(following)
            response = self._ask("GET", following, repository, step, "pull", headers)
            yield response
            following = self._next_page(following, response, step)

    def _next_page(self, path: str, response: Response, step: str) -> str | None:
        links = ", ".join(str(value) for value in response.headers.get_all("link") or ())
        link = _NEXT.search(links[:65536]) if response.status == 200 else None
        if link is None:
            return None
        try:
            url = urljoin(path, link.group(1))
        except ValueError:
            url = ""
        own = self.http.own_target(url) if url else None
        if own is None:
            raise ServerError(
                f"{self.registry} sends us to another server for the rest of a list, {link.group(1)[:200]}",
                zone=self.zone,
                step=step,
                hint="Is the registry, or what stands in front of it, set up with its own address?",
            )
        return own

    def _expect(self, response: Response, statuses: tuple[int, ...], step: str, repository: str, action: str) -> None:
        if response.status not in statuses:
            raise self._explained(response, step, repository, action)

    def _check_digest(self, response: Response, step: str) -> None:
        """What has no digest may come from a registry all the same, a page or a nonsensical digest does not."""
        digest = response.headers.get("docker-content-digest")
        if is_page(response) or (digest is not None and not is_digest(digest)):
            raise no_registry(response, step, self.registry, self.zone)

    def _refusal(self, response: Response, step: str) -> AppuioError:
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
        given = self.http.credential is not None
        wrong = f"{self.registry} does not accept the credential: it is wrong, expired or revoked"
        return UnauthorizedError(
            wrong if given else f"{self.registry} wants a credential for this, and none was given",
            zone=self.zone,
            step=step,
            server_message=server_message_of(response),
            hint=self._hints.credential if given else self._hints.no_credential,
        )


def transient(response: Response) -> bool:
    """Whether repeating can help: also a bare 400, which zones answer while their API is away."""
    return passing(response) or (response.status == 400 and not response.body)


def is_away(response: Response) -> bool:
    """Whether repeating can help where a zone answers 500 to a manifest that it does not have."""
    return passing(response) and response.status != 500


def scopes(repository: str, action: str) -> frozenset[str]:
    """Return what a registry with a token handshake is asked for; to push needs to pull, too."""
    return frozenset({f"repository:{repository}:{'pull,push' if action == 'push' else 'pull'}"})


def begin_at(opened: OpenResponse, offset: int, registry: str) -> None:
    """Bring an answer to ``offset``, in bytes: what comes before, up to the whole blob, is read and left aside.

    Raises ServerError for a body that is encoded; ConnectionLostError for one that begins later or ends before.
    """
    coding = str(opened.headers.get("content-encoding") or "identity").strip().lower()
    if coding != "identity":
        raise ServerError(f"{registry} sends the blob encoded as {coding}, which was not asked for", hint=_HINT)
    start = offset if opened.status == 206 else 0
    part = _CONTENT_RANGE.fullmatch(str(opened.headers.get("content-range") or ""))
    if part is not None and opened.status == 206:
        start, last, size = int(part.group(1)), int(part.group(2)), part.group(3)
        opened.is_partial = size is not None and last + 1 < int(size)
    if start > offset:
        raise ConnectionLostError(f"{registry} sent the blob from byte {start} on, not from {offset}", hint=_HINT)
    buffer = memoryview(bytearray(BLOCK_SIZE))
    opened.offset = start
    while opened.offset < offset:
        count = opened.readinto(buffer[: min(BLOCK_SIZE, offset - opened.offset)])
        if not count:
            raise ConnectionLostError(f"{registry} sent less of the blob than before", hint=_HINT)
        opened.offset += count
