# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions of nox; ``nox --list`` names them, and the Makefile runs them by two.

Those of antsibull-nox.toml come from antsibull-nox. Arguments behind ``--`` go to pytest, ansible-test, the benchmark.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import antsibull_nox
import nox

sys.path.insert(0, str(Path(__file__).resolve().parent))

from tests.setup import (
    BUILD,
    REQUIREMENTS,
    ROOT,
    SetupError,
    artifact,
    awx,
    debian,
    debian_testing,
    release,
    tree,
    versions,
)
from tests.setup import ansible_test as ansible_test_home
from tests.setup.environment import private
from tests.setup.pythons import newest_python
from tests.setup.versions import OLDEST_TARGET, Core

RUNTIME = ROOT / "meta" / "ee-requirements.txt"
SCHEMAS = ("-r", REQUIREMENTS / "schemas.txt")
NEWEST = versions.newest()
NEWEST_PYTHON = NEWEST.python.path if NEWEST and NEWEST.python else None
OLDEST = versions.oldest()
OLDEST_PYTHON = OLDEST.python.path if OLDEST and OLDEST.python else None
# Ends what hangs, with all its children; no slow machine comes near it.
AT_MOST = ("timeout", "--kill-after=60", "3h")

nox.options.envdir = str(BUILD / "nox")
nox.options.reuse_venv = "yes"
nox.options.default_venv_backend = "virtualenv"
nox.options.download_python = "never"
antsibull_nox.load_antsibull_nox_toml()


def run(session: nox.Session, *command: str | Path, folder: Path = ROOT, **env: str) -> None:
    """Run a command of the session's environment, which sees nothing of the user's settings."""
    with session.chdir(folder):
        everything = private(session.bin, **{"ANSIBLE_COLLECTIONS_PATH": str(tree.linked()), **env})
        session.run(*AT_MOST, *map(str, command), env=everything, include_outer_env=False, external=True)


def install_programs(session: nox.Session, programs: dict[str, str]) -> None:
    """Install Debian's programs, or end the session with the command that would."""
    try:
        debian.install(programs)
    except SetupError as error:
        session.error(str(error))


def unpack_awx(session: nox.Session) -> None:
    """Unpack the collection that the playbook awx is held against, or end the session."""
    try:
        awx.unpacked()
    except SetupError as error:
        session.error(str(error))


def install(session: nox.Session, *what: str | Path) -> None:
    """Install packages; Python compiles what of them is imported, which is little, the first time that it is."""
    session.install("--no-compile", *map(str, what))


def install_core(session: nox.Session, core: Core | None, *more: str | Path) -> None:
    """Install a version of ansible-core and what the tests import."""
    if core is None:
        session.error("no Python here runs a release of ansible-core")
    install(session, "-r", RUNTIME, "-r", REQUIREMENTS / "test.txt", core.requirement, *more)


def pytest(session: nox.Session, core: Core | None, *folders: str) -> None:
    """Run the tests of these folders, or of what is given behind ``--``."""
    # The longest tests, and those of the tests themselves, run where the newest ansible-core does.
    marks = [] if core == NEWEST else ["-m", "not thorough"]
    # Tests are of very different length: a worker that has none left takes another's.
    workers = [] if session.posargs else ["-v", "-n", "2", "--dist", "worksteal", "-ra", "--durations=15", *marks]
    cache = ["-o", f"cache_dir={BUILD / 'pytest' / session.name}"]
    run(session, "python", "-m", "pytest", *cache, *workers, *(session.posargs or folders))


def for_core(name: str, core: Core, function: Callable[[nox.Session, Core], None]) -> None:
    """Make a session of this function for this version of ansible-core."""

    def session_function(session: nox.Session) -> None:
        function(session, core)

    session_function.__doc__ = f"{function.__doc__} ansible-core {core.name}"
    if core.python is not None:
        nox.session(name=f"{name}-{core.name}", python=core.python.path, default=False)(session_function)


