"""Numbers and texts at a limit, below it and beyond it (graph-api 5.4, 7, 11; where they are ours, the header)."""

from __future__ import annotations

import uuid

import peergraph
import pytest
from conformance import exact
from conformance.exact import NULL, add_exactly, ffi, gives, lib
from conformance.worlds import GRAPH, NOTE, fails
from peergraph import GraphEvent
from peergraph._codes import (
    E_INVALIDARG,
    PEER_E_INVALID_SEARCH,
    PEER_OK,
    PEER_S_GRAPH_DATA_CREATED,
)

INT_MIN, INT_MAX = -(1 << 63), (1 << 63) - 1
CLAUSE = '<clause attrib="n" type="int">7</clause>'


@pytest.fixture
def create(world):
    """peer_graph_create with properties as they are, and a graph id that nothing has."""

    def call(**fields):
        given, _texts = exact.properties_input(graph_id=str(uuid.uuid4()), **fields)
        return exact.create(world.runtime()._handle, given)

    return call


@pytest.fixture
def found(graph):
    """How many records a query finds in a graph that has one, with the integer 7."""
    add_exactly(graph, attributes='<attributes><attribute name="n" type="int">7</attribute></attributes>')

    def search(inside):
        with graph.search_records(f"<peersearch>{inside}</peersearch>") as enumeration:
            return enumeration.get_item_count()

    return search


def statuses(call, field, values):
    return {value: call(**{field: value}) for value in values}


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("flags", [0, 2], [1, 3, 4, 0x8000_0000]),  # HEARTBEATS is reserved
        ("scope", [0, 1, 2, 3], [4, 5, 99]),
        ("presence_lifetime_s", [0, 300, 301, 0xFFFF_FFFF], [1, 299]),
        ("presence_max", [-1, 0, 1, 0x7FFF_FFFF], [-2, -0x8000_0000]),
    ],
)
def test_numbers_of_properties(create, field, good, bad):
    assert statuses(create, field, good) == dict.fromkeys(good, PEER_OK)
    assert statuses(create, field, bad) == dict.fromkeys(bad, E_INVALIDARG)


def test_a_lifetime_of_any_size_stays_when_the_rest_is_changed(world):
    """136 years: the whole range of the field is also that of Python."""
    given, _texts = exact.properties_input(presence_lifetime_s=0xFFFF_FFFF)
    assert exact.create(world.runtime()._handle, given) == PEER_OK
    graph = world.open("alice")
    graph.set_properties(comment="long")
    assert (graph.properties.comment, graph.properties.presence_lifetime.total_seconds()) == ("long", 0xFFFF_FFFF)


@pytest.mark.parametrize(("name", "fits"), [("d" * 64, True), ("d" * 65, False), ("ä" * 32, True), ("ä" * 33, False)])
def test_the_length_of_a_database_name(world, name, fits):
    given, _texts = exact.properties_input()
    assert exact.create(world.runtime()._handle, given, name.encode()) == (PEER_OK if fits else E_INVALIDARG)


def test_ids_of_who_opens_have_up_to_255_units(world):
    def opened(graph_id, peer_id):
        return gives(
            "peer_graph **",
            lambda out: lib.peer_graph_open(
                world.runtime()._handle, graph_id.encode(), peer_id.encode(), NULL, NULL, 0, NULL, out
            ),
            lib.peer_graph_close,
        )

    for text in ("x" * 255, "𝄞" * 127 + "x"):
        assert opened(text, "alice") == opened("g", text) == PEER_S_GRAPH_DATA_CREATED
    for text in ("x" * 256, "𝄞" * 128):
        assert opened(text, "alice") == opened("g", text) == E_INVALIDARG


@pytest.mark.parametrize("control", ["\x01", "\n", "\x1f", "\x7f"], ids=repr)
def test_a_graph_id_has_no_control_characters(world, control):
    """Groups name themselves on the wire by what is no graph id. Peers may be called anything."""
    given, _texts = exact.properties_input(graph_id=f"a{control}b")
    assert exact.create(world.runtime()._handle, given) == E_INVALIDARG
    with fails(E_INVALIDARG):
        world.open("alice", f"{control}b")
    assert world.open(f"a{control}b", at="alice").peer_id == f"a{control}b"


def test_how_many_types_may_come_first(world):
    types = ffi.new("peer_guid[]", [{"bytes": uuid.UUID(int=1000 + i).bytes} for i in range(254)])

    def opened(count):
        return gives(
            "peer_graph **",
            lambda out: lib.peer_graph_open(
                world.runtime()._handle, GRAPH.encode(), b"alice", NULL, NULL, count, types, out
            ),
            lib.peer_graph_close,
        )

    assert (opened(253), opened(254)) == (PEER_S_GRAPH_DATA_CREATED, E_INVALIDARG)


@pytest.mark.parametrize("text", ["x" * 4095, "𝄞" * 2047 + "x"], ids=["one unit each", "two units each"])
def test_the_length_of_the_text_of_a_node(graph, text):
    graph.set_node_attributes(text)
    assert graph.node.attributes == text
    with fails(E_INVALIDARG):
        graph.set_node_attributes(text + "x")
    assert graph.node.attributes == text


