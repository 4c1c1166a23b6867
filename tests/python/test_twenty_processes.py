"""Twenty processes on sockets: what one writes, all have, whatever the shape of the mesh."""

from __future__ import annotations

import contextlib

import pytest
from python.members import Process, write_and_compare

COUNT = 20


@pytest.fixture
def start(tmp_path):
    with contextlib.ExitStack() as stack:
        yield lambda mode: [Process(stack, tmp_path, f"p{number}", mode) for number in range(COUNT)]


def line_of(members):
    addresses = [members[0].do(create="g")]
    for member in members[1:]:
        addresses.append(member.do(join="g", address=addresses[-1]))
    return addresses


@pytest.mark.slow
def test_a_line(start):
    members = start("manual")
    line_of(members)
    write_and_compare(members, 2 * COUNT)


@pytest.mark.slow
def test_a_ring(start):
    members = start("manual")
    addresses = line_of(members)
    assert members[-1].do(connect="g", address=addresses[0]) == "made"
    write_and_compare(members, 2 * COUNT)


@pytest.mark.slow
def test_a_clique(start):
    """Everyone asks everyone; who is full refuses, and seven is the most that anyone takes."""
    members = start("automatic")
    addresses = [members[0].do(create="g")]
    for member in members[1:]:
        addresses.append(member.do(join="g", address=addresses[0]))
    for distance in range(1, COUNT):
        for number, member in enumerate(members):
            member.ask(connect="g", address=addresses[(number + distance) % COUNT])
        for member in members:
            member.answer()
    write_and_compare(members, 2 * COUNT)
