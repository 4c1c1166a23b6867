"""Export and import that are interrupted: by kill -9, by a full disk, by a disk that fails. There is nothing half."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import peergraph
import pytest
from python.scene import HOUR, NOTE, PROGRAM_PATIENCE, python_path

pytestmark = pytest.mark.processes

COUNT = 400

EXPORT = """
import sys
import peergraph
with peergraph.open_runtime(sys.argv[1]) as runtime, runtime.open_graph("g", peer_id="alice") as graph:
    graph.export_database(sys.argv[2])
"""

IMPORT = """
import sys
import peergraph
with peergraph.open_runtime(sys.argv[1]) as runtime, runtime.open_graph("g", peer_id="alice") as graph:
    graph.import_database(sys.argv[2])
"""


@pytest.fixture
def made(tmp_path) -> Path:
    """A folder with a database of many records."""
    with (
        peergraph.open_runtime(tmp_path / "made") as runtime,
        runtime.create_graph("g", peer_id="alice") as graph,
        graph.batch() as batch,
    ):
        for number in range(COUNT):
            batch.add_record(type=NOTE, data=b"%d" % number + bytes(5000), lifetime=HOUR)
    return tmp_path / "made"


def run(script: str, *arguments: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", script, *map(str, arguments)]
    surroundings = os.environ | {"PYTHONPATH": python_path()} | environment
    return subprocess.run(
        command, capture_output=True, text=True, timeout=PROGRAM_PATIENCE, check=False, env=surroundings
    )


def dying(preload: Callable[[str], str], suffix: str, at: int) -> dict[str, str]:
    return {"LD_PRELOAD": preload("die_in_write.c"), "DIE_SUFFIX": suffix, "DIE_AT": str(at)}


def test_a_killed_export_leaves_the_file_as_it_was(made, tmp_path, preload):
    path = tmp_path / "export"
    for before in (None, b"what was there before"):
        if before:
            path.write_bytes(before)
        for at in (1, 2, 5, 8):
            assert run(EXPORT, made, path, **dying(preload, ".part", at)).returncode == -signal.SIGKILL
            assert (path.read_bytes() if path.exists() else None) == before
    result = run(EXPORT, made, path)
    assert result.returncode == 0, result.stderr
    assert sorted(each.name for each in tmp_path.glob("export*")) == ["export"]
    assert run(IMPORT, tmp_path / "other", path).returncode == 0
    with peergraph.open_runtime(tmp_path / "other") as runtime, runtime.open_graph("g", peer_id="alice") as graph:
        assert len(list(graph.records())) == COUNT


def test_a_killed_import_has_done_nothing(made, tmp_path, preload):
    path = tmp_path / "export"
    assert run(EXPORT, made, path).returncode == 0
    places = [1, 20, 50, 90, 140, 200]
    died = 0
    for at in places:
        folder = tmp_path / f"killed at {at}"
        with peergraph.open_runtime(folder) as runtime, runtime.open_graph("g", peer_id="alice"):
            pass
        result = run(IMPORT, folder, path, **dying(preload, "-wal", at))
        died += result.returncode == -signal.SIGKILL
        with peergraph.open_runtime(folder) as runtime, runtime.open_graph("g", peer_id="alice") as graph:
            if result.returncode:
                assert graph.is_new
                assert not graph.status
                graph.import_database(path)
            assert len(list(graph.records())) == COUNT
    assert died >= len(places) - 1


FAILING = """
import os, sys
import peergraph
from peergraph import GraphStatus, StatusChanged
from python.scene import wait_until

folder, path, code, error = sys.argv[1:]
with peergraph.open_runtime(folder + "/alice") as runtime, runtime.open_graph("g", peer_id="alice") as graph:
    with open(os.environ["FAIL_WRITE"], "w") as file:
        file.write(code)
    for _ in range(2):
        try:
            graph.import_database(path)
            sys.exit("it was imported")
        except peergraph.PeerError as caught:
            assert type(caught).__name__ == error, repr(caught)
            assert "\\n" not in str(caught), caught
        assert GraphStatus.SYNCHRONIZED not in graph.status
    os.unlink(os.environ["FAIL_WRITE"])
    with graph.events(StatusChanged) as events:
        wait_until(events, lambda: not graph.status)
    graph.import_database(path)
    assert graph.status == GraphStatus.SYNCHRONIZED
    assert len(list(graph.records())) == 400
