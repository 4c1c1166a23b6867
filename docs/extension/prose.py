"""From the plain text of comments to reStructuredText: names become references, so that a wrong one is noticed."""

from __future__ import annotations

import functools
import re
import textwrap

from . import codes
from .headers import Constant, Function, Struct, all_items

MARKUP = re.compile(
    r"""
    ``(?P<literal>[^`]+)``
  | `(?P<code>[^`\n]+(?:\n[^`\n]+)?)`
  | (?P<strong>\*\*[^*\s][^*]*\*\*)
  | (?P<emphasis>(?<![\w*])\*[a-z]\w*\*(?!\w))
  | (?P<pattern>\*?_?\b(?:PEER|peer|E)_\w*(?:\*|…)|\*_[A-Z]\w*)
  | (?P<name>\b(?:peer_\w*\w|PEER_[A-Z0-9_]*[A-Z0-9]|E_[A-Z]{3,})\b(?P<call>\(\))?)
  | (?P<windows>\b(?:PFN)?P(?:eer|EER_)[A-Z]\w+)
  | (?P<special>[*\\|]|(?<=\w)_(?!\w))
    """,
    re.VERBOSE,
)


@functools.cache
def roles() -> dict[str, str]:
    """The role that refers to each public name of the headers."""
    found = {row["name"]: "c:macro" for row in codes.all_rows()}
    for item in all_items():
        if isinstance(item, Function):
            found[item.name] = "c:func"
        elif isinstance(item, Struct):
            found[item.name] = "c:struct"
            found.update(dict.fromkeys(item.synonyms, "c:type"))
            if item.initializer:
                found[item.initializer] = "c:macro"
        else:
            found[item.name] = "c:macro" if isinstance(item, Constant) else "c:type"
    return found


def reference(name: str) -> str:
    """A name that no header has becomes a reference too: Sphinx complains about it."""
    role = roles().get(name) or ("c:func" if name.islower() else "c:macro")
    return f":{role}:`{name}`"


def _replace(match: re.Match[str]) -> str:
    kind = match.lastgroup if match.lastgroup != "call" else "name"
    text = match.group()
    if kind in ("code", "literal"):
        inside = " ".join(match[kind].split())
        return reference(inside) if inside in roles() else f"``{inside}``"
    if kind == "pattern":
        return f"``{text}``"
    if kind == "name":
        name = text.removesuffix("()")
        return reference(name) if name in roles() or name.startswith("peer_") else f"``{name}``"
    if kind == "windows":
        return f"``{text}``"
    return "\\" + text if kind == "special" else text


def inline(text: str) -> str:
    """One paragraph; a role that a letter or a bracket follows needs an escaped blank there."""
    text = " ".join(text.split())
    parts, last = [], 0
    for match in MARKUP.finditer(text):
        made = _replace(match)
        follows = text[match.end() : match.end() + 1]
        precedes = text[match.start() - 1 : match.start()] if match.start() else ""
        before = "\\ " if made.startswith((":", "`")) and precedes not in " '\"([{<-/:" else ""
        after = "\\ " if made.endswith("`") and follows not in " '\")]}>-/\\:.,;!?" else ""
        parts += [text[last : match.start()], before, made, after]
        last = match.end()
    return "".join([*parts, text[last:]])


def paragraphs(text: str) -> list[str]:
    """The text as lines of reStructuredText."""
    lines: list[str] = []
    for part in re.split(r"\n\s*\n", text.strip("\n")):
        if part.startswith("    "):
            lines += ["::", "", *indent(textwrap.dedent(part).split("\n")), ""]
            continue
        lines += [*textwrap.wrap(inline(part), 110, break_long_words=False, break_on_hyphens=False), ""]
    return lines


def indent(lines: list[str], by: int = 3) -> list[str]:
    return [" " * by + line if line else "" for line in lines]
