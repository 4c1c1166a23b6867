"""Graphs of one node: create, open, delete, properties, time, listening."""

from __future__ import annotations

import subprocess
import sys
import threading
import uuid
from datetime import datetime, timedelta, timezone

import peergraph
import pytest
from peergraph import GraphStatus, Scope, _native
from python.scene import HOUR, NOTE, PATIENCE


def test_a_created_graph_is_synchronized(graph):
    assert graph.status == graph.get_status() == GraphStatus.SYNCHRONIZED
    assert (graph.id, graph.peer_id, graph.database) == ("film club", "alice", "default")
    assert not graph.is_new
    assert repr(graph) == "<peergraph.Graph 'film club' peer='alice'>"


def test_properties(runtime):
    with runtime.create_graph(
        "g",
        peer_id="p",
        friendly_name="Die Filmfreunde 🎬",
        comment="every Tuesday",
        scope=Scope.LINKLOCAL,
        max_record_size=5000,
        presence_lifetime=timedelta(minutes=10),
        presence_max=7,
        defer_expiration=True,
    ) as graph:
        expected = peergraph.GraphProperties(
            graph_id="g",
            creator_id="p",
            friendly_name="Die Filmfreunde 🎬",
            comment="every Tuesday",
            scope=Scope.LINKLOCAL,
            max_record_size=5000,
            presence_lifetime=timedelta(minutes=10),
            presence_max=7,
            defer_expiration=True,
        )
        assert graph.properties == graph.get_properties() == expected
    with runtime.open_graph("g", peer_id="p") as graph:
        assert graph.properties == expected


def test_default_properties(graph):
    properties = graph.properties
    assert properties.presence_lifetime == timedelta(seconds=300)
    assert properties.presence_max is None
    assert properties.max_record_size == 4 << 20
    assert properties.scope == Scope.GLOBAL
    assert not properties.defer_expiration
    assert not properties.friendly_name
    assert not properties.comment


