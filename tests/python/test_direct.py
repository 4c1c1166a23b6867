"""Direct connections as streams: each test on sockets and on the simulated network, by the same program."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import hashlib
import inspect
import random
import re
from pathlib import Path
from unittest import mock

import peergraph.aio as peergraph
import pytest
from peergraph import sim
from peergraph._virtual_loop import VirtualLoop
from python.scene import NOTE, PATIENCE, PROGRAM_PATIENCE

MIB = 1 << 20
MESSAGE_MAX = 4 * MIB


async def on_sockets(test, path) -> None:
    async with (
        peergraph.open_runtime(path / "alice") as one,
        one.create_graph("film club", peer_id="alice") as alice,
        peergraph.open_runtime(path / "bob") as two,
        two.open_graph("film club", peer_id="bob") as bob,
    ):
        alice.listen(scope=peergraph.Scope.LOOPBACK)
        await bob.connect(alice.address)
        await bob.synchronized(PATIENCE)
        await test(alice, bob)


def in_the_simulator(test, path) -> None:
    """Within a virtual day."""
    with sim.Network(seed=7) as network:
        graphs = {}

        async def live(name: str, address: str | None) -> None:
            async with peergraph.open_runtime() as runtime:
                opening = runtime.open_graph if address else runtime.create_graph
                async with opening("film club", peer_id=name) as graph:
                    if address:
                        await graph.connect(address)
                        await graph.synchronized()
                    else:
                        graph.listen(5000)
                    graphs[name] = graph
                    await asyncio.Event().wait()

        network.add_host("alice").start(live, "alice", None)
        network.run_until(lambda: "alice" in graphs, every=0.1)
        network.add_host("bob").start(live, "bob", "alice:5000")
        network.run_until(lambda: "bob" in graphs, every=0.1)
        network.run(lambda: asyncio.wait_for(test(graphs["alice"], graphs["bob"]), 86400))


def on_both(test):
    """A test that is a coroutine of two connected graphs."""

    @pytest.mark.parametrize("world", ["sockets", "simulator"])
    @functools.wraps(test)
    def run(tmp_path, world):
        if world == "sockets":
            asyncio.run(asyncio.wait_for(on_sockets(test, tmp_path), PROGRAM_PATIENCE))
        else:
            in_the_simulator(test, tmp_path)

    run.__signature__ = inspect.Signature(
        [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in ("tmp_path", "world")]
    )
    return run


@contextlib.asynccontextmanager
async def channels(alice, bob):
    """Alice's end and bob's, of a connection that bob has made."""
    async with alice.direct() as theirs, bob.direct() as ours:
        channel = await ours.connect("alice", alice.address)
        yield await theirs.accept(), channel


async def fill(channel) -> int:
    """Writes numbered messages of 64 KiB until everything on the way is full; gives how many."""
    count, before = 0, -1
    while count > before:  # until a whole second has changed nothing
        before = count
        with contextlib.suppress(TimeoutError):
            while True:
                await channel.write(count.to_bytes(4, "big") * 16384, timeout=1)
                count += 1
        with contextlib.suppress(peergraph.OutboxFull):  # between the marks there is room for some more
            while True:
                channel.write_nowait(count.to_bytes(4, "big") * 16384)
                count += 1
    return count


# -- messages ----------------------------------------------------------------------------------------------------------


@on_both
async def test_messages_go_both_ways_whole_and_in_order(alice, bob):
    chance = random.Random(3)
    sizes = [0, 1, 16379, 65536, 0, MIB, MESSAGE_MAX, 100]
    sent = [chance.randbytes(size) for size in sizes]
    async with channels(alice, bob) as (theirs, ours):
        assert (theirs.peer_id, ours.peer_id) == ("bob", "alice")
        assert (theirs.node_id, ours.node_id) == (bob.node.id, alice.node.id)
        assert not theirs.closed
        assert f" {ours.id} " in repr(ours)

        async def write(channel):
            for message in sent:
                await channel.write(message)

        writers = [asyncio.create_task(write(channel)) for channel in (theirs, ours)]
        for message in sent:
            assert await theirs.read() == message
            assert await ours.read() == message
        await asyncio.gather(*writers)


@on_both
async def test_a_message_has_a_type(alice, bob):
    async with channels(alice, bob) as (theirs, ours):
        await ours.write(b"a note", NOTE)
        await ours.write(bytearray(b"a message"))
        event = await theirs.receive()
        assert (event.data_type, event.data, event.connection_id) == (NOTE, b"a note", theirs.id)
        event = await theirs.receive()
        assert (event.data_type, event.data) == (peergraph.MESSAGE_TYPE, b"a message")


@on_both
async def test_what_is_no_message(alice, bob):
    ping = peergraph.MESSAGE_TYPE.__class__("0ccbb0d2-be41-4bd6-914b-058ec5dcce64")
    async with channels(alice, bob) as (theirs, ours):
        with pytest.raises(peergraph.InvalidArgument, match="4194305"):
            await ours.write(bytes(MESSAGE_MAX + 1))
        with pytest.raises(peergraph.InvalidArgument, match="reserved"):
            await ours.write(b"", ping)
        with pytest.raises(TypeError):
            await ours.write("text")
        await ours.write(b"the next")
        assert await theirs.read() == b"the next"


@on_both
async def test_a_loop_over_the_messages_ends_when_the_other_side_closes(alice, bob):
    async with channels(alice, bob) as (theirs, ours):
        async with ours:
            for number in range(10):
                await ours.write(str(number).encode())
        assert ours.closed
        assert [message async for message in theirs] == [str(number).encode() for number in range(10)]
        assert theirs.closed
        assert await theirs.read() is None


@on_both
async def test_the_receiver_closes_inside_the_handling_of_a_message(alice, bob):
    async with channels(alice, bob) as (theirs, ours):
        for _ in range(5):
            await ours.write(b"hello")
        async for message in theirs:
            theirs.close()
            theirs.close()
            assert message == b"hello"
        assert await theirs.read() is None
        assert await ours.read() is None
        with pytest.raises(peergraph.ConnectionNotFound, match=r'connection \d+ to "\w+" has been closed'):
            await ours.write(b"too late")
        with pytest.raises(peergraph.ConnectionNotFound):
            await theirs.write(b"too late")


@on_both
async def test_waiting_for_a_message_has_an_end(alice, bob):
    async with channels(alice, bob) as (theirs, ours):
        with pytest.raises(TimeoutError, match=r"no message within 0\.05 s"):
            await theirs.read(0.05)
        reader = asyncio.create_task(theirs.read())
        await asyncio.sleep(0)
        reader.cancel()
        await ours.write(b"one")
        assert await theirs.read() == b"one"
        reader = asyncio.create_task(theirs.read())
        await asyncio.sleep(0)
        theirs.close()
        assert await reader is None


# -- holding back ------------------------------------------------------------------------------------------------------


@on_both
async def test_who_does_not_read_holds_the_writer_back_and_nothing_is_lost(alice, bob):
    async with channels(alice, bob) as (theirs, ours):
        count = await fill(ours)
        assert 20 < count < 400
        with pytest.raises(TimeoutError):
            await ours.drain(0.01)
        draining = asyncio.create_task(ours.drain())
        for number in range(count):
            assert await theirs.read() == number.to_bytes(4, "big") * 16384
        await draining
        await ours.drain()
        ours.write_nowait(b"again")
        assert await theirs.read() == b"again"


@on_both
async def test_one_channel_that_is_not_read_stops_no_other(alice, bob):
    async with alice.direct() as theirs, bob.direct() as ours:
        made = [await ours.connect("alice", alice.address) for _ in range(8)]
        accepted = [await theirs.accept() for _ in range(8)]
        assert len({channel.id for channel in made}) == 8

        async def write(channel, blocks):
            for block in range(blocks):
                await channel.write(bytes([block]) * 65536)

        writers = [asyncio.create_task(write(channel, 200)) for channel in made]
        for block in range(200):
            for channel in accepted[1:]:
                assert await channel.read() == bytes([block]) * 65536
        await asyncio.gather(*writers[1:])
        assert accepted[0]._size < 3 * MIB
        for block in range(200):
            assert await accepted[0].read() == bytes([block]) * 65536
        await writers[0]


@on_both
async def test_a_flood_of_empty_messages_is_held_back_too(alice, bob):
    async with channels(alice, bob) as (theirs, ours):

        async def write():
            for _ in range(30000):
                await ours.write(b"")

        writing = asyncio.create_task(write())
        done, _ = await asyncio.wait({writing}, timeout=2)
        if isinstance(asyncio.get_running_loop(), VirtualLoop):
            assert not done  # the buffers of a real system may take them all
        assert len(theirs._messages) < 20000
        for _ in range(30000):
            assert await theirs.read() == b""
        await writing


@on_both
async def test_all_that_was_written_before_a_close_arrives_however_slowly_it_is_read(alice, bob):
    async with channels(alice, bob) as (theirs, ours):
        sent = await fill(ours)
        received = 0
        ours.close()
        assert ours.closed
        async for message in theirs:
            assert message == received.to_bytes(4, "big") * 16384
            received += 1
            if isinstance(asyncio.get_running_loop(), VirtualLoop):
                await asyncio.sleep(40)
        assert received == sent


@on_both
async def test_the_queue_of_another_subscription_holds_back_too(alice, bob):
    """Of all who are registered the slowest decides; and a subscription that ends decides no more."""
    async with channels(alice, bob) as (theirs, ours):
        slow = alice.events(peergraph.IncomingData)
        sent = await fill(ours)
        received = 0
        with contextlib.suppress(TimeoutError):
            while await theirs.read(0.1) is not None:
                received += 1
        assert received < sent
        slow.close()
        while received < sent:
            assert len(await theirs.read()) == 65536
            received += 1


# -- making connections ------------------------------------------------------------------------------------------------


@on_both
async def test_only_who_is_registered_is_connected_to(alice, bob):
    async with bob.direct() as ours:
        with pytest.raises(peergraph.ConnectionRefused, match="does not accept direct connections"):
            await ours.connect("alice", alice.address)
        async with alice.direct(accept=False) as theirs:
            channel = await ours.connect("alice", alice.address)
            assert await channel.read() is None
            with pytest.raises(TimeoutError, match="no incoming connection"):
                await theirs.accept(0.05)
        async with alice.direct() as theirs:
            channel = await ours.connect("alice", alice.address)
            assert (await theirs.accept()).peer_id == "bob"
        assert await channel.read() is None
        with pytest.raises(peergraph.ConnectionRefused):
            await ours.connect("alice", alice.address)


@on_both
async def test_why_a_connection_cannot_be_made(alice, bob):
    async with alice.direct() as theirs, bob.direct() as ours:
        with pytest.raises(peergraph.ConnectSelf, match="is this node itself"):
            await theirs.connect("alice", alice.address)
        with pytest.raises(peergraph.ConnectionNotAuthenticated):
            await ours.connect("carol", alice.address)
        with pytest.raises(peergraph.ConnectionFailed):
            await ours.connect("alice", alice.address.rpartition(":")[0] + ":1")
        with pytest.raises(peergraph.InvalidArgument):
            await ours.connect("alice", "no address")
        with pytest.raises(peergraph.InvalidArgument):
            await ours.connect("a" * 256, alice.address)
        with pytest.raises(TimeoutError, match='no direct connection to "alice"'):
            await ours.connect("alice", alice.address, timeout=0)
        assert bob.connections(peergraph.ConnectionFlag.DIRECT) == []
        with pytest.raises(RuntimeError, match="open already"):
            bob.direct()
    with pytest.raises(ValueError, match="closed"):
        await ours.connect("alice", alice.address)
    with pytest.raises(ValueError, match="closed"):
        await ours.accept()


@on_both
async def test_a_connection_that_is_given_up_is_no_incoming_one(alice, bob):
    """Cancelled at any moment of its making; what comes of it is nobody's channel."""
    async with alice.direct() as theirs, bob.direct() as ours:
        for turns in range(30):
            attempt = asyncio.create_task(ours.connect("alice", alice.address))
            await asyncio.wait({attempt}, timeout=turns / 2000)
            attempt.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                (await attempt).close()
        channel = await ours.connect("alice", alice.address)
        await channel.write(b"this one")
        message = None
        while message is None:
            with contextlib.suppress(peergraph.ConnectionFailed):  # it was given up without a word
                message = await (await theirs.accept()).read()
        assert message == b"this one"
        with pytest.raises(TimeoutError):
            await ours.accept(0.05)
        assert not ours._closed_ids


