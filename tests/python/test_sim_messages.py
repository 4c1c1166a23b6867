"""What is under way in a simulated network: looked at, held, dropped, duplicated, delayed, changed."""

from __future__ import annotations

import asyncio

import peergraph
import pytest
from peergraph.sim import Message, MessageState, MessageType, Network
from python.scene import HOUR, NOTE
from python.simulated import notes, start_members


@pytest.fixture
def network():
    with Network(11) as network:
        yield network


@pytest.fixture
def pair(network):
    """Alice and bob, connected, and nothing under way."""
    hosts = start_members(network, "alice", "bob")
    network.run_for(20)
    return hosts


def add(host, data: bytes, **options):
    return host.graphs[0].add_record(type=NOTE, data=data, lifetime=HOUR, **options)


def test_looking_at_what_is_under_way(network, pair):
    alice, bob = pair
    record_id = add(alice, b"hello", attributes={"title": "greeting"})
    (message,) = network.messages(type=MessageType.FLOOD)
    assert (message.src, message.dst, message.state) == (alice, bob, MessageState.TRAVELLING)
    assert message.moment is None
    record = message.record
    assert (record.id, record.type, record.data, record.version) == (record_id, NOTE, b"hello", 1)
    assert record.creator_id == "alice"
    assert record.attributes["title"] == "greeting"
    assert record == alice.graphs[0].get_record(record_id)
    assert network.messages(src=bob) == []
    assert "FLOOD alice -> bob" in repr(message)
    assert len(message.data) == message.size
    with pytest.raises(peergraph.NotFound):
        message.drop()
    network.run_for(0)
    assert network.messages(type=MessageType.FLOOD)[0].moment > network.now
    network.run_until(lambda: network.messages(type=MessageType.ACK, src=bob, dst=alice))
    (answer,) = network.messages(type=MessageType.ACK)
    assert answer.record is None


def test_holding_and_letting_go(network, pair):
    alice, bob = pair
    with network.intercept(type=MessageType.FLOOD, dst=bob) as caught:
        add(alice, b"one")
        add(alice, b"two")
        network.run_for(10)
        assert [message.record.data for message in caught.held] == [b"one", b"two"]
        assert caught.count == 2
        assert b"one" not in notes(bob)
        caught.held[1].release()
        network.run_for(1)
        assert b"two" in notes(bob)
        assert [message.record.data for message in caught.held] == [b"one"]
        assert caught.held[0].state is MessageState.HELD
    network.run_for(1)
    assert b"one" in notes(bob)
    add(alice, b"three")
    network.run_for(1)
    assert b"three" in notes(bob)
    assert caught.count == 2


def test_dropping(network, pair):
    alice, bob = pair
    network.intercept(lambda message: message.record.data == b"lost", type=MessageType.FLOOD, do=Message.drop, times=1)
    lost = add(alice, b"lost")
    add(alice, b"kept")
    network.run_for(5)
    assert b"kept" in notes(bob)
    assert b"lost" not in notes(bob)
    with pytest.raises(AssertionError, match=f"record {lost}"):
        network.assert_converged()
    alice.reset_connections()
    network.run_until_converged()


def test_duplicating(network, pair):
    alice, bob = pair
    before = network.message_count(MessageType.FLOOD, dst=bob)
    network.intercept(type=MessageType.FLOOD, do=lambda message: message.duplicate(2), times=1)
    add(alice, b"twice")
    network.run_for(5)
    assert network.message_count(MessageType.FLOOD, dst=bob) == before + 2
    assert notes(bob).count(b"twice") == 1


def test_delaying(network, pair):
    alice, bob = pair
    network.link(latency=0, jitter=0)
    network.intercept(type=MessageType.FLOOD, do=lambda message: message.delay(30))
    began = network.now
    add(alice, b"late")
    network.run_until(lambda: b"late" in notes(bob))
    assert network.now - began == pytest.approx(30, abs=0.1)


def test_changing(network, pair):
    alice, bob = pair

    def change(message):
        message.edit(message.data.replace(b"black", b"white"))
        assert message.record.data == b"white"

    with network.intercept(lambda message: message.record.data == b"black", type=MessageType.FLOOD, do=change):
        add(alice, b"black")
        network.run_for(5)
    assert b"white" in notes(bob)
    with pytest.raises(AssertionError, match=r"alice has version 1 by 'alice', b'black'"):
        network.assert_converged()


def test_rubbish_ends_the_connection(network, pair):
    alice, _ = pair
    network.intercept(type=MessageType.FLOOD, do=lambda message: message.edit(bytes(8)), times=1)
    ids = {edge["connection_id"] for others in network.graph().values() for edge in others.values()}
    add(alice, b"x")
    network.run_until_converged(timeout=600)
    assert ids.isdisjoint(edge["connection_id"] for others in network.graph().values() for edge in others.values())


def test_the_first_that_wants_a_message_has_it(network, pair):
    alice, bob = pair
    first = network.intercept(lambda message: message.record.data == b"1", type=MessageType.FLOOD, do=Message.drop)
    second = network.intercept(type=MessageType.FLOOD, src=alice)
    third = network.intercept(src=alice, dst=bob, type=MessageType.FLOOD)
    for data in (b"1", b"2"):
        add(alice, data)
    network.run_for(2)
    assert (first.count, second.count, third.count) == (1, 1, 0)
    second.stop()
    second.stop()
    add(alice, b"3")
    network.run_for(2)
    assert third.count == 1
    assert b"2" in notes(bob)


def test_what_was_held_is_gone_with_its_connection(network, pair):
    alice, bob = pair
    caught = network.intercept(type=MessageType.FLOOD, dst=bob)
    add(alice, b"x")
    network.run_for(1)
    (message,) = caught.held
    alice.reset_connections(bob)
    network.run_for(1)
    assert message not in caught.held
    with pytest.raises(peergraph.NotFound):
        message.release()
    caught.stop()
    network.run_until_converged()


def test_interception_while_a_program_waits(network, pair):
    alice, bob = pair

    async def main():
        with network.intercept(type=MessageType.FLOOD) as caught:
            add(alice, b"x")
            await network.until(lambda: caught.held)
            await asyncio.sleep(100)
            assert b"x" not in notes(bob)
        await network.until_converged()

    network.run(main)
    assert b"x" in notes(bob)


def test_an_error_in_a_predicate_comes_out(network, pair):
    network.intercept(lambda message: 1 // 0)
    add(pair[0], b"x")
    with pytest.raises(ZeroDivisionError):
        network.run_for(10)


def test_counts(network, pair):
    alice, bob = pair
    assert network.message_count() == sum(network.message_count(type) for type in MessageType)
    before = network.message_count(MessageType.FLOOD, src=alice)
    add(alice, b"x")
    network.run_for(1)
    assert network.message_count(MessageType.FLOOD, src=alice) == before + 1
    with pytest.raises(ValueError, match="not by both"):
        network.message_count(src=alice, dst=bob)
