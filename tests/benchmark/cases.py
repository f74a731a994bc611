# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured: which image, to how many registries, what is there before, who pushes, and why it comes out so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from .ansible_tasks import CommandTask, EmptyTask, OurModule, OurTask
from .contenders import FAST_GZIP, Contender, Engine, fast_gzip
from .images import SET
from .peers import AT_ONCE, IN_TURN, Skopeo, peers, skopeos
from .plays import EmptyPlay, RolePlay, Rollout
from .sets import Loop, OurSetModule, OurSetTask, OurTasks, PreparedLoop, SkopeoSync

# How the registries are reached, and how the tables call that.
TRANSPORTS = {
    "plain": "HTTP",
    "tls": "TLS",
    "route": "TLS, haproxy",
    "latency": "TLS, haproxy, 20 ms",
    "loss": "TLS, haproxy, 20 ms, 1 % loss",
    "zones": "local zones",
}
# Seconds that a packet takes in each direction, and the share that is lost.
NETWORKS = {"latency": (0.01, 0.0), "loss": (0.01, 0.01)}
SEVERAL = 3
MANY = 10


@dataclass(frozen=True)
class Case:
    """One thing to measure; ``why`` explains the figures.

    ``image``, ``before`` and ``counted_image`` name images of Images; ``before`` was pushed to the same tag by the
    same contender, ``counted_image`` is pushed instead where requests are counted: a smaller one of as many layers.
    ``checked`` says that the registries are asked afterwards whether they have the image.
    ``copied`` says that the image comes from a registry, ``images`` how many names it has there and here.
    """

    name: str
    title: str
    image: str
    contenders: Sequence[Contender]
    why: str = ""
    before: str | None = None
    copied: bool = False
    zones: int = 1
    images: int = 1
    transports: Sequence[str] = ("plain", "tls")
    rounds: int | None = None
    warm_up: bool = True
    counted: bool = True
    counted_image: str | None = None
    checked: bool = True

    @property
    def changes(self) -> bool:
        """Whether the push changes anything."""
        return self.before != self.image


def cases() -> list[Case]:
    """Return all cases, with those contenders that are installed here."""
    return [*_one_registry(), *_several_registries(), *_networks(), *_playbooks(), *_sets(), *_zones(), *_memory()]


def _one_registry() -> list[Case]:
    plain: list[Contender] = [Engine(), *peers("oci")]
    copying: list[Contender] = [Engine(), *peers("docker")]
    own_gzip = Engine("appuio.registry, Python's own gzip", FAST_GZIP)
    # Without a faster library, both would be the same.
    compressing: list[Contender] = [
        *(Engine(f"appuio.registry, {library}") for library in fast_gzip()[:1]),
        own_gzip,
        *peers("docker-archive"),
    ]
    return [
        Case(
            "layout",
            "First push of an OCI layout",
            "layout",
            plain,
            "A layer takes two requests. Its digest is computed by the registry, which has to do that anyway and "
            "names it in its answer, and not here as well. That makes up for the start of Python, a tenth of a "
            "second in which crane and oras are sending already, and for no more.",
        ),
        Case(
            "small-layers",
            "First push of 60 small layers",
            "small_layers",
            plain,
            "Here requests are what takes time: a layer takes us two, oras three, crane four and skopeo five. Python "
            "takes more of the processor for each than Go does, and to start: crane and oras take less of it.",
        ),
        Case(
            "archive",
            "First push of a docker-archive, to be compressed",
            "archive",
            compressing,
            "Compression is nearly everything here. `isal` is several times as fast as zlib and compresses a little "
            "less. Without it a layer is compressed by zlib in blocks on all cores, at its fastest level, as skopeo "
            "does with Go's, which today is the faster of the two.",
            transports=("tls",),
            rounds=3,
        ),
        Case(
            "unchanged",
            "The same OCI layout again",
            "layout",
            plain,
            "One request tells that nothing is to be done. What remains is the start of Python and the import of its "
            "modules (see Start): skopeo asks eleven questions, crane and oras two, and all are done before Python has "
            "started.",
            before="layout",
            rounds=3,
        ),
        Case(
            "archive-unchanged",
            "The same docker-archive again",
            "archive",
            compressing,
            "As before: the start of Python. Neither we nor skopeo compress the archive again; crane does, to know its "
            "digest.",
            before="archive",
            transports=("tls",),
            rounds=3,
        ),
        Case(
            "changed",
            "An OCI layout with one of eight layers changed",
            "changed",
            plain,
            "The start of Python again, which one layer of eight does not make up for on a network without latency; "
            "all send that layer alone.",
            before="layout",
            transports=("tls",),
            rounds=3,
        ),
        Case(
            "registry",
            "From another registry",
            "layout",
            copying,
            "Every byte is received, hashed and sent, with TLS decrypted and encrypted as well. A layer is sent "
            "while it is read, and nothing is written to the disk in between. Go does the same with as fast hashing "
            "and TLS, so nobody is far ahead, and Python's start and its interpreter are what we take more of the "
            "processor for.",
            copied=True,
        ),
    ]


