"""The database goes to a file and comes back."""

from __future__ import annotations

import pytest
from conformance.exact import NULL, lib
from conformance.worlds import add, fails, has
from peergraph import RecordChange, RecordChanged
from peergraph._codes import (
    E_INVALIDARG,
    PEER_E_FILE_NOT_FOUND,
    PEER_E_GRAPH_IN_USE,
    PEER_E_INVALID_DATABASE,
    PEER_E_PATH_NOT_FOUND,
)

WIN32 = 0x8007


@pytest.fixture
def exported(world, graph, tmp_path):
    """A file with one record of alice, and the record."""
    record_id = add(graph, b"kept")
    graph.export_database(tmp_path / "export")
    return tmp_path / "export", graph.get_record(record_id)


def alice_elsewhere(world):
    return world.open("alice", at="elsewhere")


def test_export(exported):
    path, _ = exported
    assert path.stat().st_size > 0


def test_an_existing_file_is_overwritten(world, graph, tmp_path):
    path = tmp_path / "export"
    path.write_bytes(b"something else")
    record_id = add(graph)
    graph.export_database(path)
    again = alice_elsewhere(world)
    again.import_database(path)
    assert has(again, record_id)


def test_export_to_a_folder_that_is_not_there(graph, tmp_path):
    with fails(PEER_E_PATH_NOT_FOUND, PEER_E_FILE_NOT_FOUND) as caught:
        graph.export_database(tmp_path / "missing" / "export")
    assert (caught.value.code & 0xFFFFFFFF) >> 16 == WIN32


@pytest.mark.parametrize("path", [NULL, b""], ids=["NULL", "empty"])
def test_a_path_is_required(graph, new, path):
    assert lib.peer_graph_export_database(graph._handle, path) == E_INVALIDARG
    assert lib.peer_graph_import_database(new._handle, path) == E_INVALIDARG


def test_export_of_a_graph_that_is_connected(world, pair, tmp_path):
    """Part 16, 9: allowed."""
    record_id = add(pair[1])
    pair[1].export_database(tmp_path / "export")
    again = world.open("bob", at="elsewhere")
    again.import_database(tmp_path / "export")
    assert has(again, record_id)


def test_import(world, exported):
    path, record = exported
    again = alice_elsewhere(world)
    with again.register_event(RecordChanged) as queue:
        again.import_database(path)
        event = queue.get_event_data()
    assert (event.change, event.record_id) == (RecordChange.ADDED, record.id)
    assert again.get_record(record.id) == record


def test_not_after_create(world, exported):
    path, record = exported
    created = world.create("alice", at="elsewhere")
    with fails(E_INVALIDARG, PEER_E_GRAPH_IN_USE):
        created.import_database(path)
    assert not has(created, record.id)


def test_not_after_listen(world, exported):
    path, _ = exported
    again = alice_elsewhere(world)
    again.import_database(path)
    world.listen(again)
    with fails(PEER_E_GRAPH_IN_USE):
        again.import_database(path)


def test_not_after_connect(world, exported):
    path, _ = exported
    again = alice_elsewhere(world)
    again.begin_connect(world.nobody())
    with fails(PEER_E_GRAPH_IN_USE):
        again.import_database(path)


@pytest.mark.parametrize("other", [{"peer_id": "bob"}, {"graph_id": "film clubs"}], ids=["peer", "graph"])
def test_only_of_the_same_graph_and_peer(world, exported, other):
    path, _ = exported
    again = world.open(**{"peer_id": "alice", "at": "elsewhere", **other})
    with fails(PEER_E_INVALID_DATABASE):
        again.import_database(path)
    assert again.status == 0


@pytest.mark.parametrize("damage", ["foreign", "empty", "cut off", "changed"])
def test_what_is_no_export(world, exported, damage):
    path, _ = exported
    whole = path.read_bytes()
    middle = len(whole) // 2
    changed = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    path.write_bytes({"foreign": b"x" * 5000, "empty": b"", "cut off": whole[:-1], "changed": changed}[damage])
    again = alice_elsewhere(world)
    with fails(PEER_E_INVALID_DATABASE):
        again.import_database(path)
    assert again.status == 0


def test_import_of_a_file_that_is_not_there(new, tmp_path):
    with fails(PEER_E_FILE_NOT_FOUND, PEER_E_PATH_NOT_FOUND) as caught:
        new.import_database(tmp_path / "missing")
    assert (caught.value.code & 0xFFFFFFFF) >> 16 == WIN32
