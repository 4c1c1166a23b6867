"""Runtimes: starting, ending, and what may be left behind."""

from __future__ import annotations

import gc
import pickle
import stat
import weakref

import peergraph
import pytest
from peergraph import _codes, _native


def test_a_runtime_starts_and_ends(tmp_path):
    with peergraph.open_runtime(tmp_path) as runtime:
        assert not runtime.closed
        assert repr(runtime) == f"<peergraph.Runtime {str(tmp_path)!r}>"
    assert runtime.closed
    assert repr(runtime) == f"<peergraph.Runtime closed {str(tmp_path)!r}>"
    runtime.close()
    runtime.shutdown()


def test_the_default_directory_is_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    with peergraph.open_runtime() as runtime, runtime.create_graph("g", peer_id="p"):
        pass
    assert list((tmp_path / "data" / "peergraph").rglob("*"))


def test_versions():
    assert peergraph.__version__ == peergraph.library_version()
    for version in (0x0001, 0x0101, 0x0002):
        runtime, use, highest = _native.startup(None, version)
        _native.shutdown(runtime)
        assert use
        assert highest
    with pytest.raises(peergraph.UnsupportedVersion):
        _native.startup(None, 0x0777)


def test_a_directory_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(peergraph.AccessDenied) as caught:
        peergraph.open_runtime(tmp_path / "file" / "data")
    assert str(tmp_path) in str(caught.value)


def test_the_data_are_the_users_own(runtime, tmp_path):
    with runtime.create_graph("g", peer_id="p"):
        files = [path for path in (tmp_path / "one").rglob("*") if path.is_file()]
        assert files
        for path in files:
            assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path


def test_after_the_last_runtime_nothing_works(tmp_path):
    with peergraph.open_runtime(tmp_path) as runtime:
        graph = runtime.create_graph("g", peer_id="p")
    assert graph.closed
    with pytest.raises(peergraph.NotInitialized):
        graph.get_status()
    with pytest.raises(peergraph.NotInitialized):
        runtime.open_graph("g", peer_id="p")


def test_a_dead_runtime_beside_a_live_one(open_runtime):
    open_runtime("alive")
    dead = open_runtime("dead")
    graph = dead.create_graph("g", peer_id="p")
    dead.close()
    with pytest.raises(peergraph.NotInitialized):
        dead.create_graph("g", peer_id="q")
    with pytest.raises(peergraph.InvalidGraph):
        graph.get_status()
    graph.close()


def test_two_runtimes_do_not_know_each_other(open_runtime):
    for name in ("one", "two"):
        with open_runtime(name).create_graph("g", peer_id="p") as graph:
            assert graph.status


def test_a_forgotten_runtime_is_closed_with_a_warning(tmp_path):
    runtime = peergraph.open_runtime(tmp_path)
    graph = runtime.create_graph("g", peer_id="p")
    handle = graph._handle
    alive = weakref.ref(runtime)
    with pytest.warns(ResourceWarning, match="unclosed <peergraph.Graph 'g' peer='p'>"):
        del graph
    with pytest.warns(ResourceWarning, match="unclosed <peergraph.Runtime"):
        del runtime
    assert alive() is None
    with pytest.raises(peergraph.NotInitialized):
        _native.graph_get_status(handle)


def test_a_graph_keeps_its_runtime(tmp_path):
    graph = peergraph.open_runtime(tmp_path).create_graph("g", peer_id="p")
    gc.collect()
    assert graph.status
    graph._runtime.close()


def test_handles_of_the_wrong_kind(runtime, graph):
    with pytest.raises(peergraph.NotInitialized):
        _native.shutdown(_native.ffi.cast("peer_runtime *", graph._handle))
    with pytest.raises(peergraph.InvalidGraph):
        _native.graph_get_status(_native.ffi.cast("peer_graph *", runtime._handle))
    for number in (0, 1, 0x1234567890, (1 << 47) - 1):
        with pytest.raises(peergraph.InvalidGraph):
            _native.graph_get_status(_native.ffi.cast("peer_graph *", number))
    with pytest.raises(peergraph.InvalidArgument):
        _native.get_event_batch(_native.ffi.cast("peer_event_queue *", graph._handle), 1)
    with pytest.raises(peergraph.InvalidArgument):
        _native.end_enumeration(_native.ffi.cast("peer_enum *", graph._handle))
    with pytest.raises(peergraph.InvalidArgument):
        _native.batch_abort(_native.ffi.cast("peer_batch *", graph._handle))


def test_freeing_nothing_is_nothing():
    _native.free_data(_native.ffi.NULL)


def test_objects_have_owners(graph):
    ffi, lib = _native.ffi, _native.lib
    out = ffi.new("peer_node_info **")
    assert lib.peer_graph_get_node_info(graph._handle, 0, out) == _codes.PEER_OK
    _native.retain_data(out[0])
    _native.free_data(out[0])
    view = ffi.new("peer_node_info_view *")
    assert lib.peer_node_info_get_view(out[0], ffi.sizeof("peer_node_info_view"), view) == _codes.PEER_OK
    assert ffi.string(view.peer_id) == b"alice"
    _native.free_data(out[0])


def test_a_runtime_cannot_be_pickled(runtime):
    with pytest.raises(TypeError):
        pickle.dumps(runtime)
