# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file for a token: nothing else is read out of it, and nothing else is overwritten."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._account.account import AccountOptions
from ansible_collections.appuio.registry.plugins.module_utils._account.token_file import TokenFile, token_files
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError, InvalidOptionError

TOKEN = "e30.eyJzdWIiOiAieCJ9.sig"


@pytest.mark.parametrize("content", [TOKEN, f"{TOKEN}\n", f" {TOKEN}\r\n"])
def test_a_token_is_read_without_its_line_end(tmp_path: Path, content: str) -> None:
    (tmp_path / "token").write_text(content)
    assert TokenFile(str(tmp_path / "token")).read() == TOKEN


@pytest.mark.parametrize("content", [None, "", "\n"])
def test_no_file_or_an_empty_one_holds_no_token(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "token").write_text(content)
    assert TokenFile(str(tmp_path / "token")).read() is None


@pytest.mark.parametrize("content", [b"secret", b"\xff\xfe", b"a b", b"a.b.c", b"e30.W10.x", b"x" * 100_000, b"\0"])
def test_anything_else_is_refused_and_not_shown(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(InvalidOptionError, match="holds something that is no token") as caught:
        TokenFile(str(tmp_path / "token")).read()
    assert "secret" not in str(caught.value)


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", tmp_path, Path("/dev/null")):
        with pytest.raises(InvalidOptionError, match="is not a regular file"):
            TokenFile(str(path)).read()
    with pytest.raises(InvalidOptionError, match=r"the directory .* of token_file is not there"):
        TokenFile(str(tmp_path / "gone" / "token")).read()


def test_a_token_is_written_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("")
    path.chmod(0o644)
    file = TokenFile(str(path))
    assert file.wide()
    file.write(TOKEN)
    assert (path.read_text(), path.stat().st_mode & 0o777, file.wide()) == (TOKEN, 0o600, False)
    assert [entry.name for entry in tmp_path.iterdir()] == ["token"]
    file.remove()
    file.remove()
    assert not file.exists()


def test_a_file_that_cannot_be_written_names_itself(tmp_path: Path) -> None:
    with pytest.raises(AppuioError, match=r"write the token into the file: token_file .*/gone/token cannot be written"):
        TokenFile(str(tmp_path / "gone" / "token")).write(TOKEN)


def test_a_file_of_an_account_that_goes_need_not_be_there(tmp_path: Path) -> None:
    gone = AccountOptions("shop", state="absent", token_file=str(tmp_path / "gone" / "token"))
    assert token_files([gone, AccountOptions("shop")]) == {}
    key = tmp_path / "key"
    key.write_text("-----BEGIN")
    with pytest.raises(InvalidOptionError, match="holds something that is no token"):
        token_files([AccountOptions("shop", state="absent", token_file=str(key))])
