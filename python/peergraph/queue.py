"""Queues of events: as C has them, and as something to iterate over."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Final

from . import _native
from ._check import deadline_of
from ._codes import E_INVALIDARG, PEER_E_FORKED, PEER_E_NOT_INITIALIZED, GraphEvent
from ._context import World
from ._handle import Handle
from ._native import RawEvent
from .errors import PeerError, error_for
from .events import Closed, Event, event_from

if TYPE_CHECKING:
    from typing_extensions import Self

    from ._graph import GraphBase

BATCH: Final = 256

Registrations = Sequence[tuple[int, bytes | None]]


class QueueBase(Handle):
    """A registered queue of a graph's events."""

    __slots__ = ("_graph",)

    _graph: GraphBase

    def __init__(self, graph: GraphBase, registrations: Registrations) -> None:
        super().__init__(_native.graph_register_event(graph._handle, registrations))
        self._graph = graph
        self._world.opened(self)

    @property
    def _world(self) -> World:
        return self._graph._runtime._world

    def _may_be_dropped(self) -> bool:
        return self._world.has_ended()

    def _end(self) -> None:
        try:
            _native.unregister_event(self._handle)
        except PeerError as error:
            if error.code not in (E_INVALIDARG, PEER_E_NOT_INITIALIZED):  # it ended with its runtime
                raise

    def _event(self, raw: RawEvent) -> Event:
        return event_from(raw, self._graph._fetch)

    def __repr__(self) -> str:
        state = " closed" if self._ended else ""
        return f"<{type(self).__module__}.{type(self).__name__}{state} of {self._graph._graph_id!r}>"


