"""Who is present, to whom there are connections, and what a node tells of itself."""

from __future__ import annotations

import datetime as dt

import peergraph
import pytest
from peergraph import ConnectionFlag, NodeChange, NodeChanged, PropertyChanged
from peergraph.sim import Network
from python.scene import join, wait_for

PRESENCE_LATEST = 200.0
"""Seconds after which presence that is published by and by has been published."""


@pytest.fixture
def network():
    with Network(3) as network:
        yield network


@pytest.fixture
def pair(network):
    """Two graphs on the simulator, both listening, and nobody present by itself."""
    alice, bob = network.add_hosts("alice", "bob")
    first = alice.runtime.create_graph("g", peer_id="alice", presence_max=0)
    first.listen(5000)
    second = bob.runtime.open_graph("g", peer_id="bob")
    second.connect("alice:5000", timeout=60)
    second.synchronized(timeout=60)
    second.listen(5000)
    network.run_for(PRESENCE_LATEST)
    return first, second


def peers(graph):
    return sorted(node.peer_id for node in graph.nodes())


# -- presence ----------------------------------------------------------------------------------------------------------


def test_presence_is_forced_and_runs_out(network, pair):
    first, second = pair
    assert peers(first) == peers(second) == []
    with first.events(NodeChanged) as events:
        second.set_presence(True)
        came = events.get(timeout=10)
        assert (came.change, came.peer_id) == (NodeChange.CONNECTED, "bob")
        assert came.node_id == second.node.id
        assert peers(first) == peers(second) == ["bob"]
        network.run_for(1000)
        assert peers(first) == ["bob"]  # it is prolonged while it is forced
        second.set_presence(False)
        network.run_for(10)
        assert peers(first) == ["bob"]  # and not taken back at once
        network.run_for(400)
        assert peers(first) == []
        gone = wait_for(events, lambda event: event.change == NodeChange.DISCONNECTED)
        assert gone.node_id == came.node_id


def test_presence_waits_until_the_node_listens(network):
    (host,) = network.add_hosts("alice")
    graph = host.runtime.create_graph("g", peer_id="alice", presence_max=0)
    graph.set_presence(True)
    network.run_for(PRESENCE_LATEST)
    assert graph.nodes() == []
    graph.listen()
    network.run_for(1)
    assert peers(graph) == ["alice"]


def test_attributes_travel_with_presence(network, pair):
    first, second = pair
    second.set_node_attributes("in the kitchen")
    assert second.node.attributes == "in the kitchen"
    second.set_presence(True)
    network.run_for(10)
    (node,) = first.nodes("bob")
    assert node.attributes == "in the kitchen"
    assert first.get_node_info(node.id) == node
    with first.events(NodeChanged) as theirs, second.events(NodeChanged) as own:
        second.set_node_attributes("Käsefüße ✓" * 100)
        told = theirs.get(timeout=10)
        assert (told.change, told.node_id, told.peer_id) == (NodeChange.UPDATED, node.id, "bob")
        told = own.get(timeout=10)
        assert (told.change, told.node_id, told.peer_id) == (NodeChange.UPDATED, 0, "bob")
        assert first.get_node_info(node.id).attributes == "Käsefüße ✓" * 100
        second.set_node_attributes(None)
        network.run_for(10)
        assert first.get_node_info(node.id).attributes is None


def test_attributes_are_any_text_up_to_a_limit(open_runtime):
    with open_runtime().create_graph("g", peer_id="p") as graph:
        graph.set_node_attributes("<not & xml>")
        assert graph.node.attributes == "<not & xml>"
        graph.set_node_attributes("x" * 4095)
        with pytest.raises(peergraph.InvalidArgument, match="attributes"):
            graph.set_node_attributes("x" * 4096)
        assert graph.node.attributes == "x" * 4095
        with pytest.raises((peergraph.InvalidArgument, ValueError)):
            graph.set_node_attributes("\ud800")
        assert graph.node.attributes == "x" * 4095


def test_a_node_that_has_left_is_gone(network, pair):
    first, second = pair
    second.set_presence(True)
    network.run_for(10)
    (node,) = first.nodes()
    with first.enum_nodes() as enumeration:
        assert enumeration.get_item_count() == 1
        second.close()
        network.run_for(10)
        assert enumeration.get_next_item() == []
    assert first.nodes() == []
    with pytest.raises(peergraph.NodeNotFound, match=f"{node.id:016x}"):
        first.get_node_info(node.id)


# -- enumerations ------------------------------------------------------------------------------------------------------


def test_nodes_are_fetched_by_and_by(network):
    alice, *others = network.add_hosts(*(f"h{number}" for number in range(12)))
    first = alice.runtime.create_graph("g", peer_id="p0", presence_max=None)
    first.listen(5000)
    for number, host in enumerate(others, 1):
        graph = host.runtime.open_graph("g", peer_id=f"p{number % 4}")
        graph.connect("h0:5000", timeout=60)
        graph.synchronized(timeout=60)
        graph.listen(5000)
    network.run_for(60)
    with first.enum_nodes() as nodes:
        assert nodes.get_item_count() == 12
        found = [node for _ in range(5) for node in nodes.get_next_item(3)]
        assert nodes.get_next_item(3) == []
    assert sorted(node.peer_id for node in found) == sorted(f"p{number % 4}" for number in range(12))
    assert len({node.id for node in found}) == 12
    assert all(node.id != 0 and node.addresses for node in found)
    assert len(first.nodes("p3")) == 3
    assert first.nodes("nobody") == []
    with pytest.raises(peergraph.InvalidArgument):
        nodes.get_next_item()


