"""What the records of a graph may hold on one node, as its options say."""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import timedelta

import peergraph
import pytest
from peergraph import GraphStatus, StatusChanged
from python.scene import NOTE, join, wait_until

HOUR = timedelta(hours=1)
LIMIT = 100_000
DATA = bytes(5000)


def fill(graph):
    """Adds records until no more fit; their ids, and the error."""
    ids = []
    for _ in range(LIMIT // len(DATA) + 1):
        try:
            ids.append(graph.add_record(type=NOTE, data=DATA, lifetime=HOUR))
        except peergraph.DiskFull as error:
            return ids, error
    pytest.fail("everything fitted")


def test_the_limit_of_a_database(open_runtime):
    with open_runtime().create_graph("g", peer_id="alice", max_database_bytes=LIMIT) as graph:
        ids, error = fill(graph)
        assert error.name == "PEER_E_DATABASE_FULL"
        assert "max_database_bytes is 100000" in str(error)
        assert len(ids) in range(17, 20)
        assert not graph.status & GraphStatus.STORAGE_FULL
        for id in ids:
            graph.delete_record(id)
        assert graph.add_record(type=NOTE, data=DATA, lifetime=HOUR)


def test_the_limit_of_a_creator(open_runtime):
    with open_runtime().create_graph("g", peer_id="alice", max_bytes_per_creator=LIMIT) as graph:
        ids, error = fill(graph)
        assert 'the records of "alice"' in str(error)
        assert len(ids) in range(17, 20)
        graph.delete_record(ids[0])
        assert graph.add_record(type=NOTE, data=DATA, lifetime=HOUR)


def test_limits_hold_as_long_as_the_graph_is_open(open_runtime):
    runtime = open_runtime()
    with runtime.create_graph("g", peer_id="alice", max_database_bytes=LIMIT) as graph:
        fill(graph)
    with runtime.open_graph("g", peer_id="alice") as graph:
        assert graph.add_record(type=NOTE, data=DATA, lifetime=HOUR)
    with runtime.open_graph("g", peer_id="alice", max_database_bytes=LIMIT) as graph:
        assert fill(graph)[0] == []


def test_a_database_of_the_first_version_is_counted(open_runtime, tmp_path):
    runtime = open_runtime()
    with runtime.create_graph("g", peer_id="alice", max_database_bytes=LIMIT) as graph:
        ids, _ = fill(graph)
    (path,) = tmp_path.rglob("*.db")
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.executescript("DROP TABLE usage; DROP TABLE attributes; PRAGMA user_version = 1")
    with runtime.open_graph("g", peer_id="alice", max_database_bytes=LIMIT) as graph:
        assert {record.id for record in graph.records()} == set(ids)
        assert fill(graph)[0] == []
        graph.delete_record(ids[0])
        assert len(fill(graph)[0]) == 1


def test_what_neighbours_send_waits_for_room(open_runtime):
    with (
        open_runtime("a").create_graph("g", peer_id="alice") as alice,
        open_runtime("b").open_graph("g", peer_id="bob", max_database_bytes=LIMIT) as bob,
        bob.events(StatusChanged) as status,
    ):
        alice.listen(scope=peergraph.Scope.LOOPBACK)
        join(bob, alice)
        ids = [alice.add_record(type=NOTE, data=DATA, lifetime=HOUR) for _ in range(30)]
        wait_until(status, lambda: GraphStatus.STORAGE_FULL in bob.status)
        wait_until(status, lambda: GraphStatus.SYNCHRONIZED not in bob.status)
        for id in ids[:20]:
            alice.delete_record(id)
        wait_until(status, lambda: GraphStatus.SYNCHRONIZED in bob.status)
        assert {record.id for record in bob.records()} == set(ids[20:])


@pytest.mark.parametrize("limit", [-1, 1 << 64])
def test_a_limit_is_a_number_of_bytes(open_runtime, limit):
    runtime = open_runtime()
    with pytest.raises(ValueError, match="max_database_bytes"):
        runtime.create_graph("g", peer_id="alice", max_database_bytes=limit)
    with pytest.raises(ValueError, match="max_bytes_per_creator"):
        runtime.open_graph("g", peer_id="alice", max_bytes_per_creator=limit)


def test_a_limit_is_not_too_small(open_runtime):
    with pytest.raises(peergraph.InvalidArgument, match="max_database_bytes is 65535"):
        open_runtime().create_graph("g", peer_id="alice", max_database_bytes=65535)
