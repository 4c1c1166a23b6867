"""A simulated network from Python: hosts, time, faults, and what has become of it."""

from __future__ import annotations

import asyncio
import datetime as dt
import gc
import json
import sys
import xml.etree.ElementTree as ElementTree

import peergraph
import peergraph.aio
import pytest
from peergraph import GraphStatus, RecordChanged
from peergraph.sim import HostCrashed, Network, NotConverged, SimulationError, SimulationIdle
from python.scene import HOUR, NOTE
from python.simulated import count, member, notes, start_members


@pytest.fixture
def network():
    with Network(7) as network:
        yield network


# -- without coroutines ------------------------------------------------------------------------------------------------


def sync_pair(network):
    """Two graphs, connected and synchronized, for a test that does without coroutines."""
    alice, bob = network.add_hosts("alice", "bob")
    first = alice.runtime.create_graph("g", peer_id="alice")
    first.listen(5000)
    second = bob.runtime.open_graph("g", peer_id="bob")
    second.connect("alice:5000", timeout=60)
    second.synchronized(timeout=60)
    return first, second


def test_plain_calls_let_time_pass(network):
    first, second = sync_pair(network)
    with second.events(RecordChanged, record_type=NOTE) as events:
        first.add_record(type=NOTE, data=b"hello", lifetime=HOUR)
        began = network.now
        assert events.get(timeout=10).record.data == b"hello"
        assert 0 < network.now - began < 1
        began = network.now
        with pytest.raises(TimeoutError):
            events.get(timeout=10)
        assert network.now - began == pytest.approx(10)
    with second.register_event(RecordChanged) as queue:
        assert not queue.wait(5)
        first.add_record(type=NOTE, lifetime=HOUR)
        assert queue.wait(5)
        assert queue.wait(0)
        assert queue.get_event_data().record_type == NOTE


def test_a_time_out_ends_whatever_floats_make_of_it():
    """The sum of two moments in seconds may be later, by 2e-16, than the moment that they mean."""
    begin_us = next(us for us in range(1, 100_000) if us / 1e6 + 1 > (us + 1_000_000) / 1e6)
    with Network(7) as network:
        graph = network.add_host("alice").runtime.create_graph("g", peer_id="alice")
        network.run_until(begin_us / 1e6)
        with graph.register_event(RecordChanged) as queue:
            assert not queue.wait(1)
        assert network.now == pytest.approx(begin_us / 1e6 + 1, abs=2e-6)


def test_a_wait_without_end_is_found_out():
    with Network(7, idle_after=60) as network:
        first, _ = sync_pair(network)
        with first.events(RecordChanged) as events, pytest.raises(SimulationIdle):
            events.get()


def test_programs_go_on_while_a_test_waits_in_a_call(network):
    alice, _ = start_members(network, "alice", "bob")
    ticks = []

    async def tick():
        for _ in range(5):
            await asyncio.sleep(1)
            ticks.append(network.now)

    alice.start(tick)
    carol = network.add_host("carol").runtime.open_graph("g", peer_id="carol")
    carol.connect("alice:5000")
    carol.synchronized()
    with carol.events(RecordChanged) as events, pytest.raises(TimeoutError):
        events.get(timeout=10)
    assert len(ticks) == 5


# -- time --------------------------------------------------------------------------------------------------------------


def test_time_passes_as_asked(network):
    network.run_for(1.5)
    network.run_for(dt.timedelta(minutes=1))
    assert network.now == 61.5
    network.run_until(100.25)
    assert network.now == 100.25
    network.run_until(50)
    assert network.now == 100.25
    with pytest.raises(peergraph.InvalidArgument, match="less than 0"):
        network.run_for(-1)
    with pytest.raises(TypeError, match="seconds must be seconds or a timedelta, not str"):
        network.run_for("1")


