# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A home for ``ansible-test`` in which it finds pip, also where the site it gets pip from is out of reach.

``ansible-test sanity`` makes an environment per test and downloads a bootstrap for pip into its cache first; it also
drops the settings of pip that are in the environment.
"""

from __future__ import annotations

import configparser
import os
import re
import urllib.request
from pathlib import Path

from . import BUILD, SetupError

# Takes the place of the bootstrap, made from what Python brings itself.
_PIP_FROM_PYTHON = """\
import os
import sys

import ensurepip

os.environ.pop("GET_PIP", None)
del sys.argv[1:]
ensurepip.bootstrap(default_pip=True)
"""
_ADDRESS = re.compile(r"'(https://\S+/get-pip-)%s\.py'")
_PIP_VERSION = re.compile(r"default_packages = dict\(\s*pip='([0-9.]+)'")


def home(name: str, site_packages: Path) -> Path:
    """Return the home for a session of this name, whose ansible-test lies in ``site_packages``; raises SetupError."""
    folder = BUILD / "home" / name
    folder.mkdir(parents=True, exist_ok=True)
    _copy_pip_settings(folder)
    package = site_packages / "ansible_test"
    try:
        address = _ADDRESS.search((package / "_util/target/setup/requirements.py").read_text(encoding="utf-8"))
        version = _PIP_VERSION.search((package / "_internal/python_requirements.py").read_text(encoding="utf-8"))
    except OSError as error:
        raise SetupError(f"there is no ansible-test in {site_packages}: {error.strerror}") from None
    if address is None or version is None:
        print("this ansible-test gets its pip in a way not known here, so it is left to it")
        return folder
    file = folder / ".ansible" / "test" / "cache" / f"get_pip_{version[1].replace('.', '_')}.py"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_bootstrap(f"{address[1]}{version[1]}.py"), encoding="utf-8")
    return folder


def _bootstrap(address: str) -> str:
    try:
        with urllib.request.urlopen(address, timeout=15) as answer:
            return str(answer.read().decode("utf-8"))
    except (OSError, ValueError) as error:
        print(f"the pip bootstrap of ansible-test cannot be fetched ({error}); Python's own pip takes its place")
        return _PIP_FROM_PYTHON


def _copy_pip_settings(folder: Path) -> None:
    settings = configparser.RawConfigParser()
    settings.read(Path.home() / ".config" / "pip" / "pip.conf", encoding="utf-8")
    for name, value in os.environ.items():
        if name.startswith("PIP_") and name != "PIP_CONFIG_FILE":
            if not settings.has_section("install"):
                settings.add_section("install")
            settings.set("install", name[4:].lower().replace("_", "-"), value)
    file = folder / ".config" / "pip" / "pip.conf"
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(file, "w", encoding="utf-8") as written:
        settings.write(written)
