"""Events: what a graph tells, as small classes.

Each class names the fields that mean something for its kind, and can be matched by pattern:

    match event:
        case RecordChanged(RecordChange.ADDED, record_id): ...
        case NeighbourConnection(ConnectionStatus.FAILED, reason=reason): ...
        case Overflow(): ...  # something was lost: read the records again
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import ClassVar, Final, TypeAlias
from uuid import UUID

from ._codes import (
    PEER_E_DEFERRED_VALIDATION,
    PEER_E_INVALID_RECORD,
    PEER_OK,
    STATUS,
    ConnectionStatus,
    GraphEvent,
    GraphStatus,
    NodeChange,
    ProgressAction,
    RecordChange,
)
from ._native import RawEvent
from .errors import NotFound, PeerError, error_for
from .records import Record, summary

FetchRecord: TypeAlias = Callable[[bytes], Record]


class Event:
    """Base of all events. `type` is a GraphEvent, or a plain number if this version does not know it."""

    __slots__ = ("_raw",)
    __match_args__: ClassVar[tuple[str, ...]] = ("type",)

    def __init__(self, raw: RawEvent, fetch: FetchRecord | None = None) -> None:
        self._raw = raw

    @property
    def type(self) -> GraphEvent | int:
        """Which kind of event."""
        return _TYPES.get(self._raw.type, self._raw.type)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._details()})"

    def _details(self) -> str:
        return "" if type(self) is not Event else f"type={_name(self.type)}"


class StatusChanged(Event):
    """The status of the node changed."""

    __slots__ = ()
    __match_args__ = ("status",)

    @property
    def status(self) -> GraphStatus:
        """The status now."""
        return GraphStatus(self._raw.status)

    def _details(self) -> str:
        return "|".join(flag.name or "" for flag in GraphStatus if flag & self.status).lower() or "none"


class PropertyChanged(Event):
    """The properties of the graph changed; `graph.properties` has them."""

    __slots__ = ()
    __match_args__ = ()


class RecordChanged(Event):
    """A record was added, updated, deleted, or has expired."""

    __slots__ = ("_fetch", "_id", "_record", "_type")
    __match_args__ = ("change", "record_id", "record_type")

    _fetch: FetchRecord | None
    _id: UUID | None
    _record: Record | None
    _type: UUID | None

    def __init__(self, raw: RawEvent, fetch: FetchRecord | None = None) -> None:
        self._raw = raw
        self._fetch = fetch
        self._id = self._type = self._record = None

    @property
    def change(self) -> RecordChange:
        """What happened to the record."""
        return _RECORD_CHANGES[self._raw.change]

    @property
    def record_id(self) -> UUID:
        """The id of the record."""
        if self._id is None:
            self._id = UUID(bytes=self._raw.record_id)
        return self._id

    @property
    def record_type(self) -> UUID:
        """The type of the record."""
        if self._type is None:
            self._type = UUID(bytes=self._raw.record_type)
        return self._type

    @property
    def record(self) -> Record | None:
        """The record as it is when this is first asked, or None if it has gone.

        Raises what `graph.get_record` raises, except RecordNotFound.
        """
        if self._fetch is not None:
            try:
                self._record = self._fetch(self._raw.record_id)
            except NotFound:
                self._record = None
            self._fetch = None
        return self._record

    def _details(self) -> str:
        change = self.change.name.lower()
        if self.change in (RecordChange.ADDED, RecordChange.UPDATED):
            try:
                record = self.record
            except PeerError:
                record = None
            if record is not None:
                return f"{change}, {summary(record)}"
        return f"{change}, type={self.record_type}, id={self.record_id}"


class _ConnectionEvent(Event):
    __slots__ = ()
    __match_args__ = ("status", "connection_id", "node_id", "peer_id")

    @property
    def status(self) -> ConnectionStatus:
        """Whether the connection is up, gone, or could not be made."""
        return ConnectionStatus(self._raw.change)

    @property
    def connection_id(self) -> int:
        """The connection; the one that `connect` gave."""
        return self._raw.connection_id

    @property
    def node_id(self) -> int:
        """The node on the other side, or 0 if it is not known."""
        return self._raw.node_id

    @property
    def peer_id(self) -> str | None:
        """The peer on the other side, if it is known."""
        return self._raw.peer_id

    @property
    def next_connection_id(self) -> int:
        """After a failure: the attempt that follows, or 0 if that was the last."""
        return self._raw.next_connection_id

    @property
    def reason(self) -> int:
        """Why it failed or ended, as a status code; 0 if there is nothing to say."""
        return self._raw.reason

    @property
    def message(self) -> str:
        """Why it failed, in one line."""
        return self._raw.message or ""

    @property
    def error(self) -> PeerError | None:
        """The reason as an exception, or None."""
        return error_for(self.reason, self.message) if self.reason < 0 else None

    def _details(self) -> str:
        parts = [self.status.name.lower(), f"connection={self.connection_id}"]
        if self.peer_id is not None:
            parts.append(f"peer={self.peer_id!r}")
        if self.node_id:
            parts.append(f"node={self.node_id:016x}")
        if self.next_connection_id:
            parts.append(f"next={self.next_connection_id}")
        if self.reason:
            parts.append(_reason(self.reason, self.message))
        return ", ".join(parts)


class NeighbourConnection(_ConnectionEvent):
    """A neighbour connection was made, failed or ended."""

    __slots__ = ()


class DirectConnection(_ConnectionEvent):
    """A direct connection was made, failed or ended."""

    __slots__ = ()


class IncomingData(Event):
    """Data arrived on a connection."""

    __slots__ = ()
    __match_args__ = ("connection_id", "data_type", "data")

    @property
    def connection_id(self) -> int:
        """The connection that it came on."""
        return self._raw.connection_id

    @property
    def data_type(self) -> UUID:
        """What the sender calls it."""
        return UUID(bytes=self._raw.record_type)

    @property
    def data(self) -> bytes:
        """The data."""
        return self._raw.data

    def _details(self) -> str:
        return f"connection={self.connection_id}, type={self.data_type}, {len(self.data)} bytes"


class ConnectionRequired(Event):
    """The graph needs another connection: connect to a node that it does not know."""

    __slots__ = ()
    __match_args__ = ()


class NodeChanged(Event):
    """A node came, went or changed."""

    __slots__ = ()
    __match_args__ = ("change", "node_id", "peer_id")

    @property
    def change(self) -> NodeChange:
        """What happened to the node."""
        return NodeChange(self._raw.change)

    @property
    def node_id(self) -> int:
        """The node; 0 is this one."""
        return self._raw.node_id

    @property
    def peer_id(self) -> str | None:
        """The peer of the node."""
        return self._raw.peer_id

    def _details(self) -> str:
        return f"{self.change.name.lower()}, node={self.node_id:016x}, peer={self.peer_id!r}"


class Verdict(enum.Enum):
    """What becomes of a record that waits for the application's judgement."""

    ACCEPT = "accept"
    REJECT = "reject"
    DEFER = "defer"

    @property
    def code(self) -> int:
        """The status code that says so in C."""
        return _VERDICTS[self]