def test_until_a_condition_holds(network):
    alice, bob = start_members(network, "alice", "bob")
    alice.graphs[0].add_record(type=NOTE, data=b"x", lifetime=HOUR)
    began = network.now
    assert network.run_until(lambda: count(bob) == 3 and "there") == "there"
    assert network.now - began == pytest.approx(0.0125, abs=0.01)
    with pytest.raises(TimeoutError, match=r"does not hold after 30\.0 virtual seconds"):
        network.run_until(lambda: False, timeout=30)
    with pytest.raises(ZeroDivisionError):
        network.run_until(lambda: 1 // 0)
    asked = []
    with pytest.raises(TimeoutError):
        network.run_until(lambda: asked.append(network.now), timeout=10, every=2.5)
    assert 4 <= len(asked) <= 5

    async def main():
        await network.until(lambda: network.now >= 500, timeout=None)
        with pytest.raises(TimeoutError):
            await network.until(lambda: False, timeout=1)

    network.run(main)


def test_step_by_step(network):
    start_members(network, "alice", "bob")
    before = network.now
    for _ in range(50):
        assert network.step()
    assert network.now > before


# -- programs ----------------------------------------------------------------------------------------------------------


def test_the_result_of_a_program(network):
    async def main(*argv):
        await asyncio.sleep(3)
        return argv

    assert network.add_host().run(main, "a", 1) == ("a", 1)

    async def leave():
        sys.exit(3)

    assert network.add_host().run(leave) == 3


def test_an_error_of_a_program_comes_out(network):
    async def fail(seconds):
        await asyncio.sleep(seconds)
        raise ValueError("so it is")

    host = network.add_host()
    with pytest.raises(ValueError, match="so it is"):
        host.run(fail, 1)
    host.start(fail, 10)
    network.run_for(5)
    with pytest.raises(ValueError, match="so it is"):
        network.run_for(3600)
    assert network.now == pytest.approx(11)
    network.run_for(5)

    async def expect():
        with pytest.raises(ValueError, match="so it is"):
            await host.start(fail, 1)

    network.run(expect)


def test_an_error_that_nobody_has_seen_comes_out_at_the_end():
    async def fail():
        raise ValueError("so it is")

    def forget():
        with Network(1) as network:
            host = network.add_host()
            asyncio_task = host.start(fail)
            network.loop.call_soon(network.loop.stop)
            network.loop.run_forever()
            assert asyncio_task.done()

    with pytest.raises(ValueError, match="so it is"):
        forget()


def test_events_belong_to_the_loop_of_the_network(network, tmp_path):
    alice, _ = start_members(network, "alice", "bob")
    graph = alice.graphs[0]

    async def elsewhere():
        async with graph.events() as events:
            await events.get(1)

    with pytest.raises(RuntimeError, match="in the loop of its network only"):
        asyncio.run(elsewhere())


def test_programs_on_one_host_share_what_it_stores(network):
    async def create():
        async with peergraph.aio.open_runtime() as runtime, runtime.create_graph("g", peer_id="one") as graph:
            await asyncio.sleep(100)
            return graph.status

    async def other():
        async with peergraph.aio.open_runtime() as runtime, runtime.create_graph("h", peer_id="two"):
            await asyncio.sleep(10)

    host = network.add_host()
    task = host.start(create)
    host.run(other)
    assert [graph.id for graph in host.graphs] == ["g"]
    network.run_for(200)
    assert task.result() & GraphStatus.SYNCHRONIZED
    assert host.graphs == []


def test_the_end_of_a_network_leaves_nothing_open():
    with Network(3) as network:
        start_members(network, "alice", "bob", "carol")
        runtime = network.hosts[0].runtime
        graph = runtime.create_graph("h", peer_id="p")
        events = graph.events()
        network.hosts[1].crash()
    assert runtime.closed
    assert graph.closed
    del runtime, graph, events
    gc.collect()
    with pytest.raises(SimulationError, match="closed"):
        network.run_for(1)
    network.close()


def test_a_network_that_was_not_closed_says_so():
    network = Network(3)
    with pytest.warns(ResourceWarning, match=r"unclosed <peergraph.sim.Network seed=3"):
        network.__del__()
    network.close()


# -- faults ------------------------------------------------------------------------------------------------------------


def test_a_partition_and_its_end(network):
    alice, bob, carol = start_members(network, "alice", "bob", "carol")
    network.partition(alice)
    assert network.parts() == [[bob, carol], [alice]]
    alice.graphs[0].add_record(type=NOTE, data=b"from alice", lifetime=HOUR)
    carol.graphs[0].add_record(type=NOTE, data=b"from carol", lifetime=HOUR)
    network.run_for(200)
    assert b"from carol" in notes(bob)
    assert b"from alice" not in notes(bob)
    with pytest.raises(NotConverged) as caught:
        network.assert_converged()
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("the replicas of 'g' differ after ")
    assert len(lines) == 3
    assert any("alice has version 1 by 'alice', b'from alice'; bob, carol lack it" in line for line in lines)
    assert list(network.differences()) == ["g"]
    network.heal()
    assert network.run_until_converged() > 0
    network.assert_converged("g")
    assert {count(host) for host in network.hosts} == {5}
    with pytest.raises(NotConverged, match="no host that is up has the graph 'other' open"):
        network.assert_converged("other")


def test_a_way_that_is_cut_in_one_direction(network):
    alice, bob = start_members(network, "alice", "bob")
    network.cut(alice, bob)
    assert network.is_cut(alice, bob)
    assert not network.is_cut(bob, alice)
    before = count(alice)
    alice.graphs[0].add_record(type=NOTE, lifetime=HOUR)
    bob.graphs[0].add_record(type=NOTE, lifetime=HOUR)
    network.run_for(5)
    assert (count(alice), count(bob)) == (before + 2, before + 1)
    network.mend(alice, bob)
    network.run_until_converged(timeout=60)


def test_links(network):
    alice, bob = start_members(network, "alice", "bob")
    network.link(latency=2, jitter=0)
    alice.graphs[0].add_record(type=NOTE, lifetime=HOUR)
    began, had = network.now, count(bob)
    network.run_until(lambda: count(bob) > had)
    assert network.now - began == pytest.approx(2, abs=0.01)
    network.link(alice, bob, latency=5, jitter=0, both_ways=False)
    bob.graphs[0].add_record(type=NOTE, lifetime=HOUR)
    began, had = network.now, count(alice)
    network.run_until(lambda: count(alice) > had)
    assert network.now - began == pytest.approx(2, abs=0.01)
    with pytest.raises(ValueError, match="loss is 2, not a chance"):
        network.link(loss=2)


@pytest.mark.parametrize("machine", [False, True])
def test_a_crash_and_what_is_left(network, machine):
    alice, bob = start_members(network, "alice", "bob")
    task = bob.start(asyncio.sleep, 1e6)
    graph = bob.graphs[0]
    bob.crash(machine=machine)
    assert not bob.is_up
    assert task.cancelled()
    assert graph.closed
    assert bob.graphs == []
    with pytest.raises(SimulationError, match="'bob' is down"):
        bob.start(member, "bob")
    with pytest.raises(peergraph.NotFound, match="'bob' has crashed"):
        _ = bob.runtime
    with pytest.raises(peergraph.NotFound):
        bob.crash()
    network.assert_converged()
    alice.graphs[0].add_record(type=NOTE, data=b"meanwhile", lifetime=HOUR)
    network.run_for(200)
    bob.restart()
    bob.start(member, "bob", "alice:5000")
    network.run_until(lambda: b"meanwhile" in notes(bob))
    network.run_until_converged()


def test_a_crash_of_a_host_on_which_nothing_runs(network):
    host = network.add_host("idle")

    async def program():
        async with peergraph.aio.open_runtime():
            pass

    host.run(program)
    host.crash()
    assert not host.is_up
    host.restart()
    host.run(program)


def test_a_crash_ends_timers_and_tasks_of_the_host_only(network):
    alice, bob = network.add_hosts("alice", "bob")
    log = []

    async def main(name):
        loop = asyncio.get_running_loop()
        loop.call_later(10, log.append, f"{name}'s timer")
        child = asyncio.create_task(asyncio.sleep(10))
        child.add_done_callback(lambda _: log.append(f"{name}'s child"))
        try:
            await asyncio.sleep(20)
        finally:
            log.append(f"{name} at {network.now:.0f}")

    for host in (alice, bob):
        host.start(main, host.name)
    network.run_for(5)
    alice.crash()
    assert sorted(log) == ["alice at 5", "alice's child"]
    network.run_for(60)
    assert sorted(log[2:]) == ["bob at 20", "bob's child", "bob's timer"]


def test_who_waits_for_a_program_hears_of_the_crash(network):
    host = network.add_host("alice")

    async def main():
        asyncio.get_running_loop().call_later(10, host.crash)
        await asyncio.sleep(100)

    with pytest.raises(HostCrashed, match="'alice' crashed"):
        host.run(main)

    async def last_words():
        host.crash()
        await asyncio.sleep(0)

    host.restart()
    with pytest.raises(HostCrashed):
        host.run(last_words)


def test_a_full_disk(network):
    host = network.add_host()
    graph = host.runtime.create_graph("g", peer_id="p")
    host.disk_full = True
    assert host.disk_full
    with pytest.raises(peergraph.DiskFull):
        graph.add_record(type=NOTE, lifetime=HOUR)
    host.disk_full = False
    graph.add_record(type=NOTE, lifetime=HOUR)


def test_clocks(network):
    host = network.add_host(clock_offset=dt.timedelta(minutes=5), drift_ppm=100)
    assert host.clock == dt.datetime(2026, 1, 1, 0, 5, tzinfo=dt.timezone.utc)
    network.run_for(10_000)
    assert host.clock == dt.datetime(2026, 1, 1, 0, 5, tzinfo=dt.timezone.utc) + dt.timedelta(seconds=10_001)
    assert (host.clock_offset, host.drift_ppm) == (300, 100)
    host.set_clock(offset=-10)
    assert host.clock == dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc) + dt.timedelta(seconds=10_000 - 10)


