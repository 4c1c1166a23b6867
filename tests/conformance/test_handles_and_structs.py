"""Handles of another kind, structs of another size, what a failure leaves: what only a program in C gets wrong."""

from __future__ import annotations

import uuid

import pytest
from conformance import exact
from conformance.exact import NULL, ffi, gives, guid, lib, record_input
from conformance.worlds import add
from peergraph import _native
from peergraph._codes import E_INVALIDARG, PEER_E_INVALID_GRAPH, PEER_E_NOT_INITIALIZED, PEER_OK

UNTOUCHED = 0x5A5A_5A5A


@pytest.fixture
def handles(world, graph):
    """One living handle of each kind."""
    add(graph)
    made = {
        "peer_runtime": world.runtime()._handle,
        "peer_graph": graph._handle,
        "peer_event_queue": _native.graph_register_event(graph._handle, []),
        "peer_enum": _native.graph_enum_records(graph._handle, None, None),
        "peer_batch": _native.graph_begin_batch(graph._handle),
    }
    yield made
    lib.peer_unregister_event(made["peer_event_queue"])
    lib.peer_end_enumeration(made["peer_enum"])
    lib.peer_batch_abort(made["peer_batch"])


def calls():
    """By the kind of their handle: the error of a wrong one, and every function, with arguments that are right."""
    number, count, views = ffi.new("int64_t *"), ffi.new("uint32_t *"), ffi.new("const void **")
    items = ffi.new("const void *const **")
    record, ident = record_input(), guid(uuid.uuid4())
    properties = exact.properties_input("another graph")
    return {
        "peer_runtime": (
            PEER_E_NOT_INITIALIZED,
            {
                "create": lambda h: exact.create(h, properties[0]),
                "open": lambda h: gives(
                    "peer_graph **",
                    lambda out: lib.peer_graph_open(h, b"g", b"p", NULL, NULL, 0, NULL, out),
                    lib.peer_graph_close,
                ),
                "delete": lambda h: lib.peer_graph_delete(h, b"g", b"p", NULL),
                "shutdown": lib.peer_shutdown,
            },
        ),
        "peer_graph": (PEER_E_INVALID_GRAPH, exact.graph_calls()),
        "peer_event_queue": (
            E_INVALIDARG,
            {
                "descriptor": lambda h: lib.peer_event_queue_get_descriptor(h, number),
                "wait": lambda h: lib.peer_event_queue_wait(h, 0),
                "get": lambda h: gives(
                    "peer_event **", lambda out: lib.peer_get_event_data(h, out), lib.peer_free_data
                ),
                "batch": lambda h: lib.peer_get_event_batch(
                    h, 1, ffi.sizeof("peer_event_view"), count, ffi.cast("const peer_event_view **", views)
                ),
                "unregister": lib.peer_unregister_event,
            },
        ),
        "peer_enum": (
            E_INVALIDARG,
            {
                "count": lambda h: lib.peer_get_item_count(h, count),
                "next": lambda h: lib.peer_get_next_item(h, 1, count, items),
                "views": lambda h: lib.peer_get_item_views(h, 1, ffi.sizeof("peer_record_view"), count, views),
                "end": lib.peer_end_enumeration,
            },
        ),
        "peer_batch": (
            E_INVALIDARG,
            {
                "add": lambda h: gives("peer_guid *", lambda out: lib.peer_batch_add_record(h, record.view, out)),
                "update": lambda h: lib.peer_batch_update_record(h, record.view),
                "delete": lambda h: lib.peer_batch_delete_record(h, ident),
                "delete_secured": lambda h: lib.peer_batch_delete_secured_record(h, record.view),
                "commit": lib.peer_batch_commit,
                "abort": lib.peer_batch_abort,
            },
        ),
    }


@pytest.mark.parametrize("kind", calls())
def test_handles_of_another_kind(handles, kind):
    """And those that are none. All of what was given is alive afterwards."""
    error, functions = calls()[kind]
    others = {name: handle for name, handle in handles.items() if name != kind}
    others |= {"NULL": 0, "garbage": 0xDEAD_BEEF, "all bits": 0xFFFF_FFFF_FFFF_FFFF}
    for name, handle in others.items():
        given = ffi.cast(f"{kind} *", handle)
        assert (name, {each: call(given) for each, call in functions.items()}) == (
            name,
            dict.fromkeys(functions, error),
        )
    assert lib.peer_get_item_count(handles["peer_enum"], ffi.new("uint32_t *")) == PEER_OK
    assert lib.peer_event_queue_wait(handles["peer_event_queue"], 0) >= PEER_OK
    assert lib.peer_batch_commit(handles["peer_batch"]) == PEER_OK


