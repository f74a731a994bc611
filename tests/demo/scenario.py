# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenario of the demonstration, step by step; what it claims it checks, and it fails where a claim is false."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.demo.output import Output
from tests.demo.picture import PLATFORMS, make_picture, size_of
from tests.demo.playbooks import Playbooks, ScenarioFailed
from tests.demo.skopeo import Skopeo
from tests.zone import LocalZones, Zone

__all__ = ["ScenarioFailed", "run", "stay"]

GOOD, BAD = "1.4.2", "1.4.3"
NAMESPACE = "demo"
NAME = "app"
REVOCATION = 3.0  # seconds for which a revoked token is still accepted; about 10 in a real zone
STAY = """
   In another terminal:

   cd {stage}
   export ANSIBLE_COLLECTIONS_PATH={collections} PATH={programs}:$PATH SSL_CERT_FILE={authority}
   ansible-playbook -i zones.yml appuio.registry.rollout
   ansible-playbook -i zones.yml appuio.registry.promote -e appuio_from=staging -e appuio_tag=production
   ansible-playbook -i zones.yml appuio.registry.report

   zones.yml and group_vars/all are an inventory as yours would be, and playbooks of your own run beside them.
   Ctrl-C ends the zones and removes all of it."""


def run(collections: Path, python: Path, *, keep: bool = False) -> None:
    """Tell the story of an image in three zones; raises ScenarioFailed where something is not as it claims."""
    output = Output()
    with _stage(keep, output) as stage, LocalZones(3, revocation_delay=REVOCATION) as started:
        zones = started.zones
        playbooks, digests = _prepare(stage, zones, collections, python, output)
        skopeo = Skopeo(playbooks.auth_file, stage / "certificates", f"{NAMESPACE}/{NAME}")

        output.chapter(f"{GOOD} is rolled out: a pusher in each zone, a login with its token, the push")
        first = playbooks.run("rollout")
        output.check(f"changed in every zone: {first.changed}", all(first.changed.values()))
        second = playbooks.run("rollout")
        output.check(f"the same again, nothing to do: {second.changed}", set(second.changed.values()) == {0})
        for zone in zones:
            digest = skopeo.digest(zone, GOOD)
            tags = ", ".join(skopeo.tags(zone))
            output.check(f"skopeo in {zone.name}: {tags} {digest[:19]}, as the source", digest == digests[GOOD])

        output.chapter("What was tested becomes production, in all zones or in none; nothing is uploaded")
        move = {"appuio_tag": "production"}
        done = playbooks.run("promote", appuio_from="staging", **move)
        output.check(f"production is {GOOD} in every zone", done.outcome["digest"] == digests[GOOD])

        output.chapter(f"{BAD} follows the same way, and it is bad: production goes back")
        source = {"appuio_source": f"oci:build/{BAD}:{BAD}", "appuio_tags": f"{BAD},staging"}
        playbooks.run("rollout", **source)
        playbooks.run("promote", appuio_from=digests[BAD], **move)
        back = playbooks.run("rollback", appuio_bad_digest=digests[BAD], **move)
        output.check(f"production is {GOOD} in every zone again", back.outcome["digest"] == digests[GOOD])

        output.chapter("What is where")
        report = playbooks.run("report")
        output.check("all zones have the same images under the same tags", report.outcome["in_sync"] is True)

        output.chapter("The pusher is taken away")
        playbooks.run("setup_pusher", appuio_pusher_state="absent")
        output.check("no token may push any more", not any(skopeo.may_push(zone) for zone in zones))
        output.check("no token is known any more", all(skopeo.token_ends(zone) for zone in zones))
        output.check("no token reads the image any more", not any(skopeo.may_read(zone, GOOD) for zone in zones))
        output.chapter("That was it. Keep the zones and try more: make zones. Keep the files: tests/demo/run --keep")


def stay(collections: Path, python: Path) -> None:
    """Start three zones with an image and an inventory beside them, say how to use them, and wait for Ctrl-C."""
    output = Output()
    with _stage(False, output) as stage, LocalZones(3, revocation_delay=REVOCATION) as started:
        _prepare(stage, started.zones, collections, python, output)
        authority = started.zones[0].ca_file
        print(
            STAY.format(stage=stage, collections=collections, programs=python.parent, authority=authority), flush=True
        )
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


def _prepare(
    stage: Path, zones: Sequence[Zone], collections: Path, python: Path, output: Output
) -> tuple[Playbooks, dict[str, str]]:
    """Make users, images and an inventory; return what runs playbooks, and the images' digests by version."""
    output.chapter("Three zones run on this machine, each with a registry and an API")
    tokens = {}
    for zone in zones:
        tokens[zone.name] = zone.create_user("you", projects={NAMESPACE: "admin"})
        output.line(f"{zone.name}: registry {zone.registry}, API {zone.host}")
    output.chapter(f"An image in two versions, for {' and '.join(PLATFORMS)}, from files of this machine")
    digests = {}
    for version in (GOOD, BAD):
        image = make_picture(stage / "build" / version, version)
        digests[version] = image.digest
        output.line(f"{version}: oci:build/{version}, {size_of(image)} bytes, {image.digest}")
    playbooks = Playbooks(collections, python, stage)
    playbooks.write_inventory(zones, tokens, NAMESPACE, NAME, GOOD)
    return playbooks, digests


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
