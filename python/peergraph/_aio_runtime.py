"""A runtime in an asyncio loop."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING
from uuid import UUID

from . import _native
from ._aio_calls import Ending, Opening, in_thread
from ._aio_graph import Graph
from ._check import check_names, ids
from ._codes import Scope
from ._context import World, current_world
from ._graph import RuntimeBase, raw_properties
from .runtime import graph_options

if TYPE_CHECKING:
    from typing_extensions import Self


def open_runtime(data_directory: str | os.PathLike[str] | None = None) -> Opening[Runtime]:
    """Starts a runtime: a data directory, a thread for the network, and everything opened in it.

        async with open_runtime() as runtime: ...
        runtime = await open_runtime()

    data_directory  where databases live; None: $XDG_DATA_HOME/peergraph, or ~/.local/share/peergraph

    On a simulated host the runtime lives on that host's network. Raises AccessDenied, OutOfMemory, Forked.
    """
    directory = None if data_directory is None else os.fsdecode(data_directory)

    async def start() -> Runtime:
        world = current_world.get()
        return await in_thread(lambda: Runtime(world.startup(directory), directory, world), Runtime._close)

    return Opening("open_runtime", start)


class Runtime(RuntimeBase):
    """A runtime; `open_runtime` gives one. A process may have several, which do not know each other."""

    __slots__ = ("_ending",)

    def __init__(self, handle: _native.Handle, directory: str | None, world: World) -> None:
        super().__init__(handle, directory, world)
        self._ending = Ending()

    async def close(self) -> None:
        """Closes every graph with a goodbye (waits for at most one second) and ends. May be called again.

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

    def create_graph(
        self,
        graph_id: str,
        *,
        peer_id: str,
        database: str = "default",
        friendly_name: str | None = None,
        comment: str | None = None,
        scope: Scope = Scope.GLOBAL,
        max_record_size: int = 0,
        presence_lifetime: dt.timedelta | None = None,
        presence_max: int | None = None,
        defer_expiration: bool = False,
        durable: bool = False,
        manual: bool = False,
        judge: bool = False,
        max_database_bytes: int = 0,
        max_bytes_per_creator: int = 0,
    ) -> Opening[Graph]:
        """Makes a new graph and its database, and opens it; await it, or use it in an async with statement.

        Arguments and errors are those of peergraph.Runtime.create_graph.
        """
        check_names(graph_id, peer_id, database)
        options = graph_options(durable, manual, judge, max_database_bytes, max_bytes_per_creator)
        properties = raw_properties(
            graph_id,
            peer_id,
            friendly_name,
            comment,
            scope,
            max_record_size,
            presence_lifetime,
            presence_max,
            defer_expiration,
        )

        def create() -> Graph:
            handle = _native.graph_create(self._handle, properties, database, options)
            return Graph(self, handle, graph_id, peer_id, database, False)

        return Opening("Runtime.create_graph", lambda: in_thread(create, Graph._close))

    def open_graph(
        self,
        graph_id: str,
        *,
        peer_id: str,
        database: str = "default",
        precedence: Iterable[UUID] = (),
        durable: bool = False,
        manual: bool = False,
        judge: bool = False,
        max_database_bytes: int = 0,
        max_bytes_per_creator: int = 0,
    ) -> Opening[Graph]:
        """Opens a graph that this or another node created; await it, or use it in an async with statement.

        Arguments and errors are those of peergraph.Runtime.open_graph.
        """
        types = ids("precedence", precedence)
        check_names(graph_id, peer_id, database)
        options = graph_options(durable, manual, judge, max_database_bytes, max_bytes_per_creator)

        def open_() -> Graph:
            handle, is_new = _native.graph_open(self._handle, graph_id, peer_id, database, options, types)
            return Graph(self, handle, graph_id, peer_id, database, is_new)

        return Opening("Runtime.open_graph", lambda: in_thread(open_, Graph._close))

    async def delete_graph(self, graph_id: str, *, peer_id: str, database: str = "default") -> None:
        """Removes the stored data of a graph from this machine; other nodes keep theirs. The graph must be closed.

        Raises DatabaseNotPresent, DatabaseInUse, GraphInUse, AccessDenied, NotInitialized.
        """
        await in_thread(lambda: _native.graph_delete(self._handle, graph_id, peer_id, database))
