"""Addresses of a machine that come and go while a graph listens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from python.scene import PROGRAM_PATIENCE, python_path

pytestmark = pytest.mark.processes


@pytest.mark.skipif(sys.platform != "linux", reason="needs network namespaces")
@pytest.mark.parametrize("scope", ["GLOBAL", "SITELOCAL"])
def test_others_hear_where_a_machine_is_now(tmp_path, scope):
    result = subprocess.run(
        [sys.executable, Path(__file__).with_name("elsewhere.py"), tmp_path, scope],
        env=os.environ | {"PYTHONPATH": python_path()},
        capture_output=True,
        text=True,
        timeout=PROGRAM_PATIENCE,
    )
    assert result.returncode == 0, result.stderr
    said = [json.loads(line) for line in result.stdout.splitlines()]
    if "skipped" in said[0]:
        pytest.skip(said[0]["skipped"])
    assert said == [["10.9.9.1"], ["10.9.9.1", "192.168.9.2"], ["192.168.9.2"], ["192.168.9.2", "172.16.9.3"]]
