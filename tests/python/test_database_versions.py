"""Databases of earlier versions: opened, brought up to date, and synchronized like any other."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import peergraph
import pytest
from peergraph import Attr
from python.scene import HOUR, NOTE

RECORDS = 30


def path_of(folder: Path) -> Path:
    (path,) = (folder / "graphs").glob("*.db")
    return path


COLUMNS = "seq, id, type, version, flags, local_flags, modified, expires, creator, wire"


def take_back(path: Path, version: int) -> None:
    """Makes the file what that version of the schema was."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (3,)
        db.executescript(f"""
            DROP TABLE attributes;
            CREATE TABLE old (seq INTEGER PRIMARY KEY, id BLOB NOT NULL, type BLOB NOT NULL, version INTEGER NOT NULL,
                flags INTEGER NOT NULL, local_flags INTEGER NOT NULL, modified INTEGER NOT NULL,
                expires INTEGER NOT NULL, creator BLOB NOT NULL, wire BLOB NOT NULL);
            INSERT INTO old SELECT {COLUMNS} FROM records;
            DROP TABLE records;
            ALTER TABLE old RENAME TO records;
            CREATE UNIQUE INDEX records_id ON records (id);
            CREATE UNIQUE INDEX records_modified ON records (modified, id);
            CREATE INDEX records_expires ON records (expires);
            CREATE INDEX records_type ON records (type);
            DELETE FROM settings WHERE name = 'searchable';
            {"DROP TABLE usage;" if version < 2 else ""}
            PRAGMA user_version = {version};
        """)


def contents(graph: peergraph.Graph) -> list[tuple[bytes, int, bytes]]:
    return sorted((record.id.bytes, record.version, record.data) for record in graph.records())


@pytest.mark.parametrize("version", [1, 2])
def test_it_is_brought_up_to_date(tmp_path, version):
    folder = tmp_path / "data"
    with peergraph.open_runtime(folder) as runtime, runtime.create_graph("g", peer_id="p") as graph:
        for number in range(RECORDS):
            graph.add_record(type=NOTE, data=b"%d" % number, attributes={"size": number}, lifetime=HOUR)
        before = contents(graph)
    take_back(path_of(folder), version)
    with peergraph.open_runtime(folder) as runtime:
        with runtime.open_graph("g", peer_id="p") as graph:
            assert contents(graph) == before
            graph.add_record(type=NOTE, data=b"new", lifetime=HOUR)
        with runtime.open_graph("g", peer_id="p") as graph:  # nothing is left to be done
            assert len(contents(graph)) == RECORDS + 1
            graph.listen()
            assert sorted(record.data for record in graph.search(Attr("size") < 3)) == [b"0", b"1", b"2"]
    with sqlite3.connect(path_of(folder)) as db:
        known = db.execute("SELECT count(*) FROM records WHERE length(element) = 16").fetchone()
        assert known == db.execute("SELECT count(*) FROM records").fetchone()
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
