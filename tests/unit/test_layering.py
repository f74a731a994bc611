# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every file under ``plugins`` keeps the rules of its layer, and each rule notices when it is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.unit.layers import (
    COLLECTION,
    HEAD,
    LONGEST,
    RULES,
    Source,
    ansible_in_one_place,
    circles,
    downwards,
    headed,
    light,
    named_for_its_job,
    pure,
    small,
    sources,
    without_assert,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_file_keeps_the_rule(rule: Callable[[Source], Iterator[str]]) -> None:
    found = [f"plugins/{source.path} {fault}" for source in sources() for fault in rule(source)]
    assert not found, "\n".join(found)


def test_there_are_files_to_look_at() -> None:
    assert {source.layer for source in sources()} >= {None, "_errors", "_runner", "_http"}


def test_no_file_imports_itself_in_a_circle() -> None:
    assert circles({source.path: source for source in sources()}) == []


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (downwards, "module_utils/_http/transport.py", "from .._registry.client import Client"),
        (downwards, "module_utils/_zone.py", "from ._reference import parse"),
        (downwards, "module_utils/_zone.py", f"from {COLLECTION}module_utils._http.connection import context"),
        (downwards, "module_utils/_zone.py", f"import {COLLECTION}module_utils._http.connection"),
        (downwards, "module_utils/_zone.py", "def late():\n    from ._push import plan"),
        (downwards, "module_utils/_zone.py", "from . import _targets"),
        (downwards, "module_utils/_new/thing.py", ""),
        (downwards, "module_utils/_push/apply.py", "from ...modules.appuio_image_push import main"),
        (pure, "module_utils/_zone.py", "import os"),
        (pure, "module_utils/_oci/model.py", "from pathlib import Path"),
        (pure, "module_utils/_oci/model.py", "from urllib.request import urlopen"),
        (pure, "module_utils/_oci/model.py", "open('file')"),
        (pure, "module_utils/_push/plan.py", "import http.client"),
        (pure, "module_utils/_account/plan.py", "import socket"),
        (ansible_in_one_place, "module_utils/_http/connection.py", "from ansible.module_utils.urls import open_url"),
        (ansible_in_one_place, "modules/appuio_thing.py", "from ansible.module_utils.basic import AnsibleModule"),
        (light, "module_utils/_openshift/client.py", "import kubernetes"),
        (light, "inventory/zones.py", "from yaml import safe_load"),
        (small, "module_utils/_zone.py", "\n" * (LONGEST + 1)),
        (named_for_its_job, "module_utils/_http/utils.py", ""),
        (named_for_its_job, "module_utils/_common.py", ""),
        (named_for_its_job, "module_utils/_http/__init__.py", ""),
        (named_for_its_job, "module_utils/http/tls.py", ""),
        (named_for_its_job, "module_utils/_http/connection.py", "class Helpers: pass"),
        (headed, "module_utils/_http/connection.py", HEAD.replace("GPL-3.0-or-later", "MIT")),
        (headed, "module_utils/_http/connection.py", HEAD.replace("from __future__", "from future")),
        (without_assert, "modules/appuio_thing.py", "assert True"),
    ],
)
def test_a_broken_rule_is_noticed(rule: Callable[[Source], Iterator[str]], path: str, text: str) -> None:
    assert list(rule(Source(path, text)))


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (downwards, "module_utils/_registry/client.py", "from .._http import transport\nfrom .upload import Upload"),
        (downwards, "modules/appuio_thing.py", "from ..module_utils import _runner\nimport json"),
        (pure, "module_utils/_oci/model.py", "from urllib.parse import urlsplit\nfile.open()"),
        (pure, "module_utils/_http/tls.py", "import os"),
        (light, "module_utils/_openshift/client.py", "try:\n    import kubernetes\nexcept ImportError:\n    pass"),
        (headed, "module_utils/_http/connection.py", HEAD),
    ],
)
def test_what_is_allowed_passes(rule: Callable[[Source], Iterator[str]], path: str, text: str) -> None:
    assert list(rule(Source(path, text))) == []


def test_a_circle_is_noticed() -> None:
    first = Source("module_utils/_http/a.py", "from .b import x")
    second = Source("module_utils/_http/b.py", "def late():\n    from . import a")
    assert circles({first.path: first, second.path: second}) == [
        "module_utils/_http/a.py > module_utils/_http/b.py > module_utils/_http/a.py"
    ]
