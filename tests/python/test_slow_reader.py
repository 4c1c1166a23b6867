"""A reader that stops while 2,000 records a second are added, updated and deleted, on sockets.

It stops for 3 s; PEERGRAPH_SLOW_READER_S=60 is the acceptance run. The writer is a process of its own, so that what
grows here is the reader's.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from peergraph import Overflow, RecordChange, RecordChanged
from python.scene import PATIENCE

MEMORY = Path("/proc/self/statm")
STOPPED_S = float(os.environ.get("PEERGRAPH_SLOW_READER_S", "3"))
CHANGES_PER_SECOND = 2000
QUEUE_SIZE_MAX = 32 << 20
REST_OF_THE_NODE = 64 << 20
"""Caches of the database, the journal, the network: what a node takes under such traffic without any subscription."""

WRITER = """
import random, sys, threading, time, uuid
from datetime import timedelta
import peergraph

NOTE = uuid.UUID("6e6f7465-0000-4000-8000-000000000001")
HOUR = timedelta(hours=1)
STEP = 100
folder, seconds, per_second = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
chance = random.Random(1)
with peergraph.open_runtime(folder) as runtime, runtime.create_graph("film club", peer_id="alice") as graph:
    graph.listen(scope=peergraph.Scope.LOOPBACK)
    print(graph.address, flush=True)
    sys.stdin.readline()  # the reader is connected
    ids = []
    began = time.monotonic()
    for step in range(int(seconds * per_second / STEP)):
        with graph.batch() as batch:
            for _ in range(STEP):
                what = chance.random() if len(ids) >= 100 else 0
                if what < 0.5:
                    ids.append(batch.add_record(type=NOTE, data=b"one", lifetime=HOUR))
                elif what < 0.8:
                    batch.update_record(chance.choice(ids), data=b"two")
                else:
                    index = chance.randrange(len(ids))
                    ids[index], ids[-1] = ids[-1], ids[index]
                    batch.delete_record(ids.pop())
        threading.Event().wait(began + step * STEP / per_second - time.monotonic())
    print(len(ids), flush=True)
    sys.stdin.readline()  # the reader is done
"""


def resident_bytes() -> int:
    return int(MEMORY.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def shown(graph):
    return {record.id: record.version for record in graph.records()}


def apply(copy, event, graph):
    """What a program does with an event."""
    if isinstance(event, Overflow):
        return shown(graph)
    if event.change in (RecordChange.DELETED, RecordChange.EXPIRED):
        copy.pop(event.record_id, None)
    else:
        copy[event.record_id] = event.record.version if event.record else None
    return copy


@pytest.mark.slow
@pytest.mark.timeout(120 + 3 * STOPPED_S)
@pytest.mark.skipif(not MEMORY.exists(), reason="memory is read from /proc")
def test_who_stopped_reading_rebuilds_the_state(tmp_path, open_graph):
    command = [sys.executable, "-c", WRITER, str(tmp_path / "alice"), str(STOPPED_S), str(CHANGES_PER_SECOND)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        bob = open_graph("bob")
        bob.connect(writer.stdout.readline().strip())
        bob.synchronized(PATIENCE)
        with bob.events(RecordChanged) as events:
            before = resident_bytes()
            writer.stdin.write("go\n")
            writer.stdin.flush()
            count = int(writer.stdout.readline())  # meanwhile nobody reads
            grown = resident_bytes() - before
            assert grown < QUEUE_SIZE_MAX + REST_OF_THE_NODE, f"{grown >> 20} MiB more than before"
            copy = {}
            taken = 0
            deadline = time.monotonic() + PATIENCE + STOPPED_S
            while len(copy) != count or copy != shown(bob):
                for event in [events.get(deadline - time.monotonic()), *events.take(1_000_000)]:
                    copy = apply(copy, event, bob)
                    taken += 1
            print(f"{STOPPED_S:.0f} s: {taken} events, {grown >> 20} MiB more than before, {count} records")
        writer.communicate("done\n")
    assert writer.returncode == 0
