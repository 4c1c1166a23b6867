"""Records as the graph has them."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from ._codes import RecordFlag
from ._native import RawRecord
from ._time import to_datetime
from .attributes import Attributes, show


class Record:
    """A record: immutable, and independent of the graph that it came from.

    Ids, dates and attributes are made when they are first asked for. Times are peer time, the clock that the nodes of a
    graph share; `created_us`, `modified_us` and `expires_us` are the exact values, the dates are clamped to
    what datetime can hold.
    """

    __slots__ = ("_attributes", "_created", "_expires", "_id", "_modified", "_raw", "_type")

    _raw: RawRecord
    _id: UUID | None
    _type: UUID | None
    _created: dt.datetime | None
    _modified: dt.datetime | None
    _expires: dt.datetime | None
    _attributes: Attributes | None

    def __init__(self, raw: RawRecord) -> None:
        self._raw = raw
        self._id = self._type = None
        self._created = self._modified = self._expires = None
        self._attributes = None

    @property
    def id(self) -> UUID:
        """The id, given at creation."""
        if self._id is None:
            self._id = UUID(bytes=self._raw.id)
        return self._id

    @property
    def type(self) -> UUID:
        """The application's kind of record."""
        if self._type is None:
            self._type = UUID(bytes=self._raw.type)
        return self._type

    @property
    def created(self) -> dt.datetime:
        """When it was added."""
        if self._created is None:
            self._created = to_datetime(self._raw.created_us)
        return self._created

    @property
    def modified(self) -> dt.datetime:
        """When it was last changed."""
        if self._modified is None:
            self._modified = to_datetime(self._raw.modified_us)
        return self._modified

    @property
    def expires(self) -> dt.datetime:
        """When it will vanish."""
        if self._expires is None:
            self._expires = to_datetime(self._raw.expires_us)
        return self._expires

    @property
    def created_us(self) -> int:
        """When it was added, in microseconds since 1970 UTC."""
        return self._raw.created_us

    @property
    def modified_us(self) -> int:
        """When it was last changed, in microseconds since 1970 UTC."""
        return self._raw.modified_us

    @property
    def expires_us(self) -> int:
        """When it will vanish, in microseconds since 1970 UTC."""
        return self._raw.expires_us

    @property
    def version(self) -> int:
        """1 at creation, one more for each change."""
        return self._raw.version

    @property
    def flags(self) -> RecordFlag:
        """Flags of the record."""
        return RecordFlag(self._raw.flags)

    @property
    def creator_id(self) -> str:
        """The peer that added it."""
        return self._raw.creator_id

    @property
    def modifier_id(self) -> str | None:
        """The peer that changed it last, or None if it was never changed."""
        return self._raw.modifier_id

    @property
    def data(self) -> bytes:
        """What the application put into it."""
        return self._raw.data

    @property
    def security_data(self) -> bytes:
        """The signature and what belongs to it; empty in a graph without security."""
        return self._raw.security_data

    @property
    def attributes(self) -> Attributes:
        """Its attributes."""
        if self._attributes is None:
            xml = self._raw.attributes
            self._attributes = Attributes.parse(xml) if xml else Attributes()
        return self._attributes

    @property
    def attributes_xml(self) -> str | None:
        """Its attributes as they travel, or None if there are none."""
        return self._raw.attributes

    def __eq__(self, other: object) -> bool:
        """Whether it is the same version of the same record."""
        if not isinstance(other, Record):
            return NotImplemented
        return self._raw == other._raw

    def __hash__(self) -> int:
        return hash((self._raw.id, self._raw.version, self._raw.modified_us))

    def __repr__(self) -> str:
        return f"Record({self.id}, version={self.version}, {summary(self)})"


def summary(record: Record) -> str:
    """What a person wants to know of a record, in one line."""
    parts = [f"type={record.type}", f"creator={record.creator_id!r}"]
    if record.modifier_id is not None:
        parts.append(f"modifier={record.modifier_id!r}")
    if record.attributes_xml:
        parts.append(f"attributes={show(record.attributes)}")
    parts.append("1 byte" if len(record.data) == 1 else f"{len(record.data)} bytes")
    return ", ".join(parts)
