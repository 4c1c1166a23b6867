"""No field of a public struct moves; layout.c says where each stands."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess

import pytest
from abi.symbols import HEADERS, ROOT

LAYOUT = ROOT / "tests" / "abi" / "layout.c"


@pytest.mark.skipif(struct.calcsize("P") != 8, reason="the layout is that of 64-bit platforms")
@pytest.mark.skipif(not shutil.which("cc"), reason="there is no cc")
def test_every_field_stands_where_it_stood():
    command = ["cc", "-std=c11", "-fsyntax-only", "-I", str(HEADERS.parent), str(LAYOUT)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_every_struct_is_listed():
    headers = "".join((HEADERS / name).read_text(encoding="utf-8") for name in ("peergraph.h", "records.h", "sim.h"))
    declared = set(re.findall(r"^typedef struct (\w+) \{", headers, re.MULTILINE))
    listed = set(re.findall(r"^SIZE\((\w+),", LAYOUT.read_text(encoding="utf-8"), re.MULTILINE))
    assert declared == listed