def _several_registries() -> list[Case]:
    library = fast_gzip()[:1]
    compressing = Engine(f"appuio.registry, {library[0]}") if library else Engine()
    return [
        Case(
            "zones",
            "An OCI layout to three registries",
            "layout",
            _to_several(Engine(), "oci"),
            "All registries are sent to at the same time, and each computes the digest of what it gets.",
            zones=SEVERAL,
            transports=("tls",),
            rounds=3,
        ),
        Case(
            "zones-registry",
            "From a registry to three",
            "layout",
            _to_several(Engine(), "docker"),
            "The source is read once, not once for each registry; what has arrived waits on the disk for the slowest.",
            copied=True,
            zones=SEVERAL,
            transports=("tls",),
            rounds=3,
        ),
        Case(
            "zones-archive",
            "A docker-archive to three",
            "archive",
            _to_several(compressing, "docker-archive"),
            "A layer is compressed once, not once for each registry.",
            zones=SEVERAL,
            transports=("tls",),
            rounds=2,
            warm_up=False,
        ),
    ]


def _to_several(ours: Contender, transport: str) -> list[Contender]:
    """Return who pushes to several registries: today's skopeo in both ways, and the others in the faster one."""
    return [ours, *skopeos(IN_TURN)[:1], *peers(transport, AT_ONCE)]