def test_who_dialled_a_name_finds_the_address_again(network):
    first, second = sync_pair(network)  # by name; alice listens, bob does not
    alice, bob = network.hosts
    assert [connection.address for connection in second.connections()] == ["[fd00::1]:5000"]
    network.partition(alice)
    added = first.add_record(type=NOTE, data=b"meanwhile", lifetime=HOUR)
    network.run_for(600)
    assert alice.neighbours == []
    network.heal()
    network.run_until(lambda: alice.neighbours == [bob], timeout=60)
    network.run_for(10)
    assert second.get_record(added).data == b"meanwhile"
    with pytest.raises(peergraph.AlreadyExists):
        second.begin_connect("[fd00::1]:5000")


def test_a_host_that_moves_is_found_at_its_new_address(network):
    first, second = sync_pair(network)
    alice, bob = network.hosts
    second.listen(5000)
    network.run_for(1)
    with pytest.raises(peergraph.AlreadyExists, match='"bob" has the address'):
        alice.move("fd00::2")
    for wrong in ("::1", "no address", "fe80::1", ""):
        with pytest.raises(peergraph.PeerError, match="address"):
            alice.move(wrong)
    alice.move("192.0.2.9")
    assert alice.address == "192.0.2.9"
    assert first.get_node_info().addresses == ("192.0.2.9:5000",)
    added = first.add_record(type=NOTE, data=b"from elsewhere", lifetime=HOUR)
    network.run_for(150)  # until the old connection is given up
    network.run_until(lambda: alice.neighbours == [bob], timeout=60)
    network.run_for(10)
    assert second.get_record(added).data == b"from elsewhere"


