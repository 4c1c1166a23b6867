"""The same names in an asyncio loop."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import contextvars
import gc
import os
import socket
import threading

import peergraph.aio as peergraph
import pytest
from peergraph import _native, _native_database
from peergraph._context import MACHINE, World, current_world
from python.scene import HOUR, NOTE, OTHER, PATIENCE, PROGRAM_PATIENCE


@contextlib.asynccontextmanager
async def one_graph(path):
    async with (
        peergraph.open_runtime(path) as runtime,
        runtime.create_graph("film club", peer_id="alice") as graph,
    ):
        yield graph


@contextlib.asynccontextmanager
async def two_graphs(path):
    async with (
        one_graph(path / "alice") as alice,
        peergraph.open_runtime(path / "bob") as runtime,
        runtime.open_graph("film club", peer_id="bob") as bob,
    ):
        alice.listen(scope=peergraph.Scope.LOOPBACK)
        await bob.connect(alice.address)
        await bob.synchronized(PATIENCE)
        yield alice, bob


async def waits(events):
    """Until a task waits for the events."""
    while events._waiter is None:
        await asyncio.sleep(0)


def in_loop(test):
    """A test that is a coroutine; it ends in time or fails."""

    def run(tmp_path):
        asyncio.run(asyncio.wait_for(test(tmp_path), PROGRAM_PATIENCE))

    run.__name__ = test.__name__
    return run


@in_loop
async def test_both_ways_to_open(path):
    runtime = await peergraph.open_runtime(path)
    graph = await runtime.create_graph("g", peer_id="p", comment="c")
    assert graph.properties.comment == "c"
    assert repr(graph) == "<peergraph.aio.Graph 'g' peer='p'>"
    assert repr(runtime) == f"<peergraph.aio.Runtime {str(path)!r}>"
    await graph.close()
    await graph.close()
    async with runtime.open_graph("g", peer_id="p") as graph:
        assert not graph.is_new
    assert graph.closed
    await runtime.delete_graph("g", peer_id="p")
    with pytest.raises(peergraph.DatabaseNotPresent):
        await runtime.delete_graph("g", peer_id="p")
    await runtime.close()
    await runtime.close()
    with pytest.raises(peergraph.NotInitialized):
        await runtime.open_graph("g", peer_id="p")
    async with await peergraph.open_runtime(path) as runtime, await runtime.create_graph("g", peer_id="p"):
        pass


@in_loop
async def test_records(path):
    async with one_graph(path) as graph:
        ids = [graph.add_record(type=NOTE, data=b"%d" % i, lifetime=HOUR) for i in range(600)]
        graph.update_record(ids[0], data=b"changed")
        graph.delete_record(ids[1])
        assert graph.get_record(ids[0]).data == b"changed"
        found = [record.id async for record in graph.records(NOTE)]
        assert sorted(found) == sorted(set(ids) - {ids[1]})
        async for _ in (records := graph.records()):
            break
        await records.aclose()
        async with graph.batch() as batch:
            batch.add_record(type=OTHER, lifetime=HOUR)
        assert len([record async for record in graph.records(OTHER)]) == 1
        with pytest.raises(ZeroDivisionError):
            await half_a_batch(graph)
        assert len([record async for record in graph.records(OTHER)]) == 1


async def half_a_batch(graph):
    async with graph.batch() as batch:
        batch.add_record(type=OTHER, lifetime=HOUR)
        _ = 1 / 0


@in_loop
async def test_connect_ends_at_connected(path):
    async with two_graphs(path) as (alice, bob):
        assert bob.status & peergraph.GraphStatus.HAS_CONNECTIONS
        with pytest.raises(peergraph.AlreadyExists):
            await bob.connect(alice.address)
        async with bob.events(peergraph.RecordChanged) as events:
            record_id = alice.add_record(type=NOTE, data=b"hello", lifetime=HOUR)
            event = await events.get(PATIENCE)
            assert event.record_id == record_id
            assert event.record.data == b"hello"


@in_loop
async def test_connect_raises_the_reason(path):
    async with one_graph(path) as graph:
        with pytest.raises(peergraph.ConnectionFailed, match=r"127\.0\.0\.1:1"):
            await graph.connect("127.0.0.1:1")
        with pytest.raises(peergraph.InvalidArgument):
            await graph.connect("nowhere")
        with socket.create_server(("127.0.0.1", 0)) as silent:
            address = f"127.0.0.1:{silent.getsockname()[1]}"
            with pytest.raises(TimeoutError, match=rf'no connection to "{address}" after 0\.05 s'):
                await graph.connect(address, timeout=0.05)
            waiting = asyncio.create_task(graph.connect(address))
            await asyncio.sleep(0)
            await graph.close()
            with pytest.raises(peergraph.GraphShuttingDown):
                await waiting


@in_loop
async def test_synchronized_gives_up(path):
    async with one_graph(path / "a") as graph:
        await graph.synchronized()
    async with peergraph.open_runtime(path / "b") as runtime, runtime.open_graph("g", peer_id="p") as graph:
        with pytest.raises(TimeoutError, match="'g' is not synchronized"):
            await graph.synchronized(0.01)
        waiting = asyncio.create_task(graph.synchronized())
        await asyncio.sleep(0)
        await graph.close()
        with pytest.raises(peergraph.GraphShuttingDown):
            await waiting


@in_loop
async def test_iteration_ends_when_the_graph_is_closed(path):
    async with one_graph(path) as graph:
        seen = []
        events = graph.events(peergraph.RecordChanged)

        async def read():
            async for event in events:
                seen.append(event)

        task = asyncio.create_task(read())
        for _ in range(1000):
            graph.add_record(type=NOTE, lifetime=HOUR)
        await graph.close()
        await asyncio.wait_for(task, PATIENCE)
        assert len(seen) == 1000
        assert events.closed.reason == 0
        assert isinstance(await events.get(), peergraph.Closed)


@in_loop
async def test_closing_while_a_task_waits_ends_its_loop(path):
    async with one_graph(path) as graph:
        for _ in range(100):
            events = graph.events(peergraph.RecordChanged)
            waiting = asyncio.Event()

            async def read(events=events, waiting=waiting):
                waiting.set()
                return [event async for event in events]

            task = asyncio.create_task(read())
            await waiting.wait()
            await waits(events)
            descriptor = _native.event_queue_get_descriptor(events._handle)
            events.close()
            assert not asyncio.get_running_loop().remove_reader(descriptor)
            assert await asyncio.wait_for(task, PATIENCE) == []
            with pytest.raises(peergraph.InvalidArgument):
                _native.get_event_batch(events._handle, 1)


@in_loop
async def test_a_descriptor_that_is_used_again_still_wakes(path):
    """What was closed must be forgotten by the loop, or the next subscription with its number would be deaf."""
    async with one_graph(path) as graph:
        numbers = set()
        for _ in range(20):
            async with graph.events(peergraph.RecordChanged) as events:
                task = asyncio.create_task(events.get(PATIENCE))
                await waits(events)
                numbers.add(_native.event_queue_get_descriptor(events._handle))
                graph.add_record(type=NOTE, lifetime=HOUR)
                assert isinstance(await task, peergraph.RecordChanged)
        assert len(numbers) < 20


@in_loop
async def test_one_task_at_a_time(path):
    async with one_graph(path) as graph, graph.events(peergraph.RecordChanged) as events:
        first = asyncio.create_task(events.get())
        await waits(events)
        with pytest.raises(RuntimeError, match="another task"):
            await events.get()
        graph.add_record(type=NOTE, lifetime=HOUR)
        assert await asyncio.wait_for(first, PATIENCE)


@in_loop
async def test_cancelled_waits_lose_nothing(path):
    async with one_graph(path) as graph, graph.events(peergraph.RecordChanged) as events:
        expected = []
        stop = threading.Event()

        def add():
            while not stop.is_set() and len(expected) < 20_000:
                expected.append(graph.add_record(type=NOTE, lifetime=HOUR))

        thread = threading.Thread(target=add)
        thread.start()
        seen = []
        cancelled = 0
        while cancelled < 1000:
            task = asyncio.create_task(events.__anext__())
            for _ in range(cancelled % 4):
                await asyncio.sleep(0)
            if task.cancel():
                cancelled += 1
            with contextlib.suppress(asyncio.CancelledError):
                seen.append((await task).record_id)
        stop.set()
        await asyncio.to_thread(thread.join)
        while len(seen) < len(expected):
            seen.append((await events.get(PATIENCE)).record_id)
        assert seen == expected


@in_loop
async def test_waits_that_time_out_lose_nothing(path):
    async with one_graph(path) as graph, graph.events(peergraph.RecordChanged) as events:
        expected = []

        def add():
            for _ in range(300):
                expected.append(graph.add_record(type=NOTE, lifetime=HOUR))
                os.sched_yield()

        thread = threading.Thread(target=add)
        thread.start()
        seen = []
        late = 0
        while len(seen) < 300:
            try:
                if len(seen) % 2:
                    event = await events.get(0.0002)
                else:
                    event = await asyncio.wait_for(events.get(), 0.0002)
                seen.append(event.record_id)
            except (TimeoutError, asyncio.TimeoutError):
                late += 1
        await asyncio.to_thread(thread.join)
        assert seen == expected


@pytest.mark.slow
@in_loop
async def test_many_events_reach_a_loop(path):
    """200,000 events, none lost, while another thread adds. How long the loop stands still is bench_python.py's."""
    total = 200_000
    async with one_graph(path) as graph, graph.events(peergraph.RecordChanged) as events:
        expected = []
        room = threading.Semaphore(20)  # batches that may wait in the queue, which is bounded

        def add():
            for _ in range(total // 1000):
                room.acquire(timeout=PATIENCE)
                batch = _native.graph_begin_batch(graph._handle)
                now = graph._now_us()
                for _ in range(1000):
                    record = _native.RecordInput(NOTE.bytes, b"", None, now + 3_600_000_000)
                    expected.append(_native.batch_add_record(batch, record))
                _native.batch_commit(batch)

        thread = threading.Thread(target=add)
        thread.start()
        seen = []
        async for event in events:
            assert isinstance(event, peergraph.RecordChanged), event
            seen.append(event._raw.record_id)
            if len(seen) % 1000 == 0:
                room.release()
            if len(seen) == total:
                break
        await asyncio.to_thread(thread.join)
        assert sorted(seen) == sorted(expected)


@in_loop
async def test_a_chatty_graph_lets_others_work(path):
    """Whoever finds an event each time still gives the loop its turns."""
    async with one_graph(path) as graph, graph.events(peergraph.RecordChanged) as events:
        for _ in range(20):
            async with graph.batch() as batch:
                for _ in range(1000):
                    batch.add_record(type=NOTE, lifetime=HOUR)
        turns = 0

        async def count():
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counter = asyncio.create_task(count())
        for _ in range(20_000):
            await events.get(PATIENCE)
        counter.cancel()
        assert turns > 3


async def closed_twice(thing, name):
    """Closes a thing, gives that up, and closes it again while C, in the function of that name, is still at it."""
    entered, go = threading.Event(), threading.Event()
    function = getattr(_native, name)

    def slowly(handle):
        entered.set()
        go.wait(PATIENCE)
        function(handle)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_native, name, slowly)
        first = asyncio.create_task(thing.close())
        await asyncio.to_thread(entered.wait, PATIENCE)
        first.cancel()
        second = asyncio.create_task(thing.close())
        for _ in range(10):
            await asyncio.sleep(0)
        assert first.cancelled()
        assert not second.done()
        go.set()
        await second
    await thing.close()


