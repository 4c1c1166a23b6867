"""Copies of a graph that are kept by its events alone, against what the graph shows, whatever happens in which order.

Hypothesis draws what two connected nodes do and how their readers read. The bound of a queue is too large to be reached
here; with bounds that are, tests/unit/test_queue_model.c and tests/sim/test_readers.c do the same.
"""

from __future__ import annotations

import contextlib
import tempfile
import uuid
from pathlib import Path

import peergraph
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule
from peergraph import Closed, Overflow, RecordChange, RecordChanged, RecordNotFound, Scope
from python.scene import HOUR, NOTE, OTHER, PATIENCE, is_readable, join

MARK = uuid.UUID("6e6f7465-0000-4000-8000-00000000000f")
NODES = st.integers(0, 1)
TYPES = st.sampled_from([NOTE, OTHER])


class Reader:
    """A subscription, and a copy of what it is about: each id with the version that was there when it was told."""

    def __init__(self, graph: peergraph.Graph, types: list[uuid.UUID]) -> None:
        self.graph = graph
        self.types = types
        self.events = graph.events(RecordChanged, record_type=types or None)
        self.copy = self.shown()

    def shown(self) -> dict[uuid.UUID, int | None]:
        return {
            record.id: record.version
            for record in self.graph.records()
            if record.type != MARK and (not self.types or record.type in self.types)
        }

    def apply(self, event: peergraph.Event) -> None:
        match event:
            case RecordChanged(RecordChange.ADDED | RecordChange.UPDATED, record_id, record_type):
                assert not self.types or record_type in self.types
                if record_type != MARK:
                    self.copy[record_id] = event.record.version if event.record else None
            case RecordChanged(RecordChange.DELETED | RecordChange.EXPIRED, record_id):
                self.copy.pop(record_id, None)
            case Overflow():
                self.copy = self.shown()
            case _:
                raise AssertionError(event)

    def read_all(self, at_once: int) -> None:
        while events := self.events.take(at_once):
            for event in events:
                self.apply(event)


class TwoNodes(RuleBasedStateMachine):
    """Two nodes, what they write, and their readers."""

    records = Bundle("records")

    def __init__(self) -> None:
        super().__init__()
        self.stack = contextlib.ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        enter = self.stack.enter_context
        alice = enter(enter(peergraph.open_runtime(folder / "a")).create_graph("film club", peer_id="alice"))
        bob = enter(enter(peergraph.open_runtime(folder / "b")).open_graph("film club", peer_id="bob"))
        alice.listen(scope=Scope.LOOPBACK)
        join(bob, alice)
        self.graphs = (alice, bob)
        self.marks = [enter(graph.events(RecordChanged, record_type=MARK)) for graph in self.graphs]
        self.readers = [Reader(graph, types) for graph in self.graphs for types in ([], [NOTE], [NOTE, OTHER])]
        for reader in self.readers:
            self.stack.callback(reader.events.close)

    @rule(target=records, node=NODES, record_type=TYPES)
    def add(self, node, record_type):
        return self.graphs[node].add_record(type=record_type, data=b"1", lifetime=HOUR)

    @rule(node=NODES, record_id=records, data=st.binary(max_size=5))
    def update(self, node, record_id, data):
        with contextlib.suppress(RecordNotFound):  # not here yet, or deleted by the other one
            self.graphs[node].update_record(record_id, data=data)

    @rule(node=NODES, record_id=consumes(records))
    def delete(self, node, record_id):
        with contextlib.suppress(RecordNotFound):
            self.graphs[node].delete_record(record_id)

    @rule(
        target=records, node=NODES, record_type=TYPES, count=st.integers(1, 5), end=st.sampled_from(["commit", "abort"])
    )
    def batch(self, node, record_type, count, end):
        batch = self.graphs[node].begin_batch()
        ids = [batch.add_record(type=record_type, lifetime=HOUR) for _ in range(count)]
        batch.update_record(ids[0], data=b"2")
        if count > 1:
            batch.delete_record(ids.pop())
        getattr(batch, end)()
        return multiple(*(ids if end == "commit" else []))

    @rule(reader=st.integers(0, 5), count=st.integers(1, 7))
    def read_some(self, reader, count):
        for event in self.readers[reader].events.take(count):
            self.readers[reader].apply(event)

    @rule(reader=st.integers(0, 5))
    def wait_for_one(self, reader):
        with contextlib.suppress(TimeoutError):
            self.readers[reader].apply(self.readers[reader].events.get(0.001))

    @rule(node=NODES)
    def subscribe_anew(self, node):
        """What comes later starts from what is there."""
        self.readers[3 * node].events.close()
        self.readers[3 * node] = reader = Reader(self.graphs[node], [])
        self.stack.callback(reader.events.close)

    @rule(at_once=st.sampled_from([1, 3, 256]))
    def everything_is_known_in_the_end(self, at_once):
        self.exchange_marks()
        for reader in self.readers:
            reader.read_all(at_once)
            assert reader.copy == reader.shown()
        assert self.readers[0].copy == self.readers[3].copy

    def exchange_marks(self) -> None:
        """Whatever a node had to send before its mark has arrived with it."""
        marks = {graph.add_record(type=MARK, lifetime=HOUR) for graph in self.graphs}
        for events in self.marks:
            missing = set(marks)
            while missing:
                event = events.get(PATIENCE)
                assert isinstance(event, RecordChanged)
                assert event.change == RecordChange.ADDED
                missing.remove(event.record_id)

    def teardown(self) -> None:
        try:
            self.everything_is_known_in_the_end(256)
            for graph in self.graphs:
                graph.close()
            for reader in self.readers:
                while isinstance(last := reader.events.get(PATIENCE), RecordChanged | Overflow):
                    pass  # what the other node had sent meanwhile
                assert isinstance(last, Closed)
                assert (last.reason, reader.events.take()) == (0, [])
        finally:
            self.stack.close()


TwoNodes.TestCase.settings = settings(
    max_examples=20, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
test_copies_that_events_keep = TwoNodes.TestCase


class OneQueue(RuleBasedStateMachine):
    """The descriptor of a queue, looked at after each step."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = contextlib.ExitStack()
        folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        runtime = self.stack.enter_context(peergraph.open_runtime(folder))
        self.graph = self.stack.enter_context(runtime.create_graph("film club", peer_id="alice"))
        self.queue = self.stack.enter_context(self.graph.register_event(RecordChanged))
        self.waiting = 0

    @invariant()
    def the_descriptor_is_readable_exactly_while_something_waits(self):
        assert is_readable(self.queue.fileno()) == (self.waiting > 0)
        assert self.queue.wait(0) == (self.waiting > 0)

    @rule(count=st.integers(1, 20))
    def change(self, count):
        if self.graph.closed:
            return
        with self.graph.batch() as batch:
            for _ in range(count):
                batch.add_record(type=NOTE, lifetime=HOUR)
        self.waiting += count

    @rule(count=st.integers(1, 30))
    def take_several(self, count):
        taken = len(self.queue.get_event_batch(count))
        assert taken == min(count, self.waiting)
        self.waiting -= taken

    @rule()
    def take_one(self):
        assert (self.queue.get_event_data() is not None) == (self.waiting > 0)
        self.waiting = max(0, self.waiting - 1)

    @rule(again=st.booleans())
    def close(self, again):
        if again or not self.graph.closed:
            self.waiting += not self.graph.closed
            self.graph.close()

    def teardown(self) -> None:
        self.stack.close()


OneQueue.TestCase.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
test_the_descriptor = OneQueue.TestCase
