"""A disk that is really full: a small file system of its own, mounted in a namespace that only the test sees. And disks
that fail in other ways, by a library that is preloaded.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys

import pytest
from python.scene import PROGRAM_PATIENCE, python_path

pytestmark = pytest.mark.processes

IN_A_NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]

SCRIPT = """
import subprocess, sys, uuid
from datetime import timedelta
import peergraph
from peergraph import GraphStatus, RecordChanged, RecordChange, StatusChanged
from python.scene import NOTE, join, wait_for, wait_until

folder = sys.argv[1]
small = folder + "/small"
HOUR = timedelta(hours=1)
BULK = bytes(100_000)

def resize(size, *options):
    subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join([*options, "size=" + size]), "tmpfs", small], check=True)

resize("6m")
with peergraph.open_runtime(small) as at_alice, peergraph.open_runtime(folder + "/big") as at_bob, \\
     at_alice.create_graph("g", peer_id="alice") as alice, at_bob.open_graph("g", peer_id="bob") as bob:
    alice.listen(scope=peergraph.Scope.LOOPBACK)
    join(bob, alice)
    status = alice.events(StatusChanged)
    seen_by_bob = bob.events(RecordChanged)
    kept = {alice.add_record(type=NOTE, data=b"to be deleted", lifetime=HOUR) for _ in range(12)}
    doomed = list(kept)
    large = alice.add_record(type=NOTE, data=bytes(1_500_000), lifetime=HOUR)  # more than is kept
    doomed.insert(0, large)
    kept.add(large)
    while True:
        try:
            kept.add(alice.add_record(type=NOTE, data=BULK, lifetime=HOUR))
        except peergraph.DiskFull as error:
            assert small in str(error), error
            assert "\\n" not in str(error)
            break
    assert GraphStatus.STORAGE_FULL in alice.status
    assert GraphStatus.SYNCHRONIZED in alice.status  # it has missed nothing yet
    wait_until(status, lambda: GraphStatus.STORAGE_FULL in alice.status)
    wait_until(seen_by_bob, lambda: {record.id for record in bob.records()} == kept)

    sent = {bob.add_record(type=NOTE, data=bytes([n]) * 1000, lifetime=HOUR) for n in range(50)}
    wait_until(status, lambda: GraphStatus.SYNCHRONIZED not in alice.status)
    assert {record.id for record in alice.records()} == kept
    for id in doomed:
        alice.delete_record(id)
        kept.remove(id)
    wait_until(seen_by_bob, lambda: {record.id for record in bob.records()} == kept | sent)
    try:
        alice.add_record(type=NOTE, data=b"what is left is for deletions", lifetime=HOUR)
        raise SystemExit("stored in the room for deletions")
    except peergraph.DiskFull:
        pass

    resize("64m", "remount")
    wait_for(status, lambda event: event.status & (GraphStatus.SYNCHRONIZED | GraphStatus.STORAGE_FULL)
                                   == GraphStatus.SYNCHRONIZED)
    assert GraphStatus.SYNCHRONIZED in alice.status and GraphStatus.STORAGE_FULL not in alice.status
    assert {record.id for record in alice.records()} == kept | sent
    kept.add(alice.add_record(type=NOTE, data=BULK, lifetime=HOUR))
    status.close(), seen_by_bob.close()

with peergraph.open_runtime(small) as at_alice, at_alice.open_graph("g", peer_id="alice") as alice:
    assert {record.id for record in alice.records()} == kept | sent
"""


def test_a_full_disk(tmp_path):
    if (
        not shutil.which("unshare")
        or subprocess.run([*IN_A_NAMESPACE, "true"], check=False, capture_output=True).returncode
    ):
        pytest.skip("no file system can be mounted here")
    (tmp_path / "small").mkdir()
    environment = ["env", f"PYTHONPATH={python_path()}"]
    command = [*IN_A_NAMESPACE, *environment, sys.executable, "-X", "dev", "-W", "error", "-c", SCRIPT]
    result = subprocess.run(
        [*command, str(tmp_path)], capture_output=True, text=True, timeout=PROGRAM_PATIENCE, check=False
    )
    assert result.returncode == 0, result.stderr


FAILING = """
import os, sys
import peergraph
from peergraph import GraphStatus, RecordChanged, StatusChanged
from python.scene import HOUR, NOTE, join, wait_until

folder, code, error = sys.argv[1:]

with peergraph.open_runtime(folder + "/alice") as at_alice, peergraph.open_runtime(folder + "/bob") as at_bob, \\
     at_bob.create_graph("g", peer_id="bob") as bob:
    bob.listen(scope=peergraph.Scope.LOOPBACK)
    with at_alice.open_graph("g", peer_id="alice") as alice, alice.events(RecordChanged, StatusChanged) as events:
        join(alice, bob)
        kept = {alice.add_record(type=NOTE, data=bytes(5000), lifetime=HOUR) for _ in range(20)}
        before = {record.id: record.data for record in alice.records()}
        with open(os.environ["FAIL_WRITE"], "w") as file:
            file.write(code)
        for number in range(3):
            try:
                alice.add_record(type=NOTE, data=bytes(5000), lifetime=HOUR)
                sys.exit("it was stored")
            except peergraph.PeerError as caught:
                assert type(caught).__name__ == error, repr(caught)
                assert folder + "/alice/graphs" in str(caught) and "\\n" not in str(caught), caught
        assert {record.id: record.data for record in alice.records()} == before  # reading goes on
        sent = bob.add_record(type=NOTE, lifetime=HOUR)
        wait_until(events, lambda: GraphStatus.SYNCHRONIZED not in alice.status)
        assert {record.id for record in alice.records()} == kept
        os.unlink(os.environ["FAIL_WRITE"])
        kept.add(alice.add_record(type=NOTE, data=b"again", lifetime=HOUR))
        kept.add(sent)
        wait_until(events, lambda: {record.id for record in alice.records()} == kept)
        wait_until(events, lambda: GraphStatus.SYNCHRONIZED in alice.status)
    with at_alice.open_graph("g", peer_id="alice") as alice:
        assert {record.id for record in alice.records()} == kept
"""

CODES = {"ENOSPC": "DiskFull", "EDQUOT": "DiskFull", "EROFS": "DatabaseAccessDenied", "EIO": "InternalError"}


@pytest.mark.parametrize("name", CODES)
def test_a_disk_that_fails(name, tmp_path, preload):
    environment = os.environ | {
        "PYTHONPATH": python_path(),
        "LD_PRELOAD": preload("fail_write.c"),
        "FAIL_WRITE": str(tmp_path / "fail"),
    }
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", FAILING, str(tmp_path)]
    command += [str(getattr(errno, name)), CODES[name]]
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=PROGRAM_PATIENCE, check=False, env=environment
    )
    assert result.returncode == 0, result.stderr
