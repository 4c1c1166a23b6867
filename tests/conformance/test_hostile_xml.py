"""XML that is meant to do harm: the documented error, with bounded depth and without expansion."""

from __future__ import annotations

import pytest
from conformance.exact import add_exactly, ffi, lib, record_input
from conformance.worlds import fails
from peergraph._codes import (
    E_INVALIDARG,
    PEER_E_INVALID_ATTRIBUTES,
    PEER_E_INVALID_SEARCH,
    PEER_E_MAX_RECORD_SIZE_EXCEEDED,
    PEER_OK,
)

MEGABYTE = 1 << 20
LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in zip("abcdefghi", "bcdefghij", strict=True))
    + "]>"
)
EXTERNAL = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


def attributes(value):
    return f'<attributes><attribute name="a" type="string">{value}</attribute></attributes>'


def criteria(value):
    return f'<peersearch><clause attrib="a" type="string">{value}</clause></peersearch>'


@pytest.mark.parametrize("declared", [LAUGHS + "{}", EXTERNAL + "{}"], ids=["bomb", "external"])
def test_entities_are_not_expanded(graph, declared):
    with fails(PEER_E_INVALID_ATTRIBUTES):
        add_exactly(graph, attributes=declared.format(attributes("&j;" if declared.startswith(LAUGHS) else "&a;")))
    with fails(PEER_E_INVALID_SEARCH):
        graph.search_records(declared.format(criteria("&j;" if declared.startswith(LAUGHS) else "&a;")))


def test_ten_megabytes_of_nested_operators(graph):
    depth = 10 * MEGABYTE // len("<and></and>")
    with fails(PEER_E_INVALID_SEARCH):
        graph.search_records("<peersearch>" + "<and>" * depth + "</and>" * depth + "</peersearch>")


def test_ten_megabytes_of_nested_attributes(world):
    graph = world.create(max_record_size=62_914_560)
    depth = 10 * MEGABYTE // len("<attribute></attribute>")
    with fails(PEER_E_INVALID_ATTRIBUTES):
        add_exactly(graph, attributes="<attributes>" + "<attribute>" * depth + "</attribute>" * depth + "</attributes>")


def test_a_long_name_and_a_wide_query(graph):
    with fails(PEER_E_INVALID_ATTRIBUTES):
        add_exactly(graph, attributes=f'<attributes><attribute name="{"x" * MEGABYTE}" type="int">1</attribute>')
    with fails(PEER_E_INVALID_SEARCH, E_INVALIDARG):
        graph.search_records(f'<peersearch><clause attrib="{"x" * 41}" type="string">x</clause></peersearch>')


def status_of_attributes(graph, xml):
    given = record_input()
    text = ffi.new("char[]", xml)
    given.view.attributes = text
    return lib.peer_graph_add_record(graph._handle, given.view, ffi.new("peer_guid *"))


def status_of_search(graph, xml):
    out = ffi.new("peer_enum **")
    status = lib.peer_graph_search_records(graph._handle, ffi.new("char[]", xml), out)
    if status == PEER_OK:
        lib.peer_end_enumeration(out[0])
    return status


ILL_FORMED = {"lone byte": b"\xff", "overlong": b"\xc0\x80", "surrogate": b"\xed\xa0\x80", "cut off": b"\xe2\x82"}


@pytest.mark.parametrize("text", ILL_FORMED.values(), ids=ILL_FORMED)
def test_text_that_is_no_utf8(graph, text):
    codes = (E_INVALIDARG, PEER_E_INVALID_ATTRIBUTES)
    assert status_of_attributes(graph, attributes("@").encode().replace(b"@", text)) in codes
    codes = (E_INVALIDARG, PEER_E_INVALID_SEARCH)
    assert status_of_search(graph, criteria("@").encode().replace(b"@", text)) in codes
    assert list(graph.records()) == []


def test_a_nul_byte_ends_the_text(graph):
    assert status_of_attributes(graph, attributes("a\0b").encode()) == PEER_E_INVALID_ATTRIBUTES
    assert status_of_search(graph, criteria("a\0b").encode()) == PEER_E_INVALID_SEARCH
    assert status_of_attributes(graph, attributes("&#0;").encode()) == PEER_E_INVALID_ATTRIBUTES
    assert status_of_search(graph, criteria("&#0;").encode()) == PEER_E_INVALID_SEARCH


def test_ten_megabytes_of_attributes_are_too_many(graph):
    with fails(PEER_E_MAX_RECORD_SIZE_EXCEEDED):
        add_exactly(graph, attributes=attributes("x" * 10 * MEGABYTE))
