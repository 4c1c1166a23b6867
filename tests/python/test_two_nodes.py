"""Nodes in one process, each in a runtime of its own, connected over the loopback interface."""

from __future__ import annotations

import socket
import threading
from datetime import timedelta

import peergraph
import pytest
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
from python.scene import HOUR, NOTE, OTHER, PATIENCE, join, wait_for, wait_until


def ids(graph):
    return {record.id for record in graph.records()}


def test_changes_reach_the_other_node(pair):
    alice, bob = pair
    for here, there in (pair, pair[::-1]):
        with there.events(RecordChanged) as events:
            record_id = here.add_record(type=NOTE, data=b"hello", attributes={"room": "lobby"}, lifetime=HOUR)
            added = wait_for(events, lambda event, wanted=record_id: event.record_id == wanted)
            assert added.change == RecordChange.ADDED
            assert there.get_record(record_id) == here.get_record(record_id)
            assert there.get_record(record_id).creator_id == here.peer_id
            there.update_record(record_id, data=b"from there")
            wait_for(events, lambda event: event.change == RecordChange.UPDATED)
            with here.events(RecordChanged) as echo:
                if here.get_record(record_id).data != b"from there":
                    wait_for(echo, lambda event: event.change == RecordChange.UPDATED)
            assert here.get_record(record_id) == there.get_record(record_id)
            assert here.get_record(record_id).modifier_id == there.peer_id
            here.delete_record(record_id)
            wait_for(events, lambda event: event.change == RecordChange.DELETED)
            with pytest.raises(peergraph.RecordNotFound):
                there.get_record(record_id)
    assert ids(alice) == ids(bob) == set()


def test_what_was_there_before_is_synchronized(create_graph, open_graph):
    alice = create_graph("alice", listen=False)
    there = {alice.add_record(type=NOTE, data=b"%d" % i, lifetime=HOUR) for i in range(500)}
    alice.listen(scope=Scope.LOOPBACK)
    bob = open_graph("bob")
    assert bob.is_new
    with bob.events() as events:
        bob.connect(alice.address)
        taken = wait_until(events, lambda: bob.status & GraphStatus.SYNCHRONIZED) + events.take(10_000)
    assert ids(bob) == there
    assert {event.record_id for event in taken if isinstance(event, RecordChanged)} == there
    assert all(event.change == RecordChange.ADDED for event in taken if isinstance(event, RecordChanged))
    assert any(isinstance(event, NeighbourConnection) for event in taken)


def test_properties_reach_the_other_node(create_graph, open_graph):
    alice = create_graph("alice", friendly_name="Fred", comment="c", presence_max=5)
    bob = open_graph("bob")
    join(bob, alice)
    assert bob.properties == alice.properties


def test_both_sides_hear_of_the_connection(create_graph, open_graph):
    alice = create_graph("alice")
    bob = open_graph("bob")
    with alice.events(NeighbourConnection, StatusChanged) as at_alice, bob.events(NeighbourConnection) as at_bob:
        connection = bob.begin_connect(alice.address, peer_id="alice")
        mine = at_bob.get(PATIENCE)
        theirs = wait_for(at_alice, lambda event: isinstance(event, NeighbourConnection))
        assert (mine.status, mine.connection_id) == (ConnectionStatus.CONNECTED, connection)
        assert (mine.node_id, mine.peer_id) == (alice.node.id, "alice")
        assert (theirs.status, theirs.node_id) == (ConnectionStatus.CONNECTED, bob.node.id)
        wait_until(at_alice, lambda: alice.status & GraphStatus.HAS_CONNECTIONS)
        bob.close()
        gone = wait_for(at_alice, lambda event: isinstance(event, NeighbourConnection))
        assert (gone.status, gone.connection_id) == (ConnectionStatus.DISCONNECTED, theirs.connection_id)
        wait_until(at_alice, lambda: not alice.status & GraphStatus.HAS_CONNECTIONS)


def test_a_second_connection_to_a_node_is_refused(pair):
    alice, bob = pair
    with pytest.raises(peergraph.AlreadyExists):
        bob.connect(alice.address)


def test_nobody_answers(graph):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"  # bound, and not listening
        with graph.events(NeighbourConnection) as events:
            connection = graph.begin_connect(address)
            event = events.get(PATIENCE)
    assert (event.status, event.connection_id) == (ConnectionStatus.FAILED, connection)
    assert event.next_connection_id == 0
    assert isinstance(event.error, peergraph.ConnectionFailed)
    assert address in event.message


def test_who_answers_is_not_of_the_graph(create_graph, open_graph):
    alice = create_graph("alice", "one graph")
    bob = open_graph("bob", "another graph")
    with pytest.raises(peergraph.ConnectionFailed):
        bob.connect(alice.address, timeout=PATIENCE)


def test_who_answers_speaks_nonsense(graph):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 100)
                connection.recv(1)

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(peergraph.ConnectionFailed):
            graph.connect(f"127.0.0.1:{server.getsockname()[1]}", timeout=PATIENCE)
        thread.join(PATIENCE)


