# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A push by the engine alone, without Ansible: ``python engine.py JOB.json``."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Push as the file says; fails where a zone says that nothing was changed and something should."""
    job: dict[str, Any] = json.loads(Path(sys.argv[1]).read_bytes())
    for library in job["without"]:
        sys.modules[library] = None  # type: ignore[assignment]
    from ansible_collections.appuio.registry.plugins.module_utils._push.options import SPEC
    from ansible_collections.appuio.registry.plugins.module_utils._push.task import push_task
    from ansible_collections.appuio.registry.plugins.module_utils._targets import RunContext

    defaults = {name: rule.get("default") for name, rule in SPEC.options.items()}
    context = RunContext(dict(os.environ), os.environ["TMPDIR"])
    task = push_task({**defaults, **job["options"]}, context)
    try:
        result = task.apply(task.plan())
    finally:
        task.close()
    if result["changed"] is not job["changes"]:
        raise SystemExit(f"changed is {result['changed']}: {result['reason']}")


if __name__ == "__main__":
    main()
