"""What ./dev and pytest do with what hangs, crashes, or leaves something behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from structure.checks import ROOT

DEV = """
import importlib.machinery, importlib.util, sys
loader = importlib.machinery.SourceFileLoader("dev", sys.argv[1])
dev = importlib.util.module_from_spec(importlib.util.spec_from_loader("dev", loader))
loader.exec_module(dev)
"""
LEAVES_A_PROCESS = """
import subprocess, sys
pause = [sys.executable, "-c", "import signal; signal.pause()"]
child = subprocess.Popen(pause, start_new_session=sys.platform == "linux")
"""
HANGS = """
import faulthandler, sys, threading
faulthandler.enable()
def waits():
    open(sys.argv[1], "w").close()
    threading.Event().wait()
waits()
"""
THE_TIME_IS_OVER_WHEN_IT_WAITS = """
has_ended = dev.has_ended
dev.has_ended = lambda process, s: open(sys.argv[3]).close() if s == dev.STEP_MINUTES * 60 else has_ended(process, s)
"""


def dev(script: str, *arguments: str | Path, before: str = "") -> subprocess.CompletedProcess[str]:
    """Ends only when nobody has the pipes of the output any more."""
    return subprocess.run(
        [sys.executable, "-B", "-c", before + DEV + script, ROOT / "dev", *arguments],
        env=os.environ | {"PEER_STEP_MINUTES": "25"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def fifo(tmp_path) -> Path:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    return path


def test_a_step_that_hangs_is_shown_and_ended_with_all_that_it_started(fifo):
    script = THE_TIME_IS_OVER_WHEN_IT_WAITS + "dev.show(sys.executable, '-c', *sys.argv[2:])"
    result = dev(script, LEAVES_A_PROCESS + HANGS, fifo)
    assert result.returncode == 1
    assert "hangs: not ended after 25 minutes" in result.stdout
    assert "in waits" in result.stderr
    assert f"./dev: hung: {sys.executable}" in result.stderr


def test_a_silent_step_that_hangs_shows_what_it_said(fifo):
    script = THE_TIME_IS_OVER_WHEN_IT_WAITS + "dev.run(sys.executable, '-uc', *sys.argv[2:])"
    result = dev(script, "print('so far')\n" + HANGS, fifo)
    assert result.returncode == 1
    assert "so far" in result.stdout
    assert "in waits" in result.stdout
    assert f"./dev: hung: {sys.executable}" in result.stderr


def test_a_step_leaves_nothing_behind():
    result = dev("print(dev.show(sys.executable, '-c', sys.argv[2]))", LEAVES_A_PROCESS)
    assert (result.returncode, result.stdout, result.stderr) == (0, "True\n", "")


def test_what_was_there_before_stays():
    script = "dev.show('true')\nprint(child.poll(), flush=True)\nchild.kill()\nchild.wait()"
    result = dev(script, before=LEAVES_A_PROCESS)
    assert (result.returncode, result.stdout, result.stderr) == (0, "None\n", "")


def test_a_step_that_is_killed_has_failed():
    result = dev("print(dev.show(sys.executable, '-c', sys.argv[2]))", "import os; os.kill(os.getpid(), 9)")
    assert (result.returncode, result.stdout) == (0, "False\n")


def test_who_ends_dev_ends_its_step():
    script = "import signal\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(9))\n"
    tells = LEAVES_A_PROCESS + "import os, signal\nos.kill(os.getppid(), signal.SIGTERM)\nsignal.pause()\n"
    result = dev(script + "dev.show(sys.executable, '-c', sys.argv[2])", tells)
    assert result.returncode == 9


def test_a_test_that_hangs_in_c_after_a_failure_is_ended_and_shown(tmp_path):
    (tmp_path / "test_it.py").write_text(
        "import ctypes, pytest\n"
        "@pytest.fixture\n"
        "def hanging():\n"
        "    yield\n"
        "    ctypes.PyDLL(None).pause()  # keeps the interpreter for itself\n"
        "def test_it(hanging): assert False\n"
    )
    options = "-q -p conftest -n 1 --dist loadfile --max-worker-restart 0 --timeout 5".split()
    command = [sys.executable, "-m", "pytest", *options, tmp_path]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "tests")}
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert "in hanging" in result.stderr
    assert "crashed while running 'test_it.py::test_it'" in result.stdout
