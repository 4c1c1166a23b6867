"""Records of one node: add, update, delete, get, enumerate, batches."""

from __future__ import annotations

import threading
import uuid
from datetime import datetime, timedelta, timezone

import peergraph
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from peergraph import Record, RecordFlag, _native
from peergraph.sim import Network
from python.scene import HOUR, NOTE, OTHER, SANITIZED

RESERVED = uuid.UUID("00000100-0000-0000-0000-000000000000")


def test_add_and_get(graph):
    before = graph.now()
    record_id = graph.add_record(type=NOTE, data=b"hello", attributes={"room": "lobby"}, lifetime=HOUR)
    record = graph.get_record(record_id)
    assert isinstance(record_id, uuid.UUID)
    assert (record.id, record.type) == (record_id, NOTE)
    assert record.id is record.id  # made once
    assert (record.data, record.attributes) == (b"hello", {"room": "lobby"})
    assert (record.creator_id, record.modifier_id, record.version) == ("alice", None, 1)
    assert before <= record.created <= graph.now()
    assert record.modified == record.created
    assert HOUR - timedelta(seconds=5) < record.expires - record.created <= HOUR + timedelta(seconds=1)
    assert record.created.tzinfo is timezone.utc
    assert (record.flags, record.security_data) == (0, b"")
    assert repr(record) == (
        f"Record({record_id}, version=1, type={NOTE}, creator='alice', attributes={{'room': 'lobby'}}, 5 bytes)"
    )


def test_expiration_as_a_date(graph):
    expires = graph.now() + HOUR
    assert graph.get_record(graph.add_record(type=NOTE, expires=expires)).expires == expires


@pytest.mark.parametrize("data", [b"", b"\0", b"a\0b", bytearray(b"xy"), memoryview(b"xyz"), bytes(range(256)) * 4000])
def test_data_are_any_bytes(graph, data):
    record = graph.get_record(graph.add_record(type=NOTE, data=data, lifetime=HOUR))
    assert record.data == bytes(data)
    assert not record.attributes
    assert record.attributes_xml is None


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=3000), record_type=st.uuids(), text=st.text("äbc<&>🎬", max_size=20))
def test_what_is_stored_is_read(graph, data, record_type, text):
    record = graph.get_record(
        graph.add_record(type=record_type, data=data, attributes=[("a", text), ("a", 1)], lifetime=HOUR)
    )
    assert (record.data, record.type, record.attributes.getall("a")) == (data, record_type, [text, 1])


def test_what_add_refuses(create_graph):
    graph = create_graph("p", max_record_size=2000, listen=False)
    past = datetime.now(timezone.utc) - HOUR
    with pytest.raises(TypeError):
        graph.add_record(type=NOTE)
    with pytest.raises(TypeError):
        graph.add_record(type=NOTE, lifetime=HOUR, expires=past)
    for lifetime in (timedelta(0), -HOUR, timedelta.min):
        with pytest.raises(peergraph.InvalidRecordExpiration):
            graph.add_record(type=NOTE, lifetime=lifetime)
    with pytest.raises(peergraph.InvalidRecordExpiration):
        graph.add_record(type=NOTE, expires=past)
    with pytest.raises(peergraph.MaxRecordSizeExceeded):
        graph.add_record(type=NOTE, data=bytes(2001), lifetime=HOUR)
    with pytest.raises(peergraph.InvalidAttributes):
        graph.add_record(type=NOTE, attributes={"a_b": "x"}, lifetime=HOUR)
    with pytest.raises(peergraph.NotAuthorized):
        graph.add_record(type=RESERVED, lifetime=HOUR)
    bad = _native.RecordInput(NOTE.bytes, b"", "<attributes", 1 << 60)
    with pytest.raises(peergraph.InvalidAttributes):
        _native.graph_add_record(graph._handle, bad)
    assert not list(graph.records())


def test_a_record_may_live_very_long(graph):
    record = graph.get_record(graph.add_record(type=NOTE, lifetime=timedelta.max))
    assert record.expires == datetime.max.replace(tzinfo=timezone.utc)  # clamped: datetime holds no more
    assert record.expires_us > 0


