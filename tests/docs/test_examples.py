"""The examples of the reference are pieces of programs that work."""

from __future__ import annotations

import re
import sys

import pytest
from extension import examples

pytestmark = pytest.mark.processes


def name(path):
    return path.name


@pytest.mark.parametrize("path", examples.programs(".c"), ids=name)
def test_program_in_c_compiles_and_runs(path, compile_c, run):
    run(compile_c(path, path.with_name("scene.c")))


@pytest.mark.parametrize("path", examples.programs(".py"), ids=name)
def test_program_in_python_runs(path, run):
    run(sys.executable, "-W", "error", path)


@pytest.mark.parametrize("path", examples.programs(".c"), ids=name)
def test_a_piece_uses_what_it_is_an_example_of(path):
    for piece in examples.pieces(path):
        for function in piece.names:
            assert re.search(rf"\b{function}\(", piece.code), f"{path.name}: the piece does not call {function}"


def test_pieces_begin_and_end():
    for path in (*examples.programs(".c"), *examples.programs(".py")):
        text = path.read_text(encoding="utf-8")
        assert len(examples.pieces(path)) == len(re.findall(r"(?:/\*|#) example: ", text)), path.name


def test_every_piece_in_c_has_one_in_python_beside_it():
    # Python has no handles to free, no structs to read, and other ways to the simulated network.
    assert {piece.key for piece in examples.in_c().values()} - set(examples.beside()) == set()
