"""Direct connections and data by the functions as they are, and as streams without a loop; on sockets."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from uuid import UUID

import peergraph
import pytest
from peergraph import (
    ConnectionFlag,
    ConnectionNotFound,
    ConnectionStatus,
    DirectConnection,
    IncomingData,
    InvalidArgument,
    InvalidGraph,
    NeighbourConnection,
    OutboxFull,
    Overflow,
    Scope,
    Writable,
)
from python.scene import HOUR, NOTE, PATIENCE, join, wait_for

MIB = 1 << 20
PING = UUID("0ccbb0d2-be41-4bd6-914b-058ec5dcce64")
UNKNOWN = 1 << 50


def status(wanted: ConnectionStatus, connection_id: int | None = None):
    return lambda event: (
        isinstance(event, DirectConnection) and event.status == wanted and connection_id in (None, event.connection_id)
    )


def data(event) -> bool:
    return isinstance(event, IncomingData)


def is_writable(event) -> bool:
    return isinstance(event, Writable)


@contextlib.contextmanager
def connected(alice, bob):
    """Queues of both, and the connection's id at either end; bob has opened it."""
    with alice.events(DirectConnection, IncomingData) as theirs, bob.events(DirectConnection, IncomingData) as ours:
        connection_id = bob.open_direct_connection("alice", alice.address)
        up = wait_for(theirs, status(ConnectionStatus.CONNECTED))
        made = wait_for(ours, status(ConnectionStatus.CONNECTED))
        assert made.connection_id == connection_id
        assert (up.peer_id, up.node_id) == ("bob", bob.node.id)
        assert (made.peer_id, made.node_id) == ("alice", alice.node.id)
        yield theirs, up.connection_id, ours, connection_id


def fill(graph, connection_id: int, block: bytes) -> int:
    """Sends up to the first refusal."""
    for count in range(10000):
        try:
            graph.send_data(connection_id, NOTE, block)
        except OutboxFull:
            return count
    raise AssertionError("it never is full")


def send(graph, events, connection_id: int, count: int) -> None:
    """Sends messages of 64 KiB, and waits where the outbox is full."""
    while count:
        try:
            graph.send_data(connection_id, NOTE, bytes(65536))
            count -= 1
        except OutboxFull:
            wait_for(events, is_writable)


def test_opening_sending_and_closing(pair):
    alice, bob = pair
    with connected(alice, bob) as (theirs, id_there, ours, id_here):
        assert [info.kind for info in alice.connections(ConnectionFlag.DIRECT)] == [ConnectionFlag.DIRECT]
        for number in range(100):
            bob.send_data(id_here, NOTE, str(number).encode())
            alice.send_data(id_there, NOTE, memoryview(str(number).encode()))
        for number in range(100):
            for events, connection_id in ((theirs, id_there), (ours, id_here)):
                event = wait_for(events, data)
                assert (event.connection_id, event.data_type) == (connection_id, NOTE)
                assert event.data == str(number).encode()
        alice.close_direct_connection(id_there)
        for events, connection_id in ((theirs, id_there), (ours, id_here)):
            event = wait_for(events, status(ConnectionStatus.DISCONNECTED, connection_id))
            assert (event.reason, event.error) == (0, None)
        for graph, connection_id in ((alice, id_there), (bob, id_here)):
            with pytest.raises(ConnectionNotFound):
                graph.close_direct_connection(connection_id)
            with pytest.raises(ConnectionNotFound):
                graph.send_data(connection_id, NOTE, b"late")
            with pytest.raises(ConnectionNotFound):
                graph.pause_direct_connection(connection_id, True)


