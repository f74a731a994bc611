# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificate authorities and certificates in files, made by trustme."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme


class Authority:
    """Signs certificates; ``ca_file`` is what clients trust."""

    def __init__(self, directory: Path, name: str) -> None:
        self.ca_file = directory / f"{name}.crt"
        self._directory = directory
        self._authority = trustme.CA(organization_name=f"{name} of the local test zones")
        self._authority.cert_pem.write_to_path(self.ca_file)

    def certificate(self, name: str, addresses: list[str], *, expired: bool = False) -> tuple[Path, Path]:
        """Write a server's certificate and key (for the owner only) for these addresses; return their paths."""
        now = datetime.now(UTC)
        begins, ends = now - timedelta(days=2), now + timedelta(days=-1 if expired else 30)
        issued = self._authority.issue_cert(*addresses, common_name=name, not_before=begins, not_after=ends)
        certificate, key = self._directory / f"{name}.crt", self._directory / f"{name}.key"
        certificate.write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
        key.touch(mode=0o600)
        issued.private_key_pem.write_to_path(key)
        return certificate, key
