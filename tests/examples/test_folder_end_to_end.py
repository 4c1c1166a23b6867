"""Processes of folder.py on this machine, as a person would use them. Every wait has a deadline and ends early."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

import peergraph.aio as peergraph
import pytest
from beneath import Folder
from demo import manifest, walk
from peergraph.sim import Network
from processes import FOLDER_PROGRAM, Peer, Stage
from records import FILE, Content, Version, attributes_of, digest_of
from replica import Replica
from report import Report
from state import State

TIME = 180


@pytest.fixture
def peers(tmp_path):
    """Runs a scenario with peers a, b and c; afterwards no process is left."""

    def run(scenario):
        stage = Stage(TIME)
        three = [Peer(name, tmp_path / name, stage) for name in "abc"]

        async def whole():
            try:
                await scenario(*three)
            except BaseException:
                for peer in three:
                    peer.show_log()
                raise
            finally:
                await asyncio.gather(*(peer.kill() for peer in three))

        asyncio.run(whole())

    return run


def contents(files: dict[str, str | bytes], *executable: str) -> dict[str, Content]:
    """What manifest() says of a folder with these files."""
    data = {path: data.encode() if isinstance(data, str) else data for path, data in files.items()}
    return {path: Content(hashlib.sha256(data[path]).hexdigest(), path in executable) for path in data}


async def equal(*peers: Peer, files: dict[str, str | bytes], executable: tuple[str, ...] = ()) -> None:
    """Waits until all peers say that they have these files, and compares the disks.

    The files are named by the test: what a folder holds at some moment may be a step on the way.
    """
    wanted = contents(files, *executable)
    await asyncio.gather(*(peer.has(digest_of(wanted.items())) for peer in peers))
    assert [manifest(peer.folder) for peer in peers] == [wanted] * len(peers)


async def joined(a: Peer, b: Peer, files: dict[str, str | bytes]) -> None:
    """The first begins with the files, the second gets them from it."""
    for path, data in files.items():
        (a.folder / path).write_bytes(data.encode() if isinstance(data, str) else data)
    await a.start("create")
    await b.start("join", a.address)
    await equal(a, b, files=files)


def names(folder: Path) -> set[str]:
    """The files of a folder that is being changed."""
    return {path.relative_to(folder).as_posix() for path in walk(folder)}


def trash(peer: Peer) -> list[str]:
    root = peer.folder / ".peergraph" / "trash"
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def test_changes_new_files_and_deletions_travel(peers):
    async def scenario(a, b, c):
        (a.folder / "sub").mkdir()
        await joined(a, b, {"sub/one": "one", "empty": "", "tool": "#!/bin/sh\n"})
        await b.listens()
        await c.start("join", b.address)
        await equal(a, b, c, files={"sub/one": "one", "empty": "", "tool": "#!/bin/sh\n"})

        (c.folder / "sub/one").write_text("one, changed by c")
        (c.folder / "\U0001f600 name").write_text("new")
        (c.folder / "empty").unlink()
        (b.folder / "tool").chmod(0o755)
        after = {"sub/one": "one, changed by c", "\U0001f600 name": "new", "tool": "#!/bin/sh\n"}
        await equal(a, b, c, files=after, executable=("tool",))
        assert [name.partition(".")[0] for name in trash(a)] == ["empty"]
        (b.folder / "tool").chmod(0o644)  # back to what it was
        await equal(a, b, c, files=after)
        assert [await peer.leave() for peer in (a, b, c)] == [0, 0, 0]

    peers(scenario)


def test_a_restart_goes_on_and_makes_up_for_what_was_missed(peers):
    async def scenario(a, b, _):
        before = ("kept", "edited here", "edited there", "deleted here", "deleted there")
        await joined(a, b, {name: name for name in before})
        await b.kill()
        (a.folder / "edited there").write_text("by a, while b was away")
        (a.folder / "deleted there").unlink()
        (b.folder / "edited here").write_text("by b, while b was away")
        (b.folder / "deleted here").unlink()
        (b.folder / "new here").write_text("by b, while b was away")
        await a.rests_with(manifest)
        await b.start("join", a.address)
        of_b = "by b, while b was away"
        after = {"kept": "kept", "edited here": of_b, "edited there": "by a, while b was away", "new here": of_b}
        await equal(a, b, files=after)

    peers(scenario)


def test_who_edits_apart_loses_nothing(peers):
    async def scenario(a, b, _):
        await joined(a, b, {"file": "common"})
        await b.leave()
        (a.folder / "file").write_text("what a wrote")
        (b.folder / "file").write_text("what b wrote")
        await a.rests_with(manifest)
        await b.start("join", a.address)
        # The one that was written later stays; a clock that ticks coarsely may find them equal.
        ends = [
            {"file": f"what {stays} wrote", f"file.conflict-{goes}": f"what {goes} wrote"}
            for stays, goes in ("ab", "ba")
        ]
        digests = {digest_of(contents(files).items()): files for files in ends}
        await a.until("has both", lambda: a.rest.get("hash") in digests)
        await equal(a, b, files=digests[a.rest["hash"]])

    peers(scenario)


def test_who_joins_with_files_loses_nothing(peers):
    async def scenario(a, b, _):
        for peer, when in ((a, 2_000_000_000), (b, 1_000_000_000)):
            (peer.folder / "same").write_text("same")
            (peer.folder / "other").write_text(f"of {peer.name}")
            (peer.folder / f"only {peer.name}").write_text("only")
            os.utime(peer.folder / "other", (when, when))
        await a.start("create")
        await b.start("join", a.address)
        after = {"same": "same", "other": "of a", "other.conflict-b": "of b", "only a": "only", "only b": "only"}
        await equal(a, b, files=after)

    peers(scenario)


def test_a_large_file_travels_in_parts_and_only_changed_parts_travel_again(peers):
    async def scenario(a, b, _):
        a.options = ("--record-limit", "65536")
        data = b"".join(hashlib.sha256(number.to_bytes(4, "big")).digest() for number in range(20_000))
        await joined(a, b, {"large": data})
        assert await b.leave() == 0
        before = await part_ids(b)
        assert len(before) == -(-len(data) // (65536 - 8192))
        changed = data[:300_000] + b"changed" + data[300_007:]
        (a.folder / "large").write_bytes(changed)
        await a.rests_with(manifest)
        await b.start("join", a.address)
        await equal(a, b, files={"large": changed})
        assert await b.leave() == 0
        assert len(await part_ids(b) - before) == 1
        assert (
            await a.leave() == 0
        )  # it has deleted what is not needed before it said that it rests; b hears of it later
        assert len(await part_ids(a)) == len(before)

    peers(scenario)


async def part_ids(peer: Peer):
    from records import PART

    async with (
        peergraph.open_runtime(peer.folder / ".peergraph" / "database") as runtime,
        runtime.open_graph("demo", peer_id=peer.name) as graph,
    ):
        return {record.id async for record in graph.records(PART)}


def test_records_of_a_hostile_peer_do_no_harm(peers, tmp_path):
    async def scenario(a, _b, _c):
        (a.folder / "good").write_text("good")
        (a.folder / "link").symlink_to(tmp_path)
        await a.start("create")
        async with (
            peergraph.open_runtime(tmp_path / "hostile") as runtime,
            runtime.open_graph("demo", peer_id="mallory") as graph,
        ):
            await graph.connect(a.address)
            await graph.synchronized(TIME)
            for path in ("../evil", "/tmp/evil", "link/evil", ".peergraph/state.jsonl", "a/../../evil", "good/evil"):
                add(graph, path, b"evil")
            add(graph, "lies", b"what it is", claims=b"what it says")
            graph.add_record(type=FILE, data=b"x", attributes={"nothing": "useful"}, lifetime=dt.timedelta(hours=1))
            add(graph, "last", b"the last one")
            after = {"good.conflict-a", "good/evil", "last"}  # the last one may be there before the others
            await a.until("has what does no harm", lambda: names(a.folder) == after)
        assert not list(tmp_path.rglob("evil")) or list(tmp_path.rglob("evil")) == [a.folder / "good/evil"]
        assert not (a.folder / "lies").exists()

    peers(scenario)


def add(graph, path, data, claims=None, lifetime=dt.timedelta(hours=1)):
    now = graph.now()
    sha256 = hashlib.sha256(data if claims is None else claims).hexdigest()
    attributes = {"path": path, "size": len(data), "sha256": sha256, "mtime": now, "changed": now}
    return graph.add_record(type=FILE, data=data, attributes=attributes, lifetime=lifetime)


def test_an_expired_record_deletes_nothing(tmp_path):
    """No refresh here, so the record's time runs out; then the file is published again by who holds it.

    In virtual time, so that the file is in the folder by then, however slow the machine is.
    """

    async def scenario():
        folder = Folder(tmp_path / "folder")
        state = State(folder.private_path("state.jsonl"), "demo", "a")
        async with (
            peergraph.open_runtime() as runtime,
            runtime.create_graph("demo", peer_id="a") as graph,
            graph.events(peergraph.RecordChanged) as events,
        ):
            replica = Replica(graph, folder, state, Report(True, io.StringIO()))
            await replica.load()
            first = add(graph, "file", b"precious", lifetime=dt.timedelta(seconds=60))
            tasks = [asyncio.ensure_future(replica.follow(events)), asyncio.ensure_future(replica.run())]
            async with graph.events(peergraph.RecordChanged) as own:
                async for event in own:
                    if event.change == peergraph.RecordChange.ADDED and event.record_id != first:
                        break
            assert event.record.attributes["path"] == "file"
            assert (tmp_path / "folder/file").read_bytes() == b"precious"
            assert not list((tmp_path / "folder/.peergraph").rglob("file.*"))
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        state.close()
        folder.close()

    with Network() as network:
        network.add_host("a").run(scenario)


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["--help"], 0, "Ctrl-C leaves"),
        (["create", "--help"], 0, "--listen-everywhere"),
        ([], 2, "usage"),
        (["join", "folder"], 2, "ADDRESS"),
        (["create", "folder", "--listen", "70000"], 2, "port"),
        (["create", "folder", "--record-limit", "5"], 2, "record-limit"),
        (["create", "/dev/null"], 1, "/dev/null"),
        (["join", "folder", "not an address"], 1, "not an address"),
    ],
)
def test_the_command_line(tmp_path, arguments, status, text):
    done = subprocess.run(
        [sys.executable, FOLDER_PROGRAM, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=TIME
    )
    assert done.returncode == status
    assert text in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_belongs_to_one_program_one_peer_and_one_graph(peers):
    async def scenario(a, _b, _c):
        await a.start("create")
        command = [sys.executable, FOLDER_PROGRAM, "create", a.folder, "--graph", "demo", "--name"]
        second = await asyncio.to_thread(subprocess.run, [*command, "a"], capture_output=True, text=True, timeout=TIME)
        assert second.returncode == 1
        assert "PEER_E_DATABASE_IN_USE" in second.stderr
        assert await a.leave() == 0
        other = await asyncio.to_thread(subprocess.run, [*command, "x"], capture_output=True, text=True, timeout=TIME)
        assert other.returncode == 1
        assert "belongs to graph 'demo' as peer 'a'" in other.stderr

    peers(scenario)


def test_attributes_of_a_version_survive_the_way_through_a_record(tmp_path):
    from uuid import UUID

    from records import version_of

    async def scenario():
        async with (
            peergraph.open_runtime(tmp_path) as runtime,
            runtime.create_graph("demo", peer_id="a") as graph,
        ):
            for mtime_us, path in ((-1, "before 1970"), (-(10**20), "too early"), (10**20, "<&\"'> \U0001f600")):
                content = Content(hashlib.sha256(b"x").hexdigest(), True)
                version = Version(UUID(int=0), path, content, 1, mtime_us, 5, ("0" * 16 + "-5",), (), "a", "a", 0)
                record_id = graph.add_record(
                    type=FILE, data=b"x", attributes=attributes_of(version), lifetime=dt.timedelta(hours=1)
                )
                read = version_of(graph.get_record(record_id))
                assert (read.path, read.content, read.changed_us, read.before) == (path, content, 5, version.before)
                assert abs(read.mtime_us) <= abs(mtime_us)

    asyncio.run(scenario())
