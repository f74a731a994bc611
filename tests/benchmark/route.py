# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""haproxy in front of a registry, as OpenShift's router has it there: a route that ends TLS and begins it again."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from tests.zone.authority import Authority
from tests.zone.process.registry import die_with_parent

# Time limits, buffers and the two frontends are those of the router's template for a route that re-encrypts.
_CONFIGURATION = """global
  maxconn 200
  nbthread 4
  tune.maxrewrite 8192
  tune.bufsize 32768
  ssl-default-bind-options ssl-min-ver TLSv1.2

defaults
  maxconn 200
  timeout connect 5s
  timeout client 30s
  timeout client-fin 1s
  timeout server 30s
  timeout server-fin 1s
  timeout http-request 10s
  timeout http-keep-alive 300s
  timeout tunnel 1h

frontend public_ssl
  mode tcp
  bind fd@{listener}
  tcp-request inspect-delay 5s
  tcp-request content accept if {{ req_ssl_hello_type 1 }}
  default_backend be_no_sni

backend be_no_sni
  mode tcp
  server fe_no_sni unix@{inner} weight 1 send-proxy

frontend fe_no_sni
  mode http
  bind unix@{inner} ssl crt {certificate} accept-proxy
  default_backend be_secure

backend be_secure
  mode http
  balance leastconn
  http-request add-header X-Forwarded-Host %[req.hdr(host)]
  http-request add-header X-Forwarded-Port %[dst_port]
  http-request add-header X-Forwarded-Proto https
  http-request add-header X-Forwarded-For %[src]
  server pod {backend} ssl verifyhost localhost verify required ca-file {authority} weight 1
"""


class NoRoute(Exception):
    """There is no haproxy, or it does not run."""


def haproxy_program() -> str:
    """Return the path of haproxy, which Debian keeps where only root looks; raises NoRoute."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    found = shutil.which("haproxy", path=path)
    if found is None:
        raise NoRoute("haproxy is not installed")
    return found


class Route:
    """A haproxy on an ``address`` (a port is chosen) before a registry on ``backend``, which speaks TLS.

    ``host`` is what clients connect to, ``ca_file`` what they have to trust.
    """

    def __init__(self, folder: Path, address: str, backend: str, backend_ca: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._inner = folder / "haproxy.sock"
        self._backend, self._backend_ca = backend, backend_ca
        authority = Authority(folder, "route-ca")
        certificate, key = authority.certificate("route", [address])
        self._certificate = folder / "route.pem"
        self._certificate.touch(mode=0o600)
        self._certificate.write_bytes(certificate.read_bytes() + key.read_bytes())
        self.ca_file = authority.ca_file
        # We listen, not haproxy: so the port is known, and nobody is refused while it starts.
        self._listener = socket.create_server((address, 0), backlog=512)
        self.host = f"{address}:{self._listener.getsockname()[1]}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start haproxy; raises NoRoute with what it says of the configuration."""
        program = haproxy_program()
        file = self._folder / "haproxy.cfg"
        file.write_text(
            _CONFIGURATION.format(
                listener=self._listener.fileno(),
                inner=self._inner,
                certificate=self._certificate,
                backend=self._backend,
                authority=self._backend_ca,
            )
        )
        log = self._folder / "haproxy.log"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [program, "-db", "-f", str(file)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[self._listener.fileno()],
                preexec_fn=die_with_parent,
            )
        # The inner frontend's socket gets its name once haproxy listens on it.
        while not self._inner.exists():
            if self._process.poll() is not None:
                break
            time.sleep(0.01)
        else:
            return
        self.stop()
        raise NoRoute(f"haproxy does not start: {' '.join(log.read_text(errors='replace').split())[-500:]}")

    def stop(self) -> None:
        """Stop it; safe to call twice."""
        self._listener.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
