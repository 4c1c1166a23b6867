"""An asyncio event loop in virtual time: sleeping costs nothing, and the same program runs the same way every time."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
from asyncio import base_events
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from contextlib import AbstractContextManager
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

from ._sim_errors import SIGNALS, SOCKETS, SUBPROCESSES, NotSimulated, SimulationError, SimulationIdle
from ._sim_time import SECOND_US, Flow

if TYPE_CHECKING:
    from typing_extensions import TypeVarTuple, Unpack

    Ts = TypeVarTuple("Ts")

T = TypeVar("T")

RESOLUTION: Final = 1 / SECOND_US
TURNS_MAX: Final = 1_000_000
"""Turns without time passing after which a task is said to hang."""

PLACES_MAX: Final = 8
HIDDEN: Final = frozenset({"peergraph.sim"})

TaskWatcher = Callable[["asyncio.Task[Any]", contextvars.Context], None]


class _Network:
    """What the loop takes for its selector: there are no descriptors, but time passes while it waits."""

    def __init__(self, flow: Flow, loop: VirtualLoop) -> None:
        self._flow = flow
        self._loop = loop
        self._turns = 0
        self._turns_at_us = -1
        self.single = False
        """Whether to stop after one moment."""
        self.happened = False

    def select(self, timeout: float | None) -> list[object]:
        """Lets time pass until a task can go on, or up to the next timer."""
        if timeout is not None and timeout <= 0:
            self._flow.tell()
            self._count_turn()
            return []
        now_us = self._flow.now_us
        deadline_us = None if timeout is None else now_us + max(1, round(timeout * SECOND_US))
        if self.single:
            self.happened = self._flow.step(deadline_us)
            self._loop.stop()
        elif not self._flow.run(deadline_us):
            raise SimulationIdle(_who_waits(self._loop, self._flow.now_us))
        return []

    def _count_turn(self) -> None:
        """A task that asks again and again without letting time pass would hang for ever."""
        now_us = self._flow.now_us
        if now_us != self._turns_at_us:
            self._turns, self._turns_at_us = 0, now_us
        self._turns += 1
        if self._turns > TURNS_MAX:
            self._turns = 0
            raise SimulationError(
                f"the programs had {TURNS_MAX:,} turns at {now_us / SECOND_US} s and let no time pass: "
                "sleep(0) in a loop waits for ever in virtual time; sleep for a while, or wait for an event. "
                "It is the turn of:\n" + "\n".join(_lines(self._loop.next_tasks()))
            )

    def close(self) -> None:
        """Nothing to close."""


class VirtualLoop(base_events.BaseEventLoop):
    """The event loop of a simulated network: its time is the network's, and it runs the network while it waits."""

    if TYPE_CHECKING:  # what BaseEventLoop has and its stubs do not say
        _ready: deque[asyncio.Handle]
        _scheduled: list[asyncio.TimerHandle]

    def __init__(self, flow: Flow, on_task: TaskWatcher, around: Callable[[], AbstractContextManager[None]]) -> None:
        super().__init__()
        self._around = around
        self._flow = flow
        self._on_task = on_task
        self._selector = _Network(flow, self)
        self._clock_resolution = RESOLUTION

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {self.time():.6f} s running={self.is_running()} closed={self.is_closed()}>"

    def time(self) -> float:
        """Virtual seconds since the network was opened."""
        return self._flow.now_us / SECOND_US

    # -- what BaseEventLoop asks of a loop -----------------------------------------------------------------------------

    def _process_events(self, event_list: list[object]) -> None:
        """Whoever is woken was called already."""

    def _write_to_self(self) -> None:
        """Nothing sleeps in a system call that would have to be woken."""

    def run_forever(self) -> None:
        """Runs until it is stopped; time passes as fast as the programs let it."""
        with self._around():
            super().run_forever()

    def close(self) -> None:
        """Closes the loop; the network goes on without."""
        if not self.is_running():
            super().close()

    def step(self) -> bool:
        """The next moment at which something happens, in the network or in a program; False if none will come."""
        self._selector.single, self._selector.happened = True, True
        try:
            self.run_forever()
        finally:
            self._selector.single = False
        self.settle()
        return self._selector.happened

    def settle(self) -> None:
        """Lets the programs do all that can be done without time passing."""
        while self._ready:
            self.stop()
            self.run_forever()

    def next_tasks(self) -> list[asyncio.Task[Any]]:
        """The tasks that go on without time passing."""
        callbacks: list[Any] = [handle._callback for handle in self._ready]  # type: ignore[attr-defined]
        owners = [getattr(callback, "__self__", None) for callback in callbacks]
        return [owner for owner in owners if isinstance(owner, asyncio.Task)]

    # -- tasks ---------------------------------------------------------------------------------------------------------

    def create_task(self, coro: Coroutine[Any, Any, T], **options: Any) -> asyncio.Task[T]:  # type: ignore[override]
        """As any loop; but it is known which host a task belongs to."""
        task: asyncio.Task[T] = super().create_task(coro, **options)
        self._on_task(task, options.get("context") or contextvars.copy_context())
        return task

    def forget_timers(self, belongs: Callable[[contextvars.Context], bool]) -> None:
        """Cancels every timer whose context is of a kind."""
        for handle in list(self._scheduled):
            context: contextvars.Context = handle._context  # type: ignore[attr-defined]
            if not handle.cancelled() and belongs(context):
                handle.cancel()

    # -- threads, which there are none ---------------------------------------------------------------------------------

    def run_in_executor(
        self, executor: concurrent.futures.Executor | None, func: Callable[[Unpack[Ts]], T], *args: Unpack[Ts]
    ) -> asyncio.Future[T]:
        """Calls the function on the spot, as soon as the caller waits: in virtual time it takes no time."""
        future: asyncio.Future[T] = self.create_future()
        self.call_soon(self._run_inline, future, func, args)
        return future

    def _run_inline(self, future: asyncio.Future[T], func: Callable[[Unpack[Ts]], T], args: tuple[Unpack[Ts]]) -> None:
        if future.cancelled():
            return
        asyncio._set_running_loop(None)  # a thread has none
        try:
            result = func(*args)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(result)
        finally:
            asyncio._set_running_loop(self)

    # -- what is refused -----------------------------------------------------------------------------------------------

    async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> NoReturn:
        """Refused."""
        raise NotSimulated(f"getaddrinfo({host!r}): a simulated host has no sockets and no name service")

    async def getnameinfo(self, sockaddr: Any, flags: int = 0) -> NoReturn:
        """Refused."""
        raise NotSimulated("getnameinfo(): a simulated host has no sockets and no name service")


