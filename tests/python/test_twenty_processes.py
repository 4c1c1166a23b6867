"""Twenty processes on sockets: what one writes, all have, whatever the shape of the mesh."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

COUNT = 20


class Process:
    def __init__(self, stack: contextlib.ExitStack, directory: Path, number: int, mode: str) -> None:
        program = [sys.executable, Path(__file__).with_name("member.py"), directory / str(number), f"p{number}", mode]
        self.child = stack.enter_context(
            subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
        stack.callback(self.child.kill)

    def ask(self, **command: object) -> None:
        print(json.dumps(command), file=self.child.stdin, flush=True)

    def answer(self) -> str:
        line = self.child.stdout.readline()
        assert line, "the process has ended"
        return line.rstrip("\n")

    def do(self, **command: object) -> str:
        self.ask(**command)
        return self.answer()


@pytest.fixture
def start(tmp_path):
    with contextlib.ExitStack() as stack:
        yield lambda mode: [Process(stack, tmp_path, number, mode) for number in range(COUNT)]


def write_and_compare(members):
    for member in members:
        member.ask(write="g")
    assert len({member.answer() for member in members}) == COUNT
    for member in members:
        member.ask(digest="g", count=2 * COUNT)
    assert len({member.answer() for member in members}) == 1


def line_of(members):
    addresses = [members[0].do(create="g")]
    for member in members[1:]:
        addresses.append(member.do(join="g", address=addresses[-1]))
    return addresses


@pytest.mark.slow
def test_a_line(start):
    members = start("manual")
    line_of(members)
    write_and_compare(members)


@pytest.mark.slow
def test_a_ring(start):
    members = start("manual")
    addresses = line_of(members)
    assert members[-1].do(connect="g", address=addresses[0]) == "made"
    write_and_compare(members)


@pytest.mark.slow
def test_a_clique(start):
    """Everyone asks everyone; who is full refuses, and seven is the most that anyone takes."""
    members = start("automatic")
    addresses = [members[0].do(create="g")]
    for member in members[1:]:
        addresses.append(member.do(join="g", address=addresses[0]))
    for distance in range(1, COUNT):
        for number, member in enumerate(members):
            member.ask(connect="g", address=addresses[(number + distance) % COUNT])
        for member in members:
            member.answer()
    write_and_compare(members)
