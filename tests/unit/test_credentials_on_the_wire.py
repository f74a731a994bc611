# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each module, with each kind of credential, in front of servers that want it sent elsewhere: a credential goes to the
host that it is for, to no other, and never without TLS."""

from __future__ import annotations

import base64
import importlib
import json
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import trustme
import yaml
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError
from ansible_collections.appuio.registry.plugins.module_utils._targets import RunContext

from tests.image import make_image
from tests.unit.layers import PLUGINS
from tests.unit.wire import Answer, Asked, Wire, every_host

ZONE = "cloudscale-lpg-2"
API = f"api.{ZONE}.appuio.cloud"
OAUTH = f"oauth.{ZONE}.appuio.cloud"
REGISTRY = f"registry.{ZONE}.appuio.cloud"
OWN_REGISTRY = "images.example.com"
SOURCE = "source.example.net"
OTHER_API = "api.other.example.org"
REALM = "realm.example.org"
BLOBS = "blobs.example.org"
HOSTS = (API, OAUTH, REGISTRY, OWN_REGISTRY, SOURCE, OTHER_API, REALM, BLOBS)

# Each secret of the test, which stands in no other.
PASSWORD = "password-of-jane"
STORED = "password-of-the-registry"
TOKEN = "sha256~token-of-the-zone"
FETCHED = "sha256~token-by-password"
OTHERS = "sha256~token-of-another-cluster"
OF_SOURCE = "password-of-the-source"
SECRETS = (PASSWORD, STORED, TOKEN, FETCHED, OTHERS, OF_SOURCE)

# How the registries behave: they want Basic, want to be asked as OpenShift's, send readers or uploads to another host,
# take nothing but the token of a realm on another host, or send on to an address without TLS.
MANNERS = ("basic", "openshift", "redirects", "uploads", "realm", "plain")
GIVEN = "token-of-the-realm"

MODULES: dict[str, dict[str, Any]] = {
    "appuio_access_info": {},
    "appuio_image_info": {"name": "app"},
    "appuio_image_prune": {"name": "app", "keep": 1},
    "appuio_image_push": {"name": "app", "tags": ["1"]},
    "appuio_image_stream": {"name": "app"},
    "appuio_image_sync": {},
    "appuio_image_tag": {"name": "app", "tag": "2", "from": "1"},
    "appuio_registry_access": {"viewers": [{"kind": "ServiceAccount", "name": "ci", "namespace": "ci"}]},
    "appuio_registry_account": {"service_account": "pusher", "wait_timeout": 0},
    "appuio_registry_login": {},
    "appuio_registry_token": {"service_account": "pusher", "wait_timeout": 0},
}
PUSHING = ("appuio_image_push", "appuio_image_sync")
ASK_THE_REGISTRY = (*PUSHING, "appuio_image_info", "appuio_image_tag", "appuio_registry_login")


@dataclass
class Given:
    """A credential as a task has it, and the hosts that each secret may go to."""

    options: dict[str, Any]
    environment: dict[str, str] = field(default_factory=dict)
    allowed: dict[str, set[str]] = field(default_factory=dict)


def test_every_module_is_looked_at() -> None:
    assert {path.stem for path in (PLUGINS / "modules").glob("*.py")} == set(MODULES)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def certificate(authority: trustme.CA) -> trustme.LeafCert:
    return authority.issue_cert(*HOSTS)


@pytest.fixture
def folder(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    for name in ("http_proxy", "https_proxy", "all_proxy", "KUBECONFIG", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return tmp_path


def stored(folder: Path) -> str:
    """Return an auth file with a password for the registry of its own, and nothing for the zone's."""
    path = folder / "auth.json"
    entry = base64.b64encode(f"robot:{STORED}".encode()).decode()
    path.write_text(json.dumps({"auths": {OWN_REGISTRY: {"auth": entry}}}))
    return str(path)


