"""Programs outside the tree are built against the installed library, by pkg-config and by CMake, and work."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import threading
from pathlib import Path

import pytest
from install.tree import EXAMPLES, ROOT, Tree, needed, run
from structure.alone import LANGUAGES, compile_alone

PATIENCE = 60.0
"""Seconds after which something that should happen has not happened."""

SOURCES = {
    name: (EXAMPLES / f"{name}.c", EXAMPLES / "start.c", EXAMPLES / "notes.c") for name in ("watch_poll", "watch_uv")
}
WARNINGS = ("-Wall", "-Wextra", "-pedantic", "-Werror")
VERSION = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE).group(1)


def by_pkg_config(tree: Tree, folder: Path, *options: str) -> None:
    for program, sources in SOURCES.items():
        modules = ("peergraph", "libuv") if program == "watch_uv" else ("peergraph",)
        flags = tree.pkg_config(*options, "--cflags", "--libs", *modules)
        run("cc", "-O2", *WARNINGS, "-o", folder / program, *sources, *flags)


def by_cmake(tree: Tree, folder: Path) -> None:
    tree.cmake(EXAMPLES, folder)


@pytest.fixture(scope="session", params=["pkg-config, shared", "pkg-config, static", "cmake, shared", "cmake, static"])
def programs(request, tmp_path_factory, tree, archive_tree) -> tuple[Path, Tree, bool]:
    """A folder with watch_poll and watch_uv, what they were built against, and whether that is the shared library."""
    how, kind = request.param.split(", ")
    folder = tmp_path_factory.mktemp("programs")
    used = tree if kind == "shared" else archive_tree
    if how == "cmake":
        by_cmake(used, folder)
    elif kind == "shared":
        by_pkg_config(used, folder)
    else:
        by_pkg_config(used, folder, "--static")
    return folder, used, kind == "shared"


class Program:
    """A running example; whatever happens, it ends, and reading from it ends with it."""

    def __init__(self, *command: str | Path, **environment: str | Path) -> None:
        self.process = subprocess.Popen(
            command,
            env=os.environ | {name: str(value) for name, value in environment.items()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            bufsize=1,
        )
        self.killer = threading.Timer(PATIENCE, self.process.kill)
        self.killer.start()

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        self.killer.cancel()
        self.process.kill()
        self.process.communicate()

    def say(self, text: str) -> None:
        self.process.stdin.write(f"{text}\n")

    def hear(self, pattern: str) -> re.Match[str]:
        """Reads up to the line that matches."""
        heard = []
        for line in self.process.stdout:
            heard.append(line)
            if match := re.fullmatch(pattern, line.rstrip("\n")):
                return match
        raise AssertionError(f"it ended without {pattern!r}: {heard}")

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        self.process.communicate()
        return self.process.returncode


def test_two_programs_talk(programs, tmp_path):
    folder, tree, shared = programs
    environment = {"XDG_DATA_HOME": tmp_path}
    if shared:
        environment["LD_LIBRARY_PATH"] = tree.libraries
    with Program(folder / "watch_poll", "create", "film club", "alice", **environment) as alice:
        address = alice.hear(r"listening at (.+)")[1]
        with Program(folder / "watch_uv", "join", "film club", "bob", address, **environment) as bob:
            bob.hear("synchronized: .*")
            alice.say("Kes?\x1b[2J")
            bob.hear(re.escape("alice: Kes??[2J"))
            bob.say("gérn\nand a second line")
            alice.hear("bob: gérn")
            alice.hear("bob: and a second line")
            assert alice.interrupt() == 0
            bob.hear("disconnected from alice")
            assert bob.interrupt() == 0
    with Program(folder / "watch_poll", "create", "film club", "alice", **environment) as alice:
        alice.hear("listening at .*")  # it opens what it had made


def test_the_programs_link_what_they_should(programs):
    folder, _, shared = programs
    beneath = {"libssl.so.3", "libcrypto.so.3", "libsqlite3.so.0", "libexpat.so.1"}
    for program in SOURCES:
        libraries = needed(folder / program)
        assert ("libpeergraph.so.0" in libraries) == shared
        assert shared == (not libraries & beneath), libraries


def test_a_program_without_a_graph_says_how_it_is_used(programs):
    folder, tree, _ = programs
    for program in SOURCES:
        result = subprocess.run(
            [folder / program, "create"],
            env=os.environ | {"LD_LIBRARY_PATH": str(tree.libraries)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr.startswith("usage: ")


def test_the_readme_says_how_they_are_built(tree, tmp_path):
    folder = shutil.copytree(EXAMPLES, tmp_path / "c")
    text = (folder / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^    ((?:cmake|cc) .*)$", text, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        script = f"cd '{folder}' && {command}"
        run("sh", "-c", script, PKG_CONFIG_PATH=tree.libraries / "pkgconfig", CMAKE_PREFIX_PATH=tree.prefix)
    for program in (folder / "watch_poll", folder / "build" / "watch_poll", folder / "build" / "watch_uv"):
        assert "libpeergraph.so.0" in needed(program)


def project(folder: Path, *lines: str) -> Path:
    folder.mkdir()
    text = "\n".join(["cmake_minimum_required(VERSION 3.25)", "project(other LANGUAGES C)", *lines])
    (folder / "CMakeLists.txt").write_text(text, encoding="utf-8")
    (folder / "version.c").write_text(
        "#include <peergraph/peergraph.h>\n#include <stdio.h>\nint main(void) { return puts(peer_version()) < 0; }\n",
        encoding="utf-8",
    )
    return folder


@pytest.mark.parametrize(("component", "target"), [("shared", "peergraph"), ("static", "peergraph_static")])
def test_cmake_gives_the_kind_that_is_asked_for(tree, tmp_path, component, target):
    source = project(
        tmp_path / "source",
        f"find_package(peergraph {VERSION} REQUIRED COMPONENTS {component})",
        "add_executable(version version.c)",
        f"target_link_libraries(version PRIVATE peergraph::{target})",
    )
    tree.cmake(source, tmp_path / "build")
    assert run(tmp_path / "build" / "version") == f"{VERSION}\n"
    assert ("libpeergraph.so.0" in needed(tmp_path / "build" / "version")) == (component == "shared")


@pytest.mark.parametrize("request_", ["99.0", "REQUIRED COMPONENTS dynamic"], ids=["version", "component"])
def test_cmake_refuses_what_is_not_there(tree, tmp_path, request_):
    source = project(tmp_path / "source", f"find_package(peergraph {request_} REQUIRED)")
    with pytest.raises(AssertionError, match="peergraph"):
        tree.cmake(source, tmp_path / "build")


def test_cmake_says_what_the_archive_lacks(archive_tree, tmp_path, monkeypatch):
    monkeypatch.setenv("PKG_CONFIG_LIBDIR", str(tmp_path))
    source = project(tmp_path / "source", "find_package(peergraph REQUIRED)")
    with pytest.raises(AssertionError, match=r"needs libuv>=1\.44"):
        archive_tree.cmake(source, tmp_path / "build")


def test_pkg_config_knows_the_version(tree):
    assert tree.pkg_config("--modversion", "peergraph") == [VERSION]


def test_without_the_archive_nothing_is_asked_of_users(tree, tmp_path):
    run("cmake", "-S", ROOT, "-B", tmp_path, "-G", "Ninja", "-DPEER_STATIC=OFF")
    flags = run("pkg-config", "--cflags", "--libs", "peergraph", PKG_CONFIG_LIBDIR=tmp_path, PKG_CONFIG_PATH="")
    assert "-lpeergraph" in flags
    with pytest.raises(AssertionError, match="libuv"):
        run("pkg-config", "--cflags", "peergraph", PKG_CONFIG_LIBDIR=tree.libraries / "pkgconfig", PKG_CONFIG_PATH="")


def test_nothing_names_the_place_of_the_installation(tree):
    for path in tree.prefix.rglob("*"):
        if path.suffix in (".pc", ".cmake", ".h"):
            text = path.read_text(encoding="utf-8")
            assert "/opt/" not in text, path
            assert str(ROOT) not in text, path


def test_the_library_has_its_soname(tree):
    library = tree.libraries / "libpeergraph.so"
    assert library.readlink() == Path("libpeergraph.so.0")
    assert library.resolve().name == f"libpeergraph.so.{VERSION}"
    assert "[libpeergraph.so.0]" in run("readelf", "-d", library)


@pytest.mark.parametrize("language", LANGUAGES)
def test_installed_headers_compile_alone(tree, language, tmp_path):
    headers = sorted(path.name for path in (tree.prefix / "include" / "peergraph").iterdir())
    assert headers == sorted(path.name for path in (ROOT / "core" / "include" / "peergraph").iterdir())
    for header in headers:
        compile_alone(tree.prefix / "include", header, language, tmp_path)
