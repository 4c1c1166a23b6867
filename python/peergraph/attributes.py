"""Attributes of a record: names with text, numbers and dates, which travel as XML that nobody has to see."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeAlias

from . import _native
from ._codes import PEER_E_INVALID_ATTRIBUTES, AttributeType
from ._time import from_datetime, to_datetime
from .errors import InvalidArgument, InvalidAttributes, PeerError, error_for

AttributeValue: TypeAlias = str | int | dt.datetime
AttributeInput: TypeAlias = str | int | dt.datetime | dt.date
# Any iterable of pairs will do. It is not written so, since a dict is an iterable too: mypy would not know which of
# both a dict display is meant to be, and refuse one with values of several types.
AttributePairs: TypeAlias = (
    Sequence[tuple[str, AttributeInput]]
    | AbstractSet[tuple[str, AttributeInput]]
    | Iterator[tuple[str, AttributeInput]]
)
AttributesInput: TypeAlias = "Attributes | Mapping[str, AttributeInput] | AttributePairs"

_INT64_MIN = -(1 << 63)
_INT64_MAX = (1 << 63) - 1


class Attributes(Mapping[str, AttributeValue]):
    """The attributes of a record: an immutable mapping in which a name may occur several times.

    `attributes["room"]` is the first value of that name, `attributes.getall("room")` all of them. Text is str,
    an integer is int, a date is an aware datetime in UTC; a date without a time is its first instant.

    Made from a mapping or from pairs of name and value. Names are 1 to 40 of 0-9 a-z A-Z and none of the reserved
    ones. Raises InvalidAttributes or TooManyAttributes for what the schema forbids, TypeError for other types of
    values.
    """

    __slots__ = ("_first", "_pairs", "_xml")

    _pairs: tuple[tuple[str, AttributeValue], ...]
    _first: dict[str, AttributeValue]
    _xml: str

    def __init__(self, attributes: AttributesInput = ()) -> None:
        if isinstance(attributes, Attributes):
            self._pairs, self._first, self._xml = attributes._pairs, attributes._first, attributes._xml
            return
        pairs = _pairs(attributes)
        builder = _native.AttributeBuilder()
        self._set(tuple((name, _add(builder, name, value)) for name, value in pairs), builder.xml())

    def _set(self, pairs: tuple[tuple[str, AttributeValue], ...], xml: str) -> None:
        self._pairs = pairs
        self._first = dict(reversed(pairs))
        self._xml = xml

    @classmethod
    def parse(cls, xml: str) -> Attributes:
        """Reads attribute XML. Raises InvalidAttributes or TooManyAttributes."""
        with _attribute_errors():
            reader = _native.AttributeReader(xml)
        attributes = cls.__new__(cls)
        attributes._set(tuple(_read(reader, index) for index in range(len(reader))), xml)
        return attributes

    @property
    def xml(self) -> str:
        """The attributes as they travel."""
        return self._xml

    def getall(self, name: str) -> list[AttributeValue]:
        """Every value of a name, in their order; an empty list if there is none."""
        return [value for other, value in self._pairs if other == name]

    def items_all(self) -> tuple[tuple[str, AttributeValue], ...]:
        """Every pair of name and value, in their order."""
        return self._pairs

    def __getitem__(self, name: str) -> AttributeValue:
        return self._first[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for name, _ in self._pairs))

    def __len__(self) -> int:
        return len(self._first)

    def __contains__(self, name: object) -> bool:
        return name in self._first

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Attributes):
            return self._pairs == other._pairs
        if isinstance(other, Mapping):
            return len(self._pairs) == len(self._first) and self._first == dict(other)
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self._pairs)

    def __repr__(self) -> str:
        return f"Attributes({show(self)})"

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Attributes.parse, (self._xml,)


def _pairs(attributes: Mapping[str, AttributeInput] | AttributePairs) -> list[tuple[str, object]]:
    """A string is an iterable too, and one of two letters even a pair."""
    if isinstance(attributes, Mapping):
        return list(attributes.items())
    if isinstance(attributes, str | bytes) or not isinstance(attributes, Iterable):
        raise TypeError(f"attributes must be a mapping or pairs of name and value, not {attributes!r}")
    pairs: list[tuple[str, object]] = []
    for pair in attributes:
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise TypeError(f"attributes must be a mapping or pairs of name and value; {pair!r} is no pair")
        pairs.append((pair[0], pair[1]))
    return pairs


def show(attributes: Attributes) -> str:
    """As a dictionary if it is one, else as pairs."""
    pairs = attributes.items_all()
    if len(pairs) == len(attributes):
        return "{" + ", ".join(f"{name!r}: {_show_value(value)}" for name, value in pairs) + "}"
    return "[" + ", ".join(f"({name!r}, {_show_value(value)})" for name, value in pairs) + "]"


def _show_value(value: AttributeValue) -> str:
    return value.isoformat() if isinstance(value, dt.datetime) else repr(value)


class _attribute_errors:  # noqa: N801 - it is used like a function
    """What cannot even be handed to C is an ill-formed attribute too."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, InvalidArgument):
            raise error_for(PEER_E_INVALID_ATTRIBUTES, error.message) from None


def _add(builder: _native.AttributeBuilder, name: str, value: object) -> AttributeValue:
    """Adds one attribute and gives the value that a reader will see."""
    if not isinstance(name, str):
        raise TypeError(f"the name of an attribute must be str, not {type(name).__name__}")
    with _attribute_errors():
        if isinstance(value, str):
            builder.add(name, AttributeType.STRING, value)
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            if value > _INT64_MAX:
                builder.add(name, AttributeType.INT, str(value))
            else:
                builder.add_int(name, max(value, _INT64_MIN))
            return int(value)
        if isinstance(value, dt.datetime):
            builder.add_date(name, from_datetime(value))
            return value.astimezone(dt.timezone.utc)
        if isinstance(value, dt.date):
            builder.add(name, AttributeType.DATE, value.isoformat())
            return dt.datetime(value.year, value.month, value.day, tzinfo=dt.timezone.utc)
    raise TypeError(f"attribute {name!r}: must be str, int, datetime or date, not {type(value).__name__}")


def _read(reader: _native.AttributeReader, index: int) -> tuple[str, AttributeValue]:
    """No attribute that the library accepts may break a reader, so what Python cannot hold stays text."""
    attribute = reader.get(index)
    if attribute.type == AttributeType.INT:
        try:
            return attribute.name, int(attribute.text)
        except ValueError:  # more digits than Python likes to read
            return attribute.name, attribute.text
    if attribute.type == AttributeType.DATE:
        try:
            return attribute.name, to_datetime(reader.get_date(index))
        except (InvalidAttributes, PeerError):
            return attribute.name, attribute.text
    return attribute.name, attribute.text


def attributes_xml(attributes: AttributesInput | None) -> str | None:
    """The XML for a record, or None if there are no attributes."""
    if attributes is None:
        return None
    made = attributes if isinstance(attributes, Attributes) else Attributes(attributes)
    return made.xml if made else None
