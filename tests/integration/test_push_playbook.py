# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module in playbooks; new, again, changed, removed: each in check mode and for real, first and again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.image import make_layout
from tests.integration.api import ask
from tests.integration.push import ACTION, Pusher


@pytest.mark.thorough
def test_twelve_steps(pusher: Pusher, tmp_path: Path) -> None:
    """The first four by playbooks, the others in this process: Ansible hands the same on."""
    source = f"oci:{tmp_path / 'app'}"

    def played(check: bool) -> dict[str, Any]:
        return pusher.play(source, check=check, diff=True).succeeded().result(ACTION)

    def pushed(check: bool) -> dict[str, Any]:
        return pusher.push(source, check=check, diff=True)

    first = make_layout(tmp_path / "app", seed="first")
    _four(pusher, played, [{}] * 3, first)
    second = make_layout(tmp_path / "app", seed="second")
    assert second != first
    _four(pusher, pushed, [{"1.0": first}] * 3, second)
    for zone in pusher.zones:
        path = f"/apis/image.openshift.io/v1/namespaces/{pusher.project}/imagestreams/app"
        assert ask(zone, zone.admin_token, "DELETE", path, None)[0] == 200
    _four(pusher, pushed, [{}] * 3, second)


def _four(pusher: Pusher, push: Callable[[bool], dict[str, Any]], before: list[dict[str, str]], digest: str) -> None:
    """Check, real, check again, real again."""
    after = [{"1.0": digest}] * 3
    for check, changed, there in (
        (True, True, before),
        (False, True, after),
        (True, False, after),
        (False, False, after),
    ):
        pusher.clear()
        result = push(check)
        assert result["changed"] is changed
        assert [zone["changed"] for zone in result["zones"]] == [changed] * 3
        assert result["digest"] == digest
        assert pusher.tags() == there
        assert bool(pusher.writes()) is (changed and not check)
        wanted = before if changed else after
        assert [tags.get("1.0") for tags in result["diff"]["before"].values()] == [tags.get("1.0") for tags in wanted]
        assert [tags["1.0"] for tags in result["diff"]["after"].values()] == [digest] * 3
        if not changed:
            assert pusher.asked() == [["HEAD manifests/1.0"]] * 3, "an unchanged tag is one request"


def test_no_secret_is_told(pusher: Pusher, tmp_path: Path) -> None:
    make_layout(tmp_path / "app")
    ran = pusher.play(f"oci:{tmp_path / 'app'}", verbosity=3, diff=True).succeeded()
    for token in pusher.tokens.values():
        assert token not in ran.stdout


def test_a_failure_brings_the_result_of_every_zone(pusher: Pusher, tmp_path: Path) -> None:
    make_layout(tmp_path / "app")
    good = pusher.entries(*pusher.zones[:2])
    bad = pusher.entries(pusher.zones[2], token="sha256~of-nobody")
    ran = pusher.play(f"oci:{tmp_path / 'app'}", options={"zones": good + bad, "atomic": False})
    result = ran.result(ACTION)
    assert ran.rc != 0
    assert [zone["failed"] for zone in result["zones"]] == [False, False, True]
    assert [bool(tags) for tags in pusher.tags()] == [True, True, False]
    assert pusher.zones[2].registry in result["msg"]
    assert "sha256~of-nobody" not in ran.stdout


@pytest.mark.thorough
@pytest.mark.parametrize("platforms", [["linux/arm64"], ["linux/amd64", "linux/arm64"]])
def test_platforms(pusher: Pusher, tmp_path: Path, platforms: list[str]) -> None:
    make_layout(tmp_path / "app", platforms=("linux/amd64", "linux/arm64", "linux/s390x"))
    options = {"platforms": platforms, "zones": pusher.entries(pusher.zones[0])}
    result = pusher.play(f"oci:{tmp_path / 'app'}", options=options).succeeded().result(ACTION)
    assert result["platforms"] == platforms
    assert pusher.tags()[0] == {"1.0": result["digest"]}
    again = pusher.play(f"oci:{tmp_path / 'app'}", options=options).succeeded().result(ACTION)
    assert not again["changed"]
