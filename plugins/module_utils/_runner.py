# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place that knows AnsibleModule: options in, plan, then apply or predict, result or error out."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Any, Callable, Collection, Mapping, Protocol

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ._argspec import CREDENTIALS, ArgumentSpec, readable_parameters
from ._errors import AppuioError, InvalidOptionError, MissingLibraryError, unexpected_error, userinfo_of
from ._signals import GOES_ON, StoppedError, StopSignals
from ._targets import SECRET_VARIABLES, RunContext

try:
    # From 2.22 on, modules say what is secret, and the controller hides it; before, modules hide it themselves.
    from ansible.module_utils.secrets import register_secret
except ImportError:
    register_secret = None


# Options with zones of which the argument specification knows no more, and what is secret in them.
_ZONES = ("zones", "source_zone")
_SECRETS = frozenset(
    name
    for option, rule in CREDENTIALS.options.items()
    if rule.get("no_log")
    for name in (option, *rule.get("aliases", ()))
)
# What Ansible shows in place of a secret, and of a text with one.
_SECRET, _HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER", "********"


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


class Masked:
    """Secrets learned while running; each is kept out of everything the module prints."""

    def __init__(self, values: set[str] | None = None) -> None:
        self.values = set() if values is None else values

    def __call__(self, value: str) -> None:
        if value:
            self.values.add(value)
            if register_secret is not None:
                register_secret(value)