@in_loop
async def test_who_closes_again_waits_for_the_end(path):
    async with peergraph.open_runtime(path) as runtime:
        await closed_twice(await runtime.create_graph("film club", peer_id="alice"), "graph_close")
        async with runtime.open_graph("film club", peer_id="alice") as again:
            assert not again.is_new
        graph = await runtime.open_graph("film club", peer_id="alice")
        await closed_twice(runtime, "shutdown")
        await graph.close()
    async with peergraph.open_runtime(path) as runtime, runtime.open_graph("film club", peer_id="alice") as again:
        assert not again.is_new


@in_loop
async def test_what_is_opened_for_nobody_is_closed(path):
    async def opened():
        return await peergraph.open_runtime(path)

    for turns in range(20):
        task = asyncio.create_task(opened())
        for _ in range(turns * turns):
            await asyncio.sleep(0)
        if task.cancel():
            with pytest.raises(asyncio.CancelledError):
                await task
        else:
            await (await task).close()


@in_loop
async def test_a_failure_that_nobody_waits_for_is_not_complained_about(path):
    loop = asyncio.get_running_loop()
    complaints = []
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    loop.set_default_executor(concurrent.futures.ThreadPoolExecutor(1))
    entered, go = threading.Event(), threading.Event()

    def fail(handle, name):
        entered.set()
        go.wait(PATIENCE)
        raise peergraph.DiskFull(name)

    async with one_graph(path) as graph:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_native_database, "graph_export_database", fail)
            export = asyncio.create_task(graph.export_database(path))
            while not entered.is_set():
                await asyncio.sleep(0)
            export.cancel()
            with pytest.raises(asyncio.CancelledError):
                await export
            del export
            go.set()
            await asyncio.to_thread(gc.collect)  # by the one worker, when it has failed
        await asyncio.sleep(0)
        gc.collect()
        assert complaints == []


