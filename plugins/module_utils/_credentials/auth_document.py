# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in an auth file: keys, entries and helpers of docker's and containers' formats; pure.

Sources: docker's ``config.json`` (docs.docker.com, "docker login"), containers-auth.json(5).
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any, Iterable, Mapping

from .._errors import AppuioError
from .._json import JsonError, parse_json
from .._targets import DEFAULT_USERNAME, Credential, basic

IDENTITY_TOKEN_USER = "<token>"
DOCKER_HUB_KEY = "https://index.docker.io/v1/"
_DOCKER_HUB = ("docker.io", "index.docker.io", "registry-1.docker.io")
_SECRET_MEMBERS = ("auth", "username", "password", "identitytoken", "registrytoken")
_INDENT = re.compile(r"\{[^\S\n]*\r?\n([ \t]+)")
_NEW_INDENT = "\t"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class BrokenAuthFileError(AppuioError):
    """The file is not what docker or podman could have written; it is never rewritten."""


def parse(text: str, path: str) -> dict[str, Any]:
    """Return the content of an auth file, {} for an empty one; raises BrokenAuthFileError with the position."""
    if not text.strip():
        return {}
    try:
        parse_json(text)
        document = json.loads(text, object_pairs_hook=_without_duplicates)
        # What could not be written again as it is must not be read either.
        json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    except JsonError as error:
        raise broken(path, f"it {error}") from None
    except UnicodeError:
        raise broken(path, "it holds text that is not Unicode") from None
    except ValueError as error:
        raise broken(path, str(error)) from None
    if not isinstance(document, dict):
        raise broken(path, "it holds no JSON object")
    for name in ("auths", "credHelpers"):
        if not isinstance(document.get(name, {}), (dict, type(None))):
            raise broken(path, f"its {name} is no JSON object")
    helpers = document.get("credHelpers") or {}
    for key, name in [*helpers.items(), ("", document.get("credsStore"))]:
        if not isinstance(name, (str, type(None))):
            raise broken(path, f"its credHelpers names no helper for {key}" if key else "its credsStore is no text")
    return document


def broken(path: str, why: str) -> BrokenAuthFileError:
    """Return the refusal of a file."""
    return BrokenAuthFileError(
        f"the auth file {path} cannot be read: {why}",
        hint="It was left as it is: repair or move it, or name another auth_file",
    )


def format_like(document: Mapping[str, Any], text: str) -> str:
    """Return the document as JSON, indented as ``text`` was; a new file as docker indents it."""
    found = _INDENT.search(text)
    if found:
        indent: str | None = found.group(1)
    else:
        indent = None if text.strip() and document and "\n" not in text.strip() else _NEW_INDENT
    ended = "\n" if not text.strip() or text.endswith("\n") else ""
    return json.dumps(document, indent=indent, ensure_ascii=False) + ended


def key_of(registry: str) -> str:
    """Return the key under which docker and podman keep a registry."""
    return DOCKER_HUB_KEY if registry in _DOCKER_HUB else registry


def matching_keys(names: Iterable[str], key: str) -> list[str]:
    """Return the keys that mean the same as ``key`` (a registry or ``registry/namespace``), the exact one first.

    Keys may have a scheme and, then or by ``/v1/`` and ``/v2/``, a path that means nothing.
    """
    wanted = _plain(key)
    return sorted((name for name in names if _plain(name) == wanted), key=lambda name: name != key)


def lookup_keys(registry: str, repository: str | None) -> list[str]:
    """Return the keys that hold for a repository, the most specific first (containers-auth.json(5))."""
    parts = repository.split("/") if repository else []
    return [f"{registry}/{'/'.join(parts[:count])}" for count in range(len(parts), 0, -1)] + [key_of(registry)]


