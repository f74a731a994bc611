# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Being somebody by a kubeconfig: the token of the user who is logged in (what ``oc whoami -t`` prints)."""

from __future__ import annotations

import os
import threading
from typing import ClassVar

from .._errors import InvalidOptionError
from .._openshift.resources import ApiAddress
from .._targets import Credential, RunContext, Target
from .auth_file import home
from .kubeconfig import Login, load_login
from .method import ApiLogin, Method, ResolvedCredential
from .token import checked_token


class KubeconfigMethod(Method):
    """One or several kubeconfig files, by default those that ``oc`` reads, and a context, by default the zone's."""

    names_a_cluster: ClassVar[bool] = True

    def __init__(
        self,
        target: Target,
        context: RunContext,
        origin: str,
        path: str | None = None,
        named_context: str | None = None,
    ) -> None:
        super().__init__(target, context, origin)
        self.path = path
        self.named_context = named_context
        self._login: Login | None = None
        self._lock = threading.Lock()

    def known_credential(self) -> ResolvedCredential:
        """Return the token that the kubeconfig gives; raises InvalidOptionError where it gives none."""
        login = self._loaded()
        if not login.token:
            raise InvalidOptionError(
                f"user {login.user!r} of {self._files()} has {login.means}, which gives no token that a registry takes",
                hint="Log in with oc login, or name a context that has a token",
            )
        token = checked_token(login.token, f"the token of the context {login.context} in {self._files()}")
        return self.registered(Credential(token, self.username, origin=self.origin))

    def api_login(self) -> ApiLogin:
        """Return the API of the context, trusted and reached as the kubeconfig says where the task does not."""
        login, given = self._loaded(), self.api_connection()
        ca_cert = given.ca_cert or login.ca_cert
        connection = given._replace(
            ca_cert=ca_cert,
            # An authority of the task's own means that it is to be asked for.
            validate_certs=given.validate_certs and (login.verify or bool(given.ca_cert)),
            proxy=given.proxy or login.proxy,
            client_cert=given.client_cert or login.client_cert,
            client_key=given.client_key or login.client_key,
        )
        token = self.known_credential().credential.secret if login.token else None
        return ApiLogin(ApiAddress(login.server, connection, login.tls_server_name), token)

    def _loaded(self) -> Login:
        # An exec plugin is asked once, whoever needs its token first.
        with self._lock:
            if self._login is None:
                self._login = load_login(
                    self._files(), self.named_context, self.target.zone.host, self.context.temporary_directory
                )
                if self._login.token:
                    self.context.register_secret(self._login.token)
            return self._login

    def _files(self) -> str:
        """The file named, else those of KUBECONFIG, else the one in the home directory."""
        environment = self.context.environment
        named = self.path or environment.get("K8S_AUTH_KUBECONFIG") or environment.get("KUBECONFIG")
        return os.path.expanduser(named) if named else os.path.join(home(environment), ".kube", "config")
