"""The way into the graph: each address that was given is dialled until it answers. From then on the graph itself finds
further neighbours and replaces those that it loses.
"""

from __future__ import annotations

import asyncio
import random
from typing import Final

import peergraph.aio as peergraph
from report import Report

FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 15.0


async def find_the_graph(graph: peergraph.Graph, address: str, report: Report) -> None:
    """Connects to an address, with longer and longer pauses after failures."""
    pause = FIRST_PAUSE
    told = ""
    while True:
        try:
            await graph.connect(address)
            return
        except peergraph.AlreadyExists:
            return
        except peergraph.ConnectionFailed as error:
            if told != str(error):
                told = str(error)
                report.say("unconnected", f"no connection to {address} yet: {error}", address=address)
        await asyncio.sleep(pause * random.uniform(0.75, 1.25))
        pause = min(2 * pause, LONGEST_PAUSE)


async def tell_connections(events: peergraph.Events, report: Report) -> None:
    """Says who comes and who goes."""
    async for event in events:
        if not isinstance(event, peergraph.NeighbourConnection):
            continue
        if event.status == peergraph.ConnectionStatus.CONNECTED:
            report.say("connected", f"connected to {event.peer_id}", peer=event.peer_id)
        elif event.status == peergraph.ConnectionStatus.DISCONNECTED:
            report.say("lost", f"lost the connection to {event.peer_id}", peer=event.peer_id)
