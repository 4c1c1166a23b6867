"""As _native.py, for searches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._native import Handle, _check, _encoded, _guid, _text
from ._peergraph import ffi, lib

if TYPE_CHECKING:
    from ._peergraph import CData


def graph_search_records(graph: Handle, criteria: str) -> Handle:
    """peer_graph_search_records."""
    out = ffi.new("peer_enum **")
    _check(lib.peer_graph_search_records(graph, _encoded(criteria), out))
    handle: Handle = out[0]
    return handle


class QueryBuilder:
    """A peer_query object."""

    __slots__ = ("_object",)

    def __init__(self) -> None:
        """peer_query_create."""
        out = ffi.new("peer_query **")
        self._object: CData = ffi.NULL
        _check(lib.peer_query_create(out))
        self._object = out[0]

    def __del__(self) -> None:
        if self._object:
            lib.peer_free_data(self._object)

    def begin_and(self) -> None:
        """peer_query_begin_and."""
        _check(lib.peer_query_begin_and(self._object))

    def begin_or(self) -> None:
        """peer_query_begin_or."""
        _check(lib.peer_query_begin_or(self._object))

    def end(self) -> None:
        """peer_query_end."""
        _check(lib.peer_query_end(self._object))

    def add_text(self, name: str, compare: int, text: str) -> None:
        """peer_query_add_text."""
        _check(lib.peer_query_add_text(self._object, _encoded(name), compare, _encoded(text)))

    def add_pattern(self, name: str, compare: int, pattern: str) -> None:
        """peer_query_add_pattern."""
        _check(lib.peer_query_add_pattern(self._object, _encoded(name), compare, _encoded(pattern)))

    def add_int(self, name: str, compare: int, value: int) -> None:
        """peer_query_add_int."""
        _check(lib.peer_query_add_int(self._object, _encoded(name), compare, value))

    def add_date(self, name: str, compare: int, time_us: int) -> None:
        """peer_query_add_date."""
        _check(lib.peer_query_add_date(self._object, _encoded(name), compare, time_us))

    def add_guid(self, name: str, compare: int, guid: bytes) -> None:
        """peer_query_add_guid."""
        _check(lib.peer_query_add_guid(self._object, _encoded(name), compare, _guid(guid)))

    def xml(self) -> str:
        """peer_query_get_xml."""
        out = ffi.new("const char **")
        _check(lib.peer_query_get_xml(self._object, out))
        return _text(out[0]) or ""
