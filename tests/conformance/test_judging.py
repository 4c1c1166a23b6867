"""Security data and the judgement of records, in the place of the callbacks of the security interface."""

from __future__ import annotations

from datetime import timedelta

import pytest
from conformance.exact import NULL, ffi, lib, record_input
from conformance.worlds import OTHER, add, fails, has
from peergraph import RecordChange, RecordChanged, Validation, Verdict
from peergraph._codes import E_INVALIDARG, PEER_E_RECORD_NOT_FOUND, PEER_OK


@pytest.fixture
def judged(world):
    """Alice, who writes; bob, who judges; and bob's queue."""
    alice, bob = world.create(listen=True), world.open(judge=True)
    world.join(bob, alice)
    with bob.events(Validation, RecordChanged) as events:
        yield alice, bob, events


def asked(world, events):
    return world.next(events, Validation)


def test_security_data_of_a_new_record(graph):
    with graph.register_event(RecordChanged) as queue:
        record_id = add(graph, security_data=b"signature")
        assert len(queue.get_event_batch()) == 1
    assert graph.get_record(record_id).security_data == b"signature"


def test_security_data_of_changes(world, judged):
    alice, bob, events = judged
    record_id = add(alice, security_data=b"one")
    bob.judge_record(asked(world, events).validation_id, Verdict.ACCEPT)
    alice.update_record(record_id, data=b"new", security_data=b"two")
    question = asked(world, events)
    assert question.change == RecordChange.UPDATED
    assert bob.get_deferred_record(question.validation_id).security_data == b"two"
    bob.judge_record(question.validation_id, Verdict.ACCEPT)
    assert bob.get_record(record_id).security_data == b"two"
    alice.delete_record(record_id, security_data=b"three")
    question = asked(world, events)
    assert question.change == RecordChange.DELETED
    assert bob.get_deferred_record(question.validation_id).security_data == b"three"


def test_what_was_given_is_copied(graph):
    """In the place of the callback that frees security data: it belongs to the caller, as before."""
    data = bytearray(b"signature")
    given, out = record_input(), ffi.new("peer_guid *")
    given.view.security_data, given.view.security_data_size = ffi.from_buffer(data), len(data)
    assert lib.peer_graph_add_record(graph._handle, given.view, out) == PEER_OK
    data[:] = bytes(len(data))
    assert next(graph.records()).security_data == b"signature"


def test_what_the_application_does_not_want_it_does_not_add(graph):
    """In the place of the veto of the callback: a batch that is dropped leaves nothing, and tells nobody."""
    with graph.register_event(RecordChanged) as queue:
        batch = graph.begin_batch()
        add(batch)
        batch.abort()
        assert queue.get_event_data() is None
    assert list(graph.records()) == []


def test_the_receiver_is_asked(world, judged):
    alice, bob, events = judged
    record_id = add(alice, b"content", security_data=b"signature")
    question = asked(world, events)
    assert (question.change, question.record_id) == (RecordChange.ADDED, record_id)
    record = bob.get_deferred_record(question.validation_id)
    assert (record.data, record.security_data, record.creator_id) == (b"content", b"signature", "alice")
    bob.judge_record(question.validation_id, Verdict.ACCEPT)
    told = events.get(world.patience)
    assert (told.change, told.record_id) == (RecordChange.ADDED, record_id)


def test_what_is_rejected_is_not_stored(world, judged):
    alice, bob, events = judged
    record_id = add(alice)
    bob.judge_record(asked(world, events).validation_id, Verdict.REJECT)
    later = add(alice)
    question = asked(world, events)
    assert question.record_id == later
    assert not has(bob, record_id)
    assert has(alice, record_id)


def test_what_is_deferred_is_invisible(world, judged):
    alice, bob, events = judged
    record_id = add(alice)
    question = asked(world, events)
    bob.judge_record(question.validation_id, Verdict.DEFER)
    assert not has(bob, record_id)
    assert list(bob.records()) == []
    bob.validate_deferred_records()
    again = asked(world, events)
    assert again.record_id == record_id
    bob.judge_record(again.validation_id, Verdict.ACCEPT)
    assert has(bob, record_id)
    assert world.next(events, RecordChanged).record_id == record_id


@pytest.fixture
def deferred(world, judged):
    """Two records that bob has deferred."""
    alice, bob, events = judged
    ids = [add(alice), add(alice)]
    for _ in ids:
        bob.judge_record(asked(world, events).validation_id, Verdict.DEFER)
    return bob, events, ids


def test_only_the_listed_ones_are_asked_about_again(deferred):
    bob, events, ids = deferred
    bob.validate_deferred_records([])
    bob.validate_deferred_records([ids[1]])
    assert [event.record_id for event in events.take()] == [ids[1]]


def test_all_are_asked_about_again(deferred):
    bob, events, ids = deferred
    bob.validate_deferred_records()
    assert {event.record_id for event in events.take()} == set(ids)


def test_nothing_is_deferred(world, judged):
    _, bob, events = judged
    bob.validate_deferred_records()
    bob.validate_deferred_records([OTHER])
    assert events.take() == []


def test_a_list_is_required(graph):
    assert lib.peer_graph_validate_deferred_records(graph._handle, 1, NULL) == E_INVALIDARG


def test_a_verdict_is_one_of_three(world, judged):
    alice, bob, events = judged
    add(alice)
    question = asked(world, events)
    assert lib.peer_graph_judge_record(bob._handle, question.validation_id, 7) == E_INVALIDARG
    bob.judge_record(question.validation_id, Verdict.ACCEPT)
    with fails(PEER_E_RECORD_NOT_FOUND):
        bob.judge_record(question.validation_id, Verdict.ACCEPT)


def test_what_expires_while_it_waits_waits_no_more(simulator):
    alice, bob = simulator.create(listen=True), simulator.open(judge=True)
    simulator.join(bob, alice)
    with bob.events(Validation) as events:
        kept = add(alice)
        short = add(alice, lifetime=timedelta(seconds=30))
        questions = {(question := asked(simulator, events)).record_id: question.validation_id for _ in range(2)}
        bob.judge_record(questions[short], Verdict.DEFER)
        bob.get_deferred_record(questions[short])
        simulator.network.run_for(46)
        with fails(PEER_E_RECORD_NOT_FOUND):
            bob.get_deferred_record(questions[short])
        bob.get_deferred_record(questions[kept])
        bob.validate_deferred_records()
        assert [event.record_id for event in events.take()] == [kept]


def test_what_has_expired_holds_nothing_back(simulator):
    """A judge who defers all and forgets it: the connection is read again when that has expired."""
    alice, bob = simulator.create(listen=True), simulator.open(judge=True)
    simulator.join(bob, alice)
    with bob.events(Validation) as events:
        for _ in range(80):
            add(alice, bytes(100_000), lifetime=timedelta(seconds=20))
        simulator.network.run_for(120)
        events.take()
        record_id = add(alice)
        began = simulator.network.now
        assert asked(simulator, events).record_id == record_id
        assert simulator.network.now - began < 1
