"""The record in a FLOOD message (MS-PPGRH 2.2.1.9), for tests that look at what is under way."""

from __future__ import annotations

import struct
from typing import Final

from ._native import RawRecord
from .records import Record

_OFFSET_AT: Final = 8
_EPOCH_US: Final = 11_644_473_600_000_000
"""From 1601, where wire times begin, to 1970."""


class _Reader:
    """Reads big-endian fields; raises struct.error at the end of the bytes."""

    def __init__(self, data: bytes, position: int) -> None:
        self._data = data
        self._position = position

    def numbers(self, form: str) -> tuple[int, ...]:
        values = struct.unpack_from(f">{form}", self._data, self._position)
        self._position += struct.calcsize(f">{form}")
        return values

    def taken(self, size: int) -> bytes:
        end = self._position + size
        if end > len(self._data):
            raise struct.error(f"{size} bytes are missing")
        piece, self._position = self._data[self._position : end], end
        return piece

    def text(self) -> str | None:
        """A text with its length in characters before it, of which the last is a NUL."""
        (length,) = self.numbers("I")
        return self.taken(2 * length).decode("utf-16-be", "replace")[:-1] if length else None

    def blob(self) -> bytes:
        (size,) = self.numbers("I")
        return self.taken(size)


def _time_us(ticks: int) -> int:
    return ticks // 10 - _EPOCH_US


def flooded_record(message: bytes) -> Record | None:
    """The record of a FLOOD, or None if it cannot be read."""
    try:
        (offset,) = struct.unpack_from(">H", message, _OFFSET_AT)
        reader = _Reader(message, offset)
        type, record_id = reader.taken(16), reader.taken(16)
        version, flags = reader.numbers("II")
        creator, modifier, security = reader.text(), reader.text(), reader.blob()
        created, expires, modified = map(_time_us, reader.numbers("QQQ"))
        reader.text()  # the graph's id
        reader.numbers("H")  # the version of the protocol
        data, attributes = reader.blob(), reader.text()
    except struct.error:
        return None
    return Record(
        RawRecord(
            version=version,
            id=record_id,
            type=type,
            flags=flags & 0xFF,
            created_us=created,
            expires_us=expires,
            modified_us=modified,
            creator_id=creator or "",
            modifier_id=modifier,
            attributes=attributes,
            data=data,
            security_data=security,
        )
    )
