"""Registering for events, taking them, and the descriptor in the place of the Windows event object."""

from __future__ import annotations

import select

import pytest
from conformance import exact
from conformance.exact import NULL, ffi, lib
from conformance.worlds import HOUR, NOTE, OTHER, add, fails
from peergraph import (
    ConnectionStatus,
    GraphEvent,
    GraphStatus,
    NeighbourConnection,
    RecordChange,
    RecordChanged,
    StatusChanged,
)
from peergraph._codes import E_INVALIDARG, PEER_OK, PEER_S_NO_EVENT_DATA


def is_readable(queue):
    poller = select.poll()
    poller.register(queue.fileno(), select.POLLIN)
    return bool(poller.poll(0))


def register(graph, count, registrations, queue_out=None):
    out = ffi.new("peer_event_queue **") if queue_out is None else queue_out
    status = lib.peer_graph_register_event(graph._handle, count, registrations, out)
    if status == PEER_OK:
        lib.peer_unregister_event(out[0])
    return status


@pytest.fixture
def queue(graph):
    with graph.register_event(RecordChanged) as queue:
        yield queue


def test_several_types_in_one_registration(world, graph):
    with graph.register_event(RecordChanged, StatusChanged) as queue:
        world.listen(graph)
        record_id = add(graph)
        status, record = queue.get_event_batch()
        assert (status.type, status.status) == (GraphEvent.STATUS_CHANGED, graph.status)
        assert (record.type, record.change, record.record_id) == (
            GraphEvent.RECORD_CHANGED,
            RecordChange.ADDED,
            record_id,
        )


def test_a_registration_needs_its_array(graph):
    given, _id = exact.registration(GraphEvent.RECORD_CHANGED)
    assert register(graph, 1, NULL) == E_INVALIDARG
    assert register(graph, 0, given) == E_INVALIDARG
    assert register(graph, 1, given) == PEER_OK


def test_no_array_at_all_means_every_event(world, graph):
    with graph.register_event() as queue:
        world.listen(graph)
        add(graph)
        assert {event.type for event in queue.get_event_batch()} >= {
            GraphEvent.STATUS_CHANGED,
            GraphEvent.RECORD_CHANGED,
        }


@pytest.mark.parametrize("kind", [0, 10, 99, -1, 0x7FFFFFFF])
def test_an_unknown_type_of_event(graph, kind):
    given, _id = exact.registration(kind)
    assert register(graph, 1, given) == E_INVALIDARG


def test_a_registration_needs_a_place(graph):
    given, _id = exact.registration(GraphEvent.RECORD_CHANGED)
    assert register(graph, 1, given, NULL) == E_INVALIDARG


def test_registration_right_after_create_and_open(graph, new):
    for each in (graph, new):
        each.register_event(*[kind for kind in GraphEvent if kind <= GraphEvent.SYNCHRONIZED]).unregister_event()


def test_two_queues_receive_everything(graph):
    with graph.register_event(RecordChanged) as one, graph.register_event(RecordChanged) as two:
        ids = [add(graph) for _ in range(3)]
        for queue in (one, two):
            assert [event.record_id for event in queue.get_event_batch()] == ids


def test_an_empty_queue(queue):
    out = ffi.new("peer_event **", ffi.cast("peer_event *", 1))
    assert lib.peer_get_event_data(queue._handle, out) == PEER_S_NO_EVENT_DATA
    assert out[0] == NULL


def test_events_are_taken_one_by_one(graph, queue):
    add(graph)
    add(graph)
    out = ffi.new("peer_event **")
    for _ in range(2):
        assert lib.peer_get_event_data(queue._handle, out) == PEER_OK
        assert out[0] != NULL
        lib.peer_free_data(out[0])
    assert lib.peer_get_event_data(queue._handle, out) == PEER_S_NO_EVENT_DATA


def test_data_of_events_need_a_queue_and_a_place(graph, queue):
    out = ffi.new("peer_event **")
    assert lib.peer_get_event_data(queue._handle, NULL) == E_INVALIDARG
    for handle in (NULL, graph._handle, ffi.cast("void *", 0x1234)):
        assert lib.peer_get_event_data(ffi.cast("peer_event_queue *", handle), out) == E_INVALIDARG


