# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Being somebody by what is already stored for a registry: where docker and podman keep it, and what they would use.

Sources: docs.docker.com ("docker login", DOCKER_CONFIG), containers-auth.json(5).
"""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING, Any, ClassVar, Mapping

from .._errors import AppuioError, InvalidOptionError, UnauthorizedError
from .._targets import Credential, RunContext, Target
from .method import ApiLogin, Method, ResolvedCredential
from .token import is_api_token

if TYPE_CHECKING:
    from .auth_folder import AuthFolder


class AuthFileMethod(Method):
    """A file with credentials of registries."""

    reaches_api: ClassVar[bool] = False

    def __init__(self, target: Target, context: RunContext, origin: str, path: str) -> None:
        super().__init__(target, context, origin)
        self.path = path

    def validate(self) -> None:
        """Raise InvalidOptionError where no registry says which credential is meant."""
        if self.target.zone.registry is None:
            raise InvalidOptionError(f"{self.origin} holds credentials of registries, and no registry is given")

    def known_credential(self) -> ResolvedCredential:
        """Return what is stored for the registry, or for the namespace in it; raises UnauthorizedError for nothing."""
        registry = str(self.target.zone.registry)
        stored = stored_credential(registry, self.target.namespace, self.path, self.context.environment)
        if stored is None:
            raise UnauthorizedError(
                f"{self.path} holds no credential for {registry}", hint="Log in with appuio_registry_login first"
            )
        return self.registered(stored._replace(is_token=stored.is_token or is_api_token(stored.secret)))

    def api_login(self) -> ApiLogin:
        """Return the API, asked with the stored token; raises UnauthorizedError for a registry's password.

        A credential goes to the host it is for: only a token of an API may go to the zone's.
        """
        from .._openshift.resources import ApiAddress  # most tasks with a stored credential never ask the API

        stored = self.known_credential().credential
        if not is_api_token(stored.secret):
            raise UnauthorizedError(
                f"what {self.path} holds for {self.target.zone.registry} is no token of the zone's API",
                hint="Give token, username and password, or kubeconfig",
            )
        return ApiLogin(ApiAddress(self.api_host(), self.api_connection()), stored.secret)


def file_to_write(client: str, environment: Mapping[str, str]) -> str:
    """Return the file that ``docker`` or ``podman`` reads for a registry; raises InvalidOptionError without a home."""
    if environment.get("REGISTRY_AUTH_FILE"):
        return environment["REGISTRY_AUTH_FILE"]
    if client == "docker":
        return _docker_file(environment)
    return next((path for path in _runtime_files(environment)), None) or _config_file(environment)


def files_to_read(environment: Mapping[str, str]) -> list[str]:
    """Return the files in which credentials are looked up, the first to be asked first."""
    if environment.get("REGISTRY_AUTH_FILE"):
        return [environment["REGISTRY_AUTH_FILE"]]
    found = _runtime_files(environment)
    try:
        found += [_config_file(environment), _docker_file(environment)]
    except InvalidOptionError:
        return found
    return found


def home(environment: Mapping[str, str]) -> str:
    """Return the home directory: ``HOME``, else what the user database says; raises InvalidOptionError."""
    if environment.get("HOME"):
        return environment["HOME"]
    try:
        return pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        raise InvalidOptionError(
            f"HOME is not set and user {os.geteuid()} has no home directory",
            hint="Name the file with auth_file or REGISTRY_AUTH_FILE",
        ) from None


def _docker_file(environment: Mapping[str, str]) -> str:
    folder = environment.get("DOCKER_CONFIG") or os.path.join(home(environment), ".docker")
    return os.path.join(folder, "config.json")


def _config_file(environment: Mapping[str, str]) -> str:
    folder = environment.get("XDG_CONFIG_HOME") or os.path.join(home(environment), ".config")
    return os.path.join(folder, "containers", "auth.json")


def _runtime_files(environment: Mapping[str, str]) -> list[str]:
    """The file in the user's runtime directory; one of another user, left by ``su`` or ``become``, is none.

    Without ``XDG_RUNTIME_DIR``, podman keeps it under ``/run/containers``, where it counts once it is there.
    """
    folder = environment.get("XDG_RUNTIME_DIR")
    if folder:
        return [os.path.join(folder, "containers", "auth.json")] if _is_ours(folder) else []
    path = f"/run/containers/{os.geteuid()}/auth.json"
    return [path] if _is_ours(path) else []


def _is_ours(path: str) -> bool:
    try:
        return os.stat(path).st_uid == os.geteuid()
    except OSError:
        return False


# Most sources are public and nothing is stored: what reads a file is imported where there is one.


def stored_credential(
    registry: str, repository: str | None, auth_file: str | None, environment: Mapping[str, str]
) -> Credential | None:
    """Return what docker or podman would use for a registry, or None where nothing is stored.

    Looks in ``auth_file`` if it is given, else where containers' and docker's tools look. A user name of
    ``<token>`` says that the secret is an identity token (docker's convention). Raises AppuioError for an
    ``auth_file`` that does not exist, a broken file and a helper that fails.
    """
    for path in [auth_file] if auth_file else files_to_read(environment):
        # Told so, containers' tools have no credentials.
        text = "" if os.path.realpath(path) == os.devnull else read_text(path)
        if text is None:
            if auth_file:
                raise AppuioError(
                    f"the auth file {path} does not exist",
                    hint="Log in with appuio_registry_login first, or name another file with auth_file",
                )
            continue
        from .auth_document import parse

        found = find_stored(parse(text, path), registry, repository, path, environment)
        if found is not None:
            return found
    return None


def find_stored(
    document: Mapping[str, Any], registry: str, repository: str | None, path: str, environment: Mapping[str, str]
) -> Credential | None:
    """Return what a file and the helpers it names hold for a registry, or None."""
    from .auth_document import find_credential, find_entry, helper_for, key_of, lookup_keys

    for key in lookup_keys(registry, repository):
        if key != key_of(registry):
            if find_entry(document, key) is not None:
                return find_credential(document, key, path)
            continue
        name = helper_for(document, key)
        found = _ask_helper(name, key, environment) if name else None
        return found or find_credential(document, key, path)
    return None


def _ask_helper(name: str, key: str, environment: Mapping[str, str]) -> Credential | None:
    from .helper import Helper

    return Helper(name, environment).get(key)


def _is_absent(path: str) -> bool:
    """Whether it is known that there is no such file; anything else is for whoever opens it to explain."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False


def read_text(path: str) -> str | None:
    """Return the text of an auth file, None where there is none; raises AppuioError for one that cannot be read."""
    if _is_absent(path):
        return None
    from .auth_folder import open_folder

    try:
        with open_folder(path) as folder:
            return text_of(folder)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise AppuioError(
            f"the auth file {path} cannot be read: {error.strerror or error}",
            hint=f"It has to be a file that user {os.geteuid()} may read. auth_file names another",
        ) from None


def text_of(folder: AuthFolder) -> str | None:
    """Return the text of the auth file in a directory, None where there is none; raises OSError and AppuioError."""
    from .auth_document import broken
    from .auth_folder import LARGEST

    content = folder.read()
    if content is None:
        return None
    if len(content) > LARGEST:
        raise broken(folder.path, "it is larger than any such file is")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise broken(folder.path, f"it is no UTF-8 text at byte {error.start}") from None
