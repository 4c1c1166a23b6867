"""Graphs are opened, and what works before they were ever synchronized."""

from __future__ import annotations

import uuid

import pytest
from conformance.exact import NULL, ffi, lib
from conformance.worlds import GRAPH, HOUR, NOTE, OTHER, add, fails, has
from peergraph import GraphStatus, RecordChange, RecordChanged, StatusChanged, Synchronized
from peergraph._codes import (
    E_INVALIDARG,
    PEER_E_DBNAME_CHANGED,
    PEER_E_GRAPH_NOT_READY,
)

UNKNOWN = uuid.UUID("ffffffff-0000-4000-8000-000000000000")


def test_a_graph_that_is_not_here_is_new(new):
    assert new.is_new
    assert new.status == 0


def test_records_are_readable_at_once(world, graph):
    record_id = add(graph)
    graph.close()
    again = world.open("alice")
    assert not again.is_new
    assert again.get_record(record_id).data == b"text"


def test_who_joined_finds_everything_again(world, pair):
    _, bob = pair
    record_id = add(bob)
    bob.close()
    again = world.open("bob")
    assert not again.is_new
    assert (again.get_record(record_id).data, again.properties.creator_id) == (b"text", "alice")
    add(again, b"offline")


def test_what_was_never_synchronized_stays_new(world, new):
    new.close()
    again = world.open()
    assert again.is_new
    with fails(PEER_E_GRAPH_NOT_READY):
        add(again)


def precedence_call(world, count, types):
    out = ffi.new("peer_graph **")
    return lib.peer_graph_open(world.runtime()._handle, b"g", b"p", NULL, NULL, count, types, out)


def test_a_precedence_without_types(world):
    types = ffi.new("peer_guid[1]")
    assert precedence_call(world, 0, types) == E_INVALIDARG
    assert precedence_call(world, 1, NULL) == E_INVALIDARG


@pytest.mark.parametrize("ids", [(None, b"p"), (b"", b"p"), (b"g", None), (b"g", b""), (b"g", b"p" * 256)])
def test_graph_and_peer_are_required(world, ids):
    graph_id, peer_id = (NULL if each is None else each for each in ids)
    out = ffi.new("peer_graph **")
    runtime = world.runtime()._handle
    assert lib.peer_graph_open(runtime, graph_id, peer_id, NULL, NULL, 0, NULL, out) == E_INVALIDARG
    assert lib.peer_graph_open(runtime, b"g", b"p", NULL, NULL, 0, NULL, NULL) == E_INVALIDARG


def test_types_come_first_and_are_told(world):
    alice = world.create(listen=True)
    for record_type in (OTHER, NOTE, uuid.uuid4()):
        add(alice, type=record_type)
    bob = world.open(precedence=[NOTE, OTHER])
    with bob.events(Synchronized, RecordChanged, StatusChanged) as events:
        bob.connect(alice.address, timeout=world.patience)
        bob.synchronized(world.patience)
        told = events.take(1000)
    types = [event.record_type for event in told if isinstance(event, Synchronized)]
    assert types == [NOTE, OTHER]
    for record_type in types:
        added = next(
            i for i, event in enumerate(told) if isinstance(event, RecordChanged) and event.record_type == record_type
        )
        complete = next(
            i for i, event in enumerate(told) if isinstance(event, Synchronized) and event.record_type == record_type
        )
        assert added < complete


def test_another_database_name_while_it_is_open(world, graph):
    with fails(PEER_E_DBNAME_CHANGED):
        world.open("alice", database="another")
    graph.close()


@pytest.mark.parametrize("name", ["", "a/b", "..", "x" * 300])
def test_a_database_name_is_a_plain_file_name(world, name):
    with fails(E_INVALIDARG):
        world.open(database=name)


def test_what_expired_meanwhile_is_absent(simulator):
    network = simulator.network
    graph = simulator.create()
    short, long = add(graph, lifetime=HOUR), add(graph, lifetime=100 * HOUR)
    graph.close()
    network.run_for(2 * 3600)
    again = simulator.open("alice")
    assert not has(again, short)
    assert has(again, long)
    assert [record.id for record in again.records()] == [long]


def test_what_expired_meanwhile_is_kept_where_that_is_deferred(simulator):
    graph = simulator.create(defer_expiration=True)
    record_id = add(graph, lifetime=HOUR)
    graph.close()
    simulator.network.run_for(2 * 3600)
    assert has(simulator.open("alice"), record_id)


NOT_READY = {
    "listen": lambda graph: graph.listen(),
    "add_record": lambda graph: add(graph),
    "update_record": lambda graph: graph.update_record(UNKNOWN, data=b"x"),
    "delete_record": lambda graph: graph.delete_record(UNKNOWN),
    "get_record": lambda graph: graph.get_record(UNKNOWN),
    "enum_records": lambda graph: graph.enum_records(),
    "get_properties": lambda graph: graph.get_properties(),
    "set_properties": lambda graph: graph.set_properties(comment="x"),
    "enum_nodes": lambda graph: graph.enum_nodes(),
}


@pytest.mark.parametrize("call", NOT_READY.values(), ids=NOT_READY)
def test_not_ready(new, call):
    with fails(PEER_E_GRAPH_NOT_READY):
        call(new)


def test_status_before_the_first_synchronization(new):
    assert new.get_status() == 0


def test_events_can_be_registered_before_the_first_synchronization(world, new):
    alice = world.create(listen=True)
    record_id = add(alice)
    with new.events(RecordChanged) as events:
        world.join(new, alice)
        event = events.get(world.patience)
        assert (event.change, event.record_id) == (RecordChange.ADDED, record_id)


def test_this_node_is_known_before_the_first_synchronization(new):
    assert new.get_node_info(0).peer_id == "bob"


def test_the_first_synchronization_makes_it_ready(world, new):
    world.join(new, world.create(listen=True))
    assert new.status & GraphStatus.SYNCHRONIZED
    assert new.properties.graph_id == GRAPH
    add(new)
    world.listen(new)
