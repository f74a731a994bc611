# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API client: what it asks, what it makes of the answers, what it tries again."""

from __future__ import annotations

import ssl
import threading
import time
from typing import Any

import pytest
import urllib3
from ansible_collections.appuio.registry.plugins.module_utils._errors import (
    AppuioError,
    ConflictError,
    ConnectionFailedError,
    ForbiddenError,
    NotFoundError,
    ServerError,
    TlsVerificationError,
    UnauthorizedError,
)
from ansible_collections.appuio.registry.plugins.module_utils._openshift import client, resources
from ansible_collections.appuio.registry.plugins.module_utils._openshift.errors import cause_of, refusal
from ansible_collections.appuio.registry.plugins.module_utils._zones.fanout import at_once

from tests.unit.plugins.module_utils.scripted_api import answer, scripted_api
from tests.unit.plugins.module_utils.scripted_api import refusal as refused

PODS = "GET /api/v1/namespaces/shop/pods"


def test_an_object_is_read_with_the_token_and_without_discovery() -> None:
    app = {"metadata": {"name": "app"}, "a": 1}
    api, script = scripted_api(("GET /apis/image.openshift.io/v1/namespaces/shop/imagestreams/app", answer(200, app)))
    assert api.get(resources.IMAGE_STREAM, "shop", "app", step="read") == app
    assert script.headers[0]["Authorization"] == "Bearer token"
    assert not script.lines


def test_each_verb_goes_where_the_object_is() -> None:
    api, script = scripted_api(
        ("POST /api/v1/namespaces/shop/secrets?dryRun=All", answer(201, {})),
        ("POST /api/v1/namespaces/shop/serviceaccounts/pusher/token", answer(201, {})),
        ("PUT /apis/image.openshift.io/v1/namespaces/shop/imagestreams/app/status", answer(200, {})),
        ("PATCH /api/v1/namespaces/shop/secrets/s", answer(200, {})),
        ("DELETE /apis/image.openshift.io/v1/namespaces/shop/imagestreamtags/app:1.0", answer(200, {})),
    )
    api.create(resources.SECRET, "shop", {"kind": "Secret"}, step="create", dry_run=True)
    api.create(resources.SERVICE_ACCOUNT, "shop", {}, step="token", name="pusher", subresource="token")
    api.replace(resources.IMAGE_STREAM, "shop", "app", {}, step="replace", subresource="status")
    api.merge(resources.SECRET, "shop", "s", {"metadata": {}}, step="merge")
    api.delete(resources.IMAGE_STREAM_TAG, "shop", "app:1.0", step="delete", uid="u", resource_version="7")
    assert script.headers[3]["Content-Type"] == "application/merge-patch+json"
    assert script.bodies[4]["preconditions"] == {"uid": "u", "resourceVersion": "7"}


def test_all_pages_are_read_and_an_object_comes_once() -> None:
    one, two = ({"metadata": {"name": name, "uid": name}} for name in ("one", "two"))
    api, _script = scripted_api(
        (f"{PODS}?fieldSelector=x=y&limit=2", answer(200, {"items": [one], "metadata": {"continue": "next"}})),
        (f"{PODS}?fieldSelector=x=y&limit=2&continue=next", answer(200, {"items": [one, two, "odd", None]})),
    )
    assert list(api.items(resources.POD, "shop", step="list", field_selector="x=y", page=2)) == [one, two]


def test_a_list_that_expires_is_begun_again_once() -> None:
    one, two = ({"metadata": {"name": name, "uid": name}} for name in ("one", "two"))
    first = answer(200, {"items": [one], "metadata": {"continue": "next"}})
    gone = refused(410, "The provided continue parameter is too old")
    api, _script = scripted_api((PODS, first), (PODS, gone), (PODS, answer(200, {"items": [one, two]})))
    assert list(api.items(resources.POD, "shop", step="list")) == [one, two]
    api, _script = scripted_api((PODS, first), (PODS, gone), (PODS, first), (PODS, gone))
    with pytest.raises(ServerError, match="status 410"):
        list(api.items(resources.POD, "shop", step="list"))


def test_a_list_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    from ansible_collections.appuio.registry.plugins.module_utils._openshift import documents

    monkeypatch.setattr(documents, "MOST_PAGES", 3)
    api, _script = scripted_api(*[(PODS, answer(200, {"items": [], "metadata": {"continue": "on"}}))] * 3)
    with pytest.raises(ServerError, match="list of pods does not end after 3 pages"):
        list(api.items(resources.POD, "shop", step="list"))


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, UnauthorizedError), (403, ForbiddenError), (404, NotFoundError), (409, ConflictError), (422, ServerError)],
)
def test_a_refusal_has_the_api_s_words_and_is_not_repeated(status: int, kind: type[Exception]) -> None:
    api, script = scripted_api((f"{PODS}/p", refused(status, "because it is so")))
    with pytest.raises(kind) as raised:
        api.get(resources.POD, "shop", "p", step="read the pod")
    assert str(raised.value).startswith("read the pod: ")
    assert ("A token is good for one zone only" if status == 401 else "because it is so") in str(raised.value)
    assert script.waits == []


