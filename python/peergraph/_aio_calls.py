"""Calls that take time, made by a worker thread while the loop goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from types import TracebackType
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")


async def in_thread(call: Callable[[], T], undo: Callable[[T], object] | None = None) -> T:
    """Runs a call on the loop's executor. If the caller is cancelled, the result is undone when it is there."""
    loop = asyncio.get_running_loop()
    future = loop.run_in_executor(None, call)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        if undo is None or not future.done():
            future.add_done_callback(lambda done: _undo(loop, done, undo))
        else:
            _undo(loop, future, undo)
        raise


def _undo(loop: asyncio.AbstractEventLoop, done: asyncio.Future[T], undo: Callable[[T], object] | None) -> None:
    if done.cancelled() or done.exception() is not None or undo is None:
        return  # asking for the exception keeps asyncio from complaining that nobody did
    result = done.result()
    if loop.is_closed():
        undo(result)
    else:
        loop.run_in_executor(None, undo, result)


class Closable(Protocol):
    """What can be opened."""

    async def close(self) -> None:
        """Closes it."""


C = TypeVar("C", bound=Closable)


class Opening(Generic[C], Awaitable[C]):
    """Something on its way: await it, or use it in an async with statement that closes it at the end."""

    __slots__ = ("_opened", "_start")

    def __init__(self, start: Callable[[], Awaitable[C]]) -> None:
        self._start = start
        self._opened: C | None = None

    def __await__(self) -> Generator[None, None, C]:
        return self._start().__await__()

    async def __aenter__(self) -> C:
        self._opened = await self._start()
        return self._opened

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._opened is not None:
            await self._opened.close()
