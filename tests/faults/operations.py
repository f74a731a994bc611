# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations of the matrix: a run of a module that changes something in each zone, or only reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.zone import Zone
from tests.zone.client import ACCEPT, Client

from .scene import Run, Scene

Options = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """A run of a module.

    ``prepare`` makes what it needs in the zones, and returns its options: afterwards, it has something to do in each.
    ``observe`` reads in a zone, without asking it, what the run is about. ``sides`` are those of the zone that it asks;
    ``atomic`` says that all zones are changed or none, ``keeps`` that it may leave things as they are and say why.
    """

    name: str
    module: str
    prepare: Callable[[Scene], Options]
    observe: Callable[[Scene, Zone, Options], Any]
    sides: tuple[str, ...] = ("api",)
    atomic: bool = False
    reads: bool = False
    keeps: bool = False

    def run(self, scene: Scene, options: Options, *, check: bool = False) -> Run:
        """Run the module in all zones."""
        return scene.run(self.module, options, check=check)

    def state(self, scene: Scene, options: Options) -> dict[str, Any]:
        """Return what each zone has of it."""
        return {zone.name: self.observe(scene, zone, options) for zone in scene.zones}


def _tags(scene: Scene, zone: Zone, options: Options) -> Any:
    tags = zone.tags(scene.project, options["name"])
    return {tag: tags.get(tag) for tag in options.get("tags") or [options.get("tag", "")]}


def _all_tags(scene: Scene, zone: Zone, options: Options) -> Any:
    return zone.tags(scene.project, options["name"])


def _objects(*kinds: str) -> Callable[[Scene, Zone, Options], Any]:
    """Return a function that tells which objects of a run's own name there are."""

    def observe(scene: Scene, zone: Zone, options: Options) -> Any:
        names = {
            "ServiceAccount": options.get("service_account"),
            "Secret": f"{options.get('service_account')}-secret",
            "RoleBinding": options.get("viewer_binding") or f"{options.get('service_account')}-registry-editor",
            "ImageStream": options.get("name"),
        }
        found = {kind: zone.object(kind, str(names[kind]), scene.project) for kind in kinds}
        return {kind: found[kind] is not None for kind in kinds}

    return observe


def _nothing(_scene: Scene, _zone: Zone, _options: Options) -> Any:
    return None


def _stored(_scene: Scene, zone: Zone, options: Options) -> Any:
    try:
        with open(options["auth_file"], encoding="utf-8") as file:
            return json.load(file).get("auths", {}).get(zone.registry)
    except FileNotFoundError:
        return None


def _login(scene: Scene) -> Options:
    return {"auth_file": str(scene.folder / "home" / scene.new("auth"))}


def push(scene: Scene, **options: Any) -> Options:
    """Return the options of a push of a new image to a tag that is there."""
    source = scene.layout(scene.new("image"), platforms=("linux/amd64",), layers=1)
    return {"name": "app", "tags": ["1.0"], "source": source, **options}


def _pushed_once(scene: Scene, name: str, *tags: str) -> None:
    run = scene.run("appuio_image_push", push(scene, name=name, tags=list(tags)))
    assert not run.failed, run.result["msg"]


def _two_images(scene: Scene) -> str:
    """Return the name of a stream with the tags 1.0 and 2.0, and prod, which has pointed to both."""
    name = f"two-{scene.project}"
    if not scene.zones[0].tags(scene.project, name):
        _pushed_once(scene, name, "2.0", "prod")
        _pushed_once(scene, name, "1.0", "prod")
    return name


def _promote(scene: Scene, **options: Any) -> Options:
    name = _two_images(scene)
    tags = scene.zones[0].tags(scene.project, name)
    return {"name": name, "tag": "prod", "from": "2.0" if tags.get("prod") == tags["1.0"] else "1.0", **options}


def _rolled_back(scene: Scene) -> Options:
    options = _promote(scene)
    digest = scene.zones[0].tags(scene.project, options["name"])[options.pop("from")]
    return {**options, "state": "rolled_back", "to_digest": digest}


def _copied(scene: Scene) -> Options:
    return {"name": scene.new("copy"), "tag": "prod", "from": f"{_two_images(scene)}:1.0"}


def _absent(scene: Scene) -> Options:
    name, tag = _two_images(scene), scene.new("gone")
    for zone in scene.zones:
        client, repository = Client(zone, scene.tokens[zone.name]), f"{scene.project}/{name}"
        content = client("GET", f"/v2/{repository}/manifests/1.0", Accept=ACCEPT).body
        assert client.put_manifest(repository, tag, content).status == 201
    return {"name": name, "tag": tag, "state": "absent"}


def _prune(scene: Scene) -> Options:
    name = f"old-{scene.project}"
    _pushed_once(scene, name, scene.new("old"))
    if len(scene.zones[0].tags(scene.project, name)) == 1:
        _pushed_once(scene, name, scene.new("old"))
    return {"name": name, "match": "^old-", "keep": 1}


def _account(scene: Scene) -> Options:
    return {"service_account": scene.new("pusher")}


def _token(scene: Scene, **options: Any) -> Options:
    name = scene.new("pusher")
    for zone in scene.zones:
        zone.token_for(scene.project, name)
    return {"service_account": name, **options}


OPERATIONS = (
    Operation("login", "appuio_registry_login", _login, _stored, ("registry",)),
    Operation("push", "appuio_image_push", push, _tags, ("registry", "api"), atomic=True),
    Operation("push each zone", "appuio_image_push", lambda scene: push(scene, atomic=False), _tags, ("registry",)),
    Operation("promote", "appuio_image_tag", _promote, _tags, ("registry",), atomic=True),
    Operation(
        "promote each zone", "appuio_image_tag", lambda scene: _promote(scene, atomic=False), _tags, ("registry",)
    ),
    Operation("copy", "appuio_image_tag", _copied, _tags, ("registry", "api"), atomic=True),
    Operation("roll back", "appuio_image_tag", _rolled_back, _tags, ("registry", "api"), atomic=True),
    Operation("remove a tag", "appuio_image_tag", _absent, _tags, ("registry", "api"), atomic=True),
    Operation(
        "info",
        "appuio_image_info",
        lambda scene: {"name": _two_images(scene)},
        _nothing,
        ("registry", "api"),
        reads=True,
    ),
    Operation("prune", "appuio_image_prune", _prune, _all_tags, keeps=True),
    Operation("token", "appuio_registry_token", _token, _objects("Secret")),
    Operation("bound token", "appuio_registry_token", lambda scene: _token(scene, kind="bound"), _nothing),
    Operation("account", "appuio_registry_account", _account, _objects("ServiceAccount", "Secret", "RoleBinding")),
    Operation(
        "access",
        "appuio_registry_access",
        lambda scene: {
            "viewer_binding": scene.new("viewers"),
            "viewers": [{"kind": "Group", "name": scene.new("team")}],
        },
        _objects("RoleBinding"),
    ),
    Operation(
        "access info",
        "appuio_access_info",
        lambda _scene: {"rights": [{"verb": "create", "resource": "secrets"}], "roles": ["registry-viewer"]},
        _nothing,
        reads=True,
    ),
    Operation("stream", "appuio_image_stream", lambda scene: {"name": scene.new("stream")}, _objects("ImageStream")),
)
BY_NAME = {operation.name: operation for operation in OPERATIONS}
