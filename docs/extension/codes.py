"""The table of all constants, as bindings/codes.toml has it."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Iterator
from typing import Any

from .headers import ROOT

Row = dict[str, Any]

GENERATOR = ROOT / "bindings" / "generate_codes.py"
TABLE = ROOT / "bindings" / "codes.toml"


@functools.cache
def _generator() -> Any:
    specification = importlib.util.spec_from_file_location("generate_codes", GENERATOR)
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@functools.cache
def table() -> dict[str, Any]:
    codes: dict[str, Any] = _generator().load()
    return codes


def all_rows() -> Iterator[Row]:
    yield from _generator().all_rows(table())


@functools.cache
def meanings() -> dict[str, str]:
    return {row["name"]: row["text"] for row in all_rows()}


def signed(value: int) -> int:
    number: int = _generator().signed(value)
    return number


def member(group: Row, row: Row) -> str:
    """What the member of a Python enumeration is called."""
    for prefix in group["prefixes"]:
        if row["name"].startswith(prefix):
            return str(row["name"].removeprefix(prefix))
    raise KeyError(row["name"])
