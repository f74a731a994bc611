# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an API is, and the resources of it that the collection reads and writes; pure.

Sources: Kubernetes API reference; OpenShift API reference. They are few and known, so that nothing has to be
discovered: that saves requests, and a cache on disk that somebody else could have written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote

from .._errors import ServerError
from .._targets import Connection


class ApiAddress(NamedTuple):
    """Where an API is and how it is reached; ``tls_server_name`` is the name in its certificate, where it differs."""

    url: str
    connection: Connection = Connection()
    tls_server_name: str | None = None


@dataclass(frozen=True)
class ResourceType:
    """A resource: ``group`` is empty for the core API, ``plural`` is its name in paths and in access rules."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """``apiVersion`` as objects have it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def collection(self, namespace: str = "") -> str:
        """Return where the API has the objects of a namespace, or of all namespaces."""
        base = f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"
        inside = f"/namespaces/{quote(checked_name(namespace))}" if self.namespaced and namespace else ""
        return f"{base}{inside}/{self.plural}"

    def path(self, namespace: str, name: str, subresource: str = "") -> str:
        """Return where the API has an object, or its subresource; raises ServerError for what cannot be a name."""
        collection = self.collection(checked_name(namespace) if self.namespaced else "")
        path = f"{collection}/{quote(checked_name(name), safe=':@~')}"
        return f"{path}/{subresource}" if subresource else path


POD = ResourceType("", "v1", "Pod", "pods")
SECRET = ResourceType("", "v1", "Secret", "secrets")
SERVICE_ACCOUNT = ResourceType("", "v1", "ServiceAccount", "serviceaccounts")
RESOURCE_QUOTA = ResourceType("", "v1", "ResourceQuota", "resourcequotas")
LIMIT_RANGE = ResourceType("", "v1", "LimitRange", "limitranges")
REPLICATION_CONTROLLER = ResourceType("", "v1", "ReplicationController", "replicationcontrollers")
DEPLOYMENT = ResourceType("apps", "v1", "Deployment", "deployments")
STATEFUL_SET = ResourceType("apps", "v1", "StatefulSet", "statefulsets")
DAEMON_SET = ResourceType("apps", "v1", "DaemonSet", "daemonsets")
REPLICA_SET = ResourceType("apps", "v1", "ReplicaSet", "replicasets")
CONTROLLER_REVISION = ResourceType("apps", "v1", "ControllerRevision", "controllerrevisions")
JOB = ResourceType("batch", "v1", "Job", "jobs")
CRON_JOB = ResourceType("batch", "v1", "CronJob", "cronjobs")
ROLE_BINDING = ResourceType("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings")
ACCESS_REVIEW = ResourceType(
    "authorization.k8s.io", "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", namespaced=False
)
IMAGE_STREAM = ResourceType("image.openshift.io", "v1", "ImageStream", "imagestreams")
IMAGE_STREAM_TAG = ResourceType("image.openshift.io", "v1", "ImageStreamTag", "imagestreamtags")
IMAGE_STREAM_MAPPING = ResourceType("image.openshift.io", "v1", "ImageStreamMapping", "imagestreammappings")
DEPLOYMENT_CONFIG = ResourceType("apps.openshift.io", "v1", "DeploymentConfig", "deploymentconfigs")
BUILD_CONFIG = ResourceType("build.openshift.io", "v1", "BuildConfig", "buildconfigs")
BUILD = ResourceType("build.openshift.io", "v1", "Build", "builds")
PROJECT = ResourceType("project.openshift.io", "v1", "Project", "projects", namespaced=False)
USER = ResourceType("user.openshift.io", "v1", "User", "users", namespaced=False)
USER_OAUTH_TOKEN = ResourceType(
    "oauth.openshift.io", "v1", "UserOAuthAccessToken", "useroauthaccesstokens", namespaced=False
)
OAUTH_TOKEN = ResourceType("oauth.openshift.io", "v1", "OAuthAccessToken", "oauthaccesstokens", namespaced=False)

# What the roles and modules create, by the kind that stands in an object.
CREATED = {one.kind: one for one in (SECRET, SERVICE_ACCOUNT, ROLE_BINDING, IMAGE_STREAM)}

_FORBIDDEN = frozenset("/%?#\\")
_LONGEST_NAME = 512


def checked_name(name: str) -> str:
    """Return an object's name; raises ServerError for one that would be another path.

    Source: Kubernetes API conventions, "Names": a name is one segment of a path. Names come from answers, too,
    and a list may hold anything.
    """
    odd = name in ("", ".", "..") or len(name) > _LONGEST_NAME or not name.isprintable() or " " in name
    if odd or _FORBIDDEN.intersection(name):
        raise ServerError(
            f"{name[:80]!r} cannot be the name of an object",
            step="check a name that the API gave",
            hint="Is host the API of the zone? No object of a cluster can have this name",
        )
    return name
