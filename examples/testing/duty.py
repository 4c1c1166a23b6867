#!/usr/bin/env python3
"""Who is on duty? A small protocol on the records of a graph, with tests that show how such a thing is tested.

    duty.py alice                       the first one
    duty.py bob 192.0.2.1:5000          joins by the address of anyone

Everyone adds a record, a claim, that lives for a minute, and renews it. The oldest claim that is alive is on duty:
whoever dies or is cut off loses it when his claim expires, and all who see the same claims name the same peer.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from datetime import timedelta
from typing import Final
from uuid import UUID

import peergraph.aio as peergraph

CLAIM: Final = UUID("64757479-0000-4000-8000-000000000001")
LEASE: Final = timedelta(seconds=60)
RENEW_EVERY: Final = LEASE / 3


def on_duty(claims: Iterable[peergraph.Record]) -> str | None:
    """The peer with the oldest claim."""
    oldest = min(claims, key=lambda claim: (claim.created_us, claim.id), default=None)
    return None if oldest is None else oldest.creator_id


async def stand_by(graph: peergraph.Graph) -> None:
    """Claims, and renews the claim for as long as it is wanted."""
    claim = graph.add_record(type=CLAIM, lifetime=LEASE)
    while True:
        await asyncio.sleep(RENEW_EVERY.total_seconds())
        try:
            graph.update_record(claim, lifetime=LEASE)
        except peergraph.RecordNotFound:  # it had expired: to the end of the queue
            claim = graph.add_record(type=CLAIM, lifetime=LEASE)


async def tell(graph: peergraph.Graph) -> None:
    """Says who is on duty, whenever that changes."""
    told: str | None = None
    async with graph.events(peergraph.RecordChanged, record_type=CLAIM) as events:
        async for _ in events:
            now = on_duty([claim async for claim in graph.records(CLAIM)])
            if now != told:
                told = now
                print(f"{graph.peer_id}: {now} is on duty", flush=True)


async def main(name: str, *addresses: str) -> None:
    """Takes part until it is cancelled."""
    async with peergraph.open_runtime() as runtime:
        try:
            opening = (
                runtime.open_graph("duty", peer_id=name) if addresses else runtime.create_graph("duty", peer_id=name)
            )
            graph = await opening
        except peergraph.DatabaseAlreadyPresent:
            graph = await runtime.open_graph("duty", peer_id=name)
        async with graph:
            for address in addresses:
                await graph.connect(address)
            await graph.synchronized()
            graph.listen(5000)
            await asyncio.gather(stand_by(graph), tell(graph))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit((__doc__ or "").strip())
    try:
        asyncio.run(main(*sys.argv[1:]))
    except KeyboardInterrupt:
        pass
    except peergraph.PeerError as error:
        sys.exit(f"duty.py: {error}")
