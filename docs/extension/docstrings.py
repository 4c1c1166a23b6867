"""Our docstrings are plain text: here they become reStructuredText, and each name gets its example."""

from __future__ import annotations

import builtins
import re
import textwrap

import peergraph
import peergraph.sim
from sphinx.application import Sphinx

from . import examples, prose

MEMBER = re.compile(r"`([^`\n]+)`")
ARGUMENT = re.compile(r"^(?P<names>\w+(?:, \w+)*)(?:  +|\n +)(?P<text>\S.*)$", re.DOTALL)


def is_public(name: str) -> bool:
    return name in peergraph.__all__


def _is_exception(item: object) -> bool:
    return isinstance(item, type) and issubclass(item, BaseException)


def _name(match: re.Match[str]) -> str:
    name = match.group()
    for module in (peergraph, peergraph.sim):
        if name in module.__all__ and _is_exception(getattr(module, name)):
            return f":py:exc:`~{module.__name__}.{name}`"
    return f"``{name}``" if _is_exception(getattr(builtins, name, None)) else name


def _code(match: re.Match[str]) -> str:
    name = match.group(1)
    return f":py:obj:`~peergraph.{name}`" if is_public(name) and name != "__version__" else f"``{name}``"


def inline(text: str) -> str:
    """Code keeps its backticks twice; exceptions become references."""
    parts = re.split(r"(`[^`\n]+`)", " ".join(text.split()))
    for index, part in enumerate(parts):
        if index % 2:
            parts[index] = MEMBER.sub(_code, part)
        else:
            plain = re.sub(r"([*\\|])|(?<=\w)_(?!\w)", r"\\\g<0>", part)
            parts[index] = re.sub(r"\b[A-Z][A-Za-z]+\b", _name, plain)
    return "".join(parts)


def arguments(part: str) -> list[str] | None:
    """A paragraph of `name  what it is`, with what is too long for its line indented below."""
    entries: list[str] = []
    for line in part.split("\n"):
        if line.startswith(" ") and entries:
            entries[-1] += "\n" + line
        else:
            entries.append(line)
    matches = [ARGUMENT.match(entry) for entry in entries]
    if not all(matches):
        return None
    return [
        f":param {name}: {inline(match['text'])}" for match in matches if match for name in match["names"].split(", ")
    ]


def converted(text: str) -> list[str]:
    lines: list[str] = []
    for part in re.split(r"\n\s*\n", text.strip("\n")):
        if part.startswith("    "):
            lines += [".. code-block:: python", "", *prose.indent(textwrap.dedent(part).split("\n")), ""]
            continue
        listed = arguments(part)
        if listed:
            lines += [*listed, ""]
            continue
        for piece in re.split(r"(?<=[.:])\s+(?=Raises )", part):
            raises = re.fullmatch(r"Raises (.*)", piece, re.DOTALL)
            lines += [f":Raises: {inline(raises[1])}" if raises else inline(piece), ""]
    return lines


def rejoined(lines: list[str]) -> str:
    """A code block may have empty lines; paragraphs of code that follow each other are one."""
    text = "\n".join(lines)
    return re.sub(r"(\n    [^\n]*)\n\n(?=    )", r"\1\n    \n", text)


def example(name: str) -> list[str]:
    piece = examples.for_python(name)
    if piece is None:
        return []
    code = prose.indent(piece.code.split("\n"), 6)
    return ["", ".. dropdown:: Example", "   :class-container: example", "", "   .. code-block:: python", "", *code, ""]


def convert(app: Sphinx, what: str, name: str, item: object, options: object, lines: list[str]) -> None:
    text = rejoined(lines)
    lines[:] = [*converted(text)] if text.strip() else []
    if what != "module":
        lines += example(name)


def setup(app: Sphinx) -> None:
    app.connect("autodoc-process-docstring", convert)
