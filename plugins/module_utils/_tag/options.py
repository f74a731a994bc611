# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a tag is to point to: the module's options, checked before anybody is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from .._argspec import TARGETS, ArgumentSpec
from .._errors import InvalidOptionError
from .._reference import checked_digest, checked_image_name, checked_namespace, checked_tag, digest_hint, is_digest

SPEC = TARGETS + ArgumentSpec(
    options={
        "name": {"type": "str", "required": True},
        "tag": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent", "rolled_back"], "default": "present"},
        "from": {"type": "str"},
        "to_digest": {"type": "str"},
        "expected_digest": {"type": "str"},
        "revision": {"type": "int", "default": 1},
        "following": {"type": "str", "choices": ["fail", "keep"], "default": "fail"},
        "atomic": {"type": "bool", "default": True},
    },
    required_if=(
        ("state", "present", ("from",)),
        ("state", "rolled_back", ("to_digest", "expected_digest"), True),
    ),
)


@dataclass(frozen=True)
class Origin:
    """Where an image is in the zone: namespace and name where they are not the tag's own, and tag or digest."""

    reference: str
    name: str | None = None
    namespace: str | None = None

    def repository(self, namespace: str, name: str) -> str:
        """Return the repository, for a tag in this namespace and repository."""
        return f"{self.namespace or namespace}/{self.name or name}"


@dataclass(frozen=True)
class TagOptions:
    """What the tag shall point to, the same in every zone."""

    name: str
    tag: str
    state: str = "present"
    origin: Origin | None = None
    to_digest: str | None = None
    expected_digest: str | None = None
    revision: int = 1
    following: str = "fail"
    atomic: bool = True

    @property
    def by_revision(self) -> bool:
        """Whether the tag's own history says what it is to point to."""
        return self.state == "rolled_back" and self.to_digest is None


def parse_options(options: Mapping[str, Any]) -> TagOptions:
    """Return what the options say; raises InvalidOptionError."""
    state = str(options.get("state") or "present")
    name, tag = checked_image_name(str(options["name"])), checked_tag(str(options["tag"]))
    for option, only in (("from", "present"), ("to_digest", "rolled_back")):
        if options.get(option) and state != only:
            raise InvalidOptionError(f"{option} is for state {only}, and state is {state}")
    revision = int(options.get("revision") or 0)
    if revision < 1:
        raise InvalidOptionError(
            "revision is 1 for what the tag pointed to before, 2 for what it pointed to before that, and so on"
        )
    origin = parse_origin(str(options["from"])) if options.get("from") else None
    if origin and origin.reference == tag and origin.namespace is None and origin.name in (None, name):
        raise InvalidOptionError(f"from is the tag {tag} itself")
    return TagOptions(
        name=name,
        tag=tag,
        state=state,
        origin=origin,
        to_digest=_digest(options, "to_digest"),
        expected_digest=_digest(options, "expected_digest"),
        revision=revision,
        following=str(options.get("following") or "fail"),
        atomic=bool(options.get("atomic", True)),
    )


def parse_origin(text: str) -> Origin:
    """Return what ``tag``, ``digest`` or ``[[namespace/]name](:tag|@digest)`` names; raises InvalidOptionError."""
    text = text.strip()
    if text.startswith(("sha256:", "sha512:")):
        return Origin(checked_digest("from", text))
    repository, at, digest = text.partition("@")
    if at:
        if not is_digest(digest):
            raise InvalidOptionError(f"from {text!r} has no digest after the @", hint=digest_hint(digest))
        reference = digest
    else:
        repository, colon, reference = text.rpartition(":")
        if not colon and "/" in text:
            raise InvalidOptionError(f"from {text!r} names no tag", hint=f"Write it like {text}:TAG")
        reference = checked_tag(reference)
    if not repository:
        return Origin(reference)
    namespace, slash, name = repository.rpartition("/")
    if "/" in namespace or "." in namespace or ":" in namespace:
        raise InvalidOptionError(
            f"from {text!r} is not in the same zone", hint="Bring an image from elsewhere with appuio_image_push"
        )
    return Origin(reference, checked_image_name(name), checked_namespace(namespace) if slash else None)


def _digest(options: Mapping[str, Any], name: str) -> str | None:
    value = options.get(name)
    return checked_digest(name, str(value)) if value else None
