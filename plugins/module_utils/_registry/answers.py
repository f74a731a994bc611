# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an answer of a registry is before its words are read: to be asked for again, a page, or a plain no."""

from __future__ import annotations

from .._http.client import passing
from .._http.message import Response


def transient(response: Response) -> bool:
    """Whether repeating can help: also a bare 400, which zones answer while their API is away."""
    return passing(response) or (response.status == 400 and not response.body)


def is_away(response: Response) -> bool:
    """Whether repeating can help where a zone answers 500 to a manifest that it does not have."""
    return passing(response) and response.status != 500


def is_page(response: Response) -> bool:
    """Whether an answer is a page for people, as portals and proxies give it whatever they are asked."""
    return response.headers.get_content_type() in ("text/html", "application/xhtml+xml")


def says_missing(response: Response) -> bool:
    """Whether an answer says that the registry does not have it; a page with 404 comes from something else."""
    return response.status == 404 and not is_page(response)
