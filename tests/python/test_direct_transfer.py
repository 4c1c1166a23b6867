"""A large transfer over a direct connection to a reader that is slower than the network, between two processes.

64 MiB; PEERGRAPH_DIRECT_BYTES=1073741824 is the acceptance run.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from python.scene import PATIENCE, SANITIZED

MEMORY = Path("/proc/self/statm")
SIZE = int(os.environ.get("PEERGRAPH_DIRECT_BYTES", str(64 << 20)))
GROWTH_MAX = 64 << 20

WRITER = """
import hashlib, os, sys, threading
from pathlib import Path
import peergraph

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

folder, address, left = sys.argv[1], sys.argv[2], int(sys.argv[3])
digest = hashlib.sha256()
base = os.urandom(4 << 20)
with peergraph.open_runtime(folder) as runtime, runtime.open_graph("film club", peer_id="bob") as graph:
    with graph.direct(accept=False) as direct, direct.connect("alice", address, timeout=60) as channel:
        idle = most = resident()
        number = 0
        while left:
            number += 1
            size = min(left, 1 + (number * 7919 * 4099) % (4 << 20 if number % 8 == 0 else 256 << 10))
            message = number.to_bytes(8, "big") + base[8:size] if size > 8 else base[:size]
            digest.update(message)
            channel.write(message)
            left -= size
            most = max(most, resident())
        channel.write(b"")
        print(digest.hexdigest(), most - idle, flush=True)
        assert channel.read(600) is None
"""


def resident() -> int:
    return int(MEMORY.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not MEMORY.exists(), reason="the size of a process is read from /proc")
@pytest.mark.skipif(SANITIZED, reason="a sanitizer has memory of its own")
def test_a_slow_reader_loses_nothing_and_costs_no_memory(create_graph, tmp_path):
    alice = create_graph("alice")
    digest = hashlib.sha256()
    received = 0
    command = [sys.executable, "-c", WRITER, str(tmp_path / "writer"), alice.address, str(SIZE)]
    with alice.direct() as direct:
        idle = most = resident()
        with (
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer,
            direct.accept(PATIENCE) as channel,
        ):
            pause = threading.Event()
            for message in channel:
                if not message:
                    break
                digest.update(message)
                received += len(message)
                pause.wait(0.002)  # the network is faster
                most = max(most, resident())
            channel.close()
            theirs, growth = writer.communicate(timeout=600)[0].split()
    assert writer.returncode == 0
    assert received == SIZE
    assert digest.hexdigest() == theirs
    print(f"reader +{(most - idle) >> 20} MiB, writer +{int(growth) >> 20} MiB")
    assert most - idle < GROWTH_MAX
    assert int(growth) < GROWTH_MAX
