"""The Lua module as it is installed: found where Lua looks, and complete."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from install.tree import ROOT, Tree, run

SCRIPT = """
local peergraph = require "peergraph"
local runtime <close> = assert(peergraph.open_runtime((...)))
local graph <close> = assert(runtime:create_graph("film club", { peer_id = "alice" }))
local type = "6e6f7465-0000-4000-8000-000000000001"
local id = assert(graph:add_record { type = type, data = "a\\0b", attributes = { n = 1 }, lifetime = 60 })
local record = assert(graph:get_record(id))
assert(record.data == "a\\0b" and record.attributes.n == 1)
print(package.searchpath("peergraph", package.path), package.searchpath("peergraph.core", package.cpath))
"""


def test_lua_finds_the_installed_module(tree: Tree, tmp_path: Path) -> None:
    if not shutil.which("lua5.4") or not (ROOT / "build" / "dev" / "lua" / "peergraph" / "core.so").exists():
        pytest.skip("the Lua module is not built")
    script = tmp_path / "script.lua"
    script.write_text(SCRIPT, encoding="utf-8")
    scripts = tree.prefix / "share" / "lua" / "5.4"
    modules = tree.libraries / "lua" / "5.4"
    assert sorted(path.name for path in (scripts / "peergraph").iterdir()) == sorted(
        path.name for path in (ROOT / "lua" / "peergraph").iterdir()
    )
    found = run(
        *("lua5.4", script, tmp_path / "data"),
        LUA_PATH=f"{scripts}/?.lua;{scripts}/?/init.lua",
        LUA_CPATH=f"{modules}/?.so",
    )
    assert found.split() == [str(scripts / "peergraph" / "init.lua"), str(modules / "peergraph" / "core.so")]


def test_the_module_gives_away_nothing_but_its_entry(tree: Tree) -> None:
    module = tree.libraries / "lua" / "5.4" / "peergraph" / "core.so"
    if not module.exists():
        pytest.skip("the Lua module is not built")
    lines = run("nm", "-D", "--defined-only", module).splitlines()
    assert [line.split()[-1] for line in lines] == ["luaopen_peergraph_core"]
    assert "NODELETE" in run("readelf", "-d", module)


def test_cmake_says_what_to_install(tmp_path: Path) -> None:
    folder = tmp_path / "pkgconfig"
    folder.mkdir()
    for path in run("pkg-config", "--variable=pc_path", "pkg-config").strip().split(":"):
        for file in Path(path).glob("*.pc"):
            if not file.name.startswith("lua") and not (folder / file.name).exists():
                (folder / file.name).symlink_to(file)
    environment = {"PKG_CONFIG_LIBDIR": folder, "PKG_CONFIG_PATH": os.devnull}
    command = ("cmake", "-S", ROOT, "-B", tmp_path / "build", "-G", "Ninja", "-DPEER_TESTS=OFF")
    run(*command, **environment)
    with pytest.raises(AssertionError) as caught:
        run(*command, "-DPEER_LUA=ON", **environment)
    line = "Lua 5.4 is missing: apt install liblua5.4-dev | dnf install lua-devel | brew install lua"
    assert [text.strip() for text in str(caught.value).splitlines()].count(line) == 1
