"""Parts of large files, known by their hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

import peergraph.aio as peergraph
from records import BadRecord, Version, part_hash


class Holder(NamedTuple):
    """A record that holds a part."""

    creator: str
    created_us: int
    expires_us: int


class Parts:
    """Which records hold which part. Two peers may have added the same one; either will do."""

    def __init__(self) -> None:
        self._holders: dict[str, dict[UUID, Holder]] = {}
        self._hashes: dict[UUID, str] = {}

    def __contains__(self, part: str) -> bool:
        return part in self._holders

    def put(self, record: peergraph.Record) -> str | None:
        """Takes a record; gives the hash of its part, or None if it is none."""
        part = part_hash(record)
        if part is None or hashlib.sha256(record.data).hexdigest() != part:
            self.remove(record.id)
            return None
        self.add(part, record.id, Holder(record.creator_id, record.created_us, record.expires_us))
        return part

    def add(self, part: str, record_id: UUID, holder: Holder) -> None:
        if self._hashes.get(record_id, part) != part:
            self.remove(record_id)
        self._hashes[record_id] = part
        self._holders.setdefault(part, {})[record_id] = holder

    def remove(self, record_id: UUID) -> str | None:
        """Forgets a record; gives the hash of what it held."""
        part = self._hashes.pop(record_id, None)
        if part is not None:
            holders = self._holders[part]
            del holders[record_id]
            if not holders:
                del self._holders[part]
        return part

    def holders(self, part: str) -> dict[UUID, Holder]:
        return dict(self._holders.get(part, {}))

    def records(self) -> Iterator[tuple[UUID, str]]:
        return iter(list(self._hashes.items()))

    def missing(self, version: Version) -> list[str]:
        """The parts that have not arrived yet."""
        return [part for part in dict.fromkeys(version.parts) if part not in self._holders]


def chunks_of(graph: peergraph.Graph, version: Version, parts: Parts) -> Iterator[bytes]:
    """The bytes of a file, piece by piece. Raises BadRecord at the end if they are not what the record promised."""
    total, size = hashlib.sha256(), 0
    for chunk in _pieces(graph, version, parts):
        total.update(chunk)
        size += len(chunk)
        if size > version.size:
            break
        yield chunk
    if size != version.size or total.hexdigest() != version.content.sha256:
        raise BadRecord("its bytes are not those that its hash promises")


def _pieces(graph: peergraph.Graph, version: Version, parts: Parts) -> Iterator[bytes]:
    if not version.parts:
        yield graph.get_record(version.record_id).data
        return
    for part in version.parts:
        for record_id in parts.holders(part):
            try:
                yield graph.get_record(record_id).data
                break
            except peergraph.RecordNotFound:
                continue
        else:
            raise BadRecord("a part has gone")