def test_update_keeps_what_is_not_given(graph):
    record_id = graph.add_record(type=NOTE, data=b"1", attributes={"a": 1}, lifetime=HOUR)
    first = graph.get_record(record_id)
    graph.update_record(record_id, data=b"2")
    second = graph.get_record(record_id)
    assert (second.data, second.attributes, second.expires) == (b"2", {"a": 1}, first.expires)
    assert (second.version, second.modifier_id, second.created) == (2, "alice", first.created)
    assert second.modified >= first.modified
    graph.update_record(second, attributes={"b": "x"})
    third = graph.get_record(record_id)
    assert (third.data, third.attributes, third.version) == (b"2", {"b": "x"}, 3)
    graph.update_record(third, lifetime=2 * HOUR)
    fourth = graph.get_record(record_id)
    assert (fourth.data, fourth.attributes) == (b"2", {"b": "x"})
    assert fourth.expires > first.expires
    graph.update_record(fourth, data=b"", attributes=None)
    fifth = graph.get_record(record_id)
    assert (fifth.data, dict(fifth.attributes), fifth.expires) == (b"", {}, fourth.expires)
    assert first != second
    assert graph.get_record(record_id) == fifth
    assert "modifier='alice'" in repr(fifth)


def test_autorefresh_stays_until_it_is_ended(graph):
    def flags() -> RecordFlag:
        return graph.get_record(record_id).flags

    record_id = graph.add_record(type=NOTE, lifetime=HOUR)
    assert flags() == 0
    graph.update_record(record_id, autorefresh=True)
    assert flags() == RecordFlag.AUTOREFRESH
    record_id = graph.add_record(type=NOTE, lifetime=HOUR, autorefresh=True)
    early = graph.get_record(record_id)
    assert early.flags == RecordFlag.AUTOREFRESH
    graph.update_record(record_id, data=b"1")
    assert flags() == RecordFlag.AUTOREFRESH
    graph.update_record(early, data=b"2", attributes=None)
    assert flags() == RecordFlag.AUTOREFRESH
    graph.update_record(early, data=b"3", attributes=None, autorefresh=False)
    assert (flags(), graph.get_record(record_id).data) == (0, b"3")
    graph.update_record(early, data=b"4", attributes=None)  # it says what it was
    assert flags() == 0
    with graph.batch() as batch:
        batch.update_record(record_id, autorefresh=True)
        batch.update_record(record_id, data=b"5")
        other = batch.add_record(type=NOTE, lifetime=HOUR, autorefresh=True)
        batch.update_record(other, autorefresh=False)
    assert (flags(), graph.get_record(record_id).data) == (RecordFlag.AUTOREFRESH, b"5")
    assert graph.get_record(other).flags == 0


def test_what_is_prolonged_outlives_its_time():
    with Network(3) as network:
        graph = network.add_host("alice").runtime.create_graph("g", peer_id="alice")
        kept, ended, plain = (
            graph.add_record(type=NOTE, lifetime=HOUR, autorefresh=autorefresh) for autorefresh in (True, True, False)
        )
        graph.update_record(ended, autorefresh=False)
        network.run_for(5 * HOUR.total_seconds())
        assert [record.id for record in graph.records()] == [kept]
        assert plain != ended


def test_what_update_refuses(graph):
    record_id = graph.add_record(type=NOTE, lifetime=HOUR)
    with pytest.raises(peergraph.InvalidRecordExpiration):
        graph.update_record(record_id, lifetime=HOUR / 2)
    with pytest.raises(peergraph.RecordNotFound):
        graph.update_record(uuid.uuid4(), data=b"")
    with pytest.raises(TypeError):
        graph.update_record("something", data=b"")
    other = _native.RecordInput(OTHER.bytes, b"", None, 0, record_id.bytes)
    with pytest.raises(peergraph.InvalidRecord):
        _native.graph_update_record(graph._handle, other)
    assert graph.get_record(record_id).version == 1


def test_delete(graph):
    record_id = graph.add_record(type=NOTE, lifetime=HOUR)
    graph.delete_record(graph.get_record(record_id))
    for call in (
        lambda: graph.get_record(record_id),
        lambda: graph.delete_record(record_id),
        lambda: graph.update_record(record_id, data=b""),
    ):
        with pytest.raises(peergraph.RecordNotFound, match=str(record_id)):
            call()
    assert not list(graph.records())
    with pytest.raises(KeyError):
        graph.get_record(record_id)
    with pytest.raises(peergraph.InvalidArgument):  # only where the application judges records
        _native.graph_delete_record(graph._handle, graph.add_record(type=NOTE, lifetime=HOUR).bytes, 1)


