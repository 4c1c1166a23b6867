"""Attributes: a mapping on this side, XML on the other."""

from __future__ import annotations

import copy
import pickle
import string
from datetime import date, datetime, timedelta, timezone

import peergraph
import pytest
from hypothesis import given
from hypothesis import strategies as st
from peergraph import Attributes, AttributeType, _native

RESERVED = (
    "peerlastmodifiedby peercreatorid peerlastmodificationtime peerrecordid peerrecordtype peercreationtime".split()
)
NAMES = st.text(string.ascii_letters + string.digits, min_size=1, max_size=40).filter(lambda name: name not in RESERVED)
XML_TEXT = st.text(
    st.one_of(
        st.characters(min_codepoint=0x20, max_codepoint=0xD7FF),
        st.characters(min_codepoint=0xE000, max_codepoint=0xFFFD),
        st.characters(min_codepoint=0x10000, max_codepoint=0x10FFFF),
        st.sampled_from("\t\n\r<>&'\"]"),
    ),
    max_size=60,
)
MOMENTS = st.datetimes(timezones=st.just(timezone.utc))
VALUES = st.one_of(XML_TEXT, st.integers(0, 10**30), MOMENTS)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=12))
def test_what_is_written_is_read(pairs):
    attributes = Attributes(pairs)
    again = Attributes.parse(attributes.xml)
    assert list(again.items_all()) == pairs
    assert again == attributes
    assert hash(again) == hash(attributes)
    for name, _ in pairs:
        assert again.getall(name) == [value for other, value in pairs if other == name]
        assert again[name] == again.getall(name)[0]
    assert len(again) == len({name for name, _ in pairs})
    assert list(again) == list(dict(pairs))


def test_it_is_a_mapping():
    attributes = Attributes({"room": "lobby", "size": 12})
    assert attributes["room"] == "lobby"
    assert dict(attributes) == {"room": "lobby", "size": 12}
    assert attributes == {"room": "lobby", "size": 12}
    assert "room" in attributes
    assert "door" not in attributes
    assert attributes.get("door") is None
    with pytest.raises(KeyError):
        attributes["door"]
    assert repr(attributes) == "Attributes({'room': 'lobby', 'size': 12})"


def test_a_name_may_occur_several_times():
    attributes = Attributes([("tag", "a"), ("tag", "b"), ("n", 1)])
    assert attributes["tag"] == "a"
    assert attributes.getall("tag") == ["a", "b"]
    assert attributes.getall("none") == []
    assert attributes.items_all() == (("tag", "a"), ("tag", "b"), ("n", 1))
    assert attributes != {"tag": "a", "n": 1}
    assert repr(attributes) == "Attributes([('tag', 'a'), ('tag', 'b'), ('n', 1)])"


def test_it_cannot_be_changed():
    attributes = Attributes({"a": 1})
    with pytest.raises(TypeError):
        attributes["a"] = 2
    with pytest.raises(AttributeError):
        attributes.b = 2


def test_it_travels():
    attributes = Attributes([("a", 1), ("b", datetime(2026, 11, 21, tzinfo=timezone.utc))])
    assert pickle.loads(pickle.dumps(attributes)) == attributes
    assert copy.deepcopy(attributes) == attributes
    assert Attributes(attributes) == attributes


def test_dates_are_utc():
    east = timezone(timedelta(hours=2))
    attributes = Attributes(
        {"when": datetime(2026, 11, 21, 12, 30, 15, 123456, tzinfo=east), "day": date(2026, 11, 21)}
    )
    again = Attributes.parse(attributes.xml)
    assert again["when"] == datetime(2026, 11, 21, 10, 30, 15, 123456, tzinfo=timezone.utc)
    assert again["day"] == datetime(2026, 11, 21, tzinfo=timezone.utc)
    assert again["when"].utcoffset() == timedelta(0)
    with pytest.raises(peergraph.InvalidAttributes, match="time zone"):
        Attributes({"when": datetime(2026, 11, 21)})


