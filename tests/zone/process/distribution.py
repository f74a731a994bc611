# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process of a plain registry: the real one, and a thin front that terminates TLS, logs, and can go wrong."""

from __future__ import annotations

import base64
import re
import secrets
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from ..api.signed_token import signed_token
from ..authority import Authority
from ..http.exchange import Exchange
from ..http.faults import FaultList
from ..http.messages import Headers
from ..http.request_log import RequestLog
from ..http.server import Server
from ..registry.store import BlobStore
from ..registry.upstream import Upstream, UpstreamGone
from .child import fail, read_configuration, serve
from .registry import RegistryProcess
from .zone import tls_context

SERVICE = "distribution"
STORE_ADDRESS = "127.0.0.2"  # another host than the registry's, and one that its certificate names
_BLOB = re.compile(r"/v2/.+/blobs/([a-z0-9]+:[0-9a-f]{32,})")


class TokenServer:
    """The token endpoint of a registry with ``auth: token``: GET with Basic, POST of OAuth2, anonymous for pull."""

    def __init__(self, directory: Path, users: dict[str, str], *, anonymous_pull: bool) -> None:
        self._users, self._anonymous_pull = users, anonymous_pull
        authority = Authority(directory, "token-ca")
        certificate, key = authority.certificate("token-server", ["localhost"])
        self.bundle = authority.ca_file
        loaded = serialization.load_pem_private_key(key.read_bytes(), None)
        if not isinstance(loaded, ec.EllipticCurvePrivateKey):
            raise TypeError("the key of a token server is an elliptic one")
        self._key = loaded
        chain = x509.load_pem_x509_certificate(certificate.read_bytes()).public_bytes(serialization.Encoding.DER)
        self._chain = [base64.b64encode(chain).decode()]
        self.token_seconds = 300

    def handle(self, exchange: Exchange) -> None:
        """Answer a request for a token."""
        form = dict(exchange.query)
        if exchange.method == "POST":
            text = exchange.read(65536).decode("latin-1")
            form = {name: " ".join(values) for name, values in parse_qs(text).items()}
            user, password = form.get("username", ""), form.get("password", "")
        else:
            user, password = exchange.basic() if "Authorization" in exchange.headers else ("", "")
        known = bool(user) and self._users.get(user) == password
        if (user and not known) or (not user and not self._anonymous_pull):
            errors = {"errors": [{"code": "UNAUTHORIZED", "message": "wrong user name or password", "detail": None}]}
            exchange.reply_json(401, errors, [("WWW-Authenticate", 'Basic realm="token"')])
            return
        exchange.record.user = user
        access = []
        for scope in form.get("scope", "").split(" "):
            kind, _ignored, rest = scope.partition(":")
            name, _ignored, actions = rest.rpartition(":")
            if kind:
                granted = [action for action in actions.split(",") if known or action == "pull"]
                access.append({"type": kind, "name": name, "actions": granted})
        now = int(time.time())
        claims = {
            "iss": "test", "sub": user, "aud": form.get("service", SERVICE), "iat": now, "nbf": now - 5,
            "exp": now + self.token_seconds, "jti": secrets.token_hex(8), "access": access,
        }  # fmt: skip
        token = signed_token({"alg": "ES256", "typ": "JWT", "x5c": self._chain}, claims, self._sign)
        answer = {"token": token, "access_token": token, "expires_in": self.token_seconds}
        exchange.reply_json(200, answer)

    def _sign(self, message: bytes) -> bytes:
        first, second = utils.decode_dss_signature(self._key.sign(message, ec.ECDSA(hashes.SHA256())))
        return first.to_bytes(32, "big") + second.to_bytes(32, "big")


