"""Databases and folders that are not as they should be: a clear error that names the file, and nothing crashes."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import peergraph
import pytest
from peergraph import GraphStatus, NeighbourConnection
from python.scene import HOUR, NOTE, PROGRAM_PATIENCE, wait_for

pytestmark = pytest.mark.processes

RECORDS = 4000  # more than the cache of SQLite holds


def path_of(folder: Path) -> Path:
    (path,) = (folder / "graphs").glob("*.db")
    return path


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    """A folder with a database of some MB, closed in order."""
    folder = tmp_path_factory.mktemp("template") / "data"
    with peergraph.open_runtime(folder) as runtime, runtime.create_graph("g", peer_id="p") as graph:
        for _ in range(RECORDS // 1000):
            with graph.batch() as batch:
                for _ in range(1000):
                    batch.add_record(type=NOTE, data=bytes(1000), lifetime=HOUR)
    return folder


@pytest.fixture
def folder(template, tmp_path) -> Path:
    shutil.copytree(template, tmp_path / "data")
    return tmp_path / "data"


def overwrite(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def use(graph: peergraph.Graph) -> None:
    """Everything that reads and writes."""
    for record in graph.records():
        assert record.data is not None
    for number in range(500):
        graph.add_record(type=NOTE, data=b"%d" % number, lifetime=HOUR)


def assert_says_so(error: peergraph.InvalidDatabase, path: Path, *words: str) -> None:
    assert str(path) in str(error)
    assert "\n" not in str(error)
    for word in words:
        assert word in str(error)


# Each makes of a database something else; the words are what the error says.
UNUSABLE = {
    "the start": (lambda path: overwrite(path, 0, bytes(100)), ("not a database of peergraph", "move it")),
    "all of it": (lambda path: path.write_bytes(b"notes " * 1000), ("not a database of peergraph", "move it")),
    "another program's": (
        lambda path: (path.unlink(), sqlite3.connect(path).execute("CREATE TABLE a (b)").connection.close()),
        ("not a database of peergraph", "move it"),
    ),
    "a newer version's": (
        lambda path: overwrite(path, 60, (99).to_bytes(4, "big")),
        ("newer version", "99", "use that version"),
    ),
    "the schema": (lambda path: overwrite(path, 100, b"\xa5" * 3996), ("damaged", "remove it")),
}


@pytest.mark.parametrize("damage", UNUSABLE)
def test_a_database_that_cannot_be_opened(folder, damage):
    destroy, words = UNUSABLE[damage]
    path = path_of(folder)
    destroy(path)
    before = path.read_bytes()
    with peergraph.open_runtime(folder) as runtime, runtime.create_graph("another", peer_id="p") as another:
        with pytest.raises(peergraph.InvalidDatabase) as caught:
            runtime.open_graph("g", peer_id="p")
        assert_says_so(caught.value, path, *words)
        assert path.read_bytes() == before  # it is left as it is
        use(another)
        runtime.delete_graph("g", peer_id="p")
        with runtime.open_graph("g", peer_id="p") as graph:  # and the way out works
            assert graph.is_new


def middle(path: Path) -> None:
    size = path.stat().st_size
    for at in range(size // 4096 // 2 * 4096, size - 4096, 8192):
        overwrite(path, at, b"\xa5" * 4096)


def truncated(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


@pytest.mark.parametrize("damage", [middle, truncated])
def test_a_database_that_is_damaged_further_in(folder, damage):
    path = path_of(folder)
    damage(path)
    with peergraph.open_runtime(folder) as runtime, runtime.create_graph("another", peer_id="p") as another:
        with pytest.raises(peergraph.InvalidDatabase) as caught, runtime.open_graph("g", peer_id="p") as graph:
            use(graph)
        assert_says_so(caught.value, path, "damaged", "remove it")
        use(another)


def test_a_database_that_was_emptied(tmp_path, folder):
    with peergraph.open_runtime(folder) as runtime, runtime.open_graph("g", peer_id="p") as graph:
        graph.add_record(type=NOTE, data=b"in the journal", lifetime=HOUR)
        shutil.copytree(folder, tmp_path / "copy")
    path = path_of(tmp_path / "copy")
    os.truncate(path, 0)
    with peergraph.open_runtime(tmp_path / "copy") as runtime:
        with pytest.raises(peergraph.InvalidDatabase) as caught:
            runtime.open_graph("g", peer_id="p")
        assert_says_so(caught.value, path, "empty", "remove it")
    assert path.with_name(path.name + "-wal").stat().st_size > 0


def test_an_empty_file_is_a_database_that_was_never_made(folder):
    os.truncate(path_of(folder), 0)
    with peergraph.open_runtime(folder) as runtime, runtime.open_graph("g", peer_id="p") as graph:
        assert graph.is_new


@pytest.mark.parametrize("part", ["start", "middle"])
def test_rubbish_in_the_journal(tmp_path, folder, part):
    """What the journal held in good order before it is used, the rest cannot be; what was moved out of it is safe."""
    with peergraph.open_runtime(folder) as runtime, runtime.open_graph("g", peer_id="p") as graph:
        before = {record.id for record in graph.records()}
        for number in range(200):
            graph.add_record(type=NOTE, data=b"%d" % number, lifetime=HOUR)
        after = {record.id for record in graph.records()}
        shutil.copytree(folder, tmp_path / "copy")
    path = path_of(tmp_path / "copy")
    journal = path.with_name(path.name + "-wal")
    size = journal.stat().st_size
    overwrite(journal, 0 if part == "start" else size // 2, b"\xa5" * (size // 4))
    with peergraph.open_runtime(tmp_path / "copy") as runtime, runtime.open_graph("g", peer_id="p") as graph:
        found = {record.id for record in graph.records()}
        assert before <= found < after
        assert (len(found) > len(before)) == (part == "middle")
        use(graph)
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    database.close()


def test_damage_while_it_is_open(folder, open_runtime):
    """Calls say so, events say so, the neighbour is told nothing that is not so."""
    path = path_of(folder)
    with peergraph.open_runtime(folder) as runtime, runtime.open_graph("g", peer_id="p") as graph:
        graph.listen(scope=peergraph.Scope.LOOPBACK)
        middle(path)
        with pytest.raises(peergraph.InvalidDatabase) as caught:
            use(graph)
        assert_says_so(caught.value, path, "damaged", "remove it")
        with (
            open_runtime("bob").open_graph("g", peer_id="bob") as bob,
            graph.events(NeighbourConnection) as events,
        ):
            bob.begin_connect(graph.address)
            event = wait_for(events, lambda event: event.error is not None)
            assert isinstance(event.error, peergraph.InvalidDatabase)
            assert_says_so(event.error, path, "damaged")
            assert GraphStatus.SYNCHRONIZED not in bob.status


@pytest.mark.parametrize("removal", [lambda path: path.unlink(), lambda path: path.rename(f"{path}.moved")])
def test_a_database_that_is_removed_while_it_is_open(folder, removal):
    """What would be written now would be lost: it is not acknowledged."""
    path = path_of(folder)
    with peergraph.open_runtime(folder) as runtime, runtime.open_graph("g", peer_id="p") as graph:
        removal(path)
        with pytest.raises(peergraph.InvalidDatabase) as caught:
            graph.add_record(type=NOTE, lifetime=HOUR)
        assert_says_so(caught.value, path, "removed or replaced")
        assert len(list(graph.records())) == RECORDS


# -- folders that refuse -----------------------------------------------------------------------------------------------


def without_privileges(script: str, *arguments: object) -> None:
    """Runs a script to which the permissions of files apply, also where the tests run as root."""
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", script, *map(str, arguments)]
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            pytest.skip("root is refused nothing here")
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all", *command]
    result = subprocess.run(command, capture_output=True, text=True, timeout=PROGRAM_PATIENCE, check=False)
    assert result.returncode == 0, result.stderr


REFUSED = """
import sys, peergraph
folder, named, error = sys.argv[1:]
try:
    with peergraph.open_runtime(folder) as runtime:
        runtime.open_graph("g", peer_id="p").close()
