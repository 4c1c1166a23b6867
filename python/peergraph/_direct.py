"""Direct connections as streams: what the synchronous and the asynchronous kind have in common, without what waits."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable
from enum import Enum
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from ._codes import PEER_E_CONNECTION_FAILED, PEER_E_GRAPH_SHUTTING_DOWN, ConnectionFlag, ConnectionStatus, GraphEvent
from ._graph import GraphBase, closed_error
from ._native import Buffer
from .errors import ConnectionNotFound, OutboxFull, PeerError, error_for
from .events import Closed, DirectConnection, Event, IncomingData, Overflow, Writable

MESSAGE_TYPE: Final = UUID("3d0c5b1e-8f67-4a52-9b0e-6c1d2f7a4e90")
"""The data type of messages that a program gives none."""

PAUSE_ABOVE: Final = 1024 * 1024
RESUME_BELOW: Final = 256 * 1024
"""Bytes that wait in one channel when it is read no more, and when it is read again."""

MESSAGE_COST: Final = 256
"""What a message costs besides its data, about: empty ones count too."""

WAITING_MAX: Final = 64
"""Incoming channels that nobody has accepted yet; further ones are closed."""


class NotYet(Enum):
    """What a question gives to which there is no answer yet."""

    TOKEN = 0


NOT_YET: Final = NotYet.TOKEN


class ChannelBase:
    """A direct connection. See peergraph.Channel and peergraph.aio.Channel."""

    __slots__ = (
        "_accepted",
        "_address",
        "_direct",
        "_id",
        "_is_over",
        "_is_up",
        "_message",
        "_messages",
        "_node_id",
        "_paused",
        "_peer_id",
        "_reason",
        "_refused_at",
        "_size",
        "_writable_count",
    )

    def __init__(self, direct: DirectBase[Any], connection_id: int, address: str | None) -> None:
        self._direct = direct
        self._id = connection_id
        self._address = address
        self._peer_id: str | None = None
        self._node_id = 0
        self._accepted = address is not None
        self._is_up = False
        self._is_over = False
        self._reason = 0
        self._message = ""
        self._messages: deque[IncomingData] = deque()
        self._size = 0
        self._paused = False
        self._writable_count = 0
        self._refused_at = -1

    def __repr__(self) -> str:
        state = " closed" if self._is_over else ""
        return f"<{type(self).__module__}.{type(self).__name__}{state} {self._id} peer={self._peer_id!r}>"

    @property
    def id(self) -> int:
        """The connection's id on this node."""
        return self._id

    @property
    def peer_id(self) -> str | None:
        """The peer on the other side."""
        return self._peer_id

    @property
    def node_id(self) -> int:
        """The node on the other side."""
        return self._node_id

    @property
    def closed(self) -> bool:
        """Whether the connection has ended; what has arrived before can still be read, unless it was closed here."""
        return self._is_over

    # -- what happens to it --------------------------------------------------------------------------------------------

    def _connected(self, peer_id: str | None, node_id: int) -> None:
        self._is_up = True
        self._peer_id = peer_id
        self._node_id = node_id
        self._update_pause()

    def _arrived(self, event: IncomingData) -> None:
        self._messages.append(event)
        self._size += len(event.data) + MESSAGE_COST
        self._update_pause()

    def _ended(self, reason: int, message: str) -> None:
        if not self._is_over:
            self._is_over = True
            self._reason = reason
            self._message = message

    def _update_pause(self) -> None:
        """Only this connection is held back, so that no reader has to wait for another."""
        wanted = not self._accepted or self._size >= (RESUME_BELOW if self._paused else PAUSE_ABOVE)
        if wanted == self._paused or self._is_over:
            return
        with contextlib.suppress(PeerError):  # it has ended, or the graph has; the news are on their way
            self._direct._graph.pause_direct_connection(self._id, wanted)
        self._paused = wanted

    def _error(self) -> PeerError | None:
        return error_for(self._reason, self._message) if self._reason < 0 else None

    # -- questions -----------------------------------------------------------------------------------------------------

    def _outcome(self) -> bool | NotYet:
        """Whether the attempt has succeeded; raises why it has not."""
        if self._is_up:
            return True
        if self._is_over:
            raise self._error() or error_for(PEER_E_CONNECTION_FAILED, f'"{self._address}": it was closed')
        return NOT_YET

    def _next(self) -> IncomingData | NotYet | None:
        """The next message, or None after the last; raises how the connection was lost."""
        if self._messages:
            event = self._messages.popleft()
            self._size -= len(event.data) + MESSAGE_COST
            self._update_pause()
            return event
        if not self._is_over:
            return NOT_YET
        error = self._error()
        if error is not None:
            raise error
        return None

    def _has_room(self) -> bool | NotYet:
        """Whether a message that was refused may be tried again, or can never be sent."""
        return True if self._is_over or self._refused_at != self._writable_count else NOT_YET

    def write_nowait(self, data: Buffer, data_type: UUID = MESSAGE_TYPE) -> None:
        """Sends one message, or raises OutboxFull when the other side has not taken what was sent before.

        Nothing is sent then; `drain` tells when to try again. Else as `write`.
        """
        error = self._error()
        if error is not None:
            raise error
        count = self._writable_count
        try:
            self._direct._graph.send_data(self._id, data_type, data)
        except OutboxFull:
            self._refused_at = count
            raise
        except ConnectionNotFound as gone:
            raise error_for(gone.code, f'connection {self._id} to "{self._peer_id}" has been closed') from None

    def _close(self) -> None:
        self._messages.clear()
        self._size = 0
        self._direct._forget(self)
        if self._is_over:
            return
        self._ended(0, "")
        self._direct._closed_ids.add(self._id)
        with contextlib.suppress(PeerError):  # it has ended, or the graph has
            self._direct._graph.close_direct_connection(self._id)


