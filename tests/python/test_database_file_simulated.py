"""Export and import in a simulated network: the files are real ones, and time stands still meanwhile."""

from __future__ import annotations

import peergraph
import peergraph.aio
import pytest
from peergraph import GraphStatus, RecordChanged
from peergraph.sim import Network
from python.scene import HOUR, NOTE


@pytest.fixture
def network():
    with Network(11) as network:
        yield network


def test_a_node_moves_to_another_machine(network, tmp_path):
    alice, old, new = network.add_hosts("alice", "old", "new")
    first = alice.runtime.create_graph("g", peer_id="alice")
    first.listen(5000)
    kept = {first.add_record(type=NOTE, data=bytes(1000), lifetime=HOUR) for _ in range(30)}
    bob = old.runtime.open_graph("g", peer_id="bob")
    bob.connect("alice:5000", timeout=60)
    bob.synchronized(timeout=60)
    began = network.now
    bob.export_database(tmp_path / "bob")  # while it is connected
    assert network.now == began
    old.crash()
    late = first.add_record(type=NOTE, data=b"late", lifetime=HOUR)

    again = new.runtime.open_graph("g", peer_id="bob")
    again.import_database(tmp_path / "bob")
    assert network.now == began
    assert again.status == GraphStatus.SYNCHRONIZED
    assert {record.id for record in again.records()} == kept
    with again.events(RecordChanged) as events:
        again.connect("alice:5000", timeout=60)
        assert events.get(timeout=60).record_id == late
    with pytest.raises(peergraph.GraphInUse):
        again.import_database(tmp_path / "bob")
    network.run_for(5)
    assert {record.id for record in again.records()} == kept | {late}


def test_coroutines(network, tmp_path):
    async def leave() -> None:
        async with peergraph.aio.open_runtime() as runtime, runtime.create_graph("g", peer_id="bob") as graph:
            graph.add_record(type=NOTE, data=b"early", lifetime=HOUR)
            await graph.export_database(tmp_path / "bob")

    async def arrive() -> list[bytes]:
        async with peergraph.aio.open_runtime() as runtime, runtime.open_graph("g", peer_id="bob") as graph:
            with pytest.raises(peergraph.FileNotFound):
                await graph.import_database(tmp_path / "alice")
            await graph.import_database(tmp_path / "bob")
            return [record.data async for record in graph.records()]

    network.add_host("old").run(leave)
    assert network.add_host("new").run(arrive) == [b"early"]


def test_the_same_seed_writes_the_same_file(tmp_path):
    for name in ("one", "two"):
        with Network(5) as network:
            (host,) = network.add_hosts("alice")
            graph = host.runtime.create_graph("g", peer_id="alice")
            for number in range(20):
                graph.add_record(type=NOTE, data=b"%d" % number, lifetime=HOUR)
            graph.export_database(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_full_disk_of_a_host(network, tmp_path):
    old, new = network.add_hosts("old", "new")
    graph = old.runtime.create_graph("g", peer_id="alice")
    ids = {graph.add_record(type=NOTE, data=bytes(1000), lifetime=HOUR) for _ in range(50)}
    graph.export_database(tmp_path / "export")
    other = new.runtime.open_graph("g", peer_id="alice")
    new.disk_full = True
    with pytest.raises(peergraph.DiskFull):
        other.import_database(tmp_path / "export")
    assert other.status == GraphStatus.STORAGE_FULL
    new.disk_full = False
    network.run_for(10)
    assert not other.status
    other.import_database(tmp_path / "export")
    assert {record.id for record in other.records()} == ids
