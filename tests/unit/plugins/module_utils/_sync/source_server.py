# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry that images come from: it has what layouts hold, lists tags in pages, and keeps what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PAGE = 100


class SourceServer:
    """Speaks HTTP on this host; images are added by the folder of their layout."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.tags: dict[str, list[str]] = {}
        self._named: dict[str, str] = {}
        self._content: dict[str, bytes] = {}
        self._types: dict[str, str] = {}
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                owner._answer(self)

            def do_HEAD(self) -> None:
                owner._answer(self)

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.authority = f"127.0.0.1:{self._server.server_address[1]}"

    def add(self, repository: str, layout: Path, *tags: str) -> None:
        """Let tags point to the image of a layout."""
        for blob in (layout / "blobs/sha256").iterdir():
            self._content[f"sha256:{blob.name}"] = blob.read_bytes()
        top = json.loads((layout / "index.json").read_text())["manifests"][0]
        for tag in tags:
            self._named[f"{repository}:{tag}"] = top["digest"]
            if tag not in self.tags.setdefault(repository, []):
                self.tags[repository].append(tag)

    def entry(self, repository: str, tag: str | None = None, **more: Any) -> dict[str, Any]:
        """Return an entry of a set that comes from here."""
        source = f"docker://{self.authority}/{repository}{f':{tag}' if tag else ''}"
        return {"source": source, "source_plain_http": True, **more}

    def _answer(self, handler: Any) -> None:
        self.asked.append(f"{handler.command} {handler.path}")
        repository, kind, rest = _parts(handler.path)
        headers: dict[str, str] = {}
        if kind == "tags":
            listed = sorted(self.tags[repository])
            last = rest.partition("last=")[2].partition("&")[0]
            begin = listed.index(last) + 1 if last else 0
            page = listed[begin : begin + PAGE]
            content = json.dumps({"name": repository, "tags": page}).encode()
            if begin + PAGE < len(listed):
                headers["Link"] = f'</v2/{repository}/tags/list?n={PAGE}&last={page[-1]}>; rel="next"'
            headers["Content-Type"] = "application/json"
        else:
            digest = self._named.get(f"{repository}:{rest}", rest)
            content = self._content[digest]
            headers["Docker-Content-Digest"] = digest
            document = json.loads(content) if kind == "manifests" else {}
            headers["Content-Type"] = document.get("mediaType", "application/octet-stream")
        handler.send_response(200)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        if handler.command == "GET":
            handler.wfile.write(content)


def _parts(path: str) -> tuple[str, str, str]:
    for kind in ("manifests", "blobs", "tags"):
        before, found, rest = path.removeprefix("/v2/").partition(f"/{kind}/")
        if found:
            return before, kind, rest
    return "", "", path


@contextmanager
def source_server() -> Iterator[SourceServer]:
    """Return a registry that answers as long as the block runs."""
    server = SourceServer()
    thread = threading.Thread(target=server._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server._server.shutdown()
        server._server.server_close()
        thread.join()
