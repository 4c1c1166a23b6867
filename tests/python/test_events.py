"""Events: which come, what they say, how to wait for them."""

from __future__ import annotations

import itertools
import signal
import threading
import time
import uuid
from datetime import timedelta

import peergraph
import pytest
from peergraph import (
    Closed,
    ConnectionStatus,
    GraphEvent,
    GraphStatus,
    NeighbourConnection,
    Overflow,
    RecordChange,
    RecordChanged,
    Scope,
    StatusChanged,
    _native,
)
from peergraph._codes import PEER_E_GRAPH_SHUTTING_DOWN
from peergraph.events import event_from
from python.scene import HOUR, NOTE, OTHER, PATIENCE, SANITIZED, is_readable, wait_for


def test_changes_of_records(graph):
    with graph.events(RecordChanged) as events:
        record_id = graph.add_record(type=NOTE, data=b"hello", attributes={"room": "lobby"}, lifetime=HOUR)
        added = events.get(PATIENCE)
        assert (added.type, added.change) == (GraphEvent.RECORD_CHANGED, RecordChange.ADDED)
        assert (added.record_id, added.record_type) == (record_id, NOTE)
        assert added.record_id is added.record_id
        assert added.record == graph.get_record(record_id)
        assert added.record is added.record
        assert repr(added) == (
            f"RecordChanged(added, type={NOTE}, creator='alice', attributes={{'room': 'lobby'}}, 5 bytes)"
        )
        graph.update_record(record_id, data=b"x")
        updated = events.get(PATIENCE)
        assert (updated.change, updated.record.version) == (RecordChange.UPDATED, 2)
        graph.delete_record(record_id)
        deleted = events.get(PATIENCE)
        assert (deleted.change, deleted.record) == (RecordChange.DELETED, None)
        assert repr(deleted) == f"RecordChanged(deleted, type={NOTE}, id={record_id})"
        assert events.take() == []


@pytest.mark.slow
def test_expiration(graph):
    """The protocol looks for expired records no more often than every 15 s."""
    with graph.events(RecordChanged) as events:
        record_id = graph.add_record(type=NOTE, lifetime=timedelta(seconds=5))
        assert events.get(PATIENCE).change == RecordChange.ADDED
        expired = events.get(PATIENCE)
        assert (expired.change, expired.record_id, expired.record) == (RecordChange.EXPIRED, record_id, None)


def test_a_filter_of_types(graph):
    with (
        graph.events(record_type=OTHER) as one,
        graph.events(RecordChanged, record_type=[NOTE, OTHER]) as two,
        graph.events(StatusChanged) as none,
    ):
        for record_type in (NOTE, OTHER, uuid.uuid4()):
            graph.add_record(type=record_type, lifetime=HOUR)
        assert [event.record_type for event in one.take()] == [OTHER]
        assert [event.record_type for event in two.take()] == [NOTE, OTHER]
        assert none.take() == []


def test_types_by_class_or_number(graph):
    with graph.events(GraphEvent.STATUS_CHANGED, RecordChanged) as events:
        graph.listen(scope=Scope.LOOPBACK)
        event = wait_for(events, lambda event: isinstance(event, StatusChanged))
        assert event.status == GraphStatus.LISTENING | GraphStatus.SYNCHRONIZED
        assert repr(event) == "StatusChanged(listening|synchronized)"
    for wrong in (7.5, int, "x"):
        with pytest.raises(TypeError):
            graph.events(wrong)
    with pytest.raises(ValueError, match="by themselves"):
        graph.events(Closed)


def test_events_are_matched_by_pattern(graph):
    with graph.events() as events:
        record_id = graph.add_record(type=NOTE, lifetime=HOUR)
        match events.get(PATIENCE):
            case RecordChanged(RecordChange.ADDED, found, record_type=peergraph_type):
                assert (found, peergraph_type) == (record_id, NOTE)
            case other:
                pytest.fail(f"{other!r}")


