"""The examples of the reference: pieces of the programs in docs/examples, which a test compiles and runs.

In C a piece stands between two comments, and names the functions that it is an example of:

    /* example: peer_startup peer_shutdown */
    ...
    /* end */

In Python the same, with `#`; what it is an example of follows from its code. Pieces that begin with the same name
belong together.
"""

from __future__ import annotations

import ast
import functools
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

import peergraph
import peergraph.aio
import peergraph.sim

from .headers import ROOT

PROGRAMS = ROOT / "docs" / "examples"

# What the variables of the examples are. One name, one class, in all of them.
VARIABLES = {
    "runtime": "Runtime",
    "graph": "Graph",
    "alice": "Graph",
    "bob": "Graph",
    "batch": "Batch",
    "records": "RecordEnumeration",
    "nodes": "NodeEnumeration",
    "connections": "ConnectionEnumeration",
    "events": "Events",
    "queue": "EventQueue",
    "attributes": "Attributes",
    "network": "Network",
    "host": "Host",
    "direct": "Direct",
    "channel": "Channel",
}

PIECE = re.compile(
    r"^[ \t]*(?:/\* example: (?P<c>[^/]+?) \*/|# example: (?P<python>[^\n]+))\n"
    r"(?P<code>.*?)^[ \t]*(?:/\* end \*/|# end)$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Piece:
    path: Path
    names: tuple[str, ...]
    code: str

    @property
    def key(self) -> str:
        return self.names[0]


def names_in(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.split() if word != "*")


def pieces(path: Path) -> list[Piece]:
    text = path.read_text(encoding="utf-8")
    return [
        Piece(path, names_in(match["c"] or match["python"]), textwrap.dedent(match["code"]).strip("\n"))
        for match in PIECE.finditer(text)
    ]


def programs(suffix: str) -> list[Path]:
    return sorted(path for path in PROGRAMS.glob(f"*{suffix}") if not path.name.startswith("scene"))


@functools.cache
def in_c() -> dict[str, Piece]:
    """The piece for each function."""
    found: dict[str, Piece] = {}
    for path in programs(".c"):
        for piece in pieces(path):
            for name in piece.names:
                if name in found:
                    raise ValueError(f"{path.name} and {found[name].path.name} both have the example of {name}")
                found[name] = piece
    return found


@functools.cache
def python_pieces() -> tuple[Piece, ...]:
    return tuple(piece for path in programs(".py") for piece in pieces(path))


@functools.cache
def beside() -> dict[str, Piece]:
    """The Python piece for the first name of each piece in C."""
    return {piece.key: piece for piece in reversed(python_pieces())}


def _classes(module: str) -> dict[str, object]:
    return {
        "peergraph.aio": vars(peergraph) | vars(peergraph.aio) | vars(peergraph.sim),
        "peergraph": vars(peergraph) | vars(peergraph.sim),
    }[module]


def full_name(module: str, name: str, attribute: str = "") -> str:
    item = _classes(module)[name]
    home = getattr(item, "__module__", "peergraph")
    if not home.startswith("peergraph") or home not in ("peergraph", "peergraph.aio", "peergraph.sim"):
        home = "peergraph.sim" if name in peergraph.sim.__all__ else "peergraph"
    return f"{home}.{name}" + (f".{attribute}" if attribute else "")


def used(piece: Piece) -> set[str]:
    """The full names of what a piece in Python uses."""
    program = piece.path.read_text(encoding="utf-8")
    module = "peergraph.aio" if "import peergraph.aio" in program else "peergraph"
    known = _classes(module)
    found = set()
    code = piece.code
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Name) and node.id in known:
            found.add(node.id)
        elif isinstance(node, ast.alias) and node.name in known:
            found.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner = VARIABLES.get(node.value.id, "")
            if node.value.id in ("peergraph", "sim") and node.attr in known:
                found.add(node.attr)
            elif owner and hasattr(known[owner], node.attr):
                found |= {owner, f"{owner}.{node.attr}"}
            elif node.value.id in known and hasattr(known[node.value.id], node.attr):
                found.add(f"{node.value.id}.{node.attr}")
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr in known:
            found.add(f"{node.value.attr}.{node.attr}")
    return {full_name(module, *name.split(".")) for name in found}


@functools.cache
def in_python() -> dict[str, Piece]:
    """The piece for each public name of the package: the shortest one that uses it."""
    found: dict[str, Piece] = {}
    for piece in sorted(python_pieces(), key=lambda piece: len(piece.code)):
        for name in used(piece):
            found.setdefault(name, piece)
    return found


def for_python(name: str) -> Piece | None:
    """What is called alike in peergraph.aio and takes no time is used alike."""
    return in_python().get(name) or in_python().get(name.replace("peergraph.aio.", "peergraph.", 1))