def kubeconfig(folder: Path, *servers: tuple[str, str]) -> str:
    """Return a kubeconfig with these APIs and tokens, whose current context is the first one's."""
    numbered = list(enumerate(servers))
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c0",
        "clusters": [{"name": f"c{n}", "cluster": {"server": f"https://{one[0]}:6443"}} for n, one in numbered],
        "users": [{"name": f"c{n}", "user": {"token": one[1]}} for n, one in numbered],
        "contexts": [{"name": f"c{n}", "context": {"cluster": f"c{n}", "user": f"c{n}"}} for n, _one in numbered],
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(document))
    return str(path)


def given(kind: str, module: str, folder: Path) -> Given:
    """Return a credential of a kind, with a zone and, where it is stored for one, a registry of its own."""
    credential = _given(kind, folder)
    if module == "appuio_registry_login" and STORED in credential.allowed:
        # A login replaces what is stored, and looks at it before.
        credential.options.update(username="jane", password=PASSWORD, revoke=True)
        credential.allowed.update({PASSWORD: {OAUTH}, FETCHED: {API, OAUTH, OWN_REGISTRY}})
    return credential


def _given(kind: str, folder: Path) -> Given:
    own = {"registry": OWN_REGISTRY, "zone": ZONE}
    # A registry's password goes to the realm that the registry names, as for every client (Token Authentication).
    of_registry = {STORED: {OWN_REGISTRY, REALM}}
    if kind == "auth_file":
        return Given({**own, "auth_file": stored(folder)}, allowed=of_registry)
    if kind == "REGISTRY_AUTH_FILE":
        return Given(own, {"REGISTRY_AUTH_FILE": stored(folder)}, of_registry)
    if kind == "auth_file with host":
        host = {"registry": OWN_REGISTRY, "host": f"https://{API}:6443"}
        return Given({**host, "auth_file": stored(folder)}, allowed=of_registry)
    if kind == "password":
        allowed = {PASSWORD: {OAUTH}, FETCHED: {API, OAUTH, REGISTRY}}
        return Given({"zone": ZONE, "username": "jane", "password": PASSWORD}, allowed=allowed)
    if kind == "token":
        return Given({"zone": ZONE, "token": TOKEN}, allowed={TOKEN: {API, REGISTRY}})
    if kind == "kubeconfig":
        path = kubeconfig(folder, (OTHER_API, OTHERS), (API, TOKEN))
        return Given({"zone": ZONE, "kubeconfig": path}, allowed={TOKEN: {API, REGISTRY}})
    return Given({"zone": ZONE, "kubeconfig": kubeconfig(folder, (OTHER_API, OTHERS))})


KINDS = (
    "auth_file",
    "REGISTRY_AUTH_FILE",
    "auth_file with host",
    "password",
    "token",
    "kubeconfig",
    "kubeconfig of another cluster",
)


def api(asked: Asked) -> Answer:
    """Answer as an API that takes every credential, so that none is kept from it by a refusal."""
    if asked.path == "/.well-known/oauth-authorization-server":
        endpoints = {f"{name}_endpoint": f"https://{OAUTH}/{name}" for name in ("authorization", "token")}
        return Answer(200, endpoints)
    if asked.method == "DELETE":
        return Answer(200, {})
    if asked.method in ("POST", "PUT", "PATCH"):
        document = json.loads(asked.body or b"{}")
        metadata = {**document.get("metadata", {}), "uid": "1", "resourceVersion": "1"}
        return Answer(201, {**document, "metadata": metadata, "status": {"allowed": True, "token": "given"}})
    last = asked.path.partition("?")[0].rsplit("/", 1)[1]
    return Answer(200, {"items": [], "metadata": {}}) if last.endswith("s") else Answer(404, {"kind": "Status"})


def oauth(asked: Asked) -> Answer:
    if asked.path.startswith("/token"):
        return Answer(200, {"access_token": FETCHED, "expires_in": 600})
    return Answer(302, headers={"Location": "https://localhost/?code=c"})