@pytest.mark.parametrize(
    ("graph_id", "options"),
    [
        ("", {}),
        ("g" * 256, {}),
        ("🎬" * 128, {}),  # 256 UTF-16 units
        ("g", {"peer_id": ""}),
        ("g", {"peer_id": "p" * 256}),
        ("g", {"friendly_name": "n" * 256}),
        ("g", {"comment": "c" * 512}),
        ("g", {"max_record_size": 1023}),
        ("g", {"max_record_size": 62_914_561}),
        ("g", {"presence_lifetime": timedelta(seconds=299)}),
        ("g", {"presence_max": -2}),
        ("g", {"scope": 9}),
        ("g", {"database": "../x"}),
        ("g", {"database": ""}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_arguments_of_create(runtime, graph_id, options):
    with pytest.raises(peergraph.InvalidArgument):
        runtime.create_graph(graph_id, **({"peer_id": "p"} | options))


def test_names_may_be_as_long_as_the_limits(runtime):
    with runtime.create_graph("g" * 255, peer_id="p" * 255, friendly_name="n" * 255, comment="c" * 511) as graph:
        assert graph.properties.comment == "c" * 511


def test_a_graph_is_created_once(runtime, graph):
    with pytest.raises(peergraph.DuplicateGraph):
        runtime.create_graph("film club", peer_id="alice")
    with pytest.raises(peergraph.DuplicateGraph):
        runtime.open_graph("film club", peer_id="alice")
    with pytest.raises(peergraph.DatabaseError) as caught:
        runtime.open_graph("film club", peer_id="alice", database="another")
    assert caught.value.name == "PEER_E_DBNAME_CHANGED"
    graph.close()
    with pytest.raises(peergraph.DatabaseAlreadyPresent):
        runtime.create_graph("film club", peer_id="alice")


def test_open_says_whether_there_was_anything(runtime, graph):
    with runtime.open_graph("film club", peer_id="bob") as bob:
        assert bob.is_new
        assert bob.status == GraphStatus(0)
    with runtime.open_graph("film club", peer_id="bob") as bob:
        assert bob.is_new  # it was never synchronized
    graph.close()
    with runtime.open_graph("film club", peer_id="alice") as alice:
        assert not alice.is_new
        assert GraphStatus.SYNCHRONIZED not in alice.status or alice.status


def test_a_graph_that_was_never_synchronized_is_not_ready(runtime):
    with runtime.open_graph("g", peer_id="p") as graph:
        for call in (
            lambda: graph.properties,
            lambda: graph.listen(scope=Scope.LOOPBACK),
            lambda: graph.add_record(type=NOTE, lifetime=HOUR),
            lambda: graph.get_record(NOTE),
            lambda: graph.delete_record(NOTE),
            lambda: graph.update_record(NOTE, data=b""),
            lambda: list(graph.records()),
            graph.batch,
        ):
            with pytest.raises(peergraph.GraphNotReady):
                call()
        assert graph.node.id
        assert graph.now()
        graph.events().close()


def test_a_closed_graph_is_dead(runtime, graph):
    graph.close()
    graph.close()
    assert graph.closed
    assert repr(graph) == "<peergraph.Graph closed 'film club' peer='alice'>"
    for call in (
        lambda: graph.status,
        lambda: graph.properties,
        lambda: graph.node,
        graph.now,
        graph.events,
        graph.register_event,
        graph.enum_records,
        graph.begin_batch,
        lambda: graph.listen(scope=Scope.LOOPBACK),
        lambda: graph.connect("127.0.0.1:9"),
        lambda: graph.add_record(type=NOTE, expires=datetime.max.replace(tzinfo=timezone.utc)),
        lambda: graph.get_record(NOTE),
        lambda: graph.delete_record(NOTE),
        lambda: _native.graph_close(graph._handle),
    ):
        with pytest.raises(peergraph.InvalidGraph):
            call()


def test_delete(runtime, graph):
    with pytest.raises(peergraph.GraphInUse):
        runtime.delete_graph("film club", peer_id="alice")
    graph.close()
    runtime.delete_graph("film club", peer_id="alice")
    with pytest.raises(peergraph.DatabaseNotPresent):
        runtime.delete_graph("film club", peer_id="alice")
    with runtime.create_graph("film club", peer_id="alice"):
        pass


def test_databases_have_names(runtime, graph):
    graph.add_record(type=NOTE, data=b"default", lifetime=HOUR)
    graph.close()
    with runtime.create_graph("film club", peer_id="alice", database="second") as second:
        assert not list(second.records())
    runtime.delete_graph("film club", peer_id="alice", database="second")
    with runtime.open_graph("film club", peer_id="alice") as again:
        assert [record.data for record in again.records()] == [b"default"]


def test_a_durable_graph(runtime):
    with runtime.create_graph("g", peer_id="p", durable=True) as graph:
        graph.add_record(type=NOTE, lifetime=HOUR)
    with runtime.open_graph("g", peer_id="p", durable=True) as graph:
        assert len(list(graph.records())) == 1


def test_a_database_in_another_process(tmp_path, runtime):
    script = f"""
import peergraph, sys
with peergraph.open_runtime({str(tmp_path / "one")!r}) as runtime, runtime.create_graph("g", peer_id="p"):
    print("open", flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"open\n"
        for call in (runtime.open_graph, runtime.create_graph, runtime.delete_graph):
            with pytest.raises(peergraph.DatabaseInUse):
                call("g", peer_id="p")
        with pytest.raises(peergraph.DatabaseInUse, match=str(tmp_path / "one")):
            runtime.open_graph("g", peer_id="p")
        other.communicate(timeout=PATIENCE)
    with runtime.open_graph("g", peer_id="p") as graph:
        assert not graph.is_new


def test_a_damaged_database(runtime, graph, tmp_path):
    graph.close()
    (path,) = list((tmp_path / "one").rglob("*.db"))
    path.write_bytes(b"this is not a database, however long it may be." * 1000)
    with pytest.raises(peergraph.InvalidDatabase, match=str(path)):
        runtime.open_graph("film club", peer_id="alice")


def test_this_node(graph):
    node = graph.node
    assert node == graph.get_node_info(0) == graph.get_node_info(node.id)
    assert node.id != 0
    assert node.peer_id == "alice"
    assert node.addresses == ()
    assert graph.address is None
    with pytest.raises(peergraph.NodeNotFound):
        graph.get_node_info(node.id ^ 1)


def test_listen(runtime, graph):
    graph.listen(scope=Scope.LOOPBACK)
    assert GraphStatus.LISTENING in graph.status
    assert graph.address.startswith(("127.0.0.1:", "[::1]:"))
    assert graph.address == graph.node.addresses[0]
    with pytest.raises(peergraph.AlreadyListening):
        graph.listen(scope=Scope.LOOPBACK)


def test_listen_on_a_port_that_is_taken(open_runtime, graph):
    graph.listen(scope=Scope.LOOPBACK)
    port = int(graph.address.rsplit(":", 1)[1])
    other = open_runtime("two").create_graph("h", peer_id="p")
    with other, pytest.raises(peergraph.UnableToListen, match=str(port)):
        other.listen(port, scope=Scope.LOOPBACK)


def test_graphs_of_one_runtime_share_a_port(runtime, graph):
    graph.listen(scope=Scope.LOOPBACK)
    port = int(graph.address.rsplit(":", 1)[1])
    with runtime.create_graph("another", peer_id="alice") as other:
        other.listen(port, scope=Scope.LOOPBACK)
        assert other.address == graph.address


@pytest.mark.parametrize("options", [{"port": 65536}, {"scope": 9}, {"scope": Scope.LINKLOCAL, "scope_id": 0}])
def test_arguments_of_listen(graph, options):
    with pytest.raises(peergraph.InvalidArgument):
        graph.listen(**options)


@pytest.mark.parametrize("address", ["", "nowhere", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "[::1:5", "a b:1"])
def test_arguments_of_connect(graph, address):
    with pytest.raises(peergraph.InvalidArgument):
        graph.connect(address)


def test_connect_to_oneself(graph):
    graph.listen(scope=Scope.LOOPBACK)
    with pytest.raises(peergraph.ConnectSelf):
        graph.connect(graph.address)


def test_time(graph):
    before, peer_time, now = datetime.now(timezone.utc), graph.now(), datetime.now(timezone.utc)
    assert before - timedelta(seconds=1) < peer_time < now + timedelta(seconds=1)
    assert graph.universal_time_to_peer_time(now) == now  # whoever creates a graph sets its clock
    assert graph.peer_time_to_universal_time(now) == now
    east = now.astimezone(timezone(timedelta(hours=5)))
    assert graph.peer_time_to_universal_time(east) == now
    with pytest.raises(peergraph.InvalidArgument, match="time zone"):
        graph.peer_time_to_universal_time(datetime(2026, 11, 21))


def test_precedence(runtime):
    types = [uuid.uuid4() for _ in range(253)]
    with runtime.open_graph("g", peer_id="p", precedence=types):
        pass
    with pytest.raises(peergraph.InvalidArgument):
        runtime.open_graph("g", peer_id="p", precedence=[*types, NOTE])


def test_names_need_not_be_ascii(runtime):
    with runtime.create_graph("Kino/../\\ ünïcode 🎬", peer_id="Ægir:*?") as graph:
        graph.add_record(type=NOTE, lifetime=HOUR)
        assert next(graph.records()).creator_id == "Ægir:*?"
    with runtime.open_graph("Kino/../\\ ünïcode 🎬", peer_id="Ægir:*?") as graph:
        assert len(list(graph.records())) == 1


def test_synchronized_waits_for_the_database(create_graph, open_graph):
    alice, bob = create_graph("alice"), open_graph("bob")
    with pytest.raises(TimeoutError, match=r"'film club' is not synchronized after 0\.05 s"):
        bob.synchronized(0.05)
    bob.connect(alice.address)
    bob.synchronized(PATIENCE)
    assert bob.status & GraphStatus.SYNCHRONIZED
    bob.synchronized(0)


def test_synchronized_ends_with_the_graph(open_graph):
    graph = open_graph("bob")
    closer = threading.Timer(0.1, graph.close)
    closer.start()
    with pytest.raises((peergraph.GraphShuttingDown, peergraph.InvalidGraph)):
        graph.synchronized(PATIENCE)
    closer.join()
