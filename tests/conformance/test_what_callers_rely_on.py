"""What real programs rely on where the reference pages are vague; each fact has a test that is named for it."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from conformance.exact import NULL, ffi, lib
from conformance.worlds import GRAPH, NOTE, add, fails, has, port_of
from peergraph import (
    Closed,
    ConnectionStatus,
    DirectConnection,
    GraphStatus,
    IncomingData,
    NeighbourConnection,
    NodeChange,
    NodeChanged,
    RecordChange,
    RecordChanged,
    StatusChanged,
)
from peergraph._codes import (
    PEER_E_CONNECT_SELF,
    PEER_E_CONNECTION_NOT_FOUND,
    PEER_E_DATABASE_NOT_PRESENT,
    PEER_E_FILE_NOT_FOUND,
    PEER_OK,
)


def test_delete_before_every_create_does_no_harm(world):
    runtime = world.runtime()
    for _ in range(2):
        with contextlib.suppress(FileNotFoundError):
            runtime.delete_graph(GRAPH, peer_id="alice")
        world.create().close()
    add_to = world.create(graph_id="another")
    record_id = add(add_to)
    with fails(PEER_E_DATABASE_NOT_PRESENT, PEER_E_FILE_NOT_FOUND):
        runtime.delete_graph("unknown", peer_id="alice")
    assert has(add_to, record_id)


def test_zeros_and_no_comment_are_accepted(world):
    texts = [ffi.new("char[]", text) for text in (GRAPH.encode(), b"alice", b"Film club")]
    given = ffi.new(
        "peer_graph_properties_input *",
        {"graph_id": texts[0], "creator_id": texts[1], "friendly_name": texts[2], "presence_max": -1},
    )
    given.struct_size = ffi.sizeof("peer_graph_properties_input")
    out = ffi.new("peer_graph **")
    assert lib.peer_graph_create(world.runtime()._handle, given, NULL, NULL, out) == PEER_OK
    assert lib.peer_graph_close(out[0]) == PEER_OK
    assert world.open("alice").properties.comment is None


def test_connect_with_null_peer_and_null_id(world):
    alice, bob = world.create(listen=True), world.open()
    with bob.events(NeighbourConnection) as events:
        assert lib.peer_graph_connect(bob._handle, NULL, alice.address.encode(), NULL) == PEER_OK
        event = events.get(world.patience)
    assert (event.status, event.peer_id) == (ConnectionStatus.CONNECTED, "alice")
    assert event.connection_id != 0


def test_an_address_right_after_listen(world, graph):
    world.listen(graph, 0)
    addresses = graph.get_node_info(0).addresses
    assert addresses
    assert {int(address.rpartition(":")[2]) for address in addresses} == {port_of(graph)}
    assert port_of(graph) != 0


def test_listen_within_the_handling_of_an_event(world):
    alice, bob = world.create(listen=True), world.open()
    with bob.events(StatusChanged) as events:
        bob.begin_connect(alice.address)
        world.next(events, StatusChanged, lambda event: event.status & GraphStatus.SYNCHRONIZED)
        world.listen(bob)
        world.next(events, StatusChanged, lambda event: event.status & GraphStatus.LISTENING)
    world.join(world.open("carol"), bob)


def test_node_id_0_is_oneself_and_the_returned_id_is_that_of_others(world):
    alice, bob = world.create(listen=True), world.open()
    with alice.events(NeighbourConnection) as connected, alice.events(NodeChanged) as changed:
        world.join(bob, alice)
        world.listen(bob)
        in_connection = world.next(connected, NeighbourConnection).node_id
        in_change = world.next(changed, NodeChanged, lambda event: event.peer_id == "bob").node_id
    own = bob.get_node_info(0).id
    assert own != 0
    assert own == in_connection == in_change
    assert own == bob.get_node_info(own).id == alice.get_node_info(own).id
    assert own in {info.node_id for info in alice.connections()}
    with bob.events(NodeChanged) as events:
        bob.set_node_attributes("changed")
        event = world.next(events, NodeChanged, lambda event: event.change == NodeChange.UPDATED)
    assert event.node_id == 0


def test_ones_own_adds_come_back_as_events(world, pair):
    for graph in pair:
        with graph.events(RecordChanged) as events:
            record_id = add(graph)
            event = world.next(events, RecordChanged, lambda event, wanted=record_id: event.record_id == wanted)
            assert event.change == RecordChange.ADDED


@pytest.mark.parametrize("at_once", [1, 3, 1000])
def test_items_are_asked_for_one_some_or_all_and_live_on(graph, at_once):
    ids = {add(graph) for _ in range(7)}
    found = []
    enumeration = graph.enum_records()
    while items := enumeration.get_next_item(at_once):
        assert len(items) <= at_once
        found += items
    enumeration.end_enumeration()
    for record in found:
        graph.delete_record(record)
    assert {record.id for record in found} == ids
    assert {record.data for record in found} == {b"text"}


def test_the_queue_is_drained_at_each_signal(world, graph):
    with graph.register_event(RecordChanged) as queue:
        ids = [add(graph) for _ in range(5)]
        assert queue.wait(world.patience)
        drained = list(iter(queue.get_event_data, None))
        assert [event.record_id for event in drained] == ids
        assert not queue.wait(0)
        late = add(graph)
        assert queue.wait(world.patience)
        assert queue.get_event_data().record_id == late


def test_a_receiver_closes_within_the_handling_of_its_first_message(world, pair):
    alice, bob = pair
    with alice.events(DirectConnection, IncomingData) as at_alice, bob.events(DirectConnection) as at_bob:
        connection_id = bob.open_direct_connection("alice", alice.address)
        world.next(at_bob, DirectConnection)
        for number in range(3):
            bob.send_data(connection_id, NOTE, b"%d" % number)
        event = world.next(at_alice, IncomingData)
        alice.close_direct_connection(event.connection_id)
        assert (event.data, event.data_type) == (b"0", NOTE)
        assert world.next(at_bob, DirectConnection).status == ConnectionStatus.DISCONNECTED
    assert add(alice)


def test_sending_right_after_opening_is_defined(world, pair):
    alice, bob = pair
    with alice.events(DirectConnection), bob.events(DirectConnection) as events:
        connection_id = bob.open_direct_connection("alice", alice.address)
        with contextlib.suppress(LookupError):
            bob.send_data(connection_id, NOTE, b"early")
        assert world.next(events, DirectConnection).status == ConnectionStatus.CONNECTED
        bob.send_data(connection_id, NOTE, b"now")


def test_sending_before_the_connection_is_up_fails(simulator):
    alice, bob = simulator.pair()
    with alice.events(DirectConnection):
        connection_id = bob.open_direct_connection("alice", alice.address)
        with fails(PEER_E_CONNECTION_NOT_FOUND):
            bob.send_data(connection_id, NOTE, b"early")


@pytest.mark.parametrize("order", list(itertools.permutations(["queue", "graph", "runtime"])), ids="-".join)
def test_cleanup_in_any_order(world, order):
    runtime = world.runtime()
    world.runtime("other")  # keeps the library alive
    graph = runtime.create_graph(GRAPH, peer_id="alice")
    queue = graph.register_event()
    add(graph)
    ends = {"queue": queue.unregister_event, "graph": graph.close, "runtime": runtime.close}
    for name in order:
        if name == "queue" and order.index("queue") > 0:
            assert isinstance(queue.get_event_batch()[-1], Closed)
        ends[name]()
    assert len(list(world.open("alice").records())) == 1


def test_whispering_to_oneself(world, graph):
    world.listen(graph)
    with fails(PEER_E_CONNECT_SELF):
        graph.open_direct_connection("alice", graph.address)
