"""Export and import of a graph's database: how fast, in how much memory, and how long a call waits meanwhile.

python tests/bench/bench_database_file.py [COUNT]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import peergraph

NOTE = uuid.UUID("6e6f7465-0000-4000-8000-000000000001")
HOUR = timedelta(hours=1)
COUNT = 100_000
SIZE = 1024


def fill(graph: peergraph.Graph, count: int) -> None:
    for start in range(0, count, 1000):
        with graph.batch() as batch:
            for _ in range(start, min(start + 1000, count)):
                batch.add_record(type=NOTE, data=os.urandom(SIZE), lifetime=HOUR)


def high_water_mib() -> float:
    with Path("/proc/self/status").open() as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def show(name: str, value: str) -> None:
    print(f"  {name:<52} {value:>14}", flush=True)


def measure(name: str, path: Path, call: Callable[[], None], other: Callable[[], None]) -> None:
    """Runs the call in a thread, while this one makes other calls again and again."""
    idle, began, longest, calls = high_water_mib(), time.perf_counter(), 0.0, 0
    thread = threading.Thread(target=call)
    thread.start()
    while thread.is_alive():
        before = time.perf_counter()
        other()
        longest = max(longest, time.perf_counter() - before)
        calls += 1
        time.sleep(0.001)
    seconds = time.perf_counter() - began
    megabytes = path.stat().st_size / 1e6
    show(f"{name}: {megabytes:.0f} MB in {seconds:.1f} s", f"{megabytes / seconds:.0f} MB/s")
    show(f"{name}: the longest of {calls} other calls", f"{longest * 1e3:.1f} ms")
    show(f"{name}: memory above idle", f"{high_water_mib() - idle:.0f} MiB")


def run(folder: Path, path: Path, what: str) -> None:
    """In a process of its own, for its memory."""
    with (
        peergraph.open_runtime(folder / what) as runtime,
        runtime.create_graph("another", peer_id="alice") as another,
        runtime.open_graph("bench", peer_id="alice") as graph,
    ):
        call = graph.export_database if what == "export" else graph.import_database
        busy = graph if what == "export" else another  # the graph that is imported turns other calls away

        def add() -> None:
            busy.add_record(type=NOTE, data=b"meanwhile", lifetime=HOUR)

        measure(what, path, lambda: call(path), add)


def main() -> None:
    if sys.argv[1:2] == ["--run"]:
        run(Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    print(f"{count:,} records of {SIZE} bytes")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        runtime = peergraph.open_runtime(Path(folder) / "export")
        with runtime, runtime.create_graph("bench", peer_id="alice") as graph:
            fill(graph, count)
        for what in ("export", "import"):
            subprocess.run([sys.executable, __file__, "--run", folder, path, what], check=True)


if __name__ == "__main__":
    main()