def test_what_a_program_may_get_wrong(pair):
    alice, bob = pair
    neighbour = bob.connections(ConnectionFlag.NEIGHBOR)[0].id
    with pytest.raises(ConnectionNotFound):
        bob.close_direct_connection(neighbour)
    with pytest.raises(ConnectionNotFound):
        bob.pause_direct_connection(neighbour, True)
    for call in (bob.close_direct_connection, lambda each: bob.send_data(each, NOTE, b""), _pause(bob)):
        for unknown in (0, UNKNOWN, (1 << 64) - 1):
            with pytest.raises(ConnectionNotFound):
                call(unknown)
        with pytest.raises(ValueError, match="connection_id"):
            call(-1)
    with pytest.raises(TypeError):
        bob.send_data(neighbour, "type", b"")
    with pytest.raises(InvalidArgument, match="reserved"):
        bob.send_data(neighbour, PING, b"")
    with pytest.raises(InvalidArgument, match="1048577"):
        bob.send_data(neighbour, NOTE, bytes(MIB + 1))
    for peer_id, address in (("", alice.address), ("a" * 256, alice.address), ("alice", ""), ("alice", "nowhere")):
        with pytest.raises(InvalidArgument):
            bob.open_direct_connection(peer_id, address)
    bob.close()
    with pytest.raises(InvalidGraph):
        bob.open_direct_connection("alice", alice.address)
    with pytest.raises(InvalidGraph):
        bob.send_data(1, NOTE, b"")
    with pytest.raises(InvalidGraph):
        bob.close_direct_connection(1)
    with pytest.raises(InvalidGraph):
        bob.pause_direct_connection(1, True)


def _pause(graph):
    return lambda connection_id: graph.pause_direct_connection(connection_id, True)


def test_sending_before_it_is_up(pair):
    """The id is good for closing only."""
    alice, bob = pair
    with alice.events(DirectConnection), bob.events(DirectConnection) as ours:
        connection_id = bob.open_direct_connection("alice", alice.address)
        with contextlib.suppress(ConnectionNotFound):  # unless it is up already
            bob.send_data(connection_id, NOTE, b"too early")
        wait_for(ours, status(ConnectionStatus.CONNECTED, connection_id))
        bob.send_data(connection_id, NOTE, b"now")
        with socket.create_server(("127.0.0.1", 0)) as silent:
            hanging = bob.open_direct_connection("alice", f"127.0.0.1:{silent.getsockname()[1]}")
            with pytest.raises(ConnectionNotFound):
                bob.send_data(hanging, NOTE, b"too early")
            bob.close_direct_connection(hanging)
            assert wait_for(ours, status(ConnectionStatus.FAILED, hanging)).next_connection_id == 0
        with pytest.raises(ConnectionNotFound):
            bob.close_direct_connection(hanging)


def test_closing_inside_the_handling_of_data_leaves_the_data_valid(pair):
    alice, bob = pair
    with connected(alice, bob) as (theirs, id_there, ours, id_here):
        bob.send_data(id_here, NOTE, b"hello" * 1000)
        event = wait_for(theirs, data)
        alice.close_direct_connection(event.connection_id)
        assert event.data == b"hello" * 1000
        assert event.connection_id == id_there
        wait_for(theirs, status(ConnectionStatus.DISCONNECTED))
        wait_for(ours, status(ConnectionStatus.DISCONNECTED, id_here))


def test_a_full_outbox_says_so_and_then_that_it_is_not(pair):
    """Also to a queue that is registered for other events only."""
    alice, bob = pair
    block = bytes(65536)
    with connected(alice, bob) as (theirs, id_there, ours, id_here):
        alice.pause_direct_connection(id_there, True)
        sent = fill(bob, id_here, block)
        assert not [event for event in ours.take() if isinstance(event, Writable)]
        alice.pause_direct_connection(id_there, False)
        received = 0
        while received < sent:
            assert wait_for(theirs, data).data == block
            received += 1
        assert wait_for(ours, is_writable).connection_id == id_here
        bob.send_data(id_here, NOTE, b"again")
        assert wait_for(theirs, data).data == b"again"


def test_a_paused_connection_hears_of_the_end_after_the_data(pair):
    alice, bob = pair
    with connected(alice, bob) as (theirs, id_there, _, id_here):
        alice.pause_direct_connection(id_there, True)
        sent = fill(bob, id_here, bytes(65536))
        bob.close_direct_connection(id_here)
        alice.pause_direct_connection(id_there, False)
        for _ in range(sent):
            wait_for(theirs, data)
        event = theirs.get(PATIENCE)
        assert isinstance(event, DirectConnection)
        assert (event.status, event.reason) == (ConnectionStatus.DISCONNECTED, 0)


