"""The program in the README works as it is printed; only the address is another."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from uuid import UUID

import peergraph
import pytest
from python.scene import HOUR, OTHER, PATIENCE, wait_for

pytestmark = pytest.mark.processes

README = Path(__file__).parents[2] / "README.md"
# Who runs the tests in the background may have made them ignore Ctrl-C, and children inherit that.
HEEDS_CTRL_C = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"


def test_the_program_in_the_readme_runs(create_graph, tmp_path):
    (program,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    note = UUID(re.search(r'UUID\("(.*?)"\)', program).group(1))
    alice = create_graph("alice")
    assert "192.0.2.1:5000" in program
    for _ in range(8):  # so much that a program that does not wait for it is always too early
        with alice.batch() as batch:
            for _ in range(1000):
                batch.add_record(type=OTHER, data=bytes(1000), lifetime=HOUR)
    with alice.events(peergraph.RecordChanged, record_type=note) as events:
        process = subprocess.Popen(
            [sys.executable, "-c", HEEDS_CTRL_C + program.replace("192.0.2.1:5000", alice.address)],
            env=os.environ | {"XDG_DATA_HOME": str(tmp_path / "bob"), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        killer = threading.Timer(PATIENCE, process.kill)
        killer.start()
        try:
            record = wait_for(events, lambda event: isinstance(event, peergraph.RecordChanged)).record
            assert (record.data, record.creator_id, record.attributes) == (b"hello", "bob", {"room": "lobby"})
            stop = threading.Event()

            def talk() -> None:  # it listens for events only after its own record
                while not stop.wait(0.1):
                    alice.add_record(type=note, data=b"welcome", lifetime=HOUR)

            talker = threading.Thread(target=talk)
            talker.start()
            try:
                line = process.stdout.readline()
            finally:
                stop.set()
                talker.join()
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate()
        finally:
            killer.cancel()
            process.kill()
            process.communicate()
    assert line.startswith(f"RecordChanged(added, type={note}, creator='alice'"), (line, errors)
    assert errors.strip().endswith("KeyboardInterrupt")
