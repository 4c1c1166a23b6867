"""Messages that are under way in a simulated network: looking at them, and deciding what becomes of them."""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Final, TypeAlias

from . import _native_sim
from ._check import wrong_type
from ._native_sim import RawFilter, RawMessage
from ._sim_time import SECOND_US, Seconds, not_negative
from ._sim_wire import flooded_record
from .errors import NotFound
from .records import Record

if TYPE_CHECKING:
    from typing_extensions import Self

    from ._sim_host import Host
    from .sim import Network


class MessageType(enum.IntEnum):
    """What neighbours say to each other (MS-PPGRH 2.2.2), the last two only between nodes that announced it."""

    AUTH_INFO = 0x01
    CONNECT = 0x02
    WELCOME = 0x03
    REFUSE = 0x04
    DISCONNECT = 0x05
    SOLICIT_NEW = 0x06
    SOLICIT_TIME = 0x07
    SOLICIT_HASH = 0x08
    ADVERTISE = 0x09
    REQUEST = 0x0A
    FLOOD = 0x0B
    SYNC_END = 0x0C
    PT2PT = 0x0D
    ACK = 0x0E
    COMPARE = 0x21
    DIFFER = 0x22


class MessageState(enum.IntEnum):
    """Where a message is."""

    TRAVELLING = 1
    HELD = 2
    RELEASED = 3
    """It was held, and is on its way again."""


class Message:
    """A message as it was when it was looked at. What was held back waits for one of its methods."""

    __slots__ = ("_fate", "_network", "_raw", "_record", "_was_read")

    def __init__(self, network: Network, raw: RawMessage) -> None:
        self._network = network
        self._raw = raw
        self._fate = ""
        self._record: Record | None = None
        self._was_read = False

    def __repr__(self) -> str:
        what = f" of {self.record!r}" if self.record is not None else f", {self.size} bytes"
        state = "" if self.state is MessageState.TRAVELLING else f", {self._fate or self.state.name.lower()}"
        when = "" if self.moment is None else f" at {self.moment:.6f} s"
        return f"<{self.type.name} {self.src.name} -> {self.dst.name}{when}{what}{state}>"

    @property
    def type(self) -> MessageType:
        """What kind of message it is."""
        return MessageType(self._raw.type)

    @property
    def src(self) -> Host:
        """Who sent it."""
        return self._network.hosts[self._raw.src - 1]

    @property
    def dst(self) -> Host:
        """Who will receive it."""
        return self._network.hosts[self._raw.dst - 1]

    @property
    def connection_id(self) -> int:
        """The connection by which it travels, as in the trace."""
        return self._raw.connection_id

    @property
    def state(self) -> MessageState:
        """Whether it travels or was held back."""
        return MessageState(self._raw.state)

    @property
    def moment(self) -> float | None:
        """When it arrives, in virtual seconds, if nothing comes between; None while it is not on the wire yet.

        Of one that is held, since when that is.
        """
        return None if self._raw.moment_us < 0 else self._raw.moment_us / SECOND_US

    @property
    def data(self) -> bytes:
        """All of it, with its header of 8 bytes."""
        return self._raw.data

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return len(self._raw.data)

    @property
    def record(self) -> Record | None:
        """The record that a FLOOD carries; None for other messages, and for one that cannot be read."""
        if not self._was_read:
            self._was_read = True
            self._record = flooded_record(self._raw.data) if self._raw.type == MessageType.FLOOD else None
        return self._record

    # -- what becomes of it --------------------------------------------------------------------------------------------

    def hold(self) -> None:
        """It waits until something else is done with it."""
        self._fate = "held"

    def release(self, delay: Seconds = 0.0) -> None:
        """It goes on, and arrives after a delay. What was sent after it may have overtaken it.

        Raises NotFound if it is not held, or its connection has ended.
        """
        delay_us = not_negative("delay", delay)
        _native_sim.sim_release_message(self._network._handle, self._raw.message_id, delay_us)
        self._fate = "released"

    def delay(self, seconds: Seconds) -> None:
        """It arrives so much later. Raises NotFound."""
        self.release(seconds)

    def drop(self) -> None:
        """It is lost. Raises NotFound."""
        _native_sim.sim_drop_message(self._network._handle, self._raw.message_id)
        self._fate = "dropped"

    def duplicate(self, delay: Seconds = 0.0) -> None:
        """A copy of it goes on, and arrives after a delay; the message itself stays. Raises NotFound."""
        delay_us = not_negative("delay", delay)
        _native_sim.sim_duplicate_message(self._network._handle, self._raw.message_id, delay_us)

    def edit(self, data: bytes) -> None:
        """Other bytes take its place, at least 8; the message itself stays. Raises NotFound, InvalidArgument."""
        _native_sim.sim_edit_message(self._network._handle, self._raw.message_id, bytes(data))
        self._raw = self._raw._replace(data=bytes(data))
        self._was_read = False


