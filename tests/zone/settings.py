# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How unkind a zone is: what differs between clusters, or takes longer in life than tests want to wait."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

TAG_QUOTAS = ("ignored", "counted", "enforced")

# The times of a real zone, for ``zone.configure(**REAL_TIMES)``.
REAL_TIMES: dict[str, Any] = {
    "revocation_delay": 10.0,
    "user_revocation_delay": 120.0,
    "missing_blob_delay": 3.0,
    "limit_cache": 60.0,
    "terminating_seconds": 5.0,
    "answer_seconds": 30.0,
    "idle_seconds": 300.0,
}


@dataclass
class Settings:
    """Settings of one zone; its parts share the object, so that a change acts at once."""

    revocation_delay: float = 0.0
    """Seconds for which the token of a service account is still taken after its end (in life 10)."""
    user_revocation_delay: float | None = None
    """The same for tokens of users (in life 120); None: as ``revocation_delay``."""
    missing_blob_delay: float = 0.05
    """Seconds for each blob that a manifest names and that is not there (in life 3)."""
    token_delay: float = 0.2
    """Seconds until the controllers fill token Secrets and make pull Secrets; 0: a token is there at once."""
    answer_seconds: float | None = None
    """Seconds for which the route in front of the registry waits for an answer (in life 30), then 504; None: for ever.

    What was asked is done all the same. A ``delay`` that is longer is not waited for."""
    idle_seconds: float | None = None
    """Seconds for which the route keeps a connection without requests (in life 300); 0: it closes each after its
    answer, unannounced; None: it keeps them."""
    watch_seconds: float | None = None
    """Seconds after which the API ends a watch, whatever was asked for; None: as asked."""
    limit_cache: float = 0.0
    """Seconds for which the registry remembers the LimitRanges of a namespace (in life 60)."""
    terminating_seconds: float = 0.0
    """Seconds for which a deleted namespace is Terminating; 0: it is gone at once."""
    continue_seconds: float | None = None
    """Seconds after which the ``continue`` token of a list is answered with 410 Expired; None: never."""
    tag_quota: str = "counted"
    """What becomes of ``openshift.io/imagestreamtags`` in a ResourceQuota: "ignored", "counted" or "enforced"."""
    redirect_blobs: bool = False
    """Whether a GET of a blob is answered with 307 to a store on another port, as with S3 storage."""
    password_flow: bool = True
    """Whether the OAuth server takes passwords; False: the zone signs in elsewhere."""

    def __post_init__(self) -> None:
        if self.tag_quota not in TAG_QUOTAS:
            raise ValueError(f"tag_quota is one of {', '.join(TAG_QUOTAS)}")

    def change(self, **settings: Any) -> None:
        """Change some settings; raises ValueError for what is none."""
        known = asdict(self)
        for name in settings:
            if name not in known:
                raise ValueError(f"{name} is none of {', '.join(known)}")
        self.__dict__.update(asdict(Settings(**{**known, **settings})))
