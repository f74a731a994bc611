# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module really takes: its arguments, as it would hand them to AnsibleModule, and as Ansible gives them."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

from ansible.module_utils import basic

MODULES = sorted(path.stem for path in (Path(__file__).resolve().parents[2] / "plugins" / "modules").glob("*.py"))


def module(name: str) -> ModuleType:
    """Return the imported module."""
    return importlib.import_module(f"ansible_collections.appuio.registry.plugins.modules.{name}")


def arguments(name: str) -> dict[str, Any]:
    """Return the keyword arguments that the module gives to AnsibleModule."""
    with mock.patch.object(module(name), "run_module") as run_module:
        module(name).main()
    specification = run_module.call_args.args[0]
    return dict(specification.arguments())


@contextmanager
def handed_over(given: Mapping[str, Any]) -> Iterator[None]:
    """Let a module of this process find these arguments where Ansible would put them."""
    try:
        from ansible.module_utils.testing import patch_module_args
    except ImportError:  # ansible-core 2.16
        with mock.patch.object(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": given}).encode()):
            yield
    else:
        with patch_module_args(dict(given)):
            yield
