#!/usr/bin/env python3
"""Makes the C source of the extension module peergraph._peergraph from the public headers.

The declarations that cffi gets are the headers themselves, without preprocessor and attributes, so that the binding
cannot drift from the library. The headers are written for that: prototypes without macros in them, structs of plain
types, and constants that are one integer. What is not that simple (initialisers) is left out.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

MODULE = "peergraph._peergraph"

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
DEFINE = re.compile(r"#\s*define\s+(\w+)(\(?)[ \t]*(.*)")
INTEGER = re.compile(r"\(*\s*-?\s*(0[xX][0-9a-fA-F]+|[0-9]+)[uUlL]*\s*\)*")
ATTRIBUTE = re.compile(r"__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)")


def without_comments(text: str) -> str:
    return COMMENT.sub(lambda match: "\n" * match.group().count("\n") or " ", text)


def without_cplusplus(lines: Iterable[str]) -> Iterator[str]:
    """Leaves out what only a C++ compiler sees."""
    hidden: list[bool] = []  # for each open #if: is its branch for C++ only?
    for line in lines:
        directive = re.match(r"\s*#\s*(\w+)\s*(.*)", line)
        word, rest = directive.groups() if directive else ("", "")
        if word in ("if", "ifdef", "ifndef"):
            hidden.append("__cplusplus" in rest and word != "ifndef" and "!" not in rest)
        elif word in ("else", "elif") and hidden:
            hidden[-1] = False
        elif word == "endif" and hidden:
            hidden.pop()
        elif not any(hidden):
            yield line


def declarations(text: str, attributes: set[str] | None = None) -> str:
    """One header as cffi can read it: its integer constants, then its types and prototypes.

    Macros that are attributes are added to those that the headers before it have defined.
    """
    text = without_comments(text).replace("\\\n", " ")
    constants: dict[str, None] = {}
    attributes = set() if attributes is None else attributes
    body = []
    for line in without_cplusplus(text.splitlines()):
        if not line.lstrip().startswith("#"):
            body.append(line)
            continue
        define = DEFINE.match(line.strip())
        if define and not define.group(2):
            name, _, value = define.groups()
            if INTEGER.fullmatch(value.strip()):
                constants[name] = None
            elif not value.strip() or ATTRIBUTE.match(value.strip()):
                attributes.add(name)
        elif define and INTEGER.fullmatch(line.strip().split(define.group(1), 1)[1].strip()):
            constants[define.group(1)] = None
    code = ATTRIBUTE.sub(" ", "\n".join(body))
    for name in attributes:
        code = re.sub(rf"\b{name}\b", " ", code)
    defines = "".join(f"#define {name} ...\n" for name in constants)
    return defines + re.sub(r"\n\s*\n+", "\n", code).strip() + "\n"


def include_name(header: Path) -> str:
    return f"{header.parent.name}/{header.name}"


def generate(headers: list[Path], output: Path) -> None:
    from cffi import FFI

    ffi = FFI()
    attributes: set[str] = set()
    for header in headers:
        ffi.cdef(declarations(header.read_text(encoding="utf-8"), attributes))
    ffi.set_source(MODULE, "".join(f'#include "{include_name(header)}"\n' for header in headers))
    output.parent.mkdir(parents=True, exist_ok=True)
    ffi.emit_c_code(str(output))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path, help="the C file to write; without it the declarations are printed")
    parser.add_argument("headers", nargs="+", type=Path, help="public headers, the included one before the including")
    arguments = parser.parse_args()
    if arguments.output:
        generate(arguments.headers, arguments.output)
    else:
        attributes: set[str] = set()
        for header in arguments.headers:
            print(declarations(header.read_text(encoding="utf-8"), attributes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
