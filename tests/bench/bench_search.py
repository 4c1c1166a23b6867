"""Searches over many records with five attributes each, beside plain SQLite. Options: [RECORDS]"""

from __future__ import annotations

import datetime as dt
import sqlite3
import sys
import tempfile
import time
import uuid
from collections.abc import Callable

import peergraph
from peergraph import Attr, Query

NOTE = uuid.UUID("6e6f7465-0000-4000-8000-000000000001")
ROUNDS = 7
MADE = dt.datetime(2001, 1, 1, tzinfo=dt.timezone.utc)


def best_ms(work: Callable[[], int]) -> tuple[float, int]:
    """The time of the fastest round, and how many were found."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        count = work()
        times.append(time.perf_counter() - start)
    return min(times) * 1000, count


def fill(graph: peergraph.Graph, count: int) -> None:
    start = time.perf_counter()
    for first in range(0, count, 1000):
        with graph.batch() as batch:
            for number in range(first, min(first + 1000, count)):
                attributes = {
                    "size": number,
                    "path": f"docs/{number // 100}/{number}.txt",
                    "room": f"room {number % 200}",
                    "made": MADE + dt.timedelta(seconds=number),
                    "kind": "note",
                }
                batch.add_record(type=NOTE, data=bytes(1000), attributes=attributes, lifetime=dt.timedelta(hours=1))
    print(f"  written: {count / (time.perf_counter() - start):,.0f} records a second, through Python")


def report(name: str, limit: str, work: Callable[[], int]) -> None:
    taken_ms, count = best_ms(work)
    print(f"  {name:36} {count:8,} found {taken_ms:9.2f} ms   {limit}")


def searches(graph: peergraph.Graph, count: int) -> None:
    def all_of(query: Query) -> Callable[[], int]:
        def work() -> int:
            with graph.search_records(query.xml) as found:
                return found.get_item_count()

        return work

    def first_of(query: Query) -> Callable[[], int]:
        def work() -> int:
            with graph.search_records(query.xml) as found:
                return len(found.get_next_item(100))

        return work

    report("number below 1,000", "limit 10 ms", all_of(Attr("size") < 1000))
    report("text, 1 in 200", "limit 10 ms", all_of(Attr("room") == "room 7"))
    report("text by prefix", "limit 10 ms", all_of(Attr("path").like("docs/12/*")))
    report("text by pattern", "limit 10 ms", all_of(Attr("path").like("docs/1?/*")))
    report("text by its end, over all", "", all_of(Attr("path").like("*/77??.txt")))
    report("a pattern and a text", "limit 20 ms", all_of(Attr("path").like("docs/1?/*") & (Attr("room") == "room 7")))
    report("a day's moments", "limit 10 ms", all_of(Attr("made") < MADE + dt.timedelta(minutes=15)))
    report("both of two", "limit 20 ms", all_of((Attr("size") < 1000) & (Attr("room") == "room 7")))
    report("one of two", "limit 20 ms", all_of((Attr("size") < 500) | (Attr("room") == "room 7")))
    report("first 100 of everything", "limit 10 ms", first_of(Attr("kind") == "note"))
    report("first 100 of all but one", "limit 10 ms", first_of(Attr("size") != 77))
    limit_ms = 10 + count * 0.002
    report("ids of everything", f"limit {limit_ms:.0f} ms", all_of(Attr("kind") == "note"))
    report("ids of all but one", f"limit {limit_ms:.0f} ms", all_of(Attr("size") != 77))
    report("first 100 of one creator", "limit 10 ms", first_of(Attr("peercreatorid") == "alice"))
    report("ids of one creator", f"limit {limit_ms:.0f} ms", all_of(Attr("peercreatorid") == "alice"))


def plain(folder: str, count: int) -> None:
    with sqlite3.connect(f"{folder}/plain.db") as db:
        db.execute("CREATE TABLE records (id BLOB, size INTEGER, room TEXT, path TEXT, data BLOB)")
        rows = (
            (uuid.uuid4().bytes, number, f"room {number % 200}", f"docs/{number // 100}/{number}.txt", bytes(1000))
            for number in range(count)
        )
        db.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?)", rows)
        db.execute("CREATE INDEX by_size ON records (size)")
        db.execute("CREATE INDEX by_room ON records (room)")
        db.execute("CREATE INDEX by_path ON records (path)")

    def work(condition: str) -> Callable[[], int]:
        return lambda: len(db.execute(f"SELECT id FROM records WHERE {condition}").fetchall())

    report("plain SQLite: size < 1000", "", work("size < 1000"))
    report("plain SQLite: room = 'room 7'", "", work("room = 'room 7'"))
    report("plain SQLite: path GLOB 'docs/1?/*'", "", work("path GLOB 'docs/1?/*'"))
    report("plain SQLite: path GLOB '*/77??.txt'", "", work("path GLOB '*/77??.txt'"))
    report("plain SQLite: everything", "", work("size >= 0"))
    db.close()


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    print(f"search: {count:,} records of 1,000 bytes with five attributes")
    with tempfile.TemporaryDirectory() as folder:
        with (
            peergraph.open_runtime(folder) as runtime,
            runtime.create_graph("film club", peer_id="alice") as graph,
        ):
            fill(graph, count)
            searches(graph, count)
        plain(folder, count)


if __name__ == "__main__":
    main()
