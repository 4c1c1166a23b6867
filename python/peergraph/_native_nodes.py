"""As _native.py, for nodes and connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ._native import Buffer, Handle, _check, _encoded, _guid, _text
from ._peergraph import ffi, lib

if TYPE_CHECKING:
    from ._peergraph import CData


class RawNode(NamedTuple):
    """A node as C has it."""

    node_id: int
    peer_id: str
    attributes: str | None
    addresses: tuple[str, ...]


class RawConnection(NamedTuple):
    """A connection as C has it."""

    flags: int
    connection_id: int
    node_id: int
    peer_id: str | None
    address: str
    lost_count: int


def _raw_node(view: CData) -> RawNode:
    addresses = (_text(view.addresses[index]) or "" for index in range(view.address_count))
    return RawNode(view.node_id, _text(view.peer_id) or "", _text(view.attributes), tuple(addresses))


def _raw_connection(view: CData) -> RawConnection:
    peer_id, address = _text(view.peer_id), _text(view.address) or ""
    return RawConnection(view.flags, view.connection_id, view.node_id, peer_id, address, view.lost_count)


def graph_get_node_info(graph: Handle, node_id: int) -> RawNode:
    """peer_graph_get_node_info and peer_node_info_get_view."""
    out = ffi.new("peer_node_info **")
    _check(lib.peer_graph_get_node_info(graph, node_id, out))
    try:
        view = ffi.new("peer_node_info_view *")
        _check(lib.peer_node_info_get_view(out[0], ffi.sizeof("peer_node_info_view"), view))
        return _raw_node(view)
    finally:
        lib.peer_free_data(out[0])


def graph_set_presence(graph: Handle, present: bool) -> None:
    """peer_graph_set_presence."""
    _check(lib.peer_graph_set_presence(graph, int(present)))


def graph_set_node_attributes(graph: Handle, attributes: str | None) -> None:
    """peer_graph_set_node_attributes."""
    _check(lib.peer_graph_set_node_attributes(graph, _encoded(attributes)))


def graph_enum_nodes(graph: Handle, peer_id: str | None) -> Handle:
    """peer_graph_enum_nodes."""
    out = ffi.new("peer_enum **")
    _check(lib.peer_graph_enum_nodes(graph, _encoded(peer_id), out))
    handle: Handle = out[0]
    return handle


def graph_enum_connections(graph: Handle, flags: int) -> Handle:
    """peer_graph_enum_connections."""
    out = ffi.new("peer_enum **")
    _check(lib.peer_graph_enum_connections(graph, flags, out))
    handle: Handle = out[0]
    return handle


def graph_open_direct_connection(graph: Handle, peer_id: str, address: str) -> int:
    """peer_graph_open_direct_connection."""
    out = ffi.new("uint64_t *")
    _check(lib.peer_graph_open_direct_connection(graph, _encoded(peer_id), _encoded(address), out))
    return int(out[0])


def graph_send_data(graph: Handle, connection_id: int, data_type: bytes, data: Buffer) -> None:
    """peer_graph_send_data."""
    with ffi.from_buffer(data) as given:
        _check(lib.peer_graph_send_data(graph, connection_id, _guid(data_type), given, len(given)))


def graph_close_direct_connection(graph: Handle, connection_id: int) -> None:
    """peer_graph_close_direct_connection."""
    _check(lib.peer_graph_close_direct_connection(graph, connection_id))


def graph_pause_direct_connection(graph: Handle, connection_id: int, paused: bool) -> None:
    """peer_graph_pause_direct_connection."""
    _check(lib.peer_graph_pause_direct_connection(graph, connection_id, int(paused)))


def get_next_connections(enumeration: Handle, count_max: int) -> list[RawConnection]:
    """peer_get_next_item of connections, and peer_connection_info_get_view for each."""
    count = ffi.new("uint32_t *")
    items = ffi.new("const void *const **")
    _check(lib.peer_get_next_item(enumeration, count_max, count, items))
    view = ffi.new("peer_connection_info_view *")
    found = []
    try:
        for index in range(count[0]):
            info = ffi.cast("const peer_connection_info *", items[0][index])
            _check(lib.peer_connection_info_get_view(info, ffi.sizeof("peer_connection_info_view"), view))
            found.append(_raw_connection(view))
        return found
    finally:
        lib.peer_free_data(items[0])


def _item_views(enumeration: Handle, count_max: int, view: str) -> tuple[CData, int, CData]:
    """An array of views, how many there are, and what is to be freed."""
    count = ffi.new("uint32_t *")
    views = ffi.new("const void **")
    _check(lib.peer_get_item_views(enumeration, count_max, ffi.sizeof(view), count, views))
    return ffi.cast(f"const {view} *", views[0]), int(count[0]), views[0]


def get_node_views(enumeration: Handle, count_max: int) -> list[RawNode]:
    """peer_get_item_views of an enumeration of nodes; an empty list is the end."""
    views, count, array = _item_views(enumeration, count_max, "peer_node_info_view")
    try:
        return [_raw_node(views[index]) for index in range(count)]
    finally:
        lib.peer_free_data(array)


def get_connection_views(enumeration: Handle, count_max: int) -> list[RawConnection]:
    """peer_get_item_views of an enumeration of connections; an empty list is the end."""
    views, count, array = _item_views(enumeration, count_max, "peer_connection_info_view")
    try:
        return [_raw_connection(views[index]) for index in range(count)]
    finally:
        lib.peer_free_data(array)
