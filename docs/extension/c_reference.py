"""Directives for the reference of C: `header-comment` and `header-section`, from the headers themselves."""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from . import codes, examples, prose
from .arguments import explanation, unit_of
from .headers import INCLUDE, Comment, Constant, Function, Handle, Section, Struct, Typedef, read_header


def kind_of_handle(function: Function) -> tuple[str, str] | None:
    """The error for a handle that is not open, unless the comment has it already."""
    if not function.parameters or function.result != "peer_status":
        return None
    first = function.parameters[0]
    code = {
        "peer_graph *": "PEER_E_INVALID_GRAPH",
        "peer_runtime *": "PEER_E_NOT_INITIALIZED",
        "peer_event_queue *": "E_INVALIDARG",
        "peer_enum *": "E_INVALIDARG",
        "peer_batch *": "E_INVALIDARG",
        "peer_sim *": "E_INVALIDARG",
    }.get(first.type)
    if not code or code in {tag.name for tag in function.comment.errors}:
        return None
    return code, f"``{first.name}`` is not open"


def errors(function: Function) -> list[str]:
    lines = []
    rows = list(function.comment.errors)
    for tag in rows:
        meaning = prose.inline(tag.text.rstrip(".")) if tag.text else codes.meanings().get(tag.name, "")
        lines.append(f"* {prose.reference(tag.name)}: {meaning}" if tag.name else f"* {meaning}")
    same = re.match(r"As (peer_\w+)", function.comment.text)
    if same:
        lines.append(f"* also those of {prose.reference(same.group(1))}")
    handle = kind_of_handle(function)
    if handle:
        lines.append(f"* {prose.reference(handle[0])}: {handle[1]}")
    if function.result == "peer_status":
        lines.append("* :ref:`those of every function <every-function>`")
    return lines


def origin(comment: Comment) -> str:
    if not comment.origin:
        return ""
    windows, _, sections = comment.origin.partition("; MS-PPGRH ")
    page = f"https://learn.microsoft.com/windows/win32/api/p2p/nf-p2p-{windows.lower()}"
    return f"`{windows} <{page}>`__" + (f"; MS-PPGRH {sections}" if sections else "")


def threads(section: Section, function: Function) -> str:
    if function.name.startswith("peer_sim_"):
        return "one at a time uses a network"
    if function.name.startswith(("peer_attributes_", "peer_query_")):
        return "any; an object that is being built belongs to one at a time"
    if function.name == "peer_last_error_message":
        return "any; each has its own line"
    return "any"


def example(function: Function) -> list[str]:
    piece = examples.in_c().get(function.name)
    if piece is None:
        return []
    if piece.key != function.name:
        return [".. container:: example", "", f"   Example: with {prose.reference(piece.key)}.", ""]
    lines = [".. container:: example", ""]
    tabs = [("C", "c", piece.code)]
    if other := examples.beside().get(piece.key):
        tabs.append(("Python", "python", other.code))
    lines += ["   .. tab-set::", "      :sync-group: language", ""]
    for title, language, code in tabs:
        lines += [f"      .. tab-item:: {title}", f"         :sync: {language}", ""]
        lines += [f"         .. code-block:: {language}", ""]
        lines += [*prose.indent(code.split("\n"), 12), ""]
    return lines


def function_lines(section: Section, function: Function) -> list[str]:
    lines = [*prose.paragraphs(function.comment.text)]
    for parameter in function.parameters:
        lines.append(f":param {parameter.name}: {explanation(function, parameter.type, parameter.name)}")
    if listed := errors(function):
        lines += [":Errors:", *prose.indent(listed)]
    lines.append(f":Threads: {threads(section, function)}")
    if where := origin(function.comment):
        lines.append(f":Follows: {where}")
    lines += ["", *example(function)]
    return [f".. c:function:: {function.signature}", "", *prose.indent(lines), ""]


def struct_lines(struct: Struct) -> list[str]:
    lines = [f".. c:struct:: {struct.name}", ""]
    body = prose.paragraphs(struct.comment.text)
    if struct.initializer:
        body += [
            f".. c:macro:: {struct.initializer}",
            "",
            "   Sets ``struct_size``, and everything else to its default.",
            "",
        ]
    body += [".. list-table::", "   :class: fields", "   :header-rows: 1", "   :widths: 24 20 56", ""]
    body += ["   * - field", "     - type", "     - meaning"]
    for each in struct.fields:
        meaning = prose.inline(each.text) or ("``sizeof`` of this struct" if each.name == "struct_size" else "")
        unit = unit_of(each.name, struct.name.startswith("peer_sim_"))
        body += [f"   * - ``{each.name}``", f"     - ``{each.type}``"]
        body.append("     - " + "; ".join(filter(None, [meaning, unit if unit not in meaning else ""])))
    lines += [*prose.indent([*body, ""])]
    for synonym in struct.synonyms:
        lines += [f".. c:type:: {struct.name} {synonym}", "", "   The same, on its way in.", ""]
    return lines


def item_lines(section: Section, item: object) -> list[str]:
    if isinstance(item, Function):
        return function_lines(section, item)
    if isinstance(item, Struct):
        return struct_lines(item)
    assert isinstance(item, Handle | Typedef | Constant)
    name = f"{item.type} {item.name}" if isinstance(item, Typedef) else item.name
    kind = "macro" if isinstance(item, Constant) else "type"
    text = [f"Value: ``{item.value}``.", ""] if isinstance(item, Constant) else []
    return [f".. c:{kind}:: {name}", "", *prose.indent([*prose.paragraphs(item.comment.text), *text]), ""]


class FromHeader(SphinxDirective):
    """What all directives that read a header share."""

    def parsed(self, header: str, lines: list[str]) -> list[nodes.Node]:
        self.env.note_dependency(str(INCLUDE / header))
        self.env.note_dependency(str(codes.TABLE))
        self.env.note_dependency(__file__)
        for path in (*examples.programs(".c"), *examples.programs(".py")):
            self.env.note_dependency(str(path))
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


class HeaderComment(FromHeader):
    """What a header says at its top: `.. header-comment:: sim.h`."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        (name,) = self.arguments
        return self.parsed(name, prose.paragraphs(read_header(name).comment.text))


class HeaderSection(FromHeader):
    """One section of a header with all that is in it: `.. header-section:: peergraph.h peer time`."""

    required_arguments = 2
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        name, title = self.arguments
        section = read_header(name).section(title)
        lines = [line for note in section.notes for line in prose.paragraphs(note)]
        for item in section.items:
            lines += item_lines(section, item)
        return self.parsed(name, lines)


def setup(app: Sphinx) -> None:
    app.add_directive("header-comment", HeaderComment)
    app.add_directive("header-section", HeaderSection)
