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
      - Whether to verify the certificates of the registry and the API.
      - With V(false), connections are still encrypted, see O(plain_http).
    type: bool
    default: true
    aliases: [verify_ssl]
  plain_http:
    description:
      - Whether to allow unencrypted connections to a server that does not support TLS. The credential and the image are
        then sent in clear text.
      - If O(validate_certs) is V(false), unencrypted connections to a loopback address of the host where the module
        runs are also allowed.
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
      - URL of a proxy, V(http://[user:password@]host:port), or with C(https) for a proxy that uses TLS. The default
        port is 80, or 443 with C(https).
      - Defaults to the values of E(HTTPS_PROXY), E(ALL_PROXY) and E(NO_PROXY). E(NO_PROXY) can contain names, which
        include their subdomains, addresses, and networks such as V(10.0.0.0/8).
    type: str
  timeout:
    description: Timeout in seconds for a request that makes no progress.
    type: int
    default: 60
  retries:
    description:
      - How often a request is retried after a temporary error, such as a broken connection or one of the statuses 408,
        429 and 5xx. C(Retry-After) is honoured up to two minutes; a longer time is an error.
      - If an upload transfers at least 1 MiB between two errors, the count starts again.
    type: int
    default: 5
  retry_delay:
    description: Seconds before the first retry. The delay doubles with each further retry, with random jitter.
    type: float
    default: 1.0
"""
