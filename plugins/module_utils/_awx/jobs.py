# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job templates that AWX gets, each with what its survey asks for, and the workflow; pure.

A survey does not ask for what is the inventory's (addresses, certificates) or a credential's (tokens), nor for paths,
which are paths in the container of the job.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ADMIN, PUSHER = "APPUiO admin", "APPUiO pushers"
# Nothing that a job writes outlives its container, and only /tmp can be written in every one.
_NO_LOGIN: Mapping[str, Any] = {"appuio_login": False}
# The variable for several sources is for pipelines.
_ONE_SOURCE = ("appuio_source",)
_IMAGE = ("appuio_source", "appuio_name", "appuio_tags", "appuio_platforms", "appuio_existing_tags")


@dataclass(frozen=True)
class Job:
    """A job template: ``playbook`` is the name of the playbook, ``credential`` what it runs with by default.

    ``required`` has to be answered beside what the playbook's specification requires.
    """

    name: str
    playbook: str
    credential: str
    asked: tuple[str, ...]
    required: tuple[str, ...] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)
    primary: bool = False


JOBS = (
    Job(
        "APPUiO: set up pushers",
        "setup_pusher",
        ADMIN,
        (
            "appuio_namespace",
            "appuio_pusher_state",
            "appuio_pusher_service_account",
            "appuio_pusher_role",
            "appuio_pusher_image_streams",
            "appuio_pusher_labels",
        ),
    ),
    Job(
        "APPUiO: push",
        "push",
        PUSHER,
        (
            "appuio_namespace",
            *_IMAGE,
            "appuio_expected_digest",
            "appuio_source_username",
            "appuio_source_password",
            "appuio_referrers",
            "appuio_check_quota",
            "appuio_atomic",
        ),
        required=_ONE_SOURCE,
    ),
    Job(
        "APPUiO: roll out",
        "rollout",
        ADMIN,
        (
            "appuio_namespace",
            *_IMAGE,
            "appuio_expected_digest",
            "appuio_source_username",
            "appuio_source_password",
            "appuio_pusher_role",
            "appuio_atomic",
        ),
        required=_ONE_SOURCE,
        variables=_NO_LOGIN,
        primary=True,
    ),
    Job(
        "APPUiO: promote",
        "promote",
        PUSHER,
        ("appuio_namespace", "appuio_name", "appuio_from", "appuio_tag", "appuio_following"),
    ),
    Job(
        "APPUiO: roll back",
        "rollback",
        PUSHER,
        (
            "appuio_namespace",
            "appuio_name",
            "appuio_tag",
            "appuio_bad_digest",
            "appuio_to_digest",
            "appuio_revision",
        ),
    ),
    Job(
        "APPUiO: prune",
        "prune",
        ADMIN,
        (
            "appuio_namespace",
            "appuio_name",
            "appuio_keep",
            "appuio_older_than",
            "appuio_match",
            "appuio_protect",
            "appuio_max_delete",
            "appuio_workload_namespaces",
            "appuio_empty_repositories",
        ),
    ),
    Job(
        "APPUiO: sync",
        "sync",
        ADMIN,
        ("appuio_namespace", "appuio_delete", "appuio_max_delete", "appuio_keep_going"),
        # Of the project, beside its playbooks.
        variables={"appuio_images_file": "images.yml"},
    ),
    Job(
        "APPUiO: report",
        "report",
        PUSHER,
        ("appuio_namespace", "appuio_name", "appuio_image_tags"),
        variables={"appuio_report": "/tmp/appuio-report.html"},  # noqa: S108 of the job's own container
    ),
)


@dataclass(frozen=True)
class Workflow:
    """Push, wait for somebody to approve, promote; ``asked`` is answered once for both jobs."""

    name: str = "APPUiO: push to staging, approve, promote"
    push: str = "APPUiO: push"
    promote: str = "APPUiO: promote"
    asked: tuple[str, ...] = ("appuio_namespace", "appuio_source", "appuio_name", "appuio_tags", "appuio_tag")
    # With blank tags, the push would take the tag of the source, and the tag to promote for a slip of the pen.
    required: tuple[str, ...] = (*_ONE_SOURCE, "appuio_tags")
    defaults: Mapping[str, str] = field(
        default_factory=lambda: {"appuio_tags": "staging", "appuio_tag": "production"},
    )
    variables: Mapping[str, Any] = field(default_factory=lambda: {"appuio_atomic": True})


WORKFLOW = Workflow()
