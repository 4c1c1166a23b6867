"""The sources keep the rules of the house; what the rules are stands in checks.py."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from structure import checks
from structure.alone import LANGUAGES, compile_alone
from structure.checks import ROOT

HEADERS = sorted((ROOT / "core" / "include" / "peergraph").glob("*.h"))
SWIG_WRAPPER = ROOT / "bindings" / "swig" / "peergraph_wrap.c"


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
    tops = ("core", "bindings", "python", "lua", "tests", "examples", "docs", "cmake", ".ci")
    suffixes = (".c", ".h", ".py", ".pyi", ".lua", ".i", ".cmake", ".map")
    files = [path for top in tops for path in sorted((ROOT / top).rglob("*")) if path.suffix in suffixes]
    written = [path for path in files if "__pycache__" not in path.parts and path != SWIG_WRAPPER]
    return [*written, ROOT / "dev", ROOT / ".ci" / "run"]


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
    compile_alone(ROOT / "core" / "include", header.name, language, tmp_path)


def test_public_constants_are_plain_integers():
    complaints = checks.constant_complaints({path.name: path.read_text(encoding="utf-8") for path in HEADERS})
    assert not complaints, listed(complaints)


def test_generated_codes_are_fresh():
    generator = ROOT / "bindings" / "generate_codes.py"
    result = subprocess.run([sys.executable, generator, "--check"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"run {generator.relative_to(ROOT)}\n{result.stdout}{result.stderr}"


def test_python_and_cmake_agree_on_the_version():
    cmake = re.search(r"VERSION (\d+\.\d+\.\d+)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"))
    python = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert cmake
    assert python
    assert cmake.group(1) == python.group(1)
