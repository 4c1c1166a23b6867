"""A graph in an asyncio loop."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING
from uuid import UUID

from . import _native, _native_database
from ._aio_calls import Ending, in_thread
from ._aio_direct import Direct
from ._aio_events import Events
from ._check import deadline_of, file_path
from ._codes import GraphEvent, GraphStatus
from ._enumerations import RecordEnumerationBase, records_handle, search_handle
from ._graph import Attempt, BatchBase, GraphBase, RuntimeBase, closed_error, registrations
from .events import Closed, Event, NeighbourConnection, StatusChanged
from .queue import BATCH
from .records import Record
from .search import Query, query_xml

if TYPE_CHECKING:
    from typing_extensions import Self


class Batch(BatchBase):
    """Changes that are stored, sent and announced together or not at all; at most 1,024 of them.

        async with graph.batch() as batch:
            batch.add_record(...)

    Leaving the block commits; an exception aborts.
    """

    __slots__ = ()

    async def commit(self) -> None:
        """Carries the batch out in one transaction. After a failure nothing was done.

        Raises RecordNotFound (a record to change has gone since), DiskFull, GraphShuttingDown, InvalidArgument.
        """
        await in_thread(self._commit)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._ended:
            return
        if kind is None:
            await self.commit()
        else:
            self.abort()


class Graph(GraphBase):
    """A graph that is open in a runtime: `runtime.open_graph(...)` or `runtime.create_graph(...)` give one.

    Use it in an async with statement, or close it. What is not a coroutine returns at once.
    """

    __slots__ = ("_ending",)

    def __init__(
        self, runtime: RuntimeBase, handle: _native.Handle, graph_id: str, peer_id: str, database: str, is_new: bool
    ) -> None:
        super().__init__(runtime, handle, graph_id, peer_id, database, is_new)
        self._ending = Ending()

    async def close(self) -> None:
        """Leaves the graph: says goodbye to the neighbours, closes the database. May be called again.

        If the caller is cancelled, it goes on; calling it again waits for the end.
        """
        if self._is_foreign():
            self._close()  # nothing to wait for in a forked child
        else:
            await self._ending.wait(self._close, self.closed)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def connect(
        self, address: str, *, peer_id: str | None = None, timeout: float | None = None
    ) -> NeighbourConnection:
        """Makes a neighbour connection; returns when it is up, or raises why it failed.

        After a failure the engine may try a node that the other one named; then this waits for that. When the
        time is over, or the caller is cancelled, the attempt goes on.

        address  "192.0.2.1:5000", "[2001:db8::1]:5000", "[fe80::1%eth0]:5000" or "host.example:5000"
        peer_id  the peer that must answer there, or None for whoever does
        timeout  seconds, or None for as long as it takes

        Raises ConnectionFailed, ConnectionRefused, ConnectionNotAuthenticated, AlreadyExists (there is a connection to
        that node), ConnectSelf, TimeoutError, GraphShuttingDown, InvalidArgument, InvalidGraph.
        """
        monotonic = self._runtime._world.monotonic
        deadline = deadline_of(timeout, monotonic())
        async with self.events(NeighbourConnection) as events:
            attempt = Attempt(self, address, peer_id)
            while True:
                left = None if deadline is None else max(0.0, deadline - monotonic())
                try:
                    made = attempt.result(await events.get(left))
                except TimeoutError:
                    raise attempt.late(timeout) from None
                if made is not None:
                    return made

    async def synchronized(self, timeout: float | None = None) -> None:
        """Waits until the database is synchronized; returns at once if it is.

        timeout  seconds, or None for as long as it takes

        With judge=True it is when all that came is judged: a record that waits for a verdict keeps it waiting.

        Raises TimeoutError, GraphShuttingDown (the graph was closed meanwhile), InvalidGraph.
        """
        monotonic = self._runtime._world.monotonic
        deadline = deadline_of(timeout, monotonic())
        async with self.events(StatusChanged) as events:
            status = self.status
            while not status & GraphStatus.SYNCHRONIZED:
                left = None if deadline is None else max(0.0, deadline - monotonic())
                try:
                    event = await events.get(left)
                except TimeoutError:
                    raise TimeoutError(f"{self._graph_id!r} is not synchronized after {timeout} s") from None
                if isinstance(event, Closed):
                    raise closed_error(event)
                status = event.status if isinstance(event, StatusChanged) else self.status

    def records(self, type: UUID | None = None, creator_id: str | None = None) -> AsyncIterator[Record]:
        """The application's records as they are now, or those of one type, one creator, or both.

        They are read by batch; what vanishes meanwhile is skipped. The graph's own records are included only if their
        type is asked for. Raises GraphNotReady, InvalidGraph.
        """
        return _iterate(lambda: RecordEnumerationBase(self, records_handle(self, type, creator_id)))

    def search(self, query: Query | str) -> AsyncIterator[Record]:
        """The application's records that answer a query, as they are now, in no particular order.

            async for record in graph.search((Attr("size") > 10_000) & Attr("path").like("docs/*")):
                ...

        query  comparisons of attributes, or XML

        They are read by batch; what vanishes meanwhile is skipped.

        Raises InvalidSearch, InvalidArgument (also for a bad escape), GraphNotReady, GraphShuttingDown, InvalidGraph.
        """
        return _iterate(lambda: RecordEnumerationBase(self, search_handle(self, query_xml(query))))

    async def export_database(self, path: str | os.PathLike[str]) -> None:
        """Writes the database to a file, which `import_database` reads; at any time, without keeping others waiting.

        An older file at `path` is replaced when the new one is complete. From 4 MiB on, Progress events tell how far
        it is. The file is not encrypted; only its owner may read it.

        Raises FileNotFound (there is no such folder), AccessDenied, DiskFull, InvalidArgument, GraphShuttingDown,
        GraphInUse (an import has begun meanwhile), InvalidGraph.
        """
        name = file_path("path", path)
        await in_thread(lambda: _native_database.graph_export_database(self._handle, name))

    async def import_database(self, path: str | os.PathLike[str]) -> None:
        """Takes over what `export_database` has written for the same graph and peer: all of it, or nothing.

        Only after `open_graph`, before `listen` and `connect`. If the database was synchronized when it was exported,
        the graph is synchronized afterwards. Until then other calls for the graph raise GraphInUse.

        Raises InvalidDatabase (damaged, foreign, or of another graph or peer), GraphInUse, FileNotFound, AccessDenied,
        DiskFull, InvalidArgument (the graph was created, not opened), GraphShuttingDown, InvalidGraph.
        """
        name = file_path("path", path)
        await in_thread(lambda: _native_database.graph_import_database(self._handle, name))

    def batch(self) -> Batch:
        """Begins a batch, for an async with statement. Raises GraphNotReady, InvalidGraph."""
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
        """The direct connections of this node, as streams of messages, for an async with statement.

        accept  whether others may connect; with False they are sent away

        Raises RuntimeError (it is open already), InvalidGraph.
        """
        return Direct(self, accept)


async def _iterate(make: Callable[[], RecordEnumerationBase]) -> AsyncIterator[Record]:
    enumeration = await in_thread(make, RecordEnumerationBase._close)
    try:
        while records := await in_thread(lambda: enumeration._next(BATCH)):
            for record in records:
                yield record
    finally:
        enumeration._close()
