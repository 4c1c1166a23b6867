"""Nodes of a graph, and the connections of this one."""

from __future__ import annotations

from dataclasses import dataclass

from ._codes import ConnectionFlag
from ._native_nodes import RawConnection, RawNode


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """A node of a graph."""

    id: int
    peer_id: str
    attributes: str | None
    addresses: tuple[str, ...]
    """The best one first; empty if the node does not listen."""

    def __repr__(self) -> str:
        return f"NodeInfo({self.id:016x}, peer={self.peer_id!r}, addresses={list(self.addresses)})"


@dataclass(frozen=True, slots=True)
class ConnectionInfo:
    """A connection of this node."""

    id: int
    kind: ConnectionFlag
    """NEIGHBOR or DIRECT."""
    node_id: int
    peer_id: str | None
    """The other side, as it says."""
    address: str
    """Of the other end: where it listens if this node dialled."""
    lost: int
    """How many messages of data came over it and were lost, since nobody was registered for IncomingData."""

    def __repr__(self) -> str:
        return f"ConnectionInfo({self.id}, {self.kind.name}, peer={self.peer_id!r}, address={self.address!r})"


def node_from(raw: RawNode) -> NodeInfo:
    return NodeInfo(raw.node_id, raw.peer_id, raw.attributes, raw.addresses)


def connection_from(raw: RawConnection) -> ConnectionInfo:
    kind = ConnectionFlag(raw.flags)
    return ConnectionInfo(raw.connection_id, kind, raw.node_id, raw.peer_id, raw.address, raw.lost_count)