class Registries:
    """Registries of one manner; the source of a push has an image, the others take what comes."""

    def __init__(self, manner: str, contents: dict[str, tuple[str, bytes]]) -> None:
        self._manner = manner
        self._contents = contents

    def __call__(self, asked: Asked) -> Answer:
        if asked.host in (API, OTHER_API):
            return api(asked)
        if asked.host == OAUTH:
            return oauth(asked)
        if asked.host == REALM:
            return Answer(200, {"token": GIVEN})
        if asked.host == BLOBS or not asked.tls:
            # It asks for a credential, which it shall not get.
            return Answer(401, headers={"WWW-Authenticate": 'Basic realm="here"'})
        return self._registry(asked)

    def _registry(self, asked: Asked) -> Answer:
        who = asked.headers.get("authorization")
        if who is None or (self._manner == "realm" and who != f"Bearer {GIVEN}"):
            return Answer(401, headers={"WWW-Authenticate": self._challenge(asked.host)})
        elsewhere = {"redirects": f"https://{BLOBS}", "plain": f"http://{BLOBS}"}.get(self._manner)
        uploads = f"https://{BLOBS}" if self._manner == "uploads" else elsewhere or ""
        if asked.path.rstrip("/") == "/v2":
            return Answer(200, {})
        if asked.method == "POST":
            return Answer(202, headers={"Location": f"{uploads}/v2/shop/app/blobs/uploads/1"})
        if elsewhere:
            return Answer(307, headers={"Location": f"{elsewhere}{asked.path}"})
        if asked.method == "PUT":
            digest = unquote(asked.path.partition("digest=")[2]) or f"sha256:{sha256(asked.body).hexdigest()}"
            return Answer(201, headers={"Docker-Content-Digest": digest})
        kind, content = (
            self._contents.get(asked.path.rsplit("/", 1)[1], ("", b"")) if asked.host == SOURCE else ("", b"")
        )
        return Answer(200, content, {"Content-Type": kind}) if content else Answer(404, {"errors": []})

    def _challenge(self, host: str) -> str:
        realm = {"openshift": f"https://{host}/openshift/token", "realm": f"https://{REALM}/token"}.get(self._manner)
        if self._manner == "plain" and host == SOURCE:
            realm = f"http://{REALM}/token"
        return f'Bearer realm="{realm}",service="registry"' if realm else 'Basic realm="registry"'


def started(plugin: Any, options: dict[str, Any], context: RunContext) -> Any:
    """Return the task that a module's main function hands to the runner."""
    tasks: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plugin, "run_module", lambda _spec, start: tasks.append(start(options, context)))
        plugin.main()
    return tasks[0]


def run(module: str, credential: Given, folder: Path, options: dict[str, Any]) -> AppuioError | None:
    """Run a module in this process; return why it failed, where it did."""
    plugin = importlib.import_module(f"ansible_collections.appuio.registry.plugins.modules.{module}")
    defaults = {name: rule.get("default") for name, rule in plugin.SPEC.options.items()}
    own = {"namespace": "shop", "ca_cert": str(folder / "ca.pem"), "retries": 0}
    if module == "appuio_registry_login" and "auth_file" not in credential.options:
        own["auth_file"] = str(folder / "written.json")
    context = RunContext({"HOME": str(folder), **credential.environment}, str(folder))
    given = {**defaults, **own, **MODULES[module], **credential.options, **options}
    task = None
    try:
        task = started(plugin, given, context)
        task.apply(task.plan())
    except AppuioError as error:
        return error
    finally:
        if task is not None:
            task.close()
    return None


def pushed(module: str, **image: Any) -> dict[str, Any]:
    """Return the options of a module that pushes an image."""
    return image if module == "appuio_image_push" else {"images": [{"name": "app", "tags": ["1"], **image}]}


def sent(wire: Wire) -> set[str]:
    """Return the secrets that were sent anywhere."""
    return {secret for secret in SECRETS if any(asked.carries(secret) for asked in wire.asked)}


