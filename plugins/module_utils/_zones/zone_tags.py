# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tags of one zone that are to move: each is read right before, and can be put back.

A registry has no condition on a PUT (OCI Distribution Specification 1.1, "Pushing manifests").
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Callable, Protocol, Sequence

from .._errors import AppuioError, ForbiddenError, NotFoundError, UnauthorizedError
from .._signals import LONGEST_HOLD, held

# Seconds that a signal to stop waits for the answer of a registry that is moving a tag.
_REFUSED = (ForbiddenError, UnauthorizedError)


class TaggedManifest(Protocol):
    """A manifest with its bytes, as a source or a registry gives it."""

    @property
    def digest(self) -> str:
        """Digest of the bytes."""

    @property
    def media_type(self) -> str:
        """Media type of the manifest."""

    @property
    def content(self) -> bytes:
        """The bytes."""


class TagRegistry(Protocol):
    """What is asked of a registry; ``_registry.client.RegistryClient`` is one."""

    def head_manifest(self, repository: str, tag: str) -> TaggedManifest | None:
        """Return what a tag points to, None for no tag; raises AppuioError."""

    def get_manifest(self, repository: str, reference: str) -> TaggedManifest | None:
        """Return the same with its bytes; raises AppuioError."""

    def put_manifest(self, repository: str, reference: str, content: bytes, media_type: str) -> str:
        """Put a manifest under a tag; raises AppuioError."""


class TagState(Enum):
    """How far one tag is; ``BEGUN`` is all that is known where no answer came."""

    WAITING = "waiting"
    SAME = "same"
    KEPT = "kept"
    BEGUN = "begun"
    MOVED = "moved"
    RESTORED = "restored"
    OVERTAKEN = "overtaken"


@dataclass
class TagUpdate:
    """One tag of one zone: what it pointed to when that was planned, and what it shall point to.

    ``before`` is None where there was no such tag. A tag is only removed where ``remove`` says so: an update without
    a manifest is refused. With ``keep_existing``, a tag that somebody else has made meanwhile stays as it is.
    """

    tag: str
    before: str | None
    manifest: TaggedManifest | None = None
    remove: bool = False
    keep_existing: bool = False
    state: TagState = TagState.WAITING
    now: str | None = None
    original: TaggedManifest | None = field(default=None, repr=False)
    refused: bool = False

    def __post_init__(self) -> None:
        if (self.manifest is None) is not self.remove:
            raise ValueError(f"the tag {self.tag} is either to point to a manifest or to be removed")

    @property
    def after(self) -> str | None:
        """The digest that the tag shall point to; None where it is to be removed."""
        return self.manifest.digest if self.manifest is not None else None

    @property
    def moves(self) -> bool:
        """Whether the tag pointed to something else before."""
        return self.after != self.before or self.remove


@dataclass
class ZoneTags:
    """The tags of one repository of one zone; the fields from ``error`` on say what has become of them.

    ``address`` is the registry's, which decides the order over all zones. ``remove_tag`` removes a tag through the
    zone's API, as a registry refuses that to everyone but pruners. ``put`` is how a manifest is put under a tag where
    more than one request may be needed.
    """

    zone: str
    address: str
    registry: TagRegistry
    repository: str
    updates: Sequence[TagUpdate]
    remove_tag: Callable[[str], None]
    put: Callable[[TaggedManifest, str], None] | None = None
    error: AppuioError | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether a tag is known to be other than before."""
        return any(update.state is TagState.MOVED for update in self.updates)

    @property
    def rolled_back(self) -> bool:
        """Whether a tag was put back."""
        return any(update.state is TagState.RESTORED for update in self.updates)

    def points_to(self, tag: str) -> str | None:
        """Return the digest that a tag points to now."""
        found = self.registry.head_manifest(self.repository, tag)
        return found.digest if found is not None else None

    def move_all(self) -> None:
        """Move the tags one after the other, in the order given; raises AppuioError at the first that fails."""
        for update in self.updates:
            self.move(update)

    def move(self, update: TagUpdate) -> None:
        """Move a tag if it still points to what it did; raises AppuioError."""
        update.now = self.points_to(update.tag)
        if update.now == update.after != update.before:
            update.state = TagState.SAME  # somebody else has done it, so it is not ours to put back
        elif update.now != update.before:
            if not update.keep_existing or update.now is None:
                raise self._moved_meanwhile(update)
            update.state = TagState.KEPT
        else:
            update.state = TagState.BEGUN
            try:
                # A registry goes on with a request that is cut, and could move the tag after it was looked at.
                with held(LONGEST_HOLD):
                    self.apply(update)
                    update.now, update.state = update.after, TagState.MOVED
            except _REFUSED:
                update.refused = True
                raise

    def apply(self, update: TagUpdate) -> None:
        """Put what the tag shall point to, or remove it; raises AppuioError."""
        if update.manifest is None:
            self.remove_tag(update.tag)
        elif self.put is not None:
            self.put(update.manifest, update.tag)
        else:
            self.registry.put_manifest(self.repository, update.tag, update.manifest.content, update.manifest.media_type)

    def remember(self) -> None:
        """Read what the tags point to, as it cannot be read by digest for certain once they have moved."""
        for update in self.updates:
            if update.before is None:
                update.now = self.points_to(update.tag)
            else:
                update.original = self.registry.get_manifest(self.repository, update.tag)
                update.now = update.original.digest if update.original is not None else None
            if update.now not in (update.before, update.after) and not update.keep_existing:
                raise self._moved_meanwhile(update)

    def restore(self, update: TagUpdate) -> None:
        """Put back what a tag pointed to, if it points to what was put there; raises AppuioError."""
        update.now = self.points_to(update.tag)
        if update.now != update.after or not update.moves:
            overtaken = update.state is TagState.MOVED and update.now != update.before
            update.state = TagState.OVERTAKEN if overtaken and update.moves else TagState.WAITING
            return
        update.state = TagState.MOVED
        if update.before is None:
            if update.remove:
                raise NotFoundError("it pointed to no image")
            self.remove_tag(update.tag)
        else:
            before = update.original or self.registry.get_manifest(self.repository, update.before)
            if before is None:
                raise NotFoundError("the registry does not have any more what it pointed to")
            self.registry.put_manifest(self.repository, update.tag, before.content, before.media_type)
        update.now, update.state = update.before, TagState.RESTORED

    def _moved_meanwhile(self, update: TagUpdate) -> AppuioError:
        return AppuioError(
            f"the tag {update.tag} was moved meanwhile, from {update.before or 'nothing'} to {update.now or 'nothing'}",
            zone=self.zone,
            step="move the tag",
            hint="It was left as it is: check what it points to, and run this again if that is to be replaced",
        )
