"""What the tests of the package share: types of records, and waiting that always ends."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import peergraph
from peergraph import GraphStatus, StatusChanged

NOTE = uuid.UUID("6e6f7465-0000-4000-8000-000000000001")
OTHER = uuid.UUID("6e6f7465-0000-4000-8000-000000000002")
HOUR = timedelta(hours=1)
PATIENCE = 60.0
"""Seconds after which something that should happen has not happened: also what is tried again after 1, 2, 4 and 8 s."""
PROGRAM_PATIENCE = 240.0
"""Seconds after which a program, or a loop, that a test has started does not end any more, however busy the machine."""
SANITIZED = bool(os.environ.get("LD_PRELOAD"))
"""A sanitizer makes everything many times slower and has memory of its own; what it looks for needs no long repeats."""


def python_path() -> str:
    """For a process that imports what this one does, the package under test and these tests."""
    return os.pathsep.join(filter(None, [str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH")]))


def join(graph: peergraph.Graph, other: peergraph.Graph) -> None:
    """Connects to a node and waits until everything is here."""
    with graph.events(StatusChanged) as events:
        graph.connect(other.address)
        wait_until(
            events, lambda: graph.status & GraphStatus.SYNCHRONIZED and graph.status & GraphStatus.HAS_CONNECTIONS
        )


def wait_until(events: peergraph.Events, condition: Callable[[], object]) -> list[peergraph.Event]:
    """Takes events until the condition holds, which only an event can change; gives what was taken."""
    deadline = time.monotonic() + PATIENCE
    taken = []
    while not condition():
        taken.append(events.get(deadline - time.monotonic()))
        assert not events.closed, f"closed while waiting: {events.closed}"
    return taken


def wait_for(events: peergraph.Events, wanted: Callable[[peergraph.Event], object]) -> peergraph.Event:
    """Takes events up to the first that is wanted."""
    deadline = time.monotonic() + PATIENCE
    while not wanted(event := events.get(deadline - time.monotonic())):
        assert not events.closed, f"closed while waiting: {events.closed}"
    return event


@contextlib.contextmanager
def reserved_port() -> Iterator[int]:
    """A port that the system gives to nobody by chance; who asks for it by number can listen there."""
    with contextlib.ExitStack() as stack:

        def hold(family: int, host: str, port: int) -> int:
            held = stack.enter_context(socket.socket(family))
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.bind((host, port))  # and not listening, so others may bind it too
            return held.getsockname()[1]

        while True:
            port = hold(socket.AF_INET, "127.0.0.1", 0)
            try:
                hold(socket.AF_INET6, "::1", port)
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    continue
            break  # held in both families, or there is no IPv6
        yield port


def is_readable(descriptor: int) -> bool:
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    return bool(poller.poll(0))
