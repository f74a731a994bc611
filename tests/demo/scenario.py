# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenario of the demonstration, step by step; what it claims it checks, and it fails where a claim is false."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.demo.output import Output
from tests.demo.picture import PLATFORMS, make_picture, size_of
from tests.demo.playbooks import Playbooks, ScenarioFailed
from tests.demo.skopeo import Skopeo
from tests.zone import LocalZones

__all__ = ["ScenarioFailed", "run"]

VERSION = "1.4.2"
NAMESPACE = "demo"
NAME = "app"
REVOCATION = 3.0  # seconds for which a revoked token is still accepted; about 10 in a real zone


def run(collections: Path, python: Path, *, keep: bool = False) -> None:
    """Roll an image out to three zones twice, read it back, take the pusher away; raises ScenarioFailed."""
    output = Output()
    with _stage(keep, output) as stage, LocalZones(3, revocation_delay=REVOCATION) as started:
        output.chapter("Three zones start on this machine, each with a registry and an API")
        zones, tokens = started.zones, {}
        for zone in zones:
            tokens[zone.name] = zone.create_user("you", projects={NAMESPACE: "admin"})
            output.line(f"{zone.name}: registry {zone.registry}, API {zone.host}")

        output.chapter("An image is made from files of this machine")
        image = make_picture(stage / "build", VERSION)
        output.line(f"oci:{stage / 'build'}, {' and '.join(PLATFORMS)}, {size_of(image)} bytes")
        output.line(f"digest {image.digest}")

        playbooks = Playbooks(collections, python, stage)
        playbooks.write_inventory(zones, tokens, NAMESPACE, NAME, VERSION)
        skopeo = Skopeo(playbooks.auth_file, stage / "certificates", f"{NAMESPACE}/{NAME}")

        output.chapter("The image is rolled out: a pusher in each zone, a login with its token, the push")
        first = playbooks.run("rollout")
        output.check(f"changed in every zone: {first.changed}", all(first.changed.values()))

        output.chapter("The same again")
        second = playbooks.run("rollout")
        output.check(f"nothing to do: {second.changed}", set(second.changed.values()) == {0})

        output.chapter("What is in each zone, as skopeo sees it with the pusher's token")
        for zone in zones:
            output.check(f"{zone.name}: tags {skopeo.tags(zone)}", skopeo.tags(zone) == [VERSION])
            digest = skopeo.digest(zone, VERSION)
            output.check(f"{zone.name}: {VERSION} is {digest}, as the source", digest == image.digest)

        output.chapter("The pusher is taken away")
        playbooks.run("setup_pusher", appuio_pusher_state="absent")
        for zone in zones:
            output.check(f"{zone.name}: its token may no longer push", not skopeo.may_push(zone))
        for zone in zones:
            output.check(f"{zone.name}: its token is no longer known", skopeo.token_ends(zone))
            output.check(f"{zone.name}: its token no longer reads the image", not skopeo.may_read(zone, VERSION))
        output.chapter("That was it: one image, three zones, one digest")


@contextlib.contextmanager
def _stage(keep: bool, output: Output) -> Iterator[Path]:
    """Give a directory for the files of the demonstration, removed at its end unless they are to be kept."""
    directory = Path(tempfile.mkdtemp(prefix="appuio-demo-"))
    try:
        yield directory
    finally:
        if keep:
            output.line(f"The files are in {directory}")
        else:
            shutil.rmtree(directory, ignore_errors=True)
