"""Graphs whose application judges the records of others."""

from __future__ import annotations

import datetime as dt

import peergraph
import pytest
from peergraph import GraphStatus, Overflow, RecordChange, RecordChanged, Validation, Verdict
from peergraph.sim import MessageType, Network
from python.scene import HOUR, NOTE, OTHER

HALF_A_MINUTE = 30.0
"""A connection whose records nobody judges is held back so long."""


@pytest.fixture
def network():
    with Network(5) as network:
        yield network


@pytest.fixture
def pair(network):
    """Alice writes, bob judges; bob is synchronized."""
    alice, bob = network.add_hosts("alice", "bob")
    first = alice.runtime.create_graph("g", peer_id="alice")
    first.listen(5000)
    second = bob.runtime.open_graph("g", peer_id="bob", judge=True)
    second.connect("alice:5000", timeout=60)
    second.synchronized(timeout=60)
    return first, second


def add(graph, data=b"text", security_data=b""):
    return graph.add_record(type=NOTE, data=data, lifetime=HOUR, security_data=security_data)


def has(graph, record_id):
    try:
        graph.get_record(record_id)
    except peergraph.RecordNotFound:
        return False
    return True


# -- verdicts ----------------------------------------------------------------------------------------------------------


def test_a_record_is_taken_when_it_is_accepted(network, pair):
    first, second = pair
    with second.events(Validation, RecordChanged) as events:
        record_id = add(first, b"signed", b"by alice")
        asked = events.get(timeout=10)
        assert isinstance(asked, Validation)
        assert (asked.change, asked.record_id, asked.record_type) == (RecordChange.ADDED, record_id, NOTE)
        assert not has(second, record_id)
        record = second.get_deferred_record(asked.validation_id)
        assert (record.data, record.security_data, record.creator_id) == (b"signed", b"by alice", "alice")
        second.judge_record(asked.validation_id, Verdict.ACCEPT)
        told = events.get(timeout=10)
        assert isinstance(told, RecordChanged)
        assert told.record.security_data == b"by alice"
        with pytest.raises(peergraph.RecordNotFound, match=str(asked.validation_id)):
            second.judge_record(asked.validation_id, Verdict.ACCEPT)
        with pytest.raises(peergraph.RecordNotFound):
            second.get_deferred_record(asked.validation_id)


def test_what_is_rejected_never_appears(network, pair):
    first, second = pair
    with second.events(Validation, RecordChanged) as events:
        record_id = add(first)
        second.judge_record(events.get(timeout=10).validation_id, Verdict.REJECT)
        network.run_for(60)
        assert events.take() == []
        assert not has(second, record_id)
        assert has(first, record_id)
        assert second.status & GraphStatus.SYNCHRONIZED


def test_updates_and_deletions_are_judged_too(network, pair):
    first, second = pair
    with second.events(Validation) as events:
        record_id = add(first, b"one")
        second.judge_record(events.get(timeout=10).validation_id, Verdict.ACCEPT)
        first.update_record(record_id, data=b"two", security_data=b"again")
        asked = events.get(timeout=10)
        assert asked.change == RecordChange.UPDATED
        assert second.get_deferred_record(asked.validation_id).security_data == b"again"
        second.judge_record(asked.validation_id, Verdict.REJECT)
        assert second.get_record(record_id).data == b"one"
        first.delete_record(record_id, security_data=b"the end")
        asked = events.get(timeout=10)
        assert asked.change == RecordChange.DELETED
        assert second.get_deferred_record(asked.validation_id).security_data == b"the end"
        second.judge_record(asked.validation_id, Verdict.ACCEPT)
        assert not has(second, record_id)


def test_what_is_deferred_is_asked_about_again(network, pair):
    first, second = pair
    with second.events(Validation) as events:
        one, two = add(first, b"one"), add(first, b"two")
        asked = {event.record_id: event for event in (events.get(timeout=10), events.get(timeout=10))}
        assert set(asked) == {one, two}
        for event in asked.values():
            second.judge_record(event.validation_id, Verdict.DEFER)
        network.run_for(60)
        assert events.take() == []
        second.validate_deferred_records([two])
        assert [event.record_id for event in events.take()] == [two]
        second.validate_deferred_records()
        assert {event.record_id for event in events.take()} == {one, two}
        second.validate_deferred_records([OTHER])
        assert events.take() == []
        second.judge_record(asked[one].validation_id, Verdict.ACCEPT)
        assert has(second, one)
        assert not has(second, two)


