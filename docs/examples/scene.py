"""What the examples of the reference begin with: two nodes of a graph, alice and bob, on a simulated network."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import peergraph
from peergraph.sim import Host, Network

NOTE = UUID("5f0e6c1a-92d7-4c2e-8a41-3f6f0c9f7b11")
HOUR = timedelta(hours=1)


class Scene(NamedTuple):
    network: Network
    hosts: list[Host]
    alice: peergraph.Graph
    """Has created the graph, and listens at alice:5000."""
    bob: peergraph.Graph
    """Is connected to her, and synchronized."""


@contextlib.contextmanager
def open_scene(*, judge: bool = False) -> Iterator[Scene]:
    with Network(seed=1) as network:
        hosts = network.add_hosts("alice", "bob")
        alice = hosts[0].runtime.create_graph("film club", peer_id="alice", judge=judge)
        alice.listen(5000)
        bob = hosts[1].runtime.open_graph("film club", peer_id="bob")
        bob.connect("alice:5000")
        bob.synchronized()
        yield Scene(network, hosts, alice, bob)
