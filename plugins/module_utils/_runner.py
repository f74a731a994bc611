# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place that knows AnsibleModule: options in, plan, then apply or predict, result or error out."""

from __future__ import annotations

import os
import traceback
from dataclasses import dataclass, field
from typing import Any, Callable, Mapping, Protocol

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible.module_utils.common.parameters import remove_values

from ._argspec import ArgumentSpec
from ._errors import AppuioError, MissingLibraryError
from ._signals import StoppedError, StopSignals
from ._targets import secrets_in


@dataclass(frozen=True)
class RunContext:
    """What a task may know of where it runs, handed in so that it can be tested without it.

    ``register_secret`` keeps a value out of all output; ``return_secret`` lets it stand in the result of a
    success, for a module whose result is a secret.
    """

    environment: Mapping[str, str]
    temporary_directory: str
    register_secret: Callable[[str], None]
    warn: Callable[[str], None]
    return_secret: Callable[[str], None] = lambda _value: None


class Plan(Protocol):
    """What there is to do, known before anything is done."""

    @property
    def changed(self) -> bool:
        """Whether applying the plan changes anything."""

    def predict(self) -> dict[str, Any]:
        """Return the result that applying would give, as far as it can be known (check mode)."""

    def diff(self) -> Any:
        """Return Ansible's diff structure, or None where there is nothing to show."""


class Task(Protocol):
    """One run of a module: ``plan`` only reads, ``apply`` does what the plan says."""

    def plan(self) -> Any:
        """Return the plan; raises AppuioError."""

    def apply(self, plan: Any) -> dict[str, Any]:
        """Carry the plan out and return the result; raises AppuioError."""

    def close(self) -> None:
        """Give back what the task holds, whether it succeeded or not."""


@dataclass(frozen=True)
class Masked:
    """Secrets learned while running; each is kept out of everything the module prints."""

    values: set[str] = field(default_factory=set, repr=False)

    def __call__(self, value: str) -> None:
        if value:
            self.values.add(value)


def run_module(spec: ArgumentSpec, start: Callable[[dict[str, Any], RunContext], Task]) -> None:
    """Run a module from its options to ``exit_json`` or ``fail_json``; does not return.

    ``no_log`` here only keeps the invocation out of the system's log, where secrets in the entries
    of ``zones`` would appear; the result is masked value by value.
    """
    module = AnsibleModule(supports_check_mode=True, no_log=True, **spec.arguments())
    masked = Masked(module.no_log_values)
    for secret in secrets_in(module.params):
        masked(secret)
    handed_on = Masked()
    context = RunContext(dict(os.environ), module.tmpdir, masked, module.warn, handed_on)
    try:
        with StopSignals() as signals:
            task = start(module.params, context)
            try:
                plan = task.plan()
                result = plan.predict() if module.check_mode else task.apply(plan)
                signals.finish()
            finally:
                task.close()
    except MissingLibraryError as missing:
        text = missing_required_lib(missing.library, reason=missing.reason)
        module.fail_json(msg=text, exception=missing.trace)
    except AppuioError as error:
        module.fail_json(msg=str(error), **error.result)
    except StoppedError as stopped:
        module.fail_json(msg=f"{stopped}. Run the task again: it goes on from what is there")
    except Exception as error:
        module.fail_json(
            msg=f"unexpected {type(error).__name__}: {error}. This is a bug in appuio.registry",
            exception=traceback.format_exc(),
        )
    result.setdefault("changed", plan.changed)
    if module._diff:
        diff = plan.diff()
        if diff is not None:
            result["diff"] = diff
    if handed_on.values:
        # Only the result may hold it: Ansible shows the options, too, which may hold the same token.
        result["invocation"] = {"module_args": remove_values(module.params, module.no_log_values)}
        module.no_log_values.difference_update(handed_on.values)
    module.exit_json(**result)
