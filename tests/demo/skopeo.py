# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What skopeo, a client of its own, reads from a zone with the credentials that the login has left."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.demo.playbooks import ScenarioFailed
from tests.zone import Zone

TOKEN_CACHE = 600.0


class Skopeo:
    """Looks at one repository of each zone with the pusher's token from the auth file."""

    def __init__(self, auth_file: Path, certificates: Path, repository: str) -> None:
        self._auth_file = auth_file
        self._certificates = certificates
        self._repository = repository
        if not shutil.which("skopeo"):
            raise ScenarioFailed("skopeo is missing. Install it with: apt-get install skopeo")

    def tags(self, zone: Zone) -> list[str]:
        """Return the tags that the zone lists."""
        listed = json.loads(self._read(zone, "list-tags", self._reference(zone)))
        return sorted(listed["Tags"])

    def digest(self, zone: Zone, tag: str) -> str:
        """Return the digest of the bytes that stand under a tag."""
        raw = self._read(zone, "inspect", "--raw", f"{self._reference(zone)}:{tag}")
        return f"sha256:{hashlib.sha256(raw).hexdigest()}"

    def may_read(self, zone: Zone, tag: str) -> bool:
        """Whether the token still reads the image."""
        return self._run(zone, "inspect", "--raw", f"{self._reference(zone)}:{tag}").returncode == 0

    def may_push(self, zone: Zone) -> bool:
        """Whether the registry lets the token begin an upload."""
        return self._ask(zone, "POST", f"/v2/{self._repository}/blobs/uploads/") == 202

    def token_ends(self, zone: Zone) -> bool:
        """Whether the registry stops accepting the token; OpenShift remembers one for about ten seconds."""
        until = time.monotonic() + TOKEN_CACHE
        while time.monotonic() < until:
            if not self._accepts(zone):
                return True
            time.sleep(0.5)
        return False

    def _reference(self, zone: Zone) -> str:
        return f"docker://{zone.registry}/{self._repository}"

    def _read(self, zone: Zone, *command: str) -> bytes:
        ended = self._run(zone, *command)
        if ended.returncode:
            raise ScenarioFailed(f"skopeo {command[0]} in {zone.name}: {ended.stderr.decode(errors='replace').strip()}")
        return ended.stdout

    def _run(self, zone: Zone, *command: str) -> subprocess.CompletedProcess[bytes]:
        verb, *rest = command
        self._certificates.mkdir(exist_ok=True)
        shutil.copy(zone.registry_ca_file, self._certificates / "ca.crt")
        trusted = ["--cert-dir", str(self._certificates), "--authfile", str(self._auth_file)]
        return subprocess.run(["skopeo", verb, *trusted, *rest], capture_output=True, check=False)

    def _accepts(self, zone: Zone) -> bool:
        return self._ask(zone, "GET", "/v2/") == 200

    def _ask(self, zone: Zone, method: str, path: str) -> int:
        """Return the status that the registry answers to the pusher's token."""
        entry = json.loads(self._auth_file.read_text())["auths"][zone.registry]
        token = base64.b64decode(entry["auth"]).decode().partition(":")[2]
        headers = {"Authorization": f"Bearer {token}"}
        request = urllib.request.Request(f"https://{zone.registry}{path}", method=method, headers=headers)
        try:
            context = ssl.create_default_context(cafile=zone.registry_ca_file)
            with urllib.request.urlopen(request, context=context) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            return refused.code