"""

CODES = {"ENOSPC": "DiskFull", "EIO": "InternalError"}


@pytest.mark.parametrize("name", CODES)
def test_a_disk_that_fails_under_an_import(name, made, tmp_path, preload):
    path = tmp_path / "export"
    assert run(EXPORT, made, path).returncode == 0
    shim = {"LD_PRELOAD": preload("fail_write.c"), "FAIL_WRITE": str(tmp_path / "fail")}
    result = run(FAILING, tmp_path, path, Path(str(getattr(errno, name))), Path(CODES[name]), **shim)
    assert result.returncode == 0, result.stderr


IN_A_NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]

FULL = """
import os, subprocess, sys
import peergraph
from peergraph import GraphStatus

made, folder = sys.argv[1:]
small = folder + "/small"
os.mkdir(small)
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small], check=True)
with peergraph.open_runtime(made) as runtime, runtime.open_graph("g", peer_id="alice") as graph:
    with open(small + "/export", "wb") as file:
        file.write(b"what was there before")
    for _ in range(2):
        try:
            graph.export_database(small + "/export")
            sys.exit("it was exported")
        except peergraph.DiskFull as error:
            assert error.name == "PEER_E_DISK_FULL" and small in str(error) and "\\n" not in str(error), error
        assert os.listdir(small) == ["export"]
        with open(small + "/export", "rb") as file:
            assert file.read() == b"what was there before"
    assert graph.status == GraphStatus.SYNCHRONIZED  # it was not the database's disk
    subprocess.run(["mount", "-t", "tmpfs", "-o", "remount,size=16m", "tmpfs", small], check=True)
    graph.export_database(small + "/export")
    assert os.listdir(small) == ["export"]
"""


def test_an_export_to_a_full_disk(made, tmp_path):
    if (
        not shutil.which("unshare")
        or subprocess.run([*IN_A_NAMESPACE, "true"], check=False, capture_output=True).returncode
    ):
        pytest.skip("no file system can be mounted here")
    command = [*IN_A_NAMESPACE, "env", f"PYTHONPATH={python_path()}", sys.executable, "-X", "dev", "-W", "error"]
    result = subprocess.run(
        [*command, "-c", FULL, str(made), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=PROGRAM_PATIENCE,
        check=False,
    )
    assert result.returncode == 0, result.stderr


LARGE = """
import resource, sys
import peergraph

def high_water():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) // 1024

folder, path = sys.argv[1:]
with peergraph.open_runtime(folder + "/other") as runtime, runtime.open_graph("g", peer_id="alice") as graph:
    idle = high_water()
    graph.import_database(path)
    after_import = high_water()
    graph.export_database(path + " again")
    print(after_import - idle, high_water() - idle)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_100000_records_in_little_memory(tmp_path):
    with peergraph.open_runtime(tmp_path / "made") as runtime, runtime.create_graph("g", peer_id="alice") as graph:
        for _ in range(100):
            with graph.batch() as batch:
                for _ in range(1000):
                    batch.add_record(type=NOTE, data=os.urandom(1000), lifetime=HOUR)
        graph.export_database(tmp_path / "export")
    result = run(LARGE, tmp_path, tmp_path / "export")
    assert result.returncode == 0, result.stderr
    by_import, by_both = map(int, result.stdout.split())
    assert (tmp_path / "export").stat().st_size > 110_000_000
    assert (tmp_path / "export again").stat().st_size == (tmp_path / "export").stat().st_size
    assert by_import < 48, f"{by_import} MiB"  # a cache of 16 MiB under bulk, and the index of its journal
    assert by_both < 48, f"{by_both} MiB"
