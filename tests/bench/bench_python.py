"""What a Python program feels while records arrive: how long a call waits for the lock, how long a loop stands still.

python tests/bench/bench_python.py [COUNT]
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import peergraph
import peergraph.aio
from peergraph import GraphStatus, Overflow, RecordChanged, Scope

NOTE = uuid.UUID("6e6f7465-0000-4000-8000-000000000001")
HOUR = timedelta(hours=1)
COUNT = 100_000
BATCH = 1_000
LIMIT_MS = 20.0
PATIENCE = 300.0


def fill(graph: peergraph.Graph, count: int) -> None:
    for start in range(0, count, BATCH):
        with graph.batch() as batch:
            for number in range(start, min(start + BATCH, count)):
                batch.add_record(type=NOTE, data=b"%0100d" % number, lifetime=HOUR)


def serve(folder: str, count: int) -> None:
    """The other process: it has the records, and gives them to whoever connects."""
    with peergraph.open_runtime(folder) as runtime, runtime.create_graph("bench", peer_id="alice") as graph:
        fill(graph, count)
        graph.listen(scope=Scope.LOOPBACK)
        print(graph.address, flush=True)
        sys.stdin.read()


@contextlib.contextmanager
def server(folder: Path, count: int) -> Iterator[str]:
    command = [sys.executable, __file__, "--serve", str(folder), str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate()


def show(name: str, value: str, note: str = "") -> None:
    print(f"  {name:<52} {value:>14}  {note}", flush=True)


def limited(milliseconds: float) -> tuple[str, str]:
    verdict = "ok" if milliseconds < LIMIT_MS else f"over {LIMIT_MS:.0f} ms"
    return f"{milliseconds:.2f} ms", verdict


def calling_thread(folder: Path, address: str, count: int) -> None:
    """A thread that does nothing but call, while records arrive; there is no other Python thread."""
    with peergraph.open_runtime(folder) as runtime, runtime.open_graph("bench", peer_id="bob") as graph:
        graph.connect(address)
        longest = total = 0.0
        calls = 0
        began = now = time.perf_counter()
        while now - began < PATIENCE:
            before = time.perf_counter()
            status = graph.status
            now = time.perf_counter()
            longest = max(longest, now - before)
            total += now - before
            calls += 1
            if status & GraphStatus.SYNCHRONIZED:
                break
            time.sleep(0.0002)
        took = now - began
        assert graph.status & GraphStatus.SYNCHRONIZED, "not synchronized in time"
        with graph.enum_records() as enumeration:
            assert enumeration.get_item_count() == count
    show("calling thread: longest wait for the lock", *limited(longest * 1000))
    show("calling thread: mean call", f"{total / calls * 1e6:.0f} us", f"{calls:,} calls")
    show("calling thread: records arrived", f"{count / took:,.0f} /s", f"in {took:.1f} s")


async def stalls(longest: list[float]) -> None:
    """How much later than asked for a loop gets back to a task."""
    while True:
        before = time.perf_counter()
        await asyncio.sleep(0.001)
        longest[0] = max(longest[0], time.perf_counter() - before - 0.001)


async def asyncio_loop(folder: Path, address: str, count: int) -> None:
    async with (
        peergraph.aio.open_runtime(folder) as runtime,
        runtime.open_graph("bench", peer_id="carol") as graph,
        graph.events(RecordChanged) as events,
    ):
        longest = [0.0]
        watcher = asyncio.create_task(stalls(longest))
        seen = lost = 0
        began = time.perf_counter()
        await graph.connect(address)
        while seen + lost < count:
            event = await events.get(PATIENCE)
            if isinstance(event, Overflow):
                lost += event.lost
            else:
                seen += 1
        took = time.perf_counter() - began
        watcher.cancel()
    show("asyncio: longest stall of the loop", *limited(longest[0] * 1000))
    show("asyncio: records arrived as events", f"{count / took:,.0f} /s", f"in {took:.1f} s, {lost:,} lost")


async def waiting_events(folder: Path, count: int) -> None:
    async with (
        peergraph.aio.open_runtime(folder) as runtime,
        runtime.create_graph("events", peer_id="dave") as graph,
        graph.events(RecordChanged) as events,
    ):
        for _ in range(count // BATCH):
            async with graph.batch() as batch:
                for _ in range(BATCH):
                    batch.add_record(type=NOTE, lifetime=HOUR)
        began = time.perf_counter()
        for _ in range(count):
            event = await events.get(PATIENCE)
            assert isinstance(event, RecordChanged), event
        took = time.perf_counter() - began
    show("asyncio: events that wait, taken one by one", f"{count / took:,.0f} /s", f"{count:,} events")


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    print(f"Python: {count:,} records arrive from another process")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with server(folder / "alice", count) as address:
            calling_thread(folder / "bob", address, count)
            asyncio.run(asyncio_loop(folder / "carol", address, count))
        asyncio.run(waiting_events(folder / "dave", 20_000))
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2], int(sys.argv[3]))
    else:
        sys.exit(main())