def test_what_was_rejected_is_asked_about_again_when_it_is_named(network, pair):
    first, second = pair
    with second.events(Validation) as events:
        record_id = add(first)
        second.judge_record(events.get(timeout=10).validation_id, Verdict.REJECT)
        for _ in range(3):
            network.hosts[1].reset_connections()
            network.run_for(60)
            network.run_until(lambda: second.status & GraphStatus.SYNCHRONIZED, timeout=300)
        network.run_for(60)
        second.validate_deferred_records()  # which is about what waits
        assert events.take() == []
        assert second.status & GraphStatus.SYNCHRONIZED
        second.validate_deferred_records([OTHER, record_id])
        assert not second.status & GraphStatus.SYNCHRONIZED
        asked = events.get(timeout=60)
        assert asked.record_id == record_id
        second.judge_record(asked.validation_id, Verdict.ACCEPT)
        network.run_until(lambda: second.status & GraphStatus.SYNCHRONIZED, timeout=60)
        assert has(second, record_id)


def test_a_newer_version_of_what_was_rejected_is_asked_about(network, pair):
    first, second = pair
    with second.events(Validation) as events:
        record_id = add(first, b"one")
        second.judge_record(events.get(timeout=10).validation_id, Verdict.REJECT)
        first.update_record(record_id, data=b"two")
        asked = events.get(timeout=10)
        assert second.get_deferred_record(asked.validation_id).data == b"two"
        second.judge_record(asked.validation_id, Verdict.ACCEPT)
        assert second.get_record(record_id).data == b"two"
        assert events.take() == []


def test_own_changes_are_not_judged(network, pair):
    _, second = pair
    with second.events(Validation) as events:
        record_id = add(second, security_data=b"my own")
        second.update_record(record_id, data=b"changed")
        with second.batch() as batch:
            batch.delete_record(record_id, security_data=b"gone")
        network.run_for(10)
        assert events.take() == []
        assert not has(second, record_id)


def test_a_copy_from_two_neighbours_is_asked_about_once(network):
    hosts = network.add_hosts("a", "b", "c")
    first = hosts[0].runtime.create_graph("g", peer_id="a")
    first.listen(5000)
    second = hosts[1].runtime.open_graph("g", peer_id="b")
    second.connect("a:5000", timeout=60)
    second.synchronized(timeout=60)
    second.listen(5000)
    third = hosts[2].runtime.open_graph("g", peer_id="c", judge=True)
    third.connect("a:5000", timeout=60)
    third.synchronized(timeout=60)
    network.run_until(lambda: len(hosts[2].neighbours) == 2, timeout=600)
    with third.events(Validation) as events:
        add(first)
        network.run_for(30)
        asked = events.take()
        assert len(asked) == 1
        third.judge_record(asked[0].validation_id, Verdict.ACCEPT)
        network.run_for(30)
        assert events.take() == []
    network.assert_converged()


# -- synchronization ---------------------------------------------------------------------------------------------------


def joiner(network):
    host = network.add_host("carol")
    graph = host.runtime.open_graph("g", peer_id="carol", judge=True)
    return graph, graph.events(Validation)


def test_a_synchronization_waits_for_the_judgements(network, pair):
    first, _ = pair
    ids = {add(first, b"%d" % number) for number in range(5)}
    graph, events = joiner(network)
    with events:
        graph.connect("alice:5000", timeout=60)
        network.run_for(20)
        asked = events.take()
        assert {event.record_id for event in asked} == ids
        assert not graph.status & GraphStatus.SYNCHRONIZED
        for event in asked[:4]:
            graph.judge_record(event.validation_id, Verdict.ACCEPT)
        network.run_for(1)
        assert not graph.status & GraphStatus.SYNCHRONIZED
        graph.judge_record(asked[4].validation_id, Verdict.REJECT)
        network.run_for(1)
        assert graph.status & GraphStatus.SYNCHRONIZED
        assert len(list(graph.records())) == 4


def test_who_never_judges_is_not_waited_for(network, pair):
    first, _ = pair
    add(first, b"old")
    graph, events = joiner(network)
    with events:
        graph.connect("alice:5000", timeout=60)
        network.run_for(HALF_A_MINUTE + 10)
        assert not graph.status & GraphStatus.SYNCHRONIZED  # something is missing
        assert graph.properties.graph_id == "g"  # but it can be used
        asked = events.take()
        graph.judge_record(asked[0].validation_id, Verdict.ACCEPT)
        network.run_until(lambda: graph.status & GraphStatus.SYNCHRONIZED, timeout=60)