except peergraph.PeerError as caught:
    assert type(caught).__name__ == error, repr(caught)
    assert named in str(caught) and "\\n" not in str(caught), caught
else:
    sys.exit("nothing was refused")
"""


@pytest.mark.parametrize("mode", [0o500, 0o000])
def test_a_folder_that_may_not_be_written(folder, mode):
    folder.chmod(mode)
    without_privileges(REFUSED, folder, folder, "AccessDenied")
    folder.chmod(0o700)
    (folder / "graphs").chmod(mode)
    without_privileges(REFUSED, folder, folder / "graphs", "AccessDenied")
    (folder / "graphs").chmod(0o700)


def test_a_folder_that_may_not_be_made(tmp_path):
    (tmp_path / "above").mkdir(mode=0o500)
    without_privileges(REFUSED, tmp_path / "above" / "data", tmp_path / "above" / "data", "AccessDenied")


@pytest.mark.parametrize("mode", [0o400, 0o000])
def test_a_database_that_may_not_be_written(folder, mode):
    path_of(folder).chmod(mode)
    without_privileges(REFUSED, folder, path_of(folder), "DatabaseAccessDenied")


def test_a_file_system_that_is_read_only(folder):
    unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    if not shutil.which("unshare") or subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    mount = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && exec "$0" -c "$2" "$1" "$1" AccessDenied'
    command = [*unshare, "sh", "-c", mount, sys.executable, str(folder), REFUSED]
    result = subprocess.run(command, capture_output=True, text=True, timeout=PROGRAM_PATIENCE, check=False)
    assert result.returncode == 0, result.stderr


def test_a_folder_that_is_missing_is_made(tmp_path):
    with peergraph.open_runtime(tmp_path / "not" / "there" / "yet") as runtime:
        runtime.create_graph("g", peer_id="p").close()


def test_a_file_in_place_of_a_folder(folder):
    shutil.rmtree(folder / "graphs")
    (folder / "graphs").write_text("a note")
    with pytest.raises(peergraph.AccessDenied) as caught:
        peergraph.open_runtime(folder)
    assert str(folder / "graphs") in str(caught.value)
    assert (folder / "graphs").read_text() == "a note"
