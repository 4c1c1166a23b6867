"""What comes in from others between a decision of folder.py and what it does about it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io

import peergraph.aio as peergraph
import pytest
from beneath import Folder
from records import LIFETIME, Content, Version, attributes_of
from replica import Replica
from report import Report
from state import State

TIME = 60


@contextlib.asynccontextmanager
async def replica_of(path):
    """A folder that follows its graph, and looks at itself only when told."""
    async with (
        contextlib.AsyncExitStack() as stack,
        peergraph.open_runtime(path / "database") as runtime,
        runtime.create_graph("demo", peer_id="a") as graph,
        graph.events(peergraph.RecordChanged) as events,
    ):
        folder = Folder(path / "folder")
        stack.callback(folder.close)
        state = State(folder.private_path("state.jsonl"), "demo", "a")
        stack.callback(state.close)
        replica = Replica(graph, folder, state, Report(True, io.StringIO()))
        await replica.load()
        following = asyncio.create_task(replica.follow(events))
        try:
            yield replica
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


async def theirs_comes_in(replica, path):
    """Somebody who has not seen ours changes the file; in the test with the hand of the same graph."""
    graph, old = replica.graph, replica.view.at(path)
    version = Version(
        record_id=old.record_id,
        path=path,
        content=Content(hashlib.sha256(b"theirs").hexdigest()),
        size=6,
        mtime_us=old.mtime_us,
        changed_us=old.changed_us + 1,
        before=(old.content.mark,),
        parts=(),
        peer="a",
        creator=old.creator,
        expires_us=old.expires_us,
    )
    graph.update_record(
        old.record_id, data=b"theirs", attributes=attributes_of(version), expires=graph.now() + LIFETIME
    )
    while replica.view.at(path) == old:
        await asyncio.sleep(0)


def theirs_comes_in_after_the_decision(replica, path):
    write_all = replica._write_all

    async def once(paths):
        replica._write_all = write_all
        await theirs_comes_in(replica, path)
        return await write_all(paths)

    replica._write_all = once


async def in_order(replica):
    """Looks until nothing is left to do: a file that was written just now is looked at again."""
    while True:
        await replica.look()
        await replica.settle()
        if not replica.watch.restless:
            return


def files_of(path):
    return {each.name: each.read_text() for each in path.iterdir() if each.is_file()}


@pytest.mark.parametrize(
    ("ours", "after"),
    [
        ("ours", {"file": "ours", "file.conflict-a": "theirs"}),  # edited on both sides: both stay
        (None, {"file": "theirs"}),  # deleted here, edited there: the edit stays
    ],
)
def test_an_edit_that_comes_in_meanwhile_is_not_lost(tmp_path, ours, after):
    async def scenario():
        async with replica_of(tmp_path) as replica:
            file = tmp_path / "folder/file"
            file.write_text("common")
            await in_order(replica)
            file.write_text(ours) if ours else file.unlink()
            theirs_comes_in_after_the_decision(replica, "file")
            await in_order(replica)
            assert set(replica.view.paths()) == set(after)
            assert files_of(tmp_path / "folder") == after

    asyncio.run(asyncio.wait_for(scenario(), TIME))
