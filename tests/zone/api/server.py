# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API side of a zone: who asks, whether they may, and which part answers."""

from __future__ import annotations

from ..http.exchange import Exchange
from ..settings import Settings
from . import errors
from .authentication import ANONYMOUS, Authentication, User
from .call import Call, read_body, read_call
from .discovery import discovery
from .images import ImageViews
from .kinds import IMAGE
from .oauth import GROUP as OAUTH
from .oauth import OAuth
from .projects import Projects
from .rbac import Rbac
from .resources import Answer, Resources
from .reviews import Reviews
from .store import Object, Store
from .watch import watch

_VIEWS = ("imagestreamtags", "imagetags", "imagestreamimages", "imagestreammappings")


class Api:
    """Answers what comes to the API's address."""

    def __init__(
        self,
        store: Store,
        authentication: Authentication,
        rbac: Rbac,
        oauth: OAuth,
        resources: Resources,
        views: ImageViews,
        projects: Projects,
        reviews: Reviews,
        settings: Settings,
    ) -> None:
        self._store, self._authentication, self._rbac, self._oauth = store, authentication, rbac, oauth
        self._resources, self._views, self._projects, self._reviews = resources, views, projects, reviews
        self._settings = settings

    def handle(self, exchange: Exchange) -> None:
        """Answer one request."""
        try:
            self._route(exchange)
        except errors.ApiError as error:
            exchange.reply_json(error.code, error.status(), [("Cache-Control", "no-cache, private")])

    def _route(self, exchange: Exchange) -> None:
        given = exchange.credentials()
        if exchange.fault("revoke_token") and given:
            self._authentication.revoke(given[1], delay=0.0)
        if self._oauth.handle(exchange):
            return
        if exchange.path in ("/healthz", "/readyz", "/livez"):
            exchange.reply(200, b"ok", [("Content-Type", "text/plain; charset=utf-8")])
            return
        user = self._user(exchange)
        exchange.record.user = user.name
        path = exchange.path.rstrip("/") or "/"
        document = discovery(path, exchange.headers.get("Host")) if exchange.method in ("GET", "HEAD") else None
        if document is not None:
            if user is ANONYMOUS and path != "/version":
                raise self._anonymous(exchange)
            exchange.reply_json(200, document)
            return
        call = read_call(exchange, user)
        if call is None:
            if user is ANONYMOUS:
                raise self._anonymous(exchange)
            raise errors.no_such_path()
        self._answer(call)

    def _user(self, exchange: Exchange) -> User:
        if "Authorization" not in exchange.headers:
            return ANONYMOUS
        scheme, _ignored, token = exchange.headers.get("Authorization").partition(" ")
        user = self._authentication.user(token.strip()) if scheme.lower() == "bearer" else None
        if user is None or user is ANONYMOUS:
            raise errors.unauthorized()
        if name := exchange.headers.get("Impersonate-User"):
            if not self._rbac.allowed(user, "impersonate", "", "users", "", name):
                raise errors.no_right(user, "impersonate", "users", "", "", "", name)
            groups = tuple(filter(None, exchange.headers.get("Impersonate-Group").split(", ")))
            return User(name, (*groups, "system:authenticated"))
        return user

    def _answer(self, call: Call) -> None:
        resource = call.resource
        self._authorize(call)
        if call.verb not in resource.verbs and not call.subresource:
            raise errors.method_not_allowed()
        if resource.namespaced and not call.namespace and call.verb not in ("list", "watch"):
            raise errors.method_not_allowed()
        if call.verb == "watch":
            watch(self._store, call, self._settings.watch_seconds)
            return
        read_body(call)
        status, document = self._dispatch(call)
        headers = [("Cache-Control", "no-cache, private")]
        headers += [("Warning", f'299 - "{text}"') for text in (part.replace('"', '\\"') for part in call.warnings)]
        call.exchange.reply_json(status, document, headers)

    def _dispatch(self, call: Call) -> Answer:
        resource = call.resource
        if call.subresource == "token":
            if call.verb != "create":
                raise errors.method_not_allowed()
            return self._reviews.token_request(call)
        if resource.group in ("authentication.k8s.io", "authorization.k8s.io"):
            return self._reviews.review(call)
        if resource.group == "project.openshift.io":
            return self._projects.answer(call)
        if resource.plural == "users" and call.name == "~" and call.verb == "get":
            return 200, self._reviews.whoami(call.user)
        if resource.group == IMAGE and (resource.plural in _VIEWS or call.subresource == "layers"):
            return self._views.answer(call)
        if resource.plural == "useroauthaccesstokens":
            return self._own_tokens(call)
        return self._resources.answer(call)

    def _authorize(self, call: Call) -> None:
        resource = call.resource
        verb = "list" if call.verb == "watch" else call.verb
        allowed = self._rbac.allowed(
            call.user, verb, resource.group, call.rbac_resource, call.rbac_namespace, call.name
        )
        if not allowed:
            raise errors.no_right(
                call.user, call.verb, resource.plural, resource.group, call.subresource, call.rbac_namespace, call.name
            )

    def _own_tokens(self, call: Call) -> Answer:
        """Serve a user's own OAuthAccessTokens."""
        mine = [item for item in self._store.items(OAUTH, "oauthaccesstokens") if item["userName"] == call.user.name]
        shown = [{**item, "kind": "UserOAuthAccessToken"} for item in mine]
        if call.verb == "list":
            return 200, self._resources.listed(call, shown)
        found: Object | None = next((item for item in shown if item["metadata"]["name"] == call.name), None)
        if found is None:
            raise errors.not_found(call.resource.plural, OAUTH, call.name)
        if call.verb == "delete":
            self._store.delete(OAUTH, "oauthaccesstokens", "", call.name)
            self._authentication.revoke_all_of(call.name)
            return 200, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
        return 200, found

    @staticmethod
    def _anonymous(exchange: Exchange) -> errors.ApiError:
        verb = {"GET": "get", "POST": "post", "PUT": "put", "DELETE": "delete"}.get(exchange.method, "get")
        why = f'forbidden: User "{ANONYMOUS.name}" cannot {verb} path "{exchange.path}"'
        return errors.ApiError(403, "Forbidden", why, {})
