# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a credential is good for a registry, and what it may do in a namespace there."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

from .._credentials.method import Method
from .._credentials.token import expiry, timestamp
from .._errors import AppuioError, ForbiddenError, ServerError, UnauthorizedError
from .._http.client import HttpClient
from .._registry.answers import is_page
from .._registry.client import RegistryClient
from .._targets import Credential
from .credential import api_for
from .options import Login

# No image stream has to have this name: who may not pull is refused before it is looked for.
_PROBE = "appuio-login-check"
_NEW_TOKEN = (
    "A user gets a new one with oc login to the zone and oc whoami -t, a service account with appuio_registry_token"
)
_RIGHTS_ADVICE = (
    "Somebody who administers the namespace can bind registry-viewer (pull) or registry-editor (push) there. "
    "A namespace that does not exist looks the same"
)


def check_end(credential: Credential, now: float | None = None) -> None:
    """Raise UnauthorizedError for a token that says itself that its time is over; asks nobody."""
    end = expiry(credential.secret)
    if end is not None and end <= (time.time() if now is None else now):
        raise UnauthorizedError(
            f"the token ended at {timestamp(end)} ({credential.origin})", step="check the token", hint=_NEW_TOKEN
        )


def check_login(login: Login, credential: Credential) -> None:
    """Raise AppuioError unless the registry takes the credential; tells why it does not."""
    http = registry_http(login, credential)
    try:
        RegistryClient(login.target.zone.name, login.registry, http).check_login()
    except UnauthorizedError as error:
        raise UnauthorizedError(
            f"{login.registry} does not accept {credential.origin}: it is wrong, expired, revoked or of another zone",
            zone=login.target.zone.name,
            step="log in to the registry",
            server_message=error.server_message,
            hint=f"A token is good for one zone only. {_NEW_TOKEN}",
        ) from None
    except ServerError as error:
        if error.status != 400:
            raise
        # OpenShift's registry answers so to every credential while the API does not answer it.
        raise ServerError(
            "the registry cannot check the credential, because the zone's API does not answer it",
            zone=login.target.zone.name,
            step="log in to the registry",
            status=error.status,
            hint="Try again when the API is up, or store the credential unchecked with verify: false",
        ) from None
    finally:
        http.close()


def check_access(login: Login, credential: Credential, method: Method, *, may_write: bool) -> tuple[str, ...]:
    """Return those of ``login.access`` that are granted; raises ForbiddenError for one that is not, ServerError for one
    of which nobody tells.

    The API is asked, which changes nothing. Where it does not tell, the registry is: a refused upload says that
    there is no right to push. One that is begun is ended at once, and none is begun unless ``may_write``, so that
    push may be missing in the result.
    """
    granted = []
    for action in login.access:
        allowed = _asked(login, credential, method, action)
        if allowed is None and (action == "pull" or may_write):
            allowed = _probed(login, credential, action)
        if allowed is False:
            raise ForbiddenError(
                f"the credential is good, but gives no right to {action} in the namespace {login.target.namespace}",
                zone=login.target.zone.name,
                step="check access",
                hint=_RIGHTS_ADVICE,
            )
        if allowed is None and may_write:
            raise ServerError(
                f"neither the zone's API nor its registry says whether the credential gives the right to {action} in "
                f"the namespace {login.target.namespace}",
                zone=login.target.zone.name,
                step="check access",
                hint="Try again when the zone is well, or log in without access, which checks no right",
            )
        if allowed:
            granted.append(action)
    return tuple(granted)


def registry_http(login: Login, credential: Credential) -> HttpClient:
    """Return a client for the registry."""
    connection = login.target.connection
    ca_file = connection.registry_ca_cert or connection.ca_cert
    return HttpClient(f"https://{login.registry}", connection, ca_file, credential)


def _asked(login: Login, credential: Credential, method: Method, action: str) -> bool | None:
    if login.target.zone.host is None:
        return None
    from .._openshift.access import may

    # There is another way to find out, so one attempt is enough, and whatever stands against it may.
    try:
        api = api_for(method, credential.secret, attempt_once=True)
        try:
            return may(api, str(login.target.namespace), action)
        finally:
            api.close()
    except AppuioError:
        return None


def _probed(login: Login, credential: Credential, action: str) -> bool | None:
    http = registry_http(login, credential)
    repository = f"/v2/{login.target.namespace}/{_PROBE}"
    step = f"ask for the right to {action}"
    try:
        if action == "pull":
            answer = http.request("GET", f"{repository}/tags/list", step=step)
            return None if is_page(answer) else _verdict(answer.status, (200, 404))
        answer = http.request("POST", f"{repository}/blobs/uploads/", step=step)
        if answer.status == 202:
            location = urlsplit(str(answer.headers.get("location") or ""))
            http.request("DELETE", f"{location.path}?{location.query}", step="end the upload")
        return _verdict(answer.status, (202,))
    finally:
        http.close()


def _verdict(status: int, granted: tuple[int, ...]) -> bool | None:
    return True if status in granted else False if status in (401, 403) else None