def test_events_outlive_their_queue(graph):
    with graph.register_event(RecordChanged) as queue:
        record_id = add(graph)
        out = ffi.new("peer_event **")
        assert lib.peer_get_event_data(queue._handle, out) == PEER_OK
    graph.close()
    view = ffi.new("peer_event_view *")
    assert lib.peer_event_get_view(out[0], ffi.sizeof("peer_event_view"), view) == PEER_OK
    assert bytes(view.record_id.bytes) == record_id.bytes
    lib.peer_free_data(out[0])


def test_the_descriptor_is_signalled(graph, queue):
    assert not is_readable(queue)
    add(graph)
    assert is_readable(queue)
    assert queue.get_event_data() is not None
    assert not is_readable(queue)


def test_the_descriptor_stays_signalled_while_something_is_queued(graph, queue):
    for _ in range(3):
        add(graph)
    for _ in range(3):
        assert is_readable(queue)
        queue.get_event_data()
    assert not is_readable(queue)


def test_a_type_filter(graph):
    with graph.register_event(RecordChanged, record_type=NOTE) as queue:
        add(graph, type=OTHER)
        wanted = add(graph, type=NOTE)
        graph.update_record(wanted, data=b"new")
        events = queue.get_event_batch()
    assert [(event.change, event.record_type) for event in events] == [
        (RecordChange.ADDED, NOTE),
        (RecordChange.UPDATED, NOTE),
    ]


def test_without_a_filter_every_type(graph, queue):
    for record_type in (NOTE, OTHER):
        add(graph, type=record_type)
    assert [event.record_type for event in queue.get_event_batch()] == [NOTE, OTHER]


def test_several_filters_in_one_registration(graph):
    third = type(NOTE)(int=7)
    with graph.register_event(RecordChanged, record_type=[NOTE, OTHER]) as queue:
        for record_type in (OTHER, third, NOTE):
            add(graph, type=record_type)
        assert [event.record_type for event in queue.get_event_batch()] == [OTHER, NOTE]


def test_a_filter_is_ignored_for_other_events(world, graph):
    """A type filter where the page ignores it changes nothing."""
    given = ffi.new("peer_event_registration[2]")
    ident = exact.guid(OTHER)
    for index, kind in enumerate((GraphEvent.STATUS_CHANGED, GraphEvent.NEIGHBOR_CONNECTION)):
        given[index].type, given[index].record_type = int(kind), ident
    out = ffi.new("peer_event_queue **")
    assert lib.peer_graph_register_event(graph._handle, 2, given, out) == PEER_OK
    world.listen(graph)
    with graph.events(NeighbourConnection) as events:
        world.join(world.open(), graph)
        assert events.get(world.patience).status == ConnectionStatus.CONNECTED
    seen = set()
    event, view = ffi.new("peer_event **"), ffi.new("peer_event_view *")
    while lib.peer_get_event_data(out[0], event) == PEER_OK:
        lib.peer_event_get_view(event[0], ffi.sizeof("peer_event_view"), view)
        seen.add(view.type)
        lib.peer_free_data(event[0])
    lib.peer_unregister_event(out[0])
    assert seen == {GraphEvent.STATUS_CHANGED, GraphEvent.NEIGHBOR_CONNECTION}


def test_unregister(graph, queue):
    add(graph)
    handle = queue._handle
    queue.unregister_event()
    add(graph)
    out = ffi.new("peer_event **")
    assert lib.peer_get_event_data(handle, out) == E_INVALIDARG
    with fails(E_INVALIDARG):
        queue.get_event_data()


def test_unregister_twice(graph, queue):
    queue.unregister_event()
    assert lib.peer_unregister_event(queue._handle) == E_INVALIDARG
    for handle in (NULL, graph._handle):
        assert lib.peer_unregister_event(ffi.cast("peer_event_queue *", handle)) == E_INVALIDARG


def test_events_begin_with_the_registration(graph):
    add(graph)
    with graph.register_event(RecordChanged) as queue:
        assert queue.get_event_data() is None
        assert graph.status == GraphStatus.SYNCHRONIZED
        graph.add_record(type=NOTE, lifetime=HOUR)
        assert queue.get_event_data().change == RecordChange.ADDED
