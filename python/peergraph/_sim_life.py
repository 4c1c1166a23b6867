"""A host of a simulated network from one start to the next crash: what was opened on it, and which tasks run on it."""

from __future__ import annotations

import asyncio
import contextlib
import math
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import _native, _native_sim
from ._codes import PEER_E_NOT_FOUND
from ._context import World
from ._graph import GraphBase, RuntimeBase
from ._sim_time import SECOND_US
from .errors import PeerError, error_for

if TYPE_CHECKING:
    from ._handle import Handle
    from .sim import Host


class Life(World):
    """Where the runtimes of a host live until it crashes."""

    slice = math.inf

    def __init__(self, host: Host) -> None:
        self.host = host
        self.tasks: dict[asyncio.Task[Any], None] = {}
        self.is_over = False
        self._users = 0
        self._opened: list[weakref.ref[Handle]] = []
        self._kept: list[GraphBase] = []

    # -- the end -------------------------------------------------------------------------------------------------------

    def has_ended(self) -> bool:
        return self.is_over or self.host.network.closed

    def end(self) -> None:
        """The host is dead: nothing that was opened on it needs to be closed any more."""
        self.is_over = True

    def close_all(self) -> None:
        """The network ends: its queues go too."""
        self._kept.clear()
        for handle in self._alive():
            if not isinstance(handle, RuntimeBase | GraphBase):
                with contextlib.suppress(PeerError):
                    handle._close()

    # -- runtimes ------------------------------------------------------------------------------------------------------

    def startup(self, data_directory: str | None) -> _native.Handle:
        """The runtime of the host, which its programs share; each finds what the host has stored."""
        if self.is_over:
            raise error_for(PEER_E_NOT_FOUND, f"the host {self.host.name!r} has crashed, and this program with it")
        runtime = _native_sim.sim_get_runtime(self.host.network._handle, self.host.number)
        self._users += 1
        return runtime

    def shutdown(self, runtime: Handle) -> None:
        self._users -= 1
        if not self._users:
            _native.shutdown(runtime._handle)
            return
        for graph in self.graphs(of=runtime):
            with contextlib.suppress(PeerError):
                _native.graph_close(graph._handle)

    def opened(self, handle: Handle) -> None:
        self._opened = [each for each in self._opened if (known := each()) is not None and not known._ended]
        self._opened.append(weakref.ref(handle))
        if isinstance(handle, GraphBase) and handle._runtime is self.host._runtime:
            self._kept = [each for each in self._kept if not each._ended]
            self._kept.append(handle)  # a test need not hold what it opens: it is among the graphs of the host

    def _alive(self) -> list[Handle]:
        return [handle for each in self._opened if (handle := each()) is not None and not handle._ended]

    def graphs(self, of: Handle | None = None) -> list[GraphBase]:
        """The graphs that are open, in the order of their opening."""
        graphs = [each for each in self._alive() if isinstance(each, GraphBase)]
        return [each for each in graphs if (not each.closed if of is None else each._runtime is of)]

    # -- time ----------------------------------------------------------------------------------------------------------

    def clock_us(self) -> int:
        return _native_sim.sim_get_host_view(self.host.network._handle, self.host.number).clock_utc_us

    def monotonic(self) -> float:
        return self.monotonic_us() / SECOND_US

    def monotonic_us(self) -> int:
        return self.host.network._flow.now_us

    def wait(self, queue: _native.Handle, seconds: float) -> bool:
        return self.host.network._wait(queue, seconds)

    poll = wait

    def watch(self, loop: asyncio.AbstractEventLoop, queue: _native.Handle, wake: Callable[[], None]) -> None:
        network = self.host.network
        if loop is not network.loop:
            raise RuntimeError(
                f"events of the simulated host {self.host.name!r} come in the loop of its network only: "
                "start the program with host.run() or network.run()"
            )
        network._flow.watch(queue, wake)

    def unwatch(self, loop: asyncio.AbstractEventLoop, queue: _native.Handle) -> None:
        self.host.network._flow.unwatch(queue)
