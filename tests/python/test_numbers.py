"""Constants are numbers, and print as names."""

from __future__ import annotations

import pickle

import pytest
from peergraph import GraphEvent, GraphStatus, RecordChange


def test_a_number_prints_as_its_name():
    assert str(RecordChange.ADDED) == f"{RecordChange.ADDED}" == "RecordChange.ADDED"
    assert f"{GraphEvent.INCOMING_DATA:>26}" == "  GraphEvent.INCOMING_DATA"


def test_bits_print_as_their_names():
    assert str(GraphStatus.LISTENING) == "GraphStatus.LISTENING"
    both = GraphStatus.LISTENING | GraphStatus.SYNCHRONIZED
    names = f"{both}".removeprefix("GraphStatus.").split("|")
    assert sorted(names) == ["LISTENING", "SYNCHRONIZED"]


@pytest.mark.parametrize("member", [RecordChange.ADDED, GraphStatus.LISTENING, GraphStatus(0x8001)])
def test_they_are_numbers_all_the_same(member):
    assert (f"{member:d}", f"{member:#x}") == (str(int(member)), hex(member))
    assert member == int(member)
    assert pickle.loads(pickle.dumps(member)) is member
