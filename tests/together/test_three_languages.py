"""A peer in C, one in Python and one in Lua are one graph: three processes on loopback sockets, in a line.

Each sees what the others write, update and delete, with every byte from 0 to 255 and text beyond ASCII.
"""

from __future__ import annotations

import contextlib
import queue
import subprocess
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import peergraph
import pytest
from peergraph import RecordChange, RecordChanged, Scope
from together.places import C_PEER, HERE, LUA, LUA_MODULE, lua_environment, needs

NOTE = UUID("6e6f7465-0000-4000-8000-000000000001")
PATIENCE = 60.0
EVERY_BYTE = bytes(range(256))
TEXTS = {"c": "Grüße aus C ✓", "python": "Ζωή и Zoë", "lua": "月 (lua) 🎞 <&> \"'"}


class Change(NamedTuple):
    """What a peer tells of a record."""

    what: str
    id: UUID
    version: int = 0
    creator: str = ""
    modifier: str = ""
    data: bytes = b""
    text: str = ""


class Program:
    """A peer in a process of its own, which talks by lines."""

    def __init__(self, peer_id: str, folder: Path, where: str, command: list[str | Path]) -> None:
        self.process = subprocess.Popen(
            [*command, folder, peer_id, where],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=lua_environment(),
        )
        self.lines: queue.Queue[str] = queue.Queue()
        self.reader = threading.Thread(target=self._read)
        self.reader.start()
        try:
            word, self.address = self.line().split()
            assert word == "ready"
        except BaseException:
            self.close()
            raise

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))

    def line(self) -> str:
        return self.lines.get(timeout=PATIENCE)

    def tell(self, *words: object) -> None:
        print(*words, file=self.process.stdin, flush=True)

    def add(self, data: bytes, text: str) -> None:
        self.tell("add", f"x{data.hex()}", f"x{text.encode().hex()}")

    def update(self, record_id: UUID, data: bytes, text: str) -> None:
        self.tell("update", record_id, f"x{data.hex()}", f"x{text.encode().hex()}")

    def delete(self, record_id: UUID) -> None:
        self.tell("delete", record_id)

    def next_change(self) -> Change:
        return self._change(self.line())

    def records(self) -> set[Change]:
        self.tell("list")
        return {self._change(line) for line in iter(self.line, "end")}

    def _change(self, line: str) -> Change:
        what, record_id, *rest = line.split(" ")
        if not rest:
            return Change(what, UUID(record_id))
        version, creator, modifier, data, text = rest
        text = bytes.fromhex(text[1:]).decode()
        return Change(what, UUID(record_id), int(version), creator, modifier, bytes.fromhex(data[1:]), text)

    def close(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self.tell("quit")
        try:
            assert self.process.wait(PATIENCE) == 0
        finally:
            self.process.kill()
            self.process.wait()
            self.reader.join()
            self.process.stdin.close()
            self.process.stdout.close()


class Here:
    """The peer in Python, in this process."""

    def __init__(self, peer_id: str, folder: Path, where: str) -> None:
        self.runtime = peergraph.open_runtime(folder)
        self.graph = self.runtime.open_graph("together", peer_id=peer_id)
        self.graph.connect(where)
        self.graph.synchronized(PATIENCE)
        self.graph.listen(scope=Scope.LOOPBACK)
        self.address = self.graph.address
        self.events = self.graph.events(RecordChanged, record_type=NOTE)

    def add(self, data: bytes, text: str) -> None:
        self.graph.add_record(type=NOTE, data=data, attributes={"text": text}, lifetime=timedelta(hours=1))

    def update(self, record_id: UUID, data: bytes, text: str) -> None:
        self.graph.update_record(record_id, data=data, attributes={"text": text})

    def delete(self, record_id: UUID) -> None:
        self.graph.delete_record(record_id)

    def next_change(self) -> Change:
        event = self.events.get(PATIENCE)
        assert isinstance(event, RecordChanged)
        if event.change == RecordChange.DELETED:
            return Change("deleted", event.record_id)
        return self._change(event.change.name.lower(), event.record)

    def records(self) -> set[Change]:
        return {self._change("listed", record) for record in self.graph.records(NOTE)}

    def _change(self, what: str, record: peergraph.Record) -> Change:
        modifier, text = record.modifier_id or "-", record.attributes["text"]
        return Change(what, record.id, record.version, record.creator_id, modifier, record.data, text)

    def close(self) -> None:
        self.events.close()
        self.graph.close()
        self.runtime.close()


@pytest.fixture
def peers(tmp_path) -> Iterator[dict[str, Program | Here]]:
    needs(C_PEER, LUA_MODULE)
    with contextlib.ExitStack() as stack:

        def entered(peer: Program | Here) -> Program | Here:
            stack.callback(peer.close)
            return peer

        c = entered(Program("c", tmp_path / "c", "create", [C_PEER]))
        python = entered(Here("python", tmp_path / "python", c.address))
        lua = entered(Program("lua", tmp_path / "lua", python.address, [LUA, HERE / "peer.lua"]))
        yield {"c": c, "python": python, "lua": lua}


def seen_by_all(peers: dict[str, Program | Here], count: int) -> dict[UUID, Change]:
    """The next changes that every peer tells of, which are the same for all, by record."""
    seen = [{change.id: change for change in (peer.next_change() for _ in range(count))} for peer in peers.values()]
    assert seen[0] == seen[1] == seen[2]
    assert len(seen[0]) == count
    return seen[0]


def test_three_languages_are_one_graph(peers):
    for name, peer in peers.items():
        peer.add(EVERY_BYTE, TEXTS[name])
        peer.add(name.encode(), "to be deleted")
    added = seen_by_all(peers, 6)
    kept = {change.creator: change for change in added.values() if change.data == EVERY_BYTE}
    doomed = {change.creator: change for change in added.values() if change.text == "to be deleted"}
    for name in peers:
        assert kept[name][0] == "added"
        assert kept[name][2:] == (1, name, "-", EVERY_BYTE, TEXTS[name])
        assert doomed[name].data == name.encode()

    others = {"c": "python", "python": "lua", "lua": "c"}
    for name, peer in peers.items():
        peer.update(kept[others[name]].id, EVERY_BYTE[::-1] * 2, f"{TEXTS[name]}, geändert")
    updated = seen_by_all(peers, 3)
    for name, other in others.items():
        change = updated[kept[other].id]
        assert change[2:] == (2, other, name, EVERY_BYTE[::-1] * 2, f"{TEXTS[name]}, geändert")
        assert change.what == "updated"

    for name, peer in peers.items():
        peer.delete(doomed[others[name]].id)
    deleted = seen_by_all(peers, 3)
    assert {(change.what, change.id) for change in deleted.values()} == {("deleted", it.id) for it in doomed.values()}

    listed = [peer.records() for peer in peers.values()]
    assert listed[0] == listed[1] == listed[2] == {change._replace(what="listed") for change in updated.values()}
