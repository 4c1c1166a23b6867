"""The public headers as data: sections, functions, structs, constants, and what their comments say."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INCLUDE = ROOT / "core" / "include" / "peergraph"
HEADERS = ("peergraph.h", "records.h", "sim.h")


@dataclass(frozen=True)
class Tag:
    """A `@param` or `@retval`: what it is about, and the text."""

    name: str
    text: str


@dataclass(frozen=True)
class Comment:
    text: str = ""
    params: tuple[Tag, ...] = ()
    errors: tuple[Tag, ...] = ()
    origin: str = ""
    """The Windows function and the sections of the protocol, as the last line of the comment gives them."""

    @property
    def windows(self) -> str:
        found = re.match(r"PeerGraph\w+", self.origin)
        return found.group() if found else ""


@dataclass(frozen=True)
class Parameter:
    type: str
    name: str


@dataclass(frozen=True)
class Function:
    name: str
    result: str
    parameters: tuple[Parameter, ...]
    comment: Comment

    @property
    def signature(self) -> str:
        given = ", ".join(joined(each.type, each.name) for each in self.parameters) or "void"
        return joined(self.result, f"{self.name}({given})")


@dataclass(frozen=True)
class Field:
    type: str
    name: str
    text: str


@dataclass
class Struct:
    name: str
    comment: Comment
    fields: tuple[Field, ...]
    initializer: str = ""
    synonyms: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Handle:
    """A type whose inside is nobody's business."""

    name: str
    comment: Comment


@dataclass(frozen=True)
class Typedef:
    name: str
    type: str
    comment: Comment


@dataclass(frozen=True)
class Constant:
    name: str
    value: str
    comment: Comment


Item = Function | Struct | Handle | Typedef | Constant


@dataclass
class Section:
    title: str
    notes: list[str] = field(default_factory=list)
    """Comments that belong to no single item."""
    items: list[Item] = field(default_factory=list)


@dataclass
class Header:
    name: str
    comment: Comment
    sections: list[Section]

    def section(self, title: str) -> Section:
        for each in self.sections:
            if each.title == title:
                return each
        raise KeyError(f"{self.name} has no section {title!r}; it has {[each.title for each in self.sections]}")

    @property
    def functions(self) -> list[Function]:
        return [item for section in self.sections for item in section.items if isinstance(item, Function)]


def joined(type: str, name: str) -> str:
    return type + name if type.endswith("*") else f"{type} {name}"


def plain(comment: str) -> str:
    """The text of a comment without its frame; the lines keep their indentation."""
    inside = re.sub(r"^/\*+|\*/$", "", comment.strip())
    lines = [re.sub(r"^\s*\*( |$)", "", line) for line in inside.split("\n")]
    return "\n".join(line.rstrip() for line in lines).strip()


ORIGIN = re.compile(r"\s*\b(PeerGraph\w+(?:; MS-PPGRH [\d., ]+\d)?)\.$")


def read_comment(comment: str) -> Comment:
    text = re.sub(r"^@file.*\n?", "", plain(comment))
    origin = ORIGIN.search(text)
    if origin:
        text = text[: origin.start()].rstrip()
    text, *tagged = re.split(r"(?:^|(?<=[\s.]))@(?=param|retval)", text)
    params, errors = [], []
    for tag in tagged:
        kind, rest = tag.split(None, 1)
        rest = " ".join(rest.split())
        if kind == "param":
            name, _, what = rest.partition(" ")
            params.append(Tag(name, what))
        else:
            codes = re.match(r"(?:(?:PEER_)?[ES]_\w+|PEER_OK)(?:, \w+)*", rest)
            names = codes.group().split(", ") if codes else [""]
            what = rest[codes.end() :].strip() if codes else rest
            errors += [Tag(name, what) for name in names]
    return Comment(text.strip(), tuple(params), tuple(errors), origin.group(1) if origin else "")


