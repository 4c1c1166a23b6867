"""Events of a graph in an asyncio loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import TYPE_CHECKING, Final

from ._check import deadline_of
from .events import Event
from .queue import Registrations, Subscription

if TYPE_CHECKING:
    from typing_extensions import Self

    from ._graph import GraphBase

BUDGET: Final = 0.002
"""Seconds of events in a row after which the rest of the loop has its turn."""


class Events(Subscription):
    """A graph's events from now on, to iterate over with async for.

        async with graph.events(RecordChanged) as events:
            async for event in events: ...

    Iteration ends when the graph, or this subscription, is closed. A wait that is cancelled has taken nothing: the
    event comes next time. Only one task at a time may wait. Belongs to the thread of its loop.
    """

    __slots__ = ("_loop", "_turn_began", "_waiter")

    _loop: asyncio.AbstractEventLoop | None
    _waiter: asyncio.Future[None] | None
    _turn_began: float

    def __init__(self, graph: GraphBase, registrations: Registrations) -> None:
        super().__init__(graph, registrations)
        self._loop = None
        self._waiter = None
        self._turn_began = self._world.monotonic()

    def __aiter__(self) -> AsyncIterator[Event]:
        self._iterated = True
        return self

    async def __anext__(self) -> Event:
        event = await self._next(None)
        if event is not None:
            return event
        self.close()
        raise StopAsyncIteration

    async def get(self, timeout: float | None = None) -> Event:
        """The next event; waits for it, at most for so many seconds. At the end, the Closed event each time.

        Raises TimeoutError; RuntimeError if another task waits already.
        """
        event = await self._next(timeout) or self.closed
        if event is None:
            raise TimeoutError(f"no event within {timeout} s")
        return event

    async def _next(self, timeout: float | None) -> Event | None:
        """The next event, or None at the end or after the time-out. Takes nothing before its last await."""
        if self._waiter is not None:
            raise RuntimeError("another task waits for the events of this subscription")
        monotonic = self._world.monotonic
        now = monotonic()
        deadline = deadline_of(timeout, now)
        if now - self._turn_began > BUDGET:
            await asyncio.sleep(0)
            self._turn_began = monotonic()
        while True:
            event = self._take_one()
            if event is not None or self.closed is not None:
                return event
            if deadline is not None and monotonic() >= deadline:
                return None
            await self._readable(deadline)
            self._turn_began = monotonic()

    async def _readable(self, deadline: float | None) -> None:
        """Waits until the queue holds something, the subscription is closed, or the time is over."""
        if self._waiter is not None:
            raise RuntimeError("another task waits for the events of this subscription")
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        timer = None
        if deadline is not None:
            timer = loop.call_later(max(0.0, deadline - self._world.monotonic()), _wake, waiter)
        self._waiter, self._loop = waiter, loop
        self._world.watch(loop, self._handle, lambda: _wake(waiter))
        try:
            await waiter
        finally:
            if self._waiter is waiter:  # else close() has been here, and the descriptor may be another's
                self._forget()
            if timer is not None:
                timer.cancel()

    def _forget(self) -> None:
        loop, self._loop, self._waiter = self._loop, None, None
        if loop is not None and not loop.is_closed():
            self._world.unwatch(loop, self._handle)

    def close(self) -> None:
        """Ends the subscription; a task that waits for its events finds the end. May be called again."""
        if self._ended or self._is_foreign():
            return
        waiter = self._waiter
        if waiter is not None:  # stop polling first: the number of the descriptor is free after the next line
            self._forget()
            _wake(waiter)
        with self._lock:
            self._buffer.clear()
        self._close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done() and not waiter.get_loop().is_closed():  # who waited in a closed loop never goes on
        waiter.set_result(None)
