"""How a file looks as a record.

A file is one record of type FILE: path, size, sha256 and mtime as attributes, the bytes as data. The data of a file
that is larger than a part is instead the list of its parts' hashes, and each part is a record of type PART. Parts are
known by their hash: one that is in the graph already is not sent again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import peergraph.aio as peergraph
from paths import BadPath, check_path

FILE: Final = UUID("8d0ff1f4-6c2c-4d0e-9a3e-54b6a2f1c701")
PART: Final = UUID("8d0ff1f4-6c2c-4d0e-9a3e-54b6a2f1c702")
LIFETIME: Final = dt.timedelta(days=365)

PART_BYTES_MAX: Final = 1 << 20
HASH_BYTES: Final = 32
BEFORE_MAX: Final = 16

EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
MICROSECOND: Final = dt.timedelta(microseconds=1)
_FIRST_US: Final = -62_135_596_800_000_000
_LAST_US: Final = 253_402_300_799_999_999
_ALL_BITS: Final = (1 << 64) - 1
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_MARK: Final = re.compile(r"[0-9a-f]{16}x?-[0-9a-f]{1,16}")


class BadRecord(ValueError):
    """A record of our type that does not describe a file; the message says why."""


@dataclass(frozen=True, slots=True)
class Content:
    """What must be equal for two files to be the same: bytes, and whether they may be run."""

    sha256: str
    executable: bool = False

    @property
    def mark(self) -> str:
        """Short, for the marks of versions."""
        return self.sha256[:16] + ("x" if self.executable else "")


@dataclass(frozen=True, slots=True)
class Version:
    """A file as its record has it."""

    record_id: UUID
    path: str
    content: Content
    size: int
    mtime_us: int
    changed_us: int
    """When the content was last changed, in peer time. A refresh of the lifetime is no change."""
    before: tuple[str, ...]
    """Marks of the versions that this one was made from, the latest first."""
    parts: tuple[str, ...]
    """Hashes of the parts; empty if the record has the bytes itself."""
    peer: str
    """Who changed it last."""
    creator: str
    expires_us: int

    @property
    def rank(self) -> tuple[int, bytes]:
        """Of two versions for one path the one with the higher rank has the name."""
        return self.changed_us, self.record_id.bytes

    @property
    def mark(self) -> str:
        """Tells it from other versions, also from those with the same content: an edit may be undone."""
        return f"{self.content.mark}-{self.changed_us & _ALL_BITS:x}"

    def is_made_from(self, mark: str) -> bool:
        """Whether whoever made this version had seen that one."""
        return mark in self.before

    def had(self, content: Content, since: str | None) -> bool:
        """Whether it was made from a version with that content; if `since` is given, from one after that."""
        for mark in self.before:
            if mark == since:
                return False
            if mark.partition("-")[0] == content.mark:
                return since is None or since in self.before
        return False


def digest_of(contents: Iterable[tuple[str, Content]]) -> str:
    """One hash over paths and contents; equal folders have equal hashes."""
    total = hashlib.sha256()
    for path, content in sorted(contents, key=lambda item: item[0]):
        total.update(f"{path}\0{content.sha256}{'x' if content.executable else ''}\n".encode())
    return total.hexdigest()


def part_size(max_record_size: int) -> int:
    """How much data a record takes beside its attributes, which travel with two bytes a character."""
    return min(PART_BYTES_MAX, max(max_record_size - 8192, max_record_size // 2))


def attributes_of(version: Version) -> list[tuple[str, str | int | dt.datetime]]:
    attributes: list[tuple[str, str | int | dt.datetime]] = [
        ("path", version.path),
        ("size", version.size),
        ("sha256", version.content.sha256),
        ("mtime", _date(version.mtime_us)),
        ("changed", _date(version.changed_us)),
    ]
    if version.content.executable:
        attributes.append(("executable", 1))
    if version.parts:
        attributes.append(("parts", len(version.parts)))
    attributes.extend(("before", mark) for mark in version.before[:BEFORE_MAX])
    return attributes


def version_of(record: peergraph.Record) -> Version:
    """Reads a record of type FILE. Raises BadRecord."""
    attributes = record.attributes
    path, size, sha256 = attributes.get("path"), attributes.get("size"), attributes.get("sha256")
    try:
        check_path(path)
    except BadPath as error:
        raise BadRecord(str(error)) from None
    if not isinstance(size, int) or not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise BadRecord("size or sha256 is missing or ill-formed")
    mtime_us, changed_us = _microseconds(attributes.get("mtime")), _microseconds(attributes.get("changed"))
    if mtime_us is None or changed_us is None:
        raise BadRecord("mtime or changed is missing or ill-formed")
    parts: tuple[str, ...] = ()
    if "parts" in attributes:
        count, data = attributes["parts"], record.data
        if not isinstance(count, int) or count < 1 or len(data) != count * HASH_BYTES or size < count:
            raise BadRecord("the list of parts does not have the length that it should")
        parts = tuple(data[at : at + HASH_BYTES].hex() for at in range(0, len(data), HASH_BYTES))
    elif len(record.data) != size:
        raise BadRecord("there are more or fewer bytes than it says")
    before = [mark for mark in attributes.getall("before") if isinstance(mark, str) and _MARK.fullmatch(mark)]
    return Version(
        record_id=record.id,
        path=str(path),
        content=Content(sha256, attributes.get("executable") == 1),
        size=size,
        mtime_us=mtime_us,
        changed_us=min(changed_us, record.modified_us),  # nobody wins by a date in the future
        before=tuple(before[:BEFORE_MAX]),
        parts=parts,
        peer=record.modifier_id or record.creator_id,
        creator=record.creator_id,
        expires_us=record.expires_us,
    )


def part_hash(record: peergraph.Record) -> str | None:
    """Which part a record of type PART says to be; None if it says nothing sensible."""
    sha256 = record.attributes.get("sha256")
    return sha256 if isinstance(sha256, str) and _SHA256.fullmatch(sha256) else None


def _date(time_us: int) -> dt.datetime:
    return EPOCH + dt.timedelta(microseconds=min(max(time_us, _FIRST_US), _LAST_US))


def _microseconds(value: object) -> int | None:
    if not isinstance(value, dt.datetime):
        return None
    return (value - EPOCH) // MICROSECOND