def one(kind: str, text: str) -> str:
    return f'<attributes><attribute name="a" type="{kind}">{text}</attribute></attributes>'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026", datetime(2026, 1, 1)),
        ("2026-11", datetime(2026, 11, 1)),
        ("2026-11-21", datetime(2026, 11, 21)),
        ("2026-11-21T10:30Z", datetime(2026, 11, 21, 10, 30)),
        ("2026-11-21T10:30:05+02:00", datetime(2026, 11, 21, 8, 30, 5)),
        ("2026-11-21T10:30:05.5Z", datetime(2026, 11, 21, 10, 30, 5, 500000)),
    ],
)
def test_partial_dates_are_their_first_instant(text, expected):
    assert Attributes.parse(one("date", text))["a"] == expected.replace(tzinfo=timezone.utc)


def test_a_number_of_many_digits_stays_readable():
    assert Attributes.parse(one("int", "9" * 30))["a"] == int("9" * 30)
    digits = "9" * 5000  # more than int() reads by default: it stays text
    assert Attributes.parse(one("int", digits))["a"] == digits


@pytest.mark.parametrize(
    "attributes",
    [
        {"with-hyphen": "x"},
        {"with space": "x"},
        {"": "x"},
        {"a" * 41: "x"},
        {"a\0b": "x"},
        *({name: "x"} for name in RESERVED),
        {"a": "\0"},
        {"a": "\x01"},
        {"a": "\udc80"},
        {"a": -1},
        {"a": -(1 << 70)},
    ],
    ids=repr,
)
def test_what_the_schema_forbids(attributes):
    with pytest.raises(peergraph.InvalidAttributes):
        Attributes(attributes)


@pytest.mark.parametrize("value", [True, 1.5, None, b"x", timedelta(1), ["x"]], ids=repr)
def test_values_of_other_types_are_refused(value):
    with pytest.raises(TypeError, match="attribute 'a'"):
        Attributes({"a": value})
    with pytest.raises(TypeError):
        Attributes([(1, "x")])


@pytest.mark.parametrize(
    "xml",
    [
        "",
        "<attributes>",
        "<attribute/>",
        "<attributes><attributes/></attributes>",
        one("float", "1"),
        one("int", "12a"),
        one("date", "2003-02-328"),
        one("string", "<b/>"),
        '<attributes><attribute name="a_b" type="string">x</attribute></attributes>',
        '<attributes><attribute name="peerrecordid" type="string">x</attribute></attributes>',
        "<attributes>\0</attributes>",
    ],
)
def test_xml_that_is_refused(xml):
    with pytest.raises(peergraph.InvalidAttributes):
        Attributes.parse(xml)


def test_too_many():
    pairs = [("a", 1)] * 4096
    assert len(Attributes(pairs).items_all()) == 4096
    with pytest.raises(peergraph.TooManyAttributes):
        Attributes([*pairs, ("a", 1)])
    item = '<attribute name="a" type="int">1</attribute>'
    assert len(Attributes.parse(f"<attributes>{item * 4096}</attributes>").items_all()) == 4096
    with pytest.raises(peergraph.TooManyAttributes):
        Attributes.parse(f"<attributes>{item * 4097}</attributes>")


def test_numbers_and_dates_by_index_in_c():
    reader = _native.AttributeReader(Attributes({"n": 12, "s": "x", "d": date(1970, 1, 2)}).xml)
    assert len(reader) == 3
    assert reader.get(0) == ("n", AttributeType.INT, "12")
    assert reader.get_int(0) == 12
    assert reader.get_date(2) == 86_400_000_000
    for call in (reader.get_int, reader.get_date):
        with pytest.raises(peergraph.InvalidAttributes):
            call(1)
    for call in (reader.get, reader.get_int, reader.get_date):
        with pytest.raises(peergraph.InvalidArgument):
            call(3)
    with pytest.raises(peergraph.InvalidAttributes):
        _native.AttributeReader(one("int", "9" * 20)).get_int(0)