def test_hosts(network, tmp_path):
    one = network.add_host()
    two = network.add_host("two", address="192.0.2.7", data_directory=tmp_path / "two")
    assert [(host.number, host.name, host.address) for host in network.hosts] == [
        (1, "h1", "fd00::1"),
        (2, "two", "192.0.2.7"),
    ]
    assert network.host("two") is two
    with pytest.raises(KeyError):
        network.host("three")
    with pytest.raises(peergraph.AlreadyExists):
        network.add_host("two")
    two.runtime.create_graph("g", peer_id="p")
    assert list((tmp_path / "two").rglob("*.db*"))
    assert "'h1'" in repr(one)


# -- looking at it -----------------------------------------------------------------------------------------------------


def test_what_is_no_host_or_no_program_is_told(network):
    async def main(number):
        return number

    alice = network.add_host("alice")
    for hosts in ("alice", ["alice"]):
        with pytest.raises(TypeError, match=r"hosts must be a Host, not str; network.host\('alice'\) gives one"):
            network.partition(hosts)
    with pytest.raises(TypeError, match="src must be a Host, not str"):
        network.messages(src="alice")
    with pytest.raises(TypeError, match=r"main must be a coroutine function, not coroutine; its arguments follow it"):
        alice.start(main(1))
    assert alice.run(main, 1) == 1


