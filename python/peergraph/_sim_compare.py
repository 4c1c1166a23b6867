"""Whether all replicas of a graph are equal, and if not, in what they differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from . import _native
from ._graph import GraphBase
from ._native import RawRecord
from .errors import GraphNotReady, PeerError
from .records import Record

if TYPE_CHECKING:
    from ._sim_host import Host

DIFFERENCES_MAX: Final = 10
BATCH: Final = 1024


@dataclass(frozen=True, slots=True)
class Replica:
    """The unexpired records of the application that one node holds: by id, what must be equal."""

    name: str
    graph_id: str
    records: dict[bytes, tuple[object, ...]]
    problem: str = ""


def replica_of(host: Host, graph: GraphBase, several: bool) -> Replica:
    name = f"{host.name} ({graph.peer_id})" if several or graph.peer_id != host.name else host.name
    try:
        return Replica(name, graph.id, _records(graph))
    except PeerError as error:
        return Replica(name, graph.id, {}, str(error))


def _raw_records(graph: GraphBase, type: UUID | None) -> Iterator[RawRecord]:
    enumeration = _native.graph_enum_records(graph._handle, None if type is None else type.bytes, None)
    try:
        while raws := _native.get_item_views(enumeration, BATCH):
            yield from raws
    finally:
        _native.end_enumeration(enumeration)


def records_of(graph: GraphBase, type: UUID | None) -> list[Record]:
    """The records of a graph; none while it cannot be read."""
    try:
        return [Record(raw) for raw in _raw_records(graph, type)]
    except GraphNotReady:
        return []


def _records(graph: GraphBase) -> dict[bytes, tuple[object, ...]]:
    now_us = graph._now_us()
    return {
        raw.id: (raw.version, raw.modifier_id or raw.creator_id, raw.type, raw.attributes, raw.data)
        for raw in _raw_records(graph, None)
        if raw.expires_us > now_us
    }


def replicas(hosts: Iterable[Host], graph_id: str | None) -> dict[str, list[Replica]]:
    """The replicas on some hosts, by graph."""
    found: dict[str, list[Replica]] = {}
    for host in hosts:
        graphs = [graph for graph in host.graphs if graph_id in (None, graph.id)]
        for graph in graphs:
            several = sum(each.id == graph.id for each in graphs) > 1
            found.setdefault(graph.id, []).append(replica_of(host, graph, several))
    return found


def differences(replicas: list[Replica]) -> list[str]:
    """One line for each record that is not the same everywhere, and for each replica that cannot be read."""
    lines = [f"{each.name}: {each.problem}" for each in replicas if each.problem]
    readable = [each for each in replicas if not each.problem]
    first = readable[0].records if readable else {}
    if all(each.records == first for each in readable):
        return lines
    for record_id in sorted(set().union(*(each.records for each in readable))):
        forms: dict[tuple[object, ...] | None, list[str]] = {}
        for each in readable:
            forms.setdefault(each.records.get(record_id), []).append(each.name)
        if len(forms) > 1:
            told = "; ".join(f"{_names(names)} {_form(form, len(names))}" for form, names in forms.items())
            lines.append(f"record {UUID(bytes=record_id)}: {told}")
    return lines


def _names(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 5 else f"{', '.join(names[:4])} and {len(names) - 4} others"


def _form(form: tuple[object, ...] | None, count: int) -> str:
    if form is None:
        return "lacks it" if count == 1 else "lack it"
    has = "has" if count == 1 else "have"
    version, modifier, _, attributes, data = form
    assert isinstance(data, bytes)
    shown = repr(data) if len(data) <= 32 else f"{data[:24]!r}… of {len(data)} bytes"
    return f"{has} version {version} by {modifier!r}, {shown}" + (f", attributes {attributes}" if attributes else "")


def report(graph_id: str, lines: list[str], seconds: float) -> str:
    """What is said about one graph."""
    shown = [f"  {line}" for line in lines[:DIFFERENCES_MAX]]
    if len(lines) > DIFFERENCES_MAX:
        shown.append(f"  and {len(lines) - DIFFERENCES_MAX} more")
    return "\n".join([f"the replicas of {graph_id!r} differ after {seconds:.6f} s:", *shown])
