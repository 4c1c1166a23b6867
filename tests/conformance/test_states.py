"""What is allowed in which state, cell by cell, and which of several errors comes first."""

from __future__ import annotations

import pytest
from conformance import exact
from conformance.exact import NULL, ffi, graph_calls, guid, lib, record_input
from conformance.worlds import GRAPH, NOTE, RESERVED, add
from peergraph import Scope
from peergraph._codes import (
    E_INVALIDARG,
    PEER_E_ALREADY_EXISTS,
    PEER_E_ALREADY_LISTENING,
    PEER_E_CONNECTION_NOT_FOUND,
    PEER_E_GRAPH_IN_USE,
    PEER_E_GRAPH_NOT_READY,
    PEER_E_INVALID_ATTRIBUTES,
    PEER_E_INVALID_GRAPH,
    PEER_E_NOT_AUTHORIZED,
    PEER_E_NOT_INITIALIZED,
    PEER_E_RECORD_NOT_FOUND,
    PEER_OK,
)

READY_ONLY = (PEER_E_GRAPH_NOT_READY, PEER_OK, PEER_OK)
ALWAYS = (PEER_OK, PEER_OK, PEER_OK)
NO_RECORD = (PEER_E_RECORD_NOT_FOUND,) * 3
NO_CONNECTION = (PEER_E_CONNECTION_NOT_FOUND,) * 3

NEW, IDLE, LINKED = range(3)
STATES = {"never synchronized": NEW, "synchronized and idle": IDLE, "listening and connected": LINKED}
MATRIX = {
    "get_status": ALWAYS,
    "register_event": ALWAYS,
    "peer_time_to_universal_time": ALWAYS,
    "universal_time_to_peer_time": ALWAYS,
    "get_properties": READY_ONLY,
    "set_properties": READY_ONLY,
    "add_record": READY_ONLY,
    "update_record": READY_ONLY,
    "get_record": READY_ONLY,
    "delete_record": READY_ONLY,
    "delete_secured_record": READY_ONLY,
    "begin_batch": READY_ONLY,
    "enum_records": READY_ONLY,
    "search_records": READY_ONLY,
    "enum_nodes": READY_ONLY,
    "export_database": ALWAYS,
    "enum_connections": ALWAYS,
    "get_node_info": ALWAYS,
    "set_presence": ALWAYS,
    "set_node_attributes": ALWAYS,
    "validate_deferred_records": ALWAYS,
    "get_deferred_record": NO_RECORD,
    "judge_record": NO_RECORD,
    "open_direct_connection": ALWAYS,
    "send_data": NO_CONNECTION,
    "close_direct_connection": NO_CONNECTION,
    "pause_direct_connection": NO_CONNECTION,
}
LEAVES_THE_STATE = {
    "connect": (PEER_OK, PEER_OK, PEER_E_ALREADY_EXISTS),
    "listen": (PEER_E_GRAPH_NOT_READY, PEER_OK, PEER_E_ALREADY_LISTENING),
    "import_database": (PEER_OK, PEER_OK, PEER_E_GRAPH_IN_USE),
    "close": ALWAYS,
}


@pytest.fixture
def in_state(world):
    """Alice's graph in a state, opened, not created; and the address of a neighbour, or of nobody."""

    def made(state):
        if state == NEW:
            return world.open("alice"), world.nobody()
        if state == IDLE:
            world.create("alice").close()
            return world.open("alice"), world.nobody()
        bob = world.create("bob", listen=True)
        alice = world.open("alice")
        world.join(alice, bob)
        world.listen(alice)
        return alice, bob.address

    return made


@pytest.fixture
def exported(world, tmp_path):
    """What alice has exported from the same graph on another machine."""
    with world.create("alice", at="origin") as graph:
        graph.export_database(tmp_path / "exported")
    return str(tmp_path / "exported").encode()


def test_the_matrix_is_complete():
    assert {*MATRIX, *LEAVES_THE_STATE} == exact.functions_of_a_graph()


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_each_cell(in_state, tmp_path, state):
    graph, _ = in_state(state)
    path = str(tmp_path / "file").encode()
    found = {}
    for name in MATRIX:
        record_id = NOTE if state == NEW else add(graph)
        found[name] = graph_calls(record_id, path=path)[name](graph._handle)
    assert found == {name: cells[state] for name, cells in MATRIX.items()}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
@pytest.mark.parametrize("name", LEAVES_THE_STATE)
def test_each_cell_of_what_leaves_the_state(in_state, exported, name, state):
    graph, address = in_state(state)
    call = graph_calls(path=exported, address=address.encode())[name]
    assert call(graph._handle) == LEAVES_THE_STATE[name][state]


def test_connect_to_another_node_while_connected(world, in_state):
    alice, _ = in_state(LINKED)
    assert graph_calls(address=world.nobody().encode())["connect"](alice._handle) == PEER_OK


# -- which error comes first -------------------------------------------------------------------------------------------


