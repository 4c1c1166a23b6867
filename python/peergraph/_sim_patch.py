"""What programs on simulated hosts take for time and chance: virtual time, and numbers that the seed decides.

What would lead out of the simulation is refused, also where no event loop is asked.
"""

from __future__ import annotations

import contextlib
import functools
import os
import random
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from ._context import current_world
from ._sim_errors import SOCKETS, SUBPROCESSES, NotSimulated
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


def _ways_out() -> Iterator[tuple[Any, str, Callable[..., Any]]]:
    """Where each way out is found, under which name, and what stands there while programs run."""
    for owner, name, reason in (
        (socket.socket, "__init__", SOCKETS),
        (socket, "getaddrinfo", SOCKETS),
        (subprocess.Popen, "__init__", SUBPROCESSES),
        (os, "system", SUBPROCESSES),
        (os, "fork", SUBPROCESSES),
        (os, "posix_spawn", SUBPROCESSES),
    ):
        if hasattr(owner, name):
            yield (
                owner,
                name,
                _guarded(f"{owner.__name__}.{name}".replace(".__init__", ""), getattr(owner, name), reason),
            )


def _guarded(name: str, real: Callable[..., Any], reason: str) -> Callable[..., Any]:
    @functools.wraps(real)
    def guarded(*args: Any, **options: Any) -> Any:
        if isinstance(current_world.get(), Life):
            raise NotSimulated(f"{name}(): {reason}")
        return real(*args, **options)

    return guarded


_REPLACED: Final = (*((time, name, clock) for name, clock in _CLOCKS.items()), *_ways_out())


class Patch:
    """While the programs of a network run, the functions of `time`, the global `random` and os.urandom() are its own.

    For code outside of hosts the clocks stay what they are, and nothing is refused.
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
        # random has a name of its own for urandom(), by which SystemRandom and so the module secrets draw.
        replaced = (*_REPLACED, (os, "urandom", self._urandom), (random, "_urandom", self._urandom))
        before = [(owner, name, getattr(owner, name)) for owner, name, _ in replaced]
        state = random.getstate()
        self._is_on = True
        try:
            for owner, name, ours in replaced:
                setattr(owner, name, ours)
            random.setstate(self._state)
            yield
        finally:
            self._state = random.getstate()
            random.setstate(state)
            for owner, name, theirs in before:
                setattr(owner, name, theirs)
            self._is_on = False
