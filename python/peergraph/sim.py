"""A network in virtual time, for tests of programs that use peergraph.

    with Network(seed=1) as network:
        alice, bob = network.add_hosts("alice", "bob")
        alice.start(main, "create")
        bob.start(main, "join", "alice:5000")
        network.run_for(10)
        network.partition([alice], [bob])
        network.run_for(300)
        network.heal()
        network.run_until_converged()

Programs are ordinary coroutines written against `peergraph.aio`; their sleeps and time-outs cost nothing. The same seed
and the same calls give the same run, byte for byte. Moments and durations are seconds; durations may be timedeltas.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import os
import random
import warnings
from collections.abc import Awaitable, Callable, Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from . import _native, _native_sim, _sim_compare
from ._check import text, whole, wrong_type
from ._context import current_world
from ._native_sim import RawLink
from ._sim_errors import HostCrashed, NotConverged, NotSimulated, SimulationError, SimulationIdle, without_machinery
from ._sim_host import Host
from ._sim_life import Life
from ._sim_messages import (
    Action,
    Interception,
    Interceptions,
    Message,
    MessageState,
    MessageType,
    Predicate,
    filter_of,
    host_number,
)
from ._sim_patch import Patch
from ._sim_picture import Picture, picture_of
from ._sim_time import FAR_US, SECOND_US, Condition, Flow, Seconds, microseconds, not_negative
from ._sim_topology import networkx_graph, parts, topology
from ._sim_trace import Trace
from ._virtual_loop import VirtualLoop

if TYPE_CHECKING:
    from typing_extensions import Self

T = TypeVar("T")
Hosts = Host | Iterable[Host]

PATIENCE: Final = 3600.0
"""Virtual seconds after which what is waited for is said not to come."""
IDLE_AFTER: Final = 86_400.0
TRACE_BYTES: Final = 1 << 20
CLOSING_US: Final = 60 * SECOND_US
PARTS: Final = 1_000_000


class Network:
    """A simulated network; use it in a with statement, or close it. Belongs to the thread that made it.

    seed             decides everything that is chance
    trace_bytes      how much of the trace is kept at most; 0: none. The hash is over all of it in any case
    untraced         no trace at all, for speed
    connect_timeout  how long a dial through a cut takes to fail
    reset_after      how long a connection that is cut lives; None: for ever
    idle_after       how long programs may wait without a deadline while nothing happens but the upkeep of graphs;
                     then SimulationIdle is raised
    time_limit       virtual seconds after which the network refuses to go on; None: never
    patch            for programs on hosts the functions of the module time, the global random numbers and os.urandom()
                     are virtual too while they run, and sockets and subprocesses are refused also where the loop is not
                     asked. False: they are what they are, and runs may differ
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        trace_bytes: int = TRACE_BYTES,
        untraced: bool = False,
        connect_timeout: Seconds = 20.0,
        reset_after: Seconds | None = 100.0,
        idle_after: Seconds = IDLE_AFTER,
        time_limit: Seconds | None = None,
        patch: bool = True,
    ) -> None:
        self._closed = True
        self._seed = whole("seed", seed, 0, (1 << 64) - 1)
        self._hosts: list[Host] = []
        flags = _native_sim.OPTION_UNTRACED if untraced else 0
        reset_us = -1 if reset_after is None else not_negative("reset_after", reset_after)
        self._handle = _native_sim.sim_open(seed, flags, not_negative("connect_timeout", connect_timeout), reset_us)
        self._trace = Trace(self._handle, 0 if untraced else whole("trace_bytes", trace_bytes, 0, 1 << 40))
        self._flow = Flow(self._handle, not_negative("idle_after", idle_after))
        around = Patch(seed).applied if patch else contextlib.nullcontext
        self._loop = VirtualLoop(self._flow, self._on_task, around)
        self._programs: dict[asyncio.Task[Any], Host | None] = {}
        self._interceptions = Interceptions(self)
        self._cuts: set[tuple[int, int]] = set()
        self._limit_us = None if time_limit is None else not_negative("time_limit", time_limit)
        self._flow.check = self._before_time_passes
        self.random = random.Random(seed)
        """Random numbers for the test's own schedules; the network draws its own."""
        self._closed = False

    def __repr__(self) -> str:
        if self._closed:
            return f"<peergraph.sim.Network seed={self._seed} closed>"
        return f"<peergraph.sim.Network seed={self._seed} hosts={len(self._hosts)} now={self.now:.6f}>"

    @property
    def seed(self) -> int:
        """What decides everything that is chance."""
        return self._seed

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop in which the programs run."""
        return self._loop

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    # -- hosts ---------------------------------------------------------------------------------------------------------

    @property
    def hosts(self) -> Sequence[Host]:
        """All hosts, also those that are down."""
        return tuple(self._hosts)

    def add_host(
        self,
        name: str | None = None,
        *,
        address: str | None = None,
        clock_offset: Seconds = 0.0,
        drift_ppm: int = 0,
        data_directory: str | os.PathLike[str] | None = None,
    ) -> Host:
        """Adds a host, which is up at once.

        name            what others connect to: letters, digits, "-", ".", "_". None: "h1", "h2", …
        address         IPv4 or IPv6, without port. None: fd00::1, fd00::2, …
        clock_offset    how much later than true time its clock is
        drift_ppm       how many millionths its clock runs faster
        data_directory  where its databases live. None: in memory, for as long as the network is open

        Raises AlreadyExists, AccessDenied, InvalidArgument.
        """
        number = _native_sim.sim_add_host(
            self._handle,
            name,
            address,
            None if data_directory is None else os.fsdecode(data_directory),
            microseconds("clock_offset", clock_offset),
            whole("drift_ppm", drift_ppm, -(1 << 31), (1 << 31) - 1),
        )
        host = Host(self, number)
        self._hosts.append(host)
        return host

    def add_hosts(self, *names: str | int) -> list[Host]:
        """Adds several hosts with defaults: as many as names, or as a number says."""
        if len(names) == 1 and isinstance(names[0], int):
            return [self.add_host() for _ in range(names[0])]
        return [self.add_host(text("each name", name)) for name in names]  # type: ignore[arg-type]

    def host(self, name: str) -> Host:
        """The host of a name. Raises KeyError."""
        for host in self._hosts:
            if host.name == name:
                return host
        raise KeyError(name)

    # -- programs ------------------------------------------------------------------------------------------------------

    def run(self, main: Callable[..., Awaitable[T]], *args: Any) -> T:
        """Runs a coroutine function on no host, with the programs of all hosts; gives what it returns.

        Raises what it raises, or what a program raised meanwhile; SimulationIdle. Not for use in a coroutine.
        """
        __tracebackhide__ = True
        return self._finish(self._start(main, args, contextvars.copy_context(), None))

    def _start(
        self, main: Callable[..., Awaitable[T]], args: Sequence[Any], context: contextvars.Context, host: Host | None
    ) -> asyncio.Task[T]:
        self._check_open()
        if not callable(main):
            if asyncio.iscoroutine(main):
                main.close()  # or Python complains, too, that nobody awaited it
            raise wrong_type("main", "a coroutine function", main, "; its arguments follow it: host.start(main, 1, 2)")
        if host is not None and not host.is_up:
            raise SimulationError(f"the host {host.name!r} is down; restart it first")
        named = main.func if isinstance(main, functools.partial) else main
        name = getattr(named, "__qualname__", None) or repr(main)
        task = context.run(self._loop.create_task, _program(main, args))
        task.set_name(f"{name} on {host.name}" if host is not None else name)
        self._programs[task] = host
        return task

    def _on_task(self, task: asyncio.Task[Any], context: contextvars.Context) -> None:
        life = context.get(current_world)
        if isinstance(life, Life):
            life.tasks[task] = None
            task.add_done_callback(lambda task: life.tasks.pop(task, None))

    def _check_open(self) -> None:
        if self._closed:
            raise SimulationError("the network is closed")

    def _check_outside(self) -> None:
        self._check_open()
        if self._loop.is_running():
            raise SimulationError(
                "time passes already: in a coroutine use asyncio.sleep(), await host.start(), await network.until()"
            )

    def _finish(self, task: asyncio.Task[T]) -> T:
        """Lets time pass until a task has ended."""
        __tracebackhide__ = True
        host = self._programs.pop(task, None)
        try:
            return self._drive(task)
        except asyncio.CancelledError:
            if host is not None:
                raise HostCrashed(f"{host.name!r} crashed at {self.now:.6f} s at the latest") from None
            raise

    def _drive(self, future: asyncio.Future[T]) -> T:
        """Lets time pass until a future is done; raises what a program raised meanwhile."""
        __tracebackhide__ = True
        self._check_outside()
        try:
            result = self._loop.run_until_complete(future)
            self.raise_failures()
        except BaseException as error:
            raise without_machinery(error)  # noqa: B904 (it is the same)
        return result

    def raise_failures(self) -> None:
        """Raises what a program raised if nobody has seen it; whatever lets time pass does so by itself."""
        __tracebackhide__ = True
        for task in [task for task in self._programs if task.done()]:
            del self._programs[task]
            if not task.cancelled() and getattr(task, "_log_traceback", True) and (error := task.exception()):
                _add_note(error, f"raised by the program {task.get_name()!r}, seed {self._seed}")
                raise error

    def _before_time_passes(self) -> None:
        self.raise_failures()
        if self._limit_us is not None and self._flow.now_us >= self._limit_us:
            raise SimulationError(
                f"the network has run for its limit of {self._limit_us / SECOND_US} virtual seconds: "
                "does the test wait for something that never comes? Network(time_limit=...) sets another limit"
            )

    def _bury(self, life: Life) -> None:
        """A host has died: its programs are cancelled, and have no timers any more."""
        self._loop.forget_timers(lambda context: context.get(current_world) is life)
        for task in list(life.tasks):
            task.cancel()
        if not self._loop.is_running():
            self._loop.settle()

    # -- time ----------------------------------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        """Virtual seconds since the network was opened."""
        return self._flow.now_us / SECOND_US

    def run_for(self, seconds: Seconds) -> None:
        """Lets time pass; 0 lets happen what is due now. Raises what a program raises meanwhile."""
        __tracebackhide__ = True
        duration_us = not_negative("seconds", seconds)
        self._check_outside()
        _native_sim.sim_run_for(self._handle, 0)
        future = self._loop.create_future()
        self._loop.call_at((self._flow.now_us + duration_us) / SECOND_US, future.set_result, None)
        self._drive(future)

    def run_until(
        self,
        condition: Callable[[], object] | float,
        *,
        timeout: Seconds | None = PATIENCE,
        every: Seconds = 0.0,
    ) -> Any:
        """Lets time pass until a condition holds, or up to a moment; gives what the condition gave.

        condition  called after everything that happens; or a moment in virtual seconds
        timeout    virtual seconds; None: for ever
        every      call it only so often, if it is expensive

        Raises TimeoutError if it does not hold in time, and what a program raises meanwhile.
        """
        __tracebackhide__ = True
        self._check_outside()
        if callable(condition):
            return self._drive(self._loop.create_task(self.until(condition, timeout=timeout, every=every)))
        return self.run_for(max(0, microseconds("condition", condition) - self._flow.now_us) / SECOND_US)

    async def until(self, condition: Callable[[], T], *, timeout: Seconds | None = PATIENCE, every: Seconds = 0.0) -> T:
        """The same as `run_until`, in a coroutine."""
        __tracebackhide__ = True
        limit = None if timeout is None else not_negative("timeout", timeout) / SECOND_US
        waiting = Condition(condition, self._loop.create_future(), not_negative("every", every))
        self._flow.conditions.append(waiting)
        try:
            answer: T = await asyncio.wait_for(asyncio.shield(waiting.future), limit)
        except asyncio.TimeoutError:
            if waiting.future.done():
                raise
            name = getattr(condition, "__qualname__", None) or repr(condition)
            raise TimeoutError(f"{name} does not hold after {limit} virtual seconds, at {self.now:.6f} s") from None
        finally:
            waiting.future.cancel()
            if waiting in self._flow.conditions:
                self._flow.conditions.remove(waiting)
        return answer

    def step(self) -> bool:
        """The next moment at which something happens, in the network or in a program; False if none will ever come."""
        __tracebackhide__ = True
        self._check_outside()
        happened = self._loop.step()
        self.raise_failures()
        return happened

    def _wait(self, queue: _native.Handle, seconds: float) -> bool:
        """Lets time pass until a queue holds something; for programs that wait in calls."""
        deadline_us: int | None = None
        if seconds <= FAR_US / SECOND_US:
            # A wait takes a moment at least: of seconds as floats 2e-16 may be left, for which no time would ever pass.
            deadline_us = self._flow.now_us + (max(1, round(seconds * SECOND_US)) if seconds > 0 else 0)
        while not _native.event_queue_wait(queue, 0):
            if deadline_us is not None and self._flow.now_us >= deadline_us:
                return False
            self._wait_for_news(queue, deadline_us)
        return True

    def _wait_for_news(self, queue: _native.Handle, deadline_us: int | None) -> None:
        future = self._loop.create_future()
        self._flow.watch(queue, lambda: _set(future))
        try:
            if self._loop.is_running():  # in a program: nobody else has a turn meanwhile, as in any loop
                while not future.done() and self._flow.run(deadline_us):
                    if deadline_us is not None and self._flow.now_us >= deadline_us:
                        return
                if not future.done():
                    raise SimulationIdle(
                        f"nothing will ever happen after {self.now:.6f} s, and a program waits in a call"
                    )
                return
            if deadline_us is not None:
                self._loop.call_at(deadline_us / SECOND_US, _set, future)
            self._drive(future)
        finally:
            self._flow.unwatch(queue)

    # -- links ---------------------------------------------------------------------------------------------------------

    def link(
        self,
        a: Hosts | None = None,
        b: Hosts | None = None,
        *,
        latency: Seconds = 0.010,
        jitter: Seconds = 0.005,
        bandwidth: int | None = None,
        loss: float = 0.0,
        stall: float = 0.0,
        stall_time: Seconds = 1.0,
        reset: float = 0.0,
        both_ways: bool = True,
    ) -> None:
        """Sets how the network is between two hosts, or sets of hosts; None: all. Holds for what is sent from now on.

        latency     one way, at least
        jitter      up to so much more
        bandwidth   bytes a second of each connection; None: no limit
        loss        chance that a packet is lost; TCP sends it again, so that loss shows as delay
        stall       chance that a piece of up to 32 KiB stops its connection for stall_time
        reset       chance that a piece resets its connection
        both_ways   False: only from a to b
        """
        raw = RawLink(
            _parts("loss", loss),
            _parts("stall", stall),
            _parts("reset", reset),
            not_negative("stall_time", stall_time) if stall else 0,
            not_negative("latency", latency),
            not_negative("jitter", jitter),
            0 if bandwidth is None else whole("bandwidth", bandwidth, 1, (1 << 63) - 1),
        )
        for src in _numbers(a):
            for dst in _numbers(b):
                if src != dst or src == _native_sim.ANY_HOST:
                    _native_sim.sim_set_link(self._handle, src, dst, raw)
                    if both_ways and src != dst:
                        _native_sim.sim_set_link(self._handle, dst, src, raw)

    def partition(self, left: Hosts, right: Hosts | None = None) -> None:
        """Cuts all ways between two sets of hosts: bytes wait, dials fail after their time.

        right  None: all others
        """
        self._cut(left, self._rest(left) if right is None else right, _native_sim.sim_partition, both_ways=True)

    def cut(self, src: Hosts, dst: Hosts) -> None:
        """Cuts the way from some hosts to others; the other direction is left as it is."""
        self._cut(src, dst, _native_sim.sim_cut, both_ways=False)

    def _rest(self, hosts: Hosts) -> list[Host]:
        given = set(_numbers(hosts))
        return [host for host in self._hosts if host.number not in given]

    def _cut(self, src: Hosts, dst: Hosts, cut: Callable[..., None], both_ways: bool) -> None:
        sources, targets = _numbers(src), _numbers(dst)
        cut(self._handle, sources, targets)
        pairs = {(a, b) for a in sources for b in targets if a != b}
        self._cuts |= pairs | ({(b, a) for a, b in pairs} if both_ways else set())

    def mend(self, src: Hosts, dst: Hosts) -> None:
        """Ends a cut, that direction only. Bytes that waited go on."""
        sources, targets = _numbers(src), _numbers(dst)
        _native_sim.sim_mend(self._handle, sources, targets)
        self._cuts -= {(a, b) for a in sources for b in targets}

    def heal(self) -> None:
        """Ends every cut."""
        _native_sim.sim_heal(self._handle)
        self._cuts.clear()

    def is_cut(self, src: Host, dst: Host) -> bool:
        """Whether the way from one host to another is cut."""
        return (src.number, dst.number) in self._cuts

    def parts(self) -> list[list[Host]]:
        """The hosts that are up, in parts between which no way leads in both directions, the largest first."""
        return parts(self)

    # -- messages ------------------------------------------------------------------------------------------------------

    def messages(
        self, type: MessageType | int | None = None, src: Host | None = None, dst: Host | None = None
    ) -> list[Message]:
        """What is under way now: connection after connection, each in the order of arrival, then what is held."""
        self._check_open()
        raws = _native_sim.sim_get_messages(self._handle, filter_of(type, src, dst))
        return [Message(self, raw) for raw in raws]

    def intercept(
        self,
        where: Predicate | None = None,
        *,
        type: MessageType | int | None = None,
        src: Host | None = None,
        dst: Host | None = None,
        do: Action = Message.hold,
        times: int | None = None,
    ) -> Interception:
        """Catches messages when they arrive, until the with statement ends or `stop()`.

            with network.intercept(type=MessageType.FLOOD, dst=bob) as caught: ...
            network.intercept(lambda message: message.record is not None, do=Message.drop, times=1)

        where           called with each message that matches the rest; whether to catch it. Lets no time pass
        type, src, dst  only messages of a type, from a host, to a host
        do              called with each that is caught: Message.hold, Message.drop, or a function that calls methods of
                        it. What it neither holds, drops nor releases goes on. Lets no time pass
        times           only so many of them; None: all

        If several want a message, the first has it.
        """
        self._check_open()
        return self._interceptions.add(filter_of(type, src, dst), where, do, times)

    def message_count(
        self, type: MessageType | int | None = None, *, src: Host | None = None, dst: Host | None = None
    ) -> int:
        """How many messages were delivered so far; of a type, from a host, or to a host, but not both."""
        if src is not None and dst is not None:
            raise ValueError("messages are counted by src or by dst, not by both")
        host = src or dst
        number = _native_sim.ANY_HOST if host is None else host.number
        sent, received = _native_sim.sim_get_message_count(self._handle, number, 0 if type is None else int(type))
        return received if dst is not None else sent

    # -- what has become of it -----------------------------------------------------------------------------------------

    def differences(self, graph_id: str | None = None) -> dict[str, list[str]]:
        """For each graph whose replicas differ, in what, a line for each record; empty if all are equal.

        Compared are the unexpired records of the application that the hosts that are up have in their open graphs: id,
        version, modifier, type, attributes and data.
        """
        found = _sim_compare.replicas((host for host in self._hosts if host.is_up), graph_id)
        lines = {name: _sim_compare.differences(replicas) for name, replicas in found.items()}
        return {name: each for name, each in lines.items() if each}

    def converged(self, graph_id: str | None = None) -> bool:
        """Whether all replicas of a graph, or of all graphs, are equal."""
        return not self.differences(graph_id)

    def assert_converged(self, graph_id: str | None = None) -> None:
        """Raises NotConverged, an AssertionError, that says in what the replicas differ. See `differences`."""
        __tracebackhide__ = True
        found = self.differences(graph_id)
        if graph_id is not None and not any(graph.id == graph_id for host in self._hosts for graph in host.graphs):
            raise NotConverged(f"no host that is up has the graph {graph_id!r} open")
        if found:
            raise NotConverged("\n".join(_sim_compare.report(name, lines, self.now) for name, lines in found.items()))

    def run_until_converged(
        self, graph_id: str | None = None, *, timeout: Seconds = PATIENCE, every: Seconds = 1.0
    ) -> float:
        """Lets time pass until all replicas are equal; gives how many seconds that took. Raises NotConverged."""
        __tracebackhide__ = True
        self._check_outside()
        return self._drive(self._loop.create_task(self.until_converged(graph_id, timeout=timeout, every=every)))

    async def until_converged(
        self, graph_id: str | None = None, *, timeout: Seconds = PATIENCE, every: Seconds = 1.0
    ) -> float:
        """The same as `run_until_converged`, in a coroutine."""
        __tracebackhide__ = True
        began = self.now
        try:
            await self.until(lambda: self.converged(graph_id), timeout=timeout, every=every)
        except TimeoutError:
            self.assert_converged(graph_id)
        return self.now - began

    def graph(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Who is connected to whom: for each host by name, for each that it is connected to, what the connection is.

        networkx takes it as it is: networkx.Graph(network.graph()).
        """
        return topology(self)

    def networkx(self) -> Any:
        """The same as a networkx.Graph, in which nodes have attributes too. Raises ImportError."""
        return networkx_graph(self)

    def _neighbours(self) -> dict[int, set[int]]:
        found: dict[int, set[int]] = {host.number: set() for host in self._hosts}
        for each in _native_sim.sim_get_connections(self._handle):
            if each.flags & _native_sim.CONNECTION_NEIGHBOR:
                found[each.src].add(each.dst)
                found[each.dst].add(each.src)
        return found

    def plot(self, path: str | os.PathLike[str] | None = None) -> Picture:
        """A picture of who is connected to whom, cuts, parts and presence; SVG, shown by notebooks.

        path  also writes it to this file
        """
        picture = picture_of(self)
        if path is not None:
            picture.save(path)
        return picture

    # -- trace ---------------------------------------------------------------------------------------------------------

    @property
    def trace(self) -> list[str]:
        """The last lines of the trace, each a JSON object: what hosts, connections, messages and records did."""
        return self._trace.lines()

    @property
    def trace_hash(self) -> int:
        """A hash over all lines so far: equal for equal runs."""
        return _native_sim.sim_get_trace_hash(self._handle)

    def trace_to(self, path: str | os.PathLike[str] | None) -> None:
        """Writes every line from now on to a file; None: no longer. Raises AccessDenied, DiskFull."""
        _native_sim.sim_set_trace_file(self._handle, None if path is None else os.fsdecode(path))

    def note(self, text: str) -> None:
        """Adds a line of the test's own to the trace; at most 200 bytes."""
        _native_sim.sim_add_note(self._handle, text)

    # -- the end -------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Ends the network: programs are cancelled and have a virtual minute to clean up; the rest just ends.

        May be called again. Not for use in a coroutine.
        """
        if self._closed:
            return
        if self._loop.is_running():
            raise SimulationError("a network cannot be closed by a coroutine that runs in it")
        try:
            self._end_programs()
        finally:
            self._closed = True
            for host in self._hosts:
                host._close()
            self._loop.close()
            _native_sim.sim_close(self._handle)

    def _end_programs(self) -> None:
        self._flow.check = None
        try:
            tasks = asyncio.all_tasks(self._loop)
            for task in sorted(tasks, key=lambda task: task.get_name()):
                task.cancel()
            if tasks:
                self._loop.run_until_complete(_ended(tasks))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        except SimulationError:
            pass  # whoever does not end has had his time

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None and not self._closed:
                self.raise_failures()
        finally:
            self.close()

    def __del__(self) -> None:
        if not getattr(self, "_closed", True):
            warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)


async def _program(main: Callable[..., Awaitable[T]], args: Sequence[Any]) -> T:
    """A program as a process: what it returns, or the code that it exits with."""
    __tracebackhide__ = True
    try:
        return await main(*args)
    except SystemExit as ended:
        return ended.code  # type: ignore[return-value]


async def _ended(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Waits for tasks that were cancelled, but not for ever."""
    await asyncio.wait(tasks, timeout=CLOSING_US / SECOND_US)


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _add_note(error: BaseException, note: str) -> None:
    if hasattr(error, "add_note"):  # from Python 3.11
        error.add_note(note)


def _numbers(hosts: Hosts | None) -> list[int]:
    if hosts is None:
        return [_native_sim.ANY_HOST]
    given = [hosts] if isinstance(hosts, Host | str) else list(hosts)
    return [host_number("hosts", host) for host in given]


def _parts(name: str, chance: float) -> int:
    """A chance in millionths."""
    if not 0.0 <= chance <= 1.0:
        raise ValueError(f"{name} is {chance}, not a chance from 0 to 1")
    return round(chance * PARTS)


for _class in (
    Host,
    Interception,
    Message,
    MessageType,
    MessageState,
    Picture,
    SimulationError,
    SimulationIdle,
    HostCrashed,
    NotConverged,
    NotSimulated,
):
    _class.__module__ = __name__  # as people import them

__all__ = [
    "Network",
    "Host",
    "Message",
    "MessageType",
    "MessageState",
    "Interception",
    "Picture",
    "SimulationError",
    "SimulationIdle",
    "HostCrashed",
    "NotConverged",
    "NotSimulated",
]