def test_trouble_that_can_pass_is_tried_again_after_the_time_that_the_api_asks_for() -> None:
    busy = answer(429, {"message": "slow down"}, {"Retry-After": "7"})
    broken = urllib3.exceptions.ProtocolError(
        "Connection aborted.", ConnectionResetError(104, "Connection reset by peer")
    )
    api, script = scripted_api((PODS, busy), (PODS, broken), (PODS, answer(200, {"items": []})), retries=2)
    assert list(api.items(resources.POD, "shop", step="list")) == []
    assert script.waits == [7.0, 1.0]
    api, script = scripted_api(*[(PODS, broken)] * 3, retries=2)
    with pytest.raises(ConnectionFailedError, match=r"list: the connection to api.zone.example:6443 broke"):
        list(api.items(resources.POD, "shop", step="list"))


def test_an_answer_that_is_no_json_object_is_none_of_an_api() -> None:
    page = answer(200)
    api, _script = scripted_api((f"{PODS}/p", page))
    with pytest.raises(ServerError, match="no Kubernetes API"):
        api.get(resources.POD, "shop", "p", step="read")


def test_a_certificate_that_is_not_trusted_is_told_as_such() -> None:
    inner = ssl.SSLCertVerificationError(1, "certificate verify failed")
    inner.verify_message = "self-signed certificate"
    api, script = scripted_api((f"{PODS}/p", urllib3.exceptions.SSLError(inner)))
    with pytest.raises(TlsVerificationError, match="ca_cert"):
        api.get(resources.POD, "shop", "p", step="read")
    assert script.waits == []


def test_the_cause_of_a_wrapped_error_is_found() -> None:
    pool = object()
    refusing = urllib3.exceptions.NewConnectionError(pool, "refused")
    refusing.__cause__ = ConnectionRefusedError(111, "Connection refused")
    assert isinstance(cause_of(refusing), ConnectionRefusedError)
    assert isinstance(cause_of(urllib3.exceptions.ReadTimeoutError(pool, "/", "Read timed out.")), TimeoutError)
    assert isinstance(cause_of(urllib3.exceptions.HTTPError("odd")), ConnectionResetError)


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".", "..", "a%2fb", "a?b", "a b", "a\nb", "x" * 600])
def test_a_name_that_would_be_another_path_is_refused(name: str) -> None:
    api, script = scripted_api()
    with pytest.raises(ServerError, match="cannot be the name"):
        api.delete(resources.IMAGE_STREAM_TAG, "shop", name, step="delete")
    with pytest.raises(ServerError, match="cannot be the name"):
        api.get(resources.IMAGE_STREAM_TAG, name, "app:1", step="delete")
    assert script.requests == []


def test_a_refusal_of_any_shape_is_typed() -> None:
    for body in (None, b"", b"[]", b"\xff", "text", b'{"message": {"a": 1}}', b"[" * 100_000):
        assert isinstance(refusal(500, body, "step"), ServerError)


@pytest.mark.parametrize("status", [302, 304, 400, 401, 403, 404, 409, 410, 418, 422, 429, 500, 503])
@pytest.mark.parametrize("body", [b"", b"<html>", b'{"kind": "Status", "message": "no"}'])
def test_every_refusal_says_what_to_do_next(status: int, body: bytes) -> None:
    assert refusal(status, body, "read").hint
    assert "86400 seconds" in str(refusal(503, body, "read", 86400.0))


@pytest.mark.parametrize("status", [200, 403, 404])
def test_a_page_in_front_of_the_api_is_told_as_one(status: int) -> None:
    api, _script = scripted_api((PODS, answer(status, "<html>")))
    with pytest.raises(AppuioError, match="what stands in front of it"):
        list(api.items(resources.POD, "shop", step="list"))


def test_a_change_without_an_answer_may_have_been_made() -> None:
    api, _script = scripted_api(("DELETE", answer(504, "")))
    with pytest.raises(ServerError, match="Whether it was done is not known"):
        api.delete(resources.POD, "shop", "one", step="remove")
    api, _script = scripted_api(("DELETE", ConnectionResetError()))
    with pytest.raises(ConnectionFailedError, match="Whether it was done is not known"):
        api.delete(resources.POD, "shop", "one", step="remove")
    api, _script = scripted_api(("GET", answer(504, "")), ("POST", answer(504, "")))
    for ask in (
        lambda: api.get(resources.POD, "shop", "one", step="read"),
        lambda: api.create(resources.POD, "shop", {}, step="try", dry_run=True),
    ):
        with pytest.raises(ServerError) as caught:
            ask()
        assert "not known" not in str(caught.value)