class _Module(AnsibleModule):
    """A module that reads text and blanks as surveys send them, and types the entries of ``zones``."""

    params: dict[str, Any]

    def __init__(self, spec: ArgumentSpec) -> None:
        self._spec = spec
        # The invocation of a task with ``zones`` holds secrets that no argument specification knows: see _typed_zones.
        super().__init__(supports_check_mode=True, no_log=True, **spec.arguments())
        try:
            if isinstance(self.params.get("zones"), list):
                self.params["zones"] = self._typed_zones(self.params["zones"])
        except AppuioError as error:
            self.fail_json(msg=str(error))

    def _load_params(self) -> None:
        super()._load_params()
        self.no_log_values.update(_passwords_in_addresses(self.params))
        try:
            self.params = readable_parameters(self.params, self._spec)
            self.no_log_values.update(_secrets_of_zones(self.params))
            for name, rule in self._spec.options.items():
                entries = rule.get("options") if rule.get("elements") == "dict" else None
                if entries and isinstance(self.params.get(name), list):
                    self.params[name] = self._readable_entries(name, entries, self.params[name])
        except AppuioError as error:
            # Nothing was parsed yet, so that nothing but this sentence may be shown.
            self.params = {}
            self.fail_json(msg=str(error))

    def without_secrets(self, result: dict[str, Any]) -> dict[str, Any]:
        """Return a result without the secrets learned; ansible-core before 2.22 takes them out itself."""
        return result if register_secret is None else hidden(result, self.no_log_values)

    def shown(self, result: dict[str, Any]) -> dict[str, Any]:
        """Return what is shown of a result: without secrets, and with its warnings given to Ansible one by one.

        ansible-core 2.19 and newer call it deprecated to return them with the result.
        """
        result = self.without_secrets(result)
        for text in result.get("warnings") or ():
            self.warn(text)
        return {name: value for name, value in result.items() if name != "warnings"}

    def _readable_entries(self, name: str, options: dict[str, Any], entries: list[Any]) -> list[dict[str, Any]]:
        """Return the entries of a list of mappings as ``readable_parameters`` does; an error says which entry it is.

        Ansible itself does not say that. Raises InvalidOptionError.
        """
        readable = []
        for number, entry in enumerate(entries, 1):
            try:
                if not isinstance(entry, Mapping):
                    raise InvalidOptionError("it is no mapping")
                readable.append(readable_parameters(entry, ArgumentSpec(options)))
                self.typed(options, readable[-1])
            except InvalidOptionError as error:
                error.message = f"entry {number} of {name}: {error.message}"
                raise
        return readable

    def _typed_zones(self, entries: list[Any]) -> list[dict[str, Any]]:
        """Return the entries of ``zones`` as their options are declared; raises InvalidOptionError."""
        typed = []
        for number, entry in enumerate(entries, 1):
            if isinstance(entry, str):
                typed.append({"zone": entry})
                continue
            if not isinstance(entry, Mapping):
                raise InvalidOptionError("an entry of zones is neither a zone identifier nor a dictionary")
            try:
                typed.append(self.typed(self._spec.entry_options(), entry))
            except InvalidOptionError as error:
                error.message = f"entry {number} of zones: {error.message}"
                raise
        return typed

    def typed(self, options: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a mapping says as its options are declared, without what it leaves open; its secrets are hidden.

        Raises InvalidOptionError.
        """
        result = ArgumentSpecValidator(dict(options)).validate(dict(given))
        self.no_log_values.update(result._no_log_values)
        if result.error_messages:
            names = [name if isinstance(name, str) else ".".join(name) for name in result.unsupported_parameters]
            unknown = [f"the option {name} is unknown" for name in sorted(names)]
            text = hidden("; ".join(unknown or result.error_messages), self.no_log_values)
            raise InvalidOptionError(text, hint=f"Known are {', '.join(options)}" if unknown else None)
        found = result.validated_parameters
        return {name: found[name] for name in options if found.get(name) is not None}


def hidden(value: Any, secrets: Collection[str]) -> Any:
    """Return a value of a result or of the options without these secrets, the longest first."""
    if isinstance(value, str):
        if value in secrets:
            return _SECRET
        for secret in sorted(secrets, key=len, reverse=True):
            value = value.replace(secret, _HIDDEN) if secret else value
        return value
    if isinstance(value, Mapping):
        return {hidden(name, secrets): hidden(one, secrets) for name, one in value.items()}
    return [hidden(one, secrets) for one in value] if isinstance(value, (list, tuple)) else value


def _passwords_in_addresses(value: Any) -> set[str]:
    """Return every ``user:password@`` in texts of the parameters: whole, as a short password alone would mask what
    has nothing to do with it."""
    if isinstance(value, str):
        userinfo = userinfo_of(value)
        return {userinfo} if ":" in userinfo else set()
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return {found for one in inner for found in _passwords_in_addresses(one)}


def _secrets_of_zones(value: Any, is_zone: bool = False) -> set[str]:
    """Return the secrets of all zones in the parameters, for what is shown before their options are checked."""
    if isinstance(value, Mapping):
        found = {one for name, one in value.items() if is_zone and name in _SECRETS and one and isinstance(one, str)}
        inner = [_secrets_of_zones(one, is_zone or name in _ZONES) for name, one in value.items()]
        return found.union(*inner)
    inner = [_secrets_of_zones(one, is_zone) for one in value] if isinstance(value, list) else []
    return set().union(*inner)


def run_module(spec: ArgumentSpec, start: Callable[[dict[str, Any], RunContext], Task]) -> None:
    """Run a module from its options to ``exit_json`` or ``fail_json``; does not return.

    The result is masked value by value. Secrets of the environment are taken out of it, so that no program that
    is started for the task, a credential helper or an exec plugin, inherits those which are not for it.
    """
    module = _Module(spec)
    masked = Masked(module.no_log_values)
    handed_on = Masked()
    context = RunContext(dict(os.environ), module.tmpdir, masked, module.warn, handed_on, module.typed)
    for name in SECRET_VARIABLES:
        os.environ.pop(name, None)
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
        if missing.packages:
            text = f"{text}. This installs it: {sys.executable} -m pip install {' '.join(missing.packages)}"
        module.fail_json(msg=text, exception=missing.trace)
    except AppuioError as error:
        module.fail_json(**module.shown({**error.result, "msg": str(error)}))
    except StoppedError as stopped:
        module.fail_json(msg=f"{stopped}. {GOES_ON}")
    except Exception as error:
        module.fail_json(
            msg=unexpected_error(error).message,
            exception=traceback.format_exc(),
        )
    result.setdefault("changed", plan.changed)
    if module._diff:
        diff = plan.diff()
        if diff is not None:
            result["diff"] = diff
    if handed_on.values:
        # Only the result may hold it: Ansible shows the options, too, which may hold the same token.
        result["invocation"] = {"module_args": hidden(module.params, module.no_log_values)}
        module.no_log_values.difference_update(handed_on.values)
    module.exit_json(**module.shown(result))
