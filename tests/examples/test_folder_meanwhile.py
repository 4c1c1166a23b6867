"""What comes in from others between a decision of folder.py and what it does about it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import datetime as dt
import hashlib
import io
import os

import peergraph.aio as peergraph
import publish
import pytest
from beneath import Folder
from records import FILE, LIFETIME, Content, Version, attributes_of, version_of
from replica import Replica
from report import Report
from state import State

TIME = 60


@contextlib.asynccontextmanager
async def replica_of(path, follows=True):
    """A folder that looks at itself only when told; it follows its graph, or takes only what a test gives it."""
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
        following = [asyncio.create_task(replica.follow(events))] if follows else []
        try:
            yield replica
        finally:
            for task in following:
                task.cancel()
            await asyncio.gather(*following, return_exceptions=True)


def change(graph, old):
    """Somebody who has not seen ours changes the file; in the test with the hand of the same graph."""
    version = Version(
        record_id=old.record_id,
        path=old.path,
        content=Content(hashlib.sha256(b"theirs").hexdigest()),
        size=6,
        mtime_us=old.mtime_us,
        changed_us=old.changed_us + 1,
        before=(old.mark,),
        parts=(),
        peer="a",
        creator=old.creator,
        expires_us=old.expires_us,
    )
    graph.update_record(
        old.record_id, data=b"theirs", attributes=attributes_of(version), expires=graph.now() + LIFETIME
    )


async def theirs_comes_in(replica, path):
    old = replica.view.at(path)
    change(replica.graph, old)
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


def once_before(target, name, action):
    """Lets something happen just before a method is called for the first time from now on."""
    method = getattr(target, name)

    def wrapper(*arguments):
        delattr(target, name)
        action()
        return method(*arguments)

    setattr(target, name, wrapper)


def scenario_of(path, **options):
    """Runs a coroutine with a replica, in whose folder "file" is in order, and with that file."""

    def run(body):
        async def scenario():
            async with replica_of(path, **options) as replica:
                file = path / "folder/file"
                file.write_text("common")
                os.utime(file, (1, 1))
                await in_order(replica)
                await body(replica, file)

        asyncio.run(asyncio.wait_for(scenario(), TIME))

    return run


def test_what_comes_in_while_ours_is_stored_is_not_forgotten(tmp_path):
    """Its event may have been taken before the call that stored ours came back."""

    async def body(replica, file):
        old = replica.view.at("file")

        def theirs():
            change(replica.graph, old)
            replica._take_file(replica.graph.get_record(old.record_id))

        once_before(replica.publisher, "_take_over", theirs)
        file.write_text("ours")
        await in_order(replica)
        assert replica.view.versions[old.record_id] == version_of(replica.graph.get_record(old.record_id))
        assert files_of(tmp_path / "folder") == {"file": "theirs", "file.conflict-a": "ours"}

    scenario_of(tmp_path, follows=False)(body)


def test_what_is_deleted_while_ours_is_stored_is_no_ghost(tmp_path):
    async def body(replica, file):
        record_id = replica.view.at("file").record_id

        def theirs():
            replica.graph.delete_record(record_id)
            replica._take_away(record_id, expired=False)

        once_before(replica.publisher, "_take_over", theirs)
        file.write_text("ours")
        await in_order(replica)
        assert not replica.view.versions
        (kept,) = (tmp_path / "folder/.peergraph/trash").iterdir()
        assert kept.read_text() == "ours"

    scenario_of(tmp_path, follows=False)(body)


@pytest.mark.parametrize("edit", ["ours", None])
def test_a_refresh_that_comes_in_meanwhile_stops_nothing(tmp_path, edit):
    """The record lives longer than an edit would make it live, or is not what was to be deleted; it is done later."""

    async def body(replica, file):
        graph, record_id = replica.graph, replica.view.at("file").record_id

        def refresh():
            graph.update_record(record_id, expires=graph.now() + LIFETIME + dt.timedelta(days=1))
            if edit is None:
                replica._take_file(graph.get_record(record_id))

        once_before(replica.publisher, "_commit", refresh)
        file.write_text(edit) if edit else file.unlink()
        await in_order(replica)
        if edit is not None:
            assert graph.get_record(record_id).data == b"common"
            replica._take_file(graph.get_record(record_id))
            await in_order(replica)
        assert files_of(tmp_path / "folder") == ({"file": edit} if edit else {})
        assert {version.content.sha256 for version in replica.view.versions.values()} == (
            {hashlib.sha256(edit.encode()).hexdigest()} if edit else set()
        )

    scenario_of(tmp_path, follows=False)(body)


def test_an_edit_is_ours_also_if_a_crash_took_the_journal(tmp_path):
    async def body(replica, file):
        before = replica.state["file"]
        file.write_text("ours")
        await in_order(replica)
        assert replica.state["file"].mine
        replica.state.put("file", dataclasses.replace(before, mine=False))
        await replica.load()
        await in_order(replica)
        assert replica.state["file"].mine

    scenario_of(tmp_path)(body)


def test_a_file_that_was_touched_while_we_look_on_is_known_as_it_is(tmp_path):
    async def body(replica, file):
        os.utime(file, (2, 2))
        await in_order(replica)
        await theirs_comes_in(replica, "file")
        await in_order(replica)
        assert files_of(tmp_path / "folder") == {"file": "theirs"}
        assert not (tmp_path / "folder/.peergraph/trash").exists()

    scenario_of(tmp_path)(body)


def test_what_was_stored_before_the_disk_was_full_is_remembered(tmp_path, monkeypatch):
    monkeypatch.setattr(publish, "BATCH_CHANGES", 1)

    async def body(replica, file):
        commit, batches = replica.publisher._commit, []

        async def commit_one(batch):
            if batches:
                raise peergraph.DiskFull(0, "there is no room")
            batches.append(batch)
            return await commit(batch)

        file.write_text("ours")
        file.with_name("other").write_text("other")
        monkeypatch.setattr(replica.publisher, "_commit", commit_one)
        await in_order(replica)
        assert set(replica.state) == {"file"}
        assert replica.waiting == {"other": "the disk is full"}

    scenario_of(tmp_path)(body)


def test_a_file_where_others_have_a_directory_goes_out_of_the_way(tmp_path):
    async def body(replica, file):
        graph = replica.graph
        version = dataclasses.replace(replica.view.at("file"), path="new/below")
        graph.add_record(type=FILE, data=b"common", attributes=attributes_of(version), lifetime=LIFETIME)
        file.with_name("new").write_text("ours")
        await in_order(replica)
        while replica.view.at("new/below") is None:
            await asyncio.sleep(0)
        await in_order(replica)
        assert files_of(tmp_path / "folder") == {"file": "common", "new.conflict-a": "ours"}
        assert (tmp_path / "folder/new/below").read_text() == "common"

    scenario_of(tmp_path)(body)


def test_a_second_program_leaves_the_journal_of_the_first_alone(tmp_path):
    """It ends as soon as it finds the database in use; by then it has read the journal."""
    path = str(tmp_path / "state.jsonl")
    first = State(path, "demo", "a")
    first.remember_port(1)
    first.commit()
    State(path, "demo", "a").close()
    first.remember_port(2)
    first.close()
    assert State(path, "demo", "a").port == 2
