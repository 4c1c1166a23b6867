"""Connections and nodes of a graph, presence, and the text of a node."""

from __future__ import annotations

import pytest
from conformance.exact import NULL, gives, lib
from conformance.worlds import fails
from peergraph import ConnectionFlag, DirectConnection, NeighbourConnection, NodeChange, NodeChanged
from peergraph._codes import E_INVALIDARG, PEER_E_NODE_NOT_FOUND, PEER_E_PRESENCE_DISABLED, PEER_OK


@pytest.fixture
def both(world):
    """Two nodes that listen, connected, synchronized and known to each other."""
    alice, bob = world.pair(listen=True)
    world.until(alice, lambda: "bob" in peers(alice))
    world.until(bob, lambda: "alice" in peers(bob))
    return alice, bob


@pytest.fixture
def shy(world):
    """The same where nobody is present by itself."""
    alice = world.create(listen=True, presence_max=0)
    bob = world.open()
    world.join(bob, alice)
    world.listen(bob)
    return alice, bob


def peers(graph, *peer_id):
    with graph.enum_nodes(*peer_id) as nodes:
        return {node.peer_id for node in nodes.get_next_item(100)}


# -- connections -------------------------------------------------------------------------------------------------------


def test_neighbours(world):
    alice, bob = world.create(listen=True), world.open()
    with alice.events(NeighbourConnection) as at_alice, bob.events(NeighbourConnection) as at_bob:
        world.join(bob, alice)
        made = [world.next(events, NeighbourConnection) for events in (at_alice, at_bob)]
    for graph, other, event in ((alice, bob, made[0]), (bob, alice, made[1])):
        with graph.enum_connections(ConnectionFlag.NEIGHBOR) as connections:
            assert connections.get_item_count() == 1
            (info,) = connections.get_next_item()
        assert info.kind == ConnectionFlag.NEIGHBOR
        assert (info.id, info.node_id, info.peer_id) == (event.connection_id, other.node.id, other.peer_id)
        assert info.address
    assert bob.connections()[0].address == alice.address


def test_direct_connections(world, pair):
    alice, bob = pair
    with alice.events(DirectConnection), bob.events(DirectConnection) as events:
        connection_id = bob.open_direct_connection("alice", alice.address)
        events.get(world.patience)
        with bob.enum_connections(ConnectionFlag.DIRECT) as connections:
            (info,) = connections.get_next_item()
        assert (info.id, info.kind, info.peer_id) == (connection_id, ConnectionFlag.DIRECT, "alice")
        assert info.node_id == alice.node.id
        with bob.enum_connections(ConnectionFlag.NEIGHBOR) as connections:
            assert connections.get_item_count() == 1
        with bob.enum_connections(ConnectionFlag.DIRECT | ConnectionFlag.NEIGHBOR) as connections:
            assert connections.get_item_count() == 2


@pytest.mark.parametrize("flags", [ConnectionFlag.NEIGHBOR, ConnectionFlag.DIRECT])
def test_no_connections(graph, flags):
    with graph.enum_connections(flags) as connections:
        assert connections.get_item_count() == 0
        assert connections.get_next_item() == []


@pytest.mark.parametrize("flags", [0, 4, 0x80000001])
def test_flags_are_required(graph, flags):
    assert gives("peer_enum **", lambda out: lib.peer_graph_enum_connections(graph._handle, flags, out)) == E_INVALIDARG
    assert lib.peer_graph_enum_connections(graph._handle, 1, NULL) == E_INVALIDARG


# -- nodes -------------------------------------------------------------------------------------------------------------


def test_this_node(world, graph):
    node = graph.get_node_info(0)
    assert (node.peer_id, node.attributes, node.addresses) == ("alice", None, ())
    assert node.id != 0
    world.listen(graph)
    assert graph.get_node_info(0).addresses
    assert graph.get_node_info(node.id) == graph.get_node_info(0)


def test_another_node(both):
    alice, bob = both
    info = alice.get_node_info(bob.node.id)
    assert (info.id, info.peer_id) == (bob.node.id, "bob")
    assert bob.address in info.addresses


def test_an_unknown_node(graph):
    with fails(PEER_E_NODE_NOT_FOUND):
        graph.get_node_info(graph.node.id ^ 1)


def test_a_node_needs_a_place(graph):
    assert lib.peer_graph_get_node_info(graph._handle, 0, NULL) == E_INVALIDARG
    assert lib.peer_graph_enum_nodes(graph._handle, NULL, NULL) == E_INVALIDARG


def test_every_node_is_present(both):
    for graph in both:
        assert peers(graph) == {"alice", "bob"}
        assert {node.id for node in graph.nodes()} == {other.node.id for other in both}
        assert all(node.addresses for node in graph.nodes())


