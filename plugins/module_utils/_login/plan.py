# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What will be done about each login, why, and what it looks like before and after; pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from .._credentials.token import expiry, timestamp
from .._errors import AppuioError
from .._targets import Credential
from .._zones.fanout import joined_error


@dataclass(frozen=True)
class LoginPlan:
    """One login: what is there, what is wanted, and the reasons for what will be done (none: nothing).

    ``credential`` is the one that will be stored, None where it has yet to be got. ``remarks`` go with what is done;
    ``revoked`` says that the stored token is to end, and ``error`` why the login cannot be.
    """

    zone: str
    registry: str
    auth_file: str
    store: str
    present: bool
    before: Credential | None = field(default=None, repr=False)
    credential: Credential | None = field(default=None, repr=False)
    username: str = ""
    reasons: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    revoked: bool = False
    expires_at: float | None = None
    access: tuple[str, ...] = ()
    backup_file: str | None = None
    error: AppuioError | None = None

    @property
    def changed(self) -> bool:
        """Whether there is something to do."""
        return bool(self.reasons)

    def failed(self, error: AppuioError) -> LoginPlan:
        """Return the plan of a login that cannot be; what the error says is done already has changed something."""
        reasons = self.reasons if error.result.get("changed") else ()
        return replace(self, error=error.at(zone=self.zone), reasons=reasons)

    def result(self) -> dict[str, Any]:
        """Return this login's part of the module's result."""
        result: dict[str, Any] = {
            "zone": self.zone,
            "registry": self.registry,
            "username": self.username,
            "auth_file": self.auth_file,
            "credential_store": self.store,
            "expires_at": timestamp(self.expires_at),
            "access": list(self.access),
            "changed": self.changed,
            "msg": self.message(),
        }
        if self.backup_file:
            result["backup_file"] = self.backup_file
        if self.error:
            result.update(failed=True, error=str(self.error))
        return result

    def message(self) -> str:
        """Return in one sentence what was or will be done, and why."""
        if self.error:
            return str(self.error)
        if self.reasons:
            done = "Logged in to" if self.present else "Logged out of"
            return "; ".join([f"{done} {self.registry}: {', '.join(self.reasons)}", *self.remarks])
        return f"{'Already logged in to' if self.present else 'Not logged in to'} {self.registry}"

    def diff(self) -> dict[str, str] | None:
        """Return the entry before and after, without any secret; None where nothing changes."""
        if not self.changed:
            return None
        return {
            "before_header": f"{self.auth_file} ({self.registry})",
            "after_header": f"{self.auth_file} ({self.registry})",
            "before": self._entry(self.before, self.before.username if self.before else "", None),
            "after": self._entry(self.credential, self.username, self.expires_at) if self.present else "",
        }

    def _entry(self, credential: Credential | None, username: str, ends: float | None) -> str:
        if credential is None and not username:
            return ""
        same = credential is not None and self.before is not None and credential.secret == self.before.secret
        which = "the one that is stored" if same else "another"
        end = timestamp(ends or (expiry(credential.secret) if credential else None))
        lines = [f"registry: {self.registry}", f"username: {username}", f"secret: {which}"]
        if end:
            lines.append(f"expires_at: {end}")
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True)
class Plan:
    """All logins of a task."""

    logins: tuple[LoginPlan, ...]
    several: bool = False

    @property
    def changed(self) -> bool:
        """Whether there is something to do for one of them."""
        return any(login.changed for login in self.logins)

    def predict(self) -> dict[str, Any]:
        """Return the result that the plan's execution would give; raises AppuioError where a login cannot be."""
        return result_of(self.logins, self.several)

    def diff(self) -> Any:
        """Return the difference of each login that changes."""
        changes = [diff for diff in (login.diff() for login in self.logins) if diff]
        return changes if self.several else changes[0] if changes else None


def result_of(logins: tuple[LoginPlan, ...], several: bool) -> dict[str, Any]:
    """Return the module's result; raises an AppuioError that names every zone that failed, with the results of all."""
    results = [login.result() for login in logins]
    changed = any(login.changed for login in logins)
    if several and any(login.error for login in logins):
        raise joined_error([login.error for login in logins], {"zones": results, "changed": changed})
    if not several:
        if logins[0].error:
            raise logins[0].error
        return {name: value for name, value in results[0].items() if name != "zone"}
    return {"changed": changed, "zones": results, "msg": "; ".join(str(result["msg"]) for result in results)}
