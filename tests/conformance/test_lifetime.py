"""The end of records, and peer time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from conformance.exact import NULL, ffi, gives, lib, record_input
from conformance.worlds import HOUR, NOTE, add, fails, has
from peergraph import RecordChange, RecordChanged, RecordFlag
from peergraph._codes import E_INVALIDARG, PEER_E_RECORD_NOT_FOUND, PEER_OK

MOMENT = timedelta(seconds=1)
PURGE_AFTER = timedelta(seconds=15)
SKEW = 60.0


@pytest.mark.slow
def test_the_end_is_told_to_all(world, pair):
    with pair[0].events(RecordChanged) as at_alice, pair[1].events(RecordChanged) as at_bob:
        record_id = add(pair[0], lifetime=5 * MOMENT)  # so that it arrives before, on a busy machine too
        for graph, events in zip(pair, (at_alice, at_bob), strict=True):
            event = world.next(events, RecordChanged, lambda event: event.change == RecordChange.EXPIRED)
            assert event.record_id == record_id
            with fails(PEER_E_RECORD_NOT_FOUND):
                graph.get_record(record_id)


def test_the_end_comes_in_time(simulator):
    alice, bob = simulator.pair()
    record_id = add(alice, lifetime=HOUR)
    simulator.until(bob, lambda: has(bob, record_id))
    expires = alice.get_record(record_id).expires
    with alice.events(RecordChanged) as at_alice, bob.events(RecordChanged) as at_bob:
        for events in (at_alice, at_bob):
            assert events.get(2 * 3600).change == RecordChange.EXPIRED
            assert expires <= alice.now() <= expires + PURGE_AFTER + MOMENT


def test_what_is_over_is_hidden_at_once(simulator):
    graph = simulator.create()
    record_id = add(graph, lifetime=MOMENT)
    simulator.network.run_for(1.001)
    assert not has(graph, record_id)
    assert list(graph.records()) == []


def test_nothing_ends_without_connections_where_that_is_deferred(simulator):
    graph = simulator.create(listen=True, defer_expiration=True)
    record_id = add(graph, lifetime=HOUR)
    simulator.network.run_for(2 * 3600)
    assert has(graph, record_id)
    with graph.events(RecordChanged) as events:
        simulator.join(simulator.open(), graph)
        event = simulator.next(events, RecordChanged, lambda event: event.change == RecordChange.EXPIRED)
        assert event.record_id == record_id


def test_a_record_that_is_kept_alive(simulator):
    graph = simulator.create()
    given, out = record_input(expires_us=graph._now_us() + 240_000_000), ffi.new("peer_guid *")
    given.view.flags = int(RecordFlag.AUTOREFRESH)
    assert lib.peer_graph_add_record(graph._handle, given.view, out) == PEER_OK
    (record,) = graph.records()
    expirations = [record.expires]
    for _ in range(3):
        simulator.network.run_for(600)
        expirations.append(graph.get_record(record.id).expires)
    assert expirations == sorted(set(expirations))


def test_time_of_a_creator_is_universal_time(graph):
    moment = graph.now()
    assert graph.universal_time_to_peer_time(moment) == moment


def test_the_conversions_are_inverse(pair):
    for graph in pair:
        moment = graph.now()
        assert graph.peer_time_to_universal_time(graph.universal_time_to_peer_time(moment)) == moment
        assert graph.universal_time_to_peer_time(graph.peer_time_to_universal_time(moment)) == moment


def test_time_is_converted_in_place(graph):
    convert = (lib.peer_graph_universal_time_to_peer_time, lib.peer_graph_peer_time_to_universal_time)
    for function in convert:
        variable = ffi.new("int64_t *", 1_700_000_000_000_000)
        assert function(graph._handle, variable[0], variable) == PEER_OK
        assert variable[0] == 1_700_000_000_000_000


def test_time_is_shared(world, pair):
    alice, bob = pair
    before, theirs, after = alice.now(), bob.now(), alice.now()
    assert before - timedelta(seconds=2) < theirs < after + timedelta(seconds=2)


def test_time_is_shared_by_clocks_that_differ(simulator):
    simulator.network.add_host("bob", clock_offset=SKEW)
    alice, bob = simulator.pair()
    assert abs(alice.now() - bob.now()) < timedelta(seconds=2)
    moment = alice.now()
    assert abs(bob.universal_time_to_peer_time(moment + timedelta(seconds=SKEW)) - moment) < timedelta(seconds=2)


def test_time_needs_a_place(graph):
    for function in (lib.peer_graph_universal_time_to_peer_time, lib.peer_graph_peer_time_to_universal_time):
        assert function(graph._handle, 1, NULL) == E_INVALIDARG
        assert gives("int64_t *", lambda out, function=function: function(graph._handle, 1, out)) == PEER_OK


def test_an_expiration_is_peer_time(simulator):
    """Now, converted, plus the lifetime."""
    simulator.network.add_host("bob", clock_offset=SKEW)
    alice, bob = simulator.pair()
    clock = simulator.network.host("bob").clock
    record_id = bob.add_record(type=NOTE, expires=bob.universal_time_to_peer_time(clock) + HOUR)
    simulator.until(alice, lambda: has(alice, record_id))
    record = alice.get_record(record_id)
    assert abs(record.expires - record.created - HOUR) < MOMENT
