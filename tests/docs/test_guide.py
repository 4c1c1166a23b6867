"""The guide is two programs, one in each language, and two more; they work as they are printed."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.processes

GUIDE = (Path(__file__).parents[2] / "docs" / "ten_minutes.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"(?P<tab>:sync: \w+\n\n)?```(?P<language>\w+)\n(?P<code>.*?)```", re.DOTALL)


def blocks(language: str, in_tab: bool) -> list[str]:
    found = [match for match in BLOCK.finditer(GUIDE) if match["language"] == language]
    return [match["code"] for match in found if bool(match["tab"]) == in_tab]


def test_all_code_is_of_a_kind_that_is_tested():
    languages = {match["language"] for match in BLOCK.finditer(GUIDE)}
    assert languages == {"python", "c", "sh"}
    assert blocks("c", False) == []


def test_the_pieces_in_python_are_a_program(tmp_path, run):
    program = tmp_path / "film_club.py"
    program.write_text("\n".join(blocks("python", True)), encoding="utf-8")
    printed = run(sys.executable, "-W", "error", program)
    assert "ADDED bob b'Stalker at eight?'" in printed
    assert "2 b'Stalker at nine!' lobby" in printed


def test_the_pieces_in_c_are_a_program(tmp_path, compile_c, run):
    source = tmp_path / "film_club.c"
    source.write_text("\n".join(blocks("c", True)), encoding="utf-8")
    printed = run(compile_c(source))
    assert "bob: Stalker at eight?\n" in printed
    assert "version 2: Stalker at nine!\n" in printed


def test_the_program_with_asyncio_runs(tmp_path, run):
    program = tmp_path / "book_club.py"
    program.write_text(blocks("python", False)[0], encoding="utf-8")
    assert "RecordChanged(added" in run(sys.executable, "-W", "error", program)


def test_the_test_passes(tmp_path, run):
    program = tmp_path / "test_film_club.py"
    program.write_text(blocks("python", False)[1], encoding="utf-8")
    assert "1 passed" in run(
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", program
    )
    assert len(blocks("python", False)) == 2
