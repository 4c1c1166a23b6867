"""What keeps records alive and the database clean, done by whoever holds a file."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from typing import Final
from uuid import UUID

import peergraph.aio as peergraph
from decide import Action
from publish import LIFETIME_US, Change
from records import EPOCH, LIFETIME, MICROSECOND, Version
from replica import Replica

EVERY: Final = 5.0
REFRESH_EVERY: Final = 3600.0
PATIENCE: Final = 10.0
"""How long to leave it to the author of a file to restore its parts."""
ORPHAN_US: Final = 600 * 1_000_000


class Upkeep:
    """Refreshes, restores and removes records."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._graph = replica.graph
        self._torn_since: dict[UUID, float] = {}
        self._was_hidden: set[UUID] = set()

    async def run(self) -> None:
        """Does what there is to do every few seconds; lifetimes have time."""
        loop = asyncio.get_running_loop()
        refresh_at = loop.time()
        while True:
            try:
                if loop.time() >= refresh_at:
                    refresh_at = loop.time() + REFRESH_EVERY
                    await self.refresh()
                    await self.remove_orphans()
                await self.restore()
                await self.remove_hidden()
            except (peergraph.DiskFull, peergraph.RecordNotFound):
                pass  # next time
            await asyncio.sleep(EVERY)

    async def refresh(self) -> None:
        """Prolongs the records of files that are here, before half their life is over; not all peers at once."""
        due = [record_id for record_id, expires_us in self._lives() if expires_us < self._limit_us(record_id)]
        for start in range(0, len(due), 256):
            for record_id in due[start : start + 256]:
                try:
                    self._graph.update_record(record_id, lifetime=LIFETIME)
                except (peergraph.RecordNotFound, peergraph.InvalidRecordExpiration):
                    continue  # somebody has just deleted it, or given it more time
            await asyncio.sleep(0)

    def _lives(self) -> Iterator[tuple[UUID, int]]:
        """Records of files that are here, with the end of their life."""
        for version in list(self._replica.view.versions.values()):
            if self._is_here(version):
                yield version.record_id, version.expires_us
                for part in dict.fromkeys(version.parts):
                    for record_id, holder in self._replica.parts.holders(part).items():
                        yield record_id, holder.expires_us

    def _limit_us(self, record_id: UUID) -> int:
        """Half a life from now, or up to a tenth less: by chance, but for one peer and record always the same."""
        chance = hashlib.sha256(self._graph.peer_id.encode() + record_id.bytes).digest()[0]
        now_us = (self._graph.now() - EPOCH) // MICROSECOND
        return now_us + LIFETIME_US // 2 - LIFETIME_US // 20 * chance // 256

    def _is_here(self, version: Version) -> bool:
        return any(
            agreed is not None and agreed.record_id == version.record_id and agreed.content == version.content
            for agreed in map(self._replica.state.__getitem__, self._replica.view.names_of([version.record_id]))
        )

    async def restore(self) -> None:
        """Gives back parts that somebody deleted while somebody else began to need them."""
        now = asyncio.get_running_loop().time()
        torn = {}
        for version in list(self._replica.view.versions.values()):
            if not version.parts or not self._replica.parts.missing(version) or not self._is_here(version):
                continue
            torn[version.record_id] = since = self._torn_since.get(version.record_id, now)
            if version.peer == self._graph.peer_id or now - since > PATIENCE:
                for path in self._replica.view.names_of([version.record_id]):
                    await self._replica.publisher.restore_parts(path, version)
        self._torn_since = torn

    async def remove_hidden(self) -> None:
        """Deletes our records that say nothing which a later record for the same path does not say too."""
        hidden = [each for each in self._replica.view.hidden() if each.creator == self._graph.peer_id]
        again = [each for each in hidden if each.record_id in self._was_hidden]
        self._was_hidden = {each.record_id for each in hidden}
        changes = [Change(Action.DELETE, each.path, each.path, None, each, (), 0) for each in again]
        async for _ in self._replica.publisher.publish(changes):
            pass

    async def remove_orphans(self) -> None:
        """Deletes our parts that no file needs: a program that was killed, or an edit that lost, left them."""
        parts, view = self._replica.parts, self._replica.view
        old_us = (self._graph.now() - EPOCH) // MICROSECOND - ORPHAN_US
        orphans = []
        for record_id, part in parts.records():
            holder = parts.holders(part)[record_id]
            if holder.creator == self._graph.peer_id and holder.created_us < old_us and not view.users_of(part):
                orphans.append(record_id)
        await self._replica.publisher.drop_parts(orphans)