def unit(session: nox.Session, core: Core) -> None:
    """Unit tests on"""
    install_core(session, core, *(SCHEMAS if core == NEWEST else ()))
    # What looks at the tree and the tests themselves finds the same whatever ansible-core there is, and between the
    # oldest and the newest only what meets Ansible can differ.
    plugins = ROOT / "tests/unit/plugins"
    between = [*plugins.glob("[!_m]*"), *plugins.glob("module_utils/test_*.py")]  # all but module_utils as a whole
    folders = {NEWEST: ["tests/unit"], OLDEST: [str(plugins)]}.get(core, sorted(map(str, between)))
    if core in (NEWEST, OLDEST):
        unpack_awx(session)
    pytest(session, core, *folders)


def zone(session: nox.Session, core: Core) -> None:
    """Tests against local zones on"""
    install_core(session, core)
    install_programs(session, debian.ZONE_PROGRAMS)
    # The zones themselves, and modules run without ansible-core, are the same whatever ansible-core there is.
    newest_only = ("tests/zone", "tests/faults") if core == NEWEST else ()
    if core == NEWEST:
        unpack_awx(session)
    pytest(session, core, *newest_only, "tests/integration")


def sanity(session: nox.Session, core: Core) -> None:
    """ansible-test sanity of"""
    install(session, core.requirement)
    assert core.python is not None
    skipped = ["pslint"]  # no PowerShell
    if core not in (OLDEST, NEWEST):
        # What these say of a text is said by those of the versions before and after as well.
        skipped += ["changelog", "pep8", "pylint", "shellcheck", "yamllint"]
    without = [word for name in skipped for word in ("--skip-test", name)]
    ansible_test(session, "sanity", "--local", "--python", str(core.python), *without)


for each in versions.runnable():
    for_core("unit", each, unit)
    for_core("zone", each, zone)
    for_core("sanity", each, sanity)


def ansible_test(session: nox.Session, kind: str, *options: str, path: str = "", tests: bool = False) -> None:
    """Run ansible-test on a copy of what users get, with a home of its own."""
    folders = list((Path(session.virtualenv.location) / "lib").glob("python*/site-packages"))
    try:
        home = ansible_test_home.home(session.name, folders[0])
    except SetupError as error:
        session.error(str(error))
    copy = tree.copied(session.name, python_of_tests=tests)
    env = private(session.bin, HOME=str(home))
    env["PATH"] += path
    command = ["ansible-test", kind, "--color", "no", "--truncate", "0", *options, *session.posargs]
    with session.chdir(copy):
        session.run(*AT_MOST, *command, env=env, include_outer_env=False, external=True)


@nox.session(name="sanity-targets", python=OLDEST_PYTHON, default=False)
def sanity_targets(session: nox.Session) -> None:
    """Compile and import what runs on targets with the oldest Python there"""
    target = newest_python(OLDEST_TARGET, OLDEST_TARGET)
    if OLDEST is None or target is None:
        session.skip(f"there is no Python {'.'.join(map(str, OLDEST_TARGET))} here")
    install(session, OLDEST.requirement)
    controller = ["--controller", f"origin:python={OLDEST.python}", "--target-python", str(target)]
    only = ["--test", "compile", "--test", "import"]
    ansible_test(session, "sanity", *controller, *only, path=f":{Path(target.path).parent}")


@nox.session(python=NEWEST_PYTHON, default=False)
def integration(session: nox.Session) -> None:
    """ansible-test integration of tests/integration/targets, against local zones"""
    install_core(session, NEWEST)
    install_programs(session, debian.ZONE_PROGRAMS)
    assert NEWEST is not None
    ansible_test(session, "integration", "--local", "--python", str(NEWEST.python), tests=True)


@nox.session(python=NEWEST_PYTHON, default=False)
def interop(session: nox.Session) -> None:
    """Other tools on the same images, and a browser on the report"""
    install_core(session, NEWEST)
    install_programs(session, debian.INTEROP_PROGRAMS)
    pytest(session, NEWEST, "tests/interop")


@nox.session(default=False)
def ruff(session: nox.Session) -> None:
    """ruff check, with what is given behind -- (such as --fix)"""
    install(session, "-r", REQUIREMENTS / "ruff.txt")
    run(session, "ruff", "check", "--cache-dir", BUILD / "cache" / "ruff", *session.posargs, ".")