@on_both
async def test_channels_that_nobody_accepts_are_few_and_cost_little(alice, bob):
    async with alice.direct() as theirs, bob.direct() as ours:
        with mock.patch("peergraph._direct.WAITING_MAX", 50):  # one peer has no more than 64 connections at all
            made = [await ours.connect("alice", alice.address) for _ in range(56)]
            for channel in made:
                with contextlib.suppress(peergraph.ConnectionNotFound):
                    await channel.write(bytes(65536))
            assert [await channel.read() for channel in made[50:]] == [None] * 6
        accepted = [await theirs.accept() for _ in range(50)]
        assert [len(await channel.read()) for channel in accepted] == [65536] * 50
        with pytest.raises(TimeoutError):
            await theirs.accept(0.05)


@on_both
async def test_one_peer_has_64_places(alice, bob):
    async with alice.direct() as theirs, bob.direct() as ours:
        made = [await ours.connect("alice", alice.address) for _ in range(64)]
        accepted = [await theirs.accept() for _ in range(64)]
        with pytest.raises(peergraph.ConnectionRefused):
            await ours.connect("alice", alice.address)
        made[0].close()
        assert await accepted[0].read() is None
        await ours.connect("alice", alice.address)


@on_both
async def test_who_came_and_went_before_it_was_accepted(alice, bob):
    async with alice.direct() as theirs, bob.direct() as ours:
        (await ours.connect("alice", alice.address)).close()
        async with await ours.connect("alice", alice.address) as channel:
            await channel.write(b"last words")
        while True:
            accepted = await theirs.accept()
            if words := [message async for message in accepted]:
                break
        assert words == [b"last words"]


