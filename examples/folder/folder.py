#!/usr/bin/env python3
"""Keeps a folder the same on every peer: changes, new files and deletions travel while it runs.

The first peer creates, and says where it listens:
    folder.py create photos
Every other peer joins, by the address of any peer that runs:
    folder.py join photos 127.0.0.1:5000

Ctrl-C leaves. The same command again goes on where it was, also after a crash; what was done meanwhile, here or there,
is made up for. Everything that the program needs is in FOLDER/.peergraph; deleted files are in FOLDER/.peergraph/trash.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, Final

import peergraph.aio as peergraph
from beneath import Folder
from links import find_the_graph, tell_connections
from records import FILE, PART
from replica import Replica
from report import Report
from state import State, WrongGraph
from upkeep import Upkeep

RECORD_LIMIT_MIN: Final = 16 << 10
RECORD_LIMIT_MAX: Final = 60 << 20

EXIT_STATUS = """
exit status: 0 after Ctrl-C or SIGTERM, 1 if something failed, 2 if the command is wrong
"""


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="folder.py", description=__doc__, epilog=EXIT_STATUS, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="{create,join}")
    create = commands.add_parser("create", help="the first peer: make the graph, or go on with it")
    join = commands.add_parser("join", help="every other peer: join the graph, or go on with it")
    for command in (create, join):
        command.add_argument("folder", metavar="FOLDER", help="made if it does not exist")
    join.add_argument("address", metavar="ADDRESS", nargs="+", help='of a peer: "127.0.0.1:5000", "[::1]:5000"')
    create.add_argument(
        "--connect", dest="address", metavar="ADDRESS", action="append", default=[], help="also connect there"
    )
    create.add_argument(
        "--record-limit",
        metavar="BYTES",
        type=int,
        default=0,
        help="how large a record may be; larger files are split anyhow. Default 4 MiB, at least 16 KiB",
    )
    for command in (create, join):
        command.add_argument(
            "--name", default=socket.gethostname(), help="who we are; conflict copies have it. Default: %(default)s"
        )
        command.add_argument(
            "--graph", default="folder", help="must be the same on all peers. Default: %(default)s", metavar="ID"
        )
        command.add_argument(
            "--listen", metavar="PORT", type=int, default=0, help="default: the port of last time, or a free one"
        )
        command.add_argument(
            "--listen-everywhere",
            action="store_true",
            help="be reachable from other machines. Whoever reaches us can read and change the folder!",
        )
        command.add_argument("--json", action="store_true", help="say everything as lines of JSON, for programs")
    return top


def options_from(argv: list[str]) -> argparse.Namespace:
    top = parser()
    options = top.parse_args(argv)
    if not 0 <= options.listen <= 65535:
        top.error("--listen: a port is a number from 0 to 65535")
    limit = getattr(options, "record_limit", 0)
    if limit and not RECORD_LIMIT_MIN <= limit <= RECORD_LIMIT_MAX:
        top.error(f"--record-limit: from {RECORD_LIMIT_MIN} to {RECORD_LIMIT_MAX}")
    return options


async def open_graph(runtime: peergraph.Runtime, options: argparse.Namespace) -> tuple[peergraph.Graph, bool]:
    """The graph from its database, and whether that is new; `create` makes it if there is none."""
    if options.command == "create":
        with contextlib.suppress(peergraph.DatabaseAlreadyPresent):
            limit = options.record_limit
            return await runtime.create_graph(options.graph, peer_id=options.name, max_record_size=limit), True
    graph = await runtime.open_graph(options.graph, peer_id=options.name)
    return graph, graph.is_new


async def first_synchronization(graph: peergraph.Graph, events: peergraph.Events, report: Report) -> None:
    """Waits until all records are here; they can be read from then on."""
    arrived = 0
    synchronized = asyncio.ensure_future(graph.synchronized())
    try:
        while not synchronized.done():
            event = asyncio.ensure_future(events.get())
            try:
                await asyncio.wait({event, synchronized}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                event.cancel()
            if event.done() and not event.cancelled() and isinstance(event.result(), peergraph.RecordChanged):
                arrived += 1 + len(events.take(1 << 16))
                report.progress("receiving", arrived, None)
        await synchronized
    finally:
        synchronized.cancel()


def listen(graph: peergraph.Graph, state: State, options: argparse.Namespace, report: Report) -> None:
    """On the port that was asked for, or that of last time, or a free one."""
    scope = peergraph.Scope.GLOBAL if options.listen_everywhere else peergraph.Scope.LOOPBACK
    port = options.listen or state.port
    try:
        graph.listen(port, scope=scope)
    except peergraph.UnableToListen:
        if options.listen or not port:
            raise
        graph.listen(0, scope=scope)
    address = graph.address or ""
    state.remember_port(int(address.rpartition(":")[2] or 0))
    state.commit()
    report.say("listening", f"others join with: folder.py join FOLDER {address}", address=address)


async def keep(runtime: peergraph.Runtime, folder: Folder, options: argparse.Namespace, report: Report) -> None:
    """Keeps folder and graph the same, for ever."""
    state = State(folder.private_path("state.jsonl"), options.graph, options.name)
    try:
        graph, is_new = await open_graph(runtime, options)
        if is_new:
            state.forget_all()
            state.commit()
        async with (
            graph,
            together() as start,
            graph.events(peergraph.NeighbourConnection) as connections,
            graph.events(peergraph.RecordChanged, record_type=(FILE, PART)) as events,
        ):
            start(tell_connections(connections, report))
            for address in options.address:
                start(find_the_graph(graph, address, report))
            if graph.is_new:
                report.say("waiting", f"waiting for the first synchronization of {options.graph!r}")
                await watched(first_synchronization(graph, events, report), start)
                report.say("synchronized", "synchronized")
            listen(graph, state, options, report)
            replica = Replica(graph, folder, state, report)
            await replica.load()
            start(replica.follow(events))
            start(replica.run())
            start(Upkeep(replica).run())
            await start.until_all_ended()
    finally:
        state.close()


class Tasks:
    """Tasks that live and die together: what one of them raises ends all."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def __call__(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        return task

    async def _until_one_ends(self) -> None:
        done, self._tasks = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def until(self, task: asyncio.Task[None]) -> None:
        """Waits for one task; raises what it or another raises meanwhile."""
        while not task.done():
            await self._until_one_ends()

    async def until_all_ended(self) -> None:
        """Waits for all; raises what the first raises."""
        while self._tasks:
            await self._until_one_ends()

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def together() -> AsyncIterator[Tasks]:
    tasks = Tasks()
    try:
        yield tasks
    finally:
        await tasks.end()


