"""Listening, and connections between neighbours."""

from __future__ import annotations

import contextlib
import socket
import threading

import peergraph
import pytest
from conformance.exact import NULL, ffi, lib
from conformance.worlds import GRAPH, HOUR, NOTE, OTHER, add, fails, has, port_of
from peergraph import (
    ConnectionStatus,
    GraphStatus,
    NeighbourConnection,
    RecordChange,
    RecordChanged,
    Scope,
    StatusChanged,
    Synchronized,
)
from peergraph._codes import (
    E_INVALIDARG,
    PEER_E_ALREADY_EXISTS,
    PEER_E_ALREADY_LISTENING,
    PEER_E_CONNECT_SELF,
    PEER_E_CONNECTION_FAILED,
    PEER_E_CONNECTION_NOT_AUTHENTICATED,
    PEER_E_CONNECTION_REFUSED,
    PEER_E_UNABLE_TO_LISTEN,
    PEER_OK,
)

NEIGHBOURS_MAX = 7


# -- listen ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", [Scope.GLOBAL, Scope.LOOPBACK])
def test_listen_on_any_port(graph, scope):
    graph.listen(0, scope=scope)
    assert graph.status == GraphStatus.LISTENING | GraphStatus.SYNCHRONIZED


def test_a_port_that_was_chosen_is_shown(world, graph):
    world.listen(graph)
    assert graph.get_node_info(0).addresses
    assert port_of(graph) > 0


def listen_on_a_free_port(world, graph):
    """Somebody may be faster than we are with a port that was free."""
    for _ in range(10):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with contextlib.suppress(peergraph.UnableToListen):
            world.listen(graph, port)
            return port
    raise AssertionError("ten ports were taken")


def test_a_port_that_was_asked_for_is_shown(world, graph):
    port = listen_on_a_free_port(world, graph)
    assert {int(address.rpartition(":")[2]) for address in graph.get_node_info(0).addresses} == {port}


@pytest.mark.parametrize("scope", [Scope.SITELOCAL, Scope.LINKLOCAL])
def test_every_interface_of_a_small_scope_is_too_many(graph, scope):
    with fails(E_INVALIDARG):
        graph.listen(scope=scope, scope_id=0)


def test_an_interface_that_is_none(sockets):
    """A simulated host has one address, whatever the interface."""
    graph = sockets.create()
    for scope in (Scope.GLOBAL, Scope.SITELOCAL, Scope.LINKLOCAL):
        with fails(PEER_E_UNABLE_TO_LISTEN):
            graph.listen(scope=scope, scope_id=0x7FFF_FFF0)
    assert graph.address is None


def test_one_interface_only(sockets):
    """That of this machine alone is the one which every machine has."""
    graph = sockets.create()
    graph.listen(scope_id=socket.if_nametoindex("lo"))
    assert {address.rpartition(":")[0] for address in graph.node.addresses} <= {"127.0.0.1", "[::1]"}
    bob = sockets.open("bob")
    sockets.join(bob, graph)


def test_an_unknown_scope(graph):
    with fails(E_INVALIDARG):
        graph.listen(scope=99)
    assert not graph.status & GraphStatus.LISTENING


def test_listen_twice(world, graph):
    world.listen(graph)
    with fails(PEER_E_ALREADY_LISTENING):
        world.listen(graph)


def test_the_interface_of_this_machine_alone_is_ignored(sockets):
    one, two = sockets.create(graph_id="one"), sockets.create(graph_id="two")
    one.listen(scope=Scope.LOOPBACK, scope_id=0x7FFF_FFF0)
    two.listen(port_of(one), scope=Scope.LOOPBACK)
    assert one.address == two.address


def test_two_graphs_share_a_port(world):
    one, two = world.create(graph_id="one", listen=True), world.create(graph_id="two")
    world.listen(two, port_of(one))
    assert one.address == two.address
    for graph_id in ("one", "two"):
        world.join(world.open("bob", graph_id), one)


def test_a_port_of_another_process(sockets, graph_at_a_taken_port):
    graph, port = graph_at_a_taken_port
    with fails(PEER_E_UNABLE_TO_LISTEN):
        sockets.listen(graph, port)
    assert not graph.status & GraphStatus.LISTENING


@pytest.fixture
def graph_at_a_taken_port(sockets):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield sockets.create(), taken.getsockname()[1]


def test_listening_is_told(world, graph):
    with graph.events(StatusChanged) as events:
        world.listen(graph)
        assert events.get(world.patience).status == GraphStatus.LISTENING | GraphStatus.SYNCHRONIZED


# -- connect -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def both(world):
    """Alice, who listens, and bob, who has not connected yet."""
    return world.create(listen=True), world.open()


def end_of_attempt(world, graph, address, **options):
    """Connects, and gives the event that says how the first attempt ended, and its id."""
    with graph.events(NeighbourConnection) as events:
        connection_id = graph.begin_connect(address, **options)
        return events.get(world.patience), connection_id


