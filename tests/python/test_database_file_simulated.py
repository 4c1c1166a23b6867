"""Export and import in a simulated network: the files are real ones, and time stands still meanwhile."""

from __future__ import annotations

import threading

import peergraph
import peergraph.aio
import pytest
from peergraph import GraphStatus, Progress, RecordChanged
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


def in_thread(call, path) -> tuple[threading.Thread, list[str]]:
    """The call in a thread of its own, and where its failure will be."""
    failures: list[str] = []

    def run() -> None:
        try:
            call(path)
        except peergraph.PeerError as error:
            failures.append(error.name)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, failures


def until(thread: threading.Thread, events, part: float) -> None:
    """Until the call has come so far, or is over. Virtual time would be over before it has begun."""
    while thread.is_alive() and not any(event.done > part * event.total for event in events.take()):
        pass


def filled(graph, count: int = 60) -> set:
    return {graph.add_record(type=NOTE, data=bytes(200_000), lifetime=HOUR) for _ in range(count)}


def test_a_crash_in_the_middle_of_an_import(network, tmp_path):
    """Afterwards the database is what it was before, or all of it was imported."""
    old, new = network.add_hosts("old", "new")
    graph = old.runtime.create_graph("g", peer_id="alice")
    first = graph.add_record(type=NOTE, data=b"first", lifetime=HOUR)
    graph.export_database(tmp_path / "early")
    late = filled(graph)
    graph.export_database(tmp_path / "late")
    new.runtime.open_graph("g", peer_id="alice").import_database(tmp_path / "early")
    for part in (0.01, 0.3, 0.9):
        new.crash()
        new.restart()
        other = new.runtime.open_graph("g", peer_id="alice")
        assert {record.id for record in other.records()} == {first}
        with other.events(Progress) as events:
            importing, failures = in_thread(other.import_database, tmp_path / "late")
            until(importing, events, part)
            new.crash()
            importing.join()
        new.restart()
        with new.runtime.open_graph("g", peer_id="alice") as again:
            found = {record.id for record in again.records()}
        if not failures:  # it was faster than the crash
            assert found == late | {first}
            break
        assert failures == ["PEER_E_GRAPH_SHUTTING_DOWN"]
        assert found == {first}


def test_a_crash_in_the_middle_of_an_export(network, tmp_path):
    """The file of before stays in its place; where there was none, there is none that looks whole."""
    (host,) = network.add_hosts("host")
    graph = host.runtime.create_graph("g", peer_id="alice")
    graph.export_database(tmp_path / "kept")
    before = (tmp_path / "kept").read_bytes()
    filled(graph)
    for name in ("kept", "new"):
        with graph.events(Progress) as events:
            exporting, failures = in_thread(graph.export_database, tmp_path / name)
            until(exporting, events, 0)
            host.crash()
            exporting.join()
        assert failures in ([], ["PEER_E_GRAPH_SHUTTING_DOWN"])
        if failures:
            assert (tmp_path / "kept").read_bytes() == before
            assert name == "kept" or not (tmp_path / name).exists()
        assert list(tmp_path.glob("*.part")) == []
        host.restart()
        graph = host.runtime.open_graph("g", peer_id="alice")
        before = (tmp_path / "kept").read_bytes()


def test_what_a_crash_leaves_of_a_file_is_not_taken_for_a_whole_one(network, tmp_path):
    """A machine that dies cannot tidy up: what has been written so far stays beside the place of the file."""
    old, new = network.add_hosts("old", "new")
    graph = old.runtime.create_graph("g", peer_id="alice")
    ids = filled(graph, 5)
    graph.export_database(tmp_path / "whole")
    whole = (tmp_path / "whole").read_bytes()
    part = tmp_path / "export.part"
    other = new.runtime.open_graph("g", peer_id="alice")
    for size in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        part.write_bytes(whole[:size])
        with pytest.raises(peergraph.FileNotFound):
            other.import_database(tmp_path / "export")
        with pytest.raises(peergraph.InvalidDatabase):
            other.import_database(part)
    graph.export_database(tmp_path / "export")  # over what was left there
    assert not part.exists()
    other.import_database(tmp_path / "export")
    assert {record.id for record in other.records()} == ids
