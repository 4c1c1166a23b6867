"""Enumerations: what was there at one moment, fetched by and by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, TypeVar
from uuid import UUID

from . import _native, _native_nodes, _native_search
from ._check import id_bytes, number_of, optional_text, text, unsigned
from ._codes import ConnectionFlag
from ._handle import Handle, end_with_graph
from ._nodes import ConnectionInfo, NodeInfo, connection_from, node_from
from .records import Record

if TYPE_CHECKING:
    from ._graph import GraphBase

ITEMS_AT_ONCE: Final = 256

T = TypeVar("T")


class EnumerationBase(Handle, Generic[T]):
    """What was there when the enumeration was made."""

    __slots__ = ("_graph",)

    _graph: GraphBase

    def __init__(self, graph: GraphBase, handle: _native.Handle) -> None:
        super().__init__(handle)
        self._graph = graph

    def _is_gone(self) -> bool:
        return self._graph.closed

    def _end(self) -> None:
        end_with_graph(_native.end_enumeration, self._handle)

    def _next(self, count: int) -> list[T]:
        raise NotImplementedError

    def __repr__(self) -> str:
        state = " ended" if self._ended or self._is_gone() else ""
        return f"<{type(self).__module__}.{type(self).__name__}{state} of {self._graph._graph_id!r}>"


def records_handle(graph: GraphBase, record_type: UUID | None, creator_id: str | None) -> _native.Handle:
    """The handle of an enumeration of records by type and creator."""
    given = None if record_type is None else id_bytes("type", record_type)
    creator = optional_text("creator_id", creator_id)
    return _native.graph_enum_records(graph._handle, given, creator)


def search_handle(graph: GraphBase, criteria: str) -> _native.Handle:
    """The handle of an enumeration of what a search finds."""
    return _native_search.graph_search_records(graph._handle, text("criteria", criteria))


class RecordEnumerationBase(EnumerationBase[Record]):
    """Records that were there when the enumeration was made."""

    __slots__ = ()

    def _next(self, count: int) -> list[Record]:
        return [Record(raw) for raw in _native.get_item_views(self._handle, unsigned("count_max", count))]


class NodeEnumerationBase(EnumerationBase[NodeInfo]):
    """Nodes that were present when the enumeration was made."""

    __slots__ = ()

    def __init__(self, graph: GraphBase, peer_id: str | None) -> None:
        super().__init__(graph, _native_nodes.graph_enum_nodes(graph._handle, optional_text("peer_id", peer_id)))

    def _next(self, count: int) -> list[NodeInfo]:
        return [node_from(raw) for raw in _native_nodes.get_node_views(self._handle, unsigned("count_max", count))]


class ConnectionEnumerationBase(EnumerationBase[ConnectionInfo]):
    """Connections that were up when the enumeration was made."""

    __slots__ = ()

    def __init__(self, graph: GraphBase, kind: ConnectionFlag) -> None:
        super().__init__(
            graph, _native_nodes.graph_enum_connections(graph._handle, number_of(ConnectionFlag, "kind", kind))
        )

    def _next(self, count: int) -> list[ConnectionInfo]:
        raws = _native_nodes.get_connection_views(self._handle, unsigned("count_max", count))
        return [connection_from(raw) for raw in raws]


def everything(enumeration: EnumerationBase[T]) -> list[T]:
    """All items; ends the enumeration."""
    found: list[T] = []
    try:
        while items := enumeration._next(ITEMS_AT_ONCE):
            found += items
    finally:
        enumeration._close()
    return found
