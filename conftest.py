# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the checkout importable as ``ansible_collections.appuio.registry`` wherever it was cloned.

Property tests run without a deadline and without health checks: a slow or busy machine is no fault of the code.
Signals do what they usually do, also in a job in the background or under nohup, where some are ignored from the start.
"""

from __future__ import annotations

import atexit
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

ROOT = Path(__file__).resolve().parent


def _collections_root() -> Path:
    """Return a directory that holds ``ansible_collections/appuio/registry`` for this checkout."""
    if ROOT.parts[-3:] == ("ansible_collections", "appuio", "registry"):
        return ROOT.parents[2]
    linked = Path(tempfile.mkdtemp(prefix="appuio-registry-tests-"))
    atexit.register(shutil.rmtree, linked, ignore_errors=True)
    namespace = linked / "ansible_collections" / "appuio"
    namespace.mkdir(parents=True)
    (namespace / "registry").symlink_to(ROOT, target_is_directory=True)
    return linked


sys.path.insert(0, str(_collections_root()))
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

# Inherited by all that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

settings.register_profile("unhurried", deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("unhurried")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark generated tests as thorough: they take long, and find the same whatever ansible-core there is."""
    for item in items:
        if isinstance(item, pytest.Function) and is_hypothesis_test(item.obj):
            item.add_marker(pytest.mark.thorough)
