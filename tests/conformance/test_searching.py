"""Records are searched."""

from __future__ import annotations

import uuid

import pytest
from conformance.exact import NULL, add_exactly, ffi, lib
from conformance.worlds import HOUR, NOTE, OTHER, add, fails, has
from peergraph._codes import E_INVALIDARG, PEER_E_INVALID_SEARCH


def clause(name, value, kind="string", compare="equal"):
    return f'<clause attrib="{name}" type="{kind}" compare="{compare}">{value}</clause>'


def query(inner):
    return f"<peersearch>{inner}</peersearch>"


def search(graph, inner):
    """The data of what is found."""
    with graph.search_records(query(inner)) as found:
        count = found.get_item_count()
        records = found.get_next_item(100)
        assert found.get_next_item(100) == []
    assert len(records) == count
    return sorted(record.data for record in records)


@pytest.fixture
def shared(world, pair):
    """Records of alice and bob, on alice's node."""
    alice, bob = pair
    ids = [add(alice, b"of alice", attributes={"room": "lobby"}), add(bob, b"of bob", attributes={"room": "hall"})]
    world.until(alice, lambda: has(alice, ids[1]))
    return alice


@pytest.fixture
def sizes(graph):
    """Records with numbers that sort otherwise as text."""
    for size in (2, 9, 10, 15000):
        add(graph, b"%d" % size, attributes={"size": size})
    add(graph, b"without")
    return graph


@pytest.fixture
def texts(graph):
    """Records that are called what they hold."""

    def made(*values):
        for value in values:
            add(graph, value.encode(), attributes={"text": value})
        return graph

    return made


def test_without_compare_it_is_equal(shared):
    assert search(shared, '<clause attrib="room" type="string">lobby</clause>') == [b"of alice"]
    assert search(shared, clause("room", "lobby")) == [b"of alice"]


def test_the_creator(shared):
    assert search(shared, clause("peercreatorid", "bob")) == [b"of bob"]
    assert search(shared, clause("peercreatorid", "nobody")) == []


def test_or_is_a_union_without_duplicates(shared):
    both = clause("peercreatorid", "alice") + clause("peercreatorid", "bob")
    assert search(shared, f"<or>{both}</or>") == [b"of alice", b"of bob"]
    assert search(shared, f"<or>{both}{clause('room', 'lobby')}</or>") == [b"of alice", b"of bob"]


def test_and_is_an_intersection(shared):
    assert search(shared, f"<and>{clause('peercreatorid', 'alice')}{clause('room', 'lobby')}</and>") == [b"of alice"]
    assert search(shared, f"<and>{clause('peercreatorid', 'bob')}{clause('room', 'lobby')}</and>") == []


NUMBERS = {
    "equal": [9],
    "notequal": [2, 10, 15000],
    "less": [2],
    "lessorequal": [2, 9],
    "greater": [10, 15000],
    "greaterorequal": [9, 10, 15000],
}


@pytest.mark.parametrize(("compare", "expected"), NUMBERS.items(), ids=NUMBERS)
def test_numbers_are_compared_as_numbers(sizes, compare, expected):
    assert search(sizes, clause("size", "9", "int", compare)) == sorted(b"%d" % number for number in expected)
    assert search(sizes, clause("size", " 9 ", "int", compare)) == sorted(b"%d" % number for number in expected)


def test_dates_are_compared_as_moments(graph):
    for value in ("2003-02-28", "2003-02-28T12:00Z", "2003-03-01T00:30+01:00", "2003-03-01"):
        add_exactly(
            graph,
            data=value.encode(),
            attributes=f'<attributes><attribute name="day" type="date">{value}</attribute></attributes>',
        )
    assert search(graph, clause("day", "2003-02-28T23:30:00Z", "date")) == [b"2003-03-01T00:30+01:00"]
    assert search(graph, clause("day", "2003-02-28", "date", "greater")) == [
        b"2003-02-28T12:00Z",
        b"2003-03-01",
        b"2003-03-01T00:30+01:00",
    ]
    assert search(graph, clause("day", "2003-03", "date", "less")) == [
        b"2003-02-28",
        b"2003-02-28T12:00Z",
        b"2003-03-01T00:30+01:00",
    ]


