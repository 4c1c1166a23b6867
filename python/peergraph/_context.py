"""Where runtimes live: on this machine, or on a host of a simulated network.

`open_runtime()` asks `current_world` first. While it holds a host of a simulation, the runtime and everything opened in
it live there, and the program is none the wiser.
"""

from __future__ import annotations

import asyncio
import select
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from . import _native

if TYPE_CHECKING:
    from ._handle import Handle

SLICE: Final = 0.2
"""No wait is longer than this at a time, so that Ctrl-C and a close in another thread get through."""


class World:
    """What passes for time, and how to wait for a queue. This one is the machine itself."""

    slice: float = SLICE
    """How long a wait may last at a time, in seconds."""

    def startup(self, data_directory: str | None) -> _native.Handle:
        """Starts a runtime; raises PeerError."""
        return _native.startup(data_directory)[0]

    def shutdown(self, runtime: Handle) -> None:
        """Ends a runtime that startup gave."""
        _native.shutdown(runtime._handle)

    def opened(self, handle: Handle) -> None:
        """Something was opened in a runtime."""

    def has_ended(self) -> bool:
        """Whether everything in it has ended without having been closed."""
        return False

    def clock_us(self) -> int:
        """The local clock, in microseconds since 1970 UTC."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()

    def wait(self, queue: _native.Handle, seconds: float) -> bool:
        """Waits until a queue holds something; whether it does."""
        return _native.event_queue_wait(queue, max(0, round(seconds * 1000)))

    def poll(self, queue: _native.Handle, seconds: float) -> bool:
        """The same by the descriptor, outside of C."""
        poller = select.poll()
        poller.register(_native.event_queue_get_descriptor(queue), select.POLLIN)
        return bool(poller.poll(max(0.0, seconds * 1000)))

    def watch(self, loop: asyncio.AbstractEventLoop, queue: _native.Handle, wake: Callable[[], None]) -> None:
        """Has a loop call `wake` while a queue holds something."""
        loop.add_reader(_native.event_queue_get_descriptor(queue), wake)

    def unwatch(self, loop: asyncio.AbstractEventLoop, queue: _native.Handle) -> None:
        """Ends that; the loop is not closed."""
        loop.remove_reader(_native.event_queue_get_descriptor(queue))


MACHINE: Final = World()

current_world: ContextVar[World] = ContextVar("peergraph_current_world", default=MACHINE)
