# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Secrets with a service account's tokens: read, made, waited for, marked, deleted.

Source: Kubernetes documentation, "Managing Service Accounts", token controller: it fills a Secret of type
``kubernetes.io/service-account-token`` a moment after it was made, and deletes one whose service account is
not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable

from .._errors import AppuioError, ConflictError, ForbiddenError, NotFoundError
from . import resources
from .client import Api
from .objects import Definition, LiveObject, is_token_of, named
from .tokens import SECRET_TYPE, token_of_secret

ROLE = "The role appuio.registry.image_pusher makes one"
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0


@dataclass(frozen=True)
class AccountSecrets:
    """The Secrets of one service account; ``now`` and ``sleep`` are in seconds."""

    api: Api
    namespace: str
    account: str
    now: Callable[[], float]
    sleep: Callable[[float], None]

    def service_account(self) -> LiveObject | None:
        """Return the service account, None where it may not be read; raises NotFoundError that tells who makes one."""
        try:
            return self.api.get(
                resources.SERVICE_ACCOUNT, self.namespace, self.account, step="read the service account"
            )
        except ForbiddenError:
            return None
        except NotFoundError as missing:
            raise self._no_account(missing.server_message) from None

    def read(self, first: str) -> list[LiveObject]:
        """Return all token Secrets of the namespace, and the Secret ``first`` whatever its type; raises AppuioError."""
        step = "read the Secrets"
        selector = f"type={SECRET_TYPE}"
        try:
            found: list[LiveObject] = list(
                self.api.items(resources.SECRET, self.namespace, step=step, field_selector=selector)
            )
        except ForbiddenError as refused:
            refused.hint = (
                "Use the credentials of an admin or editor of the namespace. One that does not exist looks the same"
            )
            raise
        if named(found, first) is None:
            try:
                found.append(self._secret(first, step))
            except NotFoundError:
                pass
        return found

    def make(self, definition: Definition) -> None:
        """Make a Secret; one that an earlier attempt of this request has made is as good. Raises AppuioError."""
        name = str(definition["metadata"]["name"])
        try:
            self.api.create(resources.SECRET, self.namespace, definition, step=f"make the Secret {name}")
        except ConflictError:
            if not is_token_of(self._secret(name, "read the Secret"), self.account):
                raise AppuioError(
                    f"the Secret {name} is there and is no token of the service account {self.account}",
                    step=f"make the Secret {name}",
                    hint="Choose another secret_name, or delete that Secret",
                ) from None

    def wait(self, name: str, seconds: float) -> str:
        """Return the token as soon as the Secret holds one; raises AppuioError when it does not come, or vanishes."""
        step = f"wait for the token in the Secret {name}"
        end = self.now() + seconds
        pause = FIRST_PAUSE
        while True:
            token = self.token(name, step)
            if token:
                return token
            left = end - self.now()
            if left <= 0:
                raise AppuioError(
                    f"there is none after {seconds:g} seconds",
                    step=step,
                    hint="The cluster's token controller puts it there, usually within a second: try again, "
                    "or wait longer with wait_timeout",
                )
            self.sleep(min(pause, left))
            pause = min(pause * 2, LONGEST_PAUSE)

    def token(self, name: str, step: str = "read the Secret") -> str:
        """Return the token that a Secret holds, empty where it holds none yet; raises AppuioError where it is gone."""
        try:
            return token_of_secret(self._secret(name, step))
        except NotFoundError:
            self.service_account()
            raise NotFoundError(
                f"the Secret {name} vanished. OpenShift deletes the Secret of a token when its service account is "
                f"not there, so somebody has deleted {self.account}, and made it again",
                step=step,
                hint="Run this again",
            ) from None

    def change(self, change: Mapping[str, Any]) -> None:
        """Merge a change into a Secret; raises AppuioError."""
        name = str(change["metadata"]["name"])
        self.api.merge(resources.SECRET, self.namespace, name, change, step=f"change the Secret {name}")

    def delete(self, name: str) -> None:
        """Delete a Secret, which ends its token; no trouble where it is gone. Raises AppuioError."""
        try:
            self.api.delete(resources.SECRET, self.namespace, name, step=f"delete the Secret {name}")
        except NotFoundError:
            pass

    def _secret(self, name: str, step: str) -> dict[str, Any]:
        return self.api.get(resources.SECRET, self.namespace, name, step=step)

    def _no_account(self, server_message: str | None) -> NotFoundError:
        return NotFoundError(
            f"there is no service account {self.account} in the namespace {self.namespace}",
            step="read the service account",
            server_message=server_message,
            hint=ROLE,
        )
