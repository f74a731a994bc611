# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a push as an argument specification."""

from __future__ import annotations

from .._argspec import CONNECTION, CREDENTIALS, ZONE, ZONES, ArgumentSpec

SPEC = (
    ZONE
    + ZONES
    + CREDENTIALS
    + CONNECTION
    + ArgumentSpec(
        options={
            "source": {"type": "str", "required": True},
            "source_username": {"type": "str"},
            "source_password": {"type": "str", "no_log": True},
            "source_auth_file": {"type": "path"},
            "source_validate_certs": {"type": "bool", "default": True},
            "source_plain_http": {"type": "bool", "default": False},
            "source_ca_cert": {"type": "path"},
            "name": {"type": "str"},
            "tags": {"type": "list", "elements": "str", "aliases": ["tag"]},
            "platforms": {"type": "list", "elements": "str"},
            "referrers": {"type": "bool", "default": False},
            "atomic": {"type": "bool", "default": True},
            "existing_tags": {"type": "str", "choices": ["overwrite", "keep", "fail"], "default": "overwrite"},
            "expected_digest": {"type": "str"},
            "check_quota": {"type": "str", "choices": ["warn", "fail", "ignore"], "default": "warn"},
            "force": {"type": "bool", "default": False},
            "compression": {"type": "str", "choices": ["gzip", "zstd", "none"], "default": "gzip"},
            "compression_level": {"type": "int"},
            "jobs": {"type": "int", "default": 4},
            "progress": {"type": "bool", "default": True},
            "engine_socket": {"type": "path"},
        },
        required_together=(("source_username", "source_password"),),
        mutually_exclusive=(("source_password", "source_auth_file"),),
    )
)