def wrong_calls():
    """Every function that takes a graph and can be given a wrong argument, with one."""
    out = ffi.new("uint64_t[4]")
    place = {kind: ffi.cast(f"{kind} **", out) for kind in ("peer_enum", "peer_record", "peer_event_queue")}
    number, ident = ffi.cast("uint64_t *", out), guid(NOTE)
    return {
        "get_status": lambda g: lib.peer_graph_get_status(g, NULL),
        "get_properties": lambda g: lib.peer_graph_get_properties(g, NULL),
        "set_properties": lambda g: lib.peer_graph_set_properties(g, NULL),
        "get_node_info": lambda g: lib.peer_graph_get_node_info(g, 0, NULL),
        "enum_nodes": lambda g: lib.peer_graph_enum_nodes(g, NULL, NULL),
        "enum_connections": lambda g: lib.peer_graph_enum_connections(g, 0, place["peer_enum"]),
        "register_event": lambda g: lib.peer_graph_register_event(g, 1, NULL, place["peer_event_queue"]),
        "peer_time_to_universal_time": lambda g: lib.peer_graph_peer_time_to_universal_time(g, 1, NULL),
        "universal_time_to_peer_time": lambda g: lib.peer_graph_universal_time_to_peer_time(g, 1, NULL),
        "add_record": lambda g: lib.peer_graph_add_record(g, NULL, ffi.cast("peer_guid *", out)),
        "update_record": lambda g: lib.peer_graph_update_record(g, NULL),
        "get_record": lambda g: lib.peer_graph_get_record(g, NULL, place["peer_record"]),
        "delete_record": lambda g: lib.peer_graph_delete_record(g, NULL, 0),
        "delete_secured_record": lambda g: lib.peer_graph_delete_secured_record(g, NULL),
        "enum_records": lambda g: lib.peer_graph_enum_records(g, ident, NULL, NULL),
        "search_records": lambda g: lib.peer_graph_search_records(g, NULL, place["peer_enum"]),
        "export_database": lambda g: lib.peer_graph_export_database(g, NULL),
        "import_database": lambda g: lib.peer_graph_import_database(g, NULL),
        "begin_batch": lambda g: lib.peer_graph_begin_batch(g, NULL),
        "validate_deferred_records": lambda g: lib.peer_graph_validate_deferred_records(g, 1, NULL),
        "get_deferred_record": lambda g: lib.peer_graph_get_deferred_record(g, 77, NULL),
        "judge_record": lambda g: lib.peer_graph_judge_record(g, 77, 7),
        "open_direct_connection": lambda g: lib.peer_graph_open_direct_connection(g, NULL, b"[::1]:9", number),
        "send_data": lambda g: lib.peer_graph_send_data(g, 77, NULL, b"x", 1),
        "connect": lambda g: lib.peer_graph_connect(g, NULL, NULL, number),
        "listen": lambda g: lib.peer_graph_listen(g, 99, 0, 0),
    }


CANNOT_BE_WRONG = {
    "set_presence",
    "set_node_attributes",
    "close_direct_connection",
    "pause_direct_connection",
    "close",
}


def statuses(calls, graph):
    return {name: call(graph) for name, call in calls.items()}


def test_the_table_of_wrong_arguments_is_complete():
    assert set(wrong_calls()) | CANNOT_BE_WRONG == exact.functions_of_a_graph()


def test_before_startup_nothing_else_counts():
    calls = wrong_calls()
    for handle in (NULL, ffi.cast("peer_graph *", 0x1234)):
        assert statuses(calls, handle) == dict.fromkeys(calls, PEER_E_NOT_INITIALIZED)


def test_wrong_arguments(graph):
    calls = wrong_calls()
    assert statuses(calls, graph._handle) == dict.fromkeys(calls, E_INVALIDARG)


def test_wrong_arguments_on_a_closed_graph(graph):
    """The order of the two is not documented."""
    calls = wrong_calls()
    graph.close()
    found = statuses(calls, graph._handle)
    assert set(found.values()) <= {E_INVALIDARG, PEER_E_INVALID_GRAPH}


def test_wrong_arguments_before_readiness(new):
    calls = wrong_calls()
    assert statuses(calls, new._handle) == dict.fromkeys(calls, E_INVALIDARG)


def content_calls():
    """Functions whose arguments are well-formed and still cannot be accepted."""
    reserved = record_input(record_type=RESERVED[0])
    attributes = record_input(attributes="<a/>")
    expired = record_input(expires_us=1)
    out, found = ffi.new("peer_guid *"), ffi.new("peer_enum **")
    return {
        "reserved type": lambda g: lib.peer_graph_add_record(g, reserved.view, out),
        "bad attributes": lambda g: lib.peer_graph_add_record(g, attributes.view, out),
        "expired": lambda g: lib.peer_graph_add_record(g, expired.view, out),
        "bad criteria": lambda g: lib.peer_graph_search_records(g, b"<a/>", found),
        "unknown record": lambda g: lib.peer_graph_delete_record(g, guid(NOTE), 0),
    }


def test_readiness_before_content(new):
    calls = content_calls()
    assert statuses(calls, new._handle) == dict.fromkeys(calls, PEER_E_GRAPH_NOT_READY)


def test_content_before_what_is_not_found(graph):
    reserved = record_input(record_type=RESERVED[0], record_id=NOTE)
    attributes = record_input(attributes="<a/>", record_id=NOTE)
    assert lib.peer_graph_update_record(graph._handle, reserved.view) == PEER_E_NOT_AUTHORIZED
    assert lib.peer_graph_update_record(graph._handle, attributes.view) == PEER_E_INVALID_ATTRIBUTES
    assert lib.peer_graph_update_record(graph._handle, record_input(record_id=NOTE).view) == PEER_E_RECORD_NOT_FOUND


def test_readiness_before_a_second_listen(new):
    assert lib.peer_graph_listen(new._handle, int(Scope.LOOPBACK), 0, 0) == PEER_E_GRAPH_NOT_READY
    assert new.id == GRAPH
