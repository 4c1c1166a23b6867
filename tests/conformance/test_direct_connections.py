"""Direct connections, and data over these and over neighbour connections."""

from __future__ import annotations

import uuid

import pytest
from conformance.exact import NULL, gives, guid, lib
from conformance.worlds import NOTE, OTHER, fails
from peergraph import ConnectionFlag, ConnectionStatus, DirectConnection, IncomingData, NeighbourConnection
from peergraph._codes import (
    E_INVALIDARG,
    PEER_E_CONNECT_SELF,
    PEER_E_CONNECTION_FAILED,
    PEER_E_CONNECTION_NOT_FOUND,
    PEER_E_CONNECTION_REFUSED,
    PEER_OK,
)

NEIGHBOURS_MAX = 7
PING = uuid.UUID("0ccbb0d2-be41-4bd6-914b-058ec5dcce64")
NOBODY = 77


@pytest.fixture
def ready(world, pair):
    """Alice and bob, and queues of direct connections and data of both."""
    alice, bob = pair
    with (
        alice.events(DirectConnection, IncomingData) as at_alice,
        bob.events(DirectConnection, IncomingData) as at_bob,
    ):
        yield alice, bob, at_alice, at_bob


@pytest.fixture
def channel(world, ready):
    """A direct connection that is up: the graphs, their queues, and its id on either side."""
    alice, bob, at_alice, at_bob = ready
    bobs = bob.open_direct_connection("alice", alice.address)
    assert world.next(at_bob, DirectConnection).status == ConnectionStatus.CONNECTED
    alices = world.next(at_alice, DirectConnection).connection_id
    return alice, bob, at_alice, at_bob, alices, bobs


def end_of_attempt(world, graph, peer_id, address):
    with graph.events(DirectConnection) as events:
        connection_id = graph.open_direct_connection(peer_id, address)
        event = events.get(world.patience)
    assert event.connection_id == connection_id
    return event


# -- open --------------------------------------------------------------------------------------------------------------


def test_both_sides_hear_of_it(world, ready):
    alice, bob, at_alice, at_bob = ready
    connection_id = bob.open_direct_connection("alice", alice.address)
    event = world.next(at_bob, DirectConnection)
    assert (event.status, event.connection_id) == (ConnectionStatus.CONNECTED, connection_id)
    assert (event.peer_id, event.node_id) == ("alice", alice.node.id)
    event = world.next(at_alice, DirectConnection)
    assert (event.status, event.peer_id, event.node_id) == (ConnectionStatus.CONNECTED, "bob", bob.node.id)


def test_only_who_is_registered_accepts(world, pair):
    alice, bob = pair
    event = end_of_attempt(world, bob, "alice", alice.address)
    assert (event.status, event.reason) == (ConnectionStatus.FAILED, PEER_E_CONNECTION_REFUSED)
    with alice.events(DirectConnection):
        assert end_of_attempt(world, bob, "alice", alice.address).status == ConnectionStatus.CONNECTED


def test_to_oneself(world, ready):
    alice, *_ = ready
    with fails(PEER_E_CONNECT_SELF):
        alice.open_direct_connection("alice", alice.address)


def test_to_nobody(world, pair):
    event = end_of_attempt(world, pair[0], "bob", world.nobody())
    assert (event.status, event.reason) == (ConnectionStatus.FAILED, PEER_E_CONNECTION_FAILED)


def test_peer_and_address_are_required(graph):
    def call(peer_id, address, out):
        return lib.peer_graph_open_direct_connection(graph._handle, peer_id, address, out)

    for peer_id, address in ((NULL, b"[::1]:9"), (b"", b"[::1]:9"), (b"bob", NULL), (b"bob", b"nowhere")):
        assert gives("uint64_t *", lambda out, given=(peer_id, address): call(*given, out)) == E_INVALIDARG
    assert call(b"bob", b"[::1]:9", NULL) == E_INVALIDARG