_VERDICTS: Final = {
    Verdict.ACCEPT: PEER_OK,
    Verdict.REJECT: PEER_E_INVALID_RECORD,
    Verdict.DEFER: PEER_E_DEFERRED_VALIDATION,
}


class Validation(Event):
    """A record of others waits for the application's judgement: `graph.get_deferred_record`, `graph.judge_record`.

    Only in a graph that was opened with judge=True.
    """

    __slots__ = ()
    __match_args__ = ("change", "validation_id", "record_id", "record_type")

    @property
    def validation_id(self) -> int:
        """The number under which it waits."""
        return self._raw.validation_id

    @property
    def change(self) -> RecordChange:
        """What would happen here: ADDED, UPDATED or DELETED."""
        return _RECORD_CHANGES[self._raw.change]

    @property
    def record_id(self) -> UUID:
        """The id of the record."""
        return UUID(bytes=self._raw.record_id)

    @property
    def record_type(self) -> UUID:
        """The type of the record."""
        return UUID(bytes=self._raw.record_type)

    def _details(self) -> str:
        return f"{self.change.name.lower()}, number={self.validation_id}, id={self.record_id}, type={self.record_type}"


class Synchronized(Event):
    """One record type is complete; for graphs that were opened with a precedence."""

    __slots__ = ()
    __match_args__ = ("record_type",)

    @property
    def record_type(self) -> UUID:
        """The type that is complete."""
        return UUID(bytes=self._raw.record_type)

    def _details(self) -> str:
        return f"type={self.record_type}"


