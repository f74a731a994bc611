# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The resources a zone's API serves: their names, verbs, top-level fields and what they cannot do without."""

from __future__ import annotations

from dataclasses import dataclass

_EVERY = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
RBAC = "rbac.authorization.k8s.io"
IMAGE = "image.openshift.io"
_SELECTOR = ("spec.selector", "spec.template")


@dataclass(frozen=True)
class Resource:
    """One row of discovery."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    verbs: tuple[str, ...] = _EVERY
    short_names: tuple[str, ...] = ()
    fields: tuple[str, ...] = ("spec", "status")
    required: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    custom: bool = False  # made by a CustomResourceDefinition: no strategic merge patch
    name_pattern: str = "subdomain"

    @property
    def api_version(self) -> str:
        """Its apiVersion."""
        return f"{self.group}/{self.version}" if self.group else self.version


RESOURCES: tuple[Resource, ...] = (
    Resource("", "v1", "namespaces", "Namespace", False, short_names=("ns",), name_pattern="label"),
    Resource("", "v1", "serviceaccounts", "ServiceAccount", short_names=("sa",), subresources=("token",),
             fields=("secrets", "imagePullSecrets", "automountServiceAccountToken")),
    Resource("", "v1", "secrets", "Secret", fields=("data", "stringData", "type", "immutable")),
    Resource("", "v1", "configmaps", "ConfigMap", short_names=("cm",), fields=("data", "binaryData", "immutable")),
    Resource("", "v1", "resourcequotas", "ResourceQuota", short_names=("quota",), subresources=("status",)),
    Resource("", "v1", "limitranges", "LimitRange", short_names=("limits",), fields=("spec",)),
    Resource("", "v1", "pods", "Pod", short_names=("po",), required=("spec.containers",), subresources=("status",)),
    Resource("", "v1", "replicationcontrollers", "ReplicationController", short_names=("rc",)),
    Resource("", "v1", "services", "Service", short_names=("svc",)),
    Resource("", "v1", "events", "Event", fields=("involvedObject", "message", "reason", "type")),
    Resource("apps", "v1", "deployments", "Deployment", short_names=("deploy",), required=_SELECTOR),
    Resource("apps", "v1", "statefulsets", "StatefulSet", short_names=("sts",), required=_SELECTOR),
    Resource("apps", "v1", "daemonsets", "DaemonSet", short_names=("ds",), required=_SELECTOR),
    Resource("apps", "v1", "replicasets", "ReplicaSet", short_names=("rs",), required=("spec.selector",)),
    Resource("batch", "v1", "jobs", "Job", required=("spec.template",)),
    Resource("batch", "v1", "cronjobs", "CronJob", short_names=("cj",),
             required=("spec.schedule", "spec.jobTemplate")),
    Resource(RBAC, "v1", "roles", "Role", fields=("rules",), name_pattern="path"),
    Resource(RBAC, "v1", "clusterroles", "ClusterRole", False, fields=("rules", "aggregationRule"),
             name_pattern="path"),
    Resource(RBAC, "v1", "rolebindings", "RoleBinding", fields=("subjects", "roleRef"), name_pattern="path",
             required=("roleRef.name", "roleRef.kind")),
    Resource(RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding", False, fields=("subjects", "roleRef"),
             name_pattern="path", required=("roleRef.name", "roleRef.kind")),
    Resource("authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", False, ("create",)),
    Resource("authorization.k8s.io", "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", False, ("create",)),
    Resource("authorization.k8s.io", "v1", "localsubjectaccessreviews", "LocalSubjectAccessReview", True, ("create",)),
    Resource("authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", False, ("create",)),
    Resource("authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", False, ("create",)),
    Resource("authentication.k8s.io", "v1", "tokenreviews", "TokenReview", False, ("create",)),
    Resource("project.openshift.io", "v1", "projects", "Project", False, name_pattern="label",
             verbs=("create", "delete", "get", "list", "patch", "update", "watch")),
    Resource("project.openshift.io", "v1", "projectrequests", "ProjectRequest", False, ("create", "list"),
             fields=("displayName", "description"), name_pattern="label"),
    Resource("user.openshift.io", "v1", "users", "User", False, fields=("fullName", "identities", "groups"),
             name_pattern="path"),
    Resource("user.openshift.io", "v1", "groups", "Group", False, fields=("users",), name_pattern="path"),
    Resource("oauth.openshift.io", "v1", "oauthaccesstokens", "OAuthAccessToken", False, name_pattern="path",
             fields=("clientName", "expiresIn", "scopes", "redirectURI", "userName", "userUID")),
    Resource("oauth.openshift.io", "v1", "useroauthaccesstokens", "UserOAuthAccessToken", False, name_pattern="path",
             verbs=("delete", "get", "list", "watch"),
             fields=("clientName", "expiresIn", "scopes", "redirectURI", "userName", "userUID")),
    Resource(IMAGE, "v1", "imagestreams", "ImageStream", short_names=("is",),
             subresources=("status", "layers", "secrets"), name_pattern="stream"),
    Resource(IMAGE, "v1", "imagestreamtags", "ImageStreamTag", short_names=("istag",), name_pattern="path",
             verbs=("create", "delete", "get", "list", "patch", "update"),
             fields=("tag", "generation", "lookupPolicy", "conditions", "image")),
    Resource(IMAGE, "v1", "imagetags", "ImageTag", short_names=("itag",), name_pattern="path",
             verbs=("create", "delete", "get", "list", "patch", "update"), fields=("spec", "status", "image")),
    Resource(IMAGE, "v1", "imagestreamimages", "ImageStreamImage", short_names=("isimage",), verbs=("get",),
             name_pattern="path", fields=("image",)),
    Resource(IMAGE, "v1", "imagestreammappings", "ImageStreamMapping", verbs=("create",), name_pattern="path",
             fields=("image", "tag"), required=("image", "tag")),
    Resource(IMAGE, "v1", "imagestreamimports", "ImageStreamImport", verbs=("create",), required=("spec",)),
    Resource(IMAGE, "v1", "images", "Image", False, name_pattern="path", fields=(
        "dockerImageReference", "dockerImageMetadata", "dockerImageMetadataVersion", "dockerImageManifest",
        "dockerImageLayers", "signatures", "dockerImageSignatures", "dockerImageManifestMediaType",
        "dockerImageConfig", "dockerImageManifests")),
    Resource("apps.openshift.io", "v1", "deploymentconfigs", "DeploymentConfig", short_names=("dc",),
             required=("spec",)),
    Resource("build.openshift.io", "v1", "buildconfigs", "BuildConfig", short_names=("bc",), required=("spec",)),
    Resource("build.openshift.io", "v1", "builds", "Build"),
    Resource("appuio.io", "v1", "zones", "Zone", False, fields=("data",), custom=True),
)  # fmt: skip

BY_PATH = {(resource.group, resource.version, resource.plural): resource for resource in RESOURCES}


def groups() -> dict[str, str]:
    """Return the API groups with their version, the core group left out."""
    return {resource.group: resource.version for resource in RESOURCES if resource.group}