def read_parameters(text: str) -> tuple[Parameter, ...]:
    found = []
    for each in " ".join(text.split()).split(", "):
        if each != "void":
            match = re.fullmatch(r"(.+?[ *])(\w+)", each)
            assert match, each
            found.append(Parameter(match.group(1).strip(), match.group(2)))
    return tuple(found)


def read_fields(body: str) -> tuple[Field, ...]:
    fields = []
    above = ""
    pattern = (
        r"^ *(?:/\*(?P<above>.*?)\*/\n)|^ *(?P<type>[\w *]+?)(?P<name>\w+(?:\[\d+\])?);(?: */\*(?P<text>.*?)\*/)?$"
    )
    for match in re.finditer(pattern, body, re.MULTILINE | re.DOTALL):
        if match["above"]:
            above = plain(f"/*{match['above']}*/")
            continue
        text = plain(f"/*{match['text']}*/") if match["text"] else above
        fields.append(Field(match["type"].strip(), match["name"], " ".join(text.split())))
    return tuple(fields)


TOKEN = re.compile(
    r"""
    (?P<comment>/\*.*?\*/)
  | ^typedef\ struct\ (?P<struct>\w+)\ \{\n(?P<fields>.*?)^\}\ \w+;
  | ^typedef\ struct\ (?P<handle>\w+)\ \w+;
  | ^typedef\ (?P<type>\w+)\ (?P<typedef>\w+);
  | ^\#define\ (?P<initializer>\w+_INIT)\b
  | ^\#define\ (?P<constant>PEER_[A-Z0-9_]+)[ ](?P<value>\(?-?[0-9]\w*\)?)
  | ^PEER_API\ (?P<result>[\w\ *]+?)(?P<function>peer_\w+)\((?P<parameters>[^)]*)\);
    """,
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)


class Reader:
    def __init__(self, name: str) -> None:
        self.header = Header(name, Comment(), [Section("types")])
        self.pending = Comment()

    @property
    def section(self) -> Section:
        return self.header.sections[-1]

    def read_comment(self, text: str) -> None:
        title = re.match(r"/\* -{5,} ?(.+?) \*/$", text)
        if title:
            self.header.sections.append(Section(title.group(1).strip()))
        elif "@file" in text:
            self.header.comment = read_comment(text)
        elif text.startswith("/**"):
            self.pending = read_comment(text)
            return
        elif "\n" in text:
            self.section.notes.append(plain(text))
        self.pending = Comment()

    def read_item(self, match: re.Match[str]) -> None:
        comment, self.pending = self.pending, Comment()
        items = self.section.items
        if match["struct"]:
            items.append(Struct(match["struct"], comment, read_fields(match["fields"])))
        elif match["handle"]:
            items.append(Handle(match["handle"], comment))
        elif match["typedef"]:
            struct = next((each for each in items if isinstance(each, Struct) and each.name == match["type"]), None)
            if struct:
                struct.synonyms.append(match["typedef"])
            else:
                items.append(Typedef(match["typedef"], match["type"], comment))
        elif match["initializer"]:
            next(each for each in reversed(items) if isinstance(each, Struct)).initializer = match["initializer"]
        elif match["constant"]:
            items.append(Constant(match["constant"], match["value"], comment))
        elif match["function"]:
            parameters = read_parameters(match["parameters"])
            items.append(Function(match["function"], match["result"].strip(), parameters, comment))


@functools.cache
def read_header(name: str) -> Header:
    reader = Reader(name)
    for match in TOKEN.finditer((INCLUDE / name).read_text(encoding="utf-8")):
        if match["comment"]:
            reader.read_comment(match["comment"])
        else:
            reader.read_item(match)
    if not reader.header.sections[0].items:  # a header that begins with a section of its own
        del reader.header.sections[0]
    return reader.header


def all_items() -> list[Item]:
    return [item for name in HEADERS for section in read_header(name).sections for item in section.items]


def all_functions() -> list[Function]:
    return [item for item in all_items() if isinstance(item, Function)]
