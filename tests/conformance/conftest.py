"""Each test runs in both worlds, or says why it cannot."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from conformance.worlds import Simulator, Sockets, World


@pytest.fixture(scope="session", autouse=True)
def _old_objects_are_not_looked_at() -> None:
    """What pytest itself holds makes each collection ten times as long."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _nothing_is_left_open() -> Iterator[None]:
    """A handle that a test forgot is an error of that test: pytest makes errors of warnings in destructors."""
    yield
    gc.collect()


@pytest.fixture
def sockets(tmp_path) -> Iterator[Sockets]:
    """Real sockets only; rows.toml says why."""
    world = Sockets(tmp_path)
    yield world
    world.end()


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """The simulator only; rows.toml says why."""
    world = Simulator()
    yield world
    world.end()


@pytest.fixture(params=["sockets", "simulator"])
def world(request) -> World:
    """Both, one after the other."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def graph(world):
    """A graph of one node, which has created it."""
    return world.create()


@pytest.fixture
def new(world):
    """A graph that was opened and never synchronized."""
    return world.open()


@pytest.fixture
def pair(world):
    """Two nodes, connected and synchronized: alice, who created the graph and listens, and bob."""
    return world.pair()
