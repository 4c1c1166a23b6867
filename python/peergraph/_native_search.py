"""As _native.py, for searches."""

from __future__ import annotations

from ._native import Handle, _check, _encoded
from ._peergraph import ffi, lib


def graph_search_records(graph: Handle, criteria: str) -> Handle:
    """peer_graph_search_records."""
    out = ffi.new("peer_enum **")
    _check(lib.peer_graph_search_records(graph, _encoded(criteria), out))
    handle: Handle = out[0]
    return handle