# -- ends --------------------------------------------------------------------------------------------------------------


@on_both
async def test_a_graph_that_is_closed_ends_its_channels(alice, bob):
    async with alice.direct() as theirs, bob.direct() as ours:
        channel = await ours.connect("alice", alice.address)
        accepted = await theirs.accept()
        await channel.write(b"before")
        assert await accepted.read() == b"before"
        waiting = [asyncio.create_task(each) for each in (accepted.read(), theirs.accept())]
        await asyncio.sleep(0)
        await alice.close()
        for each in waiting:
            with pytest.raises(peergraph.GraphShuttingDown):
                await each
        with pytest.raises(peergraph.ConnectionFailed, match="left the graph"):
            await channel.read()
        with pytest.raises(peergraph.ConnectionFailed, match="left the graph"):
            await channel.write(b"hello?")
        with pytest.raises(peergraph.GraphShuttingDown):
            await theirs.connect("bob", "127.0.0.1:1")
        assert [each async for each in theirs] == []


@on_both
async def test_closing_all_wakes_whoever_waits(alice, bob):
    async with alice.direct() as theirs, bob.direct() as ours:
        channel = await ours.connect("alice", alice.address)
        reading = asyncio.create_task(channel.read())
        accepting = asyncio.create_task(ours.accept())
        await asyncio.sleep(0)
        ours.close()
        ours.close()
        assert await reading is None
        with pytest.raises(ValueError, match="closed"):
            await accepting
        assert await (await theirs.accept()).read() is None


