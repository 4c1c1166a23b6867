"""What is printed and shipped for Lua works: the program of the README, and the examples."""

from __future__ import annotations

import contextlib
import queue
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import peergraph
import pytest
from together.places import LUA, LUA_MODULE, ROOT, lua_environment, needs

PATIENCE = 60.0
EXAMPLES = ROOT / "examples" / "lua"


def program_of(document: Path) -> str:
    return re.search(r"```lua\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL).group(1)


class Program:
    """A Lua program whose lines are read as they come."""

    def __init__(self, *arguments: str | Path, data: Path) -> None:
        self.process = subprocess.Popen(
            [LUA, *arguments],
            env=lua_environment() | {"XDG_DATA_HOME": str(data)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: queue.Queue[str] = queue.Queue()
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))

    def wait_for(self, pattern: str) -> re.Match[str]:
        """The first line that is like this; those before it are dropped."""
        while not (found := re.match(pattern, self.lines.get(timeout=PATIENCE))):
            pass
        return found

    def type(self, line: str) -> None:
        print(line, file=self.process.stdin, flush=True)

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.reader.join()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            with contextlib.suppress(BrokenPipeError):
                stream.close()


@pytest.fixture
def start(tmp_path) -> Iterator:
    needs(LUA_MODULE)
    with contextlib.ExitStack() as stack:

        def start_(*arguments: str | Path, data: str) -> Program:
            program = Program(*arguments, data=tmp_path / data)
            stack.callback(program.close)
            return program

        yield start_


def test_the_page_begins_with_the_program_of_the_readme():
    assert program_of(ROOT / "README.md") == program_of(ROOT / "docs" / "lua.md")


def test_the_program_in_the_readme_runs(start, tmp_path):
    program = program_of(ROOT / "README.md")
    assert "192.0.2.1:5000" in program
    runtime = peergraph.open_runtime(tmp_path / "alice")
    with runtime, runtime.create_graph("film club", peer_id="alice") as alice:
        alice.listen(scope=peergraph.Scope.LOOPBACK)
        with alice.events(peergraph.RecordChanged) as events:
            script = tmp_path / "readme.lua"
            text = program.replace("192.0.2.1:5000", alice.address)
            script.write_text(f'io.stdout:setvbuf("line")\n{text}', encoding="utf-8")
            bob = start(script, data="bob")
            record = events.get(PATIENCE).record
            assert (record.data, record.creator_id, record.attributes) == (b"hello", "bob", {"room": "lobby"})
            stop = threading.Event()

            def talk() -> None:  # it listens for events only after its own record
                while not stop.wait(0.1):
                    alice.add_record(type=record.type, data=b"welcome", lifetime=timedelta(hours=1))

            talker = threading.Thread(target=talk)
            talker.start()
            try:
                bob.wait_for(rf'record_changed\(added, type={record.type}, creator="alice", 7 bytes\)$')
            finally:
                stop.set()
                talker.join()
            assert bob.interrupt() == 1
            assert "interrupted!" in bob.process.stderr.read()


def test_the_examples_talk_to_each_other(start):
    alice = start(EXAMPLES / "chat.lua", "create", "film club", "alice", data="alice")
    address = alice.wait_for(r"listening at (.*)").group(1)
    watcher = start(EXAMPLES / "watch.lua", "join", "film club", "carol", address, data="carol")
    watcher.wait_for("connected: alice")
    bob = start(EXAMPLES / "chat.lua", "join", "film club", "bob", address, data="bob")
    bob.wait_for("synchronized")
    bob.type("Grüße \x1b[31m")
    for program in (alice, watcher, bob):
        program.wait_for(r"bob: Grüße \?\[31m$")
    alice.type("hello")
    for program in (alice, watcher, bob):
        program.wait_for("alice: hello$")
    watcher.wait_for(r"a second without an event, after \d+$")
    assert bob.interrupt() == 0
    alice.wait_for("disconnected: bob")
    assert watcher.interrupt() == 1
    assert alice.interrupt() == 0
    again = start(EXAMPLES / "chat.lua", "create", "film club", "alice", data="alice")
    again.type("again")
    again.wait_for("alice: again$")
    assert again.interrupt() == 0


@pytest.mark.parametrize("name", ["chat.lua", "watch.lua"])
def test_an_example_says_how_it_is_used(name, start):
    program = start(EXAMPLES / name, "join", "film club", data="nobody")
    assert program.process.wait(PATIENCE) == 2
    assert "create GRAPH PEER" in program.process.stderr.read()
