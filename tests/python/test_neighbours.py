"""A graph that has connected or listened looks after its connections by itself, on real sockets."""

from __future__ import annotations

import asyncio

import peergraph.aio
import pytest
from peergraph import ConnectionRefused, ConnectionStatus, GraphStatus, NeighbourConnection, Scope, StatusChanged
from python.scene import PATIENCE, join, reserved_port, wait_for, wait_until

FULL = 7


@pytest.fixture
def port():
    """One that is still free when a node comes back to it."""
    with reserved_port() as port:
        yield port


@pytest.fixture
def full(create_graph, open_graph):
    """A node with as many neighbours as a node may have, none of which knows another."""
    hub = create_graph("hub", manual=True)
    leaves = [open_graph(f"leaf {i}", manual=True) for i in range(FULL)]
    for leaf in leaves:
        join(leaf, hub)
        leaf.listen(scope=Scope.LOOPBACK)
    return hub


def test_a_full_node_names_others(full, open_graph):
    late = open_graph("late")
    with late.events(NeighbourConnection) as events:
        wanted = late.begin_connect(full.address)
        refused = events.get(PATIENCE)
        assert (refused.status, refused.connection_id) == (ConnectionStatus.FAILED, wanted)
        assert isinstance(refused.error, ConnectionRefused)
        assert "is full" in refused.message
        made = wait_for(events, lambda event: event.connection_id == refused.next_connection_id)
        assert made.status == ConnectionStatus.CONNECTED
        assert made.peer_id.startswith("leaf")


def test_connect_follows_a_full_node(full, tmp_path):
    async def main():
        async with (
            peergraph.aio.open_runtime(tmp_path / "late") as runtime,
            runtime.open_graph("film club", peer_id="late") as late,
        ):
            made = await asyncio.wait_for(late.connect(full.address), PATIENCE)
            await late.synchronized(PATIENCE)
            return made.peer_id

    assert asyncio.run(main()).startswith("leaf")


def test_a_wait_for_a_connection_follows_too(full, open_graph):
    late = open_graph("late")
    assert late.connect(full.address, timeout=PATIENCE).peer_id.startswith("leaf")


def test_whoever_names_a_peer_wants_that_one(full, open_graph):
    late = open_graph("late")
    with late.events(NeighbourConnection) as events:
        late.begin_connect(full.address, peer_id="hub")
        refused = events.get(PATIENCE)
        assert isinstance(refused.error, ConnectionRefused)
        assert refused.next_connection_id == 0


def test_a_manual_graph_does_not_follow(full, open_graph):
    late = open_graph("late", manual=True)
    with late.events(NeighbourConnection) as events:
        late.begin_connect(full.address)
        assert events.get(PATIENCE).next_connection_id == 0


def test_a_newcomer_finds_a_second_neighbour(create_graph, open_graph):
    alice, bob, carol = create_graph("alice"), open_graph("bob"), open_graph("carol")
    join(bob, alice)
    bob.listen(scope=Scope.LOOPBACK)
    with carol.events(NeighbourConnection) as events:
        carol.connect(alice.address)
        wait_for(events, lambda event: event.peer_id == "alice")
        carol.synchronized(PATIENCE)
        found = wait_for(events, lambda event: event.peer_id == "bob")
        assert found.status == ConnectionStatus.CONNECTED


def test_a_node_that_comes_back_is_found_again(open_runtime, open_graph, port):
    runtime = open_runtime("alice")
    bob = open_graph("bob")
    with runtime.create_graph("film club", peer_id="alice") as alice:
        alice.listen(scope=Scope.LOOPBACK, port=port)
        join(bob, alice)
    with (
        bob.events(NeighbourConnection, StatusChanged) as events,
        runtime.open_graph("film club", peer_id="alice", manual=True) as alice,
    ):
        wait_until(events, lambda: not bob.status & GraphStatus.HAS_CONNECTIONS)
        alice.listen(scope=Scope.LOOPBACK, port=port)
        again = wait_for(events, lambda event: isinstance(event, NeighbourConnection) and event.peer_id == "alice")
        assert again.status == ConnectionStatus.CONNECTED


def test_a_manual_graph_dials_nobody_again(open_runtime, open_graph):
    runtime = open_runtime("alice")
    bob = open_graph("bob", manual=True)
    with runtime.create_graph("film club", peer_id="alice") as alice:
        alice.listen(scope=Scope.LOOPBACK)
        join(bob, alice)
        with bob.events(NeighbourConnection) as events:
            alice.close()
            assert events.get(PATIENCE).status == ConnectionStatus.DISCONNECTED
            with pytest.raises(TimeoutError):
                events.get(3.0)  # an automatic one dials after a second
