# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A slow network on this machine: two network namespaces, and between them a relay that delays and loses packets.

The kernel's TCP runs on both sides and sees packets late or never, as it would with ``tc netem``, whose module many
kernels come without. The namespaces have no names and the devices belong to the processes that opened them, so
nothing is left of them however these end.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

RELAY = Path(__file__).parent / "relay.py"
DEVICE = "/dev/net/tun"
_CLONE_NEWNET = 0x40000000  # unshare(2)
_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_MTU = "1500"
# Reserved for benchmarks (RFC 2544, appendix C.2.2).
_NEAR, _FAR = "198.18.0.1", "198.18.0.2"


class NoNetwork(Exception):
    """No such network can be made here; the text says why."""


class Network:
    """In its ``with`` block, this thread and what it starts are at the near end, in ``far()`` they are at the far end.

    A packet takes ``delay`` seconds in each direction, and a share of ``loss`` never arrives. Raises NoNetwork.
    """

    far_address = _FAR

    def __init__(self, delay: float, loss: float = 0.0) -> None:
        self._delay, self._loss = delay, loss
        self._near = self._far = -1
        self._stack = ExitStack()

    def __enter__(self) -> Network:
        with ExitStack() as stack:
            try:
                home = _namespace(stack)
                stack.callback(_enter, home)
                far = _device(stack, _FAR, _NEAR)
                self._far = _namespace(stack)
                near = _device(stack, _NEAR, _FAR)
                self._near = _namespace(stack)
                words = [str(word) for word in (near, far, self._delay, self._loss)]
                relay = subprocess.Popen(
                    [sys.executable, "-I", "-S", str(RELAY), *words], stdin=subprocess.PIPE, pass_fds=[near, far]
                )
            except (OSError, subprocess.CalledProcessError) as error:
                raise NoNetwork(f"a network namespace with a device of its own cannot be made here: {error}") from None
            stack.callback(relay.communicate)  # closes its standard input, at which it ends
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_ignored: object) -> None:
        self._stack.close()

    @contextmanager
    def far(self) -> Iterator[None]:
        """Be at the far end, in this thread."""
        _enter(self._far)
        try:
            yield
        finally:
            _enter(self._near)


def _device(stack: ExitStack, address: str, peer: str) -> int:
    """Be in a new namespace with a device, and return that as a file descriptor, which the stack closes."""
    _called("unshare", _CLONE_NEWNET)
    # What a connection has learned of the network is not to help or hinder the next one, which is somebody else's.
    Path("/proc/sys/net/ipv4/tcp_no_metrics_save").write_text("1")
    device = os.open(DEVICE, os.O_RDWR | os.O_NONBLOCK)
    stack.callback(os.close, device)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH", b"slow", _IFF_TUN | _IFF_NO_PI))
    for words in (
        ["link", "set", "lo", "up"],
        ["address", "add", address, "peer", peer, "dev", "slow"],
        ["link", "set", "slow", "up", "mtu", _MTU, "txqueuelen", "1000"],
    ):
        subprocess.run(["ip", *words], check=True, stdin=subprocess.DEVNULL)
    return device


def _namespace(stack: ExitStack) -> int:
    """Return the namespace of this thread as a file descriptor, which the stack closes."""
    namespace = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    stack.callback(os.close, namespace)
    return namespace


def _enter(namespace: int) -> None:
    _called("setns", namespace, _CLONE_NEWNET)


def _called(function: str, *arguments: int) -> None:
    """Call a function of the C library that Python has since 3.12 only."""
    if getattr(ctypes.CDLL(None, use_errno=True), function)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")
