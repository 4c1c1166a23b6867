"""Users, partitions, crashes and full disks by chance: folders end equal, and what nobody did away with is still there.

PEER_FOLDER_SEED replays a seed; PEER_FOLDER_RUNS and PEER_FOLDER_STEPS make it longer.
"""

from __future__ import annotations

import os

import pytest
from folder_world import World, killable, slow
from peergraph._virtual_loop import VirtualLoop
from state import State

SEED = int(os.environ.get("PEER_FOLDER_SEED", "1"))
RUNS = int(os.environ.get("PEER_FOLDER_RUNS", "4"))
STEPS = int(os.environ.get("PEER_FOLDER_STEPS", "40"))


@pytest.mark.parametrize("seed", range(SEED, SEED + RUNS))
def test_folders_end_equal_and_nothing_is_lost(seed, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: None)  # no loss of power here
    monkeypatch.setattr(State, "commit", killable(State.commit))
    world = World(seed, tmp_path, delay=2.0 if seed % 2 else 0.2)
    with world.network:
        monkeypatch.setattr(VirtualLoop, "run_in_executor", slow(world))
        try:
            world.go(STEPS)
        except BaseException:
            print(f"PEER_FOLDER_SEED={seed} PEER_FOLDER_RUNS=1 PEER_FOLDER_STEPS={STEPS}", *world.log, sep="\n")
            raise
