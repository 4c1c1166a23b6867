"""Where the programs of these tests are, and what they need to be found."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
BUILD = Path(os.environ.get("PEERGRAPH_BUILD", ROOT / "build" / "dev"))
C_PEER = BUILD / "tests" / "together" / "peer"
LUA_MODULE = BUILD / "lua" / "peergraph" / "core.so"
LUA = shutil.which("lua5.4")


def needs(*files: Path) -> None:
    """Skips a test where `./dev test` has not built what it is about."""
    missing = [str(file) for file in files if not file.exists()]
    if missing or not LUA:
        pytest.skip(f"./dev test builds what is missing: {', '.join(missing) or 'lua5.4'}")


def lua_environment() -> dict[str, str]:
    return os.environ | {
        "LUA_PATH": f"{ROOT}/lua/?.lua;{ROOT}/lua/?/init.lua;;",
        "LUA_CPATH": f"{BUILD}/lua/?.so;;",
    }
