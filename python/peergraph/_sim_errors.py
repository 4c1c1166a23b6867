"""What can go wrong in a simulation besides what goes wrong in life."""

from __future__ import annotations

from typing import Final, TypeVar

SOCKETS: Final = "a simulated host has no sockets; programs talk through graphs"
SUBPROCESSES: Final = "a simulated host has no subprocesses; start a program on it with host.start()"
SIGNALS: Final = "a simulated host has no signals; host.crash() ends its programs"


class SimulationError(RuntimeError):
    """The simulation cannot go on, or is used in a way that makes no sense."""


class SimulationIdle(SimulationError):
    """Somebody waits, and nothing will ever wake him; the message names who waits, and where."""


class HostCrashed(SimulationError):
    """The program that was waited for died with its host."""


class NotConverged(AssertionError):
    """Replicas of a graph differ; the message says which, and in what."""


class NotSimulated(NotImplementedError):
    """A simulated host has no sockets, no subprocesses and no signals."""


_MACHINERY: Final = frozenset(
    {"asyncio.base_events", "asyncio.events", "asyncio.futures", "asyncio.tasks", "contextlib"}
    | {f"peergraph.{name}" for name in ("sim", "_sim_time", "_virtual_loop")}
)

Error = TypeVar("Error", bound=BaseException)


def without_machinery(error: Error) -> Error:
    """The error with a traceback that begins in the program: the loop and the simulator above it say nothing."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_frame.f_globals.get("__name__") in _MACHINERY:
        traceback = traceback.tb_next
    return error.with_traceback(traceback)
