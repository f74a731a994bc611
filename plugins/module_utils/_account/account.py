# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service account as it is wanted; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .._managed_objects import objects
from .._managed_objects.objects import Definition, LiveObject
from .._managed_objects.tokens import SecretOptions

EDITOR = "registry-editor"


@dataclass(frozen=True)
class AccountOptions:
    """One service account in one namespace; times in seconds, and an empty ``role`` is the one that it has."""

    namespace: str
    service_account: str = "image-pusher"
    state: str = "present"
    role: str = EDITOR
    role_binding: str = ""
    secret_name: str = ""
    kind: str = "secret"
    expiration: int = 86400
    rotate: bool = False
    grace: int = 3600
    adopt: bool = False
    image_streams: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    token_file: str = ""

    @property
    def key(self) -> str:
        """Namespace and name, as results name the account."""
        return f"{self.namespace}/{self.service_account}"

    @property
    def binding_name(self) -> str:
        """The name of the binding: by default one that tells the role, so that another role is another binding."""
        return self.role_binding or f"{self.service_account}-{self.role.replace(':', '-')}"

    @property
    def secrets(self) -> SecretOptions:
        """What is wanted of the Secrets with the tokens."""
        return SecretOptions(
            self.namespace,
            self.service_account,
            self.secret_name or f"{self.service_account}-secret",
            self.rotate,
            self.grace,
            self.adopt,
            self.labels,
            self.annotations,
        )

    def marked(self, definition: Definition) -> Definition:
        """Return a definition with the labels and annotations that are wanted."""
        return objects.marked(definition, self.labels, self.annotations)

    def lacks_marks(self, found: LiveObject) -> bool:
        """Whether an object of ours has other labels and annotations than are wanted."""
        return objects.is_ours(found) and objects.lacks_marks(found, self.labels, self.annotations)
