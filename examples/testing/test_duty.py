"""Tests of duty.py on simulated networks: what it does when things go wrong.

pytest examples/testing                      each test once
pytest examples/testing --peer-seeds 100     each a hundred times, with other delays and another order of things
"""

from __future__ import annotations

import asyncio

import duty
import pytest
from peergraph.sim import Message, MessageType

LEASE = duty.LEASE.total_seconds()


class Crew:
    """Some hosts that run duty.py."""

    def __init__(self, network, names):
        self.network = network
        self.hosts = network.add_hosts(*names)
        first, *others = self.hosts
        first.start(duty.main, first.name)
        for host in others:
            network.run_for(1)
            host.start(duty.main, host.name, f"{first.name}:5000")

    def on_duty(self):
        """Whom each host that is up believes to be on duty."""
        return {host.name: duty.on_duty(host.records(duty.CLAIM)) for host in self.hosts if host.is_up}

    def agreed(self):
        """The one that all name, or None."""
        named = set(self.on_duty().values())
        return named.pop() if len(named) == 1 else None

    def until_all_take_part(self):
        self.network.run_until(lambda: all(len(host.records(duty.CLAIM)) == len(self.hosts) for host in self.hosts))
        self.network.run_for(LEASE)  # by then everyone knows of everyone, and finds others when a neighbour is lost


@pytest.fixture
def crew(peer_network):
    crew = Crew(peer_network, ["alice", "bob", "carol", "dave"])
    crew.until_all_take_part()
    return crew


def test_the_first_one_is_on_duty_and_stays(crew, peer_network):
    for _ in range(20):
        peer_network.run_for(LEASE / 2)
        assert crew.agreed() == "alice"


def test_who_crashes_is_replaced(crew, peer_network):
    crew.hosts[0].crash(machine=True)
    peer_network.run_for(LEASE + 1)
    assert crew.agreed() == "bob"

    crew.hosts[0].restart()
    crew.hosts[0].start(duty.main, "alice", "carol:5000")
    peer_network.run_for(LEASE)
    assert crew.agreed() == "bob"  # who comes back is the last in the queue


def test_each_side_of_a_partition_has_someone(crew, peer_network):
    alice, bob, carol, dave = crew.hosts
    peer_network.partition([alice, carol], [bob, dave])
    peer_network.run_for(LEASE + 1)
    sides = crew.on_duty()
    assert sides["bob"] == sides["dave"] == "bob"
    assert sides["alice"] == "alice"

    peer_network.heal()
    peer_network.run_until(lambda: crew.agreed() == "alice", every=1)


def test_a_renewal_that_is_lost_does_no_harm(crew, peer_network):
    def is_claim_of_alice(message):
        return message.record is not None and message.record.creator_id == "alice"

    with peer_network.intercept(is_claim_of_alice, type=MessageType.FLOOD, do=Message.drop, times=3) as caught:
        peer_network.run_until(lambda: caught.count)
        peer_network.run_for(LEASE)
    assert crew.agreed() == "alice"


async def test_clocks_that_are_wrong_do_no_harm(peer_network):
    """Tests may be coroutines too: time passes while they sleep."""
    right, slow, fast = (peer_network.add_host(clock_offset=offset) for offset in (0, -3600, 3600))
    right.start(duty.main, "right")
    for host in (slow, fast):
        await asyncio.sleep(1)
        host.start(duty.main, host.name, "h1:5000")
    for _ in range(10):
        await asyncio.sleep(LEASE)
        assert {duty.on_duty(host.records(duty.CLAIM)) for host in peer_network.hosts} == {"right"}