def _refuse(name: str, reason: str, awaited: bool) -> Callable[..., Any]:
    def refused(self: VirtualLoop, *args: object, **options: object) -> NoReturn:
        raise NotSimulated(f"{name}(): {reason}")

    async def refused_later(self: VirtualLoop, *args: object, **options: object) -> NoReturn:
        refused(self)

    method: Callable[..., Any] = refused_later if awaited else refused
    method.__name__ = method.__qualname__ = name
    method.__doc__ = "Refused."
    return method


_REFUSED_AT_ONCE: Final = {
    "add_reader remove_reader add_writer remove_writer": SOCKETS,
    "add_signal_handler remove_signal_handler": SIGNALS,
}
_REFUSED: Final = {
    """create_connection create_server create_datagram_endpoint create_unix_connection create_unix_server
    connect_accepted_socket connect_read_pipe connect_write_pipe start_tls sendfile sock_recv sock_recv_into
    sock_recvfrom sock_recvfrom_into sock_sendall sock_sendto sock_connect sock_accept sock_sendfile""": SOCKETS,
    "subprocess_exec subprocess_shell": SUBPROCESSES,
}
for _table, _awaited in ((_REFUSED_AT_ONCE, False), (_REFUSED, True)):
    for _names, _reason in _table.items():
        for _name in _names.split():
            setattr(VirtualLoop, _name, _refuse(_name, _reason, _awaited))


def _who_waits(loop: asyncio.AbstractEventLoop, now_us: int) -> str:
    """The message of SimulationIdle."""
    lines = [f"nothing will ever happen after {now_us / SECOND_US} s, and this waits:"]
    lines += _lines(asyncio.all_tasks(loop))
    if len(lines) == 1:
        lines.append("  whoever runs the loop")
    return "\n".join(lines)


def _lines(tasks: Iterable[asyncio.Task[Any]]) -> list[str]:
    ordered = sorted(tasks, key=lambda task: task.get_name())
    return [f"  {task.get_name()}: {' > '.join(_places(task)) or 'about to begin'}" for task in ordered]


def _places(task: asyncio.Task[Any]) -> list[str]:
    """Where a task waits: the coroutine that it runs, the one that this awaits, and so on."""
    places: list[str] = []
    awaited: Any = task.get_coro()
    while awaited is not None and len(places) < PLACES_MAX:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "ag_frame", None)
        if frame is not None and frame.f_globals.get("__name__") not in HIDDEN:
            code = frame.f_code
            places.append(f"{code.co_name} ({PurePath(code.co_filename).name}:{frame.f_lineno})")
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "ag_await", None)
    return places