def test_nodes_of_one_peer(both):
    for graph in both:
        assert peers(graph, "bob") == {"bob"}
        assert peers(graph, "nobody") == set()


def test_no_node_is_present(world, shy):
    alice, bob = shy
    world.passed(bob, alice)
    for graph in shy:
        try:
            assert peers(graph) == set()
        except LookupError as error:  # what the page says of such graphs
            pytest.fail(f"{error}, not an empty enumeration or {PEER_E_PRESENCE_DISABLED}")


def test_presence_is_forced(world, shy):
    alice, bob = shy
    with alice.events(NodeChanged) as events:
        bob.set_presence(True)
        event = events.get(world.patience)
    assert (event.change, event.node_id, event.peer_id) == (NodeChange.CONNECTED, bob.node.id, "bob")
    assert peers(alice) == peers(bob) == {"bob"}


def test_presence_is_forced_no_longer(world, shy):
    alice, bob = shy
    bob.set_presence(True)
    world.until(alice, lambda: peers(alice))
    bob.set_presence(False)
    world.passed(bob, alice)
    assert peers(alice) <= {"bob"}


def test_presence_that_is_forced_no_longer_runs_out(simulator):
    alice = simulator.create(listen=True, presence_max=0)
    alice.set_presence(True)
    simulator.network.run_for(1000)
    assert peers(alice) == {"alice"}
    alice.set_presence(False)
    simulator.network.run_for(1000)
    assert peers(alice) == set()


def test_presence_begins_with_listening(world, pair):
    alice, bob = pair
    world.until(bob, lambda: peers(bob))
    world.passed(bob, alice)
    assert peers(alice) == peers(bob) == {"alice"}
    with alice.events(NodeChanged) as events:
        world.listen(bob)
        event = world.next(events, NodeChanged)
    assert (event.change, event.node_id, event.peer_id) == (NodeChange.CONNECTED, bob.node.id, "bob")
    assert peers(alice) == {"alice", "bob"}


def test_presence_ends_with_the_graph(world, both):
    alice, bob = both
    node = bob.node.id
    with alice.events(NodeChanged) as events:
        bob.close()
        event = world.next(events, NodeChanged, lambda event: event.change == NodeChange.DISCONNECTED)
    assert event.node_id == node
    with fails(PEER_E_NODE_NOT_FOUND):
        alice.get_node_info(node)


def test_who_comes_late_hears_who_is_there(world, pair):
    alice, bob = pair
    world.until(bob, lambda: peers(bob))
    carol = world.open("carol")
    with carol.events(NodeChanged) as events:
        world.join(carol, alice)
        event = world.next(events, NodeChanged)
    assert (event.change, event.node_id, event.peer_id) == (NodeChange.CONNECTED, alice.node.id, "alice")


def test_ones_own_arrival_is_not_told(world, both):
    alice, _ = both
    carol = world.open("carol")
    with carol.events(NodeChanged) as events:
        world.join(carol, alice)
        world.listen(carol)
        world.until(alice, lambda: "carol" in peers(alice))
        world.passed(alice, carol)
        arrived = [event for event in events.take() if event.change == NodeChange.CONNECTED]
    assert {event.peer_id for event in arrived} == {"alice", "bob"}


# -- the text of a node ------------------------------------------------------------------------------------------------


def test_the_text_of_a_node(world, both):
    alice, bob = both
    with alice.events(NodeChanged) as events:
        bob.set_node_attributes("in the kitchen")
        event = world.next(events, NodeChanged, lambda event: event.change == NodeChange.UPDATED)
    assert (event.node_id, event.peer_id) == (bob.node.id, "bob")
    assert bob.get_node_info(0).attributes == "in the kitchen"
    assert alice.get_node_info(bob.node.id).attributes == "in the kitchen"


def test_the_text_of_a_node_is_removed(graph):
    graph.set_node_attributes("text")
    assert lib.peer_graph_set_node_attributes(graph._handle, NULL) == PEER_OK
    assert not graph.get_node_info(0).attributes


@pytest.mark.parametrize("text", ["<not & xml>", "<attributes", "Käse 𝄞", "{}", " "])
def test_the_text_of_a_node_is_any(graph, text):
    graph.set_node_attributes(text)
    assert graph.get_node_info(0).attributes == text


def test_ones_own_change_is_told(world, both):
    _, bob = both
    with bob.events(NodeChanged) as events:
        bob.set_node_attributes("new")
        event = world.next(events, NodeChanged, lambda event: event.change == NodeChange.UPDATED)
    assert (event.node_id, event.peer_id) == (0, "bob")
