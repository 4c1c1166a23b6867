"""Direct connections in an asyncio loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from ._aio_events import _wake
from ._check import deadline_of
from ._direct import MESSAGE_TYPE, ChannelBase, DirectBase, NotYet
from ._native import Buffer
from .errors import OutboxFull
from .events import DirectConnection, IncomingData

if TYPE_CHECKING:
    from typing_extensions import Self

    from ._aio_graph import Graph

T = TypeVar("T")


class _Bell:
    """Wakes the tasks that wait at it."""

    __slots__ = ("_waiters",)

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        for waiter in self._waiters:
            _wake(waiter)

    async def wait(self, seconds: float | None) -> None:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        timer = None if seconds is None else loop.call_later(seconds, _wake, waiter)
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)
            if timer is not None:
                timer.cancel()


class Channel(ChannelBase):
    """A direct connection to one node: messages, whole and in order, both ways. `graph.direct()` leads to it.

        async with await direct.connect("bob", address) as channel:
            await channel.write(b"hello")
            async for message in channel: ...

    Nothing is lost and nothing piles up: who reads slowly holds the writer back. Several tasks may read and write; a
    wait that is cancelled has taken and sent nothing.
    """

    __slots__ = ("_bell",)

    _direct: Direct
    _bell: _Bell

    def __init__(self, direct: Direct, connection_id: int, address: str | None) -> None:
        super().__init__(direct, connection_id, address)
        self._bell = _Bell()

    async def read(self, timeout: float | None = None) -> bytes | None:
        """The next message, which may be empty; None when the other side has closed and all of it was read.

        timeout  seconds, or None for as long as it takes

        Raises TimeoutError; ConnectionFailed or what else has ended the connection, after all that came before.
        """
        event = await self.receive(timeout)
        return None if event is None else event.data

    async def receive(self, timeout: float | None = None) -> IncomingData | None:
        """As `read`, but the event, which has the data type too."""
        return await self._direct._until(self._bell, self._next, timeout, "no message")

    async def write(self, data: Buffer, data_type: UUID = MESSAGE_TYPE, *, timeout: float | None = None) -> None:
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
                what = f"no room for a message within {timeout} s"
                await self._direct._until_moment(self._bell, self._has_room, deadline, what)

    async def drain(self, timeout: float | None = None) -> None:
        """Waits until a message that was refused with OutboxFull may be tried again; returns at once if none was.

        Raises TimeoutError.
        """
        await self._direct._until(self._bell, self._has_room, timeout, "no room for a message")

    def close(self) -> None:
        """Closes the connection, also while others wait for it. What was written still arrives; what was not read is
        dropped. May be called again.
        """
        self._close()
        self._bell.ring()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        message = await self.read()
        if message is None:
            raise StopAsyncIteration
        return message

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class Direct(DirectBase[Channel]):
    """The direct connections of a graph, as `graph.direct()` gives them: those that it makes, and those of others.

        async with graph.direct() as direct:
            async for channel in direct: ...

    While it is open, others can connect to this node. One at a time for a graph.
    """

    __slots__ = ("_bell", "_events", "_sorter")

    _graph: Graph

    def __init__(self, graph: Graph, accept: bool) -> None:
        super().__init__(graph, accept)
        self._bell = _Bell()
        self._sorter: asyncio.Task[None] | None = None
        try:
            self._events = graph.events(DirectConnection, IncomingData)
        except BaseException:
            graph._has_direct = False
            raise

    def _make_channel(self, connection_id: int, address: str | None) -> Channel:
        return Channel(self, connection_id, address)

    def _ring(self, channel: Channel | None) -> None:
        (self if channel is None else channel)._bell.ring()

    async def connect(self, peer_id: str, address: str, *, timeout: float | None = None) -> Channel:
        """Makes a direct connection; returns when it is up, or raises why it failed.

        peer_id  who must answer there
        address  one of the addresses of the node, as `graph.nodes()` gives them
        timeout  seconds, or None for as long as it takes; then the attempt is given up

        Raises ConnectionFailed, ConnectionRefused (it accepts none), ConnectionNotAuthenticated (another peer
        answered), ConnectSelf, TimeoutError, GraphShuttingDown, ValueError (this was closed), InvalidArgument,
        InvalidGraph.
        """
        self._start()
        channel = self._open(peer_id, address)
        try:
            what = f'no direct connection to "{peer_id}" at "{address}"'
            await self._until(channel._bell, channel._outcome, timeout, what)
        except BaseException:
            channel.close()
            raise
        return channel

    async def accept(self, timeout: float | None = None) -> Channel:
        """The next connection that another node has made.

        timeout  seconds, or None for as long as it takes

        Raises TimeoutError, GraphShuttingDown, ValueError (this was closed).
        """
        self._start()
        channel = await self._until(self._bell, self._take_waiting, timeout, "no incoming connection")
        if channel is None:
            raise self._over_error()
        return channel

    def __aiter__(self) -> AsyncIterator[Channel]:
        self._start()
        return self

    async def __anext__(self) -> Channel:
        channel = await self._until(self._bell, self._take_waiting, None, "")
        if channel is None:
            raise StopAsyncIteration
        return channel

    def close(self) -> None:
        """Closes every channel and accepts no more. May be called again."""
        self._finish(None)
        self._events.close()

    async def __aenter__(self) -> Self:
        self._start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
        if self._sorter is not None:
            await asyncio.wait([self._sorter])

    # -- waiting -------------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._sorter is None and not self._is_over:
            self._sorter = asyncio.get_running_loop().create_task(self._sort(), name=f"direct of {self._graph.id}")

    async def _sort(self) -> None:
        """Takes the events for all channels, which are stopped one by one when they are not read."""
        try:
            async for event in self._events:
                self._dispatch(event)
        finally:
            self._finish(self._events.closed)

    def _deadline(self, timeout: float | None) -> float | None:
        return deadline_of(timeout, self._events._world.monotonic())

    async def _until(self, bell: _Bell, ask: Callable[[], T | NotYet], timeout: float | None, what: str) -> T:
        return await self._until_moment(bell, ask, self._deadline(timeout), f"{what} within {timeout} s")

    async def _until_moment(self, bell: _Bell, ask: Callable[[], T | NotYet], deadline: float | None, what: str) -> T:
        while True:
            answer = ask()
            if not isinstance(answer, NotYet):
                return answer
            left = None if deadline is None else deadline - self._events._world.monotonic()
            if left is not None and left <= 0:
                raise TimeoutError(what)
            await bell.wait(left)
