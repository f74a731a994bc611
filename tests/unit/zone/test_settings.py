# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of a local zone, and what acts by them, on a clock of the test's own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.zone.api.authentication import Authentication, account_user
from tests.zone.api.image_streams import tag_names
from tests.zone.api.manifest import OCI_MANIFEST, Manifest
from tests.zone.api.quota import Quota
from tests.zone.api.store import Store
from tests.zone.settings import REAL_TIMES, Settings


class Clock:
    """A time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_change_that_is_refused_changes_nothing() -> None:
    settings = Settings()
    for bad in ({"limit_cache": 5.0, "tag_quota": "half"}, {"limit_cache": 5.0, "nothing": 1}):
        with pytest.raises(ValueError, match="one of"):
            settings.change(**bad)
        assert settings == Settings()
    settings.change(**REAL_TIMES)
    assert (settings.limit_cache, settings.user_revocation_delay, settings.tag_quota) == (60.0, 120.0, "counted")


@pytest.mark.parametrize(
    ("settings", "account_ends", "user_ends"),
    [
        ({}, 0, 0),
        ({"revocation_delay": 10}, 10, 10),
        ({"revocation_delay": 10, "user_revocation_delay": 120}, 10, 120),
        ({"revocation_delay": 10, "user_revocation_delay": 0}, 10, 0),
    ],
)
def test_tokens_end_after_the_delay_of_their_kind(
    settings: dict[str, Any], account_ends: float, user_ends: float
) -> None:
    clock = Clock()
    authentication = Authentication(Settings(**settings), clock)
    account = authentication.legacy_token("shop", "pusher", "uid-1", "secret", "uid-2")
    user = authentication.oauth_token(account_user("ada", "uid-3"))
    for token in (account, user):
        authentication.revoke(token)
    for seconds in (0.0, 9.0, 10.0, 119.0, 120.0):
        clock.now = 1000.0 + seconds
        assert (authentication.user(account) is not None) == (seconds < account_ends)
        assert (authentication.user(user) is not None) == (seconds < user_ends)


def image(size: int) -> Manifest:
    layer = {"digest": "sha256:" + "0" * 64, "size": size}
    return Manifest(OCI_MANIFEST, b"{}", "sha256:" + "1" * 64, {}, layers=[layer])


def test_limit_ranges_are_remembered_for_as_long_as_set() -> None:
    store, clock, settings = Store(), Clock(), Settings(limit_cache=60)
    quota = Quota(store, settings, clock)
    assert not quota.image_too_large("shop", image(5000))
    limits = {"limits": [{"type": "openshift.io/Image", "max": {"storage": "2Ki"}}]}
    store.create("", "limitranges", "shop", {"metadata": {"name": "images"}, "spec": limits})
    clock.now += 59
    assert not quota.image_too_large("shop", image(5000))
    # Another namespace is read anew, and so is this one when its time is over.
    assert not quota.image_too_large("other", image(5000))
    clock.now += 1
    assert quota.image_too_large("shop", image(5000))
    assert not quota.image_too_large("shop", image(2048))


def test_tags_in_spec_and_status_are_one() -> None:
    stream = {"spec": {"tags": [{"name": "a"}, {"name": "b"}]}, "status": {"tags": [{"tag": "b"}, {"tag": "c"}]}}
    assert tag_names(stream) == {"a", "b", "c"}
    assert tag_names({"spec": {}, "status": {"tags": None}}) == set()
