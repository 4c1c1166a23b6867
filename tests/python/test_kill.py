"""kill -9 at any moment: what a call has returned is there afterwards, and the replicas converge.

PEERGRAPH_KILLS sets how often (100 is the acceptance run). Of ten kills three come in the middle of a write to the
journal, which is inside a commit, and one in the middle of a write to the database, while the journal moves there.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import peergraph
import pytest
from peergraph import RecordChanged, Scope, StatusChanged
from python.scene import wait_until

KILLS = int(os.environ.get("PEERGRAPH_KILLS", "6"))
KILLS_A_WORLD = 10
SUFFIXES = ["-wal", "", "-wal", ".db", "-wal", "", "", "", "", ""]

VICTIM = """
import os, sys, uuid
from datetime import timedelta
import peergraph

folder, address = sys.argv[1:]
NOTE = uuid.UUID("6e6f7465-0000-4000-8000-000000000001")
runtime = peergraph.open_runtime(folder)
graph = runtime.open_graph("g", peer_id="victim")
status = graph.events(peergraph.StatusChanged)
wanted = peergraph.GraphStatus.SYNCHRONIZED | peergraph.GraphStatus.HAS_CONNECTIONS
graph.connect(address)
while graph.status & wanted != wanted:
    status.get(60)
ids = []
while True:
    match len(ids) % 10:
        case 4:
            graph.update_record(graph.get_record(ids[-1]), data=b"updated")
            ids.append(ids[-1])
        case 9:
            graph.delete_record(ids[-2])
            ids.append(ids[-2])
        case _:
            ids.append(graph.add_record(type=NOTE, data=bytes(300), lifetime=timedelta(hours=1)))
    os.write(1, ids[-1].bytes)
"""


@dataclass
class Expected:
    """What must be there: every acknowledged change, and of the one under way either state."""

    data: dict[uuid.UUID, bytes] = field(default_factory=dict)
    doubtful: set[uuid.UUID] = field(default_factory=set)

    def take(self, ids: list[uuid.UUID]) -> None:
        for count, id_ in enumerate(ids):
            match count % 10:
                case 4:
                    self.data[id_] = b"updated"
                case 9:
                    del self.data[id_]
                case _:
                    self.data[id_] = bytes(300)
        match len(ids) % 10:
            case 4:
                self.doubtful.add(ids[-1])
            case 9:
                self.doubtful.add(ids[-2])

    def check(self, found: dict[uuid.UUID, bytes]) -> None:
        for id_, data in self.data.items():
            assert id_ in found or id_ in self.doubtful, f"lost: {id_}"
            assert found.get(id_, data) == data or id_ in self.doubtful, f"an older version: {id_}"
        added = found.keys() - self.data.keys()
        assert len(added) <= 1, (
            "more than the change under way"
        )  # it was stored, and the process died before it could say so
        self.data = found
        self.doubtful = set()


def contents(graph: peergraph.Graph) -> dict[uuid.UUID, bytes]:
    return {record.id: record.data for record in graph.records()}


def run_and_kill(folder: Path, address: str, suffix: str, shim: str) -> tuple[list[uuid.UUID], float]:
    """The changes that the victim says it has made before it died, and how many it made in a second."""
    environment = dict(os.environ)
    if suffix:
        environment |= {
            "LD_PRELOAD": shim,
            "DIE_SUFFIX": suffix,
            "DIE_AT": str(random.randint(1000, 8000) if suffix == "-wal" else random.randint(1, 300)),
        }
    ids: list[uuid.UUID] = []
    enough = random.randint(1, 1500)
    with subprocess.Popen(
        [sys.executable, "-c", VICTIM, str(folder), address], stdout=subprocess.PIPE, env=environment
    ) as victim:
        began = 0.0
        while id_ := victim.stdout.read(16):
            began = began or time.monotonic()
            ids.append(uuid.UUID(bytes=id_))
            if not suffix and len(ids) == enough:
                victim.kill()
        took = time.monotonic() - began
    assert victim.returncode == -signal.SIGKILL
    assert ids
    return ids, len(ids) / took


def check_file(folder: Path, copy: Path) -> None:
    """The file as the victim has left it, before anybody else has opened it."""
    shutil.copytree(folder / "graphs", copy)
    (path,) = copy.glob("*.db")
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    database.close()
    shutil.rmtree(copy)


def converge(victim: peergraph.Graph, witness: peergraph.Graph, expected: Expected) -> None:
    with (
        witness.events(RecordChanged) as at_witness,
        victim.events(RecordChanged, StatusChanged) as at_victim,
    ):
        victim.connect(witness.address)
        wait_until(at_victim, lambda: victim.status & peergraph.GraphStatus.HAS_CONNECTIONS)
        wait_until(at_witness, lambda: contents(witness) == expected.data)
        wait_until(at_victim, lambda: contents(victim) == expected.data)


class World:
    """A victim and a witness who is connected to it while it lives, but cannot be reached when it is examined."""

    def __init__(self, folder: Path, shim: str) -> None:
        self.folder, self.shim = folder, shim
        self.expected = Expected()
        with self.runtime("witness") as runtime, runtime.create_graph("g", peer_id="witness"):
            pass

    def runtime(self, name: str) -> peergraph.Runtime:
        return peergraph.open_runtime(self.folder / name)

    def kill(self, suffix: str) -> tuple[int, float]:
        with self.runtime("witness") as runtime, runtime.open_graph("g", peer_id="witness") as witness:
            witness.listen(scope=Scope.LOOPBACK)
            ids, rate = run_and_kill(self.folder / "victim", witness.address, suffix, self.shim)
        check_file(self.folder / "victim", self.folder / "copy")
        self.expected.take(ids)
        with self.runtime("victim") as at_victim, at_victim.open_graph("g", peer_id="victim") as victim:
            self.expected.check(contents(victim))
            with self.runtime("witness") as runtime, runtime.open_graph("g", peer_id="witness") as witness:
                witness.listen(scope=Scope.LOOPBACK)
                converge(victim, witness, self.expected)
        return len(ids), rate


@pytest.mark.slow
@pytest.mark.timeout(60 + 30 * KILLS)
def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path, preload, record_property):
    shim = preload("die_in_write.c")
    seed = int(os.environ.get("PEERGRAPH_SEED", str(random.randrange(1 << 32))))
    random.seed(seed)
    print(f"PEERGRAPH_SEED={seed}")
    rates = []
    for count in range(KILLS):
        if count % KILLS_A_WORLD == 0:
            world = World(tmp_path / str(count), shim)
        suffix = SUFFIXES[count % len(SUFFIXES)]
        changes, rate = world.kill(suffix)
        rates.append(rate)
        print(f"kill {count + 1} ({suffix or 'at any moment'}): {changes} changes, {rate:.0f} a second")
    rates.sort()
    record_property("changes_a_second", f"{rates[0]:.0f} .. {rates[len(rates) // 2]:.0f} .. {rates[-1]:.0f}")
    print(f"changes a second: lowest {rates[0]:.0f}, median {rates[len(rates) // 2]:.0f}, highest {rates[-1]:.0f}")