def test_any_peer_at_an_address(world, both):
    alice, bob = both
    event, connection_id = end_of_attempt(world, bob, alice.address, peer_id=None)
    assert (event.status, event.connection_id) == (ConnectionStatus.CONNECTED, connection_id)
    assert (event.peer_id, event.node_id) == ("alice", alice.node.id)


def test_the_place_for_the_id_may_be_missing(world, both):
    alice, bob = both
    with bob.events(NeighbourConnection) as events:
        assert lib.peer_graph_connect(bob._handle, NULL, alice.address.encode(), NULL) == PEER_OK
        assert events.get(world.patience).status == ConnectionStatus.CONNECTED


def test_both_sides_have_connections(world, both):
    alice, bob = both
    with alice.events(StatusChanged) as at_alice, bob.events(StatusChanged) as at_bob:
        bob.begin_connect(alice.address)
        for events in (at_alice, at_bob):
            world.next(events, StatusChanged, lambda event: event.status & GraphStatus.HAS_CONNECTIONS)
    assert alice.status & bob.status & GraphStatus.HAS_CONNECTIONS


def test_the_right_peer(world, both):
    alice, bob = both
    assert end_of_attempt(world, bob, alice.address, peer_id="alice")[0].status == ConnectionStatus.CONNECTED


def test_the_wrong_peer(world, both):
    alice, bob = both
    event, connection_id = end_of_attempt(world, bob, alice.address, peer_id="mallory")
    assert (event.status, event.connection_id) == (ConnectionStatus.FAILED, connection_id)
    assert event.reason < 0


@pytest.mark.parametrize("address", [None, b"", b"nowhere", b"127.0.0.1", b"127.0.0.1:0", b"127.0.0.1:65536", b"[::1"])
def test_what_is_no_address(graph, address):
    out = ffi.new("uint64_t *")
    assert lib.peer_graph_connect(graph._handle, NULL, NULL if address is None else address, out) == E_INVALIDARG


def test_a_node_of_another_graph(world):
    alice, bob = world.create(graph_id="one", listen=True), world.open("bob", "two")
    event, _ = end_of_attempt(world, bob, alice.address)
    assert (event.status, event.next_connection_id) == (ConnectionStatus.FAILED, 0)


def test_nobody_listens(world, graph):
    event, connection_id = end_of_attempt(world, graph, world.nobody())
    assert (event.status, event.connection_id) == (ConnectionStatus.FAILED, connection_id)
    assert (event.reason, event.next_connection_id) == (PEER_E_CONNECTION_FAILED, 0)


def test_oneself(world, graph):
    world.listen(graph)
    with fails(PEER_E_CONNECT_SELF):
        graph.begin_connect(graph.address)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "127.9.9.9", "0.0.0.0", "[::]"])
def test_oneself_by_an_address_of_this_machine_alone(sockets, host):
    """Who listens on every interface does so on this one, too, though others are not told."""
    graph = sockets.create()
    graph.listen()
    with fails(PEER_E_CONNECT_SELF):
        graph.begin_connect(f"{host}:{port_of(graph)}")
    with fails(PEER_E_CONNECT_SELF):
        graph.open_direct_connection(graph.peer_id, f"{host}:{port_of(graph)}")


def test_another_peer_at_ones_own_address(world, graph):
    """Several peers of one machine may listen on one port; then the name tells who is meant."""
    world.listen(graph)
    bob = world.open("bob", at="alice")
    world.join(bob, graph)
    world.listen(bob, port_of(graph))
    carol = world.open("carol", at="alice")
    world.join(carol, graph)
    world.listen(carol, port_of(graph))
    assert len({each.address for each in (graph, bob, carol)}) == 1
    carol.connect(carol.address, peer_id="bob", timeout=world.patience)
    assert {each.peer_id for each in carol.connections()} == {"alice", "bob"}
    with fails(PEER_E_ALREADY_EXISTS):
        carol.begin_connect(carol.address, peer_id="alice")
    for peer_id in (None, "carol"):
        with fails(PEER_E_CONNECT_SELF):
            carol.begin_connect(carol.address, peer_id=peer_id)


def test_a_neighbour_again(pair):
    alice, bob = pair
    with fails(PEER_E_ALREADY_EXISTS):
        bob.begin_connect(alice.address)
    assert bob.status & GraphStatus.HAS_CONNECTIONS


def test_a_second_node(world):
    alice = world.create(listen=True, manual=True)
    bob, carol = world.open("bob", manual=True), world.open("carol", manual=True)
    world.join(bob, alice)
    world.listen(bob)
    world.join(carol, alice)
    assert end_of_attempt(world, carol, bob.address)[0].status == ConnectionStatus.CONNECTED
    assert {info.peer_id for info in carol.connections()} == {"alice", "bob"}


def test_a_full_node_refers_to_others(world):
    hub = world.create("hub", listen=True, manual=True)
    for number in range(NEIGHBOURS_MAX):
        leaf = world.open(f"leaf{number}", manual=True)
        world.join(leaf, hub)
        world.listen(leaf)
    late = world.open("late")
    with late.events(NeighbourConnection) as events:
        wanted = late.begin_connect(hub.address)
        refused = events.get(world.patience)
        assert (refused.status, refused.connection_id) == (ConnectionStatus.FAILED, wanted)
        assert refused.reason == PEER_E_CONNECTION_REFUSED
        assert refused.next_connection_id not in (0, wanted)
        made = world.next(events, NeighbourConnection, lambda event: event.connection_id == refused.next_connection_id)
        assert made.status == ConnectionStatus.CONNECTED
        assert made.peer_id.startswith("leaf")


