# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The story of the demonstration, step by step; what it claims it checks, and it fails where a claim is false."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.demo.audience import Audience
from tests.demo.picture import PLATFORMS, make_picture, size_of
from tests.demo.player import Player, StoryFailed
from tests.demo.witness import Witness
from tests.zone import LocalZones

__all__ = ["StoryFailed", "tell"]

VERSION = "1.4.2"
NAMESPACE = "demo"
NAME = "app"
REVOCATION = 3.0  # seconds for which a revoked token is still accepted; about 10 in a real zone


def tell(collections: Path, python: Path, *, keep: bool = False) -> None:
    """Roll an image out to three zones twice, look at what they have, and take the pusher away; raises StoryFailed."""
    say = Audience()
    with _stage(keep, say) as stage, LocalZones(3, revocation_delay=REVOCATION) as started:
        say.chapter("Three zones start on this machine, each with a registry and an API")
        zones, tokens = started.zones, {}
        for zone in zones:
            tokens[zone.name] = zone.create_user("you", projects={NAMESPACE: "admin"})
            say.line(f"{zone.name}: registry {zone.registry}, API {zone.host}")

        say.chapter("An image is made from files of this machine")
        image = make_picture(stage / "build", VERSION)
        say.line(f"oci:{stage / 'build'}, {' and '.join(PLATFORMS)}, {size_of(image)} bytes")
        say.line(f"digest {image.digest}")

        player = Player(collections, python, stage)
        player.write_inventory(zones, tokens, NAMESPACE, NAME, VERSION)
        witness = Witness(player.auth_file, stage / "certificates", f"{NAMESPACE}/{NAME}")

        say.chapter("The image is rolled out: a pusher in each zone, a login with its token, the push")
        first = player.play("rollout")
        say.check(f"changed in every zone: {first.changed}", all(first.changed.values()))

        say.chapter("The same again")
        second = player.play("rollout")
        say.check(f"nothing to do: {second.changed}", set(second.changed.values()) == {0})

        say.chapter("What is in each zone, as skopeo sees it with the pusher's token")
        for zone in zones:
            say.check(f"{zone.name}: tags {witness.tags(zone)}", witness.tags(zone) == [VERSION])
            digest = witness.digest(zone, VERSION)
            say.check(f"{zone.name}: {VERSION} is {digest}, as the source", digest == image.digest)

        say.chapter("The pusher is taken away")
        player.play("setup_pusher", appuio_pusher_state="absent")
        for zone in zones:
            say.check(f"{zone.name}: its token may no longer push", not witness.may_push(zone))
        for zone in zones:
            say.check(f"{zone.name}: its token is no longer known", witness.token_ends(zone))
            say.check(f"{zone.name}: its token no longer reads the image", not witness.may_read(zone, VERSION))
        say.chapter("That was it: one image, three zones, one digest")


@contextlib.contextmanager
def _stage(keep: bool, say: Audience) -> Iterator[Path]:
    """Give a directory for the files of the demonstration, removed at its end unless they are to be kept."""
    directory = Path(tempfile.mkdtemp(prefix="appuio-demo-"))
    try:
        yield directory
    finally:
        if keep:
            say.line(f"The files are in {directory}")
        else:
            shutil.rmtree(directory, ignore_errors=True)