def test_the_end_of_the_loop_while_a_task_waits(tmp_path):
    async def main():
        graph = await (await peergraph.open_runtime(tmp_path)).create_graph("g", peer_id="p")
        events = graph.events()
        task = asyncio.create_task(events.get())
        await waits(events)
        return graph, events, task

    graph, events, task = asyncio.run(main())  # run() cancels what is left
    assert task.cancelled()
    events.close()
    graph._close()
    graph._runtime._close()


def test_the_end_of_the_loop_before_the_tasks_in_it(tmp_path):
    """What they waited for can still be closed, and is."""

    async def main():
        graph = await (await peergraph.open_runtime(tmp_path)).create_graph("g", peer_id="p")
        events, direct = graph.events(), graph.direct()
        tasks = [asyncio.create_task(events.get()), asyncio.create_task(direct.accept())]
        await waits(events)
        await waits(direct._events)
        return graph, events, direct, tasks

    loop = asyncio.new_event_loop()
    graph, events, direct, tasks = loop.run_until_complete(main())
    loop.close()
    direct.close()
    events.close()
    for subscription in (events, direct._events):
        with pytest.raises(peergraph.InvalidArgument):
            _native.get_event_batch(subscription._handle, 1)
    graph._close()
    graph._runtime._close()
    assert not any(task.done() for task in tasks)


