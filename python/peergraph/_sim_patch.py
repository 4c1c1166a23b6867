"""What programs on simulated hosts take for time and chance: virtual time, and numbers that the seed decides."""

from __future__ import annotations

import contextlib
import os
import random
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from ._context import current_world
from ._sim_life import Life

REAL_URANDOM: Final = os.urandom


def _clock(name: str, real: Callable[[], Any], virtual: Callable[[Life], Any]) -> Callable[[], Any]:
    def clock() -> Any:
        life = current_world.get()
        return virtual(life) if isinstance(life, Life) else real()

    clock.__name__ = clock.__qualname__ = name
    return clock


_CLOCKS: Final = {
    "time": _clock("time", time.time, lambda life: life.clock_us() / 1_000_000),
    "time_ns": _clock("time_ns", time.time_ns, lambda life: life.clock_us() * 1000),
    **{
        name: _clock(name, getattr(time, name), lambda life: life.monotonic()) for name in ("monotonic", "perf_counter")
    },
    **{
        name: _clock(name, getattr(time, name), lambda life: life.monotonic_us() * 1000)
        for name in ("monotonic_ns", "perf_counter_ns")
    },
}


class Patch:
    """While the programs of a network run, the functions of `time`, the global `random` and os.urandom() are its own.

    For code outside of hosts the clocks stay what they are.
    """

    def __init__(self, seed: int) -> None:
        chance = random.Random(f"peergraph {seed}")
        self._state = chance.getstate()
        self._bytes = random.Random(f"peergraph bytes {seed}")
        self._is_on = False

    def _urandom(self, size: int, /) -> bytes:
        return self._bytes.randbytes(size) if isinstance(current_world.get(), Life) else REAL_URANDOM(size)

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Applied within the block."""
        if self._is_on:
            yield
            return
        before = {name: getattr(time, name) for name in _CLOCKS}
        urandom, state = os.urandom, random.getstate()
        self._is_on = True
        try:
            for name, clock in _CLOCKS.items():
                setattr(time, name, clock)
            os.urandom = self._urandom
            random.setstate(self._state)
            yield
        finally:
            self._state = random.getstate()
            random.setstate(state)
            os.urandom = urandom
            for name, clock in before.items():
                setattr(time, name, clock)
            self._is_on = False
