"""As _native.py, for the database of a graph as a file."""

from __future__ import annotations

from ._native import Handle, _check, _encoded
from ._peergraph import lib


def graph_export_database(graph: Handle, path: str) -> None:
    """peer_graph_export_database."""
    _check(lib.peer_graph_export_database(graph, _encoded(path)))


def graph_import_database(graph: Handle, path: str) -> None:
    """peer_graph_import_database."""
    _check(lib.peer_graph_import_database(graph, _encoded(path)))
