"""A connection to each address that was given, made again whenever it is lost."""

from __future__ import annotations

import asyncio
import random
from typing import Final

import peergraph.aio as peergraph
from report import Report

FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 15.0


async def stay_connected(graph: peergraph.Graph, address: str, report: Report) -> None:
    """Connects, waits until the connection is lost, connects again; with longer and longer pauses after failures."""
    pause = FIRST_PAUSE
    told = ""
    async with graph.events(peergraph.NeighbourConnection) as events:
        while True:
            try:
                made = await graph.connect(address)
            except peergraph.InvalidArgument:
                raise
            except peergraph.AlreadyExists:
                told = ""
                await _until_lost(events, None)
                pause = FIRST_PAUSE
            except peergraph.ConnectionFailed as error:
                if told != str(error):
                    told = str(error)
                    report.say("unconnected", f"no connection to {address} yet: {error}", address=address)
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                told = ""
                report.say("connected", f"connected to {made.peer_id} at {address}", peer=made.peer_id, address=address)
                await _until_lost(events, made.connection_id)
                report.say("lost", f"lost the connection to {made.peer_id}", peer=made.peer_id, address=address)
                pause = FIRST_PAUSE
            await asyncio.sleep(pause * random.uniform(0.75, 1.25))


async def _until_lost(events: peergraph.Events, connection_id: int | None) -> None:
    """Waits until a connection, or any, is gone."""
    async for event in events:
        if (
            isinstance(event, peergraph.NeighbourConnection)
            and event.status == peergraph.ConnectionStatus.DISCONNECTED
            and connection_id in (None, event.connection_id)
        ):
            return
