"""What the synchronous and the asynchronous graph have in common: everything that needs no waiting."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from . import _native, _native_nodes
from ._changes import KEEP, Changes, Content, Keep, id_of, tombstone
from ._check import duration, flag, id_bytes, ids, message, moment, number_of, optional_text, text, unsigned, whole
from ._codes import (
    PEER_E_CONNECTION_FAILED,
    PEER_E_GRAPH_SHUTTING_DOWN,
    PEER_E_INVALID_GRAPH,
    PEER_E_NOT_INITIALIZED,
    ConnectionFlag,
    ConnectionStatus,
    GraphEvent,
    GraphStatus,
    PropertyFlag,
    RecordFlag,
    Scope,
)
from ._context import MACHINE, World
from ._enumerations import ConnectionEnumerationBase, NodeEnumerationBase, everything
from ._handle import Handle, end_with_graph
from ._native import Buffer, RawProperties, RecordInput
from ._nodes import ConnectionInfo, NodeInfo, node_from
from ._time import from_datetime, from_timedelta, to_datetime
from .errors import PeerError, error_for
from .events import Closed, Event, NeighbourConnection, Verdict, type_of
from .records import Record

_ALWAYS = frozenset({GraphEvent.OVERFLOW, GraphEvent.CLOSED, GraphEvent.WRITABLE})
_FILTERED = frozenset({GraphEvent.RECORD_CHANGED, GraphEvent.SYNCHRONIZED})
ALL_CONNECTIONS: Final = ConnectionFlag.NEIGHBOR | ConnectionFlag.DIRECT


@dataclass(frozen=True, slots=True)
class GraphProperties:
    """The properties of a graph, as its creator set them."""

    graph_id: str
    creator_id: str
    friendly_name: str | None
    comment: str | None
    scope: Scope
    max_record_size: int
    presence_lifetime: dt.timedelta
    presence_max: int | None
    """About how many nodes publish their presence; None: every one, 0: none by itself."""
    defer_expiration: bool


def properties_from(raw: RawProperties) -> GraphProperties:
    return GraphProperties(
        graph_id=raw.graph_id,
        creator_id=raw.creator_id,
        friendly_name=raw.friendly_name,
        comment=raw.comment,
        scope=Scope(raw.scope),
        max_record_size=raw.max_record_size,
        presence_lifetime=dt.timedelta(seconds=raw.presence_lifetime_s),
        presence_max=None if raw.presence_max < 0 else raw.presence_max,
        defer_expiration=bool(raw.flags & PropertyFlag.DEFER_EXPIRATION),
    )


def raw_properties(
    graph_id: str,
    peer_id: str,
    friendly_name: str | None,
    comment: str | None,
    scope: Scope,
    max_record_size: int,
    presence_lifetime: dt.timedelta | None,
    presence_max: int | None,
    defer_expiration: bool,
) -> RawProperties:
    presence_lifetime_s = 0
    if presence_lifetime is not None:
        presence_lifetime_s = from_timedelta(duration("presence_lifetime", presence_lifetime)) // 1_000_000
        presence_lifetime_s = whole("presence_lifetime in seconds", presence_lifetime_s, 300, (1 << 32) - 1)
    return RawProperties(
        flags=int(PropertyFlag.DEFER_EXPIRATION) if defer_expiration else 0,
        scope=number_of(Scope, "scope", scope),
        max_record_size=unsigned("max_record_size", max_record_size),
        presence_lifetime_s=presence_lifetime_s,
        presence_max=-1 if presence_max is None else whole("presence_max", presence_max, 0, (1 << 31) - 1),
        graph_id=graph_id,
        creator_id=peer_id,
        friendly_name=optional_text("friendly_name", friendly_name),
        comment=optional_text("comment", comment),
    )


def registrations(
    types: Iterable[GraphEvent | type[Event]], record_type: UUID | Iterable[UUID] | None
) -> list[tuple[int, bytes | None]]:
    """What to register for. No types mean every type; filters concern RECORD_CHANGED and SYNCHRONIZED."""
    kinds = {type_of(kind): None for kind in types}
    if record_type is None:
        filters: list[bytes | None] = [None]
    elif isinstance(record_type, UUID):
        filters = [record_type.bytes]
    else:
        filters = list(ids("record_type", record_type, "a UUID or several"))
        if not filters:
            raise ValueError("record_type is empty; leave it out to hear of every type")
    if not kinds:
        if filters == [None]:
            return []
        kinds = {kind: None for kind in GraphEvent if kind < GraphEvent.OVERFLOW}
    wanted = [kind for kind in kinds if kind not in _ALWAYS]
    if not wanted:
        raise ValueError("Overflow, Closed and Writable come by themselves; name what else is wanted")
    return [(int(kind), each) for kind in wanted for each in (filters if kind in _FILTERED else [None])]


def closed_error(last: Closed | None) -> PeerError:
    """Why a wait ended with the graph."""
    return (last and last.error) or error_for(PEER_E_GRAPH_SHUTTING_DOWN)


class RuntimeBase(Handle):
    """A runtime, without what waits."""

    __slots__ = ("_data_directory", "_world")

    _data_directory: str | None
    _world: World

    def __init__(self, handle: _native.Handle, data_directory: str | None, world: World = MACHINE) -> None:
        super().__init__(handle)
        self._data_directory = data_directory
        self._world = world
        world.opened(self)

    @property
    def closed(self) -> bool:
        """Whether the runtime was shut down."""
        return self._ended or self._is_gone()

    def _is_gone(self) -> bool:
        return self._world.has_ended()

    def _end(self) -> None:
        try:
            self._world.shutdown(self)
        except PeerError as error:
            if error.code != PEER_E_NOT_INITIALIZED:  # it died by itself
                raise

    def __repr__(self) -> str:
        state = " closed" if self.closed else ""
        return f"<{type(self).__module__}.{type(self).__name__}{state} {self._data_directory or 'default directory'!r}>"


class GraphBase(Handle, Changes):
    """A graph, without what waits. See peergraph.Graph and peergraph.aio.Graph."""

    __slots__ = ("_database", "_graph_id", "_has_direct", "_is_new", "_peer_id", "_runtime")

    _runtime: RuntimeBase
    _graph_id: str
    _peer_id: str
    _database: str
    _is_new: bool
    _has_direct: bool

    def __init__(
        self,
        runtime: RuntimeBase,
        handle: _native.Handle,
        graph_id: str,
        peer_id: str,
        database: str,
        is_new: bool,
    ) -> None:
        super().__init__(handle)
        self._runtime = runtime
        self._graph_id = graph_id
        self._peer_id = peer_id
        self._database = database
        self._is_new = is_new
        self._has_direct = False
        runtime._world.opened(self)

    def _is_gone(self) -> bool:
        return self._runtime.closed

    def _end(self) -> None:
        try:
            _native.graph_close(self._handle)
        except PeerError as error:
            if error.code not in (PEER_E_INVALID_GRAPH, PEER_E_NOT_INITIALIZED):  # it died by itself
                raise

    def __repr__(self) -> str:
        state = " closed" if self.closed else ""
        return f"<{type(self).__module__}.{type(self).__name__}{state} {self._graph_id!r} peer={self._peer_id!r}>"

    # -- what it is ----------------------------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The graph's id."""
        return self._graph_id

    @property
    def peer_id(self) -> str:
        """Who we are in the graph."""
        return self._peer_id

    @property
    def database(self) -> str:
        """The name of the database on this machine."""
        return self._database

    @property
    def is_new(self) -> bool:
        """Whether opening found no database, or one that was never synchronized: connect, and wait for SYNCHRONIZED."""
        return self._is_new

    @property
    def closed(self) -> bool:
        """Whether the graph, or its runtime, was closed."""
        return self._ended or self._runtime.closed

    @property
    def status(self) -> GraphStatus:
        """The status flags. Raises InvalidGraph."""
        return GraphStatus(_native.graph_get_status(self._handle))

    @property
    def properties(self) -> GraphProperties:
        """The properties of the graph, as its creator set them. Raises GraphNotReady, InvalidGraph."""
        return properties_from(_native.graph_get_properties(self._handle))

    @property
    def node(self) -> NodeInfo:
        """The node that we are, as others see it. Raises InvalidGraph."""
        return self.get_node_info(0)

    @property
    def address(self) -> str | None:
        """Our best address, for others to connect to; None if it does not listen. Raises InvalidGraph."""
        addresses = self.node.addresses
        return addresses[0] if addresses else None

    def get_status(self) -> GraphStatus:
        """PeerGraphGetStatus; the same as `status`."""
        return self.status

    def get_properties(self) -> GraphProperties:
        """PeerGraphGetProperties; the same as `properties`."""
        return self.properties

    def get_node_info(self, node_id: int = 0) -> NodeInfo:
        """What is known of a node; 0 is this one. Raises NodeNotFound, InvalidGraph."""
        return node_from(_native_nodes.graph_get_node_info(self._handle, unsigned("node_id", node_id, 64)))

    def set_properties(
        self,
        *,
        friendly_name: str | Keep | None = KEEP,
        comment: str | Keep | None = KEEP,
        presence_lifetime: dt.timedelta | Keep = KEEP,
        presence_max: int | Keep | None = KEEP,
    ) -> None:
        """Changes properties of the graph, for every node; what is not given stays.

        friendly_name, comment  None removes them
        presence_lifetime       at least 300 seconds
        presence_max            about how many nodes publish their presence; None: every one, 0: none by itself

        Raises GraphNotReady, DiskFull, InvalidArgument, InvalidGraph.
        """
        now = self.properties
        wanted = raw_properties(
            now.graph_id,
            now.creator_id,
            now.friendly_name if friendly_name is KEEP else friendly_name,
            now.comment if comment is KEEP else comment,
            now.scope,
            now.max_record_size,
            now.presence_lifetime if presence_lifetime is KEEP else presence_lifetime,
            now.presence_max if presence_max is KEEP else presence_max,
            now.defer_expiration,
        )
        _native.graph_set_properties(self._handle, wanted)

    # -- nodes and connections -----------------------------------------------------------------------------------------

    def set_presence(self, present: bool) -> None:
        """Makes this node present, whatever `presence_max` says, as long as it listens; or leaves that to it again.

        With False the presence is not taken back at once, but not prolonged either. Raises InvalidGraph.
        """
        _native_nodes.graph_set_presence(self._handle, flag("present", present))

    def set_node_attributes(self, attributes: str | None) -> None:
        """Sets the text that travels with this node's presence; None removes it.

        Others hear of it by NodeChanged, this node too, with node id 0. Raises InvalidArgument (more than 4,095
        units), DiskFull, InvalidGraph.
        """
        _native_nodes.graph_set_node_attributes(self._handle, optional_text("attributes", attributes))

    def nodes(self, peer_id: str | None = None) -> list[NodeInfo]:
        """The nodes that are present, this one included, or those of one peer.

        Who has closed the graph is gone at once, who has crashed when `presence_lifetime` (300 s) is over.

        Raises GraphNotReady, InvalidGraph.
        """
        return everything(NodeEnumerationBase(self, peer_id))

    def connections(self, kind: ConnectionFlag = ALL_CONNECTIONS) -> list[ConnectionInfo]:
        """The connections of this node that are up, of one kind or of both. Raises InvalidGraph."""
        return everything(ConnectionEnumerationBase(self, kind))

    # -- direct connections --------------------------------------------------------------------------------------------

    def open_direct_connection(self, peer_id: str, address: str) -> int:
        """PeerGraphOpenDirectConnection: asks for a direct connection and gives its id at once.

        A DirectConnection event tells how it ended. `direct()` is the comfortable way.
        Raises ConnectSelf, ConnectionFailed (no such interface), InvalidArgument, InvalidGraph.
        """
        return _native_nodes.graph_open_direct_connection(
            self._handle, text("peer_id", peer_id), text("address", address)
        )

    def send_data(self, connection_id: int, data_type: UUID, data: Buffer) -> None:
        """Sends one message over a direct or a neighbour connection; it arrives as IncomingData.

        data  at most 4 MiB over a direct, 1 MiB over a neighbour connection

        Raises OutboxFull (nothing was sent; Writable tells when there is room), ConnectionNotFound, InvalidArgument,
        InvalidGraph.
        """
        number = unsigned("connection_id", connection_id, 64)
        kind = id_bytes("data_type", data_type)
        _native_nodes.graph_send_data(self._handle, number, kind, message("data", data))

    def close_direct_connection(self, connection_id: int) -> None:
        """Closes a direct connection; what was sent before still arrives. Raises ConnectionNotFound, InvalidGraph."""
        _native_nodes.graph_close_direct_connection(self._handle, unsigned("connection_id", connection_id, 64))

    def pause_direct_connection(self, connection_id: int, paused: bool) -> None:
        """Stops to read a direct connection, or goes on, so that the other side is held back.

        Raises ConnectionNotFound, InvalidGraph.
        """
        number = unsigned("connection_id", connection_id, 64)
        _native_nodes.graph_pause_direct_connection(self._handle, number, flag("paused", paused))

    # -- time ----------------------------------------------------------------------------------------------------------

    def _now_us(self) -> int:
        return _native.graph_universal_time_to_peer_time(self._handle, self._runtime._world.clock_us())

    def now(self) -> dt.datetime:
        """The time now by the clock that the nodes of the graph share. Raises InvalidGraph."""
        return to_datetime(self._now_us())

    def peer_time_to_universal_time(self, peer_time: dt.datetime) -> dt.datetime:
        """A moment of peer time by this machine's clock. Raises InvalidGraph."""
        time_us = from_datetime(moment("peer_time", peer_time))
        return to_datetime(_native.graph_peer_time_to_universal_time(self._handle, time_us))

    def universal_time_to_peer_time(self, universal_time: dt.datetime) -> dt.datetime:
        """A moment of this machine's clock in peer time. Raises InvalidGraph."""
        time_us = from_datetime(moment("universal_time", universal_time))
        return to_datetime(_native.graph_universal_time_to_peer_time(self._handle, time_us))

    # -- network -------------------------------------------------------------------------------------------------------

    def listen(self, port: int = 0, *, scope: Scope = Scope.GLOBAL, scope_id: int = 0) -> None:
        """Starts to accept connections; `address` tells where.

        port      0: a free one
        scope     GLOBAL, SITELOCAL, LINKLOCAL, or LOOPBACK for this machine only
        scope_id  index of the interface; 0 means every one, for GLOBAL and LOOPBACK only

        Raises GraphNotReady, AlreadyListening, UnableToListen, InvalidArgument, InvalidGraph.
        """
        _native.graph_listen(
            self._handle,
            number_of(Scope, "scope", scope),
            unsigned("scope_id", scope_id),
            whole("port", port, 0, 65535),
        )

    def begin_connect(self, address: str, *, peer_id: str | None = None) -> int:
        """PeerGraphConnect: asks for a neighbour connection and gives its id at once.

        A NeighbourConnection event tells how it ended. `connect` is the comfortable way, with the same arguments.
        Raises AlreadyExists, ConnectSelf, ConnectionFailed (no such interface), InvalidArgument, InvalidGraph.
        """
        wanted = optional_text("peer_id", peer_id)
        return _native.graph_connect(self._handle, wanted, text("address", address))

    # -- records -------------------------------------------------------------------------------------------------------

    def _add(self, record: RecordInput) -> bytes:
        return _native.graph_add_record(self._handle, record)

    def _update(self, record: RecordInput) -> None:
        _native.graph_update_record(self._handle, record)

    def _delete(self, record_id: bytes, security_data: Buffer) -> None:
        if security_data:
            _native.graph_delete_secured_record(self._handle, tombstone(record_id, security_data))
        else:
            _native.graph_delete_record(self._handle, record_id)

    def _content(self, record_id: bytes) -> Content:
        raw = _native.graph_get_record(self._handle, record_id)
        return Content(raw.type, raw.data, raw.attributes, bool(raw.flags & RecordFlag.AUTOREFRESH))

    def _fetch(self, record_id: bytes) -> Record:
        return Record(_native.graph_get_record(self._handle, record_id))

    def delete_record_here(self, record: Record | UUID) -> None:
        """Deletes a record on this node alone, in a graph that was opened with judge=True.

        It comes back with the next synchronization, unless it is judged invalid then.
        Raises RecordNotFound, NotAuthorized, InvalidArgument (the graph judges nothing), InvalidGraph.
        """
        _native.graph_delete_record(self._handle, id_of(record), 1)

    # -- judging records of others -------------------------------------------------------------------------------------

    def get_deferred_record(self, validation_id: int) -> Record:
        """A record that waits for a judgement, with its security data; a Validation event has told its number.

        Raises RecordNotFound, InvalidGraph.
        """
        return Record(_native.graph_get_deferred_record(self._handle, unsigned("validation_id", validation_id, 64)))

    def judge_record(self, validation_id: int, verdict: Verdict) -> None:
        """Judges a record that waits: Verdict.ACCEPT takes it, REJECT drops it, DEFER leaves it for later.

        Raises RecordNotFound, DiskFull (it waits on), InvalidGraph.
        """
        number = unsigned("validation_id", validation_id, 64)
        try:
            code = Verdict(verdict).code
        except ValueError:
            raise ValueError(f"verdict is {verdict!r}, not Verdict.ACCEPT, REJECT or DEFER") from None
        _native.graph_judge_record(self._handle, number, code)

    def validate_deferred_records(self, record_ids: Iterable[UUID] | None = None) -> None:
        """Asks once more about records that wait: Validation events come again.

        record_ids  which; None: all that wait. Those of them that were rejected are asked for again from the
                    neighbours, and come as Validation too

        Raises InvalidGraph.
        """
        wanted = [] if record_ids is None else list(ids("record_ids", record_ids))
        if record_ids is not None and not wanted:  # for C no ids are all of them
            self.get_status()  # a closed graph is told as ever
            return
        _native.graph_validate_deferred_records(self._handle, wanted)

    def get_record(self, record_id: UUID) -> Record:
        """One record. Raises RecordNotFound, GraphNotReady, InvalidGraph."""
        return self._fetch(id_bytes("record_id", record_id))


