"""Queries for `graph.search`, written as comparisons: `(Attr("size") > 10_000) & Attr("path").like("docs/*")`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Final, TypeAlias
from uuid import UUID

from ._check import wrong_type
from ._codes import PEER_E_INVALID_SEARCH, Comparison
from ._native_search import QueryBuilder
from ._time import from_datetime
from .errors import error_for

Comparable: TypeAlias = str | int | dt.datetime | dt.date | UUID

_INT64_MIN: Final = -(2**63)
_INT64_MAX: Final = 2**63 - 1
_SYMBOLS: Final = dict(zip(Comparison, ("==", "!=", "<", ">", "<=", ">="), strict=True))


class Query:
    """A condition on records. `&` and `|` join conditions; there is no negation, `!=` is a comparison of its own.

    `and`, `or` and `not` cannot be used: Python would ask whether the condition itself is true.
    """

    __slots__ = ("_operator", "_parts")

    def __init__(self, operator: str, parts: tuple[Query, ...]) -> None:
        self._operator = operator
        self._parts = parts

    @property
    def xml(self) -> str:
        """The query as `graph.search_records` takes it. Raises InvalidSearch for what no query can hold."""
        builder = QueryBuilder()
        self._write(builder)
        return builder.xml()

    def _write(self, builder: QueryBuilder) -> None:
        begin = builder.begin_and if self._operator == "&" else builder.begin_or
        begin()
        for part in self._parts:
            part._write(builder)
        builder.end()

    def _shown(self) -> str:
        return "(" + f" {self._operator} ".join(part._shown() for part in self._parts) + ")"

    def _join(self, operator: str, other: Query) -> Query:
        """Conditions joined alike are one operator, so that a long chain does not nest."""
        first, second = (query._parts if query._operator == operator else (query,) for query in (self, other))
        return Query(operator, first + second)

    def __and__(self, other: Query) -> Query:
        return self._join("&", other) if isinstance(other, Query) else NotImplemented

    def __or__(self, other: Query) -> Query:
        return self._join("|", other) if isinstance(other, Query) else NotImplemented

    def __bool__(self) -> bool:
        raise TypeError("a query is neither true nor false; join queries with & and |, each in parentheses")

    def __repr__(self) -> str:
        return f"<Query {self._shown()}>"


class _Clause(Query):
    """One comparison: the function that adds it, its arguments, and how it was written."""

    __slots__ = ("_add", "_arguments", "_text")

    def __init__(self, add: Callable[..., None], arguments: tuple[Any, ...], text: str) -> None:
        super().__init__("", ())
        self._add = add
        self._arguments = arguments
        self._text = text

    def _write(self, builder: QueryBuilder) -> None:
        self._add(builder, *self._arguments)

    def _shown(self) -> str:
        return self._text


class Attr:
    """An attribute of records by name, to be compared with str, int, datetime, date or UUID.

    Only values of the same type are found: `Attr("size") == 5` finds numbers, `Attr("size") == "5"` texts. A record
    that lacks the attribute is not found, whatever the comparison; of one that has it several times, any value will
    do. Also the fields of every record have names: peercreatorid, peerlastmodifiedby (str), peerrecordid,
    peerrecordtype (UUID or str), peercreationtime, peerlastmodificationtime (datetime, peer time).

    A wrong name, or a value that no query can hold, is told when the search begins.
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
        text = f"{self!r}.like({pattern!r})"
        return _Clause(QueryBuilder.add_pattern, (self._name, Comparison.EQUAL, pattern), text)

    def _compare(self, compare: Comparison, value: object) -> Query:
        add, given = self._argument(value)
        return _Clause(add, (self._name, compare, given), f"({self!r} {_SYMBOLS[compare]} {value!r})")

    def _argument(self, value: object) -> tuple[Callable[..., None], object]:
        """What adds a comparison with the value, and the value as that takes it."""
        if isinstance(value, str):
            return QueryBuilder.add_text, value
        if isinstance(value, int) and not isinstance(value, bool):
            return _add_int, int(value)
        if isinstance(value, dt.datetime):
            return QueryBuilder.add_date, from_datetime(value)
        if isinstance(value, dt.date):
            midnight = dt.datetime(value.year, value.month, value.day, tzinfo=dt.timezone.utc)
            return QueryBuilder.add_date, from_datetime(midnight)
        if isinstance(value, UUID):
            return QueryBuilder.add_guid, value.bytes
        kind = type(value).__name__
        raise TypeError(f"attribute {self._name!r}: compare it with str, int, datetime, date or UUID, not {kind}")

    def __eq__(self, value: object) -> Query:  # type: ignore[override]
        return self._compare(Comparison.EQUAL, value)

    def __ne__(self, value: object) -> Query:  # type: ignore[override]
        return self._compare(Comparison.NOT_EQUAL, value)

    def __lt__(self, value: Comparable) -> Query:
        return self._compare(Comparison.LESS, value)

    def __gt__(self, value: Comparable) -> Query:
        return self._compare(Comparison.GREATER, value)

    def __le__(self, value: Comparable) -> Query:
        return self._compare(Comparison.LESS_OR_EQUAL, value)

    def __ge__(self, value: Comparable) -> Query:
        return self._compare(Comparison.GREATER_OR_EQUAL, value)

    def __repr__(self) -> str:
        return f"Attr({self._name!r})"


def _add_int(builder: QueryBuilder, name: str, compare: Comparison, value: int) -> None:
    """Of numbers beyond 64 bits records have none that is found."""
    if not _INT64_MIN <= value <= _INT64_MAX:
        raise error_for(PEER_E_INVALID_SEARCH, f"attribute {name!r}: {value} has more than 64 bits")
    builder.add_int(name, compare, value)


def escape_wildcards(text: str) -> str:
    """Text as part of a pattern for `Attr.like`, standing for itself."""
    return text.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")


def query_xml(query: Query | str) -> str:
    """What the library takes: a query as it was written, or XML."""
    if isinstance(query, Query):
        return query.xml
    if isinstance(query, str):
        return query
    hint = "; compare it with something" if isinstance(query, Attr) else ""
    raise wrong_type("query", "comparisons of Attr, or XML", query, hint)
