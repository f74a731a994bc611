# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service account and the Secrets with its tokens: read, created, waited for.

Source: Kubernetes documentation, "Managing Service Accounts", token controller: it fills a Secret of type
``kubernetes.io/service-account-token`` a moment after it was created, and deletes one whose service account is
not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Callable

from .._errors import AppuioError, ConflictError, ForbiddenError, NotFoundError
from .._http.retry import Clock
from .._openshift import resources
from .._openshift.client import Api
from .._signals import check_stop
from .apply_steps import apply_step, apply_steps, note_changes
from .objects import TOKEN_SECRET, LiveObject, is_ours, is_token_of, named, normalised
from .steps import CREATE, Step, Steps
from .token_plan import definition_of, retired_at
from .tokens import SecretOptions, is_dead, mark_dead, next_name, number_of, token_of_secret

CREATOR = "The module appuio_registry_account creates one, and so does the role appuio.registry.image_pusher"
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0
MOST_NAMES = 100


class SecretVanishedError(NotFoundError):
    """A token's Secret was deleted while its token was waited for."""


@dataclass(frozen=True)
class AccountSecrets:
    """The Secrets of one service account; ``options`` say which they are."""

    api: Api
    options: SecretOptions
    clock: Clock

    def service_account(self) -> LiveObject | None:
        """Return the service account, None where it may not be read; raises NotFoundError that tells who creates it."""
        try:
            return self._account()
        except ForbiddenError:
            return None
        except NotFoundError as missing:
            raise self._no_account(NotFoundError, missing.server_message) from None

    def possible_account(self) -> LiveObject | None:
        """Return the service account, None where it is not there; raises AppuioError."""
        try:
            return self._account()
        except NotFoundError:
            return None

    def read(self) -> list[LiveObject]:
        """Return all token Secrets of the namespace, and the first one whatever its type; raises AppuioError."""
        step = "read the Secrets"
        listed = self._listed(step)
        found = [one for one in map(normalised, listed) if one is not None]
        if named(found, self.options.secret_name) is None:
            try:
                first = normalised(self._secret(self.options.secret_name, step))
            except NotFoundError:
                first = None
            found += [first] if first is not None else []
        return found

    def marked(self, found: Sequence[LiveObject], account: LiveObject | None) -> list[LiveObject]:
        """Return the Secrets, with a mark on dead ones; ``account`` is as it was read. Raises AppuioError."""
        return mark_dead(self.api, self.options.namespace, self.options.service_account, found, account)

    def apply(
        self,
        plan: Steps,
        secret_name: str,
        found: Sequence[LiveObject],
        warn: Callable[[str], None],
        wait_timeout: float | None,
    ) -> tuple[str, str | None]:
        """Carry a plan out and return the name of the Secret with the token, and the token; raises AppuioError.

        The new Secret comes first, then its token is waited for (not where ``wait_timeout`` is None), and only then
        are old ones marked and deleted.
        """
        secret_name = self.apply_early(plan, warn, secret_name, found)
        token = token_of_secret(named(found, secret_name) or {}) if secret_name else ""
        with note_changes(any(not step.late for step in plan.steps)):
            if secret_name and not token:
                token = self.token(secret_name) if wait_timeout is None else self.wait(secret_name, wait_timeout)
        self.apply_late(plan, warn)
        return secret_name, token or None

    def apply_early(
        self, plan: Steps, warn: Callable[[str], None], secret_name: str = "", found: Sequence[LiveObject] = ()
    ) -> str:
        """Carry out the steps that the token needs; return the name that its Secret has got. Raises AppuioError."""
        done = False
        for step in plan.in_order():
            if step.late:
                continue
            with note_changes(done):
                if step.verb == CREATE and step.kind == "Secret" and step.name == secret_name:
                    secret_name = self._create(step, found)
                else:
                    apply_step(self.api, self.options.namespace, step, warn)
            done = True
        return secret_name

    def apply_late(self, plan: Steps, warn: Callable[[str], None]) -> None:
        """Carry out the steps that wait for the token; raises AppuioError."""
        late = [step for step in plan.in_order() if step.late]
        with note_changes(len(late) < len(plan.steps)):
            apply_steps(self.api, self.options.namespace, late, warn)

    def wait(self, name: str, seconds: float) -> str:
        """Return the token as soon as the Secret holds one; raises AppuioError when it does not come, or vanishes."""
        step = f"wait for the token in the Secret {name}"
        end = self.clock.now() + seconds
        pause = FIRST_PAUSE
        while True:
            token = self.token(name, step)
            if token:
                return token
            check_stop(step)
            rest = end - self.clock.now()
            if rest <= 0:
                raise AppuioError(
                    f"the Secret {name} has no token after {seconds:g} seconds",
                    step=step,
                    hint="The cluster's token controller puts it there, usually within a second: try again, "
                    "or wait longer with wait_timeout",
                )
            self.clock.sleep(min(pause, rest))
            pause = min(pause * 2, LONGEST_PAUSE)

    def token(self, name: str, step: str = "read the Secret") -> str:
        """Return the token that a Secret holds, empty where it holds none yet; raises AppuioError where it is gone."""
        secret = self._there(name, step)
        token = token_of_secret(secret) if secret else ""
        if secret and not (token and is_dead(secret)):
            return token
        try:
            self.service_account()
        except NotFoundError as missing:
            raise self._no_account(SecretVanishedError, missing.server_message) from None
        raise SecretVanishedError(
            f"the Secret {name} vanished. OpenShift deletes the Secret of a token when its service account is "
            f"not there, so somebody has deleted {self.options.service_account}, and made it again",
            step=step,
            hint="Run this again",
        )

    def _create(self, step: Step, found: Sequence[LiveObject]) -> str:
        """Create a token's Secret, never by merging into one that is there; return the name that it has got.

        What this request, or another run for the same account, has created before is as good. Any other Secret of
        the name is left alone, and the next number is taken.
        """
        options, name = self.options, step.name
        seen = list(found)
        for _attempt in range(MOST_NAMES):
            check_stop(f"create the Secret {name}")
            try:
                definition = definition_of(options, name)
                self.api.create(resources.SECRET, options.namespace, definition, step=f"create the Secret {name}")
                return name
            except ConflictError as conflict:
                there = self._there(name)
                if there is not None:
                    ours = is_ours(there) and is_token_of(there, options.service_account)
                    if ours and not retired_at(there) and not is_dead(there):
                        return name
                    if name == options.secret_name and not is_token_of(there, options.service_account):
                        raise AppuioError(
                            f"the Secret {name} is there and is no token of the service account "
                            f"{options.service_account}",
                            step=f"create the Secret {name}",
                            hint="Choose another secret_name, or delete that Secret",
                        ) from None
                    seen.append(there)
                    name = next_name(options, None, seen, number_of(options, name) + 1)
                last = conflict
        raise last

    def _there(self, name: str, step: str = "read the Secret") -> LiveObject | None:
        try:
            found = normalised(self._secret(name, step))
        except NotFoundError:
            return None
        return self.marked([found], None)[0] if found is not None else None

    def _account(self) -> LiveObject | None:
        options = self.options
        found = self.api.get(
            resources.SERVICE_ACCOUNT, options.namespace, options.service_account, step="read the service account"
        )
        return normalised(found)

    def _no_account(self, kind: type[NotFoundError], words: str | None) -> NotFoundError:
        options = self.options
        return kind(
            f"there is no service account {options.service_account} in the namespace {options.namespace}",
            step="read the service account",
            server_message=words,
            hint=CREATOR,
        )

    def _listed(self, step: str) -> list[dict[str, Any]]:
        selector = f"type={TOKEN_SECRET}"
        try:
            return list(self.api.items(resources.SECRET, self.options.namespace, step=step, field_selector=selector))
        except ForbiddenError as refused:
            refused.hint = (
                "Use the credentials of an admin or editor of the namespace. One that does not exist looks the same"
            )
            raise

    def _secret(self, name: str, step: str) -> dict[str, Any]:
        return self.api.get(resources.SECRET, self.options.namespace, name, step=step)
