"""Direct connections for programs without a loop."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from ._check import deadline_of
from ._context import SLICE
from ._direct import MESSAGE_TYPE, ChannelBase, DirectBase, NotYet
from ._native import Buffer
from .errors import OutboxFull
from .events import DirectConnection, IncomingData

if TYPE_CHECKING:
    from typing_extensions import Self

    from .graph import Graph

T = TypeVar("T")


class Channel(ChannelBase):
    """A direct connection to one node: messages, whole and in order, both ways. `graph.direct()` leads to it.

        with direct.connect("bob", address) as channel:
            channel.write(b"hello")
            for message in channel: ...

    Nothing is lost and nothing piles up: who reads slowly holds the writer back. Any thread may call anything.
    """

    __slots__ = ()

    _direct: Direct

    def read(self, timeout: float | None = None) -> bytes | None:
        """The next message, which may be empty; None when the other side has closed and all of it was read.

        timeout  seconds, or None for as long as it takes

        Raises TimeoutError; ConnectionFailed or what else has ended the connection, after all that came before.
        """
        event = self.receive(timeout)
        return None if event is None else event.data

    def receive(self, timeout: float | None = None) -> IncomingData | None:
        """As `read`, but the event, which has the data type too."""
        return self._direct._until(self._next, timeout, "no message")

    def write(self, data: Buffer, data_type: UUID = MESSAGE_TYPE, *, timeout: float | None = None) -> None:
        """Sends one message; waits while the other side does not take what was sent before.

        It returns when the message is on its way, not when it has arrived: for that, have the other side answer.

        data       at most 4 MiB; it arrives as one message
        data_type  what it is, for the receiver's `receive`
        timeout    seconds, or None for as long as it takes; after a TimeoutError nothing was sent

        Raises ConnectionNotFound (it was closed), ConnectionFailed or what else has ended it, TimeoutError,
        InvalidArgument (too large, or the reserved data type), InvalidGraph.
        """
        deadline = self._direct._deadline(timeout)
        while True:
            try:
                self.write_nowait(data, data_type)
                return
            except OutboxFull:
                self._direct._until_moment(self._has_room, deadline, f"no room for a message within {timeout} s")

    def drain(self, timeout: float | None = None) -> None:
        """Waits until a message that was refused with OutboxFull may be tried again; returns at once if none was.

        Raises TimeoutError.
        """
        self._direct._until(self._has_room, timeout, "no room for a message")

    def close(self) -> None:
        """Closes the connection, also while others wait for it. What was written still arrives; what was not read is
        dropped. May be called again.
        """
        with self._direct._changed:
            self._close()
            self._direct._changed.notify_all()

    def __iter__(self) -> Iterator[bytes]:
        """The messages, up to the end."""
        while (message := self.read()) is not None:
            yield message

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class Direct(DirectBase[Channel]):
    """The direct connections of a graph, as `graph.direct()` gives them: those that it makes, and those of others.

        with graph.direct() as direct:
            for channel in direct: ...

    While it is open, others can connect to this node. Events are taken by whoever waits for one, so that a program
    that waits for nothing holds the others back. One at a time for a graph.
    """

    __slots__ = ("_changed", "_events", "_is_polled")

    _graph: Graph

    def __init__(self, graph: Graph, accept: bool) -> None:
        super().__init__(graph, accept)
        self._changed = threading.Condition(threading.RLock())
        self._is_polled = False
        try:
            self._events = graph.events(DirectConnection, IncomingData)
        except BaseException:
            graph._has_direct = False
            raise

    def _make_channel(self, connection_id: int, address: str | None) -> Channel:
        return Channel(self, connection_id, address)

    def _ring(self, channel: Channel | None) -> None:
        """Everyone is woken after the events were sorted."""

    def connect(self, peer_id: str, address: str, *, timeout: float | None = None) -> Channel:
        """Makes a direct connection; returns when it is up, or raises why it failed.

        peer_id  who must answer there
        address  one of the addresses of the node, as `graph.nodes()` gives them
        timeout  seconds, or None for as long as it takes; then the attempt is given up

        Raises ConnectionFailed, ConnectionRefused (it accepts none), ConnectionNotAuthenticated (another peer
        answered), ConnectSelf, TimeoutError, GraphShuttingDown, ValueError (this was closed), InvalidArgument,
        InvalidGraph.
        """
        with self._changed:
            channel = self._open(peer_id, address)
        try:
            self._until(channel._outcome, timeout, f'no direct connection to "{peer_id}" at "{address}"')
        except BaseException:
            channel.close()
            raise
        return channel

    def accept(self, timeout: float | None = None) -> Channel:
        """The next connection that another node has made.

        timeout  seconds, or None for as long as it takes

        Raises TimeoutError, GraphShuttingDown, ValueError (this was closed).
        """
        channel = self._until(self._take_waiting, timeout, "no incoming connection")
        if channel is None:
            raise self._over_error()
        return channel

    def __iter__(self) -> Iterator[Channel]:
        """The connections that others make, until the graph or this is closed."""
        while (channel := self._until(self._take_waiting, None, "")) is not None:
            yield channel

    def close(self) -> None:
        """Closes every channel and accepts no more. May be called again; threads that wait go on within a moment."""
        with self._changed:
            self._finish(None)
            self._changed.notify_all()
        self._events.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # -- waiting -------------------------------------------------------------------------------------------------------

    def _deadline(self, timeout: float | None) -> float | None:
        return deadline_of(timeout, self._events._world.monotonic())

    def _until(self, ask: Callable[[], T | NotYet], timeout: float | None, what: str) -> T:
        return self._until_moment(ask, self._deadline(timeout), f"{what} within {timeout} s")

    def _until_moment(self, ask: Callable[[], T | NotYet], deadline: float | None, what: str) -> T:
        """Asks until there is an answer. One thread at a time takes the events of all."""
        monotonic = self._events._world.monotonic
        is_late = False
        while True:
            with self._changed:
                answer = ask()
                if not isinstance(answer, NotYet):
                    return answer
                if is_late:
                    raise TimeoutError(what)
                until = monotonic() + self._events._world.slice
                if deadline is not None:
                    until = min(until, deadline)
                leads = not self._is_polled
                self._is_polled = True
                if not leads:
                    self._changed.wait(max(0.0, min(SLICE, until - monotonic())))
            if leads:
                self._poll(until)
            is_late = deadline is not None and monotonic() >= deadline

    def _poll(self, until: float) -> None:
        try:
            self._events._wait(until if math.isfinite(until) else None)
            with self._changed:
                for event in self._events.take():
                    self._dispatch(event)
                if self._events.closed is not None:
                    self._finish(self._events.closed)
        finally:
            with self._changed:
                self._is_polled = False
                self._changed.notify_all()