def test_the_other_side_hangs_up_during_authentication(sockets):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up():
            connection, _ = server.accept()
            with connection:
                connection.recv(1)

        thread = threading.Thread(target=hang_up)
        thread.start()
        event, _ = end_of_attempt(sockets, sockets.create(), f"127.0.0.1:{server.getsockname()[1]}")
        thread.join(sockets.patience)
    assert (event.status, event.reason) == (ConnectionStatus.FAILED, PEER_E_CONNECTION_NOT_AUTHENTICATED)


def test_the_network_fails_during_authentication(simulator):
    alice, bob = simulator.create(listen=True), simulator.open()
    network = simulator.network
    with network.intercept(dst=network.host("alice")) as caught, bob.events(NeighbourConnection) as events:
        bob.begin_connect(alice.address)
        network.run_until(lambda: caught.held)
        network.host("alice").reset_connections()
        event = events.get(simulator.patience)
    assert (event.status, event.reason) == (ConnectionStatus.FAILED, PEER_E_CONNECTION_NOT_AUTHENTICATED)


# -- what comes with the first connection ------------------------------------------------------------------------------


def test_the_properties_come(world):
    alice = world.create(
        listen=True, friendly_name="Film club", comment="on Fridays", scope=Scope.GLOBAL, max_record_size=5000
    )
    bob = world.open()
    world.join(bob, alice)
    assert bob.properties == alice.properties
    assert (bob.properties.graph_id, bob.properties.creator_id) == (GRAPH, "alice")
    assert (bob.properties.friendly_name, bob.properties.comment) == ("Film club", "on Fridays")


def test_the_records_come_as_events(world, both):
    alice, bob = both
    ids = {add(alice, b"%d" % number) for number in range(10)}
    with bob.events(RecordChanged, StatusChanged) as events:
        world.join(bob, alice)
        told = events.take(1000)
    changes = [event for event in told if isinstance(event, RecordChanged)]
    assert {event.record_id for event in changes} == ids
    assert {event.change for event in changes} == {RecordChange.ADDED}
    ready = next(
        i
        for i, event in enumerate(told)
        if isinstance(event, StatusChanged) and event.status & GraphStatus.SYNCHRONIZED
    )
    assert all(told.index(event) < ready for event in changes)


def test_synchronization_is_told(world, both):
    alice, bob = both
    with bob.events(StatusChanged) as events:
        bob.begin_connect(alice.address)
        event = world.next(events, StatusChanged, lambda event: event.status & GraphStatus.SYNCHRONIZED)
        assert event.status & GraphStatus.HAS_CONNECTIONS


def test_without_precedence_no_type_is_told(world, both):
    alice, bob = both
    add(alice)
    with bob.events(Synchronized) as events:
        world.join(bob, alice)
        assert events.take() == []


def test_with_precedence_each_type_is_told_in_order(world):
    alice = world.create(listen=True)
    bob = world.open(precedence=[OTHER, NOTE])
    with bob.events(Synchronized) as events:
        world.join(bob, alice)
        assert [event.record_type for event in events.take()] == [OTHER, NOTE]


def test_what_changed_while_away(world, pair):
    alice, bob = pair
    kept, changed, deleted = (add(alice, b"at first") for _ in range(3))
    world.passed(alice, bob)
    with alice.events(NeighbourConnection) as events:
        bob.close()
        world.next(events, NeighbourConnection, lambda event: event.status == ConnectionStatus.DISCONNECTED)
    alice.update_record(changed, data=b"by alice")
    alice.delete_record(deleted)
    late = add(alice, b"late")
    bob = world.open("bob")
    expected = {
        (RecordChange.UPDATED, changed),
        (RecordChange.DELETED, deleted),
        (RecordChange.ADDED, late),
    }
    with bob.events(RecordChanged) as events:
        bob.connect(alice.address, timeout=world.patience)
        seen = set()
        while seen < expected:
            event = world.next(events, RecordChanged)
            seen.add((event.change, event.record_id))
    assert seen == expected
    assert bob.get_record(changed).data == b"by alice"
    assert has(bob, kept)


def test_both_sides_give_what_the_other_lacks(world, pair):
    alice, bob = pair
    bob.close()
    world.until(alice, lambda: not alice.connections())
    bob = world.open("bob")
    from_bob, from_alice = add(bob), add(alice)
    bob.connect(alice.address, timeout=world.patience)
    world.until(alice, lambda: has(alice, from_bob))
    world.until(bob, lambda: has(bob, from_alice))
    assert bob.get_record(from_alice).expires - bob.get_record(from_alice).created <= HOUR
    assert isinstance(bob.get_record(from_alice), peergraph.Record)
