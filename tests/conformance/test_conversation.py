"""Which events two nodes see while one joins, works and leaves: each once, with its fields, in order (8)."""

from __future__ import annotations

import pytest
from conformance.worlds import GRAPH, NOTE, OTHER, add
from peergraph import (
    ConnectionRequired,
    ConnectionStatus,
    GraphStatus,
    NeighbourConnection,
    NodeChange,
    NodeChanged,
    PropertyChanged,
    RecordChange,
    RecordChanged,
    StatusChanged,
    Synchronized,
)

LISTENING, CONNECTED, SYNCHRONIZED = (
    GraphStatus.LISTENING,
    GraphStatus.HAS_CONNECTIONS,
    GraphStatus.SYNCHRONIZED,
)


def described(event):
    """What an event says, without the numbers that differ from run to run."""
    match event:
        case StatusChanged():
            return ("status", event.status)
        case NeighbourConnection():
            return ("neighbour", event.status, event.peer_id)
        case NodeChanged():
            return ("node", event.change, event.peer_id, event.node_id != 0)
        case RecordChanged():
            return ("record", event.change, event.record_type)
        case Synchronized():
            return ("synchronized", event.record_type)
        case PropertyChanged():
            return ("properties",)
    return event


class Listener:
    """All events of a graph, in their order."""

    def __init__(self, world, graph):
        self._world = world
        self._events = world.keep(graph.events())

    def until(self, *last):
        """What came up to an event, which has not come before."""
        found = []
        while not found or found[-1] != last:
            found.append(described(self._events.get(self._world.patience)))
        return found


@pytest.fixture
def alice(world):
    return world.create("alice")


def test_create_and_listen(world, alice):
    events = Listener(world, alice)
    world.listen(alice)
    add(alice)
    assert events.until("record", RecordChange.ADDED, NOTE) == [
        ("status", LISTENING | SYNCHRONIZED),
        ("record", RecordChange.ADDED, NOTE),
    ]


def test_a_first_join(world, alice):
    world.listen(alice)
    for _ in range(2):
        add(alice)
    add(alice, type=OTHER)
    at_alice = Listener(world, alice)
    bob = world.keep(world.runtime("bob").open_graph(GRAPH, peer_id="bob", precedence=[OTHER]))
    at_bob = Listener(world, bob)
    world.join(bob, alice)
    seen = at_bob.until("status", CONNECTED | SYNCHRONIZED)
    assert seen[:2] == [("neighbour", ConnectionStatus.CONNECTED, "alice"), ("status", CONNECTED)]
    assert seen[-1] == ("status", CONNECTED | SYNCHRONIZED)
    between = seen[2:-1]
    assert sorted(between, key=repr) == sorted(
        [
            ("properties",),
            ("node", NodeChange.CONNECTED, "alice", True),
            ("record", RecordChange.ADDED, OTHER),
            ("synchronized", OTHER),
            ("record", RecordChange.ADDED, NOTE),
            ("record", RecordChange.ADDED, NOTE),
        ],
        key=repr,
    )
    assert between.index(("record", RecordChange.ADDED, OTHER)) < between.index(("synchronized", OTHER))
    assert between.index(("synchronized", OTHER)) < between.index(("record", RecordChange.ADDED, NOTE))
    assert at_alice.until("status", LISTENING | CONNECTED | SYNCHRONIZED) == [
        ("neighbour", ConnectionStatus.CONNECTED, "bob"),
        ("status", LISTENING | CONNECTED | SYNCHRONIZED),
    ]


def test_a_node_arrives_changes_and_leaves(world):
    alice, bob = world.pair()
    at_alice, at_bob = Listener(world, alice), Listener(world, bob)
    world.listen(bob)
    arrived = ("node", NodeChange.CONNECTED, "bob", True)
    assert at_alice.until(*arrived) == [arrived]
    bob.set_node_attributes("red")
    changed = ("node", NodeChange.UPDATED, "bob", True)
    assert at_alice.until(*changed) == [changed]
    own = ("node", NodeChange.UPDATED, "bob", False)
    assert at_bob.until(*own) == [("status", LISTENING | CONNECTED | SYNCHRONIZED), own]
    bob.close()
    left = at_alice.until("status", LISTENING | SYNCHRONIZED)
    assert sorted(left[:-1], key=repr) == [
        ("neighbour", ConnectionStatus.DISCONNECTED, "bob"),
        ("node", NodeChange.DISCONNECTED, "bob", True),
    ]


def test_what_the_closing_node_itself_sees(world):
    _, bob = world.pair()
    events = Listener(world, bob)
    bob.close()
    assert events.until("status", SYNCHRONIZED) == [
        ("neighbour", ConnectionStatus.DISCONNECTED, "alice"),
        ("status", SYNCHRONIZED),
    ]


def test_records_are_told_once_on_each_node(world):
    alice, bob = world.pair()
    told = [Listener(world, graph) for graph in (alice, bob)]
    record_id = add(bob)
    for events in told:
        assert events.until("record", RecordChange.ADDED, NOTE)[-1:] == [("record", RecordChange.ADDED, NOTE)]
    alice.update_record(record_id, data=b"again")
    for events in told:
        assert events.until("record", RecordChange.UPDATED, NOTE) == [("record", RecordChange.UPDATED, NOTE)]
    bob.delete_record(record_id)
    for events in told:
        assert events.until("record", RecordChange.DELETED, NOTE) == [("record", RecordChange.DELETED, NOTE)]


def test_another_connection_is_asked_for(simulator):
    """By a node that is a contact, as one that is alone always is, each time it looks after its connections."""
    alice, bob = simulator.pair(listen=True)
    alice.close()
    with bob.events(ConnectionRequired) as events:
        assert [type(events.get(simulator.patience)) for _ in range(2)] == [ConnectionRequired] * 2
