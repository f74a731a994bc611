# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""References to images; pure.

Source: OCI Distribution Specification 1.1, "Pulling manifests" (names, tags), and the reference grammar
of CNCF Distribution (``docs.docker.com`` calls it the image name) with Docker's defaults.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ._errors import InvalidOptionError, without_userinfo

DOCKER_HUB = "docker.io"
DEFAULT_TAG = "latest"

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_COMPONENT_PATTERN = re.compile(_COMPONENT)
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
# A digest as people and reports shorten it.
_SHORT_DIGEST = re.compile(r"(sha256:)?[0-9a-f]{6,63}(\.\.\.|…)?")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"(?:\[[0-9a-fA-F:.]+\]|{_LABEL}(?:\.{_LABEL})*)(?::[0-9]{{1,5}})?")
_SEPARATOR_REFUSED_BY_OPENSHIFT = re.compile(r"__|--")


class Reference(NamedTuple):
    """A registry (``host[:port]``), a repository in it and, where they are said, a tag and a digest."""

    registry: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    @property
    def name(self) -> str:
        """The last component of the repository: what an image is called in a namespace."""
        return self.repository.rpartition("/")[2]

    def with_tag(self, tag: str | None) -> Reference:
        """Return the same repository under another tag."""
        return self._replace(tag=tag)

    def __str__(self) -> str:
        text = f"{self.registry}/{self.repository}"
        if self.tag:
            text += f":{self.tag}"
        return f"{text}@{self.digest}" if self.digest else text


def parse_reference(text: str, default_registry: str = DOCKER_HUB) -> Reference:
    """Return what ``[registry/]repository[:tag][@digest]`` names; raises InvalidOptionError.

    The first component is a registry when it has a dot or a port, or is ``localhost``, as in Docker.
    A name of one component on Docker Hub is one of its ``library`` images.
    """
    if without_userinfo(text) != text:
        raise InvalidOptionError(
            f"{without_userinfo(text)!r} was given with a user name or password, which an image reference cannot hold",
            hint="A source has source_username and source_password for them",
        )
    rest, _at, digest = text.strip().partition("@")
    if _at and not is_digest(digest):
        raise InvalidOptionError(
            f"{text!r} is not an image reference: {digest!r} is not a digest", hint=digest_hint(digest)
        )
    first, slash, remainder = rest.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        registry, rest = first.lower(), remainder
    else:
        registry = default_registry
    rest, colon, tag = rest.partition(":")
    if colon and not is_tag(tag):
        raise InvalidOptionError(f"{text!r} is not an image reference: {tag!r} is not a tag")
    if not _HOST.fullmatch(registry):
        raise InvalidOptionError(f"{text!r} is not an image reference: {registry!r} is not host[:port]")
    if _port(registry) > 65535:
        raise InvalidOptionError(f"{text!r} is not an image reference: its port is above 65535")
    if registry in ("index.docker.io", "registry-1.docker.io"):
        registry = DOCKER_HUB
    if registry == DOCKER_HUB and "/" not in rest:
        rest = f"library/{rest}"
    if not is_repository(rest):
        raise InvalidOptionError(f"{text!r} is not an image reference: {rest!r} is not a repository name")
    return Reference(registry, rest, tag or None, digest or None)


def _port(registry: str) -> int:
    port = registry.rpartition(":")[2]
    return int(port) if port.isdigit() else 0


def is_repository(text: str) -> bool:
    """Whether the text is a repository name of one or more components."""
    return len(text) <= 255 and bool(_REPOSITORY.fullmatch(text))


def is_tag(text: str) -> bool:
    """Whether the text is a tag."""
    return bool(_TAG.fullmatch(text))


def is_digest(text: str) -> bool:
    """Whether the text is a digest of a kind that registries take."""
    return bool(_DIGEST.fullmatch(text))


def checked_digest(option: str, value: str) -> str:
    """Return the digest that an option holds; raises InvalidOptionError for what is none, or a shortened one."""
    text = value.strip()
    if not is_digest(text):
        raise InvalidOptionError(f"{option} {text!r} is not a digest", hint=digest_hint(text))
    return text


def digest_hint(text: str) -> str:
    """Return what to write instead of a text that is no digest."""
    if _SHORT_DIGEST.fullmatch(text):
        return "It is shortened: appuio_image_info and the results of the modules have all 64 digits"
    return "Write it like sha256:<64 digits>"


def checked_image_name(name: str) -> str:
    """Return the name of an image within a namespace; raises InvalidOptionError where OpenShift refuses it.

    OpenShift takes exactly ``namespace/name``, and answers 500 to a name with ``__`` or ``--``.
    """
    if not _COMPONENT_PATTERN.fullmatch(name):
        hint = "OpenShift has exactly namespace/name: give name without a slash" if "/" in name else None
        raise InvalidOptionError(f"name {name!r} is not an image name (lower-case letters, digits, . _ -)", hint=hint)
    if _SEPARATOR_REFUSED_BY_OPENSHIFT.search(name):
        raise InvalidOptionError(f"name {name!r} has two separators in a row, which OpenShift refuses")
    return name


def checked_namespace(namespace: str | None) -> str:
    """Return the namespace; raises InvalidOptionError for what Kubernetes does not take (RFC 1123 label)."""
    if not namespace:
        raise InvalidOptionError("namespace is missing", hint="Name the project; a variable that is empty names none")
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", namespace):
        raise InvalidOptionError(f"namespace {namespace!r} is not the name of a project")
    return namespace


def checked_tag(tag: str) -> str:
    """Return the tag; raises InvalidOptionError for what is none."""
    if not is_tag(tag):
        raise InvalidOptionError(f"tag {tag!r} is not a tag (up to 128 letters, digits, . _ -)")
    return tag
