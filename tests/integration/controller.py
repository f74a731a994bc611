# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small controller: as much of the API of AWX as the modules of awx.awx ask for, kept in memory.

Source: AWX, ``awx/api`` (views and serializers); what it refuses here, AWX refuses with the status 400.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.unit.awx_arguments import survey_problems

TOKEN = "the-token-of-the-controller"
SECRET = "$encrypted$"
_BASE = "/api/v2"
# Which fields hold the id of an object of which kind.
_REFERENCES = {
    "organization": "organizations",
    "credential_type": "credential_types",
    "credential": "credentials",
    "default_environment": "execution_environments",
    "execution_environment": "execution_environments",
    "inventory": "inventories",
    "project": "projects",
    "source_project": "projects",
    "workflow_job_template": "workflow_job_templates",
}


_UNIFIED = ("projects", "inventory_sources", "job_templates", "workflow_job_templates")


class Refused(Exception):
    """What is wrong with a request, as AWX answers it: a status, and a text for each field."""

    def __init__(self, status: int, **fields: str) -> None:
        super().__init__(str(fields))
        self.status, self.fields = status, fields


class Controller:
    """Objects by kind and id; ``playbooks`` are those that each project has, ``inputs`` what credentials have got."""

    def __init__(self, playbooks: set[str]) -> None:
        self.playbooks = playbooks
        self.url = ""
        self.objects: dict[str, dict[int, dict[str, Any]]] = {}
        self.surveys: dict[int, dict[str, Any]] = {}
        self.associated: dict[str, list[int]] = {}
        self.inputs: dict[str, dict[str, Any]] = {}
        self._next = 1
        self._add("credentials", {"name": "Ansible Galaxy", "inputs": {}})

    def named(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the objects of a kind by their names."""
        return {found["name"]: found for found in self.objects.get(kind, {}).values()}

    def answer(self, method: str, path: str, query: Mapping[str, str], body: dict[str, Any]) -> tuple[int, Any]:
        """Return the status and the body that answer a request; raises Refused."""
        kind, number, more = ([*path.removeprefix(_BASE).strip("/").split("/"), "", ""])[:3]
        if not number:
            return (
                (200, self._listed(kind, query)) if method == "GET" else (201, self._add(kind, self._valid(kind, body)))
            )
        found = self.objects.get(kind, {}).get(int(number))
        if found is None:
            raise Refused(404, detail="Not found.")
        if more == "survey_spec":
            return 200, self._survey(int(number), method, body)
        if more == "create_approval_template":
            known: dict[str, Any] = {name: body[name] for name in ("name", "description", "timeout") if name in body}
            approval = self._add("workflow_approval_templates", {"description": "", "timeout": 0, **known})
            found.update(unified_job_template=approval["id"])
            found["related"]["unified_job_template"] = approval["url"]
            return 201, approval
        if more:
            return self._association(f"{kind}/{number}/{more}", method, body)
        if method == "PATCH":
            self._keep(kind, body)
            if kind == "workflow_approval_templates":
                body = {name: value for name, value in body.items() if name in found}
            found.update(self._shown(kind, self._valid(kind, {**found, **body})))
        return 200, found

    def _listed(self, kind: str, query: Mapping[str, str]) -> dict[str, Any]:
        wanted = {name: value for name, value in query.items() if name != "type"}
        kinds = {"job_template": "job_templates", "workflow_approval": "workflow_approvals"}
        unified = [kinds[query["type"]]] if "type" in query else _UNIFIED
        searched = unified if kind == "unified_job_templates" else [kind]
        every = [one for found in searched for one in self.objects.get(found, {}).values()]
        results = [one for one in every if all(str(one.get(name)) == value for name, value in wanted.items())]
        return {"count": len(results), "next": None, "results": results}

    def _add(self, kind: str, fields: dict[str, Any]) -> dict[str, Any]:
        number, self._next = self._next, self._next + 1
        self._keep(kind, fields)
        url = f"{_BASE}/{kind}/{number}/"
        base = {"id": number, "url": url, "type": kind[:-1], "summary_fields": {}, "scm_revision": ""}
        related = {"survey_spec": f"{url}survey_spec/"}
        return self.objects.setdefault(kind, {}).setdefault(
            number, {**base, "related": related, **self._shown(kind, fields)}
        )

    def _keep(self, kind: str, fields: dict[str, Any]) -> None:
        if kind == "credentials" and "inputs" in fields:
            self.inputs[fields["name"]] = fields["inputs"]

    def _shown(self, kind: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Return the fields as AWX gives them back: secrets are not shown, and no node has a state."""
        if kind == "credentials" and "credential_type" in fields:
            secret = {one["id"] for one in self._type_of(fields)["inputs"]["fields"] if one.get("secret")}
            inputs = {name: SECRET if name in secret else value for name, value in fields.get("inputs", {}).items()}
            return {**fields, "inputs": inputs}
        return fields

    def _type_of(self, credential: Mapping[str, Any]) -> dict[str, Any]:
        return self.objects["credential_types"][credential["credential_type"]]

    def _valid(self, kind: str, fields: dict[str, Any]) -> dict[str, Any]:
        for name, referred in _REFERENCES.items():
            if fields.get(name) is not None and fields[name] not in self.objects.get(referred, {}):
                raise Refused(400, **{name: f"Invalid pk {fields[name]!r} - object does not exist."})
        if kind == "job_templates" and fields["playbook"] not in self.playbooks:
            raise Refused(400, playbook="Playbook not found for project.")
        if kind == "job_templates" and not isinstance(json.loads(fields.get("extra_vars") or "{}"), dict):
            raise Refused(400, extra_vars="Must be a mapping.")
        if kind == "inventory_sources" and fields["source"] == "scm" and not fields.get("source_project"):
            raise Refused(400, source_project="Project required for scm type sources.")
        if kind == "credential_types":
            known = {one["id"] for one in fields["inputs"]["fields"]}
            used = set(re.findall(r"{{\s*(\w+)", json.dumps(fields["injectors"])))
            if not used <= known or not set(fields["inputs"].get("required", ())) <= known:
                raise Refused(400, injectors=f"{used - known} undefined")
        if kind == "credentials":
            known = self._type_of(fields)["inputs"]
            names = {one["id"] for one in known["fields"]}
            if not set(known["required"]) <= set(fields.get("inputs", ())) <= names:
                raise Refused(400, inputs="required, or not of the credential type")
        if (
            kind == "workflow_job_template_nodes"
            and "unified_job_template" not in fields
            and "identifier" not in fields
        ):
            raise Refused(400, unified_job_template="required")
        return fields

    def _survey(self, number: int, method: str, body: dict[str, Any]) -> dict[str, Any]:
        if method == "POST":
            problems = survey_problems(body)
            if problems:
                raise Refused(400, error="; ".join(problems))
            self.surveys[number] = body
        elif method == "DELETE":
            self.surveys.pop(number, None)
        return self.surveys.get(number, {}) if method == "GET" else {}

    def _association(self, path: str, method: str, body: dict[str, Any]) -> tuple[int, Any]:
        there = self.associated.setdefault(path, [])
        if method == "GET":
            return 200, {"count": len(there), "next": None, "results": [{"id": number} for number in there]}
        if body.get("disassociate"):
            there.remove(body["id"])
        else:
            there.append(body["id"])
        return 204, None


@contextmanager
def running(playbooks: set[str]) -> Iterator[Controller]:
    """Serve a controller on loopback as long as the context lasts."""
    controller = Controller(playbooks)

    class Handler(BaseHTTPRequestHandler):
        wbufsize = -1  # one packet for each answer

        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            try:
                if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    raise Refused(401, detail="Authentication credentials were not provided.")
                status, found = controller.answer(self.command, parts.path, dict(parse_qsl(parts.query)), body)
            except Refused as refused:
                status, found = refused.status, refused.fields
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("X-API-Product-Name", "AWX")
            self.send_header("X-API-Product-Version", "24.6.1")
            sent = b"" if found is None else json.dumps(found).encode()
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_arguments: Any) -> None:
            pass

    for method in ("GET", "POST", "PATCH", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.handle_any)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        controller.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield controller
        finally:
            server.shutdown()
            thread.join()
