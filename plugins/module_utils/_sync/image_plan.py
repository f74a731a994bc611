# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done for one image of the set, and what was done, as the module returns it; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from .._errors import AppuioError
from .._push.result import PushPlan


@dataclass
class ImagePlan:
    """One image: what is to be done, or what stands against it; ``done`` is the result of its push.

    ``destinations`` are zone and namespace of each repository that it goes to.
    """

    where: str
    source: str
    name: str
    tags: Sequence[str] = ()
    destinations: Sequence[tuple[str, str]] = ()
    plan: PushPlan | None = None
    error: AppuioError | None = None
    done: Mapping[str, Any] | None = None

    @property
    def changed(self) -> bool:
        """Whether something is to be changed, or was."""
        if self.done is not None:
            return bool(self.done.get("changed"))
        return self.error is None and self.plan is not None and self.plan.changed

    @property
    def size(self) -> int | None:
        """The bytes of all blobs, None where that is not known."""
        return self.plan.image.size if self.plan is not None else None

    def result(self) -> dict[str, Any]:
        """Return what the module returns of the image."""
        found: Mapping[str, Any] = self.done or (self.error.result if self.error else {})
        if self.done is None and self.error is None and self.plan is not None:
            found = self.plan.predict()
        return {
            "entry": self.where,
            "source": found.get("source") or self.source,
            "name": self.name,
            "tags": list(self.tags),
            "digest": found.get("digest"),
            "changed": bool(found.get("changed")),
            "reason": str(self.error) if self.error else found.get("reason"),
            "referrers_left": list(found.get("referrers_left") or ()),
            "zones": list(found.get("zones") or ()),
            "failed": self.error is not None,
            "error": str(self.error) if self.error else None,
        }

    @property
    def warnings(self) -> list[str]:
        """What a user would not expect."""
        found = self.done if self.done is not None else self.plan.predict() if self.plan and not self.error else {}
        return [f"{self.name}: {text}" for text in found.get("warnings") or ()]
