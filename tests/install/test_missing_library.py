"""A library that is not there stops the build with one line that says what to install."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from install.tree import ROOT, run

LINES = {
    "libuv": "libuv (1.44 or later) is missing: apt install libuv1-dev | dnf install libuv-devel | brew install libuv",
    "libssl": "OpenSSL 3 is missing: apt install libssl-dev | dnf install openssl-devel | brew install openssl@3",
    "sqlite3": "SQLite (3.37 or later) is missing:"
    " apt install libsqlite3-dev | dnf install sqlite-devel | brew install sqlite",
    "expat": "expat (2.4 or later) is missing:"
    " apt install libexpat1-dev | dnf install expat-devel | brew install expat",
    "cmocka": "cmocka (for the C tests; or -DPEER_TESTS=OFF) is missing:"
    " apt install libcmocka-dev | dnf install libcmocka-devel | brew install cmocka",
}
NO_PKG_CONFIG = "pkg-config is missing: apt install pkg-config | dnf install pkgconf-pkg-config | brew install pkgconf"


def without(module: str, folder: Path) -> dict[str, str]:
    """An environment where pkg-config knows everything that it knows here, but for one module."""
    paths = run("pkg-config", "--variable=pc_path", "pkg-config").strip().split(":")
    for path in reversed(paths):  # the first wins
        for file in Path(path).glob("*.pc"):
            link = folder / file.name
            link.unlink(missing_ok=True)
            link.symlink_to(file)
    (folder / f"{module}.pc").unlink()
    environment = {name: value for name, value in os.environ.items() if name != "PKG_CONFIG_PATH"}
    return environment | {"PKG_CONFIG_LIBDIR": str(folder)}


def said_by(*command: str | Path, environment: dict[str, str]) -> list[str]:
    """The lines of a build that was stopped."""
    result = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert result.returncode != 0
    return [line.strip() for line in result.stdout.splitlines()]


@pytest.fixture
def pkg_config_folder(tmp_path) -> Path:
    folder = tmp_path / "pkgconfig"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("module", LINES)
def test_cmake_says_what_to_install(module, pkg_config_folder, tmp_path):
    command = ("cmake", "-S", ROOT, "-B", tmp_path / "build", "-G", "Ninja", "-DPEER_TESTS=ON")
    lines = said_by(*command, environment=without(module, pkg_config_folder))
    assert lines.count(LINES[module]) == 1
    assert not any(" is missing: " in line for line in lines if line != LINES[module])


def test_cmake_says_that_pkg_config_is_missing(tmp_path):
    none = tmp_path / "none"
    command = ("cmake", "-S", ROOT, "-B", tmp_path / "build", "-G", "Ninja", f"-DPKG_CONFIG_EXECUTABLE={none}")
    assert said_by(*command, environment=dict(os.environ)).count(NO_PKG_CONFIG) == 1


@pytest.mark.parametrize("module", [module for module in LINES if module != "cmocka"])
def test_pip_says_what_to_install(module, pkg_config_folder, tmp_path):
    command = (sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "--no-cache-dir")
    options = ("--wheel-dir", tmp_path, f"--config-settings=build-dir={tmp_path / 'build'}")
    lines = said_by(*command, *options, ROOT, environment=without(module, pkg_config_folder))
    assert lines.count(LINES[module]) == 1
