"""What can go wrong in a simulation besides what goes wrong in life."""

from __future__ import annotations


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
