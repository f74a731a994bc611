# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries packets between two devices, late and with losses: ``relay.py DEVICE DEVICE SECONDS LOSS``.

The devices are file descriptors; it ends with its standard input.
"""

from __future__ import annotations

import os
import select
import sys
import time
from collections import deque
from random import random

# Packets under way in one direction: what a router would keep before it drops the next.
LIMIT = 1000
_LARGEST = 2048
_AT_ONCE = 64


class Direction:
    """Packets from one device on their way to the other."""

    def __init__(self, source: int, target: int, delay: float, loss: float) -> None:
        self._source, self._target, self._delay, self._loss = source, target, delay, loss
        self._packets: deque[tuple[float, bytes]] = deque()

    def take(self) -> None:
        """Take what has arrived; some of it is lost."""
        due = time.monotonic() + self._delay
        for _packet in range(_AT_ONCE):
            try:
                packet = os.read(self._source, _LARGEST)
            except BlockingIOError:
                return
            if random() >= self._loss and len(self._packets) < LIMIT:
                self._packets.append((due, packet))

    def deliver(self) -> float | None:
        """Deliver what is due, and return in how many seconds the next one is."""
        while self._packets:
            left = self._packets[0][0] - time.monotonic()
            if left > 0:
                return left
            os.write(self._target, self._packets.popleft()[1])
        return None


def main() -> None:
    """Carry packets in both directions until the standard input ends."""
    one, other = int(sys.argv[1]), int(sys.argv[2])
    delay, loss = float(sys.argv[3]), float(sys.argv[4])
    directions = {one: Direction(one, other, delay, loss), other: Direction(other, one, delay, loss)}
    while True:
        waits = [wait for wait in [direction.deliver() for direction in directions.values()] if wait is not None]
        ready, _writable, _broken = select.select([0, *directions], [], [], min(waits, default=None))
        if 0 in ready:
            return
        for device in ready:
            directions[device].take()


if __name__ == "__main__":
    main()
