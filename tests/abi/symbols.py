#!/usr/bin/env python3
"""The exported functions: what the headers declare, what the committed list says, what the library exports.

python tests/abi/symbols.py        writes symbols.txt from the headers
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LIST = Path(__file__).resolve().parent / "symbols.txt"
HEADERS = ROOT / "core" / "include" / "peergraph"

DECLARATION = re.compile(r"\bPEER_API\b[^;{}()]*?\b(\w+)\s*\(")


def declared(texts: Iterable[str]) -> list[str]:
    """Every function that a header marks PEER_API, in the order of the alphabet."""
    names = set()
    for text in texts:
        text = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.DOTALL)
        text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", "", text, flags=re.MULTILINE)
        names.update(DECLARATION.findall(text))
    return sorted(names)


def declared_in_headers() -> list[str]:
    return declared(path.read_text(encoding="utf-8") for path in sorted(HEADERS.glob("*.h")))


def listed() -> list[str]:
    return LIST.read_text(encoding="utf-8").split()


def exported(library: Path) -> list[str]:
    """What the dynamic symbol table of a shared library defines, without the names of the version nodes."""
    output = subprocess.check_output(["nm", "-D", "--defined-only", str(library)], text=True)
    rows = [line.split() for line in output.splitlines()]
    return sorted(row[-1].split("@")[0] for row in rows if row[-2] != "A")


if __name__ == "__main__":
    LIST.write_text("".join(f"{name}\n" for name in declared_in_headers()), encoding="utf-8")