def test_each_subscription_has_every_event(graph):
    subscriptions = [graph.events(RecordChanged) for _ in range(20)]
    graph.add_record(type=NOTE, lifetime=HOUR)
    for events in subscriptions:
        assert events.get(PATIENCE).change == RecordChange.ADDED
        events.close()


def test_the_queue_as_it_is(graph):
    with graph.register_event(RecordChanged) as queue:
        assert queue.get_event_data() is None
        assert queue.get_event_batch() == []
        assert not queue.wait(0)
        assert not queue.wait(0.01)
        assert not is_readable(queue.fileno())
        for _ in range(3):
            graph.add_record(type=NOTE, lifetime=HOUR)
        assert queue.wait(PATIENCE)
        assert is_readable(queue.fileno())
        assert isinstance(queue.get_event_data(), RecordChanged)
        assert len(queue.get_event_batch(10)) == 2
        assert not is_readable(queue.fileno())
        graph.close()
        assert queue.wait()
        assert is_readable(queue.fileno())
        assert isinstance(queue.get_event_data(), Closed)
        assert queue.get_event_data() is None
    assert queue.closed
    queue.unregister_event()
    for call in (queue.get_event_data, queue.get_event_batch, queue.fileno, lambda: queue.wait(0)):
        with pytest.raises(peergraph.InvalidArgument):
            call()


def test_the_descriptor_says_whether_events_wait(graph):
    with graph.events(RecordChanged) as events:
        descriptor = events.fileno()
        for _ in range(3):
            graph.add_record(type=NOTE, lifetime=HOUR)
        for _ in range(3):
            assert is_readable(descriptor)
            events.get(PATIENCE)
        assert not is_readable(descriptor)
        for _ in range(5):
            graph.add_record(type=NOTE, lifetime=HOUR)
        assert len(events.take(2)) == 2
        assert is_readable(descriptor)
        assert len(events.take()) == 3
        assert not is_readable(descriptor)
    with pytest.raises(ValueError, match="closed"):
        events.fileno()


def test_get_waits_and_gives_up(graph):
    with graph.events(RecordChanged) as events:
        for timeout in (0, 0.01):
            with pytest.raises(TimeoutError):
                events.get(timeout)
        adder = threading.Thread(target=lambda: graph.add_record(type=NOTE, lifetime=HOUR))
        adder.start()
        assert events.get(PATIENCE).change == RecordChange.ADDED
        adder.join()


@pytest.mark.parametrize("end", ["graph", "runtime"])
def test_iteration_ends_when_the_graph_is_closed(runtime, graph, end):
    events = graph.events(RecordChanged)
    for _ in range(1000):
        graph.add_record(type=NOTE, lifetime=HOUR)
    assert events.closed is None
    (graph if end == "graph" else runtime).close()
    assert len(list(events)) == 1000
    assert isinstance(events.closed, Closed)
    if end == "graph":
        assert (events.closed.reason, events.closed.error) == (0, None)
    else:
        assert isinstance(events.closed.error, peergraph.GraphShuttingDown)
    assert isinstance(events.get(0), Closed)
    assert list(events) == []


@pytest.mark.parametrize("order", list(itertools.permutations(["graph", "runtime", "first", "last"])), ids="-".join)
def test_every_queue_ends_with_the_reason_in_every_order_of_closing(runtime, graph, order):
    """Each queue has what came before and then one Closed, which says what was closed first; whatever else ends."""
    queues = {name: graph.register_event(RecordChanged) for name in ("first", "middle", "last")}
    graph.add_record(type=NOTE, lifetime=HOUR)
    things = {"graph": graph, "runtime": runtime} | queues
    open_queues = set(queues)
    closed = None
    for name in order:
        things[name].close()
        open_queues.discard(name)
        closed = closed or (name if name in ("graph", "runtime") else None)
        for queue in (queues[name] for name in open_queues if closed):
            assert is_readable(queue.fileno())
    for queue in (queues[name] for name in open_queues):
        added, last = queue.get_event_batch(10)
        assert isinstance(added, RecordChanged)
        assert isinstance(last, Closed)
        assert last.reason == (0 if closed == "graph" else PEER_E_GRAPH_SHUTTING_DOWN)
        assert last.message == f"the {closed} was {'closed' if closed == 'graph' else 'shut down'}"
        assert not queue.wait(0)
        assert not is_readable(queue.fileno())
        assert queue.get_event_batch() == []
        queue.close()