class EventQueue(QueueBase):
    """The exact layer: a queue as PeerGraphRegisterEvent gives it. `graph.events()` is the comfortable way.

    Not closed by the graph: unregister it, or use it in a with statement.
    """

    __slots__ = ()

    def get_event_data(self) -> Event | None:
        """Takes one event, or None if the queue is empty. A Closed event is the last. Raises InvalidArgument."""
        raw = _native.get_event_data(self._handle)
        return None if raw is None else self._event(raw)

    def get_event_batch(self, count_max: int = BATCH) -> list[Event]:
        """Takes up to so many events at once. Raises InvalidArgument."""
        return [self._event(raw) for raw in _native.get_event_batch(self._handle, count_max)]

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until the queue holds something; False if the time is over first. Raises InvalidArgument."""
        world = self._world
        deadline = deadline_of(timeout, world.monotonic())
        while True:
            left = world.slice if deadline is None else min(deadline - world.monotonic(), world.slice)
            if world.wait(self._handle, left):
                return True
            if deadline is not None and world.monotonic() >= deadline:
                return False

    def fileno(self) -> int:
        """A descriptor that is readable exactly while the queue holds something; never read or close it."""
        return _native.event_queue_get_descriptor(self._handle)

    def unregister_event(self) -> None:
        """Ends the queue and closes its descriptor. Nothing happens if it has ended."""
        self._close()

    close = unregister_event

    @property
    def closed(self) -> bool:
        """Whether the queue was unregistered."""
        return self._ended

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close()


class Subscription(QueueBase):
    """Events taken by batch and handed out one by one; what the synchronous and the asynchronous kind have in common.

    `closed` is None while events may come. Then it is the Closed event, which says why; iteration never yields it.
    A loop that is left lets go of its subscription, which then ends by itself, unless it is needed elsewhere.
    """

    __slots__ = ("_batch", "_buffer", "_iterated", "_last", "_lock")

    _buffer: deque[Event]
    _iterated: bool
    _batch: int
    _last: Closed | None

    def __init__(self, graph: GraphBase, registrations: Registrations) -> None:
        super().__init__(graph, registrations)
        self._buffer = deque()
        self._batch = BATCH
        self._iterated = False
        self._last = None
        self._lock = threading.RLock()  # a signal handler that closes may run wherever its thread holds it

    @property
    def closed(self) -> Closed | None:
        """Why no more events come, or None if more may come."""
        if self._ended and self._last is None:
            self._last = Closed(_OWN_CLOSE)
        return self._last if not self._buffer else None

    def fileno(self) -> int:
        """A descriptor that is readable exactly while events wait, for a loop of one's own; never read or close it.

        From then on events are taken one at a time; `take` is the faster way to get many.
        Raises ValueError if it is closed.
        """
        if self._ended:
            raise ValueError("the subscription is closed")
        self._batch = 1
        return _native.event_queue_get_descriptor(self._handle)

    def _may_be_dropped(self) -> bool:
        """As a generator may; but whoever has the descriptor must stop polling before it is closed."""
        return super()._may_be_dropped() or (self._iterated and self._batch > 1)

    def take(self, count_max: int = BATCH) -> list[Event]:
        """The events that wait now, at most so many, without waiting; an empty list if there is none."""
        self._check_process()
        with self._lock:
            if len(self._buffer) < count_max:
                self._refill(count_max - len(self._buffer))
            taken: list[Event] = []
            while len(taken) < count_max and (event := self._pop()) is not None:
                taken.append(event)
            return taken

    def _check_process(self) -> None:
        """Before the lock, which a thread that a fork has left behind may hold for ever."""
        if self._is_foreign():
            raise error_for(PEER_E_FORKED, "the events belong to the process of which this one is a fork")

    def _refill(self, count_max: int) -> None:
        if self._ended or self._last is not None:
            return
        try:
            taken = _native.get_event_batch(self._handle, count_max)
        except PeerError:
            if self._ended:  # closed in another thread just now
                return
            raise
        events = [self._event(raw) for raw in taken]
        last = events.pop() if events and isinstance(events[-1], Closed) else None
        if self._ended:  # closed meanwhile, which drops what has not been taken
            return
        self._buffer.extend(events)
        if isinstance(last, Closed):
            self._last = last

    def _take_one(self) -> Event | None:
        """The next event, or None if there is none now."""
        self._check_process()
        with self._lock:
            if not self._buffer:
                self._refill(self._batch)
            return self._pop()

    def _pop(self) -> Event | None:
        try:
            return self._buffer.popleft()
        except IndexError:  # there was none, or a signal handler has closed
            return None


_OWN_CLOSE: Final = RawEvent(int(GraphEvent.CLOSED), 0, 0, 0, 0, 0, 0, 0, bytes(16), bytes(16), None, None, b"")


class Events(Subscription):
    """A graph's events from now on, to iterate over.

        with graph.events(RecordChanged) as events:
            for event in events: ...

    Iteration waits for the next event, and ends when the graph is closed. It may be left and taken up again: events
    wait in the queue. Ctrl-C works while it waits, and so does `close()` in another thread.
    """

    __slots__ = ("_waiting",)

    _waiting: int

    def __init__(self, graph: GraphBase, registrations: Registrations) -> None:
        super().__init__(graph, registrations)
        self._waiting = 0

    def __iter__(self) -> Iterator[Event]:
        self._iterated = True
        return self

    def __next__(self) -> Event:
        while True:
            event = self._take_one()
            if event is not None:
                return event
            if self.closed is not None:
                self.close()
                raise StopIteration
            self._wait(None)

    def get(self, timeout: float | None = None) -> Event:
        """The next event; waits for it, at most for so many seconds. At the end, the Closed event each time.

        Raises TimeoutError.
        """
        monotonic = self._world.monotonic
        deadline = deadline_of(timeout, monotonic())
        while True:
            event = self._take_one() or self.closed
            if event is not None:
                return event
            if deadline is not None and monotonic() >= deadline:
                raise TimeoutError(f"no event within {timeout} s")
            self._wait(deadline)

    def _wait(self, deadline: float | None) -> None:
        """Waits until there is something to look at: an event, a close, or the end of the time."""
        with self._lock:
            if self._ended:
                return
            self._waiting += 1
        try:
            world = self._world
            while not self._ended:
                left = world.slice if deadline is None else min(deadline - world.monotonic(), world.slice)
                if world.poll(self._handle, left) or (deadline is not None and left <= 0):
                    return
        finally:
            with self._lock:
                self._waiting -= 1
                last = self._ended and not self._waiting
            if last:
                self._end()

    def close(self) -> None:
        """Ends the subscription; a thread that waits for its events goes on within a moment. May be called again."""
        if self._begin_end() and not self._is_foreign():
            with self._lock:
                self._buffer.clear()
                if self._waiting:
                    return  # who waits polls the descriptor: it ends the queue
            self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
