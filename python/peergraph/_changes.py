"""Adding, updating and deleting records, on a graph and in a batch alike."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Final, Literal, NamedTuple, TypeAlias
from uuid import UUID

from ._check import duration, id_bytes, moment, payload, wrong_type
from ._codes import RecordFlag
from ._native import Buffer, RecordInput
from ._time import from_datetime, from_timedelta
from .attributes import AttributesInput, attributes_xml
from .records import Record


class _Keep(enum.Enum):
    KEEP = "what it was"

    def __repr__(self) -> str:
        return "KEEP"


KEEP: Final = _Keep.KEEP
"""Default of `update_record`: what is not given stays as it was."""

Keep: TypeAlias = Literal[_Keep.KEEP]


class Content(NamedTuple):
    """What an update may keep."""

    type: bytes
    data: bytes
    attributes: str | None
    autorefresh: bool


class Changes:
    """The fine layer of changes; a graph carries them out at once, a batch at commit."""

    __slots__ = ()

    def _add(self, record: RecordInput) -> bytes:
        raise NotImplementedError

    def _update(self, record: RecordInput) -> None:
        raise NotImplementedError

    def _delete(self, record_id: bytes, security_data: Buffer) -> None:
        raise NotImplementedError

    def _content(self, record_id: bytes) -> Content:
        raise NotImplementedError

    def _now_us(self) -> int:
        raise NotImplementedError

    def _remember(self, record_id: bytes, content: Content) -> None:
        """Called after each add and update."""

    def _expiration(self, lifetime: dt.timedelta | None, expires: dt.datetime | None) -> int:
        """0 if nothing is given."""
        if lifetime is not None and expires is not None:
            raise TypeError("give lifetime or expires, not both")
        if expires is not None:
            return from_datetime(moment("expires", expires))
        if lifetime is not None:
            return self._now_us() + from_timedelta(duration("lifetime", lifetime))
        return 0

    def add_record(
        self,
        *,
        type: UUID,
        data: Buffer = b"",
        attributes: AttributesInput | None = None,
        lifetime: dt.timedelta | None = None,
        expires: dt.datetime | None = None,
        security_data: Buffer = b"",
        autorefresh: bool = False,
    ) -> UUID:
        """Adds a record and gives its id. On a graph it is stored when the call returns.

        type        the application's kind of record
        data        the payload
        attributes  a mapping or pairs: names with str, int, datetime or date
        lifetime    how long it lives from now on; or
        expires     when it vanishes, in peer time
        security_data  for those who judge records: a signature, say; at most 65,536 bytes
        autorefresh  this node prolongs it, for as long as it has the graph open; with a lifetime of less
                     than 4 minutes it may end all the same

        Raises GraphNotReady, NotAuthorized (the type is reserved), InvalidRecordExpiration, InvalidAttributes,
        TooManyAttributes, MaxRecordSizeExceeded, GraphShuttingDown, DiskFull; TypeError without lifetime and expires.
        """
        if lifetime is None and expires is None:
            raise TypeError("a record needs a lifetime, or a date when it expires")
        content = Content(id_bytes("type", type), payload("data", data), attributes_xml(attributes), bool(autorefresh))
        expires_us = self._expiration(lifetime, expires)
        record_id = self._add(_input(content, expires_us, None, payload("security_data", security_data)))
        self._remember(record_id, content)
        return UUID(bytes=record_id)

    def update_record(
        self,
        record: Record | UUID,
        *,
        data: Buffer | Keep = KEEP,
        attributes: AttributesInput | Keep | None = KEEP,
        lifetime: dt.timedelta | None = None,
        expires: dt.datetime | None = None,
        security_data: Buffer = b"",
        autorefresh: bool | Keep = KEEP,
    ) -> None:
        """Changes a record; what is not given stays as it is now. Whoever holds a record may update it.

        record      the record, or its id
        data        the new payload
        attributes  the new attributes, all of them; None removes them
        lifetime    how long it lives from now on; or
        expires     when it vanishes, in peer time; never earlier than before
        security_data  of the new version; that of the old one does not stay
        autorefresh  whether this node prolongs it, as in `add_record`

        Raises RecordNotFound, InvalidRecordExpiration, and what `add_record` raises.
        """
        record_id = id_of(record)
        if isinstance(record, Record) and all(given is not KEEP for given in (data, attributes, autorefresh)):
            held = Content(record.type.bytes, b"", None, False)
        else:
            held = self._content(record_id)
        content = Content(
            held.type,
            held.data if data is KEEP else payload("data", data),
            held.attributes if attributes is KEEP else attributes_xml(attributes),
            held.autorefresh if autorefresh is KEEP else bool(autorefresh),
        )
        security = payload("security_data", security_data)
        self._update(_input(content, self._expiration(lifetime, expires), record_id, security))
        self._remember(record_id, content)

    def delete_record(self, record: Record | UUID, *, security_data: Buffer = b"") -> None:
        """Deletes a record everywhere.

        security_data  of the tombstone, for those who judge records

        Raises RecordNotFound, NotAuthorized (the record is one of the graph's own), GraphNotReady, GraphShuttingDown,
        DiskFull.
        """
        self._delete(id_of(record), payload("security_data", security_data))


def _input(content: Content, expires_us: int, record_id: bytes | None, security_data: Buffer) -> RecordInput:
    flags = RecordFlag.AUTOREFRESH if content.autorefresh else 0
    return RecordInput(content.type, content.data, content.attributes, expires_us, record_id, security_data, int(flags))


def id_of(record: Record | UUID) -> bytes:
    if isinstance(record, UUID):
        return record.bytes
    if isinstance(record, Record):
        return record.id.bytes
    raise wrong_type("record", "a Record or a UUID", record)


def tombstone(record_id: bytes, security_data: Buffer) -> RecordInput:
    """What says which record is deleted, and with which security data."""
    return RecordInput(bytes(16), b"", None, 0, record_id, security_data)
