"""Records are updated, deleted and read."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from conformance import exact
from conformance.exact import NULL, ffi, lib, record_input, update_exactly
from conformance.worlds import HOUR, NOTE, OTHER, add, fails, has
from peergraph import RecordChange, RecordChanged, Validation, Verdict
from peergraph._codes import (
    E_INVALIDARG,
    PEER_E_INVALID_RECORD,
    PEER_E_INVALID_RECORD_EXPIRATION,
    PEER_E_RECORD_NOT_FOUND,
    PEER_OK,
)

UNKNOWN = uuid.UUID("ffffffff-0000-4000-8000-000000000000")


@pytest.fixture
def record_id(graph):
    return add(graph, b"first", attributes={"room": "lobby"})


@pytest.fixture
def shared(world, pair):
    """Two nodes, and a record of the first that both have."""
    alice, bob = pair
    record_id = add(alice, b"first")
    world.until(bob, lambda: has(bob, record_id))
    return alice, bob, record_id


# -- update ------------------------------------------------------------------------------------------------------------


def test_all_nodes_hear_of_an_update(world, shared):
    alice, bob, record_id = shared
    with alice.events(RecordChanged) as at_alice, bob.events(RecordChanged) as at_bob:
        alice.update_record(record_id, data=b"second")
        for events in (at_alice, at_bob):
            event = events.get(world.patience)
            assert (event.change, event.record_id, event.record_type) == (RecordChange.UPDATED, record_id, NOTE)
    assert alice.get_record(record_id) == bob.get_record(record_id)
    assert bob.get_record(record_id).data == b"second"


def test_an_update_replaces_data_and_counts(graph, record_id):
    before = graph.get_record(record_id)
    graph.update_record(record_id, data=b"second")
    after = graph.get_record(record_id)
    assert (after.data, after.version) == (b"second", before.version + 1)
    assert after.modified >= before.modified
    assert after.modifier_id == "alice"


def test_the_expiration_grows(graph, record_id):
    later = graph.get_record(record_id).expires + HOUR
    graph.update_record(record_id, expires=later)
    assert graph.get_record(record_id).expires == later


def test_the_expiration_stays(graph, record_id):
    expires = graph.get_record(record_id).expires
    graph.update_record(record_id, data=b"second", expires=expires)
    assert (graph.get_record(record_id).data, graph.get_record(record_id).expires) == (b"second", expires)


def test_the_expiration_never_shrinks(graph, record_id):
    before = graph.get_record(record_id)
    with fails(E_INVALIDARG, PEER_E_INVALID_RECORD_EXPIRATION):
        graph.update_record(record_id, data=b"second", expires=before.expires - timedelta(seconds=1))
    assert graph.get_record(record_id) == before


def test_update_of_an_unknown_record(graph):
    with fails(PEER_E_RECORD_NOT_FOUND):
        update_exactly(graph, UNKNOWN)


def test_update_of_a_deleted_record(graph, record_id):
    graph.delete_record(record_id)
    with fails(PEER_E_RECORD_NOT_FOUND):
        update_exactly(graph, record_id)


def test_attributes_are_replaced(graph, record_id):
    graph.update_record(record_id, attributes={"floor": 3})
    assert graph.get_record(record_id).attributes == {"floor": 3}
    graph.update_record(record_id, attributes=None)
    assert graph.get_record(record_id).attributes_xml is None


def test_the_type_never_changes(graph, record_id):
    before = graph.get_record(record_id)
    with fails(E_INVALIDARG, PEER_E_INVALID_RECORD):
        update_exactly(graph, record_id, record_type=OTHER)
    assert graph.get_record(record_id) == before
    assert graph.get_record(record_id).type == NOTE


def test_creator_and_creation_never_change(world, shared):
    alice, bob, record_id = shared
    before = alice.get_record(record_id)
    given = record_input(record_id=record_id, data=b"second")
    given.view.created_us = 1
    assert lib.peer_graph_update_record(bob._handle, given.view) == PEER_OK
    world.until(alice, lambda: alice.get_record(record_id).version == 2)
    after = alice.get_record(record_id)
    assert (after.creator_id, after.created) == (before.creator_id, before.created)


def test_a_wrong_record_for_an_update(graph, record_id):
    assert lib.peer_graph_update_record(graph._handle, NULL) == E_INVALIDARG
    given = record_input(record_id=record_id)
    for size in (0, 8):
        given.view.struct_size = size
        assert lib.peer_graph_update_record(graph._handle, given.view) == E_INVALIDARG
    assert graph.get_record(record_id).version == 1


def test_who_did_not_create_it_updates_it(world, shared):
    alice, bob, record_id = shared
    bob.update_record(record_id, data=b"by bob")
    world.until(alice, lambda: alice.get_record(record_id).data == b"by bob")
    assert alice.get_record(record_id).modifier_id == "bob"


# -- delete ------------------------------------------------------------------------------------------------------------


def test_a_deletion_is_for_all(world, shared):
    alice, bob, record_id = shared
    alice.delete_record(record_id)
    world.until(bob, lambda: not has(bob, record_id))
    for graph in (alice, bob):
        with fails(PEER_E_RECORD_NOT_FOUND):
            graph.get_record(record_id)


def test_all_nodes_hear_of_a_deletion(world, shared):
    alice, bob, record_id = shared
    with alice.events(RecordChanged) as at_alice, bob.events(RecordChanged) as at_bob:
        alice.delete_record(record_id)
        for events in (at_alice, at_bob):
            event = events.get(world.patience)
            assert (event.change, event.record_id, event.record_type) == (RecordChange.DELETED, record_id, NOTE)


def test_what_is_deleted_is_found_by_nobody(graph, record_id):
    kept = add(graph, b"kept", attributes={"room": "lobby"})
    graph.delete_record(record_id)
    assert [record.id for record in graph.records()] == [kept]
    query = '<peersearch><clause attrib="room" type="string" compare="equal">lobby</clause></peersearch>'
    with graph.search_records(query) as found:
        assert [record.id for record in found.get_next_item()] == [kept]


def test_deletion_of_an_unknown_record(graph):
    with fails(PEER_E_RECORD_NOT_FOUND):
        graph.delete_record(UNKNOWN)


def test_delete_twice(graph, record_id):
    graph.delete_record(record_id)
    with fails(PEER_E_RECORD_NOT_FOUND):
        graph.delete_record(record_id)


def test_the_graph_itself_cannot_be_deleted(graph):
    (info,) = graph.records(uuid.UUID("00000100-0000-0000-0000-000000000000"))
    with fails():
        graph.delete_record(info.id)
    assert graph.properties.creator_id == "alice"


def test_local_deletion_where_the_application_rejects_it(world):
    alice, bob = world.create(listen=True), world.open(judge=True)
    world.join(bob, alice)
    with bob.events(Validation, RecordChanged) as events, alice.events(RecordChanged) as at_alice:
        record_id = add(alice)
        bob.judge_record(world.next(events, Validation).validation_id, Verdict.ACCEPT)
        world.next(events, RecordChanged)
        bob.delete_record_here(record_id)
        assert not has(bob, record_id)
        mark = add(bob)
        changes = []
        while not changes or changes[-1].record_id != mark:
            changes.append(at_alice.get(world.patience))
    assert [(event.change, event.record_id) for event in changes] == [
        (RecordChange.ADDED, record_id),
        (RecordChange.ADDED, mark),
    ]
    assert has(alice, record_id)


def test_local_deletion_needs_a_judge(graph, record_id):
    with fails(E_INVALIDARG):
        graph.delete_record_here(record_id)
    assert has(graph, record_id)


def test_who_did_not_create_it_deletes_it(world, shared):
    alice, bob, record_id = shared
    bob.delete_record(record_id)
    world.until(alice, lambda: not has(alice, record_id))


def test_a_deletion_needs_an_id(graph):
    assert lib.peer_graph_delete_record(graph._handle, NULL, 0) == E_INVALIDARG


# -- get and enumerate -------------------------------------------------------------------------------------------------


def test_get_of_an_unknown_record(graph):
    with fails(PEER_E_RECORD_NOT_FOUND):
        graph.get_record(UNKNOWN)


def test_get_needs_id_and_place(graph, record_id):
    out = ffi.new("peer_record **")
    assert lib.peer_graph_get_record(graph._handle, NULL, out) == E_INVALIDARG
    assert lib.peer_graph_get_record(graph._handle, exact.guid(record_id), NULL) == E_INVALIDARG


def test_a_record_that_was_read_stays_as_it_was(graph, record_id):
    record = graph.get_record(record_id)
    graph.update_record(record_id, data=b"second")
    assert (record.data, record.version) == (b"first", 1)


def enumerated(graph, *options):
    with graph.enum_records(*options) as enumeration:
        return {record.id for record in enumeration.get_next_item(100)}


@pytest.fixture
def several(world, pair):
    """Records of two types by two peers, on both nodes."""
    alice, bob = pair
    ids = {(peer.peer_id, kind): add(peer, type=kind) for peer in pair for kind in (NOTE, OTHER)}
    world.until(alice, lambda: all(has(alice, each) for each in ids.values()))
    world.until(bob, lambda: all(has(bob, each) for each in ids.values()))
    return alice, ids


def test_enumerate_a_type(several):
    graph, ids = several
    assert enumerated(graph, NOTE) == {ids["alice", NOTE], ids["bob", NOTE]}


def test_enumerate_everything(several):
    graph, ids = several
    assert enumerated(graph) >= set(ids.values())


def test_enumerate_a_type_of_a_peer(several):
    graph, ids = several
    assert enumerated(graph, NOTE, "bob") == {ids["bob", NOTE]}


def test_enumerate_a_peer(several):
    graph, ids = several
    assert enumerated(graph, None, "bob") >= {ids["bob", NOTE], ids["bob", OTHER]}
    assert not enumerated(graph, None, "bob") & {ids["alice", NOTE], ids["alice", OTHER]}


def test_an_enumeration_needs_a_place(graph):
    assert lib.peer_graph_enum_records(graph._handle, NULL, NULL, NULL) == E_INVALIDARG


def test_enumerate_nothing(graph):
    with graph.enum_records(OTHER) as enumeration:
        assert enumeration.get_item_count() == 0
        assert enumeration.get_next_item() == []
    assert enumerated(graph, None, "nobody") == set()