@pytest.mark.parametrize("name", ["peercreationtime", "peerlastmodificationtime"])
def test_times_of_the_record(graph, name):
    record = graph.get_record(add(graph))
    past, future = ((record.created + shift).isoformat() for shift in (-HOUR, HOUR))
    assert search(graph, clause(name, past, "date", "greater")) == [b"text"]
    assert search(graph, clause(name, future, "date", "greater")) == []
    assert search(graph, clause(name, future, "date", "less")) == [b"text"]


def test_creation_and_modification_are_told_apart(graph):
    """A change is later than what it changes, if only by 100 ns: eleven are later by a microsecond on any clock."""
    record_id = add(graph)
    for _ in range(11):
        graph.update_record(record_id, data=b"text")
    record = graph.get_record(record_id)
    created, modified = record.created.isoformat(), record.modified.isoformat()
    assert created < modified
    for name, equal, other in (
        ("peercreationtime", created, modified),
        ("peerlastmodificationtime", modified, created),
    ):
        assert search(graph, clause(name, equal, "date")) == [b"text"]
        assert search(graph, clause(name, other, "date")) == []


def test_the_modifier(world, pair):
    alice, bob = pair
    record_id = add(alice)
    world.until(bob, lambda: has(bob, record_id))
    bob.update_record(record_id, data=b"by bob")
    assert search(bob, clause("peerlastmodifiedby", "bob")) == [b"by bob"]


def test_id_and_type_of_the_record(graph):
    record_id = add(graph, b"wanted", type=OTHER)
    add(graph, b"other", type=NOTE)
    assert search(graph, clause("peerrecordid", record_id)) == [b"wanted"]
    assert search(graph, clause("peerrecordtype", OTHER)) == [b"wanted"]


def test_an_asterisk_is_any_text(texts):
    graph = texts("James P", "James Peters", "James P. Hill, Jr.", "James", "john", "James Q")
    assert search(graph, clause("text", "James P*")) == [b"James P", b"James P. Hill, Jr.", b"James Peters"]


def test_a_question_mark_is_one_character(texts):
    graph = texts("data-01.xml", "data-0B.xml", "data-0.xml", "data-011.xml")
    assert search(graph, clause("text", "data-0?.xml")) == [b"data-01.xml", b"data-0B.xml"]


def test_an_escaped_asterisk(texts):
    assert search(texts("a*b", "axb", "ab"), clause("text", r"a\*b")) == [b"a*b"]


def test_other_escapes(texts):
    graph = texts("a?b", "axb", "a\\b", "a\\?")
    assert search(graph, clause("text", r"a\?b")) == [b"a?b"]
    assert search(graph, clause("text", r"a\\b")) == [b"a\\b"]
    assert search(graph, clause("text", r"a\\\?")) == [b"a\\?"]


@pytest.mark.parametrize("value", [r"a\b", "a\\", r"\\\\" + "\\", r"*\x*"])
def test_wrong_escapes(graph, value):
    with fails(E_INVALIDARG) as caught:
        search(graph, clause("text", value))
    assert caught.value.code != PEER_E_INVALID_SEARCH