def _networks() -> list[Case]:
    one: list[Contender] = [Engine(), *peers("oci")]
    # Older versions take half a minute for each of these pushes.
    todays: list[Contender] = [Engine(), *peers("oci", older=False)]
    several = _to_several(Engine(), "oci")
    route = partial(Case, transports=("route",), rounds=3)
    latency = partial(Case, transports=("latency",), rounds=3)
    loss = partial(Case, transports=("loss",), warm_up=False)
    return [
        route(
            "route",
            "Through a route: first push of an OCI layout",
            "layout",
            one,
            "haproxy decrypts and encrypts every byte on the same two cores, so whoever takes less of them is done "
            "sooner. It speaks HTTP/1.1: crane and oras, which have one connection of HTTP/2 to a registry itself, "
            "open several.",
        ),
        route(
            "route-unchanged",
            "Through a route: the same OCI layout again",
            "layout",
            one,
            "The start of Python, as without a route; one request through haproxy costs next to nothing.",
            before="layout",
        ),
        route(
            "route-zones",
            "Through routes: an OCI layout to three registries",
            "layout",
            several,
            "As without routes; three haproxies share the two cores with everything else.",
            zones=SEVERAL,
            rounds=2,
            warm_up=False,
        ),
        latency(
            "latency",
            "20 ms away: first push of a light OCI layout",
            "light",
            one,
            "A new connection takes two round trips before its first request and starts slowly (RFC 5681). Ours are "
            "four and stay open; skopeo 1.9.3 opens one for each request. Today's programs keep theirs open as well.",
        ),
        latency(
            "latency-small-layers",
            "20 ms away: first push of 60 small layers",
            "small_layers",
            todays,
            "Nearly everything is waiting for answers here, so fewer requests are what counts: 126, on four "
            "connections. skopeo sends the layers of a layout one after another. An older skopeo, which opens a "
            "connection for each of its requests and takes half a minute, is left out.",
            rounds=1,
            warm_up=False,
        ),
        latency(
            "latency-unchanged",
            "20 ms away: the same OCI layout again",
            "light",
            one,
            "One question against eleven requests of skopeo's, which makes up for the start of Python. crane and "
            "oras ask two on one connection: the round trip that we save is shorter than that start.",
            before="light",
        ),
        latency(
            "latency-zones",
            "20 ms away: a light OCI layout to three registries",
            "light",
            several,
            "All registries are waited for at the same time.",
            zones=SEVERAL,
            rounds=1,
            warm_up=False,
        ),
        loss(
            "loss",
            "20 ms away with losses: first push of a light OCI layout",
            "light",
            one,
            "A lost packet slows its connection down for a while, so time depends on how many connections send at the "
            "same time, and on chance: the median of one run differs from that of the next.",
        ),
        loss(
            "loss-small-layers",
            "20 ms away with losses: first push of 60 small layers",
            "small_layers",
            todays,
            "Each request may lose a packet and wait for it to be sent again, longest where it was the last one, "
            "which only a timer notices (RFC 8985): fewer requests, fewer waits. An older skopeo, which takes half a "
            "minute, is left out.",
            rounds=1,
        ),
    ]


def _playbooks() -> list[Case]:
    tasks: list[Contender] = [OurTask(), *map(CommandTask, peers("oci"))]
    task = partial(Case, transports=("tls",), rounds=3)
    return [
        task(
            "task",
            "First push, whole playbook",
            "layout",
            [*tasks, EmptyTask()],
            "Most of it is Ansible's own start, which an empty task shows; our module imports more than `command` "
            "does, and crane and oras need next to nothing to start.",
        ),
        task(
            "task-unchanged",
            "The same again, whole playbook",
            "layout",
            tasks,
            "The module of `command` is smaller than ours, and compiled programs start faster than Python: for one "
            "image that has not changed, the task is slower. It says whether something changed, which `command` "
            "cannot.",
            before="layout",
        ),
    ]


def _sets() -> list[Case]:
    syncs = [SkopeoSync(one.program) for one in skopeos()]
    forgetful = [PreparedLoop(one) for one in peers("docker", older=False) if not isinstance(one, Skopeo)]
    first: list[Contender] = [OurSetTask(), OurSetModule(), *syncs, *map(Loop, skopeos()[:1]), *forgetful]
    again: list[Contender] = [*first[:2], OurTasks(), *first[2:]]
    several = partial(
        Case,
        image="several",
        copied=True,
        zones=SEVERAL,
        images=SET,
        transports=("tls",),
        rounds=1,
        warm_up=False,
    )
    return [
        several(
            "set",
            f"{SET} images from a registry to three, for the first time",
            contenders=first,
            why="Each image is read once for all registries, several images at a time. `skopeo sync` and a loop copy "
            "one image after another, to one registry after another. A layer that an image has already brought to "
            "a registry is not sent again, by anybody. Ansible's start is in our first line; the module alone is "
            "the second.",
        ),
        several(
            "set-unchanged",
            f"{SET} images from a registry to three, unchanged",
            contenders=again,
            before="several",
            why="One process starts once, and asks source and registries one question for each image over connections "
            "that stay open; what it takes is the start of Ansible and of Python, as the module alone shows. "
            "`skopeo sync` compares digests, too, starts once for each registry, and starts faster. A task for "
            "each image starts a Python for each, which is the slowest way. Without Ansible's start, which is in "
            "our first line alone, we are faster than any other, and take about as much of the processor as "
            "`skopeo sync`, which is compiled.",
        ),
        several(
            "latency-set-unchanged",
            f"20 ms away: {SET} images from a registry to three, unchanged",
            contenders=[OurSetTask(), OurSetModule(), *syncs[:1], *forgetful[:1]],
            before="several",
            transports=("latency",),
            why="Here waiting for answers is what takes time. We wait for those of several images and all registries "
            "at the same time, `skopeo sync` and a loop for one after another. An older skopeo, which takes half "
            "a minute, is left out.",
        ),
    ]


