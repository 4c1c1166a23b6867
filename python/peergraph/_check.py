"""Arguments of the wrong type: a TypeError that names the argument and says what it should be."""

from __future__ import annotations

import datetime as dt
import enum
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from ._codes import E_INVALIDARG
from .errors import error_for

if TYPE_CHECKING:
    from ._native import Buffer


def wrong_type(name: str, expected: str, value: object, hint: str = "") -> TypeError:
    shown = "None" if value is None else type(value).__name__
    return TypeError(f"{name} must be {expected}, not {shown}{hint}")


def id_bytes(name: str, value: UUID) -> bytes:
    if isinstance(value, UUID):
        return value.bytes
    hint = f"; UUID({value!r}) makes one" if isinstance(value, str) and len(value) in (32, 36) else ""
    raise wrong_type(name, "a UUID", value, hint)


def ids(name: str, values: Iterable[UUID], wanted: str = "several UUIDs") -> list[bytes]:
    if isinstance(values, str | UUID) or not isinstance(values, Iterable):
        raise wrong_type(name, wanted, values)
    return [id_bytes(f"each of {name}", value) for value in values]


def text(name: str, value: str) -> str:
    if isinstance(value, str):
        return value
    raise wrong_type(name, "str", value)


def file_path(name: str, value: str | os.PathLike[str]) -> str:
    path = os.fspath(value) if isinstance(value, str | os.PathLike) else value
    if isinstance(path, str):
        return path
    raise wrong_type(name, "str or a path of str", path)


def optional_text(name: str, value: str | None) -> str | None:
    return None if value is None else text(name, value)


def check_names(graph_id: str, peer_id: str, database: str) -> None:
    """What names a graph on this machine."""
    for name, value in (("graph_id", graph_id), ("peer_id", peer_id), ("database", database)):
        text(name, value)


def whole(name: str, value: int, lowest: int, highest: int) -> int:
    """A number that C can take; whether it makes sense is for the library to say."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise wrong_type(name, "int", value)
    if not lowest <= value <= highest:
        raise error_for(E_INVALIDARG, f"{name} is {value}, not {lowest} to {highest}")
    return int(value)


def unsigned(name: str, value: int, bits: int = 32) -> int:
    return whole(name, value, 0, (1 << bits) - 1)


def number_of(kind: type[enum.Enum], name: str, value: int) -> int:
    """A member of an enumeration, or its number; whether it may be that one is for the library to say."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise wrong_type(name, f"a {kind.__name__}", value)
    return unsigned(name, value)


def payload(name: str, value: Buffer) -> bytes:
    """bytes() would make zeros of a number, and bytes of a list."""
    if isinstance(value, bytes):
        return value
    try:
        return bytes(memoryview(value))
    except TypeError:
        hint = "; text.encode() makes them of text" if isinstance(value, str) else ""
        raise wrong_type(name, "bytes", value, hint) from None


def message(name: str, value: Buffer) -> Buffer:
    """As `payload`, but without a copy where C can read it as it is."""
    if isinstance(value, bytearray) or (isinstance(value, memoryview) and value.c_contiguous):
        return value
    return payload(name, value)


def deadline_of(timeout: float | None, now: float) -> float | None:
    """When the time is over, by a clock that shows `now`; None if it never is."""
    if timeout is None:
        return None
    try:
        return now + timeout
    except TypeError:
        hint = "; total_seconds() makes them of a timedelta" if isinstance(timeout, dt.timedelta) else ""
        raise wrong_type("timeout", "seconds or None", timeout, hint) from None


def flag(name: str, value: bool) -> bool:
    """int() would read text, and fail with words of its own."""
    if isinstance(value, int):
        return bool(value)
    raise wrong_type(name, "bool", value)


def duration(name: str, value: dt.timedelta) -> dt.timedelta:
    if isinstance(value, dt.timedelta):
        return value
    hint = f"; timedelta(seconds={value!r})?" if isinstance(value, int | float) and not isinstance(value, bool) else ""
    raise wrong_type(name, "a timedelta", value, hint)


def moment(name: str, value: dt.datetime) -> dt.datetime:
    if isinstance(value, dt.datetime):
        return value
    raise wrong_type(name, "an aware datetime", value)
