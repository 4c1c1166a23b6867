"""What the tests of the simulator share: a small program for hosts."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise

import peergraph.aio as peergraph
from python.scene import NOTE

DAY = timedelta(days=1)


async def member(name: str, *addresses: str, notes: int = 1, graph_id: str = "g") -> None:
    """Creates a graph, or joins it at the first address; adds some notes, and stays."""
    async with peergraph.open_runtime() as runtime:
        opening = runtime.open_graph if addresses else runtime.create_graph
        async with opening(graph_id, peer_id=name) as graph:
            for address in addresses:
                await graph.connect(address)
            await graph.synchronized()
            graph.listen(5000)
            for number in range(notes):
                graph.add_record(type=NOTE, data=f"{name} {number}".encode(), lifetime=DAY)
            await asyncio.Event().wait()


def start_members(network, *names, notes=1):
    """A graph of several hosts: the first creates it, each other joins the one before; all are connected."""
    hosts = network.add_hosts(*names)
    hosts[0].start(member, names[0])
    for before, host in pairwise(hosts):
        network.run_for(1)
        host.start(lambda name=host.name, address=f"{before.name}:5000": member(name, address, notes=notes))
    network.run_until(lambda: all(count(host) for host in hosts), every=0.1)
    return hosts


def count(host) -> int:
    """How many notes a host has."""
    return len(host.records(NOTE))


def notes(host) -> list[bytes]:
    """What is in the notes that a host has."""
    return sorted(record.data for record in host.records(NOTE))