def _zones() -> list[Case]:
    in_zones = partial(Case, image="light", transports=("zones",), rounds=3, counted=False, checked=False)
    role: list[Contender] = [RolePlay(), EmptyPlay()]
    rollout: list[Contender] = [Rollout(), EmptyPlay()]
    found = [
        in_zones(
            "role",
            "Role image_pusher, a new pusher",
            contenders=role,
            why="Service account, Secret and role binding are created, and rights and quota are looked at before. Most "
            f"of it is Ansible's own start, and the import of the Kubernetes client. {_before(9.2)}",
        ),
        in_zones(
            "role-unchanged",
            "The same pusher again",
            contenders=role,
            before="light",
            why=f"What is there is read, and the token is taken from its Secret. {_before(5.9)}",
        ),
    ]
    for zones, rounds, first, again in ((1, 3, 11.2, 8.7), (SEVERAL, 2, 17.3, 10.4), (MANY, 1, 60.9, 41.7)):
        rolled_out = partial(in_zones, contenders=rollout, zones=zones, rounds=rounds, warm_up=False)
        where = "one zone" if zones == 1 else f"{zones} zones"
        found += [
            rolled_out(
                f"rollout-{zones}",
                f"Rollout to {where}, with a new pusher",
                why="A pusher, a login and a push in each zone, each of which is a process of a module. With Ansible's "
                f"default, five zones are served at a time. {_before(first)}",
            ),
            rolled_out(
                f"rollout-{zones}-unchanged",
                f"The same rollout to {where} again, as every night",
                before="light",
                why=f"The same processes, which find that nothing is to be done. {_before(again)}",
            ),
        ]
    return found


def _before(seconds: float) -> str:
    """Return what was measured once with this benchmark, with the roles and playbooks of some days before."""
    return f"When roles did with tasks what modules do now (2026-11-23), this took {seconds:.1f} s."


def _memory() -> list[Case]:
    def todays(transport: str, way: str = "") -> list[Contender]:
        return [OurModule(), *peers(transport, way, older=False)]

    memory = partial(Case, transports=("tls",), rounds=1, warm_up=False)
    return [
        memory(
            "memory",
            "Peak memory: layers of gigabytes",
            "large",
            todays("oci"),
            "Nothing is held but a block of each layer under way; Python itself takes more than crane and oras do. "
            "Here and in the cases that follow, an older skopeo is left out, to save minutes.",
            counted_image="layout",
        ),
        memory(
            "memory-archive",
            "Peak memory: a large docker-archive",
            "large_archive",
            todays("docker-archive"),
            "Blocks are compressed as they are sent, with no more of them under way than there are threads.",
            counted_image="archive",
        ),
        memory(
            "memory-archive-zones",
            "Peak memory: a docker-archive to ten",
            "archive",
            [OurModule(), *skopeos(IN_TURN)[:1]],
            "As before; each registry has a connection and a block of its own.",
            zones=MANY,
        ),
        memory(
            "memory-zones",
            "Peak memory: an OCI layout to ten registries",
            "layout",
            todays("oci", IN_TURN),
            "Ten registries are served at the same time by one process, so it holds ten times as many blocks as "
            "the others, which serve one after another.",
            zones=MANY,
            counted_image="light",
        ),
        memory(
            "memory-registry",
            "Peak memory: from a registry to ten",
            "layout",
            todays("docker", IN_TURN),
            "As before, and what comes from the source waits on the disk for the slowest registry.",
            copied=True,
            zones=MANY,
            counted_image="light",
        ),
    ]
