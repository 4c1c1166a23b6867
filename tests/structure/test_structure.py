"""The sources keep the rules of the house; what the rules are stands in checks.py."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from structure import checks
from structure.checks import ROOT

HEADERS = sorted((ROOT / "core" / "include" / "peergraph").glob("*.h"))
LANGUAGES = {"C99": ("cc", "-xc", "-std=c99"), "C++11": ("c++", "-xc++", "-std=c++11")}


def listed(complaints: list[str]) -> str:
    return "\n  ".join(["", *complaints])


@pytest.mark.parametrize(
    "check",
    [
        checks.layer_complaints,
        checks.third_party_complaints,
        checks.sans_io_complaints,
        checks.openssl_context_complaints,
    ],
)
def test_core_keeps_the_rules(check):
    complaints = check(checks.core_sources())
    assert not complaints, listed(complaints)


def source_files() -> list[Path]:
    tops = ("core", "bindings", "python", "lua", "tests", "examples", "cmake", ".ci")
    suffixes = (".c", ".h", ".py", ".pyi", ".lua", ".i", ".cmake", ".map")
    files = [path for top in tops for path in sorted((ROOT / top).rglob("*")) if path.suffix in suffixes]
    return [path for path in files if "__pycache__" not in path.parts] + [ROOT / "dev", ROOT / ".ci" / "run"]


def test_every_file_is_short():
    sources = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in source_files()}
    complaints = checks.length_complaints(sources)
    assert not complaints, listed(complaints)


def test_every_file_has_a_name_of_its_own():
    complaints = checks.name_complaints(path.relative_to(ROOT).as_posix() for path in source_files())
    assert not complaints, listed(complaints)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("header", HEADERS, ids=lambda path: path.name)
def test_public_header_compiles_alone(header, language, tmp_path):
    compiler, *options = LANGUAGES[language]
    if not shutil.which(compiler):
        pytest.skip(f"there is no {compiler}")
    source = tmp_path / "alone.c"
    source.write_text(f'#include "peergraph/{header.name}"\nextern int something;\n', encoding="utf-8")
    command = [compiler, *options, "-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only"]
    result = subprocess.run(
        [*command, "-I", str(ROOT / "core" / "include"), str(source)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


def test_public_constants_are_plain_integers():
    complaints = checks.constant_complaints({path.name: path.read_text(encoding="utf-8") for path in HEADERS})
    assert not complaints, listed(complaints)


def test_generated_codes_are_fresh():
    generator = ROOT / "bindings" / "generate_codes.py"
    result = subprocess.run([sys.executable, generator, "--check"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"run {generator.relative_to(ROOT)}\n{result.stdout}{result.stderr}"


def test_a_missing_library_is_named_in_one_line(tmp_path):
    command = ["cmake", "-S", ROOT, "-B", tmp_path / "build", "-G", "Ninja"]
    nowhere = os.environ | {"PKG_CONFIG_LIBDIR": str(tmp_path)}
    result = subprocess.run(command, env=nowhere, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    line = "libuv (1.44 or later) is missing: apt install libuv1-dev | dnf install libuv-devel | brew install libuv"
    assert line in result.stderr


def test_python_and_cmake_agree_on_the_version():
    cmake = re.search(r"VERSION (\d+\.\d+\.\d+)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"))
    python = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert cmake
    assert python
    assert cmake.group(1) == python.group(1)
