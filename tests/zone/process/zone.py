# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process of one zone: a real registry, its front, the API, and what tests may do to them."""

from __future__ import annotations

import secrets
import ssl
from pathlib import Path
from typing import Any

from ..api.authentication import Authentication
from ..api.controllers import TokenController
from ..api.hooks import Hooks
from ..api.image_objects import Images
from ..api.image_streams import ImageStreams
from ..api.images import ImageViews
from ..api.oauth import OAuth
from ..api.projects import Projects
from ..api.pull_secrets import PullSecrets
from ..api.quota import Quota
from ..api.rbac import GROUP as RBAC
from ..api.rbac import Rbac
from ..api.resources import Resources
from ..api.reviews import Reviews
from ..api.roles import CLUSTER_ROLES, cluster_role, cluster_role_binding
from ..api.server import Api
from ..api.store import Store
from ..http.faults import FaultList
from ..http.request_log import RequestLog
from ..http.server import Server
from ..registry.blobs import Blobs
from ..registry.front import Front
from ..registry.manifests import Manifests
from ..registry.rights import FrontRights
from ..registry.store import BlobStore
from ..settings import Settings
from .child import fail, read_configuration, serve
from .control import ZoneControl
from .registry import RegistryProcess

STORE_ADDRESS = "127.0.0.1"  # another host than the zone's, and one that its certificate names


def tls_context(certificate: str, key: str) -> ssl.SSLContext:
    """Return the context of a server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["http/1.1"])
    return context


def assemble(configuration: dict[str, Any]) -> ZoneControl:
    """Start everything a zone consists of; raises NoRegistry and OSError."""
    directory = Path(configuration["directory"])
    secret = secrets.token_hex(32)
    registry = RegistryProcess(directory, http_secret=secret)
    registry.start()
    store, faults, log = Store(), FaultList(), RequestLog()
    settings = Settings(**configuration["settings"])
    authentication = Authentication(settings)
    rbac, quota = Rbac(store), Quota(store, settings)
    streams = ImageStreams(store, Images(store))
    for name, rules in CLUSTER_ROLES.items():
        store.create(RBAC, "clusterroles", "", cluster_role(name, rules))
    for name, role, group in (
        ("basic-users", "basic-user", "system:authenticated"),
        ("self-provisioners", "self-provisioner", "system:authenticated:oauth"),
        ("cluster-admins", "cluster-admin", "system:cluster-admins"),
        ("system:oauth-token-deleters", "system:oauth-token-deleter", "system:authenticated"),
    ):
        store.create(RBAC, "clusterrolebindings", "", cluster_role_binding(name, role, group))
    authority = Path(configuration["ca_file"]).read_bytes()
    TokenController(store, authentication, authority, settings)
    pull_secrets = PullSecrets(store, authentication, settings)
    oauth = OAuth(store, authentication, settings)
    hooks = Hooks(store, rbac, streams, quota, authentication, settings)
    resources = Resources(store, hooks, settings)
    projects = Projects(store, rbac, resources, hooks)
    views = ImageViews(store, streams, resources, quota)
    reviews = Reviews(store, rbac, authentication)
    api = Api(store, authentication, rbac, oauth, resources, views, projects, reviews, settings)
    tls = tls_context(configuration["certificate"], configuration["key_file"])
    address = configuration["address"]
    api_server = Server("api", address, tls, api.handle, faults=faults, log=log)
    blob_store = BlobStore(registry.blob_file)
    blobs = Blobs(secret, registry.upload_size, blob_store, settings)
    manifests = Manifests(store, streams, blobs, quota, rbac, settings)
    front = Front(
        authentication,
        FrontRights(authentication, rbac),
        blobs,
        manifests,
        lambda: registry.address,
        lambda: api_server.running,
    )
    registry_tls = tls_context(configuration["registry_certificate"], configuration["registry_key_file"])
    front_server = Server("registry", address, registry_tls, front.handle, faults=faults, log=log, route=settings)
    store_server = Server("store", STORE_ADDRESS, registry_tls, blob_store.handle, faults=faults, log=log)
    api_server.start()
    front_server.start()
    store_server.start()
    blob_store.origin = f"https://{STORE_ADDRESS}:{store_server.port}"
    streams.public_registry = f"{address}:{front_server.port}"
    pull_secrets.registries.append(streams.public_registry)
    oauth.issuer = f"https://{address}:{api_server.port}"
    return ZoneControl(
        store=store,
        authentication=authentication,
        projects=projects,
        oauth=oauth,
        streams=streams,
        faults=faults,
        log=log,
        registry=registry,
        servers={"registry": front_server, "api": api_server, "store": store_server},
        pull_secrets=pull_secrets,
        settings=settings,
    )


def main() -> None:
    """Run a zone until the parent is gone."""
    configuration = read_configuration()
    try:
        control = assemble(configuration)
    except Exception as error:  # the parent tells it to the user
        fail(error)
        raise
    ready = {"registry": control.address("registry"), "host": f"https://{control.address('api')}",
             "admin_token": control.admin_token}  # fmt: skip
    serve(control, configuration["key"], ready, control.shut_down)


if __name__ == "__main__":
    main()
