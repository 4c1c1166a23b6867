"""Export and import of a graph's database: what goes into the file, what comes out, and every error."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import socket
import struct
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import peergraph
import peergraph.aio
import pytest
from peergraph import (
    GraphEvent,
    GraphStatus,
    Progress,
    ProgressAction,
    PropertyChanged,
    RecordChange,
    RecordChanged,
    Scope,
    StatusChanged,
)
from python.scene import HOUR, NOTE, OTHER, PATIENCE, join, wait_for

MAGIC = b"peergraph export" + struct.pack(">I", 1)
HEAD, RECORDS, END = 1, 2, 3


def contents(graph: peergraph.Graph) -> dict[uuid.UUID, tuple[int, bytes]]:
    return {record.id: (record.version, record.data) for record in graph.records()}


@pytest.fixture
def elsewhere(open_runtime) -> Iterator[Callable[..., peergraph.Graph]]:
    """Opens the graph of alice on a machine that knows nothing of it."""
    graphs = []

    def open_(name: str = "elsewhere", peer_id: str = "alice", graph_id: str = "film club") -> peergraph.Graph:
        graphs.append(open_runtime(name).open_graph(graph_id, peer_id=peer_id))
        return graphs[-1]

    yield open_
    for graph in graphs:
        graph.close()


@pytest.fixture
def exported(graph, tmp_path) -> Path:
    """A file with three records of alice, one of them a deletion."""
    graph.add_record(type=NOTE, data=b"one", lifetime=HOUR, attributes={"size": 7})
    id_ = graph.add_record(type=OTHER, data=b"two", lifetime=HOUR)
    graph.update_record(id_, data=b"two, second version")
    graph.delete_record(graph.add_record(type=NOTE, data=b"three", lifetime=HOUR))
    graph.export_database(tmp_path / "export")
    return tmp_path / "export"


# -- the file, by its description in core/src/wire/archive.h -----------------------------------------------------------


def pieces(data: bytes) -> list[tuple[int, bytes]]:
    assert data[:20] == MAGIC
    digest, at, found = hashlib.sha256(data[:20]).digest(), 20, []
    while at < len(data):
        kind, size = struct.unpack_from(">II", data, at)
        digest = hashlib.sha256(digest + data[at : at + 8 + size]).digest()
        assert data[at + 8 + size : at + 40 + size] == digest
        found.append((kind, data[at + 8 : at + 8 + size]))
        at += 40 + size
    return found


def assembled(parts: list[tuple[int, bytes]], magic: bytes = MAGIC) -> bytes:
    """A file with all its checksums right."""
    out, digest = magic, hashlib.sha256(magic).digest()
    for kind, body in parts:
        piece = struct.pack(">II", kind, len(body)) + body
        digest = hashlib.sha256(digest + piece).digest()
        out += piece + digest
    return out


def records_of(body: bytes) -> list[bytes]:
    """The records of a piece, with their heads."""
    found, at = [], 0
    while at < len(body):
        (size,) = struct.unpack_from(">I", body, at + 4)
        found.append(body[at : at + 8 + size])
        at += 8 + size
    return found


def test_the_file_is_as_described(exported, graph):
    head, *rest, end = pieces(exported.read_bytes())
    assert head[0] == HEAD
    assert end == (END, struct.pack(">Q", 4))  # and the graph's own information
    assert {kind for kind, _ in rest} == {RECORDS}
    assert sum(len(records_of(body)) for _, body in rest) == 4
    assert "film club\0".encode("utf-16-be") in head[1]
    assert "alice\0".encode("utf-16-be") in head[1]
    assert assembled(pieces(exported.read_bytes())) == exported.read_bytes()
    assert exported.stat().st_mode & 0o777 == 0o600
    assert list(exported.parent.glob("*.part")) == []


# -- the way there and back --------------------------------------------------------------------------------------------


def test_the_way_there_and_back(exported, graph, elsewhere):
    other = elsewhere()
    assert other.is_new
    with pytest.raises(peergraph.GraphNotReady):
        list(other.records())
    with other.events() as events:
        other.import_database(exported)
        told = events.take()
    assert contents(other) == contents(graph)
    assert other.properties == graph.properties
    assert other.status == GraphStatus.SYNCHRONIZED
    assert {type(event) for event in told} == {PropertyChanged, RecordChanged, StatusChanged}
    changes = {event.record_id: event.change for event in told if isinstance(event, RecordChanged)}
    assert changes == dict.fromkeys(contents(graph), RecordChange.ADDED)
    assert isinstance(told[-1], StatusChanged)
    assert told[-1].status == GraphStatus.SYNCHRONIZED
    first = next(record for record in other.records(NOTE))
    assert first.attributes == {"size": 7}
    assert first.creator_id == "alice"


def test_it_is_stored(exported, graph, open_runtime):
    other = open_runtime("elsewhere")
    with other.open_graph("film club", peer_id="alice") as first:
        first.import_database(exported)
    with other.open_graph("film club", peer_id="alice") as again:
        assert not again.is_new
        assert contents(again) == contents(graph)
        again.listen(scope=Scope.LOOPBACK)


def test_what_was_never_synchronized_stays_so(elsewhere, tmp_path):
    elsewhere("one").export_database(tmp_path / "export")
    other = elsewhere("two")
    other.import_database(tmp_path / "export")
    assert not other.status
    with pytest.raises(peergraph.GraphNotReady):
        list(other.records())


def test_deletions_are_in_the_file(exported, graph, elsewhere, tmp_path):
    """An older file brings nothing back that a newer one has deleted."""
    for id_ in contents(graph):
        graph.delete_record(id_)
    graph.export_database(tmp_path / "later")
    other = elsewhere()
    other.import_database(tmp_path / "later")
    assert contents(other) == {}
    with other.events() as events:
        other.import_database(exported)
        assert events.take() == []
    assert contents(other) == {}


def test_conflicts_end_as_everywhere(exported, graph, elsewhere, tmp_path):
    ids = {data: id_ for id_, (_, data) in contents(graph).items()}
    other = elsewhere()
    other.import_database(exported)
    other.update_record(ids[b"one"], data=b"newer here")
    graph.update_record(ids[b"two, second version"], data=b"newer there")
    graph.delete_record(graph.add_record(type=NOTE, lifetime=HOUR))
    graph.export_database(tmp_path / "later")
    with other.events(RecordChanged) as events:
        other.import_database(tmp_path / "later")
        (told,) = events.take()
    assert (told.change, told.record_id) == (RecordChange.UPDATED, ids[b"two, second version"])
    assert contents(other)[ids[b"one"]] == (2, b"newer here")
    assert contents(other)[ids[b"two, second version"]] == (3, b"newer there")


def test_a_record_that_stands_twice_is_told_once(exported, graph, elsewhere, tmp_path):
    (id_,) = [id_ for id_, (version, _) in contents(graph).items() if version == 1]
    head, records, _ = pieces(exported.read_bytes())
    graph.update_record(id_, data=b"newer")
    graph.export_database(tmp_path / "later")
    more = pieces((tmp_path / "later").read_bytes())[1]
    end = (END, struct.pack(">Q", 8))
    (tmp_path / "both").write_bytes(assembled([head, records, more, end]))
    other = elsewhere()
    with other.events(RecordChanged) as events:
        other.import_database(tmp_path / "both")
        told = [(event.change, event.record_id) for event in events.take()]
    assert sorted(told) == sorted((RecordChange.ADDED, each) for each in contents(graph))
    assert contents(other) == contents(graph)


def test_after_import_a_node_joins_as_one_that_comes_back(pair, tmp_path, open_runtime):
    alice, bob = pair
    kept = alice.add_record(type=NOTE, data=b"early", lifetime=HOUR)
    with bob.events(RecordChanged) as events:
        while kept not in contents(bob):
            events.get(PATIENCE)
    bob.export_database(tmp_path / "export")  # while it is connected
    bob.close()
    late = alice.add_record(type=NOTE, data=b"late", lifetime=HOUR)
    with open_runtime("new machine").open_graph("film club", peer_id="bob") as again:
        again.import_database(tmp_path / "export")
        assert set(contents(again)) == {kept}
        join_events = again.events(RecordChanged)
        again.connect(alice.address)
        wait_for(join_events, lambda event: event.record_id == late)
        join_events.close()
        assert contents(again) == contents(alice)


def test_who_is_there_is_not_in_the_file(pair, tmp_path):
    alice, _bob = pair
    alice.set_presence(True)
    alice.export_database(tmp_path / "export")
    types = {
        record[8:24] for kind, body in pieces((tmp_path / "export").read_bytes())[1:-1] for record in records_of(body)
    }
    assert types == {bytes([0, 0, 1, 0]) + bytes(12)}


def test_autorefresh_goes_along(exported, elsewhere, tmp_path):
    """The flag does not travel in the record, so it stands beside it; other bits there mean nothing."""
    head, (_, body), end = pieces(exported.read_bytes())
    marked = b"".join((b"\xff\xff\xff\xff" if b"one" in part else part[:4]) + part[4:] for part in records_of(body))
    (tmp_path / "marked").write_bytes(assembled([head, (RECORDS, marked), end]))
    other = elsewhere()
    other.import_database(tmp_path / "marked")
    assert [record.flags for record in other.records(NOTE)] == [peergraph.RecordFlag.AUTOREFRESH]
    assert [record.flags for record in other.records(OTHER)] == [0]
    other.export_database(tmp_path / "again")
    flags = [part[:4] for part in records_of(pieces((tmp_path / "again").read_bytes())[1][1]) if b"one" in part]
    assert flags == [struct.pack(">I", 1)]


def test_an_existing_file_is_replaced(graph, tmp_path, elsewhere):
    path = tmp_path / "export"
    path.write_bytes(b"something longer" * 1000)
    (tmp_path / "export.part").write_bytes(b"left by one that was killed" * 1000)
    graph.add_record(type=NOTE, lifetime=HOUR)
    graph.export_database(path)
    graph.export_database(path)
    assert [each.name for each in tmp_path.glob("export*")] == ["export"]
    (tmp_path / "link").symlink_to(path)
    graph.export_database(tmp_path / "link")
    assert not (tmp_path / "link").is_symlink()
    other = elsewhere()
    other.import_database(str(tmp_path / "link"))
    assert contents(other) == contents(graph)


@pytest.mark.parametrize(
    "name", ["x" * 250, "x" * 251, "x" * 255, "x" * 250 + ".part", "\u00e9" * 127, "\U0001f600" * 63]
)
def test_a_name_that_has_no_room_for_an_ending(graph, tmp_path, elsewhere, name):
    folder = tmp_path / "long names"
    folder.mkdir()
    graph.add_record(type=NOTE, lifetime=HOUR)
    graph.export_database(folder / name)
    assert [each.name for each in folder.iterdir()] == [name]
    other = elsewhere()
    other.import_database(folder / name)
    assert contents(other) == contents(graph)


# -- errors of export --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "no folder/export", "file/export", "folder", "device", "nul\0", "x" * 256])
def test_where_nothing_can_be_written(graph, tmp_path, path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "device")
    wanted = {
        "": (peergraph.InvalidArgument, "E_INVALIDARG"),
        "nul\0": (peergraph.InvalidArgument, "E_INVALIDARG"),
        "x" * 256: (peergraph.InvalidArgument, "E_INVALIDARG"),
        "no folder/export": (peergraph.FileNotFound, "PEER_E_PATH_NOT_FOUND"),
        "file/export": (peergraph.FileNotFound, "PEER_E_PATH_NOT_FOUND"),
        "folder": (peergraph.AccessDenied, "E_ACCESSDENIED"),
        "device": (peergraph.AccessDenied, "E_ACCESSDENIED"),
    }
    error, name = wanted[path]
    with pytest.raises(error) as caught:
        graph.export_database(str(tmp_path / path) if path else path)
    assert getattr(caught.value, "name", "") == name
    assert sorted(each.name for each in tmp_path.iterdir() if each.name != "one") == ["device", "file", "folder"]


def test_a_path_is_text(graph, elsewhere):
    for path in (None, 7, b"bytes"):
        with pytest.raises(TypeError, match="path"):
            graph.export_database(path)
        with pytest.raises(TypeError, match="path"):
            graph.import_database(path)


def test_a_file_that_another_writes(graph, tmp_path):
    fcntl = pytest.importorskip("fcntl")
    with (tmp_path / "export.part").open("wb") as part:
        fcntl.flock(part, fcntl.LOCK_EX)
        with pytest.raises(peergraph.AccessDenied) as caught:
            graph.export_database(tmp_path / "export")
        assert caught.value.name == "PEER_E_SHARING_VIOLATION"
    graph.export_database(tmp_path / "export")


def test_a_closed_graph(graph, tmp_path):
    graph.close()
    with pytest.raises(peergraph.InvalidGraph):
        graph.export_database(tmp_path / "export")
    with pytest.raises(peergraph.InvalidGraph):
        graph.import_database(tmp_path / "export")
    assert not (tmp_path / "export").exists()


# -- errors of import --------------------------------------------------------------------------------------------------


def refuses(graph: peergraph.Graph, path: Path, name: str, match: str | None = None) -> None:
    """The import fails, and nothing has changed."""
    before = (graph.status, contents(graph) if graph.status else None, graph.now())
    with graph.events() as events:
        with pytest.raises(peergraph.PeerError, match=match) as caught:
            graph.import_database(path)
        assert caught.value.name == name
        assert "\n" not in str(caught.value)
        assert name != "PEER_E_INVALID_DATABASE" or f'(importing "{path}")' in str(caught.value)
        assert events.take() == []
    assert (graph.status, contents(graph) if graph.status else None) == before[:2]
    assert abs(graph.now() - before[2]) < HOUR / 60


def test_where_nothing_can_be_read(elsewhere, tmp_path):
    other = elsewhere()
    os.mkfifo(tmp_path / "device")
    refuses(other, tmp_path / "nothing", "PEER_E_FILE_NOT_FOUND")
    refuses(other, tmp_path / "no folder" / "nothing", "PEER_E_PATH_NOT_FOUND")
    refuses(other, tmp_path, "E_ACCESSDENIED")
    refuses(other, tmp_path / "device", "E_ACCESSDENIED")
    with pytest.raises(peergraph.InvalidArgument):
        other.import_database("")


def test_only_between_open_and_the_network(exported, graph, elsewhere, open_runtime):
    refuses(graph, exported, "E_INVALIDARG", "created")
    other = elsewhere()
    other.import_database(exported)
    other.import_database(exported)  # once more does no harm
    other.listen(scope=Scope.LOOPBACK)
    refuses(other, exported, "PEER_E_GRAPH_IN_USE", "listens")
    third = elsewhere("third")
    with socket.create_server(("127.0.0.1", 0)) as silent:  # so that nothing comes of it meanwhile
        third.begin_connect(f"127.0.0.1:{silent.getsockname()[1]}")
        refuses(third, exported, "PEER_E_GRAPH_IN_USE")


def test_another_graph_or_peer(exported, elsewhere):
    refuses(elsewhere(peer_id="bob"), exported, "PEER_E_INVALID_DATABASE", "peer")
    refuses(elsewhere(graph_id="book club"), exported, "PEER_E_INVALID_DATABASE", "graph")


def test_foreign_and_newer_files(exported, elsewhere, tmp_path):
    other = elsewhere()
    path = tmp_path / "foreign"
    for data in (b"", b"x", b"SQLite format 3\0" * 100, bytes(100), MAGIC, MAGIC[:19]):
        path.write_bytes(data)
        refuses(other, path, "PEER_E_INVALID_DATABASE")
    good = exported.read_bytes()
    path.write_bytes(assembled(pieces(good), MAGIC[:-1] + b"\2"))
    refuses(other, path, "PEER_E_INVALID_DATABASE", "format 2")


def test_every_cut_and_every_flipped_bit(exported, elsewhere, tmp_path):
    other = elsewhere()
    good = exported.read_bytes()
    path = tmp_path / "damaged"
    for size in range(0, len(good), 13):
        path.write_bytes(good[:size])
        refuses(other, path, "PEER_E_INVALID_DATABASE")
    for at in range(0, len(good), 7):
        path.write_bytes(good[:at] + bytes([good[at] ^ (1 << at % 8)]) + good[at + 1 :])
        refuses(other, path, "PEER_E_INVALID_DATABASE")
    path.write_bytes(good + b"\0")
    refuses(other, path, "PEER_E_INVALID_DATABASE", "end")


def test_files_with_right_checksums_and_wrong_content(exported, elsewhere, tmp_path):
    other = elsewhere()
    head, records, end = pieces(exported.read_bytes())
    body = records[1]
    wrong = [
        [],
        [head],
        [head, end],
        [records, end],
        [head, head, records, end],
        [head, records, end, end],
        [head, records, (END, struct.pack(">Q", 5))],
        [head, records, (END, end[1][:-1])],
        [head, records, (END, end[1] + b"\0")],
        [head, (RECORDS, body[:-1]), end],
        [head, (RECORDS, body + b"\0"), end],
        [head, (RECORDS, struct.pack(">II", 0, 0xFFFFFFFF) + body), end],
        [head, (9, b""), records, end],
        [(HEAD, head[1] + b"\0"), records, end],
        [(HEAD, head[1][:-1]), records, end],
        [(HEAD, b"\xff" + head[1][1:]), records, end],
        [(HEAD, head[1][:36] + struct.pack(">I", 0xFFFFFFFF) + head[1][40:]), records, end],
    ]
    path = tmp_path / "wrong"
    for parts in wrong:
        path.write_bytes(assembled(parts))
        refuses(other, path, "PEER_E_INVALID_DATABASE")
    path.write_bytes(MAGIC + struct.pack(">II", HEAD, 0xFFFFFFF0) + bytes(100))
    refuses(other, path, "PEER_E_INVALID_DATABASE", "larger")


def test_records_that_no_neighbour_could_send_are_left_out(exported, graph, elsewhere, tmp_path):
    """Rules 1 to 9 of 6.8: another creator's id, a size that does not add up, an expired one."""
    head, records, _ = pieces(exported.read_bytes())
    parts = records_of(records[1])
    note = next(part for part in parts if b"one" in part)

    def changed(at: int, data: bytes) -> bytes:
        return note[: 8 + at] + data + note[8 + at + len(data) :]

    creator = 40 + 4  # after type, id, version, flags and a length
    expires = creator + 2 * len("alice\0") + 4 + 4 + 8
    bad = [
        changed(16, bytes(8)),  # an id that is not of the creator's making
        changed(39, b"\x40"),  # an unknown flag
        changed(creator, b"\xd8\x00"),  # half a surrogate pair
        changed(expires, bytes(8)),  # expired before it was made
        note[:4] + struct.pack(">I", 10) + note[8:18],  # no record
    ]
    bad = [struct.pack(">II", 0, len(part) - 8) + part[8:] for part in bad]
    others = [part for part in parts if part is not note]
    body = b"".join([*bad, *others])
    path = tmp_path / "partly bad"
    path.write_bytes(assembled([head, (RECORDS, body), (END, struct.pack(">Q", len(bad) + len(others)))]))
    other = elsewhere()
    other.import_database(path)
    expected = {id_: value for id_, value in contents(graph).items() if value[1] != b"one"}
    assert contents(other) == expected
    assert len(expected) == 1