class DistributionControl:
    """What tests may do to a plain registry."""

    in_main_thread = ("restart_registry",)

    def __init__(self, configuration: dict[str, Any]) -> None:
        directory = Path(configuration["directory"])
        self._faults, self._log = FaultList(), RequestLog()
        self._scheme = "https" if configuration["certificate"] else "http"
        self._tokens: TokenServer | None = None
        extra: dict[str, Any] = {}
        tls = tls_context(configuration["certificate"], configuration["key_file"]) if self._scheme == "https" else None
        self.server = Server("registry", "127.0.0.1", tls, self._handle, faults=self._faults, log=self._log)
        self.server.start()
        # Distribution wants bcrypt for htpasswd, which Python has not: the front asks for the password instead.
        self._passwords: dict[str, str] | None = configuration["users"] if configuration["auth"] == "basic" else None
        if configuration["auth"] == "token":
            self._tokens = TokenServer(
                directory, configuration["users"], anonymous_pull=configuration["anonymous_pull"]
            )
            realm = f"{self._scheme}://127.0.0.1:{self.server.port}/token"
            bundle = str(self._tokens.bundle)
            extra["auth"] = {"token": {"realm": realm, "service": SERVICE, "issuer": "test", "rootcertbundle": bundle}}
        self._registry = RegistryProcess(directory, http_secret=secrets.token_hex(32), extra=extra)
        self._registry.start()
        self._store: BlobStore | None = None
        self.store_server: Server | None = None
        if configuration["redirect_blobs"]:
            self._store = BlobStore(self._registry.blob_file)
            self.store_server = Server(
                "store", STORE_ADDRESS, tls, self._store.handle, faults=self._faults, log=self._log
            )
            self.store_server.start()
            self._store.origin = f"{self._scheme}://{STORE_ADDRESS}:{self.store_server.port}"

    def _handle(self, exchange: Exchange) -> None:
        if self._tokens is not None and exchange.path == "/token":
            self._tokens.handle(exchange)
            return
        if self._passwords is not None:
            user, password = exchange.basic() if "Authorization" in exchange.headers else ("", "")
            if not user or self._passwords.get(user) != password:
                refusal = {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required", "detail": None}]}
                exchange.reply_json(401, refusal, [("WWW-Authenticate", 'Basic realm="distribution"')])
                return
            exchange.record.user = user
        upstream = exchange.local.setdefault("upstream", Upstream(lambda: self._registry.address))
        headers = Headers(list(exchange.headers.fields))
        headers.set("X-Forwarded-Proto", self._scheme)
        if self._passwords is not None:
            headers.remove("Authorization")
        try:
            if self._store is not None and (digest := self._redirected(exchange, upstream, headers)):
                self._store.redirect(exchange, digest, [("Docker-Distribution-Api-Version", "registry/2.0")])
                return
            answer = upstream.request(
                exchange.method, exchange.target, headers, exchange.blocks(), length=exchange.body.length
            )
        except UpstreamGone:
            exchange.reply(502, b"", [])
            return
        upstream.pass_on(exchange, answer)

    @staticmethod
    def _redirected(exchange: Exchange, upstream: Upstream, headers: Headers) -> str:
        """Return the digest of the blob that is asked for, when it is there and may be had; else nothing."""
        found = _BLOB.fullmatch(exchange.path) if exchange.method in ("GET", "HEAD") else None
        if found is None:
            return ""
        answer = upstream.request("HEAD", exchange.target, Headers(list(headers.fields)))
        return found[1] if answer.status in (200, 206) else ""

    def requests(self) -> list[dict[str, Any]]:
        """Return the request log."""
        return self._log.records()

    def clear_requests(self) -> None:
        """Forget the request log."""
        self._log.clear()

    def add_fault(self, **options: Any) -> int:
        """Add a fault and return its number."""
        return self._faults.add(**options)

    def remove_fault(self, identity: int) -> None:
        """Take a fault away."""
        self._faults.remove(identity)

    def clear_faults(self) -> None:
        """Take all faults away."""
        self._faults.clear()

    def fault_hits(self, identity: int) -> int:
        """Return how often a fault hit."""
        return self._faults.hits(identity)

    def restart_registry(self) -> None:
        """Kill the registry and start it again on its storage."""
        self._registry.restart()

    def stop_side(self) -> None:
        """Refuse and break connections."""
        self.server.stop()

    def start_side(self) -> None:
        """Listen again, on the same port."""
        if not self.server.running:
            self.server.start()

    def token_seconds(self, seconds: int) -> None:
        """Let tokens live so long from now on."""
        if self._tokens is None:
            raise ValueError("this registry has no token server")
        self._tokens.token_seconds = seconds

    def shut_down(self) -> None:
        """Stop everything."""
        self.server.stop()
        if self.store_server is not None:
            self.store_server.stop()
        self._registry.stop()


def main() -> None:
    """Run a registry until the parent is gone."""
    configuration = read_configuration()
    try:
        control = DistributionControl(configuration)
    except Exception as error:  # the parent tells it to the user
        fail(error)
        raise
    serve(control, configuration["key"], {"registry": f"127.0.0.1:{control.server.port}"}, control.shut_down)


if __name__ == "__main__":
    main()
