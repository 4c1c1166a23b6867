"""The documentation, built as ./dev docs builds it; and what it is made of."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs"))


@pytest.fixture(scope="session")
def library() -> Path:
    path = ROOT / "build" / "dev" / "libpeergraph.so"
    if not path.exists():
        pytest.skip("the dev preset is not built")
    return path


@pytest.fixture(scope="session")
def html() -> Path:
    """What is there already is not made again."""
    target = ROOT / "build" / "docs"
    options = ["-q", "-j", "auto", "-W", "--keep-going", "-d", target / "pages"]
    command = [sys.executable, "-m", "sphinx", *options, ROOT / "docs", target / "html"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return target / "html"


@pytest.fixture
def compile_c(library, tmp_path):
    """Compiles sources as a reader would who takes warnings seriously; gives the program."""

    def build(*sources: Path) -> Path:
        program = tmp_path / "program"
        options = ["-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Werror"]
        where = ["-I", ROOT / "core" / "include", "-o", program]
        link = [library, f"-Wl,-rpath,{library.parent}"]
        result = subprocess.run(["cc", *options, *where, *sources, *link], capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        return program

    return build


@pytest.fixture
def run(tmp_path):
    """Runs a program in a folder of its own; gives what it printed."""

    def go(*command: str | Path) -> str:
        environment = os.environ | {"PYTHONPATH": str(ROOT / "docs" / "examples")}
        result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert (result.returncode, result.stderr) == (0, "")
        return result.stdout

    return go
