"""A public header is compiled with nothing but itself, as C and as C++, by the strictest of users."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

LANGUAGES = {"C99": ("cc", "-xc", "-std=c99"), "C++11": ("c++", "-xc++", "-std=c++11")}


def compile_alone(include: Path, header: str, language: str, scratch: Path) -> None:
    """Fails the test with what the compiler says about the header below the include directory."""
    compiler, *options = LANGUAGES[language]
    if not shutil.which(compiler):
        pytest.skip(f"there is no {compiler}")
    source = scratch / "alone.c"
    source.write_text(f'#include "peergraph/{header}"\nextern int something;\n', encoding="utf-8")
    command = [compiler, *options, "-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only"]
    result = subprocess.run([*command, "-I", include, source], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
