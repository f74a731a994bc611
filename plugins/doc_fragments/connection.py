# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options that say how to reach a server."""

from __future__ import annotations


class ModuleDocFragment:
    """TLS, proxy, patience."""

    DOCUMENTATION = r"""
options:
  validate_certs:
    description:
      - Whether the certificates of the registry and the API have to be trusted.
      - V(false) does not mean that anything is sent without encryption, see O(plain_http).
    type: bool
    default: true
    aliases: [verify_ssl]
  plain_http:
    description:
      - Whether a server that does not speak TLS may be spoken to without it, so that the credential and the image
        cross the network in clear.
      - A server on a loopback address of the host where the module runs may also lack TLS when O(validate_certs) is
        V(false).
    type: bool
    default: false
  ca_cert:
    description:
      - Path of a file with certificate authorities in PEM format, trusted in addition to the system's, for the API
        and, unless O(registry_ca_cert) is set, for the registry.
    type: path
    aliases: [ca_path, ssl_ca_cert]
  registry_ca_cert:
    description:
      - Path of a file with certificate authorities in PEM format for the registry. The route of the registry and
        the API often have different authorities.
      - Defaults to O(ca_cert).
    type: path
  client_cert:
    description: Path of a client certificate in PEM format, which may contain the key.
    type: path
  client_key:
    description: Path of the key of O(client_cert).
    type: path
  proxy:
    description:
      - URL of a proxy, V(http://[user:password@]host:port), or with C(https) for a proxy that is spoken to over TLS.
        Without a port it is 80, or 443 with C(https).
      - Defaults to what E(HTTPS_PROXY), E(ALL_PROXY) and E(NO_PROXY) say. E(NO_PROXY) may hold names, which stand for
        what is below them, too, addresses, and networks like V(10.0.0.0/8).
    type: str
  timeout:
    description: Seconds that a request may take without any progress.
    type: int
    default: 60
  retries:
    description:
      - How often a request is tried again after an answer or a broken connection that may pass, among them the
        statuses 408, 429 and 5xx. C(Retry-After) is honoured, up to two minutes; a server that asks for more is
        an error.
      - An upload that gets on by at least 1 MiB between two breaks has all of them again.
    type: int
    default: 5
  retry_delay:
    description: Seconds before the first retry. The delay doubles with each further one, with some jitter.
    type: float
    default: 1.0
"""