Predicate: TypeAlias = Callable[[Message], object]
Action: TypeAlias = Callable[[Message], object]


def filter_of(type: MessageType | int | None, src: Host | None, dst: Host | None) -> RawFilter:
    return RawFilter(
        0 if type is None else int(MessageType(type)),
        0 if src is None else host_number("src", src),
        0 if dst is None else host_number("dst", dst),
    )


def host_number(name: str, host: Host) -> int:
    number: object = getattr(host, "number", None)
    if isinstance(number, int):
        return number
    hint = f"; network.host({host!r}) gives one" if isinstance(host, str) else ""
    raise wrong_type(name, "a Host", host, hint)


class Interception:
    """Messages that are caught when they arrive; `network.intercept()` gives one. For a with statement, or stop it."""

    def __init__(
        self, interceptions: Interceptions, wanted: RawFilter, where: Predicate | None, do: Action, times: int | None
    ) -> None:
        self._interceptions = interceptions
        self._filter = wanted
        self._where = where
        self._do = do
        self._left = times
        self._held: list[Message] = []
        self.count = 0
        """How many messages were caught."""

    def __repr__(self) -> str:
        return f"<peergraph.sim.Interception count={self.count} held={len(self._held)}>"

    @property
    def held(self) -> list[Message]:
        """What was caught and is still held, the oldest first."""
        alive = self._interceptions.held_ids()
        self._held = [each for each in self._held if each._fate == "held" and each._raw.message_id in alive]
        return list(self._held)

    def release(self) -> None:
        """All that is held goes on, in the order in which it was caught."""
        for message in self.held:
            with contextlib.suppress(NotFound):  # by the release of the one before, a connection may have ended
                message.release()

    def stop(self) -> None:
        """Catches nothing more, and lets go on what is held. May be called again."""
        self._interceptions.remove(self)
        self.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    # -- for Interceptions ---------------------------------------------------------------------------------------------

    def _wants(self, message: Message) -> bool:
        raw, wanted = message._raw, self._filter
        if self._left == 0:
            return False
        if (wanted.type or raw.type, wanted.src or raw.src, wanted.dst or raw.dst) != (raw.type, raw.src, raw.dst):
            return False
        return self._where is None or bool(self._where(message))

    def _take(self, message: Message) -> None:
        self.count += 1
        if self._left is not None:
            self._left -= 1
        self._do(message)
        if message._fate == "held":
            self._held.append(message)
        elif not message._fate:
            message.release()


class Interceptions:
    """All interceptions of a network: the first that wants a message has it, and what nobody wants goes on."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._all: list[Interception] = []
        self._known: set[int] = set()

    def add(self, wanted: RawFilter, where: Predicate | None, do: Action, times: int | None) -> Interception:
        interception = Interception(self, wanted, where, do, times)
        self._all.append(interception)
        self._apply()
        return interception

    def remove(self, interception: Interception) -> None:
        if interception in self._all:
            self._all.remove(interception)
            if not self._network.closed:
                self._apply()

    def _apply(self) -> None:
        filters = dict.fromkeys(each._filter for each in self._all)
        _native_sim.sim_set_interception(self._network._handle, list(filters))
        self._network._flow.decide = self.decide if self._all or self._known else None

    def _held(self) -> list[RawMessage]:
        under_way = _native_sim.sim_get_messages(self._network._handle, ANY)
        held = [each for each in under_way if each.state == MessageState.HELD]
        return sorted(held, key=lambda each: each.message_id)

    def held_ids(self) -> set[int]:
        return set() if self._network.closed else {each.message_id for each in self._held()}

    def decide(self) -> None:
        """What was held back since the last time is given to those who want it."""
        held = self._held()
        new = [each for each in held if each.message_id not in self._known]
        self._known = {each.message_id for each in held}
        for raw in new:
            message = Message(self._network, raw)
            taker = next((each for each in self._all if each._wants(message)), None)
            if taker is None:
                message.release()
            else:
                taker._take(message)


ANY: Final = RawFilter()
