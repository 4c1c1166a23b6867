"""The functions of C with arguments that Python cannot express: NULL, wrong sizes, handles that are none.

What the package cannot get wrong, a program in C can; this is where the suite plays such a program.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import peergraph
from conformance.worlds import NOTE
from peergraph import GraphEvent, Scope, _native
from peergraph._codes import PEER_OK
from peergraph._peergraph import ffi, lib

NULL = ffi.NULL
Handle = Any
Call = Callable[[Handle], int]

QUERY = b'<peersearch><clause attrib="a" type="int">1</clause></peersearch>'
LATE_US = 4_102_444_800_000_000
"""2100, which is later than now on every clock here."""


def guid(value: uuid.UUID | None) -> Any:
    """A pointer to an id, or NULL."""
    return NULL if value is None else ffi.new("peer_guid *", {"bytes": value.bytes})


def record_input(
    *,
    record_type: uuid.UUID = NOTE,
    data: bytes = b"text",
    attributes: str | None = None,
    expires_us: int = LATE_US,
    record_id: uuid.UUID | None = None,
) -> _native.RecordInput:
    """A record for add and update, with attributes as they are."""
    given = None if record_id is None else record_id.bytes
    return _native.RecordInput(record_type.bytes, data, attributes, expires_us, given)


def add_exactly(graph: peergraph.Graph, **fields: Any) -> uuid.UUID:
    """peer_graph_add_record with attributes as XML, or a failure."""
    return uuid.UUID(bytes=_native.graph_add_record(graph._handle, record_input(**fields)))


def update_exactly(graph: peergraph.Graph, record_id: uuid.UUID, **fields: Any) -> None:
    """peer_graph_update_record with every field as it is; the expiration stays unless it is given."""
    fields.setdefault("expires_us", 0)
    _native.graph_update_record(graph._handle, record_input(record_id=record_id, **fields))


def properties_input(graph_id: str | None = "film club", creator_id: str | None = "alice", **fields: Any) -> Any:
    """peer_graph_properties_input, and what it points to: keep both."""
    texts = {
        name: NULL if value is None else ffi.new("char[]", value.encode())
        for name, value in {"graph_id": graph_id, "creator_id": creator_id}.items()
    }
    given = ffi.new("peer_graph_properties_input *", {"presence_max": -1, **texts, **fields})
    if "struct_size" not in fields:
        given.struct_size = ffi.sizeof("peer_graph_properties_input")
    return given, texts


def create(runtime: Handle, properties: Any, database: Any = NULL) -> int:
    """peer_graph_create; what was made is closed."""
    out = ffi.new("peer_graph **")
    status = lib.peer_graph_create(runtime, properties, database, NULL, out)
    if status >= PEER_OK:
        lib.peer_graph_close(out[0])
    return int(status)


def gives(kind: str, call: Callable[[Any], int], release: Callable[[Any], Any] | None = None) -> int:
    """Calls with a place for the result; releases what was put there."""
    out = ffi.new(kind)
    status = call(out)
    if status >= PEER_OK and release is not None:
        release(out[0])
    return int(status)


def _register(graph: Handle) -> int:
    return gives(
        "peer_event_queue **",
        lambda out: lib.peer_graph_register_event(graph, 0, NULL, out),
        lib.peer_unregister_event,
    )


def _properties(graph: Handle) -> int:
    given, _texts = properties_input()
    return int(lib.peer_graph_set_properties(graph, given))


def _send(graph: Handle) -> int:
    return int(lib.peer_graph_send_data(graph, 77, guid(NOTE), b"x", 1))


def graph_calls(
    record_id: uuid.UUID = NOTE, path: bytes = b"/nowhere/file", address: bytes = b"[::1]:9"
) -> dict[str, Call]:
    """Every function that takes a graph, with arguments of which none is wrong.

    record_id  the record that it may be about
    path       of a file for export and import
    address    to connect to

    Connections and judgements do not exist under the numbers used here.
    """
    given = record_input(record_id=record_id)
    ident = guid(record_id)
    free, end = lib.peer_free_data, lib.peer_end_enumeration
    return {
        "get_status": lambda g: gives("uint32_t *", lambda out: lib.peer_graph_get_status(g, out)),
        "get_properties": lambda g: gives(
            "peer_graph_properties **", lambda out: lib.peer_graph_get_properties(g, out), free
        ),
        "set_properties": _properties,
        "get_node_info": lambda g: gives(
            "peer_node_info **", lambda out: lib.peer_graph_get_node_info(g, 0, out), free
        ),
        "enum_nodes": lambda g: gives("peer_enum **", lambda out: lib.peer_graph_enum_nodes(g, NULL, out), end),
        "set_presence": lambda g: lib.peer_graph_set_presence(g, 1),
        "set_node_attributes": lambda g: lib.peer_graph_set_node_attributes(g, b"text"),
        "enum_connections": lambda g: gives(
            "peer_enum **", lambda out: lib.peer_graph_enum_connections(g, 3, out), end
        ),
        "register_event": _register,
        "peer_time_to_universal_time": lambda g: gives(
            "int64_t *", lambda out: lib.peer_graph_peer_time_to_universal_time(g, 1, out)
        ),
        "universal_time_to_peer_time": lambda g: gives(
            "int64_t *", lambda out: lib.peer_graph_universal_time_to_peer_time(g, 1, out)
        ),
        "add_record": lambda g: gives("peer_guid *", lambda out: lib.peer_graph_add_record(g, given.view, out)),
        "update_record": lambda g: lib.peer_graph_update_record(g, given.view),
        "get_record": lambda g: gives("peer_record **", lambda out: lib.peer_graph_get_record(g, ident, out), free),
        "enum_records": lambda g: gives(
            "peer_enum **", lambda out: lib.peer_graph_enum_records(g, NULL, NULL, out), end
        ),
        "search_records": lambda g: gives(
            "peer_enum **", lambda out: lib.peer_graph_search_records(g, QUERY, out), end
        ),
        "export_database": lambda g: lib.peer_graph_export_database(g, path),
        "import_database": lambda g: lib.peer_graph_import_database(g, path),
        "begin_batch": lambda g: gives(
            "peer_batch **", lambda out: lib.peer_graph_begin_batch(g, out), lib.peer_batch_abort
        ),
        "validate_deferred_records": lambda g: lib.peer_graph_validate_deferred_records(g, 0, NULL),
        "get_deferred_record": lambda g: gives(
            "peer_record **", lambda out: lib.peer_graph_get_deferred_record(g, 77, out), free
        ),
        "judge_record": lambda g: lib.peer_graph_judge_record(g, 77, PEER_OK),
        "open_direct_connection": lambda g: gives(
            "uint64_t *", lambda out: lib.peer_graph_open_direct_connection(g, b"bob", address, out)
        ),
        "send_data": _send,
        "close_direct_connection": lambda g: lib.peer_graph_close_direct_connection(g, 77),
        "pause_direct_connection": lambda g: lib.peer_graph_pause_direct_connection(g, 77, 1),
        "delete_secured_record": lambda g: lib.peer_graph_delete_secured_record(g, given.view),
        "delete_record": lambda g: lib.peer_graph_delete_record(g, ident, 0),
        "connect": lambda g: lib.peer_graph_connect(g, NULL, address, NULL),
        "listen": lambda g: lib.peer_graph_listen(g, int(Scope.LOOPBACK), 0, 0),
        "close": lib.peer_graph_close,
    }


def functions_of_a_graph() -> set[str]:
    """What the library has: the functions whose first argument is a graph."""
    found = set()
    for name in dir(lib):
        if name.startswith("peer_graph_") and "peer_graph *" in str(ffi.typeof(getattr(lib, name)).args[0]):
            found.add(name.removeprefix("peer_graph_"))
    return found


def registration(kind: GraphEvent | int, record_type: uuid.UUID | None = None) -> Any:
    """One peer_event_registration and its id: keep both."""
    ident = guid(record_type)
    return ffi.new("peer_event_registration *", {"type": int(kind), "record_type": ident}), ident