def test_peers_to_look_for_have_1_to_255_units(graph):
    calls = {
        "enum_records": lambda peer, out: lib.peer_graph_enum_records(graph._handle, NULL, peer, out),
        "enum_nodes": lambda peer, out: lib.peer_graph_enum_nodes(graph._handle, peer, out),
    }
    for call in calls.values():
        for peer, expected in ((b"x" * 255, PEER_OK), (b"x" * 256, E_INVALIDARG), (b"", E_INVALIDARG)):
            status = gives("peer_enum **", lambda out, p=peer, c=call: c(p, out), lib.peer_end_enumeration)
            assert status == expected


def test_ports(graph):
    for port in (0x1_0000, 0xFFFF_FFFF):
        assert lib.peer_graph_listen(graph._handle, int(peergraph.Scope.LOOPBACK), 0, port) == E_INVALIDARG


def test_kinds_of_connections(graph):
    def enumerated(flags):
        return gives(
            "peer_enum **",
            lambda out: lib.peer_graph_enum_connections(graph._handle, flags, out),
            lib.peer_end_enumeration,
        )

    assert [enumerated(flags) for flags in (1, 2, 3)] == [PEER_OK] * 3
    assert [enumerated(flags) for flags in (0, 4, 7, 0x8000_0000)] == [E_INVALIDARG] * 4


def test_how_much_may_be_registered_at_once(graph):
    given = ffi.new("peer_event_registration[]", [{"type": int(GraphEvent.RECORD_CHANGED)}] * 65_537)

    def registered(count):
        return gives(
            "peer_event_queue **",
            lambda out: lib.peer_graph_register_event(graph._handle, count, given, out),
            lib.peer_unregister_event,
        )

    assert (registered(65_536), registered(65_537)) == (PEER_OK, E_INVALIDARG)
    assert registered(0) == E_INVALIDARG  # an array, and nothing in it


# -- queries -----------------------------------------------------------------------------------------------------------


def test_how_deep_a_query_may_be(found):
    """The clause counts too."""
    assert found("<and>" * 63 + CLAUSE + "</and>" * 63) == 1
    with fails(PEER_E_INVALID_SEARCH) as caught:
        found("<and>" * 64 + CLAUSE + "</and>" * 64)
    assert "clauses and operators are nested deeper than 64" in caught.value.message


def test_how_many_clauses_a_query_may_have(found):
    """The operator counts too."""
    assert found(f"<or>{CLAUSE * 1023}</or>") == 1
    with fails(PEER_E_INVALID_SEARCH):
        found(f"<or>{CLAUSE * 1024}</or>")


def test_how_long_a_value_of_a_query_may_be(found):
    assert found(f'<clause attrib="n" type="string">{"v" * 4096}</clause>') == 0
    with fails(PEER_E_INVALID_SEARCH):
        found(f'<clause attrib="n" type="string">{"v" * 4097}</clause>')


def test_how_long_a_name_of_a_query_may_be(found):
    assert found(f'<clause attrib="{"n" * 40}" type="int">7</clause>') == 0
    with fails(PEER_E_INVALID_SEARCH):
        found(f'<clause attrib="{"n" * 41}" type="int">7</clause>')


@pytest.mark.parametrize("compare", ["equal", "notequal", "less", "greater", "lessorequal", "greaterorequal"])
def test_integers_of_a_query_have_64_bits(found, compare):
    """Those that have more are refused at both ends alike: they would be compared with what is not there."""
    for number in (INT_MIN, INT_MAX):
        expected = compare == "notequal" or compare.startswith("greater" if number < 0 else "less")
        assert found(f'<clause attrib="n" type="int" compare="{compare}">{number}</clause>') == expected
    for number in (INT_MIN - 1, INT_MAX + 1, -(10**40), 10**40):
        with fails(PEER_E_INVALID_SEARCH):
            found(f'<clause attrib="n" type="int" compare="{compare}">{number}</clause>')


@pytest.mark.parametrize("number", [0, 9, INT_MAX - 1, INT_MAX])
def test_integers_of_a_record_at_the_ends(graph, number):
    record_id = add_exactly(
        graph, attributes=f'<attributes><attribute name="n" type="int">{number:020}</attribute></attributes>'
    )
    equal = f'<peersearch><clause attrib="n" type="int"> {number} </clause></peersearch>'
    with graph.search_records(equal) as enumeration:
        assert [record.id for record in enumeration.get_next_item(10)] == [record_id]


@pytest.mark.parametrize(
    "document",
    [
        '<?xml version="1.0" encoding="UTF-8"?>{}',
        "\ufeff{}",
        " \n{}\n",
        "<!-- a comment -->{}<!-- another -->",
        "<?instruction?>{}",
    ],
)
def test_what_may_stand_around_xml(graph, document):
    attributes = document.format('<attributes><attribute name="n" type="int"><![CDATA[7]]></attribute></attributes>')
    record_id = add_exactly(graph, attributes=attributes, record_type=NOTE)
    with graph.search_records(document.format(f"<peersearch>{CLAUSE}</peersearch>")) as enumeration:
        assert [record.id for record in enumeration.get_next_item(10)] == [record_id]