def test_another_peer_is_there(world, ready):
    alice, bob, *_ = ready
    event = end_of_attempt(world, bob, "carol", alice.address)
    assert event.status == ConnectionStatus.FAILED
    assert event.reason < 0


def test_a_node_that_is_full_of_neighbours(world):
    hub = world.create("hub", listen=True, manual=True)
    for number in range(NEIGHBOURS_MAX):
        world.join(world.open(f"leaf{number}", manual=True), hub)
    stranger = world.open("stranger", manual=True)
    with hub.events(DirectConnection):
        assert end_of_attempt(world, stranger, "hub", hub.address).status == ConnectionStatus.CONNECTED
    assert len(hub.connections(ConnectionFlag.NEIGHBOR)) == NEIGHBOURS_MAX


def test_before_the_first_synchronization(world):
    alice, bob = world.create(listen=True), world.open()
    with alice.events(DirectConnection):
        assert end_of_attempt(world, bob, "alice", alice.address).status == ConnectionStatus.CONNECTED
    assert bob.status == 0 or bob.is_new


# -- data --------------------------------------------------------------------------------------------------------------


def test_data_arrive_as_they_are(world, channel):
    _, bob, at_alice, _, alices, bobs = channel
    data = bytes(range(256))
    bob.send_data(bobs, NOTE, data)
    event = at_alice.get(world.patience)
    assert isinstance(event, IncomingData)
    assert (event.data, event.data_type, event.connection_id) == (data, NOTE, alices)


def test_data_over_a_neighbour_connection(world, ready):
    alice, bob, at_alice, at_bob = ready
    (at_bobs_side,) = bob.connections(ConnectionFlag.NEIGHBOR)
    bob.send_data(at_bobs_side.id, OTHER, b"to alice")
    event = world.next(at_alice, IncomingData)
    (at_alices_side,) = alice.connections(ConnectionFlag.NEIGHBOR)
    assert (event.data, event.data_type, event.connection_id) == (b"to alice", OTHER, at_alices_side.id)
    alice.send_data(at_alices_side.id, OTHER, b"to bob")
    assert world.next(at_bob, IncomingData).data == b"to bob"


def test_who_is_not_registered_gets_no_data(world, pair):
    alice, bob = pair
    with alice.events(DirectConnection) as at_alice:
        event = end_of_attempt(world, bob, "alice", alice.address)
        bob.send_data(event.connection_id, NOTE, b"lost")
        world.passed(bob, alice)
        bob.close_direct_connection(event.connection_id)
        world.next(at_alice, DirectConnection, lambda event: event.status == ConnectionStatus.DISCONNECTED)
        assert at_alice.take() == []


def test_data_in_both_directions(world, channel):
    alice, bob, at_alice, at_bob, alices, bobs = channel
    bob.send_data(bobs, NOTE, b"question")
    assert at_alice.get(world.patience).data == b"question"
    alice.send_data(alices, NOTE, b"answer")
    assert at_bob.get(world.patience).data == b"answer"


