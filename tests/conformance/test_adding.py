"""Records are added."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from conformance.exact import NULL, add_exactly, ffi, lib, record_input
from conformance.worlds import HOUR, NOTE, RESERVED, add, fails, has
from peergraph import RecordChange, RecordChanged, _native
from peergraph._codes import (
    E_INVALIDARG,
    PEER_E_INVALID_ATTRIBUTES,
    PEER_E_INVALID_RECORD,
    PEER_E_INVALID_RECORD_EXPIRATION,
    PEER_E_MAX_RECORD_SIZE_EXCEEDED,
    PEER_E_NOT_AUTHORIZED,
    PEER_E_TOO_MANY_ATTRIBUTES,
    PEER_OK,
)

SOON = timedelta(seconds=5)
RESERVED_NAMES = [
    "peerlastmodifiedby",
    "peercreatorid",
    "peerlastmodificationtime",
    "peerrecordid",
    "peerrecordtype",
    "peercreationtime",
]


def attribute(name="a", value="text", kind="string"):
    return f'<attributes><attribute name="{name}" type="{kind}">{value}</attribute></attributes>'


def test_a_minimal_record(graph):
    record_id = graph.add_record(type=NOTE, expires=graph.now() + HOUR)
    assert record_id.int != 0
    assert graph.get_record(record_id).data == b""


def test_the_publisher_hears_of_it(graph):
    with graph.register_event(RecordChanged) as queue:
        record_id = add(graph)
        event = queue.get_event_data()
    assert (event.change, event.record_id, event.record_type) == (RecordChange.ADDED, record_id, NOTE)


def test_others_hear_of_it_and_have_the_same(world, pair):
    alice, bob = pair
    with bob.events(RecordChanged) as events:
        record_id = add(alice, b"hello", attributes={"room": "lobby", "size": 5}, security_data=b"signed")
        event = events.get(world.patience)
    assert (event.change, event.record_id, event.record_type) == (RecordChange.ADDED, record_id, NOTE)
    assert alice.get_record(record_id) == bob.get_record(record_id)
    assert bob.get_record(record_id).security_data == b"signed"


def test_the_creator_is_this_peer(graph):
    record = graph.get_record(add(graph))
    assert (record.creator_id, record.modifier_id) == ("alice", None)


def test_what_the_engine_sets_is_overwritten(graph):
    given = record_input(record_id=uuid.UUID(int=1))
    given.view.created_us = given.view.modified_us = 1
    given.view.version = 77
    out = ffi.new("peer_guid *")
    assert lib.peer_graph_add_record(graph._handle, given.view, out) == PEER_OK
    record_id = uuid.UUID(bytes=bytes(out.bytes))
    record = graph.get_record(record_id)
    assert record_id == record.id != uuid.UUID(int=1)
    assert record.created > graph.now() - HOUR
    assert (record.modified, record.version) == (record.created, 1)


def test_the_version_begins_with_1(graph):
    assert graph.get_record(add(graph)).version == 1


def test_creation_and_modification_are_now(graph):
    before = graph.now()
    record = graph.get_record(add(graph))
    assert record.created == record.modified
    assert before - SOON <= record.created <= graph.now() + SOON


def test_the_modifier_is_the_creator_or_nobody(graph):
    assert graph.get_record(add(graph)).modifier_id in (None, "alice")


def test_without_attributes(graph):
    record = graph.get_record(add_exactly(graph, attributes=None))
    assert record.attributes_xml is None
    assert not record.attributes


def test_a_wrong_size_of_the_struct(graph):
    given, out = record_input(), ffi.new("peer_guid *")
    for size in (0, 8):
        given.view.struct_size = size
        assert lib.peer_graph_add_record(graph._handle, given.view, out) == E_INVALIDARG
    assert list(graph.records()) == []


def test_record_and_place_are_required(graph):
    assert lib.peer_graph_add_record(graph._handle, NULL, ffi.new("peer_guid *")) == E_INVALIDARG
    assert lib.peer_graph_add_record(graph._handle, record_input().view, NULL) == E_INVALIDARG
    assert list(graph.records()) == []


def test_the_largest_payload(world):
    graph = world.create(max_record_size=1024)
    assert graph.get_record(add(graph, bytes(1024))).data == bytes(1024)


def test_a_payload_that_is_too_large(world):
    graph = world.create(max_record_size=1024)
    with fails(PEER_E_MAX_RECORD_SIZE_EXCEEDED):
        add(graph, bytes(1025))
    assert list(graph.records()) == []


def test_attributes_count_two_bytes_a_character(world):
    """With the terminator, as they travel (MS-PPGRH 2.2.1.9, 3.1.7.27)."""
    graph = world.create(max_record_size=1024)
    xml = attribute(value="x" * 100)
    size = 2 * (len(xml) + 1)
    add_exactly(graph, data=bytes(1024 - size), attributes=xml)
    with fails(PEER_E_MAX_RECORD_SIZE_EXCEEDED):
        add_exactly(graph, data=bytes(1025 - size), attributes=xml)


@pytest.mark.parametrize("size", [64 << 10, 1_000_003])
def test_a_payload_of_many_frames_arrives(world, pair, size):
    alice, bob = pair
    data = bytes(i * 7 & 0xFF for i in range(251)) * (size // 251 + 1)
    record_id = add(alice, data[:size])
    world.until(bob, lambda: has(bob, record_id))
    assert bob.get_record(record_id).data == data[:size]


def test_an_empty_payload_arrives(world, pair):
    alice, bob = pair
    record_id = add(alice, b"")
    world.until(bob, lambda: has(bob, record_id))
    assert bob.get_record(record_id).data == b""


def test_equal_records_have_different_ids(graph):
    expires = graph.now() + HOUR
    ids = {graph.add_record(type=NOTE, data=b"same", expires=expires) for _ in range(10)}
    assert len(ids) == 10


@pytest.mark.parametrize("late_s", [0, -1, -3600])
def test_an_expiration_that_is_over(graph, late_s):
    with fails(E_INVALIDARG, PEER_E_INVALID_RECORD_EXPIRATION, PEER_E_INVALID_RECORD):
        graph.add_record(type=NOTE, expires=graph.now() + timedelta(seconds=late_s))
    with fails(E_INVALIDARG, PEER_E_INVALID_RECORD_EXPIRATION, PEER_E_INVALID_RECORD):
        add_exactly(graph, expires_us=0)


def test_a_record_is_the_same_after_reopening(world, graph):
    record = graph.get_record(add(graph, b"kept", attributes={"room": "lobby"}))
    graph.close()
    assert world.open("alice").get_record(record.id) == record


@pytest.mark.parametrize("record_type", RESERVED, ids=str)
def test_reserved_types(graph, record_type):
    with fails(PEER_E_NOT_AUTHORIZED):
        add(graph, type=record_type)


# -- attributes --------------------------------------------------------------------------------------------------------

VALID = {
    "none": "<attributes/>",
    "none, two tags": "<attributes></attributes>",
    "declaration": '<?xml version="1.0"?>' + attribute(),
    "white space": '<attributes>\n  <attribute name="a" type="string">x</attribute>\n</attributes>',
    "first example": '<attributes><attribute name="AuthenticationType" type="string">Kerberos</attribute>'
    '<attribute name="AuthExpires" type="date">2002-01-31</attribute></attributes>',
    "second example": '<attributes><attribute name="Owner" type="string">Scott</attribute>'
    '<attribute name="Birthday" type="date">1972-04-04</attribute>'
    '<attribute name="Priority" type="int">1</attribute></attributes>',
    "name of 40": attribute("x" * 40),
    "name of digits": attribute("0123456789"),
    "same name twice": '<attributes><attribute name="a" type="int">1</attribute>'
    '<attribute name="a" type="string">x</attribute></attributes>',
    "any text": attribute(value="Käse &amp; &lt;Füße&gt; 𝄞"),
    "empty text": attribute(value=""),
}
DATES = [
    "2002",
    "2002-01",
    "2002-01-31",
    "2002-01-31T10:30Z",
    "2002-01-31T10:30:15Z",
    "2002-01-31T10:30:15.5+02:00",
    "2005-07-01T00:00:00.0000000-06:00",
]
BAD_DATES = [
    "2003-02-328",
    "2003-02-30",
    "2003-13-01",
    "03-01-01",
    "2003-1-1",
    "2003-01-01T10:30",
    "2003-01-01T25:00Z",
    "today",
    "",
]
INVALID = {
    "not well-formed": '<attributes><attribute name="a" type="string">x</attributes>',
    "unclosed root": attribute().replace("</attributes>", "<attributes>"),
    "no XML": "room=lobby",
    "other root": "<record/>",
    "root in capitals": "<Attributes/>",
    "unknown child": "<attributes><a/></attributes>",
    "text in the root": "<attributes>text</attributes>",
    "element in a value": attribute(value="<b>x</b>"),
    "without name": '<attributes><attribute type="string">x</attribute></attributes>',
    "without type": '<attributes><attribute name="a">x</attribute></attributes>',
    "empty name": attribute(""),
    "hyphen": attribute("a-b"),
    "underscore": attribute("a_b"),
    "space": attribute("a b"),
    "no ASCII": attribute("ä"),
    "name of 41": attribute("x" * 41),
    "type float": attribute(kind="float"),
    "type in capitals": attribute(kind="String"),
    "entity": '<!DOCTYPE a [<!ENTITY e "x">]>' + attribute(value="&e;"),
}


@pytest.mark.parametrize("xml", VALID.values(), ids=VALID)
def test_valid_attributes(graph, xml):
    record = graph.get_record(add_exactly(graph, attributes=xml))
    assert record.attributes_xml == xml


@pytest.mark.parametrize("xml", INVALID.values(), ids=INVALID)
def test_invalid_attributes(graph, xml):
    with fails(PEER_E_INVALID_ATTRIBUTES):
        add_exactly(graph, attributes=xml)
    assert list(graph.records()) == []


@pytest.mark.parametrize("name", RESERVED_NAMES)
def test_reserved_names_of_attributes(graph, name):
    with fails(PEER_E_INVALID_ATTRIBUTES):
        add_exactly(graph, attributes=attribute(name))


@pytest.mark.parametrize("value", DATES)
def test_dates(graph, value):
    add_exactly(graph, attributes=attribute(value=value, kind="date"))


@pytest.mark.parametrize("value", BAD_DATES)
def test_what_is_no_date(graph, value):
    with fails(PEER_E_INVALID_ATTRIBUTES):
        add_exactly(graph, attributes=attribute(value=value, kind="date"))


def test_integers(graph):
    for value in ("0", "007", "12345678901234567890"):
        add_exactly(graph, attributes=attribute(value=value, kind="int"))


@pytest.mark.parametrize("value", ["12a", "", "1.5", "0x10", "1 2", "१"])
def test_what_is_no_integer(graph, value):
    with fails(PEER_E_INVALID_ATTRIBUTES):
        add_exactly(graph, attributes=attribute(value=value, kind="int"))


def test_too_many_attributes(graph):
    one = '<attribute name="a" type="int">1</attribute>'
    add_exactly(graph, attributes=f"<attributes>{one * 4096}</attributes>")
    with fails(PEER_E_TOO_MANY_ATTRIBUTES):
        add_exactly(graph, attributes=f"<attributes>{one * 4097}</attributes>")


@pytest.mark.parametrize("field", ["creator_id", "modifier_id"])
@pytest.mark.parametrize("peer_id", [b"", b"x" * 256, b"\xff"], ids=["empty", "too long", "ill-formed"])
def test_authors_have_1_to_255_units(world, pair, field, peer_id):
    """No other node takes a record whose creator has no name: it must not be stored here either."""
    _, bob = pair
    held = add(bob)
    given, named = record_input(record_id=held), ffi.new("char[]", peer_id)
    setattr(given.view, field, named)
    assert lib.peer_graph_add_record(bob._handle, given.view, ffi.new("peer_guid *")) == E_INVALIDARG
    assert lib.peer_graph_update_record(bob._handle, given.view) == E_INVALIDARG
    assert lib.peer_graph_delete_secured_record(bob._handle, given.view) == E_INVALIDARG
    assert bob.get_record(held).version == 1


def test_a_creator_of_255_units_is_taken_everywhere(world, pair):
    alice, bob = pair
    given, named = record_input(), ffi.new("char[]", b"x" * 255)
    given.view.creator_id = named
    record_id = uuid.UUID(bytes=_native.graph_add_record(bob._handle, given))
    world.passed(bob, alice)
    assert alice.get_record(record_id).creator_id == "x" * 255


def test_a_record_of_another_creator_is_not_tested_strictly(graph):
    """Part 16, 6: a creator that is given is honoured or ignored, and fails or not; nothing else happens."""
    given, out = record_input(), ffi.new("peer_guid *")
    creator = ffi.new("char[]", b"carol")
    given.view.creator_id = creator
    status = lib.peer_graph_add_record(graph._handle, given.view, out)
    assert status in (PEER_OK, E_INVALIDARG, PEER_E_INVALID_RECORD, PEER_E_NOT_AUTHORIZED)
    assert {record.creator_id for record in graph.records()} <= {"carol", "alice"}