def test_a_full_queue_stops_every_direct_connection(pair):
    """What waits in a queue stays small however many connections fill it; and nothing is lost."""
    alice, bob = pair
    block = bytes(256 * 1024)
    with alice.register_event(DirectConnection, IncomingData) as full, bob.events(DirectConnection) as ours:
        ids = [bob.open_direct_connection("alice", alice.address) for _ in range(12)]
        for _ in ids:
            wait_for(ours, status(ConnectionStatus.CONNECTED))
        sent = sum(fill(bob, connection_id, block) for connection_id in ids)
        taken = most = 0
        while taken < sent:
            assert full.wait(PATIENCE)
            batch = [event for event in full.get_event_batch() if data(event)]
            most = max(most, len(batch))
            taken += len(batch)
        assert taken == sent
        assert most <= 10


def test_a_full_queue_outlives_its_runtime(open_runtime, pair):
    """It is emptied when there is nobody left to be told."""
    alice, bob = pair
    with connected(alice, bob) as (theirs, _, ours, id_here), alice.register_event(IncomingData) as full:
        send(bob, ours, id_here, 16)
        for _ in range(16):  # so many make a queue full
            wait_for(theirs, data)
        alice._runtime.close()
        count = 0
        while (event := full.get_event_data()) is not None and not isinstance(event, peergraph.Closed):
            count += 1
        assert count >= 16


def test_unregistering_a_full_queue_lets_the_others_go_on(pair):
    alice, bob = pair
    with connected(alice, bob) as (theirs, _, _, id_here):
        slow = alice.register_event(IncomingData)
        sent = fill(bob, id_here, bytes(65536))
        slow.unregister_event()
        for _ in range(sent):
            wait_for(theirs, data)


def test_data_without_a_reader_is_dropped(pair):
    """As the reference says: who is not registered for it gets none, and nobody is held back."""
    alice, bob = pair
    with alice.events(DirectConnection) as theirs, bob.events(DirectConnection, IncomingData) as ours:
        id_here = bob.open_direct_connection("alice", alice.address)
        id_there = wait_for(theirs, status(ConnectionStatus.CONNECTED)).connection_id
        wait_for(ours, status(ConnectionStatus.CONNECTED))
        send(bob, ours, id_here, 300)
        alice.send_data(id_there, NOTE, b"still there")
        assert wait_for(ours, data).data == b"still there"


def test_neighbour_data_is_counted_where_it_is_lost(pair):
    alice, bob = pair
    neighbour = bob.connections(ConnectionFlag.NEIGHBOR)[0].id
    with alice.events(IncomingData) as theirs, bob.events(NeighbourConnection) as ours:
        bob.send_data(neighbour, NOTE, b"")
        assert wait_for(theirs, data).data == b""
        bob.send_data(neighbour, NOTE, bytes(MIB))
        assert len(wait_for(theirs, data).data) == MIB
        sent = 100
        send(bob, ours, neighbour, sent)
        bob.add_record(type=NOTE, data=b"after it", lifetime=HOUR)
        with alice.events(peergraph.RecordChanged) as records:
            while not list(alice.records()):
                records.get(PATIENCE)
        received = lost = 0
        while received + lost < sent:
            event = theirs.get(PATIENCE)
            received += data(event)
            lost += event.lost if isinstance(event, Overflow) else 0
        assert received + lost == sent
        assert lost > 0
        bob.send_data(neighbour, NOTE, b"the next")
        assert wait_for(theirs, data).data == b"the next"