@on_both
async def test_a_lot_in_both_directions_at_once(alice, bob):
    async with channels(alice, bob) as ends:

        async def write(channel, seed):
            chance = random.Random(seed)
            digest = hashlib.sha256()
            for _ in range(60):
                message = chance.randbytes(chance.randrange(200_000))
                digest.update(message)
                await channel.write(message)
            await channel.write(b"")
            return digest.digest()

        async def read(channel):
            digest = hashlib.sha256()
            while message := await channel.read():
                digest.update(message)
            return digest.digest()

        first, second, *read_back = await asyncio.gather(
            write(ends[0], 1), write(ends[1], 2), read(ends[1]), read(ends[0])
        )
        assert read_back == [first, second]


@pytest.mark.parametrize("machine", [False, True])
def test_a_crash_ends_the_channel_after_what_came_before(machine):
    with sim.Network(seed=5) as network:
        alice, bob = network.add_hosts("alice", "bob")
        heard = []

        async def listen():
            async with (
                peergraph.open_runtime() as runtime,
                runtime.create_graph("g", peer_id="alice") as graph,
                graph.direct() as direct,
            ):
                graph.listen(5000)
                channel = await direct.accept()
                heard.append(await channel.read())
                heard.append(network.now)
                with pytest.raises(peergraph.ConnectionFailed):
                    await channel.read()
                heard.append(network.now)

        async def speak():
            async with (
                peergraph.open_runtime() as runtime,
                runtime.open_graph("g", peer_id="bob") as graph,
                graph.direct() as direct,
            ):
                channel = await direct.connect("alice", "alice:5000")
                await channel.write(b"hello")
                await asyncio.Event().wait()

        alice.start(listen)
        network.run_for(1)
        bob.start(speak)
        network.run_for(1)
        bob.crash(machine=machine)
        network.run_for(200)
        assert heard[0] == b"hello"
        assert len(heard) == 3
        silence = heard[2] - heard[1]
        assert 60 < silence < 130 if machine else 0 < silence < 2


@on_both
async def test_the_program_of_the_page_runs(alice, bob):
    page = Path(__file__).resolve().parents[2] / "docs/direct.md"
    (program,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    names = {}
    exec(program, names)
    serving = asyncio.create_task(names["serve"](alice))
    await asyncio.sleep(0)
    node = dataclasses.replace(bob.get_node_info(0), peer_id="alice", addresses=(alice.address,))
    assert await names["ask"](bob, node) == b"HELLO"
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving
