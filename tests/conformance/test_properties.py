"""Status and properties of a graph."""

from __future__ import annotations

import datetime as dt

import peergraph
import pytest
from conformance import exact
from conformance.exact import NULL, ffi, lib
from conformance.worlds import fails
from peergraph import GraphStatus, PropertyChanged, Scope, StatusChanged
from peergraph._codes import E_INVALIDARG, PEER_OK

TEN_MINUTES = dt.timedelta(minutes=10)


def test_status_of_a_creator_that_listens(world, graph):
    world.listen(graph)
    assert graph.get_status() == GraphStatus.LISTENING | GraphStatus.SYNCHRONIZED


def test_status_of_neighbours(pair):
    alice, bob = pair
    assert bob.get_status() == GraphStatus.HAS_CONNECTIONS | GraphStatus.SYNCHRONIZED
    assert alice.get_status() == bob.get_status() | GraphStatus.LISTENING


def test_status_needs_a_place(graph):
    assert lib.peer_graph_get_status(graph._handle, NULL) == E_INVALIDARG


def test_status_is_that_of_the_last_event(world):
    alice, bob = world.create(), world.open()
    with alice.events(StatusChanged) as at_alice, bob.events(StatusChanged) as at_bob:
        world.listen(alice)
        world.join(bob, alice)
        world.listen(bob)
        world.until(alice, lambda: alice.status & GraphStatus.HAS_CONNECTIONS)
        for graph, events in ((alice, at_alice), (bob, at_bob)):
            world.next(events, StatusChanged, lambda event, graph=graph: event.status == graph.status)
            assert events.take() == []


def test_properties_need_a_place(graph):
    assert lib.peer_graph_get_properties(graph._handle, NULL) == E_INVALIDARG


def test_properties_are_a_copy(graph):
    before = graph.get_properties()
    graph.set_properties(comment="new")
    assert (before.comment, graph.get_properties().comment) == (None, "new")


def test_what_may_change(world, graph):
    graph.set_properties(friendly_name="new", comment="more", presence_lifetime=TEN_MINUTES, presence_max=3)
    properties = graph.get_properties()
    assert (properties.friendly_name, properties.comment) == ("new", "more")
    assert (properties.presence_lifetime, properties.presence_max) == (TEN_MINUTES, 3)
    graph.close()
    assert world.open("alice").get_properties() == properties


def test_others_hear_of_changed_properties(world, pair):
    alice, bob = pair
    with alice.events(PropertyChanged) as at_alice, bob.events(PropertyChanged) as at_bob:
        bob.set_properties(friendly_name="named by bob")
        for events in (at_alice, at_bob):
            assert isinstance(events.get(world.patience), PropertyChanged)
    assert alice.get_properties() == bob.get_properties()
    assert alice.get_properties().friendly_name == "named by bob"


def test_name_and_comment_are_removed(world):
    graph = world.create(friendly_name="Film club", comment="on Fridays")
    graph.set_properties(friendly_name=None, comment=None)
    assert not graph.get_properties().friendly_name
    assert not graph.get_properties().comment


def test_other_fields_are_ignored(graph):
    before = graph.get_properties()
    given, _texts = exact.properties_input(
        graph_id="another", creator_id="mallory", scope=int(Scope.LINKLOCAL), max_record_size=2048, flags=2
    )
    assert lib.peer_graph_set_properties(graph._handle, given) == PEER_OK
    assert graph.get_properties() == before


def test_properties_to_set_are_required(graph):
    assert lib.peer_graph_set_properties(graph._handle, NULL) == E_INVALIDARG


@pytest.mark.parametrize("fields", [{"struct_size": 0}, {"struct_size": 8}, {"friendly_name": 256}, {"comment": 512}])
def test_properties_that_are_wrong(graph, fields):
    keep = {name: ffi.new("char[]", b"x" * size) for name, size in fields.items() if name != "struct_size"}
    given, _texts = exact.properties_input(**(fields | keep))
    assert lib.peer_graph_set_properties(graph._handle, given) == E_INVALIDARG
    assert graph.get_properties().comment is graph.get_properties().friendly_name is None


def test_a_failed_change_changes_nothing(graph):
    before = graph.get_properties()
    with fails(E_INVALIDARG):
        graph.set_properties(friendly_name="new", comment="x" * 512)
    assert graph.get_properties() == before
    assert isinstance(before, peergraph.GraphProperties)
