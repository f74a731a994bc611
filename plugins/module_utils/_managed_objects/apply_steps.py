# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries the steps of a plan out, and tells first what would keep them from it: rights, roles, quota.

Source: Kubernetes documentation, "Using RBAC Authorization", privilege escalation prevention; "Resource Quotas".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Callable

from .._errors import AppuioError, ConflictError, ForbiddenError, NotFoundError
from .._openshift.access import Right, missing_rights, why_not_granted
from .._openshift.client import Api
from .._openshift.quota import allowances, lacking
from .._openshift.resources import CREATED
from .._signals import check_stop
from . import objects
from .steps import CHANGE, CREATE, Step, Steps

_ESCALATION = "not currently held"
_GRANT = "Nobody can grant rights that they do not have: let an admin of the namespace run this, or choose another role"
_NO_ROLE = (
    "Check the spelling of the role: zones have registry-editor, registry-viewer, system:image-builder, "
    "system:image-pusher and system:image-puller, among others"
)
_UNCHANGED = (
    "Nothing was changed. An admin of the namespace may do this. A namespace that does not exist looks the same"
)


def preflight(api: Api, namespace: str, steps: Steps, more: Iterable[Right] = ()) -> None:
    """Raise ForbiddenError with everything that would keep the steps from being carried out; changes nothing.

    ``more`` are rights that are needed besides those of the steps.
    """
    rights = [right_of(step) for step in steps.in_order() if not step.optional]
    missing = missing_rights(api, namespace, [*rights, *more])
    problems = [f"the right to {right} in the namespace {namespace} is missing" for right in missing]
    hint = _UNCHANGED
    if not problems:
        refused = refused_roles(api, steps.bindings)
        problems += [f"{role} may not be granted: {words}" for role, words in refused.items()]
        hint = f"Nothing was changed. {_advice(' '.join(refused.values()))}" if refused else hint
    if steps.created:
        problems += lacking(allowances(api, namespace) or [], steps.created)
    if problems:
        raise ForbiddenError("; ".join(problems), step="check the rights and the quota", hint=hint)


def refused_roles(api: Api, bindings: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the roles of new bindings that may not be granted, each with the API's words; raises AppuioError."""
    refused = {}
    for role, binding in {one["roleRef"]["name"]: one for one in bindings}.items():
        words = why_not_granted(api, binding)
        if words:
            refused[str(role)] = words
    return refused


def right_of(step: Step) -> Right:
    """Return the right that a step needs."""
    resource = CREATED[step.kind]
    return Right(step.verb, resource.plural, resource.group)


def apply_step(api: Api, namespace: str, step: Step, warn: Callable[[str], None]) -> None:
    """Carry a step out; raises AppuioError. What an earlier attempt of the same request has done is as good."""
    resource = CREATED[step.kind]
    doing = f"{step.action} the {step.kind} {step.name}"
    check_stop(doing)
    try:
        if step.verb == CREATE:
            _create(api, namespace, step, doing)
        elif step.verb == CHANGE:
            api.merge(resource, namespace, step.name, step.definition, step=doing)
        else:
            uid = str((step.live or {}).get("metadata", {}).get("uid") or "")
            api.delete(resource, namespace, step.name, step=doing, uid=uid)
    except NotFoundError:
        if step.verb in (CREATE, CHANGE) and not step.optional:
            raise
    except ConflictError as conflict:
        conflict.hint = "Somebody else has changed it at the same time: run this again"
        raise
    except ForbiddenError as refused:
        if not step.optional:
            words = refused.server_message or ""
            refused.hint = _advice(words) if _ESCALATION in words else refused.hint
            raise
        warn(f"cannot {doing}, so that this is not known later: {step.reason}")


def apply_steps(api: Api, namespace: str, steps: Iterable[Step], warn: Callable[[str], None]) -> None:
    """Carry steps out in order; raises AppuioError, whose result tells ``changed`` where some were carried out."""
    done = False
    for step in steps:
        with note_changes(done):
            apply_step(api, namespace, step, warn)
        done = True


@contextmanager
def note_changes(done: bool) -> Iterator[None]:
    """Have an AppuioError tell that something was changed before it."""
    try:
        yield
    except AppuioError as error:
        if done:
            error.result.setdefault("changed", True)
        raise


def _create(api: Api, namespace: str, step: Step, doing: str) -> None:
    """A conflict may be with what this very request has created before its answer was lost: then it is ours."""
    resource = CREATED[step.kind]
    try:
        api.create(resource, namespace, step.definition, step=doing)
    except ConflictError:
        there = objects.normalised(api.get(resource, namespace, step.name, step=doing))
        if there is None or not _is_as_wanted(there, step.definition):
            raise


def _is_as_wanted(there: objects.LiveObject, wanted: objects.Definition) -> bool:
    same = all(there.get(key) == wanted[key] for key in ("roleRef", "subjects", "type") if key in wanted)
    return same and objects.is_ours(there)


def _advice(words: str) -> str:
    if _ESCALATION in words:
        return _GRANT
    return _NO_ROLE if "not found" in words else _UNCHANGED.partition(". ")[2]