C = TypeVar("C", bound=ChannelBase)


class DirectBase(ABC, Generic[C]):
    """Sorts the events of direct connections by channel."""

    __slots__ = ("_accepts", "_channels", "_closed_ids", "_graph", "_is_over", "_last", "_waiting")

    def __init__(self, graph: GraphBase, accept: bool) -> None:
        if graph._has_direct:
            raise RuntimeError(f"{graph!r} has its direct connections open already; close these first")
        self._graph = graph
        self._accepts = accept
        self._channels: dict[int, C] = {}
        self._closed_ids: set[int] = set()
        self._waiting: deque[C] = deque()
        self._is_over = False
        self._last: Closed | None = None
        graph._has_direct = True

    @abstractmethod
    def _make_channel(self, connection_id: int, address: str | None) -> C:
        """A channel of the kind that belongs here."""

    @abstractmethod
    def _ring(self, channel: C | None) -> None:
        """Whoever waits for the channel, or for a new one, looks again."""

    # -- events --------------------------------------------------------------------------------------------------------

    def _dispatch(self, event: Event) -> None:
        if isinstance(event, IncomingData):
            channel = self._channels.get(event.connection_id)
            if channel is not None:  # else it is a neighbour's, or of a channel that was closed here
                channel._arrived(event)
                self._ring(channel)
        elif isinstance(event, DirectConnection):
            self._dispatch_connection(event)
        elif isinstance(event, Writable):
            self._is_writable([self._channels[event.connection_id]] if event.connection_id in self._channels else [])
        elif isinstance(event, Overflow):
            self._dispatch_overflow(event)

    def _dispatch_connection(self, event: DirectConnection) -> None:
        connection_id = event.connection_id
        if connection_id in self._closed_ids:
            if event.status != ConnectionStatus.CONNECTED:
                self._closed_ids.discard(connection_id)
        elif event.status == ConnectionStatus.CONNECTED:
            self._came_up(connection_id, event.peer_id, event.node_id)
        elif connection_id in self._channels:
            self._went(self._channels.pop(connection_id), event.reason, event.message)

    def _came_up(self, connection_id: int, peer_id: str | None, node_id: int) -> None:
        channel = self._channels.get(connection_id)
        if channel is None:
            if not self._accepts or len(self._waiting) >= WAITING_MAX:
                self._send_away(connection_id)
                return
            channel = self._channels[connection_id] = self._make_channel(connection_id, None)
            self._waiting.append(channel)
            self._ring(None)
        channel._connected(peer_id, node_id)
        self._ring(channel)

    def _send_away(self, connection_id: int) -> None:
        with contextlib.suppress(PeerError):  # it has ended, or the graph has
            self._graph.close_direct_connection(connection_id)

    def _went(self, channel: C, reason: int, message: str) -> None:
        channel._ended(reason, message)
        if not channel._accepted and not channel._messages and channel in self._waiting:
            self._waiting.remove(channel)  # it came and went, and left nothing
        self._ring(channel)

    def _is_writable(self, channels: Iterable[C]) -> None:
        for channel in channels:
            channel._writable_count += 1
            self._ring(channel)

    def _dispatch_overflow(self, event: Overflow) -> None:
        if event.lost_type == GraphEvent.WRITABLE:
            self._is_writable(list(self._channels.values()))
        elif event.lost_type == GraphEvent.DIRECT_CONNECTION:
            self._look_again()

    def _look_again(self) -> None:
        """News of connections were lost. What still arrives of a channel that has ended is kept, so it stays listed."""
        try:
            up = {info.id: info for info in self._graph.connections(ConnectionFlag.DIRECT)}
        except PeerError:
            return  # the graph is being closed, and all of them with it
        for connection_id, info in up.items():
            known = self._channels.get(connection_id)
            if connection_id not in self._closed_ids and (known is None or not known._is_up):
                self._came_up(connection_id, info.peer_id, info.node_id)
        self._closed_ids &= up.keys()
        for connection_id, channel in self._channels.items():
            if connection_id not in up:
                self._went(channel, PEER_E_CONNECTION_FAILED, "it has ended while its events were lost")

    # -- life ----------------------------------------------------------------------------------------------------------

    def _open(self, peer_id: str, address: str) -> C:
        if self._is_over:
            raise self._over_error()
        connection_id = self._graph.open_direct_connection(peer_id, address)
        channel = self._channels[connection_id] = self._make_channel(connection_id, address)
        return channel

    def _take_waiting(self) -> C | NotYet | None:
        """An incoming channel, or None if none will come."""
        if self._waiting:
            channel = self._waiting.popleft()
            channel._accepted = True
            channel._update_pause()
            return channel
        return None if self._is_over else NOT_YET

    def _forget(self, channel: ChannelBase) -> None:
        self._channels.pop(channel._id, None)

    def _over_error(self) -> Exception:
        if self._last is not None:
            return closed_error(self._last)
        return ValueError("the direct connections were closed")

    def _finish(self, last: Closed | None) -> None:
        """Nothing more comes; the graph was closed, or this was."""
        if self._is_over:
            return
        self._is_over = True
        self._graph._has_direct = False
        self._last = last
        for channel in list(self._channels.values()):
            if last is None:
                channel._close()
            else:
                channel._ended(last.reason or PEER_E_GRAPH_SHUTTING_DOWN, last.message)
            self._ring(channel)
        self._channels.clear()
        if last is None:
            self._waiting.clear()
        self._ring(None)

    def __repr__(self) -> str:
        state = " closed" if self._is_over else ""
        return f"<{type(self).__module__}.{type(self).__name__}{state} of {self._graph._graph_id!r}>"
