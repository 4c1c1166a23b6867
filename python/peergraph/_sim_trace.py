"""The end of the trace of a simulated network, as Python keeps it."""

from __future__ import annotations

from collections import deque

from . import _native, _native_sim


class Trace:
    """The last lines, up to so many bytes; each is a JSON object."""

    def __init__(self, sim: _native.Handle, size_max: int) -> None:
        self._sim = sim
        self._lines: deque[str] = deque()
        self._size, self._size_max = 0, size_max
        self._lost = 0
        _native_sim.sim_keep_trace(sim, size_max)

    def _take(self) -> None:
        text, lost = _native_sim.sim_take_trace(self._sim)
        if lost:
            self._lost += lost + len(self._lines)
            self._lines.clear()
            self._size = 0
        for line in text.splitlines():
            self._lines.append(line)
            self._size += len(line)
        while self._size > self._size_max:
            self._size -= len(self._lines.popleft())
            self._lost += 1

    def lines(self) -> list[str]:
        """What is kept, the oldest first."""
        self._take()
        return list(self._lines)

    @property
    def lost(self) -> int:
        """How many lines came before those that are kept."""
        self._take()
        return self._lost
