"""Closing a graph whose journal is long, on a disk that is slow: the other graphs of the runtime go on."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from python.scene import PROGRAM_PATIENCE, python_path

pytestmark = pytest.mark.processes

SCRIPT = """
import os, sys, threading
import peergraph
from python.scene import HOUR, NOTE, join, wait_until

folder, slow = sys.argv[1], os.environ["SLOW_SYNC"]
with peergraph.open_runtime(folder + "/a") as runtime, runtime.create_graph("busy", peer_id="p") as busy, \\
     peergraph.open_runtime(folder + "/b") as at_bob, at_bob.open_graph("busy", peer_id="bob") as bob, \\
     bob.events() as at_bob:
    closing = runtime.create_graph("closing", peer_id="p")
    busy.listen(scope=peergraph.Scope.LOOPBACK)
    join(bob, busy)
    ids = {closing.add_record(type=NOTE, lifetime=HOUR) for _ in range(10)}
    with open(slow, "w"):
        pass
    thread = threading.Thread(target=closing.close)
    thread.start()
    while not closing.closed:
        pass
    # Its own thread waits for the disk now; nobody else does.
    sent = {busy.add_record(type=NOTE, lifetime=HOUR) for _ in range(100)}
    wait_until(at_bob, lambda: {record.id for record in bob.records()} == sent)
    while True:
        try:
            runtime.open_graph("closing", peer_id="p")
        except peergraph.DatabaseInUse:
            break  # it is still being closed
        except peergraph.DuplicateGraph:
            continue  # the other thread has not come that far
    assert thread.is_alive()
    os.unlink(slow)
    thread.join()
    with runtime.open_graph("closing", peer_id="p") as graph:
        assert {record.id for record in graph.records()} == ids
"""


def test_a_close_that_takes_long_keeps_nobody_waiting(tmp_path, preload):
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", SCRIPT, str(tmp_path)]
    environment = os.environ | {
        "PYTHONPATH": python_path(),
        "LD_PRELOAD": preload("slow_sync.c"),
        "SLOW_SYNC": str(tmp_path / "slow"),
    }
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=PROGRAM_PATIENCE, check=False, env=environment
    )
    assert result.returncode == 0, result.stderr
