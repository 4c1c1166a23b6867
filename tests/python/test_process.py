"""The end of a process, however it comes, and forks.

Each script runs two connected nodes under traffic and ends in its own way. PEERGRAPH_ENDINGS sets how often (100 is the
acceptance run).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.processes

TIMES = int(os.environ.get("PEERGRAPH_ENDINGS", "10"))
PATIENCE = 60.0
LIMIT = PATIENCE if TIMES < 100 else 3.0
"""Seconds that the end may take; how fast it is shows a quiet machine only, as the acceptance run needs one."""

TRAFFIC = """
import contextlib, os, sys, threading, time, uuid
from datetime import timedelta
import peergraph

folder = sys.argv[1]
NOTE = uuid.UUID("6e6f7465-0000-4000-8000-000000000001")
alice_runtime = peergraph.open_runtime(folder + "/alice")
alice = alice_runtime.create_graph("g", peer_id="alice")
alice.listen(scope=peergraph.Scope.LOOPBACK)
bob_runtime = peergraph.open_runtime(folder + "/bob")
bob = bob_runtime.open_graph("g", peer_id="bob")
at_bob = bob.events(peergraph.RecordChanged, peergraph.StatusChanged)
bob.connect(alice.address)
while not bob.status & peergraph.GraphStatus.SYNCHRONIZED:
    at_bob.get(60)

def traffic():
    with contextlib.suppress(peergraph.PeerError):  # it is closed beneath it
        while True:
            alice.add_record(type=NOTE, data=bytes(1000), lifetime=timedelta(hours=1))

threading.Thread(target=traffic, daemon=True).start()
seen = 0
while seen < 50:
    seen += isinstance(at_bob.get(60), peergraph.RecordChanged)
began = time.monotonic()
print("running", flush=True)
"""

ENDINGS = {
    "end of script": ("", 0),
    "sys.exit": ("sys.exit(7)", 7),
    "exit": ("exit(5)", 5),
    "sys.exit in a thread's join": (
        "thread = threading.Thread(target=lambda: list(at_bob), daemon=True); thread.start(); sys.exit(4)",
        4,
    ),
    "unhandled exception": ("raise LookupError('on purpose')", 1),
    "os._exit": ("os._exit(9)", 9),
    "asyncio": (
        """
import asyncio, peergraph.aio
async def main():
    runtime = await peergraph.aio.open_runtime(folder + "/carol")
    graph = await runtime.open_graph("g", peer_id="carol")
    await graph.connect(alice.address)
    async for event in graph.events():
        sys.exit(6)
asyncio.run(main())
""",
        6,
    ),
    "closed in order": ("at_bob.close(); bob.close(); bob_runtime.close(); alice.close(); alice_runtime.close()", 0),
    "closed the other way round": ("alice_runtime.close(); bob_runtime.close(); bob.close(); at_bob.close()", 0),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_process_ends_with_its_own_status(ending, tmp_path):
    code, status = ENDINGS[ending]
    for time_ in range(TIMES):
        command = [sys.executable, "-c", TRAFFIC + code, str(tmp_path / str(time_))]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout.readline() == "running\n", process.stderr.read()
                began = time.monotonic()
                _, errors = process.communicate(timeout=PATIENCE)
                took = time.monotonic() - began
            except BaseException:
                process.kill()
                raise
        assert process.returncode == status, errors
        assert took < LIMIT
        expected = "LookupError: on purpose" if ending == "unhandled exception" else ""
        assert errors.strip().endswith(expected), errors
        if not expected:
            assert "Traceback" not in errors, errors
            assert "Fatal" not in errors, errors


FORK = """
import gc, os, sys, warnings
import peergraph
from datetime import timedelta
import uuid

warnings.simplefilter("error")
sys.unraisablehook = lambda problem: os._exit(99)
runtime = peergraph.open_runtime(sys.argv[1])
graph = runtime.create_graph("g", peer_id="p")
graph.listen(scope=peergraph.Scope.LOOPBACK)
events = graph.events(peergraph.RecordChanged)
record = graph.get_record(graph.add_record(type=uuid.uuid4(), attributes={"a": 1}, lifetime=timedelta(hours=1)))
descriptor = events.fileno()
assert record.attributes == {"a": 1}
unread = graph.get_record(record.id)
child = os.fork()
if not child:
    for call in (
        lambda: peergraph.open_runtime(sys.argv[1] + "/child"),
        lambda: graph.status,
        lambda: graph.add_record(type=uuid.uuid4(), expires=record.expires),
        lambda: list(graph.records()),
        lambda: graph.listen(),
        lambda: events.get(0),
        graph.events,
        graph.begin_batch,
        lambda: unread.attributes,
        lambda: runtime.create_graph("h", peer_id="p"),
    ):
        try:
            call()
        except peergraph.Forked:
            continue
        os._exit(1)
    assert record.creator_id == "p" and record.attributes == {"a": 1}
    del events, graph, runtime, call
    gc.collect()
    os._exit(0)
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 0, status
assert isinstance(events.get(60), peergraph.RecordChanged)  # the child has taken nothing from us
graph.add_record(type=uuid.uuid4(), lifetime=timedelta(hours=1))
assert isinstance(events.get(60), peergraph.RecordChanged)
events.close()
graph.close()
runtime.close()
with peergraph.open_runtime(sys.argv[1]) as runtime, runtime.open_graph("g", peer_id="p") as graph:
    assert len(list(graph.records())) == 2
"""


def test_a_forked_child_keeps_its_hands_off(tmp_path):
    command = [sys.executable, "-c", FORK, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert result.returncode == 0, result.stderr


def test_a_forked_child_may_end_as_it_likes(tmp_path):
    script = FORK.split("child = os.fork()")[0].replace("os._exit(99)", "None").replace('"error"', '"ignore"') + (
        "if not os.fork(): sys.exit(3)\nassert os.waitstatus_to_exitcode(os.wait()[1]) == 3\nassert graph.status\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert result.returncode == 0, result.stderr


def test_nothing_is_printed(tmp_path):
    script = TRAFFIC + "at_bob.close(); bob_runtime.close(); alice_runtime.close()"
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", script, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "running\n"