def test_data_that_nobody_wants_is_counted_too(pair):
    alice, bob = pair
    neighbour = bob.connections(ConnectionFlag.NEIGHBOR)[0].id
    with alice.events(peergraph.RecordChanged) as records:
        bob.send_data(neighbour, NOTE, b"to nobody")
        bob.add_record(type=NOTE, data=b"after it", lifetime=HOUR)
        records.get(PATIENCE)
    assert [info.lost for info in alice.connections()] == [1]
    with connected(alice, bob) as (theirs, _, _, id_here):
        bob.send_data(id_here, NOTE, b"to somebody")
        assert wait_for(theirs, data).data == b"to somebody"
        assert [info.lost for info in alice.connections(ConnectionFlag.DIRECT)] == [0]
        assert [info.lost for info in bob.connections()] == [0, 0]


def test_both_sides_in_one_process_and_two_peers_at_one_port(open_runtime):
    """The peer id says who is meant."""
    with (
        open_runtime("host").create_graph("film club", peer_id="alice") as alice,
        alice._runtime.open_graph("film club", peer_id="carol") as carol,
        open_runtime("other").open_graph("film club", peer_id="bob") as bob,
    ):
        alice.listen(scope=Scope.LOOPBACK)
        port = int(alice.address.rpartition(":")[2])
        join(carol, alice)
        carol.listen(port, scope=Scope.LOOPBACK)
        join(bob, alice)
        assert alice.address == carol.address
        with alice.direct() as first, carol.direct() as second, bob.direct() as ours:
            one = ours.connect("alice", alice.address, timeout=PATIENCE)
            two = ours.connect("carol", carol.address, timeout=PATIENCE)
            between = second.connect("alice", alice.address, timeout=PATIENCE)
            one.write(b"to alice")
            two.write(b"to carol")
            between.write(b"from carol")
            heard = {first.accept(PATIENCE).peer_id: None for _ in range(2)}
            assert set(heard) == {"bob", "carol"}
            assert second.accept(PATIENCE).read(PATIENCE) == b"to carol"
            with pytest.raises(peergraph.ConnectSelf):
                first.connect("alice", alice.address)


# -- streams without a loop --------------------------------------------------------------------------------------------


def test_streams_in_several_threads(pair):
    alice, bob = pair
    with alice.direct() as theirs, bob.direct() as ours:

        def echo() -> None:
            for channel in theirs:
                threading.Thread(target=answer, args=(channel,)).start()

        def answer(channel) -> None:
            with channel:
                for message in channel:
                    channel.write(message)

        failures = []

        def ask(number: int) -> None:
            try:
                with ours.connect("alice", alice.address, timeout=PATIENCE) as channel:
                    for turn in range(20):
                        message = bytes([number, turn]) * 50_000
                        channel.write(message)
                        assert channel.read(PATIENCE) == message
            except BaseException as error:
                failures.append(error)

        accepting = threading.Thread(target=echo)
        accepting.start()
        asking = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join()
        assert not failures
        theirs.close()
        accepting.join()


def write_for_ever(channel) -> None:
    while True:
        channel.write(bytes(65536), timeout=0.2)


def test_a_stream_in_one_thread(pair):
    alice, bob = pair
    with alice.direct() as theirs, bob.direct() as ours:
        channel = ours.connect("alice", alice.address)
        accepted = theirs.accept(PATIENCE)
        with pytest.raises(TimeoutError, match=r"no message within 0\.01 s"):
            accepted.read(0.01)
        with pytest.raises(TimeoutError, match="no room"):
            write_for_ever(channel)
        channel.close()
        assert sum(len(message) for message in accepted) > MIB
        assert accepted.read() is None
        with pytest.raises(TimeoutError):
            theirs.accept(0)
        heard = queue.SimpleQueue()

        def listen() -> None:
            channel = ours.connect("alice", alice.address)
            heard.put(channel.read())
            heard.put(channel.read())

        thread = threading.Thread(target=listen)
        thread.start()
        accepted = theirs.accept(PATIENCE)
        accepted.write(b"hello")
        assert heard.get(timeout=PATIENCE) == b"hello"
        ours.close()
        assert heard.get(timeout=PATIENCE) is None
        thread.join()
        assert accepted.read(PATIENCE) is None
        with pytest.raises(ValueError, match="closed"):
            ours.accept()
