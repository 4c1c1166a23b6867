"""The two worlds in which every test of the suite runs: real sockets on this machine, and the simulator.

A test asks its world for graphs and waits for events; whether time passes or is computed makes no difference to it.
"""

from __future__ import annotations

import contextlib
import socket
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import peergraph
import pytest
from peergraph import Event, NeighbourConnection, NodeChanged, PropertyChanged, RecordChanged, Scope, StatusChanged
from peergraph.sim import Network

T = TypeVar("T")
E = TypeVar("E", bound=Event)

GRAPH = "film club"
NOTE = uuid.UUID("6e6f7465-0000-4000-8000-000000000001")
OTHER = uuid.UUID("6e6f7465-0000-4000-8000-000000000002")
RESERVED = [uuid.UUID(f"00000{number}00-0000-0000-0000-000000000000") for number in (1, 2, 3, 4)]
HOUR = timedelta(hours=1)
EVERYTHING = (StatusChanged, RecordChanged, NodeChanged, NeighbourConnection, PropertyChanged)


class World:
    """Gives runtimes by name; each name is a machine of its own, with its own data."""

    name: str
    patience: float
    """Seconds after which something that should happen has not happened."""
    scope: Scope
    """Where graphs listen."""

    def __init__(self) -> None:
        self._graphs = contextlib.ExitStack()

    def runtime(self, name: str = "alice") -> peergraph.Runtime:
        """The runtime of a machine; a new one if there is none, or if it was closed."""
        raise NotImplementedError

    def nobody(self) -> str:
        """An address at which nobody listens."""
        raise NotImplementedError

    def end(self) -> None:
        """Closes everything: afterwards no runtime is alive."""
        raise NotImplementedError

    def keep(self, graph: peergraph.Graph) -> peergraph.Graph:
        """Closes a graph when the test ends."""
        return self._graphs.enter_context(graph)

    def create(
        self,
        peer_id: str = "alice",
        graph_id: str = GRAPH,
        *,
        at: str | None = None,
        listen: bool = False,
        **options: Any,
    ) -> peergraph.Graph:
        """Creates a graph on the machine `at`, or on the one that is named like the peer."""
        graph = self.keep(self.runtime(at or peer_id).create_graph(graph_id, peer_id=peer_id, **options))
        if listen:
            self.listen(graph)
        return graph

    def open(
        self, peer_id: str = "bob", graph_id: str = GRAPH, *, at: str | None = None, **options: Any
    ) -> peergraph.Graph:
        """Opens a graph on the machine `at`, or on the one that is named like the peer."""
        return self.keep(self.runtime(at or peer_id).open_graph(graph_id, peer_id=peer_id, **options))

    def listen(self, graph: peergraph.Graph, port: int = 0) -> None:
        """Has a graph listen where the others of this world can reach it."""
        graph.listen(port, scope=self.scope)

    def join(self, graph: peergraph.Graph, other: peergraph.Graph) -> None:
        """Connects to a node and waits until everything is here."""
        graph.connect(other.address, timeout=self.patience)
        graph.synchronized(self.patience)

    def pair(self, *, listen: bool = False, **options: Any) -> tuple[peergraph.Graph, peergraph.Graph]:
        """Two nodes, connected and synchronized: alice, who created the graph and listens, and bob."""
        alice = self.create("alice", listen=True, **options)
        bob = self.open("bob")
        self.join(bob, alice)
        if listen:
            self.listen(bob)
        return alice, bob

    def until(self, graph: peergraph.Graph, condition: Callable[[], T], *types: type[Event]) -> T:
        """Waits for a condition that only an event of this graph can fulfil; gives what it gave."""
        with graph.events(*(types or EVERYTHING)) as events:
            while not (answer := condition()):
                events.get(self.patience)
        return answer

    def next(self, events: peergraph.Events, kind: type[E], wanted: Callable[[E], object] = bool) -> E:
        """Takes events up to the first of a kind that is wanted."""
        while True:
            event = events.get(self.patience)
            assert not events.closed, f"closed while waiting: {events.closed}"
            if isinstance(event, kind) and (wanted is bool or wanted(event)):
                return event

    def passed(self, sender: peergraph.Graph, receiver: peergraph.Graph) -> None:
        """Returns when everything that the sender has sent to the receiver so far is there: a last record tells."""
        with receiver.events(RecordChanged) as events:
            mark = sender.add_record(type=uuid.uuid4(), lifetime=HOUR)
            self.next(events, RecordChanged, lambda event: event.record_id == mark)


class Sockets(World):
    """Runtimes with folders and sockets of their own, all in this process."""

    name = "sockets"
    patience = 60.0
    scope = Scope.LOOPBACK

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._runtimes: dict[str, peergraph.Runtime] = {}
        self._reserved = contextlib.ExitStack()

    def runtime(self, name: str = "alice") -> peergraph.Runtime:
        known = self._runtimes.get(name)
        if known is None or known.closed:
            self._runtimes[name] = peergraph.open_runtime(self._folder / name)
        return self._runtimes[name]

    def nobody(self) -> str:
        reserved = self._reserved.enter_context(socket.socket())
        reserved.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets the port
        return f"127.0.0.1:{reserved.getsockname()[1]}"

    def end(self) -> None:
        self._graphs.close()
        for runtime in self._runtimes.values():
            runtime.close()
        self._reserved.close()


class Simulator(World):
    """Hosts of one simulated network."""

    name = "simulator"
    patience = 900.0
    scope = Scope.GLOBAL

    def __init__(self) -> None:
        super().__init__()
        self.network = Network(seed=1)

    def runtime(self, name: str = "alice") -> peergraph.Runtime:
        try:
            return self.network.host(name).runtime
        except KeyError:
            return self.network.add_host(name).runtime

    def nobody(self) -> str:
        return f"{self.network.add_host().name}:5000"

    def end(self) -> None:
        if not self.network.closed:
            self._graphs.close()
            self.network.close()


@contextlib.contextmanager
def fails(*codes: int) -> Iterator[pytest.ExceptionInfo[peergraph.PeerError]]:
    """What is within fails with one of these codes; with none, with any."""
    with pytest.raises(peergraph.PeerError) as caught:
        yield caught
    assert not codes or caught.value.code in codes, caught.value


def add(graph: peergraph.Graph, data: bytes = b"text", **options: Any) -> uuid.UUID:
    """Adds a note that lives for an hour."""
    return graph.add_record(**{"type": NOTE, "data": data, "lifetime": HOUR, **options})


def has(graph: peergraph.Graph, record_id: uuid.UUID) -> bool:
    """Whether a node has a record."""
    try:
        graph.get_record(record_id)
    except peergraph.RecordNotFound:
        return False
    return True


def port_of(graph: peergraph.Graph) -> int:
    """Where a graph listens."""
    return int(graph.address.rpartition(":")[2])
