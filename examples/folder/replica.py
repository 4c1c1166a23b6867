"""Keeps folder and graph the same: looks at both, decides name by name, acts.

One task does everything that touches the folder, in passes: look, decide, act. Another only follows the graph's events
and notes which names to look at again. Deciding is by state, not by event, so nothing depends on the order of things.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias
from uuid import UUID

import peergraph.aio as peergraph
from beneath import ChangedMeanwhile, Folder, InTheWay, Signature
from decide import Action, Agreed, decide
from parts import Parts, chunks_of
from paths import conflict_path
from publish import Change, Outcome, Publisher
from records import EPOCH, FILE, MICROSECOND, PART, BadRecord, Version, digest_of, version_of
from report import Report, files, readable
from state import State
from view import View
from watch import OnDisk, Watch

PASS: Final = 512
LOOK_EVERY: Final = 0.5
LOOK_AT_LEAST_EVERY: Final = 2.0
DISK_FULL_PAUSE: Final = 5.0

Decided: TypeAlias = "tuple[str, Version | None]"
"""A name, and the version for which it was decided what to do."""


class Replica:
    """One folder, and the records of one graph."""

    def __init__(self, graph: peergraph.Graph, folder: Folder, state: State, report: Report) -> None:
        self.graph, self.folder, self.state, self.report = graph, folder, state, report
        self.view, self.parts = View(), Parts()
        self.watch = Watch(folder, state)
        self.publisher = Publisher(graph, folder, self.view, self.parts)
        self.waiting: dict[str, str] = {}
        """Names that cannot be brought in order now, and why."""
        self._dirty: set[str] = set()
        self._expired: set[UUID] = set()
        self._wake = asyncio.Event()
        self._steady = asyncio.Lock()
        """Held by who changes something according to the view, and by who reads the view anew."""
        self._retry_at = 0.0
        self._told: dict[str, str] = {}
        self._rest = ("", 0)
        self._untold = True

    # -- following the graph -----------------------------------------------------------------------------------------

    async def load(self) -> None:
        """Reads all records: at the start, and when events were lost."""
        async with self._steady:
            await self._load()

    async def _load(self) -> None:
        gone = set(self.view.versions) | {record_id for record_id, _ in self.parts.records()}
        async for record in self.graph.records(PART):
            self._take_part(record)
            gone.discard(record.id)
        async for record in self.graph.records(FILE):
            self._take_file(record)
            gone.discard(record.id)
        now_us = self._now_us()
        for record_id in gone:
            version = self.view.versions.get(record_id)
            self._take_away(record_id, expired=version is not None and version.expires_us <= now_us)
        for path in self.state:
            agreed = self.state[path]
            if agreed and agreed.record_id not in self.view.versions and agreed.expires_us <= now_us:
                self._expired.add(agreed.record_id)
        self._look_again({*self.state, *self.view.paths(), *self.watch.files})

    async def follow(self, events: peergraph.Events) -> None:
        """Takes what other peers do; ends with the graph."""
        async for event in events:
            if isinstance(event, peergraph.Overflow):
                await self.load()
            elif isinstance(event, peergraph.RecordChanged):
                self._take(event)
        if events.closed is not None and events.closed.error is not None:
            raise events.closed.error

    def _take(self, event: peergraph.RecordChanged) -> None:
        if event.change in (peergraph.RecordChange.DELETED, peergraph.RecordChange.EXPIRED):
            self._take_away(event.record_id, event.change == peergraph.RecordChange.EXPIRED)
            return
        record = event.record
        if record is None:
            return  # another event tells how it went
        if event.record_type == PART:
            self._take_part(record)
        else:
            self._take_file(record)

    def _take_file(self, record: peergraph.Record) -> None:
        try:
            version = version_of(record)
        except (BadRecord, peergraph.InvalidAttributes) as error:
            self._tell(str(record.id), f"a record of {record.creator_id} is ignored: {error}")
            self._look_again(self.view.remove(record.id))
            return
        self._look_again(self.view.put(version))

    def _take_part(self, record: peergraph.Record) -> None:
        part = self.parts.put(record)
        if part is not None:
            self._look_again(self.view.names_of(self.view.users_of(part)))

    def _take_away(self, record_id: UUID, expired: bool) -> None:
        if expired:
            self._expired.add(record_id)
        self.parts.remove(record_id)
        self._look_again(self.view.remove(record_id))

    def _look_again(self, paths: Iterable[str]) -> None:
        self._dirty.update(paths)
        if self._dirty:
            self._wake.set()

    # -- passes ------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Looks at the folder again and again, and at what the graph brings when it brings it."""
        loop = asyncio.get_running_loop()
        while True:
            await self.look()
            await self.settle()
            look_at = loop.time() + min(max(LOOK_EVERY, 10 * self.watch.seconds), LOOK_AT_LEAST_EVERY)
            while (left := look_at - loop.time()) > 0:
                try:
                    await asyncio.wait_for(self._wake.wait(), left)
                except asyncio.TimeoutError:
                    break
                await self.settle()

    async def look(self) -> None:
        """Looks at the folder."""
        loop = asyncio.get_running_loop()

        def progress(done: int, total: int, size: int) -> None:
            if total >= PASS:
                loop.call_soon_threadsafe(self.report.progress, "reading", done, total, size)

        self._look_again(await asyncio.to_thread(self.watch.look, progress))
        for path, reason in self.watch.skipped.items():
            self._tell(path, f"skipped: {path}: {reason}")
        if loop.time() >= self._retry_at:
            self._look_again(self.waiting)

    async def settle(self) -> None:
        """Brings everything in order that needs it."""
        self._wake.clear()
        total, done, size = len(self._dirty), 0, 0
        while self._dirty:
            paths = sorted(self._dirty)[:PASS]
            self._dirty.difference_update(paths)
            async with self._steady:
                size += await self._pass(paths)
            done += len(paths)
            if total >= PASS:
                self.report.progress("bringing in order", done, max(total, done + len(self._dirty)), size)
        self._untold |= done > 0
        if self._untold and not self.watch.restless:
            self._tell_rest()

    async def _pass(self, paths: list[str]) -> int:
        """Brings some names in order; gives how many bytes were written."""
        plan: dict[Action, list[Decided]] = {action: [] for action in Action}
        for path in paths:
            self.waiting.pop(path, None)
            shown = self.view.at(path)
            if self.watch.is_known(path):
                plan[self._decide(path)].append((path, shown))
            elif shown is not None:
                self._wait(path, "something that is no file is in its place")
        for path, _ in plan[Action.FORGET]:
            self.state.forget(path)
        for path, _ in plan[Action.AGREE]:
            self._agree(path)
        for path in self._still(plan[Action.DISCARD]):
            await self._discard(path)
        to_keep = list(self._still(plan[Action.KEEP_AND_WRITE]))
        await self._publish([self._keep(path) for path in to_keep if not self._is_kept(path)])
        kept = [path for path in to_keep if path not in self.waiting]
        written = await self._write_all([*self._still(plan[Action.WRITE]), *kept])
        changes = [
            change
            for action in (Action.DELETE, Action.UPDATE, Action.ADD)
            for path in self._still(plan[action])
            for change in self._changes(action, path)
        ]
        await self._publish(changes)
        self.state.commit()
        return written

    def _still(self, decided: Iterable[Decided]) -> Iterator[str]:
        """The names that show what was decided upon; the others, where something came in meanwhile, once more."""
        for path, shown in decided:
            if self.view.at(path) == shown:
                yield path
            else:
                self._look_again([path])

    def _decide(self, path: str) -> Action:
        agreed, found = self.state[path], self.watch.files.get(path)
        touched = agreed is not None and found is not None and agreed.signature != found.signature
        former = None if agreed is None else self.view.versions.get(agreed.record_id)
        expired = agreed is not None and agreed.record_id in self._expired
        shown = self.view.at(path)
        return decide(self.watch.content(path), agreed, shown, former=former, expired=expired, touched=touched)

    def _agree(self, path: str) -> None:
        shown, found, agreed = self.view.at(path), self.watch.files.get(path), self.state[path]
        if shown is None or found is None:
            return
        mine = agreed is not None and agreed.mine and agreed.record_id == shown.record_id
        mine |= shown.peer == self.graph.peer_id  # a crash, or a full disk, came between the graph and the journal
        self._remember(path, shown, found.signature, mine)

    def _remember(self, path: str, version: Version, signature: Signature, mine: bool) -> None:
        agreed = Agreed(version.record_id, version.content, version.mark, signature, version.expires_us, mine)
        self.state.put(path, agreed)

    # -- from the graph into the folder ------------------------------------------------------------------------------

    async def _discard(self, path: str) -> None:
        try:
            place = await asyncio.to_thread(self.folder.discard, path, self.watch.files[path].signature)
        except OSError as error:
            self._wait(path, _reason(error))
            return
        del self.watch.files[path]
        self.state.forget(path)
        if self.view.at(path) is not None:
            self._look_again([path])
        self.report.say("removed", f"- {path} (kept as {place})", path=path)

    async def _write_all(self, paths: list[str]) -> int:
        versions = [(path, version) for path in paths if (version := self.view.at(path)) is not None]
        await asyncio.gather(*(self._write(path, version) for path, version in versions))
        good = [(path, version) for path, version in versions if path not in self.waiting]
        await asyncio.to_thread(self.folder.sync, [path for path, _ in good])
        for path, version in good:
            self._remember(path, version, self.watch.files[path].signature, mine=False)
        if 0 < len(good) <= 20:
            for path, version in good:
                self.report.say("written", f"+ {path} ({readable(version.size)}, {version.peer})", path=path)
        elif good:
            self.report.say("written", f"+ {len(good)} files")
        return sum(version.size for _, version in good)

    async def _write(self, path: str, version: Version) -> None:
        if missing := self.parts.missing(version):
            self._wait(path, f"{len(missing)} of {len(version.parts)} parts have not arrived", quiet=True)
            return
        found = self.watch.files.get(path)

        def write() -> OnDisk:
            signature = self.folder.write(
                path,
                chunks_of(self.graph, version, self.parts),
                mtime_ns=version.mtime_us * 1000,
                executable=version.content.executable,
                expected=None if found is None else found.signature,
            )
            return OnDisk(version.content, signature)

        try:
            self.watch.files[path] = await asyncio.to_thread(write)
        except peergraph.RecordNotFound:
            self._wait(path, "the record has gone", quiet=True)
        except (BadRecord, OSError) as error:
            if isinstance(error, peergraph.PeerError):
                raise
            self._wait(path, _reason(error), quiet=isinstance(error, ChangedMeanwhile))
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                self._retry_at = asyncio.get_running_loop().time() + DISK_FULL_PAUSE

    # -- from the folder into the graph ------------------------------------------------------------------------------

    def _keep_names(self, path: str) -> tuple[str, str]:
        sha256 = self.watch.files[path].content.sha256
        return conflict_path(path, self.graph.peer_id), conflict_path(path, self.graph.peer_id, sha256[:8])

    def _is_kept(self, path: str) -> bool:
        """Whether we did so already, and were killed before we could go on."""
        shown = map(self.view.at, self._keep_names(path))
        return any(each is not None and each.content == self.watch.content(path) for each in shown)

    def _keep(self, path: str) -> Change:
        """Our own content, which lost against somebody else's, as a file of its own."""
        name, other_name = self._keep_names(path)
        if not self.view.is_free(name) or not self.watch.is_known(name) or name in self.watch.files:
            name = other_name
        return self._change(Action.ADD, path, name, None)

    def _changes(self, action: Action, path: str) -> list[Change]:
        shown = self.view.at(path)
        if action is Action.ADD:
            return [self._change(action, path, path, None)]
        if shown is None:
            return []
        if action is Action.UPDATE:  # who edits the copy that lost gives it the name for good
            return [self._change(action, path, path, shown)]
        return [self._change(action, path, path, each) for each in (shown, *self.view.hidden_behind(path))]

    def _change(self, action: Action, path: str, name: str, version: Version | None) -> Change:
        found, agreed = self.watch.files.get(path), self.state[path]
        changed_us = now_us = self._now_us()
        if found is not None:
            changed_us = min(now_us, self._peer_time_us(found.signature.mtime_ns // 1000))
        before: tuple[str, ...] = ()
        if version is not None:
            changed_us = min(now_us, max(changed_us, version.changed_us + 1))
            before = (version.mark, *version.before)
        elif agreed is not None and name == path:
            before = (agreed.mark,)
        content = None if found is None else found.content
        return Change(action, path, name, content, version, before, changed_us)

    async def _publish(self, changes: list[Change]) -> None:
        if not changes:
            return
        outcomes: list[Outcome] = []
        try:
            async for outcome in self.publisher.publish(changes):
                outcomes.append(outcome)
                self._follow_up(outcome)
        except peergraph.DiskFull as error:
            self._tell("disk full", f"cannot store changes: {error}")
            for change in changes[len(outcomes) :]:
                self._wait(change.path, "the disk is full", quiet=True)
            self._retry_at = asyncio.get_running_loop().time() + DISK_FULL_PAUSE
        sent = [outcome.change for outcome in outcomes if outcome.done]
        words = {Action.ADD: "added", Action.UPDATE: "changed", Action.DELETE: "deleted"}
        if len(sent) <= 20:
            for change in sent:
                self.report.say("sent", f"  {change.name} {words[change.action]} here", path=change.name)
        else:
            self.report.say("sent", f"  {len(sent)} changes made here")

    def _follow_up(self, outcome: Outcome) -> None:
        change = outcome.change
        self._look_again(outcome.names)
        if outcome.problem:
            self._wait(change.path, f"cannot be sent: {outcome.problem}")
        elif not outcome.done:
            self._wait(change.path, "changed meanwhile", quiet=True)
        elif change.action is Action.DELETE:
            self.state.forget(change.path)
        elif change.path == change.name and outcome.version is not None and outcome.signature is not None:
            self._remember(change.path, outcome.version, outcome.signature, mine=True)
            if self.view.at(change.path) == outcome.version:
                self._dirty.discard(change.path)  # nothing is left to do about it
            else:
                self._look_again([change.path])  # it may be shown elsewhere

    # -- telling -----------------------------------------------------------------------------------------------------

    def _wait(self, path: str, reason: str, quiet: bool = False) -> None:
        self.waiting[path] = reason
        if not quiet:
            self._tell(path, f"waits: {path}: {reason}")

    def _tell(self, key: str, text: str) -> None:
        """Says something about a name, once."""
        if self._told.get(key) != text:
            self._told[key] = text
            self.report.say("note", text)

    def _tell_rest(self) -> None:
        """Everything is in order: says what there is, if that is new."""
        size = sum(found.signature.size for found in self.watch.files.values())
        digest = digest_of((path, found.content) for path, found in self.watch.files.items())
        count = len(self.watch.files)
        self._untold = False
        if self._rest != (digest, len(self.waiting)):
            self._rest = (digest, len(self.waiting))
            text = f"in order: {files(count)}, {readable(size)}, {digest[:16]}"
            self.report.say("rest", text, files=count, bytes=size, hash=digest, waiting=len(self.waiting))

    def _now_us(self) -> int:
        return (self.graph.now() - EPOCH) // MICROSECOND

    def _peer_time_us(self, time_us: int) -> int:
        here = self.graph.universal_time_to_peer_time(EPOCH)
        return time_us + (here - EPOCH) // MICROSECOND


def _reason(error: Exception) -> str:
    if isinstance(error, InTheWay):
        return f"{error.filename} {error.strerror}"
    return (getattr(error, "strerror", None) or str(error)).lower()