@pytest.mark.parametrize("end", ["graph", "events"])
def test_a_close_in_another_thread_ends_a_wait(graph, end):
    events = graph.events(RecordChanged)
    seen = []
    reader = threading.Thread(target=lambda: seen.extend(events))
    reader.start()
    graph.add_record(type=NOTE, lifetime=HOUR)
    deadline = time.monotonic() + PATIENCE
    while not seen and time.monotonic() < deadline:
        threading.Event().wait(0.001)
    (graph if end == "graph" else events).close()
    reader.join(PATIENCE)
    assert not reader.is_alive()
    assert len(seen) == 1
    assert events.closed
    with pytest.raises(peergraph.InvalidArgument):
        _native.get_event_batch(events._handle, 1)


@pytest.mark.parametrize(
    "how", [lambda events: events.take(), lambda events: events.get(0), list], ids=["take", "get", "list"]
)
def test_a_signal_handler_may_close_while_events_are_taken(graph, monkeypatch, how):
    """It runs in the thread that takes them, wherever that is."""
    events = graph.events(RecordChanged)
    for _ in range(3):
        graph.add_record(type=NOTE, lifetime=HOUR)
    take, seen = _native.get_event_batch, []

    def interrupted(handle, count_max):
        taken = take(handle, count_max)
        events.close()
        return taken

    monkeypatch.setattr(_native, "get_event_batch", interrupted)
    reader = threading.Thread(target=lambda: seen.append(how(events)), daemon=True)
    reader.start()
    reader.join(PATIENCE)
    assert not reader.is_alive()
    assert seen in ([[]], [events.closed])


def test_ctrl_c_ends_a_wait(graph):
    def read() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        for _ in events:
            pass

    with graph.events() as events:
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        with pytest.raises(KeyboardInterrupt):
            read()
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


def test_events_outlive_their_graph(runtime, graph):
    with graph.events(RecordChanged) as events:
        graph.add_record(type=NOTE, lifetime=HOUR)
        runtime.close()
        event = events.get(PATIENCE)
        assert event.change == RecordChange.ADDED
        assert str(event.record_id) in repr(event)  # no record any more, and no exception in repr
        assert isinstance(events.get(0), Closed)


def test_a_loop_over_events_may_be_left(graph):
    """As with the records: who only iterates need not close."""
    events = graph.events(RecordChanged)
    queue = events._handle
    graph.add_record(type=NOTE, lifetime=HOUR)
    for event in events:
        assert event.change == RecordChange.ADDED
        break
    del events, event
    with pytest.raises(peergraph.InvalidArgument):
        _native.get_event_batch(queue, 1)


def test_a_forgotten_subscription_warns(graph):
    with pytest.warns(ResourceWarning, match="unclosed <peergraph.Events of 'film club'>"):
        graph.events()
    with pytest.warns(ResourceWarning, match="unclosed <peergraph.Events of 'film club'>"):
        graph.events().fileno()  # somebody may poll it, and must stop before it is closed
    with pytest.warns(ResourceWarning, match="EventQueue"):
        graph.register_event()


def test_changes_of_one_record_are_merged_before_any_is_lost(graph):
    """However many updates of one record take no more room in a queue than one."""
    with graph.events(RecordChanged) as events:
        record_id = graph.add_record(type=NOTE, data=b"", lifetime=HOUR)
        for _ in range(4 if SANITIZED else 40):
            with graph.batch() as batch:
                for _ in range(1000):
                    batch.update_record(record_id, data=b"x", attributes=None)
        taken = []
        while more := events.take(100_000):
            taken += more
        assert taken
        assert all(isinstance(event, RecordChanged) and event.record_id == record_id for event in taken)


