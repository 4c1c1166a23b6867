"""Freeing, and enumerations of any kind."""

from __future__ import annotations

import pytest
from conformance.exact import NULL, ffi, lib
from conformance.worlds import add, fails
from peergraph import _native
from peergraph._codes import E_INVALIDARG, PEER_OK


@pytest.fixture
def enumeration(graph):
    """Of five records."""
    for number in range(5):
        add(graph, b"%d" % number)
    with graph.enum_records() as enumeration:
        yield enumeration


def next_items(enumeration, count):
    """peer_get_next_item: the status, how many, and the array."""
    number = ffi.new("uint32_t *", 99)
    items = ffi.new("const void *const **", ffi.cast("void *", 1))
    status = lib.peer_get_next_item(enumeration._handle, count, number, items)
    return status, number[0], items[0]


def data_of(items, index):
    return _native.record_get_view(ffi.cast("const peer_record *", items[index])).data


def test_freeing_null_does_nothing():
    lib.peer_free_data(NULL)


def test_every_object_can_be_freed(graph):
    record_id = add(graph)
    record, info, properties = (ffi.new(f"peer_{kind} **") for kind in ("record", "node_info", "graph_properties"))
    ident = ffi.new("peer_guid *", {"bytes": record_id.bytes})
    assert lib.peer_graph_get_record(graph._handle, ident, record) == PEER_OK
    assert lib.peer_graph_get_node_info(graph._handle, 0, info) == PEER_OK
    assert lib.peer_graph_get_properties(graph._handle, properties) == PEER_OK
    for each in (record, info, properties):
        lib.peer_free_data(each[0])


def test_one_call_frees_the_array_and_its_items(enumeration):
    _, count, items = next_items(enumeration, 5)
    assert count == 5
    assert {data_of(items, index) for index in range(5)} == {b"0", b"1", b"2", b"3", b"4"}
    lib.peer_free_data(items)


def test_the_count_is_that_of_the_beginning(enumeration):
    assert enumeration.get_item_count() == 5


def test_the_count_is_not_reduced_by_what_is_taken(enumeration):
    assert len(enumeration.get_next_item(3)) == 3
    assert enumeration.get_item_count() == 5
    enumeration.get_next_item(9)
    assert enumeration.get_item_count() == 5


def test_the_count_needs_a_place(enumeration):
    assert lib.peer_get_item_count(enumeration._handle, NULL) == E_INVALIDARG


def test_the_count_of_what_is_no_enumeration(graph, enumeration):
    out = ffi.new("uint32_t *")
    for handle in (NULL, graph._handle, ffi.cast("void *", 0x1234)):
        assert lib.peer_get_item_count(ffi.cast("peer_enum *", handle), out) == E_INVALIDARG
    enumeration.end_enumeration()
    with fails(E_INVALIDARG):
        enumeration.get_item_count()


def test_all_at_once_and_more_than_there_are(graph, enumeration):
    assert len(enumeration.get_next_item(5)) == 5
    with graph.enum_records() as another:
        assert len(another.get_next_item(1000)) == 5


def test_one_by_one(enumeration):
    found = []
    while items := enumeration.get_next_item(1):
        assert len(items) == 1
        found += items
    assert len({record.id for record in found}) == len(found) == 5


def test_the_end_is_success_with_nothing(enumeration):
    enumeration.get_next_item(5)
    assert next_items(enumeration, 1) == (PEER_OK, 0, NULL)


def test_the_end_stays_the_end(enumeration):
    enumeration.get_next_item(5)
    for _ in range(3):
        assert next_items(enumeration, 5) == (PEER_OK, 0, NULL)


def test_items_need_a_handle_and_places(graph, enumeration):
    count, items = ffi.new("uint32_t *"), ffi.new("const void *const **")
    assert lib.peer_get_next_item(NULL, 1, count, items) == E_INVALIDARG
    assert lib.peer_get_next_item(ffi.cast("peer_enum *", graph._handle), 1, count, items) == E_INVALIDARG
    assert lib.peer_get_next_item(enumeration._handle, 1, NULL, items) == E_INVALIDARG
    assert lib.peer_get_next_item(enumeration._handle, 1, count, NULL) == E_INVALIDARG
    assert enumeration.get_next_item(9), "none of this took anything"


def test_items_outlive_their_enumeration(graph, enumeration):
    _, count, items = next_items(enumeration, 5)
    enumeration.end_enumeration()
    graph.close()
    assert sorted(data_of(items, index) for index in range(count)) == [b"0", b"1", b"2", b"3", b"4"]
    lib.peer_free_data(items)


def test_an_enumeration_ends(enumeration):
    enumeration.end_enumeration()
    with fails(E_INVALIDARG):
        enumeration.get_next_item()


def test_an_enumeration_ends_once(graph, enumeration):
    enumeration.end_enumeration()
    assert lib.peer_end_enumeration(enumeration._handle) == E_INVALIDARG
    for handle in (NULL, graph._handle):
        assert lib.peer_end_enumeration(ffi.cast("peer_enum *", handle)) == E_INVALIDARG


def test_what_is_added_later_is_not_in_it(graph, enumeration):
    add(graph, b"late")
    assert enumeration.get_item_count() == 5
    assert b"late" not in {record.data for record in enumeration.get_next_item(9)}


def test_what_is_deleted_meanwhile_is_skipped_at_most(graph, enumeration):
    (first,) = enumeration.get_next_item(1)
    for record in list(graph.records())[:3]:
        graph.delete_record(record)
    rest = enumeration.get_next_item(9)
    assert 2 <= 1 + len(rest) <= enumeration.get_item_count() == 5
    assert first.id not in {record.id for record in rest}
    assert enumeration.get_next_item(9) == []