def test_a_limit_of_the_database(exported, graph, open_runtime, tmp_path):
    for _ in range(10):
        graph.add_record(type=NOTE, data=bytes(10_000), lifetime=HOUR)
    graph.export_database(tmp_path / "large")
    with open_runtime("small").open_graph("film club", peer_id="alice", max_database_bytes=65536) as other:
        refuses(other, tmp_path / "large", "PEER_E_DATABASE_FULL")
        other.import_database(exported)
        assert len(contents(other)) == 2


# -- large ones --------------------------------------------------------------------------------------------------------


def test_progress(graph, elsewhere, tmp_path):
    with graph.events(Progress) as events:
        graph.add_record(type=NOTE, data=bytes(1000), lifetime=HOUR)
        graph.export_database(tmp_path / "small")
        assert events.take() == []
        for _ in range(30):
            graph.add_record(type=NOTE, data=os.urandom(300_000), lifetime=HOUR)
        graph.export_database(tmp_path / "large")
        told = events.take()
    assert all(event.type is GraphEvent.PROGRESS for event in told)
    assert {event.action for event in told} == {ProgressAction.EXPORT}
    done = [event.done for event in told]
    assert done == sorted(set(done))
    assert 10 < len(told) <= 100
    assert told[-1].done == told[-1].total > 9_000_000
    assert repr(told[-1]) == f"Progress(export, {told[-1].total} of {told[-1].total} bytes)"

    other = elsewhere()
    with other.events(Progress) as events:
        other.import_database(tmp_path / "small")
        assert events.take() == []
        other.import_database(tmp_path / "large")
        told = events.take()
    assert {event.action for event in told} == {ProgressAction.IMPORT}
    assert [event.done for event in told] == sorted({event.done for event in told})
    assert told[-1].done == told[-1].total == (tmp_path / "large").stat().st_size
    assert contents(other) == contents(graph)


