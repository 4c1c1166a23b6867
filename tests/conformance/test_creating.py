"""Graphs are created."""

from __future__ import annotations

import datetime as dt

import peergraph
import pytest
from conformance import exact
from conformance.exact import NULL, ffi, lib
from conformance.worlds import GRAPH, add, fails
from peergraph import GraphStatus, Scope
from peergraph._codes import (
    E_INVALIDARG,
    PEER_E_DATABASE_ALREADY_PRESENT,
    PEER_E_DUPLICATE_GRAPH,
    PEER_OK,
)

NAME_MAX, COMMENT_MAX = 255, 511
SIZE_MIN, SIZE_MAX = 1024, 62_914_560


@pytest.fixture
def create(world):
    """peer_graph_create with properties as they are."""

    def call(**fields):
        given, _texts = exact.properties_input(**fields)
        return exact.create(world.runtime()._handle, given)

    return call


def test_with_what_is_required(world):
    graph = world.create()
    assert (graph.id, graph.peer_id, graph.is_new) == (GRAPH, "alice", False)


def test_the_size_of_the_struct_counts(create):
    assert create(struct_size=0) == E_INVALIDARG
    assert create(struct_size=8) == E_INVALIDARG
    assert create() == PEER_OK


def test_properties_are_required(world):
    assert exact.create(world.runtime()._handle, NULL) == E_INVALIDARG
    given, _texts = exact.properties_input()
    assert lib.peer_graph_create(world.runtime()._handle, given, NULL, NULL, NULL) == E_INVALIDARG


@pytest.mark.parametrize("field", ["graph_id", "creator_id"])
@pytest.mark.parametrize("value", [None, ""], ids=["NULL", "empty"])
def test_graph_and_creator_are_required(create, field, value):
    assert create(**{field: value}) == E_INVALIDARG


@pytest.mark.parametrize("field", ["graph_id", "peer_id"])
def test_ids_have_up_to_255_units(world, field):
    for text in ("x" * NAME_MAX, "ä" * NAME_MAX, "𝄞" * (NAME_MAX // 2)):
        graph = world.create(**{field: text, "at": "alice"})
        assert getattr(graph, "id" if field == "graph_id" else field) == text
        assert getattr(graph.properties, "graph_id" if field == "graph_id" else "creator_id") == text
        graph.close()
    for text in ("x" * (NAME_MAX + 1), "𝄞" * (NAME_MAX // 2 + 1)):
        with fails():
            world.create(**{field: text, "at": "alice"})


@pytest.mark.parametrize(("field", "most"), [("friendly_name", NAME_MAX), ("comment", COMMENT_MAX)])
def test_names_and_comments_have_a_length(world, field, most):
    assert getattr(world.create(graph_id="long", **{field: "x" * most}).properties, field) == "x" * most
    with fails(E_INVALIDARG):
        world.create(graph_id="too long", **{field: "x" * (most + 1)})


def test_name_and_comment_may_be_missing(graph):
    assert not graph.properties.friendly_name
    assert not graph.properties.comment


def test_properties_are_given_back(world):
    graph = world.create(
        friendly_name="Film club",
        comment="on Fridays",
        scope=Scope.LINKLOCAL,
        max_record_size=5000,
        presence_lifetime=dt.timedelta(minutes=10),
        presence_max=7,
        defer_expiration=True,
    )
    assert graph.properties == peergraph.GraphProperties(
        graph_id=GRAPH,
        creator_id="alice",
        friendly_name="Film club",
        comment="on Fridays",
        scope=Scope.LINKLOCAL,
        max_record_size=5000,
        presence_lifetime=dt.timedelta(minutes=10),
        presence_max=7,
        defer_expiration=True,
    )


def test_defaults(graph):
    properties = graph.properties
    assert properties.scope == Scope.GLOBAL
    assert SIZE_MIN <= properties.max_record_size <= SIZE_MAX
    assert properties.presence_lifetime == dt.timedelta(seconds=300)
    assert properties.presence_max is None
    assert not properties.defer_expiration


@pytest.mark.parametrize("size", [SIZE_MIN, SIZE_MAX])
def test_record_sizes_at_the_limits(world, size):
    assert world.create(max_record_size=size).properties.max_record_size == size


@pytest.mark.parametrize("size", [1, SIZE_MIN - 1, SIZE_MAX + 1, 0xFFFFFFFF])
def test_record_sizes_beyond_the_limits(create, size):
    assert create(max_record_size=size) == E_INVALIDARG


def test_a_presence_lifetime_of_0_is_300_seconds(world, create):
    assert create(presence_lifetime_s=0) == PEER_OK
    assert world.open("alice").properties.presence_lifetime == dt.timedelta(seconds=300)


@pytest.mark.parametrize("presence_max", [-1, 0, 5])
def test_any_presence_maximum(world, create, presence_max):
    assert create(presence_max=presence_max) == PEER_OK
    assert world.open("alice").properties.presence_max == (None if presence_max < 0 else presence_max)


def test_without_a_security_interface(world):
    alice, bob = world.pair()
    record_id = add(alice)
    assert world.until(bob, lambda: any(record.id == record_id for record in bob.records()))


def test_a_graph_that_is_open_cannot_be_created(world, graph):
    with fails(PEER_E_DUPLICATE_GRAPH):
        world.create()
    assert graph.status & GraphStatus.SYNCHRONIZED


def test_a_graph_that_left_a_database_cannot_be_created(world, graph):
    record_id = add(graph)
    graph.close()
    with fails(PEER_E_DUPLICATE_GRAPH, PEER_E_DATABASE_ALREADY_PRESENT):
        world.create()
    assert world.open("alice").get_record(record_id).data == b"text"


def test_after_delete_it_can_be_created_again(world, graph):
    add(graph)
    graph.close()
    world.runtime().delete_graph(GRAPH, peer_id="alice")
    assert list(world.create().records()) == []


def test_a_created_graph_is_synchronized(graph):
    assert graph.status == GraphStatus.SYNCHRONIZED


def test_a_creator_needs_no_connection_for_records(graph):
    assert graph.get_record(add(graph)).data == b"text"


@pytest.mark.parametrize("name", [b"", b"a/b", b"..", b"x" * 300, b"a\x01b"])
def test_a_database_name_is_a_plain_file_name(world, name):
    given, _texts = exact.properties_input()
    assert exact.create(world.runtime()._handle, given, ffi.new("char[]", name)) == E_INVALIDARG
