"""What a machine may run out of or lack besides room on its disk: descriptors, addresses, names."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import peergraph
import pytest
from peergraph import ConnectionStatus, NeighbourConnection
from python.scene import PROGRAM_PATIENCE, python_path, wait_for

pytestmark = pytest.mark.processes

HEAD = """
import os, resource, sys, time
import peergraph
from peergraph import ConnectionStatus, GraphStatus, NeighbourConnection, Scope, StatusChanged
from python.scene import HOUR, NOTE, PATIENCE, join, wait_for, wait_until

folder = sys.argv[1]
"""

DESCRIPTORS = (
    HEAD
    + """
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
hogs = []

def hog(leave=0):
    try:
        while True:
            hogs.append(os.dup(0))
    except OSError:
        for _ in range(leave):
            os.close(hogs.pop())

def release():
    while hogs:
        os.close(hogs.pop())

def refused(error, *words):
    text = str(error)
    assert "descriptor" in text and "\\n" not in text and all(word in text for word in words), text

def fails(wanted, call, *words):
    try:
        call()
    except wanted as error:
        refused(error, *words)
    else:
        sys.exit(f"{words} went through")

with peergraph.open_runtime(folder + "/a") as at_alice, peergraph.open_runtime(folder + "/b") as at_bob, \\
     at_bob.open_graph("g", peer_id="bob", manual=True) as bob, \\
     at_bob.create_graph("h", peer_id="bob") as other, bob.events(NeighbourConnection) as connections:
    connections.fileno()
    alice = at_alice.create_graph("g", peer_id="alice")
    alice.listen(scope=Scope.LOOPBACK)
    for leave in range(12):  # whatever it is that finds none
        hog(leave)
        try:
            peergraph.open_runtime(folder + "/c").close()
        except peergraph.OutOfMemory as error:
            refused(error)
        release()
    hog()
    fails(peergraph.OutOfMemory, lambda: peergraph.open_runtime(folder + "/c"))
    fails(peergraph.OutOfMemory, lambda: at_bob.create_graph("new", peer_id="bob"), folder + "/b/graphs/new")
    fails(peergraph.UnableToListen, lambda: other.listen(scope=Scope.LOOPBACK), "port 0")
    with other.events() as events:
        fails(peergraph.OutOfMemory, events.fileno)
        release()
        assert events.fileno() >= 0
    other.listen(scope=Scope.LOOPBACK)
    at_bob.create_graph("new", peer_id="bob").close()

    hog()
    bob.begin_connect(alice.address)
    event = wait_for(connections, lambda event: event.status is ConnectionStatus.FAILED)
    refused(event.message, alice.address)
    bob.begin_connect("localhost:5000")
    event = wait_for(connections, lambda event: event.status is ConnectionStatus.FAILED)
    assert 'cannot resolve "localhost"' in event.message, event.message
    release()

    # Who is asked and has no descriptor says so at once, by hanging up: one is kept for this. It may be lost: then the
    # caller waits until there are descriptors again, and another one is kept.
    idle = len(os.listdir("/proc/self/fd"))
    def is_hung_up():
        deadline = time.monotonic() + PATIENCE
        while len(os.listdir("/proc/self/fd")) > idle:  # who has ended closes a little later
            assert time.monotonic() < deadline
            os.sched_yield()
        hog(leave=1)
        bob.begin_connect(alice.address)  # takes the last one
        wait_for(connections, lambda event: event.status is ConnectionStatus.FAILED)
        release()

    is_hung_up()
    with open(os.environ["NO_SPARE"], "w"):
        pass
    is_hung_up()
    os.unlink(os.environ["NO_SPARE"])
    bob.begin_connect(alice.address)
    wait_for(connections, lambda event: event.status is ConnectionStatus.CONNECTED)
    alice.close()
    alice = at_alice.open_graph("g", peer_id="alice")
    wait_for(connections, lambda event: event.status is ConnectionStatus.DISCONNECTED)
    alice.listen(scope=Scope.LOOPBACK)
    is_hung_up()
    join(bob, alice)
    kept = alice.add_record(type=NOTE, lifetime=HOUR)
    with bob.events() as events:
        wait_until(events, lambda: [record.id for record in bob.records()] == [kept])
    alice.close()
"""
)

ADDRESSES = (
    HEAD
    + """
import subprocess
def ip(*words):
    subprocess.run(["ip", *words], check=True)

def connects(*families):
    with peergraph.open_runtime(folder + "/a") as at_alice, peergraph.open_runtime(folder + "/b") as at_bob, \\
         at_alice.create_graph("g", peer_id="alice") as alice, at_bob.open_graph("g", peer_id="bob") as bob:
        alice.listen(scope=Scope.LOOPBACK)
        assert [address[0] == "[" for address in alice.node.addresses] == list(families), alice.node
        join(bob, alice)
    with peergraph.open_runtime(folder + "/a") as at_alice:
        at_alice.delete_graph("g", peer_id="alice")

ip("link", "set", "lo", "up")
connects(True, False)
ip("address", "del", "127.0.0.1/8", "dev", "lo")
connects(True)
ip("address", "add", "127.0.0.1/8", "dev", "lo")
ip("address", "del", "::1/128", "dev", "lo")
connects(False)
ip("address", "del", "127.0.0.1/8", "dev", "lo")
with peergraph.open_runtime(folder + "/c") as runtime, runtime.create_graph("g", peer_id="p") as graph:
    try:
        graph.listen(scope=Scope.LOOPBACK)
        sys.exit("it listens nowhere")
    except peergraph.UnableToListen as error:
        assert "neither ::1 nor 127.0.0.1" in str(error), error
"""
)


def run(script: str, folder: Path, *prefix: str, **variables: str) -> None:
    command = [*prefix, sys.executable, "-X", "dev", "-W", "error", "-c", script, str(folder)]
    environment = os.environ | {"PYTHONPATH": python_path()} | variables
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=PROGRAM_PATIENCE, check=False, env=environment
    )
    assert result.returncode == 0, result.stderr


def test_no_descriptor_is_free(tmp_path, preload):
    run(DESCRIPTORS, tmp_path, LD_PRELOAD=preload("no_spare.c"), NO_SPARE=str(tmp_path / "no spare"))


def test_a_family_of_addresses_is_missing(tmp_path):
    unshare = ["unshare", "--user", "--map-root-user", "--net"]
    if not shutil.which("ip") or not shutil.which("unshare"):
        pytest.skip("ip and unshare are needed")
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no network can be made here")
    run(ADDRESSES, tmp_path, *unshare)


@pytest.mark.parametrize(
    ("address", "words"),
    [("nohost.invalid:5000", 'cannot resolve "nohost.invalid"'), ("127.0.0.1:1", '"127.0.0.1:1" refused')],
)
def test_an_address_where_nobody_is(graph, address, words):
    with graph.events(NeighbourConnection) as events:
        graph.begin_connect(address)
        event = wait_for(events, lambda event: event.status is ConnectionStatus.FAILED)
    assert isinstance(event.error, peergraph.ConnectionFailed)
    assert words in event.message
    assert "\n" not in event.message
