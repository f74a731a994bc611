# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes of our own: started with a JSON configuration, called from their parent, gone when it is gone.

The parent keeps the child's standard input open; when it closes, for whatever reason, the child ends.
Calls go over a loopback socket with a key that only the two know (multiprocessing.connection).
"""

from __future__ import annotations

import json
import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
_STOP_SECONDS = 10.0


class ChildFailed(Exception):
    """A child did not start, ended, or refused a call; the text says why."""


class Remote:
    """Calls the functions a child offers; may be used by several threads and from any process that has the key."""

    def __init__(self, address: tuple[str, int], key: bytes) -> None:
        self.address, self.key = address, key
        self._connection: Connection | None = None
        self._lock = threading.Lock()

    def call(self, function: str, *arguments: Any, **options: Any) -> Any:
        """Call a function of the child; what it raises is raised here as ChildFailed, ValueError or KeyError."""
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = Client(self.address, authkey=self.key)
                self._connection.send((function, arguments, options))
                fine, value = self._connection.recv()
            except (OSError, EOFError) as error:
                self._connection = None
                raise ChildFailed(f"the process is gone: {error!r}") from None
        if fine:
            return value
        kind, text = value
        raise {"ValueError": ValueError, "KeyError": KeyError, "TypeError": TypeError}.get(kind, ChildFailed)(text)


class Child:
    """A process that runs a module of this package as its main program."""

    def __init__(self, module: str, configuration: dict[str, Any], log: Path) -> None:
        key = secrets.token_bytes(32)
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                cwd=ROOT,
                start_new_session=True,  # Ctrl-C goes to the parent alone, which then stops us in order
            )
        self._log = log
        self.ready: dict[str, Any] = {}
        self._key = key
        self._say({**configuration, "key": key.hex()})

    def wait_until_ready(self) -> Remote:
        """Wait until the child says it is ready; raises ChildFailed with the end of its log."""
        line = self._process.stdout.readline() if self._process.stdout else b""
        if not line:
            self.stop()
            raise ChildFailed(self._log.read_text(encoding="utf-8", errors="replace")[-4000:])
        self.ready = json.loads(line)
        if "error" in self.ready:
            self.stop()
            raise ChildFailed(self.ready["error"])
        return Remote((self.ready["control"][0], self.ready["control"][1]), self._key)

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def key(self) -> bytes:
        """What calls are made with."""
        return self._key

    def stop(self) -> None:
        """End it; safe to call twice."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    pass
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _say(self, document: dict[str, Any]) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(json.dumps(document).encode() + b"\n")
            self._process.stdin.flush()


def read_configuration() -> dict[str, Any]:
    """In a child: return what the parent configured."""
    configuration: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
    return configuration


def serve(functions: object, key: str, ready: dict[str, Any], stop: Callable[[], None]) -> None:
    """In a child: say that it is ready, answer calls, and return when the parent is gone.

    Public methods of ``functions`` can be called; those named in its ``in_main_thread`` run in this thread.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_ignored: os.close(0))
    work: queue.Queue[tuple[Callable[[], Any], queue.Queue[Any]] | None] = queue.Queue()
    listener = Listener(("127.0.0.1", 0), authkey=bytes.fromhex(key), backlog=16)
    threading.Thread(target=_accept, args=(listener, functions, work), daemon=True).start()
    threading.Thread(target=_watch_parent, args=(work,), daemon=True).start()
    print(json.dumps({**ready, "control": listener.address}), flush=True)
    try:
        while (item := work.get()) is not None:
            call, answer = item
            answer.put(_outcome(call))
    finally:
        stop()


def fail(error: Exception) -> None:
    """In a child: tell the parent why it cannot start."""
    print(json.dumps({"error": str(error)}), flush=True)


def _watch_parent(work: queue.Queue[Any]) -> None:
    try:
        while os.read(0, 4096):
            pass
    except OSError:
        pass
    work.put(None)


def _accept(listener: Listener, functions: object, work: queue.Queue[Any]) -> None:
    while True:
        try:
            connection = listener.accept()
        except Exception:  # noqa: S112 - somebody without the key
            continue
        threading.Thread(target=_answer, args=(connection, functions, work), daemon=True).start()


def _answer(connection: Connection, functions: object, work: queue.Queue[Any]) -> None:
    while True:
        try:
            name, arguments, options = connection.recv()
        except (OSError, EOFError):
            return
        function = getattr(functions, name, None) if not name.startswith("_") else None

        def call(function: Any = function, arguments: Any = arguments, options: Any = options) -> Any:
            if function is None:
                raise ValueError("there is no such function")
            return function(*arguments, **options)

        if name in getattr(functions, "in_main_thread", ()):
            reply: queue.Queue[Any] = queue.Queue()
            work.put((call, reply))
            connection.send(reply.get())
        else:
            connection.send(_outcome(call))


def _outcome(call: Callable[[], Any]) -> tuple[bool, Any]:
    try:
        return True, call()
    except Exception as error:  # every failure belongs to the caller
        return False, (type(error).__name__, str(error.args[0]) if error.args else repr(error))
