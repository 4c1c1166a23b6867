"""What a search finds, as a plain model: graph-api 11 in a few lines of Python, and strategies for trees."""

from __future__ import annotations

import datetime as dt
import operator
import re
from typing import NamedTuple, TypeAlias
from xml.sax.saxutils import escape

from hypothesis import strategies as st

Value: TypeAlias = str | int | dt.datetime

OPERATORS = {
    "equal": operator.eq,
    "notequal": operator.ne,
    "less": operator.lt,
    "greater": operator.gt,
    "lessorequal": operator.le,
    "greaterorequal": operator.ge,
}


class Clause(NamedTuple):
    """A clause as it is written: of a string the value has wildcards and escapes."""

    attrib: str
    type: str
    compare: str
    value: str

    def xml(self) -> str:
        return (
            f'<clause attrib="{self.attrib}" type="{self.type}" compare="{self.compare}">{escape(self.value)}</clause>'
        )


class Node(NamedTuple):
    """An operator and its children."""

    name: str
    children: list[Tree]

    def xml(self) -> str:
        return f"<{self.name}>{''.join(child.xml() for child in self.children)}</{self.name}>"


Tree: TypeAlias = Clause | Node


def query(tree: Tree) -> str:
    return f"<peersearch>{tree.xml()}</peersearch>"


def units(text: str) -> bytes:
    """Text in its ordinal order."""
    return text.encode("utf-16-be", "surrogatepass")


def _pattern(value: str) -> re.Pattern[str]:
    parts = re.findall(r"\\[*?\\]|\*|\?|[^\\*?]", value, re.DOTALL)
    wild = {"*": ".*", "?": "."}
    return re.compile("".join(wild.get(part, re.escape(part[-1])) for part in parts), re.DOTALL)


def _holds(clause: Clause, value: Value) -> bool:
    if clause.type == "string":
        if not isinstance(value, str):
            return False
        if clause.compare in ("equal", "notequal"):
            return bool(_pattern(clause.value).fullmatch(value)) == (clause.compare == "equal")
        return OPERATORS[clause.compare](units(value), units(re.sub(r"\\(.)", r"\1", clause.value)))
    if clause.type == "int":
        return type(value) is int and value < 2**63 and OPERATORS[clause.compare](value, int(clause.value))
    if not isinstance(value, dt.datetime):
        return False
    return OPERATORS[clause.compare](value, dt.datetime.fromisoformat(clause.value))


def matches(tree: Tree, pairs: list[tuple[str, Value]]) -> bool:
    """Whether a record with these names and values answers."""
    if isinstance(tree, Clause):
        return any(name == tree.attrib and _holds(tree, value) for name, value in pairs)
    return (all if tree.name == "and" else any)(matches(child, pairs) for child in tree.children)


# Few letters and few names, so that something is found: a wildcard that is meant as a letter, a character beyond U+FFFF
# and one just below it, whose order is not that of their numbers; and texts of a length that is not indexed whole.
ALPHABET = "abB*?\\ é\uffee\U0001f600"
NAMES = ["a", "b", "A"]
PLAIN = st.text(ALPHABET, max_size=4)
LONG = st.builds(lambda head, count, tail: head + "a" * count + tail, PLAIN, st.integers(250, 258), PLAIN)
TEXTS = st.one_of(PLAIN, PLAIN, PLAIN, LONG)
INTEGERS = st.one_of(st.integers(0, 12), st.sampled_from([2**63 - 1, 2**63, 10**30]))
MOMENTS = st.sampled_from(
    [
        dt.datetime(2003, 2, 28, tzinfo=dt.timezone.utc),
        dt.datetime(2003, 2, 28, 0, 0, 0, 1, tzinfo=dt.timezone.utc),
        dt.datetime(2003, 3, 1, tzinfo=dt.timezone.utc),
        dt.datetime(1, 1, 1, tzinfo=dt.timezone.utc),
    ]
)
ATTRIBUTES = st.lists(st.tuples(st.sampled_from(NAMES), st.one_of(TEXTS, INTEGERS, MOMENTS)), max_size=5)


def escaped(text: str) -> str:
    return re.sub(r"[\\*?]", r"\\\g<0>", text)


PATTERNS = st.one_of(
    TEXTS.map(escaped),
    st.lists(st.one_of(st.sampled_from(["*", "?"]), st.sampled_from(ALPHABET).map(escaped)), max_size=5).map("".join),
    st.builds(
        lambda head, wild, tail: escaped(head) + wild + escaped(tail), PLAIN, st.sampled_from(["*", "?*"]), PLAIN
    ),
    st.builds(lambda text, at: escaped(text[:at]) + "?" + escaped(text[at + 1 :]), LONG, st.integers(0, 270)),
)


def _clause(names: list[str], kind: str, values: st.SearchStrategy[str]) -> st.SearchStrategy[Clause]:
    return st.builds(Clause, st.sampled_from(names), st.just(kind), st.sampled_from(sorted(OPERATORS)), values)


MOMENT_OF = "of record {}"
"""In place of a date: when that record was created. `resolved` puts it in."""
TIMES = ["peercreationtime", "peerlastmodificationtime"]
IDS = ["peercreatorid", "peerlastmodifiedby", "peerrecordid", "peerrecordtype"]
CLAUSES = st.one_of(
    _clause(NAMES, "string", PATTERNS),
    _clause(NAMES, "int", st.one_of(st.integers(-1, 12), st.just(2**63 - 1)).map(str)),
    _clause(NAMES, "date", MOMENTS.map(dt.datetime.isoformat)),
    _clause(TIMES, "date", st.integers(0, 3).map(MOMENT_OF.format)),
    _clause(IDS, "string", st.sampled_from(["alice", "a*", "?ob", "bob", "*0*", "6e6f7465-*"])),
)
TREES = st.recursive(
    CLAUSES,
    lambda inner: st.builds(Node, st.sampled_from(["and", "or"]), st.lists(inner, min_size=1, max_size=4)),
    max_leaves=8,
)


def resolved(tree: Tree, moments: list[dt.datetime]) -> Tree:
    if isinstance(tree, Node):
        return Node(tree.name, [resolved(child, moments) for child in tree.children])
    if not tree.value.startswith("of record "):
        return tree
    return tree._replace(value=moments[int(tree.value[-1]) % len(moments)].isoformat())
