"""What a program that is checked by mypy --strict writes: ./dev lint checks it; nothing runs it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from uuid import UUID

import peergraph
import peergraph.aio
from peergraph import Attr
from peergraph.attributes import AttributeInput

KIND = UUID(int=1)
HOUR = dt.timedelta(hours=1)


def pairs() -> Iterator[tuple[str, str]]:
    yield "tag", "new"


def attributes_of_every_shape(graph: peergraph.Graph, record: peergraph.Record) -> None:
    now = dt.datetime.now(dt.timezone.utc)
    graph.add_record(type=KIND, lifetime=HOUR, attributes={"title": "Stalker", "minutes": 161, "shown": now})
    graph.add_record(type=KIND, lifetime=HOUR, attributes={"title": "Stalker"})
    graph.add_record(type=KIND, lifetime=HOUR, attributes={**record.attributes, "minutes": 161})
    graph.add_record(type=KIND, lifetime=HOUR, attributes=[("tag", "new"), ("minutes", 161)])
    graph.add_record(type=KIND, lifetime=HOUR, attributes=record.attributes.items_all())
    graph.add_record(type=KIND, lifetime=HOUR, attributes={"minutes": 161}.items())
    graph.add_record(type=KIND, lifetime=HOUR, attributes={("tag", "new"), ("tag", "old")})
    graph.add_record(type=KIND, lifetime=HOUR, attributes=((name, len(name)) for name in ("one", "two")))
    graph.add_record(type=KIND, lifetime=HOUR, attributes=pairs())
    values: dict[str, AttributeInput] = {"since": dt.date(1979, 5, 25)}
    graph.update_record(record, attributes=values)
    graph.update_record(record, attributes={})


async def events_and_searches(graph: peergraph.aio.Graph) -> list[bytes]:
    async for event in graph.events(peergraph.RecordChanged, peergraph.Progress):
        match event:
            case peergraph.RecordChanged(change=peergraph.RecordChange.ADDED):
                print(event.record_id)
            case peergraph.Progress(done=done, total=total):
                print(done / total)
            case peergraph.Closed():
                break
    found = graph.search((Attr("minutes") > 120) & (Attr("title").like("Stal*") | (Attr("title") == "Mirror")))
    return [record.data async for record in found]