@pytest.mark.slow
def test_a_full_queue_says_how_much_was_lost(graph):
    """The bound of the product. Who enumerates after an Overflow has missed nothing."""
    with graph.events(RecordChanged) as events:
        total = 0
        while total < 400_000:
            with graph.batch() as batch:
                for _ in range(1000):
                    batch.add_record(type=NOTE, lifetime=HOUR)
            total += 1000
        (overflow,) = events.take(100_000)
        assert isinstance(overflow, Overflow)
        assert overflow.lost_type == GraphEvent.RECORD_CHANGED
        assert overflow.lost == total
        assert repr(overflow) == f"Overflow(record_changed, {total} lost)"
        with graph.enum_records() as enumeration:
            assert enumeration.get_item_count() == total
        graph.add_record(type=NOTE, lifetime=HOUR)
        assert isinstance(events.get(PATIENCE), RecordChanged)


def raw(kind: GraphEvent | int, **fields):
    empty = dict.fromkeys(_native.RawEvent._fields, 0) | {
        "record_id": bytes(16),
        "record_type": NOTE.bytes,
        "peer_id": None,
        "message": None,
        "data": b"",
    }
    return _native.RawEvent(**(empty | {"type": int(kind)} | fields))


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (raw(GraphEvent.STATUS_CHANGED), "StatusChanged(none)"),
        (raw(GraphEvent.PROPERTY_CHANGED), "PropertyChanged()"),
        (raw(GraphEvent.CONNECTION_REQUIRED), "ConnectionRequired()"),
        (raw(GraphEvent.SYNCHRONIZED), f"Synchronized(type={NOTE})"),
        (
            raw(GraphEvent.NODE_CHANGED, change=1, node_id=255, peer_id="b"),
            "NodeChanged(connected, node=00000000000000ff, peer='b')",
        ),
        (
            raw(GraphEvent.INCOMING_DATA, connection_id=3, data=b"xy"),
            f"IncomingData(connection=3, type={NOTE}, 2 bytes)",
        ),
        (raw(GraphEvent.WRITABLE, connection_id=3), "Writable(connection=3)"),
        (raw(GraphEvent.OVERFLOW, status=3, lost_count=5), "Overflow(record_changed, 5 lost)"),
        (raw(GraphEvent.CLOSED), "Closed()"),
        (
            raw(GraphEvent.CLOSED, reason=-2140934140, message="oops"),
            "Closed(PEER_E_INTERNAL: oops)",
        ),
        (
            raw(
                GraphEvent.NEIGHBOR_CONNECTION,
                change=3,
                connection_id=7,
                next_connection_id=8,
                reason=-2140995317,
                message="full",
            ),
            "NeighbourConnection(failed, connection=7, next=8, PEER_E_CONNECTION_REFUSED: full)",
        ),
        (
            raw(GraphEvent.DIRECT_CONNECTION, change=1, connection_id=7, peer_id="b", node_id=1),
            "DirectConnection(connected, connection=7, peer='b', node=0000000000000001)",
        ),
        (
            raw(GraphEvent.VALIDATION, change=2, validation_id=9),
            f"Validation(updated, number=9, id={uuid.UUID(int=0)}, type={NOTE})",
        ),
        (raw(999), "Event(type=999)"),
    ],
    ids=lambda value: value.split("(")[0] if isinstance(value, str) else "",
)
def test_every_event_shows_what_it_is_about(given, shown):
    event = event_from(given, None)
    assert repr(event) == shown
    for name in event.__match_args__:
        assert hasattr(event, name)


def test_the_reason_of_a_failure_is_an_exception():
    event = event_from(raw(GraphEvent.NEIGHBOR_CONNECTION, change=3, reason=-2140995317, message="full"), None)
    assert isinstance(event, NeighbourConnection)
    assert event.status == ConnectionStatus.FAILED
    assert isinstance(event.error, peergraph.ConnectionRefused)
    assert str(event.error) == "PEER_E_CONNECTION_REFUSED: full"