def test_topology_and_picture(network, tmp_path):
    alice, bob, carol = start_members(network, "alice", "bob", "carol")
    network.run_for(60)
    edges = network.graph()
    assert set(edges) == {"alice", "bob", "carol"}
    assert edges["bob"]["alice"]["neighbour"]
    assert edges["bob"]["alice"]["dialled_by"] == "bob"
    assert bob in alice.neighbours
    network.partition(alice)
    assert network.graph()["alice"]["bob"]["cut"]
    carol.crash()
    svg = network.plot(tmp_path / "network.svg").svg
    assert (tmp_path / "network.svg").read_text(encoding="utf-8") == svg
    root = ElementTree.fromstring(svg)
    texts = [node.text for node in root.iter(f"{SVG}text")]
    assert {"alice", "bob", "carol", "each part has its colour"} <= set(texts)
    assert "2 parts" in texts[0]
    assert "1 down" in texts[0]
    dashed = {line.find(f"{SVG}title").text.split(" at ")[0] for line in dashed_edges(root)}
    assert "bob dialled alice" in dashed
    colours = {name: colour_of(root, name) for name in ("alice", "bob", "carol")}
    assert len(set(colours.values())) == 3
    network.heal()
    assert not dashed_edges(ElementTree.fromstring(network.plot().svg))


SVG = "{http://www.w3.org/2000/svg}"


def dashed_edges(root):
    return [
        line
        for line in root.iter(f"{SVG}line")
        if line.get("stroke-dasharray") and line.find(f"{SVG}title") is not None
    ]


def colour_of(root, name):
    for circle in root.iter(f"{SVG}circle"):
        title = circle.find(f"{SVG}title")
        if title is not None and title.text.split()[0] == name:
            return circle.get("stroke")
    return None


def test_topology_for_networkx(network):
    networkx = pytest.importorskip("networkx")
    start_members(network, "alice", "bob", "carol")
    graph = network.networkx()
    assert networkx.is_connected(graph)
    assert graph.nodes["alice"]["up"]
    assert graph.nodes["alice"]["graphs"] == ["g"]
    assert networkx.is_connected(networkx.Graph(network.graph()))


def test_without_networkx_the_error_says_what_to_do(network, monkeypatch):
    monkeypatch.setitem(sys.modules, "networkx", None)
    with pytest.raises(ImportError, match=r"pip install networkx, or use graph\(\)"):
        network.networkx()


def test_trace(network, tmp_path):
    network.trace_to(tmp_path / "trace")
    start_members(network, "alice", "bob")
    network.note("here")
    lines = network.trace
    assert json.loads(lines[-1])["note"] == "here"
    assert all(isinstance(json.loads(line), dict) for line in lines)
    network.trace_to(None)
    written = (tmp_path / "trace").read_text(encoding="utf-8").splitlines()
    assert set(lines) <= set(written)
    assert network.message_count() > 0


def test_a_short_trace_keeps_the_end():
    with Network(7, trace_bytes=2000) as network:
        start_members(network, "alice", "bob")
        network.note("the end")
        assert "the end" in network.trace[-1]
        assert 0 < sum(map(len, network.trace)) <= 2000


def busy_day(seed):
    with Network(seed) as network:
        hosts = start_members(network, *"abcde", notes=3)
        network.partition(hosts[:2], hosts[2:])
        network.run_for(network.random.uniform(100, 300))
        hosts[3].crash()
        network.heal()
        network.run_for(100)
        hosts[3].restart()
        hosts[3].start(member, "d", "a:5000")
        network.run_for(100)
        network.run_until_converged()
        return network.trace_hash, network.now


def test_the_same_seed_gives_the_same_run():
    first = busy_day(1)
    assert busy_day(1) == first
    assert busy_day(2) != first