def test_the_graph_is_used_while_it_is_exported(graph, elsewhere, tmp_path):
    """Changes meanwhile are in the file or not, each whole: what came last is there only with what came before."""
    for _ in range(30):
        graph.add_record(type=OTHER, data=bytes(300_000), lifetime=HOUR)
    moving = graph.add_record(type=NOTE, data=b"0", lifetime=HOUR)
    ended = threading.Event()

    def export() -> None:
        graph.export_database(tmp_path / "export")
        ended.set()

    exporting = threading.Thread(target=export)
    exporting.start()
    steps = 0
    while not ended.is_set() or steps < 10:
        steps += 1
        with graph.batch() as batch:
            batch.update_record(moving, data=b"%d" % steps)
            batch.add_record(type=NOTE, data=b"%d" % steps, lifetime=HOUR)
    exporting.join()
    other = elsewhere()
    other.import_database(tmp_path / "export")
    found = contents(other)
    (_, last) = found.pop(moving)
    numbers = sorted(int(data) for _, data in found.values() if len(data) < 10)
    assert numbers == list(range(1, int(last) + 1))
    assert sum(len(data) == 300_000 for _, data in found.values()) == 30


def test_an_import_has_the_graph_for_itself(graph, elsewhere, tmp_path):
    """Calls for it are turned away meanwhile, and close ends the import."""
    for _ in range(60):
        graph.add_record(type=OTHER, data=bytes(300_000), lifetime=HOUR)
    graph.export_database(tmp_path / "export")
    went = []
    while (False, "PEER_E_GRAPH_SHUTTING_DOWN") not in went:
        assert len(went) < 20  # on a busy machine some are over before this thread has its turn
        went.append(meet_an_import(elsewhere(f"elsewhere {len(went)}"), tmp_path / "export"))
    assert set(went) <= {(False, "PEER_E_GRAPH_SHUTTING_DOWN"), (False, ""), (True, "")}


