# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API of a zone, on ``openshift.dynamic``: the only place that builds an API client.

The libraries are imported with the first request, so that what never asks the API needs none of them. Trust,
proxies, timeouts and retries are those of the registry. Source: Kubernetes API concepts.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any

from .._errors import AppuioError, MissingLibraryError, ServerError
from .._http.message import Origin
from .._http.proxy import proxy_for
from .._http.retry import (
    CONNECTION_ERRORS,
    PASSING_STATUSES,
    SYSTEM_CLOCK,
    Attempts,
    Clock,
    ConnectionLostError,
    as_error,
    retry_after,
)
from .._http.tls import check_encrypted, tls_context
from .documents import every_item, named, text
from .errors import cause_of, checked_object, missing_is_proven, refusal, without_answer
from .pool import BoundedPool
from .resources import ApiAddress, ResourceType

PAGE = 500
_MERGE_PATCH = "application/merge-patch+json"
# kubernetes imports itself in circles: two threads at once end in a deadlock of its import locks.
IMPORTING = threading.Lock()


class Api:
    """One zone's API and whoever has a token of it, or a client certificate; safe for several threads."""

    def __init__(self, address: ApiAddress, token: str | None, clock: Clock = SYSTEM_CLOCK) -> None:
        self._address = address
        self._token = token
        self._clock = clock
        self._lock = threading.Lock()
        self._client: Any = None

    def get(
        self, resource: ResourceType, namespace: str, name: str, *, step: str, subresource: str = ""
    ) -> dict[str, Any]:
        """Return an object; raises AppuioError, NotFoundError where the API says that it is not there."""
        with missing_is_proven(f"{resource.kind} {name}", step):
            found = self._call("get", resource.path(namespace, name, subresource), step, None, {})
        # ~ stands for whoever asks.
        return found if subresource or name == "~" else named(found, resource, name, step)

    def items(
        self,
        resource: ResourceType,
        namespace: str,
        *,
        step: str,
        field_selector: str = "",
        page: int = PAGE,
    ) -> Iterator[dict[str, Any]]:
        """Yield the objects of a namespace, or of all where that is empty, each once; raises AppuioError."""
        query = {"fieldSelector": field_selector, "limit": str(page)}
        path = resource.collection(namespace)
        return every_item(
            lambda following: self._call("get", path, step, None, {**query, "continue": following}),
            resource,
            step,
        )

    def create(
        self,
        resource: ResourceType,
        namespace: str,
        body: Mapping[str, Any],
        *,
        step: str,
        dry_run: bool = False,
        name: str = "",
        subresource: str = "",
    ) -> dict[str, Any]:
        """Create an object, or the subresource of one, and return it; raises ConflictError where it is there."""
        path = resource.path(namespace, name, subresource) if name else resource.collection(namespace)
        kind = text(body.get("kind")) or resource.kind
        return self._call("post", path, step, body, _dry_run(dry_run), kind)

    def replace(
        self,
        resource: ResourceType,
        namespace: str,
        name: str,
        body: Mapping[str, Any],
        *,
        step: str,
        subresource: str = "",
    ) -> dict[str, Any]:
        """Replace an object if it is still of the body's version; raises ConflictError where it is not."""
        return self._call("put", resource.path(namespace, name, subresource), step, body, {}, resource.kind)

    def merge(
        self,
        resource: ResourceType,
        namespace: str,
        name: str,
        change: Mapping[str, Any],
        *,
        step: str,
        dry_run: bool = False,
    ) -> dict[str, Any]:
        """Merge a change into an object (RFC 7386), if it is still of the version that the change names."""
        path = resource.path(namespace, name)
        return self._call("patch", path, step, change, _dry_run(dry_run), resource.kind)

    def delete(
        self,
        resource: ResourceType,
        namespace: str,
        name: str,
        *,
        step: str,
        uid: str = "",
        resource_version: str = "",
        dry_run: bool = False,
    ) -> None:
        """Delete an object, if it is still of this UID and version; raises ConflictError, NotFoundError."""
        wanted = {"uid": uid, "resourceVersion": resource_version}
        preconditions = {key: value for key, value in wanted.items() if value}
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions} if preconditions else None
        path = resource.path(namespace, name)
        with missing_is_proven(f"{resource.kind} {name}", step):
            self._call("delete", path, step, body, _dry_run(dry_run), resource.kind)

    def close(self) -> None:
        """Give back connections."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.client.close()

    def _call(
        self, method: str, path: str, step: str, body: Any, query: Mapping[str, str], kind: str | None = None
    ) -> dict[str, Any]:
        return checked_object(self.answer(method, path, step, body, query), kind, step)

    def answer(
        self, method: str, path: str, step: str, body: Any = None, query: Mapping[str, str] | None = None
    ) -> bytes:
        """Ask, again where that can help: a create whose answer was lost meets its object as a conflict."""
        attempts = Attempts(self._address.connection.retries, self._address.connection.retry_delay, self._clock)
        while True:
            wait: float | None = None
            try:
                return self._asked(method, path, step, body, query or {})
            except ConnectionLostError as error:
                failed: AppuioError = error
            except ServerError as error:
                if error.status not in PASSING_STATUSES:
                    raise error.at(step=step) from None
                failed, wait = error, error.retry_after
            if not attempts.again(wait):
                raise without_answer(failed, method, path, query or {}).at(step=step)

    def _asked(
        self, method: str, path: str, step: str, body: Mapping[str, Any] | None, query: Mapping[str, str]
    ) -> bytes:
        client = self._connected()
        from kubernetes.client.exceptions import ApiException
        from openshift.dynamic.exceptions import DynamicApiError
        from urllib3.exceptions import HTTPError

        content_type = {"content_type": _MERGE_PATCH} if method == "patch" else {}
        timeout = self._address.connection.timeout
        try:
            answer = client.request(
                method,
                path,
                body=body,
                query_params=[(name, value) for name, value in query.items() if value],
                serialize=False,
                _request_timeout=(timeout, timeout),
                **content_type,
            )
            return bytes(answer.data)
        except (ApiException, DynamicApiError, HTTPError, *CONNECTION_ERRORS) as error:
            # The client tells of TLS errors as of an answer with status 0.
            answered: Any = error
            if getattr(answered, "status", 0):
                wait = retry_after(answered.headers, self._clock.now()) if answered.headers else None
                raise refusal(int(answered.status), answered.body, step, wait) from None
            raise as_error(cause_of(error), Origin.of(self._address.url).authority, timeout).at(step=step) from None

    def _connected(self) -> Any:
        with self._lock:
            if self._client is None:
                with IMPORTING:
                    self._client = _dynamic_client(self._address, self._token)
            return self._client


def missing_library() -> str | None:
    """Return the Python package that is missing to ask an API, None where nothing is; imports nothing."""
    return next((name for name in ("kubernetes", "openshift") if find_spec(name) is None), None)


def _dynamic_client(address: ApiAddress, token: str | None) -> Any:
    try:
        import urllib3
        from kubernetes.client import ApiClient, Configuration
    except ImportError:
        raise MissingLibraryError("kubernetes", "to ask the API of a zone", traceback.format_exc()) from None
    try:
        from openshift.dynamic import DynamicClient
    except ImportError:
        raise MissingLibraryError("openshift", "to ask the API of a zone", traceback.format_exc()) from None
    how, origin = address.connection, Origin.given(address.url)
    check_encrypted(origin, how)
    configuration = Configuration()
    configuration.host = address.url.rstrip("/")
    client: Any = ApiClient(configuration)
    if token:
        client.set_default_header("Authorization", f"Bearer {token}")
    client.set_default_header("User-Agent", "appuio.registry")
    pool: dict[str, Any] = {"retries": False, "maxsize": 8, "cert_reqs": "CERT_REQUIRED"}
    if origin.scheme == "https":
        pool["ssl_context"] = tls_context(how.validate_certs, how.ca_cert, how.client_cert, how.client_key)
        if not how.validate_certs:
            pool["cert_reqs"] = "CERT_NONE"
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        if address.tls_server_name:
            pool.update(server_hostname=address.tls_server_name, assert_hostname=address.tls_server_name)
    if proxy := proxy_for(origin, how.proxy):
        proxy_tls = tls_context(how.validate_certs, how.ca_cert) if proxy.origin.scheme == "https" else None
        pool.update(proxy_url=str(proxy.origin), proxy_headers=proxy.headers, proxy_ssl_context=proxy_tls)
    # The pool is ours, so that one file says what is trusted, and which way leads there, for API and registry.
    manager = (urllib3.ProxyManager if proxy else urllib3.PoolManager)(**pool)
    client.rest_client.pool_manager = BoundedPool(manager, how.timeout)
    # The resources are known: nothing is discovered, and nothing is kept on disk.
    return DynamicClient(client, discoverer=lambda _client, _cache_file: None)


def _dry_run(wanted: bool) -> dict[str, str]:
    return {"dryRun": "All"} if wanted else {}