def test_handles_of_what_has_ended(graph, handles):
    error, functions = calls()["peer_batch"]
    assert lib.peer_batch_abort(handles["peer_batch"]) == PEER_OK
    assert {call(handles["peer_batch"]) for call in functions.values()} == {error}
    for kind in ("peer_enum", "peer_batch"):
        graph.close()
        error, functions = calls()[kind]
        assert {call(handles[kind]) for call in functions.values()} == {error}


def struct_calls(runtime, graph):
    """A function for each struct that goes in: its type, its fields, and how it is passed."""
    ids = {name: ffi.new("char[]", name.encode()) for name in ("graph_id", "creator_id")}
    plain = exact.properties_input("with options")  # with its texts
    place = ffi.new("peer_guid *")
    record = {"type": {"bytes": uuid.uuid4().bytes}, "expires_us": exact.LATE_US}
    return {
        "peer_graph_properties_view": ({"presence_max": -1, **ids}, lambda given: exact.create(runtime, given)),
        "peer_graph_options_input": (
            {},
            lambda given: gives(
                "peer_graph **",
                lambda out: lib.peer_graph_create(runtime, plain[0], b"own", given, out),
                lib.peer_graph_close,
            ),
        ),
        "peer_record_view": (record, lambda given: lib.peer_graph_add_record(graph, given, place)),
    }


@pytest.mark.parametrize("kind", ["peer_graph_properties_view", "peer_graph_options_input", "peer_record_view"])
def test_sizes_and_tails_of_structs(world, graph, kind):
    """What is behind the known fields must be 0, so that a field of a later version is never passed over."""
    fields, call = struct_calls(world.runtime()._handle, graph._handle)[kind]
    size = ffi.sizeof(kind)

    def status(struct_size, last_byte=0):
        memory = ffi.new("char[]", size + 64)
        given = ffi.cast(f"{kind} *", memory)
        ffi.memmove(given, ffi.new(f"{kind} *", fields), size)
        given.struct_size = struct_size
        memory[size + 15] = bytes([last_byte])
        return call(given)

    for struct_size in (0, 4, 7):
        assert status(struct_size) == E_INVALIDARG
    assert status(size + 16, last_byte=1) == E_INVALIDARG
    assert status(size + 16) == PEER_OK


def test_sizes_and_tails_of_the_options_of_startup(tmp_path):
    memory = ffi.new("char[]", 64)
    given = ffi.cast("peer_startup_input *", memory)
    folder = given.data_directory = ffi.new("char[]", str(tmp_path).encode())
    size = ffi.sizeof("peer_startup_input")

    def status(struct_size, last_byte=0, flags=0):
        given.struct_size, given.flags = struct_size, flags
        memory[size + 7] = bytes([last_byte])
        return gives("peer_runtime **", lambda out: lib.peer_startup(1, given, NULL, out), lib.peer_shutdown)

    assert [status(0), status(size - 1), status(size + 8, last_byte=1), status(size, flags=1)] == [E_INVALIDARG] * 4
    assert [status(size), status(size + 8)] == [PEER_OK, PEER_OK]
    assert folder


def test_a_failure_leaves_the_places_alone(world, graph):
    place = ffi.new("uint64_t *", UNTOUCHED)
    where = ffi.new("peer_graph **", ffi.cast("peer_graph *", UNTOUCHED))
    assert lib.peer_graph_connect(graph._handle, NULL, b"no address", place) == E_INVALIDARG
    assert lib.peer_graph_open(world.runtime()._handle, b"", b"", NULL, NULL, 0, NULL, where) == E_INVALIDARG
    assert (place[0], int(ffi.cast("uintptr_t", where[0]))) == (UNTOUCHED, UNTOUCHED)


def test_what_leaves_the_message_of_a_failure_alone(graph):
    assert lib.peer_graph_connect(graph._handle, NULL, b"no address", NULL) == E_INVALIDARG
    message = _native.last_error_message()
    assert "no address" in message
    assert graph.status
    lib.peer_free_data(NULL)
    for call, kind in (
        (lib.peer_unregister_event, "peer_event_queue *"),
        (lib.peer_end_enumeration, "peer_enum *"),
        (lib.peer_batch_abort, "peer_batch *"),
        (lib.peer_graph_close, "peer_graph *"),
    ):
        assert call(ffi.cast(kind, 0x1234)) < 0
    assert _native.last_error_message() == message


@pytest.mark.parametrize("name", [b"\xff/", b"\xc3/", b"a\nb", b"\xed\xa0\x80", "a𝄞".encode() * 60], ids=repr)
def test_messages_are_one_line_of_utf_8(world, name):
    """They quote what was wrong, and what was wrong may be anything, cut anywhere."""
    given, _texts = exact.properties_input()
    assert exact.create(world.runtime()._handle, given, name) == E_INVALIDARG
    message = ffi.string(lib.peer_last_error_message())
    assert message.decode().isprintable()
    assert b"database_name" in message
