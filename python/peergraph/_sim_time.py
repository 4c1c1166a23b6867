"""The flow of time in a simulated network, as seen from Python: it stops wherever Python has something to do."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from . import _native, _native_sim
from ._check import wrong_type
from ._codes import E_INVALIDARG
from .errors import error_for

SECOND_US: Final = 1_000_000
FAR_US: Final = 1 << 62

Seconds: TypeAlias = float | dt.timedelta


def microseconds(name: str, value: Seconds) -> int:
    """A duration given in seconds or as a timedelta."""
    if isinstance(value, dt.timedelta):
        return value // dt.timedelta(microseconds=1)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise wrong_type(name, "seconds or a timedelta", value)
    if not abs(value) < FAR_US / SECOND_US:
        raise error_for(E_INVALIDARG, f"{name} is {value}, beyond the end of time")
    return round(value * SECOND_US)


def not_negative(name: str, value: Seconds) -> int:
    time_us = microseconds(name, value)
    if time_us < 0:
        raise error_for(E_INVALIDARG, f"{name} is {value}, less than 0")
    return time_us


class Condition:
    """Something that is waited for, looked at again whenever it may have changed."""

    __slots__ = ("_every_us", "_holds", "_look_at_us", "future")

    def __init__(self, holds: Callable[[], object], future: asyncio.Future[Any], every_us: int) -> None:
        self._holds = holds
        self._every_us = every_us
        self._look_at_us = 0
        self.future = future

    def look(self, now_us: int) -> bool:
        """Whether it need not be asked again."""
        if self.future.done():
            return True
        if now_us < self._look_at_us:
            return False
        self._look_at_us = now_us + self._every_us
        try:
            answer = self._holds()
        except Exception as error:
            self.future.set_exception(error)
            return True
        if answer:
            self.future.set_result(answer)
        return bool(answer)

    @property
    def next_look_us(self) -> int | None:
        """When to look again; None: after the next thing that happens."""
        return self._look_at_us if self._every_us else None


class Flow:
    """Lets time pass in a network until a queue that is watched has news, a condition holds, or a moment has come."""

    def __init__(self, sim: _native.Handle, idle_after_us: int) -> None:
        self._sim = sim
        self._idle_after_us = idle_after_us
        self._watchers: dict[int, Callable[[], None]] = {}
        self.conditions: list[Condition] = []
        self.decide: Callable[[], None] | None = None
        """Decides on messages that were held back; None if none can be."""
        self.check: Callable[[], None] | None = None
        """Asked before time passes; may raise what is in the way."""

    @property
    def now_us(self) -> int:
        return _native_sim.sim_get_time(self._sim)

    # -- what is waited for --------------------------------------------------------------------------------------------

    def watch(self, queue: _native.Handle, wake: Callable[[], None]) -> None:
        self._watchers[_native_sim.queue_key(queue)] = wake

    def unwatch(self, queue: _native.Handle) -> None:
        self._watchers.pop(_native_sim.queue_key(queue), None)

    def tell(self) -> bool:
        """Calls those who watch a queue that has news, and those whose condition holds; whether there was one."""
        told = False
        while key := _native_sim.sim_next_ready(self._sim):
            wake = self._watchers.get(key)
            if wake is not None:
                wake()
                told = True
        if self.conditions:
            now_us = self.now_us
            for condition in list(self.conditions):
                if condition.look(now_us):
                    self.conditions.remove(condition)
                    told = True
        return told

    # -- passing -------------------------------------------------------------------------------------------------------

    def run(self, deadline_us: int | None) -> bool:
        """Until somebody was told something or the deadline has come; False if neither will ever be."""
        if self.check is not None:
            self.check()
        last_us = self.now_us + self._idle_after_us if deadline_us is None else deadline_us
        while not self.tell():
            if deadline_us is None and _native_sim.sim_get_next_time(self._sim) is None:
                return False
            reached = self._pass(last_us)
            if reached & _native_sim.UNTIL_HELD and self.decide is not None:
                self.decide()
            elif not reached and self.now_us >= last_us:
                return self.tell() or deadline_us is not None
        return True

    def step(self, deadline_us: int | None) -> bool:
        """One moment, if it is not after the deadline; else time passes up to that. False if nothing ever happens."""
        next_us = _native_sim.sim_get_next_time(self._sim)
        if next_us is None and deadline_us is None:
            return False
        self._run_until(min(FAR_US if each is None else each for each in (next_us, deadline_us)))
        if self.decide is not None:
            self.decide()
        self.tell()
        return True

    def _pass(self, last_us: int) -> int:
        """Up to the next moment at which there may be something to tell."""
        looks = [each.next_look_us for each in self.conditions]
        if None in looks:
            looks.append(_native_sim.sim_get_next_time(self._sim))
        return self._run_until(min([last_us, *(each for each in looks if each is not None)]))

    def _run_until(self, target_us: int) -> int:
        conditions = _native_sim.UNTIL_READY
        if self.decide is not None:
            conditions |= _native_sim.UNTIL_HELD
        return _native_sim.sim_run_until(self._sim, conditions, target_us)