class Overflow(Event):
    """The queue was full, and events of one kind were lost: read again what they were about.

    Nothing is missed by a program that enumerates after it has read this.
    """

    __slots__ = ()
    __match_args__ = ("lost_type", "lost")

    @property
    def lost_type(self) -> GraphEvent | int:
        """Which kind of event was lost."""
        return _TYPES.get(self._raw.status, self._raw.status)

    @property
    def lost(self) -> int:
        """How many were lost."""
        return self._raw.lost_count

    def _details(self) -> str:
        return f"{_name(self.lost_type)}, {self.lost} lost"


class Closed(Event):
    """The last event: the graph was closed, or has failed."""

    __slots__ = ()
    __match_args__ = ("reason", "message")

    @property
    def reason(self) -> int:
        """0 if the graph or the subscription was closed, else the status code of what happened."""
        return self._raw.reason

    @property
    def message(self) -> str:
        """What happened, in one line."""
        return self._raw.message or ""

    @property
    def error(self) -> PeerError | None:
        """The reason as an exception, or None."""
        return error_for(self.reason, self.message) if self.reason < 0 else None

    def _details(self) -> str:
        return _reason(self.reason, self.message) if self.reason else ""


class Writable(Event):
    """A connection whose outbox was full takes data again."""

    __slots__ = ()
    __match_args__ = ("connection_id",)

    @property
    def connection_id(self) -> int:
        """The connection."""
        return self._raw.connection_id

    def _details(self) -> str:
        return f"connection={self.connection_id}"


class Progress(Event):
    """A long export or import has come further; small ones are done before there is anything to tell."""

    __slots__ = ()
    __match_args__ = ("action", "done", "total")

    @property
    def action(self) -> ProgressAction:
        """What has come further."""
        return ProgressAction(self._raw.change)

    @property
    def done(self) -> int:
        """How many bytes are done; all of them when it is complete."""
        return self._raw.connection_id

    @property
    def total(self) -> int:
        """Of how many bytes."""
        return self._raw.next_connection_id

    def _details(self) -> str:
        return f"{self.action.name.lower()}, {self.done} of {self.total} bytes"


CLASSES: Final[dict[GraphEvent, type[Event]]] = {
    GraphEvent.STATUS_CHANGED: StatusChanged,
    GraphEvent.PROPERTY_CHANGED: PropertyChanged,
    GraphEvent.RECORD_CHANGED: RecordChanged,
    GraphEvent.DIRECT_CONNECTION: DirectConnection,
    GraphEvent.NEIGHBOR_CONNECTION: NeighbourConnection,
    GraphEvent.INCOMING_DATA: IncomingData,
    GraphEvent.CONNECTION_REQUIRED: ConnectionRequired,
    GraphEvent.NODE_CHANGED: NodeChanged,
    GraphEvent.SYNCHRONIZED: Synchronized,
    GraphEvent.OVERFLOW: Overflow,
    GraphEvent.CLOSED: Closed,
    GraphEvent.WRITABLE: Writable,
    GraphEvent.VALIDATION: Validation,
    GraphEvent.PROGRESS: Progress,
}

_TYPES: Final[dict[int, GraphEvent]] = {int(member): member for member in GraphEvent}
_BY_NUMBER: Final[dict[int, type[Event]]] = {int(kind): cls for kind, cls in CLASSES.items()}
_BY_CLASS: Final[dict[type[Event], GraphEvent]] = {cls: kind for kind, cls in CLASSES.items()}
_RECORD_CHANGES: Final[dict[int, RecordChange]] = {int(member): member for member in RecordChange}


def event_from(raw: RawEvent, fetch: FetchRecord | None) -> Event:
    """The class for a raw event."""
    return _BY_NUMBER.get(raw.type, Event)(raw, fetch)


def type_of(kind: GraphEvent | type[Event]) -> GraphEvent:
    """The number for an event class. Raises TypeError for what is neither."""
    if isinstance(kind, GraphEvent):
        return kind
    if isinstance(kind, type) and kind in _BY_CLASS:
        return _BY_CLASS[kind]
    raise TypeError(f"{kind!r} is neither a class of events nor a GraphEvent")


def _name(kind: GraphEvent | int) -> str:
    return kind.name.lower() if isinstance(kind, GraphEvent) else str(kind)


def _reason(reason: int, message: str) -> str:
    name, text = STATUS.get(reason, (f"0x{reason & 0xFFFFFFFF:08X}", ""))
    return f"{name}: {message or text}"