@nox.session(python=NEWEST_PYTHON, default=False)
def typing(session: nox.Session) -> None:
    """mypy, strictly, on plugins and on tests"""
    install_core(session, NEWEST, "-r", REQUIREMENTS / "lint.txt", "-r", REQUIREMENTS / "nox.txt")
    mypy = ("mypy", "--cache-dir", BUILD / "cache" / "mypy")
    here = str(tree.linked())
    # For plugins, the oldest Python that mypy still knows; ansible-test compiles them with 3.9 where that is there.
    run(session, *mypy, "--python-version", "3.10", "-p", "ansible_collections.appuio.registry.plugins", MYPYPATH=here)
    run(session, *mypy, "-p", "tests", "-m", "conftest", "-m", "noxfile", MYPYPATH=here)


@nox.session(name="ansible-doc", python=NEWEST_PYTHON, default=False)
def ansible_doc(session: nox.Session) -> None:
    """The manual page of every module, plugin and role"""
    assert NEWEST is not None
    install(session, NEWEST.requirement)
    for kind in ("module", "inventory", "filter", "role"):
        env = private(session.bin, ANSIBLE_COLLECTIONS_PATH=str(tree.linked()))
        asked = ("ansible-doc", "--type", kind, "--list", "appuio.registry")
        listed = session.run(*asked, silent=True, env=env, include_outer_env=False) or ""
        names = [word for line in str(listed).splitlines() for word in line.split()[:1] if word.startswith("appuio.")]
        if not names:
            session.error(f"ansible-doc finds no {kind}")
        run(session, "ansible-doc", "--type", kind, *names)


def install_artifact(session: nox.Session, copy: Path | None = None) -> None:
    """Build the collection from a copy of what git tracks and install it, alone, into an empty path."""
    copy = copy or tree.copied("artifact")
    for folder in (artifact.BUILT, artifact.INSTALLED):
        shutil.rmtree(folder, ignore_errors=True)
    run(session, "ansible-galaxy", "collection", "build", "--output-path", artifact.BUILT, copy)
    command = ("ansible-galaxy", "collection", "install", "--offline", "--pre", "-p", artifact.INSTALLED)
    run(session, *command, artifact.path(), ANSIBLE_COLLECTIONS_PATH=str(artifact.INSTALLED))


def run_demo(session: nox.Session, *options: str) -> None:
    """Run the demo from the installed artifact."""
    python = Path(session.bin) / "python"
    run(session, python, ROOT / "tests/demo/run", "--collections", artifact.INSTALLED, "--python", python, *options)


@nox.session(name="artifact", python=NEWEST_PYTHON, default=False)
def artifact_session(session: nox.Session) -> None:
    """Build the collection, look at what is in it, install it, lay out an execution environment, run the demo"""
    install_core(session, NEWEST, "-r", REQUIREMENTS / "lint.txt")
    install_programs(session, debian.ZONE_PROGRAMS)
    install_artifact(session)
    environment = BUILD / "execution-environment"
    shutil.rmtree(environment, ignore_errors=True)
    environment.mkdir()
    python, system, context = (environment / name for name in ("requirements.txt", "bindep.txt", "context"))
    written = ("--write-pip", python, "--write-bindep", system)
    run(session, "ansible-builder", "introspect", *written, artifact.INSTALLED)
    definition = artifact.INSTALLED / artifact.PATTERN / "execution-environment.yml"
    # No image is built: that would need its base image from somewhere.
    run(session, "ansible-builder", "create", "--file", definition, "--context", context)
    try:
        artifact.check(artifact.files())
        # A list of nothing is not written.
        found = [path.read_text(encoding="utf-8") if path.exists() else "" for path in (python, system)]
        artifact.check_requirements(*found)
        artifact.check_context(definition, context)
    except SetupError as error:
        session.error(str(error))
    run_demo(session)


@nox.session(python=NEWEST_PYTHON, default=False)
def demo(session: nox.Session) -> None:
    """Roll an image out to three zones on this machine, from the installed artifact"""
    install_core(session, NEWEST)
    install_programs(session, debian.ZONE_PROGRAMS)
    install_artifact(session)
    run_demo(session)


