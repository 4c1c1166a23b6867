"""Queries that C writes: they find what the model says, whether built call by call or by comparisons."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import operator
import re
from collections.abc import Iterator
from uuid import UUID

import peergraph
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from peergraph import Attr, InvalidArgument, InvalidAttributes, InvalidSearch, Query
from peergraph._codes import Comparison
from peergraph._native import AttributeBuilder
from peergraph._native_search import QueryBuilder
from peergraph._time import from_datetime
from peergraph.sim import Network
from python.scene import HOUR, NOTE, OTHER
from python.search_model import ALPHABET, ATTRIBUTES, OPERATORS, TREES, Clause, Tree, matches, resolved

COMPARISONS = dict(
    zip(["equal", "notequal", "less", "greater", "lessorequal", "greaterorequal"], Comparison, strict=True)
)
WILDCARD = re.compile(r"(?:[^\\*?]|\\.)*[*?]", re.DOTALL)


@pytest.fixture(scope="module")
def graph() -> Iterator[peergraph.Graph]:
    with Network(seed=1) as network, network.add_host("alice").runtime as runtime:
        yield runtime.create_graph("film club", peer_id="alice")


def unescaped(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value)


def is_pattern(clause: Clause) -> bool:
    return clause.compare in ("equal", "notequal") and bool(WILDCARD.match(clause.value))


def moment(clause: Clause) -> dt.datetime:
    time = dt.datetime.fromisoformat(clause.value)
    return time if time.tzinfo else time.replace(tzinfo=dt.timezone.utc)


def build(builder: QueryBuilder, tree: Tree) -> QueryBuilder:
    """The tree, call by call."""
    if not isinstance(tree, Clause):
        begin = builder.begin_and if tree.name == "and" else builder.begin_or
        begin()
        for child in tree.children:
            build(builder, child)
        builder.end()
    elif tree.type == "int":
        builder.add_int(tree.attrib, COMPARISONS[tree.compare], int(tree.value))
    elif tree.type == "date":
        builder.add_date(tree.attrib, COMPARISONS[tree.compare], from_datetime(moment(tree)))
    elif is_pattern(tree):
        builder.add_pattern(tree.attrib, COMPARISONS[tree.compare], tree.value)
    else:
        builder.add_text(tree.attrib, COMPARISONS[tree.compare], unescaped(tree.value))
    return builder


def compared(tree: Tree) -> Query | None:
    """The tree as comparisons; None if it has what they cannot say, a pattern that is not to match."""
    if not isinstance(tree, Clause):
        join = operator.and_ if tree.name == "and" else operator.or_
        children = [compared(child) for child in tree.children]
        return None if None in children else functools.reduce(join, children)
    attr, compare = Attr(tree.attrib), OPERATORS[tree.compare]
    if tree.type == "int":
        return compare(attr, int(tree.value))
    if tree.type == "date":
        return compare(attr, moment(tree))
    if is_pattern(tree):
        return attr.like(tree.value) if tree.compare == "equal" else None
    return compare(attr, unescaped(tree.value))


def pairs_of(record: peergraph.Record) -> list[tuple[str, object]]:
    return [
        *record.attributes.items_all(),
        ("peercreatorid", record.creator_id),
        ("peercreationtime", record.created),
        ("peerlastmodificationtime", record.modified),
        ("peerrecordid", str(record.id)),
        ("peerrecordtype", str(record.type)),
    ]


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(ATTRIBUTES, st.sampled_from([NOTE, OTHER])), min_size=1, max_size=8),
    st.lists(TREES, min_size=1, max_size=12),
)
def test_what_is_built_finds_what_is_meant(graph, contents, trees):
    for attributes, record_type in contents:
        graph.add_record(type=record_type, attributes=attributes, lifetime=HOUR)
    records = list(graph.records())
    for unresolved in trees:
        tree = resolved(unresolved, [record.created for record in records])
        expected = {record.id for record in records if matches(tree, pairs_of(record))}
        assert {record.id for record in graph.search(build(QueryBuilder(), tree).xml())} == expected
        query = compared(tree)
        if query is not None:
            assert {record.id for record in graph.search(query)} == expected
    for record in records:
        graph.delete_record(record.id)


AWKWARD = "\x00\x01\r\n\t\x7f\ufffe\uffff\ud800<&>]\"'"


@settings(deadline=None, max_examples=200)
@given(st.one_of(st.text(), st.text(ALPHABET), st.text(AWKWARD)), st.text(max_size=2))
def test_any_text(graph, text, other):
    """What can be an attribute can be looked for, is found, and nothing else is."""
    builder = QueryBuilder()
    try:
        AttributeBuilder().add("t", peergraph.AttributeType.STRING, text)
    except (InvalidAttributes, InvalidArgument):
        with pytest.raises(InvalidArgument):
            builder.add_text("t", Comparison.EQUAL, text)
        return
    builder.add_text("t", Comparison.EQUAL, text)
    record_id = graph.add_record(type=NOTE, attributes={"t": text}, lifetime=HOUR)
    try:
        assert [record.id for record in graph.search(builder.xml())] == [record_id]
        with contextlib.suppress(InvalidArgument):
            assert bool(list(graph.search(Attr("t") == other))) == (text == other)
    finally:
        graph.delete_record(record_id)


CALLS = st.one_of(
    st.sampled_from([("begin_and",), ("begin_or",), ("end",), ("end",)]),
    st.tuples(
        st.sampled_from(["add_text", "add_pattern"]),
        st.sampled_from(["a", "peercreatorid", "peerrecordid", "peercreationtime", "a b", ""]),
        st.integers(0, 7),
        st.text(ALPHABET + "<\r\x02"),
    ),
    st.tuples(
        st.sampled_from(["add_int", "add_date"]),
        st.sampled_from(["a", "peercreatorid", "peercreationtime"]),
        st.integers(0, 7),
        st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-(10**16), 10**16)),
    ),
)


@settings(deadline=None, max_examples=200)
@given(st.lists(CALLS, max_size=30))
def test_any_calls(graph, calls):
    """A call that fails changes nothing, and what is whole is accepted."""
    done, again = QueryBuilder(), QueryBuilder()
    for name, *arguments in calls:
        try:
            getattr(done, name)(*arguments)
        except InvalidArgument:
            continue
        getattr(again, name)(*arguments)
    try:
        xml = done.xml()
    except InvalidSearch as error:
        with pytest.raises(InvalidSearch, match=re.escape(error.message)):
            again.xml()
    else:
        assert again.xml() == xml
        with graph.search_records(xml) as records:
            assert records.get_item_count() == 0


def test_ids_and_types(graph):
    one = graph.add_record(type=NOTE, lifetime=HOUR)
    two = graph.add_record(type=OTHER, lifetime=HOUR)
    builder = QueryBuilder()
    builder.add_guid("peerrecordtype", Comparison.EQUAL, NOTE.bytes)
    assert [record.id for record in graph.search(builder.xml())] == [one]
    assert [record.id for record in graph.search(Attr("peerrecordtype") == OTHER)] == [two]
    assert [record.id for record in graph.search(Attr("peerrecordid") == one)] == [one]
    assert [record.id for record in graph.search(Attr("peerrecordid") != one)] == [two]
    assert len(list(graph.search(Attr("peerrecordid") >= UUID(int=0)))) == 2
    for record_id in (one, two):
        graph.delete_record(record_id)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (Attr("peercreatorid") == 5, '"peercreatorid" is a string and cannot be compared with a value of type int'),
        (Attr("size") == NOTE, '"size" is no GUID; peerrecordid and peerrecordtype are'),
        (Attr("size") < 2**63, "attribute 'size': 9223372036854775808 has more than 64 bits"),
        (Attr("size") > -(2**63) - 1, "attribute 'size': -9223372036854775809 has more than 64 bits"),
        (Attr("made") < dt.datetime.min.replace(tzinfo=dt.timezone(HOUR)), "is not within the years 1 to 9999"),
        (Attr("t") == "*" * 2049, "has 4098 bytes with its escapes, more than 4096"),
        (functools.reduce(operator.or_, [Attr("a") == 1] * 1024), "more than 1024 clauses and operators"),
    ],
    ids=range(7),
)
def test_mistakes_are_told_when_the_search_begins(graph, query, said):
    with pytest.raises(InvalidSearch) as raised:
        list(graph.search(query))
    assert said in raised.value.message


def test_a_query_deeper_than_the_rules_allow(graph):
    query = Attr("a") == 1
    for _ in range(500):
        query = (query & (Attr("b") == 1)) | (Attr("c") == 1)
    with pytest.raises(InvalidSearch, match="nested deeper than 63"):
        list(graph.search(query))


def test_what_is_shown_can_be_written():
    query = (Attr("size") > 5) & ((Attr("t") == "x") | Attr("path").like("docs/*") | (Attr("t") != "y"))
    shown = "((Attr('size') > 5) & ((Attr('t') == 'x') | Attr('path').like('docs/*') | (Attr('t') != 'y')))"
    assert repr(query) == f"<Query {shown}>"
    assert eval(shown, {"Attr": Attr}).xml == query.xml