def test_nodes_need_a_graph_that_was_synchronized(open_runtime):
    graph = open_runtime().open_graph("g", peer_id="p")
    with pytest.raises(peergraph.GraphNotReady):
        graph.nodes()
    with pytest.raises(peergraph.InvalidArgument, match="peer_id"):
        graph.nodes("x" * 256)
    assert graph.connections() == []
    graph.set_presence(True)
    graph.set_node_attributes("not there yet")
    graph.close()
    for call in (
        graph.nodes,
        graph.connections,
        lambda: graph.set_presence(True),
        lambda: graph.set_node_attributes(None),
    ):
        with pytest.raises(peergraph.InvalidGraph):
            call()


@pytest.fixture
def neighbours(open_runtime):
    """Two graphs on real sockets, the second connected to the first."""
    with (
        open_runtime("one").create_graph("g", peer_id="alice") as first,
        open_runtime("two").open_graph("g", peer_id="bob") as second,
    ):
        first.listen(scope=peergraph.Scope.LOOPBACK)
        join(second, first)
        yield first, second


def test_connections(neighbours):
    first, second = neighbours
    (dialled,) = second.connections()
    (accepted,) = first.connections(ConnectionFlag.NEIGHBOR)
    assert (dialled.kind, dialled.peer_id, dialled.node_id) == (ConnectionFlag.NEIGHBOR, "alice", first.node.id)
    assert (accepted.kind, accepted.peer_id, accepted.node_id) == (ConnectionFlag.NEIGHBOR, "bob", second.node.id)
    assert dialled.address == first.address
    assert accepted.address.rpartition(":")[0] == dialled.address.rpartition(":")[0]
    assert second.connections(ConnectionFlag.DIRECT) == []
    with second.enum_connections(ConnectionFlag.NEIGHBOR | ConnectionFlag.DIRECT) as connections:
        assert connections.get_item_count() == 1
        (item,) = connections.get_next_item()
        assert item == dialled
        assert connections.get_next_item() == []
    assert second.get_node_info(dialled.node_id).peer_id == "alice"
    for flags in (0, 4, 7):
        with pytest.raises(peergraph.InvalidArgument, match="flags"):
            second.enum_connections(flags)


def test_a_connection_that_has_ended_is_skipped(network, pair):
    first, second = pair
    with second.enum_connections(ConnectionFlag.NEIGHBOR) as connections:
        assert connections.get_item_count() == 1
        first.close()
        network.run_for(5)
        assert connections.get_next_item() == []


# -- properties --------------------------------------------------------------------------------------------------------


def test_properties_change_for_everyone(network, pair):
    first, second = pair
    with first.events(PropertyChanged) as theirs, second.events(PropertyChanged) as own:
        second.set_properties(
            friendly_name="Film club", comment="größer", presence_lifetime=dt.timedelta(seconds=600), presence_max=5
        )
        theirs.get(timeout=10)
        own.get(timeout=10)
    for graph in (first, second):
        now = graph.properties
        assert (now.friendly_name, now.comment) == ("Film club", "größer")
        assert (now.presence_lifetime, now.presence_max) == (dt.timedelta(seconds=600), 5)
        assert (now.graph_id, now.creator_id) == ("g", "alice")
    network.run_for(PRESENCE_LATEST)
    assert peers(first) == ["alice", "bob"]  # a maximum of five lets both be present
    first.set_properties(comment=None)
    network.run_for(10)
    assert (second.properties.friendly_name, second.properties.comment) == ("Film club", None)


def test_properties_that_cannot_be(open_runtime):
    runtime = open_runtime()
    with runtime.create_graph("g", peer_id="p", friendly_name="as it was") as graph:
        for wrong in (
            {"friendly_name": "x" * 256},
            {"comment": "x" * 512},
            {"presence_lifetime": dt.timedelta(seconds=299)},
            {"presence_max": -1},
        ):
            with pytest.raises((peergraph.InvalidArgument, ValueError)):
                graph.set_properties(**wrong)
        assert graph.properties.friendly_name == "as it was"
    with runtime.open_graph("h", peer_id="p") as graph, pytest.raises(peergraph.GraphNotReady):
        graph.set_properties(comment="too early")


def test_properties_outlive_the_graph(open_runtime):
    runtime = open_runtime()
    runtime.create_graph("g", peer_id="p").close()
    with runtime.open_graph("g", peer_id="p") as graph:
        graph.set_properties(friendly_name="later")
    with runtime.open_graph("g", peer_id="p") as graph:
        assert graph.properties.friendly_name == "later"
