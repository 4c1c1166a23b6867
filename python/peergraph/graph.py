"""A graph for programs without a loop."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING
from uuid import UUID

from . import _native, _native_database
from ._check import deadline_of, file_path
from ._codes import ConnectionFlag, GraphEvent, GraphStatus
from ._enumerations import (
    ConnectionEnumerationBase,
    EnumerationBase,
    NodeEnumerationBase,
    RecordEnumerationBase,
    T,
    records_handle,
    search_handle,
)
from ._graph import Attempt, BatchBase, GraphBase, closed_error, registrations
from ._nodes import ConnectionInfo, NodeInfo
from .direct import Direct
from .events import Closed, Event, NeighbourConnection, StatusChanged
from .queue import BATCH, EventQueue, Events
from .records import Record
from .search import Query, query_xml

if TYPE_CHECKING:
    from typing_extensions import Self


class Batch(BatchBase):
    """Changes that are stored, sent and announced together or not at all; at most 1,024 of them.

        with graph.batch() as batch:
            batch.add_record(...)

    Leaving the block commits; an exception aborts.
    """

    __slots__ = ()

    def commit(self) -> None:
        """Carries the batch out in one transaction. After a failure nothing was done.

        Raises RecordNotFound (a record to change has gone since), DiskFull, GraphShuttingDown, InvalidArgument.
        """
        self._commit()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._ended:
            return
        if kind is None:
            self.commit()
        else:
            self.abort()


class _Exact(EnumerationBase[T]):
    """The functions of an enumeration in the exact layer."""

    __slots__ = ()

    def get_item_count(self) -> int:
        """How many items there were when it was made. Raises InvalidArgument."""
        return _native.get_item_count(self._handle)

    def get_next_item(self, count_max: int = BATCH) -> list[T]:
        """The next items, at most so many; an empty list is the end. Raises InvalidArgument."""
        return self._next(count_max)

    def end_enumeration(self) -> None:
        """Ends the enumeration; items live on. Nothing happens if it has ended."""
        self._close()

    close = end_enumeration

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close()


class RecordEnumeration(RecordEnumerationBase, _Exact[Record]):
    """An enumeration as PeerGraphEnumRecords gives it. `graph.records()` is the comfortable way."""

    __slots__ = ()


class NodeEnumeration(NodeEnumerationBase, _Exact[NodeInfo]):
    """An enumeration as PeerGraphEnumNodes gives it. `graph.nodes()` is the comfortable way."""

    __slots__ = ()


class ConnectionEnumeration(ConnectionEnumerationBase, _Exact[ConnectionInfo]):
    """An enumeration as PeerGraphEnumConnections gives it. `graph.connections()` is the comfortable way."""

    __slots__ = ()


class Graph(GraphBase):
    """A graph that is open in a runtime: `runtime.open_graph(...)` or `runtime.create_graph(...)` give one.

    Use it in a with statement, or close it. Every call may come from any thread.
    """

    __slots__ = ()

    def close(self) -> None:
        """Leaves the graph: says goodbye to the neighbours, closes the database. May be called again."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def connect(self, address: str, *, peer_id: str | None = None, timeout: float | None = None) -> NeighbourConnection:
        """Makes a neighbour connection; returns when it is up, or raises why it failed.

        After a failure the engine may try a node that the other one named; then this waits for that. When the
        time is over, or Ctrl-C ends the wait, the attempt goes on.

        address  "192.0.2.1:5000", "[2001:db8::1]:5000", "[fe80::1%eth0]:5000" or "host.example:5000"
        peer_id  the peer that must answer there, or None for whoever does
        timeout  seconds, or None for as long as it takes

        Raises ConnectionFailed, ConnectionRefused, ConnectionNotAuthenticated, AlreadyExists (there is a connection to
        that node), ConnectSelf, TimeoutError, GraphShuttingDown, InvalidArgument, InvalidGraph.
        """
        monotonic = self._runtime._world.monotonic
        deadline = deadline_of(timeout, monotonic())
        with self.events(NeighbourConnection) as events:
            attempt = Attempt(self, address, peer_id)
            while True:
                left = None if deadline is None else max(0.0, deadline - monotonic())
                try:
                    made = attempt.result(events.get(left))
                except TimeoutError:
                    raise attempt.late(timeout) from None
                if made is not None:
                    return made

    def synchronized(self, timeout: float | None = None) -> None:
        """Waits until the database is synchronized; returns at once if it is.

        timeout  seconds, or None for as long as it takes

        With judge=True it is when all that came is judged: a record that waits for a verdict keeps it waiting.

        Raises TimeoutError, GraphShuttingDown (the graph was closed meanwhile), InvalidGraph.
        """
        monotonic = self._runtime._world.monotonic
        deadline = deadline_of(timeout, monotonic())
        with self.events(StatusChanged) as events:
            while not self.status & GraphStatus.SYNCHRONIZED:
                left = None if deadline is None else max(0.0, deadline - monotonic())
                try:
                    event = events.get(left)
                except TimeoutError:
                    raise TimeoutError(f"{self._graph_id!r} is not synchronized after {timeout} s") from None
                if isinstance(event, Closed):
                    raise closed_error(event)

    def records(self, type: UUID | None = None, creator_id: str | None = None) -> Iterator[Record]:
        """The application's records as they are now, or those of one type, one creator, or both.

        They are read by batch; what vanishes meanwhile is skipped. The graph's own records are included only if their
        type is asked for. Raises GraphNotReady, InvalidGraph.
        """
        return _iterate(self.enum_records(type, creator_id))

    def enum_records(self, type: UUID | None = None, creator_id: str | None = None) -> RecordEnumeration:
        """PeerGraphEnumRecords. Raises GraphNotReady, InvalidGraph."""
        return RecordEnumeration(self, records_handle(self, type, creator_id))

    def search(self, query: Query | str) -> Iterator[Record]:
        """The application's records that answer a query, as they are now, in no particular order.

            for record in graph.search((Attr("size") > 10_000) & Attr("path").like("docs/*")):
                ...

        query  comparisons of attributes, or XML

        They are read by batch; what vanishes meanwhile is skipped.

        Raises InvalidSearch, InvalidArgument (also for a bad escape), GraphNotReady, GraphShuttingDown, InvalidGraph.
        """
        return _iterate(self.search_records(query_xml(query)))

    def search_records(self, criteria: str) -> RecordEnumeration:
        """PeerGraphSearchRecords: what a query in XML finds, in no particular order. `search` is the comfortable way.

        Raises InvalidSearch, InvalidArgument (also for a bad escape), GraphNotReady, GraphShuttingDown, InvalidGraph.
        """
        return RecordEnumeration(self, search_handle(self, criteria))

    def enum_nodes(self, peer_id: str | None = None) -> NodeEnumeration:
        """PeerGraphEnumNodes. Raises GraphNotReady, InvalidGraph."""
        return NodeEnumeration(self, peer_id)

    def enum_connections(self, flags: ConnectionFlag) -> ConnectionEnumeration:
        """PeerGraphEnumConnections. Raises InvalidArgument, InvalidGraph."""
        return ConnectionEnumeration(self, flags)

    def export_database(self, path: str | os.PathLike[str]) -> None:
        """Writes the database to a file, which `import_database` reads; at any time, without keeping others waiting.

        An older file at `path` is replaced when the new one is complete. From 4 MiB on, Progress events tell how far
        it is. The file is not encrypted; only its owner may read it.

        Raises FileNotFound (there is no such folder), AccessDenied, DiskFull, InvalidArgument, GraphShuttingDown,
        GraphInUse (an import has begun meanwhile), InvalidGraph.
        """
        _native_database.graph_export_database(self._handle, file_path("path", path))

    def import_database(self, path: str | os.PathLike[str]) -> None:
        """Takes over what `export_database` has written for the same graph and peer: all of it, or nothing.

        Only after `open_graph`, before `listen` and `connect`. If the database was synchronized when it was exported,
        the graph is synchronized afterwards. Until then other calls for the graph raise GraphInUse.

        Raises InvalidDatabase (damaged, foreign, or of another graph or peer), GraphInUse, FileNotFound, AccessDenied,
        DiskFull, InvalidArgument (the graph was created, not opened), GraphShuttingDown, InvalidGraph.
        """
        _native_database.graph_import_database(self._handle, file_path("path", path))

    def batch(self) -> Batch:
        """Begins a batch, for a with statement. Raises GraphNotReady, InvalidGraph."""
        return Batch(self)

    def begin_batch(self) -> Batch:
        """The same as `batch`; commit or abort it."""
        return Batch(self)

    def events(self, *types: GraphEvent | type[Event], record_type: UUID | Iterable[UUID] | None = None) -> Events:
        """The graph's events from now on.

        types        classes of events (RecordChanged) or their numbers (GraphEvent.RECORD_CHANGED); none: every event.
                     Overflow, Closed and Writable come in any case
        record_type  RecordChanged and Synchronized: only of this type, or of these types

        Raises InvalidGraph.
        """
        return Events(self, registrations(types, record_type))

    def direct(self, *, accept: bool = True) -> Direct:
        """The direct connections of this node, as streams of messages, for a with statement.

        accept  whether others may connect; with False they are sent away

        Raises RuntimeError (it is open already), InvalidGraph.
        """
        return Direct(self, accept)

    def register_event(
        self, *types: GraphEvent | type[Event], record_type: UUID | Iterable[UUID] | None = None
    ) -> EventQueue:
        """PeerGraphRegisterEvent: as `events`, but the queue as it is. Raises InvalidGraph."""
        return EventQueue(self, registrations(types, record_type))


def _iterate(enumeration: RecordEnumeration) -> Iterator[Record]:
    with enumeration:
        while records := enumeration.get_next_item():
            yield from records