def test_a_subscription_may_move_to_another_loop(tmp_path):
    with contextlib.ExitStack() as stack:
        runtime = asyncio.run(_await(lambda: peergraph.open_runtime(tmp_path)))
        stack.callback(runtime._close)
        graph = asyncio.run(_await(lambda: runtime.create_graph("g", peer_id="p")))
        stack.callback(graph._close)
        events = graph.events(peergraph.RecordChanged)
        stack.callback(events.close)
        for _ in range(3):
            with pytest.raises(TimeoutError):
                asyncio.run(events.get(0.001))
            graph.add_record(type=NOTE, lifetime=HOUR)
            assert isinstance(asyncio.run(events.get(PATIENCE)), peergraph.RecordChanged)


async def _await(make):
    return await make()


def test_a_world_supplies_runtimes(tmp_path):
    class Elsewhere(World):
        def clock_us(self):
            return 1_000_000

    async def main():
        async with peergraph.open_runtime(tmp_path) as runtime, runtime.create_graph("g", peer_id="p") as graph:
            return runtime._world, graph.now()

    elsewhere = Elsewhere()
    context = contextvars.copy_context()
    context.run(current_world.set, elsewhere)
    world, now = context.run(asyncio.run, main())
    assert world is elsewhere
    assert now.year == 1970
    assert current_world.get() is MACHINE


def test_what_was_not_awaited_says_so(tmp_path):
    opening = peergraph.open_runtime(tmp_path)
    assert "await it" in repr(opening)
    with pytest.raises(AttributeError, match="'open_graph': not open yet; await it first"):
        opening.open_graph("film club", peer_id="bob")
    with pytest.warns(RuntimeWarning, match=r"'open_runtime' was never awaited"):
        del opening


@in_loop
async def test_graphs_that_were_not_awaited_say_so(path):
    async with peergraph.open_runtime(path) as runtime:
        with pytest.warns(RuntimeWarning, match=r"'Runtime\.create_graph' was never awaited"):
            runtime.create_graph("g", peer_id="p")
        with pytest.warns(RuntimeWarning, match=r"'Runtime\.open_graph' was never awaited"):
            runtime.open_graph("g", peer_id="p")
        with pytest.raises(TypeError):
            runtime.open_graph(5, peer_id="p")


@in_loop
async def test_a_loop_over_events_may_be_left(path):
    """As with the records: who only iterates need not close."""
    async with one_graph(path) as graph:
        for number in range(3):
            events = graph.events(peergraph.RecordChanged)
            queue = events._handle
            graph.add_record(type=NOTE, lifetime=HOUR)
            async for event in events:
                assert event.change == peergraph.RecordChange.ADDED
                break
            del events, event
            with pytest.raises(peergraph.InvalidArgument):
                _native.get_event_batch(queue, number + 1)
        with pytest.warns(ResourceWarning, match="unclosed <peergraph.aio.Events of 'film club'>"):
            graph.events()