class Attempt:
    """A neighbour connection on its way, and the attempts that follow if the other node names a further one."""

    __slots__ = ("_address", "_connection_id")

    def __init__(self, graph: GraphBase, address: str, peer_id: str | None) -> None:
        self._address = address
        self._connection_id = graph.begin_connect(address, peer_id=peer_id)

    def result(self, event: Event) -> NeighbourConnection | None:
        """The event if it says that the connection is up, None if it decides nothing; raises why it failed."""
        if isinstance(event, Closed):
            raise closed_error(event)
        if not isinstance(event, NeighbourConnection) or event.connection_id != self._connection_id:
            return None
        if event.status == ConnectionStatus.CONNECTED:
            return event
        if event.status == ConnectionStatus.FAILED and event.next_connection_id:
            self._connection_id = event.next_connection_id
            return None
        raise event.error or error_for(PEER_E_CONNECTION_FAILED, f'"{self._address}": {event!r}')

    def late(self, timeout: float | None) -> TimeoutError:
        """What is raised when the time is over."""
        return TimeoutError(f'no connection to "{self._address}" after {timeout} s')


class BatchBase(Handle, Changes):
    """Changes that are stored, sent and announced together or not at all."""

    __slots__ = ("_graph", "_held")

    _graph: GraphBase
    _held: dict[bytes, Content]

    def __init__(self, graph: GraphBase) -> None:
        super().__init__(_native.graph_begin_batch(graph._handle))
        self._graph = graph
        self._held = {}

    @property
    def closed(self) -> bool:
        """Whether the batch was committed or aborted."""
        return self._ended or self._is_gone()

    def _is_gone(self) -> bool:
        return self._graph.closed

    def _end(self) -> None:
        end_with_graph(_native.batch_abort, self._handle)

    def _add(self, record: RecordInput) -> bytes:
        return _native.batch_add_record(self._handle, record)

    def _update(self, record: RecordInput) -> None:
        _native.batch_update_record(self._handle, record)

    def _delete(self, record_id: bytes, security_data: Buffer) -> None:
        if security_data:
            _native.batch_delete_secured_record(self._handle, tombstone(record_id, security_data))
        else:
            _native.batch_delete_record(self._handle, record_id)

    def _content(self, record_id: bytes) -> Content:
        return self._held.get(record_id) or self._graph._content(record_id)

    def _remember(self, record_id: bytes, content: Content) -> None:
        self._held[record_id] = content

    def _now_us(self) -> int:
        return self._graph._now_us()

    def _commit(self) -> None:
        self._begin_end()
        _native.batch_commit(self._handle)

    def abort(self) -> None:
        """Drops the batch; nothing was done. Nothing happens if it has ended."""
        self._close()

    def __repr__(self) -> str:
        state = " ended" if self.closed else ""
        return f"<{type(self).__module__}.{type(self).__name__}{state} of {self._graph._graph_id!r}>"