@nox.session(python=NEWEST_PYTHON, default=False)
def docs(session: nox.Session) -> None:
    """Build the documentation as a site; a warning is an error, and so is a reference that leads nowhere"""
    assert NEWEST is not None
    install(session, NEWEST.requirement, "-r", REQUIREMENTS / "docs.txt")
    site = BUILD / "docs"
    shutil.rmtree(site, ignore_errors=True)
    site.mkdir(mode=0o755)
    pages = site / "rst"
    pages.mkdir(mode=0o755)  # antsibull-docs refuses a folder that others can write
    options = ("--use-current", "--squash-hierarchy", "--fail-on-error", "--dest-dir", pages)
    run(session, "antsibull-docs", "collection", *options, "appuio.registry")
    settings = ("-c", ROOT / "tests/setup/site", "--doctree-dir", site / "doctrees")
    run(session, "sphinx-build", "--quiet", "--fail-on-warning", "--keep-going", *settings, pages, site / "html")
    session.log(f"the site: {site / 'html' / 'index.html'}")


@nox.session(name="release", python=NEWEST_PYTHON, default=False)
def release_session(session: nox.Session) -> None:
    """Make what is published of a version in .build/release, and say what is still in the way; publishes nothing"""
    install_core(session, NEWEST, "-r", REQUIREMENTS / "release.txt")
    install_programs(session, debian.ZONE_PROGRAMS)
    version = release.version()
    committed = (ROOT / "changelogs/changelog.yaml").read_text(encoding="utf-8")
    copy = tree.copied("release")
    if not release.has_changelog(version, committed):
        run(session, "antsibull-changelog", "release", folder=copy)
    install_artifact(session, copy)
    try:
        artifact.check(artifact.files())
    except SetupError as error:
        session.error(str(error))
    imported = ("python", "-m", "galaxy_importer.main", artifact.path().name)
    with session.chdir(artifact.BUILT):
        log = session.run(
            *AT_MOST, *imported, env=private(session.bin), include_outer_env=False, external=True, silent=True
        )
    print(log)
    if found := release.complaints(str(log)):
        session.error("Galaxy would complain: " + "; ".join(found))
    run_demo(session)
    shutil.rmtree(release.RELEASE, ignore_errors=True)
    release.RELEASE.mkdir()
    archive = Path(shutil.copy(artifact.path(), release.RELEASE))
    bill = release.RELEASE / f"{archive.name.removesuffix('.tar.gz')}.cdx.json"
    bill.write_text(json.dumps(release.bill_of_materials(archive), indent=2) + "\n", encoding="utf-8")
    run(session, "python", "-c", release.VALIDATE, bill)
    changes = Path(shutil.copy(copy / "CHANGELOG.rst", release.RELEASE))
    sums = release.checksums([archive, bill, changes])
    (release.RELEASE / "SHA256SUMS").write_text(sums, encoding="utf-8")
    status = session.run("git", "status", "--porcelain", external=True, silent=True) or ""
    changed = [line[3:] for line in str(status).splitlines()]
    print(f"\n{sums}in {release.RELEASE}")
    if left := release.obstacles(version, committed, changed, release.DOCUMENTS):
        session.error(f"{version} is not ready to be published:\n- " + "\n- ".join(left))


@nox.session(python=NEWEST_PYTHON, default=False)
def zones(session: nox.Session) -> None:
    """Start three zones on this machine, with an image and an inventory, and leave them running until interrupted"""
    install_core(session, NEWEST)
    install_programs(session, debian.ZONE_PROGRAMS)
    install_artifact(session)
    run_demo(session, "--stay")


@nox.session(python=NEWEST_PYTHON, default=False)
def bench(session: nox.Session) -> None:
    """Measure pushes against today's skopeo, crane and oras"""
    install_core(session, NEWEST)
    install_programs(session, debian.BENCH_PROGRAMS)
    # What is measured anew alone goes with the rest only as long as the versions are the same.
    if not session.posargs or not debian_testing.is_there():
        try:
            debian_testing.fetch()
        except SetupError as error:
            session.warn(f"the programs of Debian's suite {debian_testing.SUITE} are not fetched: {error}")
    run(session, "python", "-m", "tests.benchmark", *(session.posargs or ("--update",)))


@nox.session(python=NEWEST_PYTHON, default=False)
def mutation(session: nox.Session) -> None:
    """Break important lines one by one and see the unit tests fail"""
    install_core(session, NEWEST)
    run(session, "python", "-m", "tests.mutation", *(session.posargs or ("--write", "docs/reliability.md")))
