"""Processes that are members of a graph, and do what they are told (member.py)."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PROGRAM = Path(__file__).with_name("member.py")


class Process:
    """One member. Two records of each `write` stay, whoever else writes."""

    def __init__(
        self,
        stack: contextlib.ExitStack,
        directory: Path,
        name: str,
        mode: str,
        scope: str = "LOOPBACK",
        prefix: Sequence[str] = (),
    ) -> None:
        self.name = name
        program = [*prefix, sys.executable, PROGRAM, directory / name, name, mode, scope]
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


def write(members: Sequence[Process]) -> None:
    for member in members:
        member.ask(write="g")
    assert len({member.answer() for member in members}) == len(members)


def digest(members: Sequence[Process], count: int) -> str:
    """Of the records of all of them, which are the same."""
    for member in members:
        member.ask(digest="g", count=count)
    (same,) = {member.answer() for member in members}
    return same


def write_and_compare(members: Sequence[Process], count: int) -> None:
    write(members)
    digest(members, count)
