"""Who is connected to whom in a simulated network, as plain dictionaries or for networkx."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from . import _native, _native_sim
from ._graph import GraphBase
from ._sim_time import SECOND_US
from .errors import PeerError

if TYPE_CHECKING:
    from ._sim_host import Host
    from .sim import Network

PRESENCE: Final = UUID("00000400-0000-0000-0000-000000000000")
"""Records by which nodes say that they are there."""

Topology = dict[str, dict[str, dict[str, Any]]]


def topology(network: Network) -> Topology:
    found: Topology = {host.name: {} for host in network.hosts}
    for each in _native_sim.sim_get_connections(network._handle):
        src, dst = network.hosts[each.src - 1].name, network.hosts[each.dst - 1].name
        edge = {
            "connection_id": each.connection_id,
            "dialled_by": src,
            "since": each.since_us / SECOND_US,
            "neighbour": bool(each.flags & _native_sim.CONNECTION_NEIGHBOR),
            "cut": bool(each.flags & _native_sim.CONNECTION_CUT),
        }
        if edge["neighbour"] or not found[src].get(dst, {}).get("neighbour"):
            found[src][dst] = found[dst][src] = edge
    return found


def parts(network: Network) -> list[list[Host]]:
    """The hosts that are up, in parts between which no way leads in both directions, the largest first."""
    rest = [host for host in network.hosts if host.is_up]
    found = []
    while rest:
        part, border = [rest[0]], [rest.pop(0)]
        while border:
            here = border.pop()
            near = [host for host in rest if not network.is_cut(here, host) and not network.is_cut(host, here)]
            rest = [host for host in rest if host not in near]
            part += near
            border += near
        found.append(sorted(part, key=lambda host: host.number))
    return sorted(found, key=lambda part: (-len(part), part[0].number))


def is_present(graph: GraphBase) -> bool:
    """Whether the node of a graph publishes its presence."""
    with contextlib.suppress(PeerError):
        enumeration = _native.graph_enum_records(graph._handle, PRESENCE.bytes, graph.peer_id)
        try:
            return bool(_native.get_item_views(enumeration, 1))
        finally:
            _native.end_enumeration(enumeration)
    return False


def node_of(host: Host, part: int | None) -> dict[str, Any]:
    """What is told of a host beside its connections."""
    return {
        "address": host.address,
        "up": host.is_up,
        "part": part,
        "graphs": sorted({graph.id for graph in host.graphs}),
        "present": any(is_present(graph) for graph in host.graphs),
    }


def nodes(network: Network) -> dict[str, dict[str, Any]]:
    part_of = {host: index for index, part in enumerate(parts(network)) for host in part}
    return {host.name: node_of(host, part_of.get(host)) for host in network.hosts}


def networkx_graph(network: Network) -> Any:
    """A networkx.Graph with the same edges, and the nodes' attributes."""
    try:
        import networkx  # type: ignore[import-untyped, import-not-found, unused-ignore]
    except ImportError:
        raise ImportError(
            "networkx is not installed: pip install networkx, or use graph() for plain dictionaries"
        ) from None
    graph = networkx.Graph(time=network.now, seed=network.seed)
    graph.add_nodes_from(nodes(network).items())
    for src, others in topology(network).items():
        graph.add_edges_from((src, dst, edge) for dst, edge in others.items())
    return graph