def test_after_a_while_apart_both_sides_catch_up(create_graph, open_runtime):
    alice = create_graph("alice")
    runtime = open_runtime("bob")
    bob = runtime.open_graph("film club", peer_id="bob")
    kept, changed, deleted = (alice.add_record(type=NOTE, data=b"at first", lifetime=HOUR) for _ in range(3))
    join(bob, alice)
    assert ids(bob) == {kept, changed, deleted}
    with alice.events(NeighbourConnection) as events:
        bob.close()
        wait_for(events, lambda event: event.status == ConnectionStatus.DISCONNECTED)
    alice.update_record(changed, data=b"by alice")
    from_alice = alice.add_record(type=NOTE, lifetime=HOUR)
    bob = runtime.open_graph("film club", peer_id="bob")
    assert not bob.is_new
    bob.delete_record(deleted)
    from_bob = bob.add_record(type=OTHER, lifetime=HOUR)
    with alice.events(RecordChanged) as at_alice, bob.events(RecordChanged) as at_bob:
        bob.connect(alice.address)
        expected = {kept, changed, from_alice, from_bob}
        wait_until(at_alice, lambda: ids(alice) == expected)
        wait_until(at_bob, lambda: ids(bob) == expected and bob.get_record(changed).data == b"by alice")
    assert {record.id: record for record in alice.records()} == {record.id: record for record in bob.records()}
    bob.close()


def test_three_in_a_line(create_graph, open_graph):
    alice = create_graph("alice")
    bob = open_graph("bob")
    join(bob, alice)
    bob.listen(scope=Scope.LOOPBACK)
    carol = open_graph("carol")
    join(carol, bob)
    nodes = (alice, bob, carol)
    subscriptions = [node.events(RecordChanged) for node in nodes]
    expected = {node.add_record(type=NOTE, data=node.peer_id.encode(), lifetime=HOUR) for node in nodes}
    for node, events in zip(nodes, subscriptions, strict=True):
        wait_until(events, lambda node=node: ids(node) == expected)
        events.close()
    assert {record.creator_id for record in alice.records()} == {"alice", "bob", "carol"}


def test_types_that_come_first(create_graph, open_graph):
    alice = create_graph("alice")
    for _ in range(20):
        alice.add_record(type=NOTE, lifetime=HOUR)
        alice.add_record(type=OTHER, lifetime=HOUR)
    bob = open_graph("bob", precedence=[OTHER, NOTE])
    with bob.events(RecordChanged, Synchronized, StatusChanged) as events:
        bob.connect(alice.address)
        taken = wait_until(events, lambda: bob.status & GraphStatus.SYNCHRONIZED) + events.take(1000)
    order = [event.record_type for event in taken if isinstance(event, Synchronized)]
    assert order == [OTHER, NOTE]
    seen = 0
    for event in taken:
        if isinstance(event, Synchronized) and event.record_type == OTHER:
            assert seen == 20  # it never overtakes
        seen += isinstance(event, RecordChanged) and event.record_type == OTHER


def test_a_large_record_travels(create_graph, open_graph):
    alice = create_graph("alice")
    bob = open_graph("bob")
    data = bytes(range(256)) * (4 * 4096 - 1)
    record_id = alice.add_record(type=NOTE, data=data, lifetime=HOUR)
    join(bob, alice)
    assert bob.get_record(record_id).data == data
    with alice.events(RecordChanged) as events:
        other = bob.add_record(type=NOTE, data=data[::-1], lifetime=HOUR)
        wait_for(events, lambda event: event.record_id == other)
        assert alice.get_record(other).data == data[::-1]


def test_an_ipv6_address(create_graph, open_graph):
    alice = create_graph("alice")
    addresses = [address for address in alice.node.addresses if address.startswith("[::1]:")]
    if not addresses:
        pytest.skip("there is no IPv6 here")
    bob = open_graph("bob")
    assert bob.connect(addresses[0], timeout=PATIENCE).peer_id == "alice"


def test_a_name_instead_of_an_address(create_graph, open_graph):
    alice = create_graph("alice")
    bob = open_graph("bob")
    made = bob.connect(f"localhost:{alice.address.rsplit(':', 1)[1]}", timeout=PATIENCE)
    assert (made.status, made.node_id) == (ConnectionStatus.CONNECTED, alice.node.id)
    with pytest.raises(peergraph.ConnectionFailed, match=r"no-such-host\.invalid"):
        bob.connect("no-such-host.invalid:5000", timeout=PATIENCE)


def test_a_wait_for_a_connection_may_end_early(graph):
    """Somebody accepts the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(TimeoutError, match=rf'no connection to "{address}" after 0\.05 s'):
            graph.connect(address, timeout=0.05)
        closer = threading.Timer(0.05, graph.close)
        closer.start()
        with pytest.raises((peergraph.GraphShuttingDown, peergraph.InvalidGraph)):
            graph.connect(address, timeout=PATIENCE)
        closer.join()


def test_peer_time_is_shared(pair):
    alice, bob = pair
    before, theirs, after = alice.now(), bob.now(), alice.now()
    assert before - timedelta(seconds=1) < theirs < after + timedelta(seconds=1)
