# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Today's programs come verified from Debian's suite testing, or it is said why not; apt here stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.setup import SetupError, debian_testing

# What apt does here: it names the machine's sources, or notes its words and puts packages where it was told to.
APT = """
if test "$1" = indextargets; then
  echo "Other Other main http://other.example/"
  echo "Debian Debian-Security main http://mirror.example/debian-security/"
  echo "Debian Debian main http://mirror.example/debian/"
  exit 0
fi
echo "$@" >> {folder}/words
cp "$3" {folder}/configuration
cp "$(dirname "$3")/sources.list" {folder}/sources
packages="$(dirname "$3")/cache/archives"
case "$*" in *install*) for name in libc6 skopeo crane oras; do : > "$packages/$name.deb"; done;; esac
"""
# What is in the packages.
UNPACK = """
case "$2" in
*/libc6.deb) mkdir -p "$3/usr/lib/machine-linux-gnu" && : > "$3/usr/lib/machine-linux-gnu/ld-linux-machine.so.2";;
*) mkdir -p "$3/usr/bin" && : > "$3/usr/bin/$(basename "$2" .deb)";;
esac
"""


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the programs will be."""
    keyring = tmp_path / "keyring.gpg"
    keyring.touch()
    monkeypatch.setattr(debian_testing, "_KEYRING", keyring)
    monkeypatch.setattr(debian_testing, "ROOT", tmp_path / "build" / "debian-testing")
    return tmp_path / "build" / "debian-testing"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in front of the path, with an apt and a dpkg-deb of ours."""
    folder = tmp_path / "bin"
    folder.mkdir()
    put(folder, "apt-get", APT.format(folder=tmp_path))
    put(folder, "dpkg-deb", UNPACK)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def put(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    file.chmod(0o755)


def test_the_programs_are_started_by_their_own_loader(programs: Path, root: Path) -> None:
    assert debian_testing.command("skopeo") is None
    debian_testing.fetch()
    libraries = root / "usr" / "lib" / "machine-linux-gnu"
    assert debian_testing.command("crane") == [
        f"{libraries}/ld-linux-machine.so.2", "--library-path", f"{libraries}", f"{root}/usr/bin/crane"
    ]  # fmt: skip
    assert debian_testing.command("podman") is None
    assert debian_testing.is_there()
    assert [folder.name for folder in root.parent.iterdir()] == ["debian-testing"]


def test_apt_verifies_and_keeps_to_folders_of_its_own(programs: Path, root: Path, tmp_path: Path) -> None:
    debian_testing.fetch()
    fresh = f"{root}.new/apt"
    assert (tmp_path / "words").read_text().splitlines() == [
        f"-qq -c {fresh}/apt.conf update",
        f"-qq -c {fresh}/apt.conf install --yes skopeo crane oras",
    ]
    # The machine's own mirror, but not that of its security updates, and Debian's keys alone.
    signed = f"[signed-by={tmp_path / 'keyring.gpg'}]"
    assert (tmp_path / "sources").read_text() == f"deb {signed} http://mirror.example/debian/ testing main\n"
    settings = (tmp_path / "configuration").read_text().splitlines()
    for setting in (
        f'Dir::State "{fresh}/state";',
        f'Dir::State::status "{fresh}/status";',
        f'Dir::Cache "{fresh}/cache";',
        f'Dir::Etc::sourcelist "{fresh}/sources.list";',
        'Dir::Etc::sourceparts "/dev/null";',
        'APT::Get::Download-Only "true";',
        'APT::Get::AllowUnauthenticated "false";',
        'Acquire::AllowInsecureRepositories "false";',
        "#clear APT::Update::Post-Invoke;",
    ):
        assert setting in settings


def test_what_fails_is_named_and_leaves_what_was_there(programs: Path, root: Path) -> None:
    debian_testing.fetch()
    put(programs, "apt-get", APT.format(folder=programs) + 'case "$*" in *install*) echo no crane >&2; exit 100;; esac')
    with pytest.raises(SetupError, match=r"install --yes skopeo crane oras ended with status 100: no crane\Z"):
        debian_testing.fetch()
    assert debian_testing.is_there()
    assert [folder.name for folder in root.parent.iterdir()] == ["debian-testing"]


def test_a_machine_without_debian_says_so(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(programs, "apt-get", "echo Other Other main http://other.example/")
    with pytest.raises(SetupError, match="apt here knows no mirror of Debian"):
        debian_testing.fetch()
    monkeypatch.setenv("PATH", str(programs.parent / "nothing"))
    with pytest.raises(SetupError, match="there is no apt-get here"):
        debian_testing.fetch()
    assert not debian_testing.is_there()


def test_without_debians_keys_nothing_is_fetched(programs: Path, tmp_path: Path) -> None:
    (tmp_path / "keyring.gpg").unlink()
    with pytest.raises(SetupError, match=r"keyring\.gpg, which is in the package debian-archive-keyring\Z"):
        debian_testing.fetch()
    assert not (tmp_path / "words").exists()
