"""Every decision of the protocol (D-nn) is named in the code where it is taken."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "core").rglob("*.[ch]"))
TEXT = "".join(path.read_text(encoding="utf-8") for path in SOURCES)


@pytest.mark.parametrize("number", range(1, 33))
def test_decision_is_named(number):
    assert re.search(rf"\bD-{number:02}\b", TEXT), f"D-{number:02} is named nowhere in core/"
