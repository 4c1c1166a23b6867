"""Queries for `graph.search`, written as comparisons: `(Attr("size") > 10_000) & Attr("path").like("docs/*")`."""

from __future__ import annotations

import datetime as dt
from typing import TypeAlias
from xml.sax.saxutils import escape

Comparable: TypeAlias = str | int | dt.datetime | dt.date


class Query:
    """A condition on records. `&` and `|` join conditions; there is no negation, `!=` is a comparison of its own.

    `and`, `or` and `not` cannot be used: Python would ask whether the condition itself is true.
    """

    __slots__ = ("_element", "_operator")

    def __init__(self, element: str, operator: str = "") -> None:
        self._element = element
        self._operator = operator

    @property
    def xml(self) -> str:
        """The query as `graph.search_records` takes it."""
        return f"<peersearch>{self._whole()}</peersearch>"

    def _whole(self) -> str:
        return f"<{self._operator}>{self._element}</{self._operator}>" if self._operator else self._element

    def _join(self, operator: str, other: Query) -> Query:
        """Conditions joined alike are one element, so that a long chain does not nest."""
        parts = (query._element if query._operator == operator else query._whole() for query in (self, other))
        return Query("".join(parts), operator)

    def __and__(self, other: Query) -> Query:
        return self._join("and", other) if isinstance(other, Query) else NotImplemented

    def __or__(self, other: Query) -> Query:
        return self._join("or", other) if isinstance(other, Query) else NotImplemented

    def __bool__(self) -> bool:
        raise TypeError("a query is neither true nor false; join queries with & and |, each in parentheses")

    def __repr__(self) -> str:
        return f"<Query {self._whole()}>"


class Attr:
    """An attribute of records by name, to be compared with str, int, datetime or date.

    Only values of the same type are found: `Attr("size") == 5` finds numbers, `Attr("size") == "5"` texts. A record
    that lacks the attribute is not found, whatever the comparison; of one that has it several times, any value will
    do. Also the fields of every record have names: peercreatorid, peerlastmodifiedby, peerrecordid, peerrecordtype
    (str), peercreationtime, peerlastmodificationtime (datetime, peer time).

    A wrong name is told when the search begins.
    """

    __slots__ = ("_name",)
    __hash__ = None  # type: ignore[assignment]  # == makes a query

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"the name of an attribute must be str, not {type(name).__name__}")
        self._name = name

    def like(self, pattern: str) -> Query:
        r"""Text that looks like this: * stands for any characters, ? for one; \*, \? and \\ for themselves."""
        if not isinstance(pattern, str):
            raise TypeError(f"a pattern must be str, not {type(pattern).__name__}")
        return self._clause("string", "equal", pattern)

    def _clause(self, kind: str, compare: str, value: str) -> Query:
        name = escape(self._name, {'"': "&quot;", "\n": "&#10;", "\t": "&#9;", "\r": "&#13;"})
        text = escape(value, {"\r": "&#13;"})
        return Query(f'<clause attrib="{name}" type="{kind}" compare="{compare}">{text}</clause>')

    def _compare(self, compare: str, value: object) -> Query:
        if isinstance(value, str):
            return self._clause("string", compare, escape_wildcards(value))
        if isinstance(value, int) and not isinstance(value, bool):
            return self._clause("int", compare, str(int(value)))
        if isinstance(value, dt.datetime):
            if value.tzinfo is None:
                raise ValueError(f"{value!r} has no time zone")
            return self._clause("date", compare, _moment(value))
        if isinstance(value, dt.date):
            return self._clause("date", compare, value.isoformat())
        raise TypeError(
            f"attribute {self._name!r}: compare it with str, int, datetime or date, not {type(value).__name__}"
        )

    def __eq__(self, value: object) -> Query:  # type: ignore[override]
        return self._compare("equal", value)

    def __ne__(self, value: object) -> Query:  # type: ignore[override]
        return self._compare("notequal", value)

    def __lt__(self, value: Comparable) -> Query:
        return self._compare("less", value)

    def __gt__(self, value: Comparable) -> Query:
        return self._compare("greater", value)

    def __le__(self, value: Comparable) -> Query:
        return self._compare("lessorequal", value)

    def __ge__(self, value: Comparable) -> Query:
        return self._compare("greaterorequal", value)

    def __repr__(self) -> str:
        return f"Attr({self._name!r})"


def _moment(value: dt.datetime) -> str:
    """Offsets of seconds exist in Python, not in the format; and a moment beyond the calendar in UTC stays as it is."""
    try:
        return value.astimezone(dt.timezone.utc).isoformat().replace("+00:00", "Z")
    except OverflowError:
        return value.isoformat()


def escape_wildcards(text: str) -> str:
    """Text as part of a pattern for `Attr.like`, standing for itself."""
    return text.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")


def query_xml(query: Query | str) -> str:
    """What the library takes: a query as it was written, or XML."""
    return query.xml if isinstance(query, Query) else query