def test_records_survive(runtime, graph):
    ids = {graph.add_record(type=NOTE, data=b"%d" % i, lifetime=HOUR) for i in range(100)}
    graph.close()
    with runtime.open_graph("film club", peer_id="alice") as again:
        assert {record.id for record in again.records()} == ids


def test_enumerate(graph):
    notes = [graph.add_record(type=NOTE, data=b"%d" % i, lifetime=HOUR) for i in range(600)]
    others = [graph.add_record(type=OTHER, lifetime=HOUR) for _ in range(3)]
    assert {record.id for record in graph.records()} == {*notes, *others}
    assert {record.id for record in graph.records(NOTE)} == set(notes)
    assert {record.id for record in graph.records(OTHER, "alice")} == set(others)
    assert list(graph.records(creator_id="nobody")) == []
    assert list(graph.records(uuid.uuid4())) == []
    assert sorted(int(record.data) for record in graph.records(NOTE)) == list(range(600))


def test_an_enumeration_is_what_was_there(graph):
    ids = [graph.add_record(type=NOTE, lifetime=HOUR) for _ in range(10)]
    with graph.enum_records(NOTE) as enumeration:
        assert enumeration.get_item_count() == 10
        (first,) = enumeration.get_next_item(1)
        gone = next(each for each in ids if each != first.id)
        graph.delete_record(gone)
        graph.add_record(type=NOTE, lifetime=HOUR)
        rest = enumeration.get_next_item(100)
        assert {first.id, *(record.id for record in rest)} == set(ids) - {gone}
        assert enumeration.get_next_item(100) == []
    enumeration.end_enumeration()
    assert isinstance(first, Record)
    assert first.type == NOTE
    with pytest.raises(peergraph.InvalidArgument):
        enumeration.get_next_item()
    with pytest.raises(peergraph.InvalidArgument):
        enumeration.get_item_count()


def test_an_enumeration_while_others_write(graph):
    """What is there all the time is found, once, however much comes, changes and goes meanwhile."""
    stable = {graph.add_record(type=NOTE, lifetime=HOUR) for _ in range(300)}
    changed = [graph.add_record(type=NOTE, lifetime=HOUR) for _ in range(300)]
    for _ in range(5):
        with graph.batch() as batch:
            for _ in range(1000):
                batch.add_record(type=OTHER, lifetime=HOUR)
    stop = threading.Event()

    def write():
        while not stop.is_set():
            with graph.batch() as batch:
                for record_id in changed[::7]:
                    batch.update_record(record_id, data=b"x", attributes=None)
                added = batch.add_record(type=NOTE, lifetime=HOUR)
            graph.delete_record(added)
            changed.append(changed.pop(0))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(4 if SANITIZED else 30):
            with graph.enum_records() as enumeration:
                count = enumeration.get_item_count()
                ids = []
                while records := enumeration.get_next_item(1000):
                    ids += [record.id for record in records]
            assert len(ids) == len(set(ids))
            assert {*stable, *changed} <= set(ids)
            assert 5600 <= len(ids) <= count <= 5601
    finally:
        stop.set()
        writer.join()


def test_both_ways_to_fetch_give_the_same(graph):
    for i in range(20):
        graph.add_record(type=NOTE, data=bytes(i), attributes={"i": i}, lifetime=HOUR)
    handles = [_native.graph_enum_records(graph._handle, None, None) for _ in range(2)]
    assert _native.get_next_item(handles[0], 100) == _native.get_item_views(handles[1], 100)
    assert _native.get_next_item(handles[0], 100) == _native.get_item_views(handles[1], 100) == []
    with pytest.raises(peergraph.InvalidArgument):
        _native.get_next_item(handles[0], 0)
    for handle in handles:
        _native.end_enumeration(handle)


def test_an_iteration_may_be_left(graph):
    for _ in range(10):
        graph.add_record(type=NOTE, lifetime=HOUR)
    for _ in graph.records():
        break


def test_a_forgotten_enumeration_warns(graph):
    with pytest.warns(ResourceWarning, match="RecordEnumeration"):
        graph.enum_records()


def test_an_enumeration_ends_with_its_graph(graph):
    graph.add_record(type=NOTE, lifetime=HOUR)
    enumeration = graph.enum_records()
    graph.close()
    with pytest.raises(peergraph.InvalidArgument):
        enumeration.get_next_item()
    enumeration.close()