def test_an_import_ends_an_export_of_the_same_graph(graph, elsewhere, tmp_path):
    for _ in range(60):
        graph.add_record(type=OTHER, data=bytes(300_000), lifetime=HOUR)
    graph.export_database(tmp_path / "whole")
    other, failures = elsewhere(), [""]
    other.import_database(tmp_path / "whole")

    def run() -> None:
        try:
            other.export_database(tmp_path / "again")
        except peergraph.PeerError as error:
            failures.append(error.name)

    for _ in range(20):  # on a busy machine some are over before this thread has its turn
        with other.events(Progress) as events:
            exporting = threading.Thread(target=run)
            exporting.start()
            assert isinstance(events.get(PATIENCE), Progress)
            other.import_database(tmp_path / "whole")
            exporting.join()
        if failures[-1]:
            break
    assert failures == ["", "PEER_E_GRAPH_IN_USE"]
    assert not (tmp_path / "again.part").exists()


def meet_an_import(other: peergraph.Graph, path: Path) -> tuple[bool, str]:
    """Whether another call gets through when an import has begun, and how the import ends when the graph is closed."""
    failures = [""]

    def run() -> None:
        try:
            other.import_database(path)
        except peergraph.PeerError as error:
            failures.append(error.name)

    with other.events(Progress) as events:
        importing = threading.Thread(target=run)
        importing.start()
        assert isinstance(events.get(PATIENCE), Progress)
        try:
            gets_through = len(list(other.records())) == 60
        except peergraph.GraphInUse:
            gets_through = False
        other.close()
        importing.join()
    return gets_through, failures[-1]