INVALID = {
    "not well-formed": "<peersearch><and></peersearch>",
    "no XML": "room = lobby",
    "nothing": "",
    "two children": query(clause("a", "x") + f"<and>{clause('b', 'y')}</and>"),
    "two clauses": query(clause("a", "x") * 2),
    "no child": query(""),
    "empty and": query("<and/>"),
    "empty or": query("<or></or>"),
    "empty or within": query(f"<and>{clause('a', 'x')}<or/></and>"),
    "other root": f"<search>{clause('a', 'x')}</search>",
    "root in capitals": f"<PeerSearch>{clause('a', 'x')}</PeerSearch>",
    "clause as root": clause("a", "x"),
    "unknown element": query(f"<xor>{clause('a', 'x')}</xor>"),
    "unknown element within": query(f"<and>{clause('a', 'x')}<not/></and>"),
    "unknown operator": query(clause("a", "x", compare="like")),
    "unknown type": query(clause("a", "x", "float")),
    "without attrib": query('<clause type="string" compare="equal">x</clause>'),
    "without type": query('<clause attrib="a" compare="equal">x</clause>'),
    "element in a value": query(clause("a", f"<and>{clause('b', 'y')}</and>")),
    "text beside": query(f"text{clause('a', 'x')}"),
}


@pytest.mark.parametrize("criteria", INVALID.values(), ids=INVALID)
def test_criteria_that_break_the_rules(graph, criteria):
    with fails(PEER_E_INVALID_SEARCH):
        graph.search_records(criteria)


@pytest.mark.parametrize(("kind", "value"), [("date", "2003-02-328"), ("date", "today"), ("int", "12a"), ("int", "")])
def test_values_that_are_not_of_their_type(graph, kind, value):
    with fails(E_INVALIDARG, PEER_E_INVALID_SEARCH):
        search(graph, clause("a", value, kind))


def test_a_namespace_is_accepted(shared):
    criteria = f'<peersearch xmlns:xs="http://www.w3.org/2001/XMLSchema">{clause("room", "lobby")}</peersearch>'
    with shared.search_records(criteria) as found:
        assert [record.data for record in found.get_next_item()] == [b"of alice"]
    with shared.search_records('<?xml version="1.0"?>\n' + criteria) as found:
        assert found.get_item_count() == 1


def test_operators_within_operators(shared):
    inner = f"<or>{clause('room', 'lobby')}{clause('room', 'hall')}</or>"
    assert search(shared, f"<and>{inner}{clause('peercreatorid', 'bob')}</and>") == [b"of bob"]
    deep = clause("room", "lobby")
    for _ in range(20):
        deep = f"<and>{deep}</and>"
    assert search(shared, deep) == [b"of alice"]


def test_nothing_is_found(shared):
    assert search(shared, clause("room", "cellar")) == []
    assert search(shared, clause("floor", "3", "int")) == []


def test_search_needs_criteria_and_a_place(graph):
    out = ffi.new("peer_enum **")
    assert lib.peer_graph_search_records(graph._handle, NULL, out) == E_INVALIDARG
    text = query(clause("a", "x")).encode()
    assert lib.peer_graph_search_records(graph._handle, text, NULL) == E_INVALIDARG


# -- choices left open -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compare", NUMBERS)
def test_who_lacks_the_attribute_is_never_found(graph, compare):
    add(graph)
    assert search(graph, clause("size", "9", "int", compare)) == []


def test_any_of_several_values_will_do(graph):
    graph.add_record(type=NOTE, data=b"both", attributes=[("tag", "red"), ("tag", "blue")], lifetime=HOUR)
    for tag in ("red", "blue"):
        assert search(graph, clause("tag", tag)) == [b"both"]


def test_another_type_does_not_match(graph):
    add(graph, attributes={"size": 9})
    assert search(graph, clause("size", "9", "string")) == []


def test_what_is_deleted_or_updated_is_searched_anew(graph):
    record_id = add(graph, attributes={"room": "lobby"})
    graph.update_record(record_id, attributes={"room": "hall"})
    assert search(graph, clause("room", "lobby")) == []
    assert search(graph, clause("room", "hall")) == [b"text"]
    graph.delete_record(record_id)
    assert search(graph, clause("room", "hall")) == []
    assert search(graph, clause("peerrecordid", uuid.UUID(int=1))) == []


def test_what_expired_is_not_found(simulator):
    graph = simulator.create()
    add(graph, attributes={"room": "lobby"}, lifetime=HOUR)
    simulator.network.run_for(3601)
    assert search(graph, clause("room", "lobby")) == []