@pytest.mark.parametrize(
    "make", [lambda graph: graph.enum_records(), lambda graph: graph.begin_batch()], ids=["enumeration", "batch"]
)
def test_closing_what_another_thread_ends_with_its_graph(graph, monkeypatch, make):
    """The graph is closed after the look whether it was, and before the call."""
    with make(graph) as thing:
        monkeypatch.setattr(type(thing), "_is_gone", lambda self: graph.close())
        getattr(thing, "abort", thing._close)()


def test_large_records_come_in_parts(runtime):
    with runtime.create_graph("g", peer_id="p", max_record_size=20 << 20) as graph:
        for i in range(4):
            graph.add_record(type=NOTE, data=bytes([i]) * (7 << 20), lifetime=HOUR)
        assert sorted(record.data[0] for record in graph.records()) == [0, 1, 2, 3]


# -- batches -----------------------------------------------------------------------------------------------------------


def test_a_batch_is_one_change(graph):
    old = graph.add_record(type=NOTE, data=b"old", lifetime=HOUR)
    gone = graph.add_record(type=NOTE, data=b"gone", lifetime=HOUR)
    with graph.batch() as batch:
        new = batch.add_record(type=NOTE, data=b"new", attributes={"a": 1}, lifetime=HOUR)
        batch.update_record(new, data=b"newer")
        batch.update_record(old, data=b"older")
        batch.delete_record(gone)
        assert not batch.closed
        assert {record.data for record in graph.records()} == {b"old", b"gone"}  # nothing is visible yet
    assert batch.closed
    assert {record.data for record in graph.records()} == {b"newer", b"older"}
    assert graph.get_record(new).attributes == {"a": 1}


def test_an_exception_aborts_a_batch(graph):
    def fail():
        with graph.batch() as batch:
            batch.add_record(type=NOTE, lifetime=HOUR)
            raise LookupError("on purpose")

    with pytest.raises(LookupError, match="on purpose"):
        fail()
    assert not list(graph.records())


def test_a_batch_by_hand(graph):
    batch = graph.begin_batch()
    batch.add_record(type=NOTE, lifetime=HOUR)
    batch.commit()
    assert len(list(graph.records())) == 1
    with pytest.raises(peergraph.InvalidArgument):
        batch.commit()
    with pytest.raises(peergraph.InvalidArgument):
        batch.add_record(type=NOTE, lifetime=HOUR)
    batch.abort()
    batch = graph.begin_batch()
    batch.abort()
    with pytest.raises(peergraph.InvalidArgument):
        _native.batch_abort(batch._handle)


def test_a_batch_checks_each_change_at_once(graph):
    with graph.batch() as batch:
        with pytest.raises(peergraph.InvalidRecordExpiration):
            batch.add_record(type=NOTE, lifetime=-HOUR)
        with pytest.raises(peergraph.InvalidAttributes):
            batch.add_record(type=NOTE, attributes={"-": 1}, lifetime=HOUR)
        with pytest.raises(peergraph.NotAuthorized):
            batch.add_record(type=RESERVED, lifetime=HOUR)
        batch.add_record(type=NOTE, lifetime=HOUR)
    assert len(list(graph.records())) == 1


def test_all_or_nothing(graph):
    gone = graph.add_record(type=NOTE, lifetime=HOUR)
    batch = graph.begin_batch()
    batch.add_record(type=NOTE, lifetime=HOUR)
    batch.delete_record(gone)
    graph.delete_record(gone)
    with pytest.raises(peergraph.RecordNotFound):
        batch.commit()
    assert batch.closed
    assert not list(graph.records())


def test_a_batch_has_a_limit(graph):
    with graph.batch() as batch:
        for _ in range(1024):
            batch.add_record(type=NOTE, lifetime=HOUR)
        with pytest.raises(peergraph.InvalidArgument):
            batch.add_record(type=NOTE, lifetime=HOUR)
    assert len(list(graph.records())) == 1024


def test_a_forgotten_batch_warns_and_does_nothing(graph):
    with pytest.warns(ResourceWarning, match="unclosed <peergraph.Batch of 'film club'>"):
        graph.batch().add_record(type=NOTE, lifetime=HOUR)
    assert not list(graph.records())


def test_a_batch_ends_with_its_graph(graph):
    batch = graph.begin_batch()
    graph.close()
    with pytest.raises(peergraph.PeerError):
        batch.add_record(type=NOTE, expires=datetime.max.replace(tzinfo=timezone.utc))
    batch.abort()
