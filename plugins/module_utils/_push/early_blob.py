# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A layer goes to a zone while it is compressed, and is forgotten there when it turns out not to be needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

from .._registry.early_upload import EarlyUpload

if TYPE_CHECKING:
    from .._http.message import Body
    from .._registry.client import RegistryClient
    from .._registry.upload_session import UploadSession
    from .progress import ProgressBody


class EarlyBlob:
    """The upload to one zone of a blob that is being made; ``grows`` is that of the body."""

    def __init__(
        self, registry: RegistryClient, repository: str, body: ProgressBody, grows: Callable[[int], bool]
    ) -> None:
        self._body = body
        self._upload = EarlyUpload(registry, repository, "upload a layer", body, grows)
        self._taken = False

    def run(self) -> None:
        """Send what there is until the blob is made, or cannot be sent now; raises CancelledError."""
        self._upload.run()

    def taken(self, whole: Body) -> tuple[UploadSession | None, ProgressBody]:
        """Return the upload that was begun, if it is of any use, and the body to go on with, which is ``whole``."""
        self._body.body = whole
        self._taken = True
        return self._upload.taken(), self._body

    def cancel(self) -> None:
        """Forget what nobody has taken, here and there; raises nothing."""
        if not self._taken:
            self._upload.cancel()
            self._body.forget()
