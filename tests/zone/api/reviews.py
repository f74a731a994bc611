# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions to the API: who am I, may I, and tokens on request."""

from __future__ import annotations

from typing import Any

from . import errors
from .authentication import ISSUER, Authentication, User
from .call import Call
from .rbac import Rbac
from .resources import Answer
from .store import Object, Store, timestamp

_SHORTEST = 600
_LONGEST = 2**32


class Reviews:
    """Answers without storing anything."""

    def __init__(self, store: Store, rbac: Rbac, authentication: Authentication) -> None:
        self._store, self._rbac, self._authentication = store, rbac, authentication

    def review(self, call: Call) -> Answer:
        """Answer a review."""
        kind, body = call.resource.kind, call.body
        if not isinstance(body, dict) or body.get("kind") != kind:
            raise errors.bad_request(f"the object provided is unrecognized (must be of type {kind})")
        spec = body.get("spec") or {}
        answer: Object = {**body, "metadata": {"creationTimestamp": None}}
        if kind == "SelfSubjectReview":
            return 201, {
                "kind": kind,
                "apiVersion": call.resource.api_version,
                "metadata": {"creationTimestamp": timestamp()},
                "status": {"userInfo": _info(call.user)},
            }
        if kind == "SelfSubjectRulesReview":
            rules = list(self._rbac.rules(call.user, spec.get("namespace", "")))
            return 201, answer | {"status": {"resourceRules": rules, "nonResourceRules": [], "incomplete": False}}
        if kind == "TokenReview":
            user = self._authentication.user(str(spec.get("token", "")))
            status: Object = {"user": {}} if user is None else {"authenticated": True, "user": _info(user)}
            return 201, answer | {"status": status}
        user = call.user
        if kind != "SelfSubjectAccessReview":
            user = User(str(spec.get("user", "")), tuple(spec.get("groups") or ()))
        wanted = spec.get("resourceAttributes")
        if not wanted and not spec.get("nonResourceAttributes"):
            text = "Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified"
            raise errors.invalid(
                kind, call.resource.group, "", [("spec.resourceAttributes", "FieldValueInvalid", text)]
            )
        return 201, answer | {"status": {"allowed": self._allowed(user, wanted)}}

    def token_request(self, call: Call) -> Answer:
        """Make a bound token of a service account."""
        body = call.body
        if not isinstance(body, dict) or body.get("kind", "TokenRequest") != "TokenRequest":
            raise errors.bad_request("the object provided is unrecognized (must be of type TokenRequest)")
        account = self._store.get("", "serviceaccounts", call.namespace, call.name)
        if account is None:
            raise errors.not_found("serviceaccounts", "", call.name)
        spec = body.get("spec") or {}
        given = spec.get("expirationSeconds")
        seconds = 3600 if given is None else given
        if type(seconds) is not int or not -(2**63) <= seconds < 2**63:
            raise errors.bad_request(
                'TokenRequest in version "v1" cannot be handled as a TokenRequest: json: cannot unmarshal '
                f"{_json_type(seconds)} into Go struct field TokenRequestSpec.spec.expirationSeconds of type int64"
            )
        if not _SHORTEST <= seconds <= _LONGEST:
            limit = "less than 10 minutes" if seconds < _SHORTEST else "larger than 2^32 seconds"
            text = f"Invalid value: {seconds}: may not specify a duration {limit}"
            causes = [("spec.expirationSeconds", "FieldValueInvalid", text)]
            raise errors.invalid("TokenRequest", "authentication.k8s.io", "", causes)
        audiences = spec.get("audiences") or [ISSUER]
        bound = spec.get("boundObjectRef") or {}
        bound_uid = ""
        if bound:
            held = self._store.get("", f"{str(bound.get('kind', '')).lower()}s", call.namespace, bound.get("name", ""))
            if held is None:
                raise errors.not_found(f"{str(bound.get('kind', '')).lower()}s", "", str(bound.get("name", "")))
            bound_uid = held["metadata"]["uid"]
        metadata = account["metadata"]
        answer: Object = {
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {"name": call.name, "namespace": call.namespace, "creationTimestamp": timestamp()},
            "spec": {"audiences": audiences, "expirationSeconds": seconds, "boundObjectRef": bound or None},
        }
        if call.dry_run:
            return 201, answer | {"status": {"token": "", "expirationTimestamp": timestamp()}}
        token, expires = self._authentication.bound_token(
            call.namespace, call.name, metadata["uid"], seconds, audiences, bound_uid
        )
        return 201, answer | {"status": {"token": token, "expirationTimestamp": timestamp(expires)}}

    def whoami(self, user: User) -> Object:
        """Return the answer to users/~."""
        stored = self._store.get("user.openshift.io", "users", "", user.name)
        shown = stored or {"kind": "User", "apiVersion": "user.openshift.io/v1", "metadata": {"name": user.name}}
        return {**shown, "groups": sorted(user.groups)}

    def _allowed(self, user: User, wanted: dict[str, Any] | None) -> bool:
        if wanted is None:
            return "system:authenticated" in user.groups
        resource = str(wanted.get("resource", ""))
        if wanted.get("subresource"):
            resource += f"/{wanted['subresource']}"
        verb, group = str(wanted.get("verb", "")), str(wanted.get("group", ""))
        return self._rbac.allowed(
            user, verb, group, resource, str(wanted.get("namespace", "")), str(wanted.get("name", ""))
        )


def _info(user: User) -> Object:
    info: Object = {"username": user.name, "groups": list(user.groups)}
    return info | ({"uid": user.uid} if user.uid else {})


def _json_type(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"number {value}"
    names: dict[type[Any], str] = {bool: "bool", str: "string", dict: "object", list: "array"}
    return names.get(type(value), "value")