@pytest.mark.parametrize("size", [32_768, 100_000, 4 << 20])
def test_data_of_many_frames(world, channel, size):
    _, bob, at_alice, _, _, bobs = channel
    data = (bytes(range(251)) * (size // 251 + 1))[:size]
    bob.send_data(bobs, NOTE, data)
    assert at_alice.get(world.patience).data == data


def test_data_that_are_too_large(channel):
    _, bob, _, _, _, bobs = channel
    with fails(E_INVALIDARG):
        bob.send_data(bobs, NOTE, bytes((4 << 20) + 1))


def test_data_need_a_type(channel):
    _, bob, _, _, _, bobs = channel
    assert lib.peer_graph_send_data(bob._handle, bobs, NULL, b"x", 1) == E_INVALIDARG
    assert lib.peer_graph_send_data(bob._handle, bobs, guid(NOTE), NULL, 1) == E_INVALIDARG


def test_the_type_of_the_ping_is_reserved(channel, pair):
    _, bob, _, _, _, bobs = channel
    for connection in (bobs, bob.connections(ConnectionFlag.NEIGHBOR)[0].id):
        with fails(E_INVALIDARG):
            bob.send_data(connection, PING, b"x")


def test_data_to_an_unknown_connection(graph):
    with fails(PEER_E_CONNECTION_NOT_FOUND):
        graph.send_data(NOBODY, NOTE, b"x")


def test_what_no_connection_takes_before_an_unknown_one(graph):
    """4.4: content before what is not found."""
    with fails(E_INVALIDARG):
        graph.send_data(NOBODY, PING, b"x")
    with fails(E_INVALIDARG):
        graph.send_data(NOBODY, NOTE, bytes((4 << 20) + 1))


def test_data_to_a_closed_connection(world, channel):
    alice, bob, at_alice, _, alices, bobs = channel
    bob.close_direct_connection(bobs)
    with fails(PEER_E_CONNECTION_NOT_FOUND):
        bob.send_data(bobs, NOTE, b"x")
    world.next(at_alice, DirectConnection, lambda event: event.status == ConnectionStatus.DISCONNECTED)
    with fails(PEER_E_CONNECTION_NOT_FOUND):
        alice.send_data(alices, NOTE, b"x")


def test_no_data_at_all(world, channel):
    _, bob, at_alice, _, _, bobs = channel
    assert lib.peer_graph_send_data(bob._handle, bobs, guid(NOTE), NULL, 0) == PEER_OK
    event = at_alice.get(world.patience)
    assert (event.data, event.data_type) == (b"", NOTE)


def test_data_arrive_in_order(world, channel):
    _, bob, at_alice, _, _, bobs = channel
    sent = [b"%d" % number * (number * 37 % 500 + 1) for number in range(200)]
    for data in sent:
        bob.send_data(bobs, NOTE, data)
    assert [at_alice.get(world.patience).data for _ in sent] == sent


# -- close -------------------------------------------------------------------------------------------------------------


def test_both_sides_hear_of_the_end(world, channel):
    _, bob, at_alice, at_bob, alices, bobs = channel
    bob.close_direct_connection(bobs)
    for events, connection_id in ((at_alice, alices), (at_bob, bobs)):
        event = world.next(events, DirectConnection)
        assert (event.status, event.connection_id) == (ConnectionStatus.DISCONNECTED, connection_id)


def test_close_of_what_is_none(world, channel):
    _, bob, _, _, _, bobs = channel
    bob.close_direct_connection(bobs)
    for connection in (bobs, NOBODY, 0):
        with fails(PEER_E_CONNECTION_NOT_FOUND):
            bob.close_direct_connection(connection)


def test_close_of_a_neighbour_connection(pair):
    """There is no way to close a single neighbour connection."""
    (neighbour,) = pair[1].connections(ConnectionFlag.NEIGHBOR)
    with fails(E_INVALIDARG, PEER_E_CONNECTION_NOT_FOUND):
        pair[1].close_direct_connection(neighbour.id)
    assert pair[1].connections() == [neighbour]


def test_the_receiver_closes_after_the_first_message(world, channel):
    alice, bob, at_alice, at_bob, alices, bobs = channel
    bob.send_data(bobs, NOTE, b"first")
    event = at_alice.get(world.patience)
    alice.close_direct_connection(alices)
    assert event.data == b"first"
    gone = world.next(at_bob, DirectConnection)
    assert (gone.status, gone.connection_id) == (ConnectionStatus.DISCONNECTED, bobs)


def test_the_graph_of_the_other_side_closes(world, channel):
    alice, _, _, at_bob, _, bobs = channel
    alice.close()
    gone = world.next(at_bob, DirectConnection)
    assert (gone.status, gone.connection_id) == (ConnectionStatus.DISCONNECTED, bobs)


def test_events_of_neighbours_are_others(world, ready):
    alice, bob, *_ = ready
    with alice.events(NeighbourConnection) as events:
        assert end_of_attempt(world, bob, "alice", alice.address).status == ConnectionStatus.CONNECTED
        world.passed(bob, alice)
        assert events.take() == []
