"""Calls that take time, made by a worker thread while the loop goes on."""

from __future__ import annotations

import asyncio
import threading
import warnings
from collections.abc import Awaitable, Callable, Generator
from types import TracebackType
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

T = TypeVar("T")


class _Call(Generic[T]):
    """A call in a worker thread, whose result is undone if nobody waits for it any more."""

    __slots__ = ("_abandoned", "_call", "_lock", "_results", "_undo")

    def __init__(self, call: Callable[[], T], undo: Callable[[T], object]) -> None:
        self._call = call
        self._undo = undo
        self._lock = threading.Lock()
        self._abandoned = False
        self._results: list[T] = []

    def run(self) -> T:
        """In the worker."""
        result = self._call()
        with self._lock:
            self._results.append(result)
            abandoned = self._abandoned
        if abandoned:
            self._undo(result)
        return result

    def abandon(self, loop: asyncio.AbstractEventLoop) -> None:
        """In the loop: the result is undone now, or by the worker when it is there."""
        with self._lock:
            self._abandoned = True
            results = list(self._results)
        for result in results:
            loop.run_in_executor(None, self._undo, result)


def _keep(result: object) -> None:
    """Nothing to undo."""


def _overlook(future: asyncio.Future[T]) -> None:
    """Nobody waits for it any more: the loop need not complain that nobody asked for its error."""
    if not future.cancelled():
        future.exception()


async def in_thread(call: Callable[[], T], undo: Callable[[T], object] = _keep) -> T:
    """Runs a call on the loop's executor. If the caller is cancelled, what the call gives is undone."""
    loop = asyncio.get_running_loop()
    work = _Call(call, undo)
    future = loop.run_in_executor(None, work.run)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        future.add_done_callback(_overlook)
        work.abandon(loop)
        raise


class Ending:
    """The end of something, made by a worker thread: whoever closes it meanwhile waits for it too."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.Lock()

    async def wait(self, close: Callable[[], None], is_closed: bool) -> None:
        """Closes it, which does nothing if it was closed; returns when that is over."""
        if not is_closed or self._lock.locked():
            await in_thread(lambda: self._run(close))

    def _run(self, close: Callable[[], None]) -> None:
        with self._lock:
            close()


class Closable(Protocol):
    """What can be opened."""

    async def close(self) -> None:
        """Closes it."""


C = TypeVar("C", bound=Closable)


class Opening(Generic[C], Awaitable[C]):
    """Something on its way: await it, or use it in an async with statement that closes it at the end."""

    __slots__ = ("_name", "_opened", "_start", "_started")

    def __init__(self, name: str, start: Callable[[], Awaitable[C]]) -> None:
        self._started = False
        self._name = name
        self._start = start
        self._opened: C | None = None

    def __del__(self) -> None:
        if not self._started:
            warnings.warn(f"{self._name!r} was never awaited", RuntimeWarning, stacklevel=2, source=self)

    def _begin(self) -> Awaitable[C]:
        self._started = True
        return self._start()

    def __repr__(self) -> str:
        return "<peergraph.aio.Opening: await it, or use it in an async with statement>"

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            raise AttributeError(f"{name!r}: not open yet; await it first, or use it in an async with statement")

    def __await__(self) -> Generator[None, None, C]:
        return self._begin().__await__()

    async def __aenter__(self) -> C:
        self._opened = await self._begin()
        return self._opened

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._opened is not None:
            await self._opened.close()