def find_entry(document: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    """Return the entry that clients use for a key, or None; an entry without a secret is none."""
    auths = document.get("auths") or {}
    for name in matching_keys(auths, key):
        entry = auths[name]
        if isinstance(entry, Mapping) and any(entry.get(member) for member in _SECRET_MEMBERS):
            return entry
    return None


def find_credential(document: Mapping[str, Any], key: str, path: str) -> Credential | None:
    """Return the credential that stands in the file itself for a key; raises BrokenAuthFileError."""
    entry = find_entry(document, key)
    return None if entry is None else _credential(entry, key, path)


def is_usable(document: Mapping[str, Any], key: str) -> bool:
    """Tell whether clients can use the entry of a zone's registry as it is written.

    OpenShift's registry gives nothing for an identity token, and clients send a line end along with the secret.
    """
    entry = find_entry(document, key)
    if entry is None or entry.get("identitytoken") or entry.get("registrytoken"):
        return False
    secret = _split(entry["auth"], key, "")[1].rstrip("\0") if entry.get("auth") else entry.get("password")
    return isinstance(secret, str) and secret == checked_secret(secret)


def helper_for(document: Mapping[str, Any], key: str) -> str | None:
    """Return the credential helper configured for a registry, or None for the file itself."""
    helpers = document.get("credHelpers") or {}
    for name in matching_keys(helpers, key):
        return helpers[name] or None
    return document.get("credsStore") or None


def put_entry(document: dict[str, Any], key: str, credential: Credential) -> None:
    """Make the credential the one that clients find under the key; members of no concern to it stay.

    It is never stored as an identity token, whatever the user name: OpenShift's registry gives nothing for one.
    """
    auths = document.get("auths")
    if auths is None:
        auths = document["auths"] = {}
    same = matching_keys(auths, key)
    kept = auths[same[0]] if same and isinstance(auths[same[0]], Mapping) else {}
    entry = {name: value for name, value in kept.items() if name not in _SECRET_MEMBERS}
    entry["auth"] = basic(credential)
    for name in same:
        if name != key:
            del auths[name]
    auths[key] = entry


def remove_entry(document: dict[str, Any], key: str) -> bool:
    """Remove everything kept under a key, whatever its spelling; tells whether there was something."""
    auths = document.get("auths") or {}
    same = matching_keys(auths, key)
    for name in same:
        del auths[name]
    return bool(same)


def checked_secret(value: Any) -> str | None:
    """Return a stored secret without the line end that ``echo`` adds; None for what can be none.

    RFC 7617 allows no control characters, and a header that held one would be shown in an error.
    """
    if not isinstance(value, str):
        return None
    secret = value.rstrip("\0\r\n")
    return None if _CONTROL.search(secret) else secret


def _credential(entry: Mapping[str, Any], key: str, path: str) -> Credential | None:
    origin = f"the entry {key} of {path}"
    username: Any = DEFAULT_USERNAME
    if entry.get("identitytoken"):
        username, secret = IDENTITY_TOKEN_USER, entry["identitytoken"]
    elif entry.get("registrytoken"):
        secret = entry["registrytoken"]
    elif entry.get("auth"):
        username, secret = _split(entry["auth"], key, path)
    else:
        username, secret = entry.get("username") or "", entry.get("password") or ""
    checked = checked_secret(secret)
    if checked is None or not isinstance(username, str) or _CONTROL.search(username):
        raise broken(path, f"the entry {key} holds user name or secret with characters that none can have")
    if not checked:
        return None
    is_token = bool(entry.get("registrytoken")) and not entry.get("identitytoken")
    return Credential(checked, username, is_token=is_token, origin=origin)


def _split(encoded: Any, key: str, path: str) -> tuple[str, str]:
    try:
        text = base64.b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except (TypeError, ValueError):
        text = ""
    username, colon, secret = text.partition(":")
    if not colon:
        raise broken(path, f"the entry {key} does not hold user and password in base64")
    return username, secret


def _plain(key: str) -> str:
    scheme, separator, rest = key.partition("://")
    if separator and scheme.lower() in ("http", "https"):
        key = rest.partition("/")[0]
    host, slash, path = key.rstrip("/").partition("/")
    host = "docker.io" if host.lower() in _DOCKER_HUB else host.lower()
    return host if path in ("", "v1", "v2") else f"{host}{slash}{path}"


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _value in pairs]
        raise ValueError(f"it has {next(name for name in names if names.count(name) > 1)!r} more than once")
    return found