def test_a_flood_of_records_holds_the_connection_back(network, pair):
    first, second = pair
    block = bytes(100_000)
    with second.events(Validation) as events:
        ids = {add(first, block) for _ in range(100)}  # 10 MB
        network.run_for(20)
        waiting = events.take()
        assert 20 <= len(waiting) <= 45  # of 4 MiB of a connection
        taken = 0
        for _ in range(200):
            for event in waiting:
                second.judge_record(event.validation_id, Verdict.ACCEPT)
                taken += 1
            network.run_for(5)
            waiting = events.take()
            if taken == len(ids):
                break
        assert {record.id for record in second.records()} == ids
        network.run_until(lambda: second.status & GraphStatus.SYNCHRONIZED, timeout=60)


def test_more_than_fits_comes_later(network, pair):
    first, second = pair
    ids = {add(first, bytes(100_000)) for _ in range(100)}
    network.run_for(120)  # nobody judges: the connection goes on, and what does not fit is dropped
    assert not second.status & GraphStatus.SYNCHRONIZED
    with second.events(Validation) as events:
        second.validate_deferred_records()
        for _ in range(600):
            for event in events.take():
                second.judge_record(event.validation_id, Verdict.ACCEPT)
            network.run_for(2)
            if second.status & GraphStatus.SYNCHRONIZED:
                break
        assert {record.id for record in second.records()} == ids


def test_nothing_that_waits_is_acknowledged_or_forwarded(network, pair):
    first, second = pair
    network.run_for(200)  # until presence has been published
    acknowledged = network.message_count(MessageType.ACK, src=network.hosts[1])
    with second.events(Validation) as events:
        add(first)
        event = events.get(timeout=10)
        network.run_for(10)
        assert network.message_count(MessageType.ACK, src=network.hosts[1]) == acknowledged
        second.judge_record(event.validation_id, Verdict.ACCEPT)
        network.run_for(10)
        assert network.message_count(MessageType.ACK, src=network.hosts[1]) != acknowledged


# -- deleting here -----------------------------------------------------------------------------------------------------


def test_a_record_can_be_deleted_here_alone(network, pair):
    first, second = pair
    with second.events(Validation, RecordChanged) as events:
        record_id = add(first)
        second.judge_record(events.get(timeout=10).validation_id, Verdict.ACCEPT)
        assert events.get(timeout=10).change == RecordChange.ADDED
        second.delete_record_here(record_id)
        gone = events.get(timeout=10)
        assert isinstance(gone, RecordChanged)
        assert (gone.change, gone.record_id) == (RecordChange.DELETED, record_id)
        assert not has(second, record_id)
        network.run_for(10)
        assert has(first, record_id)
        with pytest.raises(peergraph.RecordNotFound):
            second.delete_record_here(record_id)
        network.hosts[1].reset_connections()
        asked = events.get(timeout=300)  # with the next synchronization it comes back
        assert isinstance(asked, Validation)
        assert asked.record_id == record_id


def test_only_a_judge_deletes_here(open_runtime):
    with open_runtime().create_graph("g", peer_id="p") as graph:
        record_id = add(graph)
        with pytest.raises(peergraph.InvalidArgument, match="PEER_GRAPH_OPTION_JUDGE"):
            graph.delete_record_here(record_id)
        graph.validate_deferred_records()
        with pytest.raises(peergraph.RecordNotFound):
            graph.judge_record(1, Verdict.ACCEPT)
        with pytest.raises(ValueError, match=r"verdict is 'perhaps', not Verdict.ACCEPT, REJECT or DEFER"):
            graph.judge_record(1, "perhaps")
    for call in (
        lambda: graph.validate_deferred_records(),
        lambda: graph.judge_record(1, Verdict.REJECT),
        lambda: graph.get_deferred_record(1),
        lambda: graph.delete_record_here(record_id),
    ):
        with pytest.raises(peergraph.InvalidGraph):
            call()


def test_what_was_lost_is_told_again(network, pair):
    """After an overflow of its events the application asks for all that wait."""
    first, second = pair
    with second.events(Validation) as events:
        for number in range(50):
            first.add_record(type=NOTE, data=b"%d" % number, lifetime=dt.timedelta(hours=1))
        network.run_for(20)
        taken = [event for event in events.take(1000) if not isinstance(event, Overflow)]
        second.validate_deferred_records()
        again = events.take(1000)
        assert {event.validation_id for event in again} == {event.validation_id for event in taken}
        assert len(again) == 50
