"""Graphs are closed and deleted."""

from __future__ import annotations

import threading

import pytest
from conformance import exact
from conformance.exact import NULL, lib
from conformance.worlds import GRAPH, add, fails, has
from peergraph import ConnectionStatus, GraphStatus, NeighbourConnection, NodeChange, NodeChanged, StatusChanged
from peergraph._codes import (
    E_INVALIDARG,
    PEER_E_DATABASE_NOT_PRESENT,
    PEER_E_FILE_NOT_FOUND,
    PEER_E_GRAPH_SHUTTING_DOWN,
    PEER_E_INVALID_GRAPH,
    PEER_OK,
)


def test_close(world):
    graph = world.create()
    assert lib.peer_graph_close(graph._handle) == PEER_OK


def test_close_twice(graph):
    assert lib.peer_graph_close(graph._handle) == PEER_OK
    assert lib.peer_graph_close(graph._handle) == PEER_E_INVALID_GRAPH
    assert lib.peer_graph_close(NULL) == PEER_E_INVALID_GRAPH


def test_nothing_works_on_a_closed_graph(world, graph):
    record_id = add(graph)
    calls = exact.graph_calls(record_id)
    graph.close()
    assert {name: call(graph._handle) for name, call in calls.items()} == dict.fromkeys(calls, PEER_E_INVALID_GRAPH)


def test_calls_meet_a_close(world, graph):
    """Calls that are under way see that it is closing, later ones that it is closed; nothing else."""
    codes, started = set(), threading.Event()

    def go_on():
        while PEER_E_INVALID_GRAPH not in codes:
            codes.add(exact.graph_calls()["add_record"](graph._handle))
            started.set()

    threads = [threading.Thread(target=go_on) for _ in range(2)]
    for thread in threads:
        thread.start()
    started.wait(world.patience)
    graph.close()
    for thread in threads:
        thread.join(world.patience)
    assert codes <= {PEER_OK, PEER_E_GRAPH_SHUTTING_DOWN, PEER_E_INVALID_GRAPH}
    assert PEER_E_INVALID_GRAPH in codes


def test_neighbours_hear_of_it(world, pair):
    alice, bob = pair
    node = bob.node.id
    with alice.events(NeighbourConnection) as events:
        bob.close()
        event = world.next(events, NeighbourConnection)
    assert (event.status, event.node_id, event.peer_id) == (ConnectionStatus.DISCONNECTED, node, "bob")


def test_others_hear_that_the_node_has_left(world):
    alice, bob = world.pair(listen=True)
    node = bob.node.id
    world.until(alice, lambda: any(each.id == node for each in alice.nodes()))
    with alice.events(NodeChanged) as events:
        bob.close()
        event = world.next(events, NodeChanged, lambda event: event.change == NodeChange.DISCONNECTED)
    assert (event.node_id, event.peer_id) == (node, "bob")
    assert node not in {each.id for each in alice.nodes()}


def test_the_last_neighbour_goes(world, pair):
    alice, bob = pair
    with alice.events(StatusChanged) as events:
        bob.close()
        event = world.next(events, StatusChanged, lambda event: not event.status & GraphStatus.HAS_CONNECTIONS)
        assert event.status & GraphStatus.LISTENING
    assert not alice.status & GraphStatus.HAS_CONNECTIONS


def test_what_was_closed_can_be_opened(world, graph):
    record_id, node = add(graph), graph.node.id
    graph.close()
    again = world.open("alice")
    assert has(again, record_id)
    assert again.node.id not in (0, node)


def test_delete(world, graph):
    graph.close()
    world.runtime().delete_graph(GRAPH, peer_id="alice")
    assert world.open("alice").is_new


def test_a_graph_that_is_open_is_not_deleted(world, graph):
    record_id = add(graph)
    with fails():
        world.runtime().delete_graph(GRAPH, peer_id="alice")
    assert has(graph, record_id)


def test_delete_of_an_unknown_graph(world):
    with fails(PEER_E_DATABASE_NOT_PRESENT, PEER_E_FILE_NOT_FOUND):
        world.runtime().delete_graph("unknown", peer_id="alice")


@pytest.mark.parametrize("ids", [(None, b"p"), (b"g", None), (b"", b"p"), (b"g", b"")])
def test_delete_needs_ids(world, ids):
    graph_id, peer_id = (NULL if each is None else each for each in ids)
    assert lib.peer_graph_delete(world.runtime()._handle, graph_id, peer_id, NULL) == E_INVALIDARG


@pytest.mark.parametrize("other", [{"peer_id": "bob"}, {"database": "another"}, {"graph_id": "film clubs"}])
def test_delete_of_another_triple(world, graph, other):
    record_id = add(graph)
    graph.close()
    triple = {"graph_id": GRAPH, "peer_id": "alice", "database": "default"} | other
    with fails(PEER_E_DATABASE_NOT_PRESENT, PEER_E_FILE_NOT_FOUND):
        world.runtime().delete_graph(triple.pop("graph_id"), **triple)
    assert has(world.open("alice"), record_id)


def test_others_keep_what_is_deleted_here(world, pair):
    alice, bob = pair
    record_id = add(alice)
    world.until(bob, lambda: has(bob, record_id))
    alice.close()
    world.runtime("alice").delete_graph(GRAPH, peer_id="alice")
    assert has(bob, record_id)
