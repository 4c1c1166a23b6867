"""Directives for what bindings/codes.toml has: `status-codes`, `constants`, `enumerations`, `porting-errors`."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx

from . import codes, docstrings, prose
from .c_reference import FromHeader

OURS = "Errors that Windows does not have"


def sentence(text: str) -> str:
    return prose.inline(text[0].upper() + text[1:]) + "."


def title(text: str) -> list[str]:
    return [text, "-" * len(text), ""]


def number(value: int) -> str:
    return f"``0x{value:08X}``" + (f" = ``{codes.signed(value)}``" if codes.signed(value) < 0 else "")


class StatusCodes(FromHeader):
    """Every status: its name, number and exception, and what it means."""

    def run(self) -> list[nodes.Node]:
        lines = []
        for group in codes.table()["status"]:
            lines += title(group["title"])
            for row in group["rows"]:
                body = [sentence(row["text"]), "", f":Number: {number(row['value'])}"]
                if "python" in row:
                    body.append(f":In Python: :py:exc:`peergraph.{row['python']}`")
                lines += [f".. c:macro:: {row['name']}", "", *prose.indent([*body, ""])]
        return self.parsed("codes.h", lines)


class Constants(FromHeader):
    """Every other constant."""

    def run(self) -> list[nodes.Node]:
        lines = []
        for group in (*codes.table()["constant"], *codes.table()["enum"]):
            lines += title(group["title"])
            for row in group["rows"]:
                body = [sentence(row["text"]), "", f":Value: ``{row['value']:#x}``"]
                if docstrings.is_public(group.get("python", "")):
                    body.append(f":In Python: :py:attr:`peergraph.{group['python']}.{codes.member(group, row)}`")
                lines += [f".. c:macro:: {row['name']}", "", *prose.indent([*body, ""])]
        return self.parsed("codes.h", lines)


class Enumerations(FromHeader):
    """The enumerations of Python."""

    def run(self) -> list[nodes.Node]:
        lines = [".. py:currentmodule:: peergraph", ""]
        for group in codes.table()["enum"]:
            if not docstrings.is_public(group["python"]):
                continue
            body = [f"{prose.inline(group['title'])}. An ``enum.{group['kind']}``.", ""]
            body += docstrings.example(f"peergraph.{group['python']}")
            for row in group["rows"]:
                body += [f".. py:attribute:: {codes.member(group, row)}", f"   :value: {row['value']:#x}", ""]
                body += [f"   {sentence(row['text'])} {prose.reference(row['name'])}", ""]
            lines += [f".. py:class:: {group['python']}", "", *prose.indent(body)]
        return self.parsed("codes.h", lines)


def setup(app: Sphinx) -> None:
    app.add_directive("status-codes", StatusCodes)
    app.add_directive("constants", Constants)
    app.add_directive("enumerations", Enumerations)
