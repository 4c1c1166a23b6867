"""A runtime for programs without a loop."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING
from uuid import UUID

from . import _native
from ._check import check_names, ids, unsigned
from ._codes import GraphOption, Scope
from ._context import current_world
from ._graph import RuntimeBase, raw_properties
from .graph import Graph

if TYPE_CHECKING:
    from typing_extensions import Self


def open_runtime(data_directory: str | os.PathLike[str] | None = None) -> Runtime:
    """Starts a runtime: a data directory, a thread for the network, and everything opened in it.

    data_directory  where databases live; None: $XDG_DATA_HOME/peergraph, or ~/.local/share/peergraph

    Use it in a with statement, or close it. On a simulated host the runtime lives on that host's network.
    Raises AccessDenied, OutOfMemory, Forked.
    """
    directory = None if data_directory is None else os.fsdecode(data_directory)
    world = current_world.get()
    return Runtime(world.startup(directory), directory, world)


class Runtime(RuntimeBase):
    """A runtime; `open_runtime` gives one. A process may have several, which do not know each other."""

    __slots__ = ()

    def close(self) -> None:
        """Closes every graph with a goodbye (waits for at most one second) and ends. May be called again."""
        self._close()

    shutdown = close

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

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
    ) -> Graph:
        """Makes a new graph and its database, and opens it. Only one peer creates a graph; the others open it.

        graph_id           1 to 255 characters, the same for all peers
        peer_id            who we are in the graph, 1 to 255 characters
        database           tells apart several databases of one graph and peer on this machine
        friendly_name      at most 255 characters
        comment            at most 511 characters
        scope              how far the graph reaches
        max_record_size    bytes of data and attributes, 1,024 to 62,914,560; 0: 4 MiB
        presence_lifetime  at least 300 s; None: 300 s
        presence_max       about how many nodes publish their presence; None: every one
        defer_expiration   records do not expire while a node is unconnected
        durable            what was stored survives a loss of power, not only the end of the process
        manual             the graph makes no connections but those asked for with connect; else, once it has listened
                           or connected, it finds further neighbours and replaces lost ones by itself
        judge              the application judges every record that others send: Validation, judge_record
        max_database_bytes     what the records may hold here, at least 65,536 bytes; 0: 1 GiB. Beyond it changes raise
                               DiskFull, and records of neighbours wait (GraphStatus.STORAGE_FULL); deletions still work
        max_bytes_per_creator  the same for the records of each creator; 0: no limit

        Raises DuplicateGraph, DatabaseAlreadyPresent, DatabaseInUse, DatabaseAccessDenied, DiskFull, InvalidArgument,
        NotInitialized.
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
        handle = _native.graph_create(self._handle, properties, database, options)
        return Graph(self, handle, graph_id, peer_id, database, False)

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
    ) -> Graph:
        """Opens a graph that this or another node created; `graph.is_new` tells whether it has to synchronize first.

        graph_id    as its creator named it
        peer_id     who we are in the graph, 1 to 255 characters
        database    tells apart several databases of one graph and peer on this machine
        precedence  record types to be synchronized before the others, at most 253; a Synchronized event tells of each
        durable     what was stored survives a loss of power, not only the end of the process
        manual      the graph makes no connections but those asked for with connect; else, once it has listened or
                    connected, it finds further neighbours and replaces lost ones by itself
        judge       the application judges every record that others send: Validation, judge_record
        max_database_bytes, max_bytes_per_creator
                    as in create_graph; they hold as long as the graph is open

        Raises DuplicateGraph, DatabaseInUse, InvalidDatabase, DatabaseAccessDenied, DiskFull, InvalidArgument,
        NotInitialized; DatabaseError if the graph is open in this runtime with another database.
        """
        types = ids("precedence", precedence)
        check_names(graph_id, peer_id, database)
        options = graph_options(durable, manual, judge, max_database_bytes, max_bytes_per_creator)
        handle, is_new = _native.graph_open(self._handle, graph_id, peer_id, database, options, types)
        return Graph(self, handle, graph_id, peer_id, database, is_new)

    def delete_graph(self, graph_id: str, *, peer_id: str, database: str = "default") -> None:
        """Removes the stored data of a graph from this machine; other nodes keep theirs. The graph must be closed.

        Raises DatabaseNotPresent, DatabaseInUse, GraphInUse, AccessDenied, NotInitialized.
        """
        _native.graph_delete(self._handle, graph_id, peer_id, database)


def graph_options(
    durable: bool, manual: bool, judge: bool, max_database_bytes: int, max_bytes_per_creator: int
) -> _native.RawOptions:
    for name, value in (("max_database_bytes", max_database_bytes), ("max_bytes_per_creator", max_bytes_per_creator)):
        unsigned(name, value, 64)
    flags = int(GraphOption.DURABLE) * bool(durable)
    flags |= int(GraphOption.MANUAL) * bool(manual) | int(GraphOption.JUDGE) * bool(judge)
    return _native.RawOptions(flags, max_database_bytes, max_bytes_per_creator)