def test_an_import_that_a_close_meets_is_whole_or_not_there(graph, open_runtime, tmp_path):
    """Wherever it is: among the records, in its commit, behind it."""
    with graph.batch() as batch:
        ids = {batch.add_record(type=OTHER, data=bytes(6000), lifetime=HOUR) for _ in range(1000)}
    graph.export_database(tmp_path / "export")
    for part in (0.1, 0.5, 0.9, 0.98, 0.99, 0.99, 0.99, 1):
        failures = []
        with open_runtime("elsewhere") as runtime:
            other = runtime.open_graph("film club", peer_id="alice", database=str(part))

            def run(other=other, failures=failures) -> None:
                try:
                    other.import_database(tmp_path / "export")
                except peergraph.PeerError as error:
                    failures.append(error.name)

            with other.events(Progress) as events:
                importing = threading.Thread(target=run)
                importing.start()
                wait_for(events, lambda event, part=part: event.done >= part * event.total)
                other.close()
                importing.join()
            again = runtime.open_graph("film club", peer_id="alice", database=str(part))
            found = set(contents(again)) if again.status & GraphStatus.SYNCHRONIZED else set()
            assert failures in ([], ["PEER_E_GRAPH_SHUTTING_DOWN"])
            assert found == (set() if failures else ids)
            again.close()
            runtime.delete_graph("film club", peer_id="alice", database=str(part))


def test_in_asyncio(exported, graph, tmp_path):
    async def main() -> None:
        async with (
            peergraph.aio.open_runtime(tmp_path / "async") as runtime,
            runtime.open_graph("film club", peer_id="alice") as other,
        ):
            await other.import_database(exported)
            assert {record.id async for record in other.records()} == set(contents(graph))
            await other.export_database(tmp_path / "again")
            with pytest.raises(peergraph.InvalidDatabase):
                await other.import_database(__file__)

    asyncio.run(main())
    assert pieces((tmp_path / "again").read_bytes())[-1] == pieces(exported.read_bytes())[-1]


def test_the_file_moves_to_another_place(exported, elsewhere, tmp_path, graph):
    shutil.move(exported, tmp_path / "moved")
    other = elsewhere()
    other.import_database(tmp_path / "moved")
    assert contents(other) == contents(graph)


def test_two_nodes_import_and_meet(exported, graph, open_runtime, elsewhere, tmp_path):
    other = elsewhere()
    other.import_database(exported)
    other.listen(scope=Scope.LOOPBACK)
    with open_runtime("bob").open_graph("film club", peer_id="bob") as bob:
        join(bob, other)
        assert contents(bob) == contents(graph)
