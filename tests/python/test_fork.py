"""fork under traffic: the child may call nothing and ends as it likes, the parent is not disturbed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from python.scene import PROGRAM_PATIENCE, python_path

pytestmark = pytest.mark.processes

SYMBOLS = Path(__file__).parent.parent / "abi" / "symbols.txt"
TIMES = int(os.environ.get("PEERGRAPH_ENDINGS", "10"))

# Two nodes that exchange records; threads of ours hold locks of the library at any moment.
TRAFFIC = """
import contextlib, multiprocessing, os, signal, sys, threading, uuid, warnings
from datetime import timedelta
from pathlib import Path
import peergraph
from peergraph import RecordChanged, Scope, StatusChanged, _native
from python.scene import NOTE, join, wait_until

warnings.filterwarnings("ignore", category=DeprecationWarning)  # that we fork with threads is the point
folder, symbols, times = sys.argv[1], Path(sys.argv[2]).read_text().split(), int(sys.argv[3])
HOUR = timedelta(hours=1)

def add():
    return alice.add_record(type=NOTE, data=bytes(200), attributes={"a": 1}, lifetime=HOUR)

def traffic():
    with contextlib.suppress(peergraph.PeerError):  # it is closed beneath it
        while going.is_set():
            alice.get_record(add())

def undisturbed():
    last = add()
    wait_until(at_bob, lambda: any(record.id == last for record in bob.records()))

def wait_child(child, expected=0):
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code == expected, f"the child ended with {code} instead of {expected}"

def main(test):
    global alice_runtime, bob_runtime, alice, bob, at_bob, going
    going = threading.Event()
    going.set()
    with peergraph.open_runtime(folder + "/alice") as alice_runtime, \\
         peergraph.open_runtime(folder + "/bob") as bob_runtime, \\
         alice_runtime.create_graph("g", peer_id="alice") as alice, \\
         bob_runtime.open_graph("g", peer_id="bob") as bob, \\
         bob.events(RecordChanged, StatusChanged) as at_bob:
        alice.listen(scope=Scope.LOOPBACK)
        join(bob, alice)
        at_bob.fileno()
        threads = [threading.Thread(target=traffic) for _ in range(3)]
        for thread in threads:
            thread.start()
        test()
        undisturbed()
        going.clear()
        for thread in threads:
            thread.join()
"""

EVERY_FUNCTION = """
FREE = {"peer_free_data", "peer_last_error_message", "peer_status_name", "peer_status_text", "peer_version"}

def call_all(record):
    ffi, lib = _native.ffi, _native.lib
    for name in sorted(set(symbols) - FREE):
        function = getattr(lib, name, None)
        if function is None:
            continue
        handles = {"peer_graph *": alice._handle, "peer_runtime *": alice_runtime._handle,
                   "peer_event_queue *": at_bob._handle}
        types = ffi.typeof(function).args
        for arguments in (
            [ffi.NULL if type_.kind == "pointer" else 0 for type_ in types],
            [handles.get(type_.cname, ffi.NULL) if type_.kind == "pointer" else 1 for type_ in types],
        ):
            status = function(*arguments)
            assert status & 0xFFFFFFFF == 0x8063F001, (name, status)
        if name == "peer_graph_get_status":  # those that end something leave the line alone
            assert b"fork" in ffi.string(lib.peer_last_error_message())
    assert ffi.string(lib.peer_status_name(status)) == b"PEER_E_FORKED"
    lib.peer_free_data(record)

def test():
    known = [name for name in symbols if hasattr(_native.lib, name)]
    assert len(known) > 40, known
    out = _native.ffi.new("peer_record **")
    for _ in range(times):
        id = _native.ffi.from_buffer("peer_guid *", add().bytes)
        assert _native.lib.peer_graph_get_record(alice._handle, id, out) == 0
        child = os.fork()
        if not child:
            signal.alarm(60)  # a call that hangs ends here
            try:
                call_all(out[0])
                for call in (at_bob.get, at_bob.take, at_bob.fileno, lambda: next(at_bob), lambda: alice.status):
                    try:
                        call()
                    except peergraph.Forked:
                        continue
                    raise AssertionError(f"{call} went through")
            except BaseException as problem:
                print(repr(problem), file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)
        wait_child(child)
        _native.lib.peer_free_data(out[0])
        undisturbed()

main(test)
"""

ENDINGS = {
    "exit": ("sys.exit(3)", 3),
    "os._exit": ("os._exit(4)", 4),
    "end of the interpreter": ("leave = True", 0),
    "collected": ("import gc; alice = bob = at_bob = alice_runtime = bob_runtime = None; gc.collect(); os._exit(5)", 5),
    "closed": (
        "[thing.close() for thing in (at_bob, alice, bob, alice_runtime, bob_runtime)]; sys.exit(6)",
        6,
    ),
}

ENDING = """
class Leave(BaseException):
    pass

def test():
    global alice, bob, at_bob, alice_runtime, bob_runtime
    for _ in range(times):
        child = os.fork()
        leave = False
        if not child:
            signal.alarm(60)
            CODE
            if leave:
                raise Leave
        wait_child(child, EXPECTED)
        undisturbed()

try:
    main(test)
except Leave:
    pass
"""

# What is opened after a fork is the child's own, if nothing was before.
AFTER = """
def work():
    with peergraph.open_runtime(folder + "/child") as runtime, runtime.create_graph("g", peer_id="p") as graph, \\
         graph.events() as events:
        graph.add_record(type=NOTE, lifetime=HOUR)
        assert isinstance(events.get(60), RecordChanged)
    with peergraph.open_runtime(folder + "/child") as runtime, runtime.open_graph("g", peer_id="p") as graph:
        assert len(list(graph.records())) == 1  # it was closed, or it would be in use

child = os.fork()
if not child:
    signal.alarm(60)
    work()
    sys.exit(7)
wait_child(child, 7)
"""

SPAWN = """
def work(path):
    with peergraph.open_runtime(path) as runtime, runtime.create_graph("g", peer_id="p") as graph:
        return graph.add_record(type=NOTE, lifetime=HOUR)

def status():
    return alice.status

def test():
    for method in ("spawn", "forkserver"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            found = pool.map(work, [f"{folder}/{method}{number}" for number in range(4)])
            assert len(set(found)) == 4
    with multiprocessing.get_context("fork").Pool(1) as pool:
        for call in (status, add):
            try:
                pool.apply(call)
                sys.exit("a forked child got through")
            except peergraph.Forked as error:
                assert error.name == "PEER_E_FORKED" and "fork" in str(error), error
    undisturbed()

if __name__ == "__main__":
    main(test)
"""


def run(script: str, folder: Path, times: int = TIMES) -> None:
    file = folder / "script.py"
    file.write_text(TRAFFIC + script)
    command = [sys.executable, "-X", "dev", "-W", "error", str(file), str(folder), str(SYMBOLS), str(times)]
    environment = os.environ | {"PYTHONPATH": python_path()}
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=PROGRAM_PATIENCE, check=False, env=environment
    )
    assert result.returncode == 0, result.stderr
    assert "Fatal" not in result.stderr, result.stderr


def test_every_function_says_that_it_is_forked(tmp_path):
    run(EVERY_FUNCTION, tmp_path)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_child_ends(ending, tmp_path):
    code, expected = ENDINGS[ending]
    run(ENDING.replace("CODE", code).replace("EXPECTED", str(expected)), tmp_path)


def test_what_is_opened_after_a_fork(tmp_path):
    run(AFTER, tmp_path)


def test_multiprocessing(tmp_path):
    run(SPAWN, tmp_path)