def strays(wire: Wire, allowed: dict[str, set[str]]) -> list[str]:
    """Return a line for each request that carries a secret to a host that it is not for, or in clear."""
    return [
        f"{secret} in {asked.method} {'https' if asked.tls else 'http'}://{asked.host}{asked.path}"
        for asked in wire.asked
        for secret in SECRETS
        if asked.carries(secret) and (not asked.tls or asked.host not in allowed.get(secret, ()))
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("module", MODULES)
def test_a_credential_goes_to_the_host_it_is_for(
    module: str, kind: str, folder: Path, certificate: trustme.LeafCert, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_image(folder / "layout", platforms=["linux/amd64"])
    options = pushed(module, source=f"oci:{folder / 'layout'}") if module in PUSHING else {}
    arrived: set[str] = set()
    for manner in MANNERS if module in ASK_THE_REGISTRY else MANNERS[:1]:
        credential = given(kind, module, folder)
        with every_host(Registries(manner, {}), certificate, monkeypatch) as wire:
            error = run(module, credential, folder, options)
        assert strays(wire, credential.allowed) == [], (manner, error)
        arrived |= sent(wire)
    if kind == "kubeconfig of another cluster":
        assert isinstance(error, AppuioError)
        assert not wire.asked
    elif STORED in credential.allowed and module not in ASK_THE_REGISTRY:
        # What is stored for a registry is nobody to an API.
        assert isinstance(error, AppuioError)
        assert arrived == set()
    else:
        # Of what a login replaces, nothing has to be sent.
        assert arrived >= set(credential.allowed) - ({STORED} if PASSWORD in credential.allowed else set()), error


@pytest.mark.parametrize("manner", MANNERS)
@pytest.mark.parametrize("module", PUSHING)
def test_a_source_s_password_goes_to_the_source_alone(
    module: str, manner: str, folder: Path, certificate: trustme.LeafCert, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = make_image(folder / "layout", platforms=["linux/amd64"])
    contents = {f"sha256:{path.name}": ("", path.read_bytes()) for path in (folder / "layout/blobs/sha256").iterdir()}
    kind, root = str(image.descriptor["mediaType"]), contents[image.digest][1]
    contents.update(dict.fromkeys((image.digest, "1"), (kind, root)))
    options = {
        "source": f"docker://{SOURCE}/team/app:1",
        "source_username": "robot",
        "source_password": OF_SOURCE,
        "source_ca_cert": str(folder / "ca.pem"),
    }
    credential = Given({"zone": ZONE, "token": TOKEN}, allowed={TOKEN: {API, REGISTRY}, OF_SOURCE: {SOURCE, REALM}})
    with every_host(Registries(manner, contents), certificate, monkeypatch) as wire:
        error = run(module, credential, folder, pushed(module, **options))
    assert strays(wire, credential.allowed) == [], error
    if manner == "basic":
        assert sent(wire) == {TOKEN, OF_SOURCE}, error


@pytest.mark.parametrize("manner", MANNERS)
def test_a_token_of_another_zone_that_images_come_from_goes_to_that_zone_alone(
    manner: str, folder: Path, certificate: trustme.LeafCert, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = make_image(folder / "layout", platforms=["linux/amd64"])
    contents = {f"sha256:{path.name}": ("", path.read_bytes()) for path in (folder / "layout/blobs/sha256").iterdir()}
    kind, root = str(image.descriptor["mediaType"]), contents[image.digest][1]
    contents.update(dict.fromkeys((image.digest, "1"), (kind, root)))
    there = {"registry": SOURCE, "host": f"https://{OTHER_API}:6443", "token": OTHERS}
    images = [{"source_zone": there, "source": "app:1"}, {"source_zone": {**there, "namespace": "other"}}]
    credential = Given({"zone": ZONE, "token": TOKEN}, allowed={TOKEN: {API, REGISTRY}, OTHERS: {OTHER_API, SOURCE}})
    with every_host(Registries(manner, contents), certificate, monkeypatch) as wire:
        error = run("appuio_image_sync", credential, folder, {"images": images})
    assert "zone source.example.net: list the ImageStreams" in str(error)
    assert strays(wire, credential.allowed) == [], error
    assert {asked.host for asked in wire.asked if asked.carries(OTHERS)} == {OTHER_API, SOURCE}
    if manner == "openshift":
        assert sent(wire) == {TOKEN, OTHERS}, error
