"""Startup and shutdown, and every function before and after."""

from __future__ import annotations

import peergraph
import pytest
from conformance import exact
from conformance.exact import NULL, ffi, gives, lib
from conformance.worlds import GRAPH, add, fails
from peergraph._codes import (
    E_INVALIDARG,
    PEER_E_INVALID_GRAPH,
    PEER_E_NOT_INITIALIZED,
    PEER_E_UNSUPPORTED_VERSION,
    PEER_GRAPH_VERSION,
    PEER_OK,
)


@pytest.fixture
def startup(tmp_path):
    """peer_startup in a folder of the test; ends what it has started."""
    runtimes = []
    folder = ffi.new("char[]", str(tmp_path).encode())
    options = ffi.new("peer_startup_input *", {"data_directory": folder})
    options.struct_size = ffi.sizeof("peer_startup_input")

    def call(version, version_out=NULL):
        return gives(
            "peer_runtime **", lambda out: lib.peer_startup(version, options, version_out, out), runtimes.append
        )

    yield call
    for runtime in runtimes:
        lib.peer_shutdown(runtime)


def test_the_version_of_windows_is_known(startup):
    version = ffi.new("peer_version_data *")
    assert startup(PEER_GRAPH_VERSION, version) == PEER_OK
    assert (version.version & 0xFF, version.version >> 8) == (1, 0)
    assert version.highest_version >= version.version


@pytest.mark.parametrize("version", [0, 0x0003, 0x0300, 0xFFFF, 0x10001])
def test_other_versions_are_not_supported(startup, version):
    assert startup(version) == PEER_E_UNSUPPORTED_VERSION


def test_the_place_for_the_version_may_be_missing(startup):
    assert startup(PEER_GRAPH_VERSION, NULL) == PEER_OK


def test_each_startup_needs_its_own_shutdown(world):
    one, two = world.runtime("one"), world.runtime("two")
    two.shutdown()
    with one.create_graph(GRAPH, peer_id="alice") as graph:
        assert graph.get_status()


def test_shutdown_without_startup_fails():
    assert lib.peer_shutdown(NULL) == PEER_E_NOT_INITIALIZED


def test_one_shutdown_too_many_fails(world):
    handle = world.runtime()._handle
    world.runtime("other")
    assert lib.peer_shutdown(handle) == PEER_OK
    assert lib.peer_shutdown(handle) == PEER_E_NOT_INITIALIZED
    world.end()
    assert lib.peer_shutdown(handle) == PEER_E_NOT_INITIALIZED


def test_shutdown_releases_what_is_open(world):
    runtime = world.runtime()
    graph = runtime.create_graph(GRAPH, peer_id="alice")
    add(graph)
    enumeration = graph.enum_records()
    queue = graph.register_event()
    world.runtime("other")  # so that the process still has one
    runtime.close()
    with fails(PEER_E_INVALID_GRAPH):
        graph.get_status()
    with fails(E_INVALIDARG):
        enumeration.get_item_count()
    events = queue.get_event_batch()
    assert isinstance(events[-1], peergraph.Closed)
    queue.unregister_event()
    assert not world.open("alice").is_new


def calls_of_a_runtime():
    properties, texts = exact.properties_input()
    return {
        "create": lambda runtime: (exact.create(runtime, properties), texts)[0],
        "open": lambda runtime: gives(
            "peer_graph **",
            lambda out: lib.peer_graph_open(runtime, b"g", b"p", NULL, NULL, 0, NULL, out),
            lib.peer_graph_close,
        ),
        "delete": lambda runtime: lib.peer_graph_delete(runtime, b"g", b"p", NULL),
    }


def calls_of_other_handles():
    item_count = ffi.new("uint32_t *")
    event = ffi.new("peer_event **")
    items = ffi.new("const void *const **")
    return {
        "get_item_count": lambda handle: lib.peer_get_item_count(ffi.cast("peer_enum *", handle), item_count),
        "get_next_item": lambda handle: lib.peer_get_next_item(ffi.cast("peer_enum *", handle), 1, item_count, items),
        "end_enumeration": lambda handle: lib.peer_end_enumeration(ffi.cast("peer_enum *", handle)),
        "get_event_data": lambda handle: lib.peer_get_event_data(ffi.cast("peer_event_queue *", handle), event),
        "unregister_event": lambda handle: lib.peer_unregister_event(ffi.cast("peer_event_queue *", handle)),
    }


@pytest.mark.parametrize("call", calls_of_a_runtime().values(), ids=calls_of_a_runtime())
def test_no_graph_before_startup(call):
    assert call(NULL) == PEER_E_NOT_INITIALIZED


@pytest.mark.parametrize("call", exact.graph_calls().values(), ids=exact.graph_calls())
def test_no_function_of_a_graph_before_startup(call):
    assert call(NULL) == PEER_E_NOT_INITIALIZED
    assert call(ffi.cast("peer_graph *", 0x1234)) == PEER_E_NOT_INITIALIZED


@pytest.mark.parametrize("call", calls_of_other_handles().values(), ids=calls_of_other_handles())
def test_no_function_of_other_handles_before_startup(call):
    assert call(NULL) == PEER_E_NOT_INITIALIZED


def test_nothing_works_after_the_last_shutdown(world):
    graph = world.create()
    enumeration = graph.enum_records()
    runtime, handle = graph._runtime._handle, graph._handle
    world.end()
    found = {name: call(handle) for name, call in exact.graph_calls().items()}
    found |= {name: call(runtime) for name, call in calls_of_a_runtime().items()}
    found |= {name: call(enumeration._handle) for name, call in calls_of_other_handles().items()}
    assert found == dict.fromkeys(found, PEER_E_NOT_INITIALIZED)


def test_startup_after_the_last_shutdown(world):
    record_id = add(world.create())
    world.runtime().close()
    assert world.open("alice").get_record(record_id).data == b"text"


def test_the_table_of_functions_is_complete():
    assert set(exact.graph_calls()) == exact.functions_of_a_graph()