def test_a_page_does_not_say_that_something_is_gone() -> None:
    for page in (b"<html>", b"\n<!DOCTYPE html>", "<html>"):
        assert isinstance(refusal(404, page, "read"), ServerError)
        assert isinstance(refusal(403, page, "read"), ServerError)
    # The API itself says it in plain text of a group that it does not have.
    assert isinstance(refusal(404, b"404 page not found", "read"), NotFoundError)


STATUS = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404}
DETAILS = {"name": "one", "kind": "pods"}
NO_404_OF_AN_OBJECT: list[Any] = [
    None,
    "404 page not found",
    {"message": "not found"},
    {"errors": [{"code": "NOT_FOUND"}]},
    STATUS,
    {**STATUS, "details": DETAILS},
    {**STATUS, "reason": "Forbidden", "details": DETAILS},
    # Of a resource that the API does not have.
    {**STATUS, "reason": "NotFound", "details": {}},
    {**STATUS, "reason": "NotFound", "details": {"name": 4}},
    {**STATUS, "kind": "Pod", "reason": "NotFound", "details": DETAILS},
]


@pytest.mark.parametrize("document", NO_404_OF_AN_OBJECT)
def test_a_404_that_names_no_object_does_not_say_that_one_is_gone(document: Any) -> None:
    api, _script = scripted_api(("DELETE", answer(404, document)), ("GET", answer(404, document)))
    with pytest.raises(ServerError, match="a 404 came that does not say that the Pod one does not exist"):
        api.delete(resources.POD, "shop", "one", step="remove")
    with pytest.raises(ServerError, match="what stands in front of it"):
        api.get(resources.POD, "shop", "one", step="read")


def test_a_404_that_names_an_object_says_that_it_is_gone() -> None:
    gone = answer(404, {**STATUS, "reason": "NotFound", "message": "pods one not found", "details": DETAILS})
    api, _script = scripted_api(("DELETE", gone), ("GET", gone))
    with pytest.raises(NotFoundError, match="pods one not found"):
        api.delete(resources.POD, "shop", "one", step="remove")
    with pytest.raises(NotFoundError, match="pods one not found"):
        api.get(resources.POD, "shop", "one", step="read")


@pytest.mark.parametrize("document", [{}, {"kind": "Pod"}, {"metadata": {"name": "other"}}, {"metadata": [1]}])
def test_another_object_is_not_taken_for_the_one_asked_for(document: Any) -> None:
    api, _script = scripted_api(("GET", answer(200, document)))
    with pytest.raises(ServerError, match="something else than the Pod one"):
        api.get(resources.POD, "shop", "one", step="read")


NO_ANSWERS_TO_A_CHANGE: list[Any] = [
    {"kind": "ImageStreamList", "items": None},
    {"kind": "ConfigMap"},
    {"kind": 4},
    {"kind": None},
    {"kind": "Status", "status": "Failure"},
    {"kind": "Status", "status": None},
]


@pytest.mark.parametrize("document", NO_ANSWERS_TO_A_CHANGE)
def test_a_change_that_is_answered_with_something_else_is_not_taken_for_done(document: Any) -> None:
    api, _script = scripted_api(*((method, answer(200, document)) for method in ("POST", "PUT", "PATCH", "DELETE")))
    secret = {"kind": "Secret"}
    changes = (
        lambda: api.create(resources.SECRET, "shop", secret, step="create"),
        lambda: api.replace(resources.SECRET, "shop", "s", secret, step="replace"),
        lambda: api.merge(resources.SECRET, "shop", "s", secret, step="merge"),
        lambda: api.delete(resources.SECRET, "shop", "s", step="delete"),
    )
    for change in changes:
        with pytest.raises(ServerError, match="no Kubernetes API"):
            change()


@pytest.mark.parametrize("document", [{"kind": "Secret"}, {"kind": "Status", "status": "Success"}])
def test_a_change_is_answered_with_the_object_or_with_success(document: Any) -> None:
    api, _script = scripted_api(("POST", answer(200, document)), ("DELETE", answer(200, document)))
    assert api.create(resources.SECRET, "shop", {}, step="create") == document
    api.delete(resources.SECRET, "shop", "s", step="delete")


def test_no_two_threads_import_the_libraries_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    at_work = threading.Semaphore(1)

    def connected(_address: object, _token: str | None) -> object:
        assert at_work.acquire(blocking=False), "another thread imports"
        time.sleep(0.02)
        at_work.release()
        return object()

    monkeypatch.setattr(client, "_dynamic_client", connected)
    apis = [client.Api(resources.ApiAddress(f"https://api-{number}.example"), "t") for number in range(4)]
    at_once(lambda api: api._connected(), apis)


@pytest.mark.parametrize("document", [[], {"kind": 4}, {"kind": None}])
def test_an_answer_to_a_change_that_no_api_gives_is_not_believed(document: object) -> None:
    api, _script = scripted_api(("DELETE", answer(200, document)))
    with pytest.raises(ServerError, match="this is no Kubernetes API"):
        api.delete(resources.POD, "shop", "one", step="remove")