async def watched(work: Coroutine[Any, Any, None], tasks: Tasks) -> None:
    await tasks.until(tasks(work))


@contextlib.contextmanager
def signals_set(event: asyncio.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM set the event; the second one ends the program at once."""
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)

    def first() -> None:
        event.set()
        restore()

    def restore() -> None:
        for number in numbers:
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                loop.remove_signal_handler(number)

    for number in numbers:
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # a simulated host has no signals
            loop.add_signal_handler(number, first)
    try:
        yield
    finally:
        restore()


async def main(argv: list[str]) -> int:
    options = options_from(argv)
    report = Report(options.json)
    stop = asyncio.Event()
    try:
        folder = Folder(options.folder)
    except OSError as error:
        print(f"folder.py: {options.folder}: {error.strerror}", file=sys.stderr)
        return 1
    try:
        with signals_set(stop):
            async with peergraph.open_runtime(folder.private_path("database")) as runtime, together() as start:
                start(keep(runtime, folder, options, report))
                await watched(_ended(stop), start)
        report.say("left", "left; the same command goes on from here")
        return 0
    except (peergraph.PeerError, WrongGraph, OSError) as error:
        print(f"folder.py: {error}", file=sys.stderr)
        return 1
    finally:
        folder.close()


async def _ended(stop: asyncio.Event) -> None:
    await stop.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
