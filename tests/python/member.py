"""One of many processes of a test: takes commands as lines of JSON, one answer line for each.

{"create": GRAPH}                                the address where it listens
{"join": GRAPH, "address": TEXT}                 connects, synchronizes, listens; the address
{"connect": GRAPH, "address": TEXT}              asks for one more connection; how it ended
{"write": GRAPH}                                 adds three records, updates one, deletes one
{"digest": GRAPH, "count": N}                    waits for so many records, all of them last versions; their hash
{"neighbours": GRAPH, "peers": [NAME, ...]}      waits until these and no others are its neighbours
{"connections": GRAPH}                           the ids of those that stand, as a list

Arguments: a data directory, its name, "manual" or "automatic", and the scope in which it listens.
"""

from __future__ import annotations

import hashlib
import json
import sys
from datetime import timedelta
from uuid import UUID

import peergraph
from peergraph import ConnectionStatus, Events, NeighbourConnection, RecordChanged, Scope

NOTE = UUID("6e6f7465-0000-4000-8000-000000000001")
PATIENCE = 60.0


class Member:
    def __init__(self, runtime: peergraph.Runtime, name: str, manual: bool, scope: Scope) -> None:
        self.runtime = runtime
        self.name = name
        self.manual = manual
        self.scope = scope
        self.graphs: dict[str, peergraph.Graph] = {}
        self.changes: dict[str, Events] = {}
        self.peers: dict[int, str] = {}

    def create(self, graph: str) -> str:
        self.graphs[graph] = self.runtime.create_graph(graph, peer_id=self.name, manual=self.manual)
        self.changes[graph] = self.graphs[graph].events(NeighbourConnection)
        return self.listen(graph)

    def listen(self, graph: str) -> str:
        self.graphs[graph].listen(scope=self.scope)
        return self.graphs[graph].address or ""

    def join(self, graph: str, address: str) -> str:
        self.graphs[graph] = self.runtime.open_graph(graph, peer_id=self.name, manual=self.manual)
        self.changes[graph] = self.graphs[graph].events(NeighbourConnection)
        self.graphs[graph].connect(address)
        self.graphs[graph].synchronized(PATIENCE)
        return self.listen(graph)

    def connect(self, graph: str, address: str) -> str:
        try:
            self.graphs[graph].connect(address, timeout=PATIENCE)
        except peergraph.PeerError as error:
            return str(error)
        return "made"

    def write(self, graph: str) -> str:
        kept, changed, gone = (
            self.graphs[graph].add_record(type=NOTE, data=f"{self.name} {i}".encode(), lifetime=timedelta(hours=1))
            for i in range(3)
        )
        self.graphs[graph].update_record(changed, data=b"changed")
        self.graphs[graph].delete_record(gone)
        return str(kept)

    def digest(self, graph: str, count: int) -> str:
        def records():
            return [(record.id.bytes, record.version, record.data) for record in self.graphs[graph].records()]

        def complete(found):
            return len(found) == count and sum(version == 2 for _, version, _ in found) == count // 2

        with self.graphs[graph].events(RecordChanged) as events:
            while not complete(found := records()):
                events.get(PATIENCE)
        return hashlib.sha256(repr(sorted(found)).encode()).hexdigest()

    def note(self, event: NeighbourConnection) -> None:
        if event.status == ConnectionStatus.CONNECTED:
            self.peers[event.connection_id] = event.peer_id or ""
        elif event.status == ConnectionStatus.DISCONNECTED:
            del self.peers[event.connection_id]

    def neighbours(self, graph: str, peers: list[str]) -> str:
        self.connections(graph)
        while sorted(self.peers.values()) != sorted(peers):
            self.note(self.changes[graph].get(PATIENCE))
        return "so it is"

    def connections(self, graph: str) -> str:
        for event in self.changes[graph].take():
            self.note(event)
        return json.dumps(list(self.peers))


def main() -> None:
    directory, name, manual, scope = sys.argv[1:]
    with peergraph.open_runtime(directory) as runtime:
        member = Member(runtime, name, manual == "manual", Scope[scope])
        for line in sys.stdin:
            command = json.loads(line)
            verb, graph = next(iter(command.items()))
            rest = {key: value for key, value in command.items() if key != verb}
            print(getattr(member, verb)(graph, **rest), flush=True)


if __name__ == "__main__":
    main()
