"""Strangers on the port, and what they cost: memory, a neighbour's time, connections.

PEERGRAPH_RUBBISH sets how many of them say nothing (10000 is the acceptance run, which waits until all are gone and
compares how long the records of a healthy neighbour took before and meanwhile).
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import struct
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import peergraph
import pytest
from peergraph import GraphStatus, StatusChanged
from python.scene import NOTE, wait_until

COUNT = int(os.environ.get("PEERGRAPH_RUBBISH", "400"))
IS_ACCEPTANCE = COUNT >= 10_000
MIB = 1024 * 1024
HELD_MAX = 256
"""Strangers that a node holds at the same time."""
PERIOD = 0.01
PATIENCE = 60.0

VICTIM = """
import struct, sys, time
import peergraph
from peergraph import RecordChanged

with peergraph.open_runtime(sys.argv[1]) as runtime, \\
     runtime.create_graph("g", peer_id="victim", manual=True) as graph, graph.events(RecordChanged) as events:
    graph.listen(scope=peergraph.Scope.LOOPBACK)
    print(graph.address, flush=True)
    for event in events:
        (sent,) = struct.unpack("d", graph.get_record(event.record_id).data)
        print(sent, time.monotonic() - sent, flush=True)
"""


class Victim:
    """A node in a process of its own, which says how long each record took."""

    def __init__(self, stack: contextlib.ExitStack, folder: Path) -> None:
        command = [sys.executable, "-c", VICTIM, folder / "victim"]
        self.child = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        stack.callback(self.child.kill)
        self.address = self.child.stdout.readline().strip()
        self.took: list[tuple[float, float]] = []
        self.more = threading.Event()
        self.reader = threading.Thread(target=self.read)
        self.reader.start()
        stack.callback(self.reader.join)
        stack.callback(self.child.kill)

    def read(self) -> None:
        for line in self.child.stdout:
            if not line.endswith("\n"):
                return  # it was killed in the middle of a line
            sent, took = line.split()
            self.took.append((float(sent), float(took)))
            self.more.set()

    @property
    def port(self) -> str:
        return self.address.rpartition(":")[2]

    def memory(self, name: str) -> int:
        status = Path(f"/proc/{self.child.pid}/status").read_text(encoding="ascii")
        return int(status.split(name + ":")[1].split()[0]) * 1024

    def forget_peak(self) -> None:
        Path(f"/proc/{self.child.pid}/clear_refs").write_text("5", encoding="ascii")

    def percentile_99(self, since: float, until: float) -> float:
        return statistics.quantiles([took for sent, took in self.took if since <= sent < until], n=100)[98]


class Neighbour:
    """Adds a record every 10 ms, which says when."""

    def __init__(self, stack: contextlib.ExitStack, folder: Path, address: str) -> None:
        runtime = stack.enter_context(peergraph.open_runtime(folder / "neighbour"))
        self.graph = stack.enter_context(runtime.open_graph("g", peer_id="neighbour", manual=True))
        with self.graph.events(StatusChanged) as events:
            self.graph.connect(address)
            wait_until(events, lambda: GraphStatus.SYNCHRONIZED in self.graph.status)
        self.ended = threading.Event()
        self.sent = 0
        self.writer = threading.Thread(target=self.write)
        self.writer.start()
        stack.callback(self.writer.join)
        stack.callback(self.ended.set)

    def write(self) -> None:
        while not self.ended.wait(PERIOD):
            now = struct.pack("d", time.monotonic())
            self.graph.add_record(type=NOTE, data=now, lifetime=timedelta(hours=1))
            self.sent += 1


class Strangers:
    def __init__(self, stack: contextlib.ExitStack, port: str) -> None:
        program = [sys.executable, Path(__file__).with_name("rubbish.py"), port, "g", str(COUNT)]
        self.child = stack.enter_context(
            subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
        stack.callback(self.child.kill)

    def answer(self) -> dict[str, float]:
        line = self.child.stdout.readline()
        assert line, "the strangers have ended"
        answer: dict[str, float] = json.loads(line)
        return answer

    def ask(self) -> dict[str, float]:
        print(file=self.child.stdin, flush=True)
        return self.answer()

    def wait_until(self, left_max: int) -> dict[str, float]:
        """Until so few of them are left, all silent or in the middle of a message; at most a minute more."""
        deadline = time.monotonic() + PATIENCE
        while (left := self.ask())["silent"] + left["rubbish"] > left_max:
            assert time.monotonic() < deadline, left
        return left


def let_records_arrive(victim: Victim, seconds: float) -> tuple[float, float]:
    """So many seconds of them; the beginning and the end."""
    began = time.monotonic()
    count = len(victim.took)
    while time.monotonic() < began + seconds or len(victim.took) < count + 2:
        assert time.monotonic() < began + PATIENCE
        victim.more.wait(1)
        victim.more.clear()
    return began, time.monotonic()


@pytest.mark.skipif(
    sys.platform != "linux", reason="memory is read from /proc, and 127.0.0.2 is an address on Linux only"
)
def test_rubbish_on_the_port(tmp_path):
    with contextlib.ExitStack() as stack:
        victim = Victim(stack, tmp_path)
        neighbour = Neighbour(stack, tmp_path, victim.address)
        before = let_records_arrive(victim, 10 if IS_ACCEPTANCE else 1)
        idle = victim.memory("VmRSS")
        victim.forget_peak()

        strangers = Strangers(stack, victim.port)
        began = time.monotonic()
        assert strangers.answer()["opened"] > COUNT
        ended = time.monotonic()
        left = strangers.wait_until(0 if IS_ACCEPTANCE else HELD_MAX + 7)

        grown = victim.memory("VmHWM") - idle
        print(f"\n{grown / MIB:.1f} MiB; {left}")
        assert grown <= 32 * MIB
        assert neighbour.graph.status & GraphStatus.HAS_CONNECTIONS
        if IS_ACCEPTANCE:
            percentiles = victim.percentile_99(*before), victim.percentile_99(began, ended)
            print(f"99 % within {percentiles} s")
            assert left["longest_s"] <= 60
            assert percentiles[1] <= 2 * percentiles[0]
