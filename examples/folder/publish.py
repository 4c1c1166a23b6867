"""Local changes on their way into the graph: read from the folder in a thread, stored and sent by the batch."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO, Final, TypeAlias
from uuid import UUID

import peergraph.aio as peergraph
from beneath import Folder, Signature
from decide import Action
from parts import Holder, Parts
from paths import BadPath
from records import (
    BEFORE_MAX,
    EPOCH,
    FILE,
    HASH_BYTES,
    LIFETIME,
    MICROSECOND,
    PART,
    BadRecord,
    Content,
    Version,
    attributes_of,
    part_size,
    version_of,
)
from view import View

BATCH_CHANGES: Final = 256
BATCH_BYTES: Final = 4 << 20
_MEANWHILE: Final = (peergraph.RecordNotFound, peergraph.InvalidRecordExpiration)
"""Somebody has just deleted the record, or given it more time than we would."""
LIFETIME_US: Final = LIFETIME.days * 86_400_000_000


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that was done in the folder."""

    action: Action
    """ADD, UPDATE or DELETE."""
    path: str
    """Where the file is."""
    name: str
    """What the record calls it."""
    content: Content | None
    version: Version | None
    """The record to change or to delete."""
    before: tuple[str, ...]
    changed_us: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went: the record as it is now, or why there is none."""

    change: Change
    version: Version | None = None
    signature: Signature | None = None
    names: frozenset[str] = frozenset()
    """Where something else is shown now."""
    done: bool = False
    """Whether the graph has it."""
    problem: str = ""
    """Empty if things have changed meanwhile, and it should be looked at again."""


@dataclass(frozen=True, slots=True)
class PartStep:
    part: str
    data: bytes


@dataclass(frozen=True, slots=True)
class HeadStep:
    outcome: Outcome
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class DropStep:
    record_id: UUID


Step: TypeAlias = PartStep | HeadStep | DropStep
Target: TypeAlias = "peergraph.Graph | peergraph.Batch"


class Publisher:
    """Turns changes of the folder into changes of records."""

    def __init__(self, graph: peergraph.Graph, folder: Folder, view: View, parts: Parts) -> None:
        self._graph, self._folder, self._view, self._parts = graph, folder, view, parts
        self._part_size = part_size(graph.properties.max_record_size)

    async def publish(self, changes: Iterable[Change]) -> AsyncIterator[Outcome]:
        """Stores and sends changes. Raises DiskFull, GraphShuttingDown; then the rest was not done."""
        steps = self._steps(changes)
        while batch := await asyncio.to_thread(_take, steps):
            for outcome in await self._commit(batch):
                yield outcome

    async def restore_parts(self, path: str, version: Version) -> None:
        """Adds again the parts of a file that we hold and the graph has lost."""
        change = Change(Action.UPDATE, path, path, version.content, version, (), 0)
        steps = (step for step in self._steps([change]) if isinstance(step, PartStep))
        while batch := await asyncio.to_thread(_take, steps):
            await self._commit(batch)

    async def drop_parts(self, record_ids: Iterable[UUID]) -> None:
        steps: Iterator[Step] = iter([DropStep(each) for each in record_ids])
        while batch := _take(steps):
            await self._commit(batch)

    # -- reading, in a thread ----------------------------------------------------------------------------------------

    def _steps(self, changes: Iterable[Change]) -> Iterator[Step]:
        for change in changes:
            if change.action is Action.DELETE:
                yield HeadStep(Outcome(change))
            else:
                try:
                    yield from self._read(change)
                except FileNotFoundError:
                    yield HeadStep(Outcome(change))
                except (OSError, BadPath) as error:
                    yield HeadStep(Outcome(change, problem=getattr(error, "strerror", None) or str(error)))

    def _read(self, change: Change) -> Iterator[Step]:
        with self._folder.open(change.path) as (file, signature):
            if -(-signature.size // self._part_size) * HASH_BYTES > self._part_size:
                yield HeadStep(Outcome(change, problem="too large for the records of this graph"))
                return
            total, size, hashes, data = hashlib.sha256(), 0, [], b""
            while chunk := _read_up_to(file, self._part_size):
                total.update(chunk)
                size += len(chunk)
                if size > signature.size:
                    break
                if signature.size <= self._part_size:
                    data = chunk
                else:
                    hashes.append(hashlib.sha256(chunk).hexdigest())
                    yield PartStep(hashes[-1], chunk)
            mtime_ns, size_now = (after := os.fstat(file.fileno())).st_mtime_ns, after.st_size
        content = Content(total.hexdigest(), signature.executable)
        if content != change.content or (mtime_ns, size_now) != (signature.mtime_ns, size):
            yield HeadStep(Outcome(change))
            return
        old = change.version
        version = Version(
            record_id=old.record_id if old else UUID(int=0),
            path=change.name,
            content=content,
            size=size,
            mtime_us=mtime_ns // 1000,
            changed_us=change.changed_us,
            before=tuple(dict.fromkeys(change.before))[:BEFORE_MAX],
            parts=tuple(hashes),
            peer=self._graph.peer_id,
            creator=old.creator if old else self._graph.peer_id,
            expires_us=old.expires_us if old else 0,
        )
        yield HeadStep(Outcome(change, version, signature), b"".join(map(bytes.fromhex, hashes)) or data)

    # -- storing, in the loop ----------------------------------------------------------------------------------------

    async def _commit(self, steps: list[Step]) -> list[Outcome]:
        done: list[tuple[Step, UUID | None, Outcome | None]] = []
        try:
            async with self._graph.batch() as batch:
                done = [(step, *self._stage(batch, step)) for step in steps]
        except _MEANWHILE:  # to one of the records: the rest one by one
            done = []
            for step in steps:
                try:
                    done.append((step, *self._stage(self._graph, step)))
                except _MEANWHILE:
                    if isinstance(step, HeadStep):
                        done.append((step, None, Outcome(step.outcome.change)))
        outcomes, orphans = [], []
        for step, record_id, outcome in done:
            if isinstance(step, PartStep) and record_id is not None:
                now_us = self._now_us()
                self._parts.add(step.part, record_id, Holder(self._graph.peer_id, now_us, now_us + LIFETIME_US))
            elif isinstance(step, DropStep):
                self._parts.remove(step.record_id)
            elif outcome is not None:
                names, unused = self._take_over(outcome, record_id)
                orphans += unused
                outcomes.append(replace(outcome, names=names, done=record_id is not None))
        with contextlib.suppress(peergraph.DiskFull):  # they are found later
            await self.drop_parts(orphans)
        return outcomes

    def _stage(self, target: Target, step: Step) -> tuple[UUID | None, Outcome | None]:
        if isinstance(step, DropStep):
            target.delete_record(step.record_id)
            return step.record_id, None
        if isinstance(step, PartStep):
            if step.part in self._parts:
                return None, None
            return target.add_record(
                type=PART, data=step.data, attributes={"sha256": step.part}, lifetime=LIFETIME
            ), None
        return self._stage_head(target, step)

    def _stage_head(self, target: Target, step: HeadStep) -> tuple[UUID | None, Outcome]:
        outcome, change = step.outcome, step.outcome.change
        old = change.version
        if old is not None and self._view.versions.get(old.record_id) != old:
            return None, Outcome(change)  # a newer version came in while we were reading
        if change.action is Action.DELETE:
            assert old is not None
            target.delete_record(old.record_id)
            return old.record_id, outcome
        version = outcome.version
        if version is None:
            return None, outcome
        expires = self._graph.now() + LIFETIME
        expires_us = (expires - EPOCH) // MICROSECOND
        try:
            if old is None:
                made = target.add_record(type=FILE, data=step.data, attributes=attributes_of(version), expires=expires)
                return made, replace(outcome, version=replace(version, record_id=made, expires_us=expires_us))
            longer = old.expires_us < expires_us
            target.update_record(
                old.record_id,
                data=step.data,
                attributes=attributes_of(version),
                expires=expires if longer else None,
            )
            return old.record_id, replace(outcome, version=replace(version, expires_us=max(expires_us, old.expires_us)))
        except peergraph.InvalidRecordExpiration:
            raise
        except peergraph.InvalidRecord as error:
            return None, Outcome(change, problem=str(error))

    def _take_over(self, outcome: Outcome, record_id: UUID | None) -> tuple[frozenset[str], list[UUID]]:
        """Follows in our own view what was stored: it may have been changed again since, and the events been taken.

        Gives the names under which something else is shown, and the records of parts that nobody needs any more.
        """
        if record_id is None:
            return frozenset(), []
        old = outcome.change.version
        try:
            names = self._view.put(version_of(self._graph.get_record(record_id)))
        except (peergraph.RecordNotFound, BadRecord, peergraph.InvalidAttributes):
            names = self._view.remove(record_id)
        unused = [part for part in dict.fromkeys(old.parts if old else ()) if not self._view.users_of(part)]
        return frozenset(names), [each for part in unused for each in self._parts.holders(part)]

    def _now_us(self) -> int:
        return (self._graph.now() - EPOCH) // MICROSECOND


def _take(steps: Iterator[Step]) -> list[Step]:
    """What goes into one batch."""
    taken, size = [], 0
    for step in steps:
        taken.append(step)
        size += 0 if isinstance(step, DropStep) else len(step.data)
        if len(taken) >= BATCH_CHANGES or size >= BATCH_BYTES:
            break
    return taken


def _read_up_to(file: BinaryIO, size: int) -> bytes:
    pieces = []
    while size and (piece := file.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
