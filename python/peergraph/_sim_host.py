"""A host of a simulated network: it runs programs, crashes and starts again."""

from __future__ import annotations

import asyncio
import contextvars
import datetime as dt
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from . import _native_sim
from ._context import current_world
from ._graph import GraphBase
from ._sim_compare import records_of
from ._sim_life import Life
from ._sim_time import Seconds, microseconds
from ._time import to_datetime
from .records import Record
from .runtime import Runtime

if TYPE_CHECKING:
    from .sim import Network

T = TypeVar("T")


class Host:
    """A machine of a simulated network; `network.add_host()` gives one.

    Others reach it by `name` or `address`: "alice:5000" or "[fd00::1]:5000".
    """

    def __init__(self, network: Network, number: int) -> None:
        self._network = network
        self._number = number
        view = self._view
        self._name, self._address = view.name, view.address
        self._life = Life(self)
        self._lives = [self._life]
        self._runtime: Runtime | None = None
        self._clock_offset_us = view.clock_utc_us - _native_sim.EPOCH_UTC_US - network._flow.now_us
        self._drift_ppm = view.drift_ppm

    def __repr__(self) -> str:
        return f"<peergraph.sim.Host {self._name!r}{'' if self.is_up else ' down'}>"

    @property
    def _view(self) -> _native_sim.RawHost:
        return _native_sim.sim_get_host_view(self._network._handle, self._number)

    @property
    def network(self) -> Network:
        """The network that it belongs to."""
        return self._network

    @property
    def number(self) -> int:
        """Its number; the first host of a network is 1."""
        return self._number

    @property
    def name(self) -> str:
        """Its name, which others can connect to."""
        return self._name

    @property
    def address(self) -> str:
        """Its address, without port and brackets."""
        return self._address

    # -- programs ------------------------------------------------------------------------------------------------------

    @property
    def runtime(self) -> Runtime:
        """A runtime on this host, for a test that does without coroutines. Neither it nor its graphs need be closed.

        Raises NotFound if the host is down.
        """
        if self._runtime is None or self._runtime.closed:
            self._runtime = Runtime(self._life.startup(None), None, self._life)
        return self._runtime

    def start(self, main: Callable[..., Awaitable[T]], *args: Any) -> asyncio.Task[T]:
        """Starts a program, an ordinary coroutine function, and gives its task. It runs while time passes.

        Within it `peergraph.aio.open_runtime()` opens on this host. What it raises comes out of the call that lets time
        pass, unless somebody awaits the task. Raises SimulationError if the host is down.
        """
        context = contextvars.copy_context()
        context.run(current_world.set, self._life)
        return self._network._start(main, args, context, self)

    def run(self, main: Callable[..., Awaitable[T]], *args: Any) -> T:
        """Runs a program to its end, and all others meanwhile; gives what it returns, or the code that it exits with.

        Raises what it raises; HostCrashed, SimulationIdle. Not for use in a coroutine: there, await host.start().
        """
        __tracebackhide__ = True
        return self._network._finish(self.start(main, *args))

    @property
    def graphs(self) -> list[GraphBase]:
        """The graphs that are open on it, in whatever program."""
        return self._life.graphs()

    def records(self, type: UUID | None = None, *, graph_id: str | None = None) -> list[Record]:
        """The application's records that it has now, or those of one type, in all its graphs or one.

        None while a graph waits for its first synchronization.
        """
        graphs = [graph for graph in self.graphs if graph_id in (None, graph.id)]
        return [record for graph in graphs for record in records_of(graph, type)]

    # -- its fate ------------------------------------------------------------------------------------------------------

    @property
    def is_up(self) -> bool:
        """Whether it has not crashed."""
        return not self._life.is_over

    def crash(self, *, machine: bool = False) -> None:
        """The host dies: no goodbye, nothing that was not stored is left. Its programs are cancelled.

        machine  False: its neighbours' connections are reset at once, as when a process is killed.
                 True: they notice nothing until they miss it, as when the power fails

        Raises NotFound if it is down already.
        """
        how = _native_sim.CRASH_MACHINE if machine else _native_sim.CRASH_PROCESS
        _native_sim.sim_crash(self._network._handle, self._number, how)
        self._runtime = None
        self._life.end()
        self._network._bury(self._life)

    def restart(self) -> None:
        """Starts again on what its disk holds; start programs anew. Raises AlreadyExists if it is up."""
        _native_sim.sim_restart(self._network._handle, self._number)
        self._life = Life(self)
        self._lives.append(self._life)

    def _close(self) -> None:
        for life in self._lives:
            life.close_all()

    # -- clock and disk ------------------------------------------------------------------------------------------------

    @property
    def disk_full(self) -> bool:
        """Whether what it wants to store fails with DiskFull; may be set."""
        return bool(self._view.flags & _native_sim.HOST_DISK_FULL)

    @disk_full.setter
    def disk_full(self, is_full: bool) -> None:
        _native_sim.sim_set_disk_full(self._network._handle, self._number, bool(is_full))

    @property
    def clock(self) -> dt.datetime:
        """What its clock shows."""
        return to_datetime(self._view.clock_utc_us)

    def set_clock(self, *, offset: Seconds = 0.0, drift_ppm: int = 0) -> None:
        """Sets its clock to so much later than true time, and lets it run so many millionths faster."""
        offset_us = microseconds("offset", offset)
        _native_sim.sim_set_clock(self._network._handle, self._number, offset_us, drift_ppm)
        self._clock_offset_us, self._drift_ppm = offset_us, drift_ppm

    @property
    def clock_offset(self) -> float:
        """How many seconds its clock was set later than true time."""
        return self._clock_offset_us / 1_000_000

    @property
    def drift_ppm(self) -> int:
        """How many millionths its clock runs faster."""
        return self._drift_ppm

    # -- its place in the network --------------------------------------------------------------------------------------

    @property
    def neighbours(self) -> list[Host]:
        """The hosts with which it has a neighbour connection, in the order of their numbers."""
        return [self._network.hosts[number - 1] for number in sorted(self._network._neighbours()[self._number])]

    def move(self, address: str) -> None:
        """Moves it to another address, as a machine does that changes networks.

        What it was connected to stalls and is reset after the network's `reset_after`; its graphs tell others where
        they are (MS-PPGRH 3.1.7.23). Raises AlreadyExists if another host has the address.
        """
        _native_sim.sim_set_address(self._network._handle, self._number, address)
        self._address = self._view.address

    def reset_connections(self, other: Host | None = None) -> int:
        """Resets its connections to another host, or all; gives how many."""
        number = _native_sim.ANY_HOST if other is None else other._number
        return _native_sim.sim_reset_connections(self._network._handle, self._number, number)
