"""The end of a Lua script, however it comes, and forks.

Each script has a runtime open, is connected to a node in this process that changes records without pause, and ends in
its own way. PEERGRAPH_ENDINGS sets how often (100 is the acceptance run).
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import peergraph
import pytest
from together.places import BUILD, LUA, LUA_MODULE, lua_environment, needs

TIMES = int(os.environ.get("PEERGRAPH_ENDINGS", "2"))
PATIENCE = 60.0
LIMIT = PATIENCE if TIMES < 100 else 3.0
"""Seconds that the end may take; how fast it is shows a quiet machine only, as the acceptance run needs one."""
NOTE = UUID("6e6f7465-0000-4000-8000-000000000001")
FORK_MODULE = BUILD / "lua" / "process.so"

TRAFFIC = """
local peergraph = require "peergraph"
local folder, address = ...
local NOTE = "6e6f7465-0000-4000-8000-000000000001"
local runtime = assert(peergraph.open_runtime(folder))
local graph = assert(runtime:open_graph("g", { peer_id = "bob" }))
local events = assert(graph:events { "record_changed" })
assert(graph:connect(address))
assert(graph:synchronized(60))
for _ = 1, 50 do
  assert(events:get(60))
end
for index = 1, 50 do
  assert(graph:add_record { type = NOTE, data = ("x"):rep(1000 * index), lifetime = 60 })
end
io.write("running\\n")
io.stdout:flush()
"""

LUV = """
local uv = require "luv"
local watcher = require("peergraph.luv").each(events, function()
  %s
end)
uv.run()
"""

ENDINGS = {
    "end of script": ("", 0),
    "return": ("do return end", 0),
    "os.exit": ("os.exit(7)", 7),
    "os.exit that closes": ("os.exit(5, true)", 5),
    "error": ("error('on purpose')", 1),
    "error in a coroutine": ("coroutine.wrap(function() error('on purpose') end)()", 1),
    "a failed assert": ("assert(graph:connect('nonsense'))", 1),
    "os.exit in a loop over events": ("for event in events do os.exit(6) end", 6),
    "Ctrl-C": ("for event in assert(graph:events { 'property_changed' }) do end", 1),
    "os.exit in luv": (LUV % "os.exit(4)", 4),
    "os.exit in luv that closes": (LUV % "os.exit(3, true)", 3),
    "luv stopped with everything open": (LUV % "uv.stop()", 0),
    "ends of scopes": ("do local a <close>, b <const> = runtime, 1 end; local c <close> = events", 0),
    "closed in order": ("events:close() graph:close() runtime:close()", 0),
    "closed the other way round": ("runtime:close() graph:close() events:close()", 0),
    "dropped": ("runtime, graph, events = nil, nil, nil; collectgarbage() collectgarbage() os.exit(2)", 2),
}
MESSAGES = {
    "error": "on purpose",
    "error in a coroutine": "on purpose",
    "a failed assert": "nonsense",
    "Ctrl-C": "interrupted!",
}


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    """Where a node listens whose records change all the time."""
    needs(LUA_MODULE, FORK_MODULE)
    runtime = peergraph.open_runtime(tmp_path_factory.mktemp("alice"))
    with runtime, runtime.create_graph("g", peer_id="alice") as graph:
        graph.listen(scope=peergraph.Scope.LOOPBACK)
        lifetime = timedelta(days=1)  # longer than any acceptance run
        ids = [graph.add_record(type=NOTE, data=bytes(1000), lifetime=lifetime) for _ in range(100)]
        stop = threading.Event()

        def traffic() -> None:
            while not stop.is_set():
                for record_id in ids:
                    graph.update_record(record_id, data=os.urandom(1000))

        thread = threading.Thread(target=traffic)
        thread.start()
        try:
            yield graph.address
        finally:
            stop.set()
            thread.join()


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_script_ends_with_its_own_status(ending, address, tmp_path):
    code, status = ENDINGS[ending]
    script = tmp_path / "script.lua"
    script.write_text(TRAFFIC + code, encoding="utf-8")
    for time_ in range(TIMES):
        command = [LUA, script, tmp_path / str(time_), address]
        environment = lua_environment()
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        ) as process:
            killer = threading.Timer(PATIENCE, process.kill)
            killer.start()
            try:
                assert process.stdout.readline() == "running\n", process.stderr.read()
                began = time.monotonic()
                if ending == "Ctrl-C":
                    process.send_signal(signal.SIGINT)
                _, errors = process.communicate()
                took = time.monotonic() - began
            finally:
                killer.cancel()
                with contextlib.suppress(OSError):
                    process.kill()
        assert process.returncode == status, errors
        assert took < LIMIT
        if ending in MESSAGES:
            assert MESSAGES[ending] in errors
        else:
            assert errors == ""


FORK = """
local peergraph = require "peergraph"
local process = require "process"
local NOTE = "6e6f7465-0000-4000-8000-000000000001"
local runtime = assert(peergraph.open_runtime((...)))
local graph = assert(runtime:create_graph("g", { peer_id = "p" }))
assert(graph:listen(0, { scope = "loopback" }))
local events = assert(graph:events { "record_changed" })
local id = assert(graph:add_record { type = NOTE, attributes = { a = 1 }, lifetime = 60 })
local record = assert(graph:get_record(id))
local unread = assert(graph:get_record(id))
assert(record.attributes.a == 1)
local batch = assert(graph:begin_batch())

local child = process.fork()
if child == 0 then
  local function forked(_, message, code)
    if code ~= peergraph.PEER_E_FORKED then
      io.stderr:write("in the child: ", tostring(message), "\\n")
      process.exit(1)
    end
  end
  forked(peergraph.open_runtime((...) .. "/child"))
  forked(graph:status())
  forked(graph:add_record { type = NOTE, lifetime = 60 })
  forked(graph:get_record(id))
  forked(graph:records())
  forked(graph:listen())
  forked(graph:connect("[::1]:5000"))
  forked(graph:begin_connect("[::1]:5000"))
  forked(graph:events())
  forked(graph:begin_batch())
  forked(events:get(0))
  forked(batch:commit())
  forked(runtime:create_graph("h", { peer_id = "p" }))
  local good, problem = pcall(function() return unread.attributes end)
  assert(not good and problem:find("PEER_E_FORKED", 1, true), problem)
  assert(record.attributes.a == 1)
  runtime, graph, events, record, batch = nil, nil, nil, nil, nil
  collectgarbage()
  collectgarbage()
  os.exit(3, true)
end
assert(process.wait(child) == 3, "the child came to grief")

local held <close> = graph
child = process.fork()
if child == 0 then
  os.exit(4, true) -- with everything open
end
assert(process.wait(child) == 4)
assert(events:get(60).change == "added") -- the children have taken nothing from us
assert(graph:add_record { type = NOTE, lifetime = 60 })
assert(events:get(60).change == "added")
assert(batch:add_record { type = NOTE, lifetime = 60 })
assert(batch:commit())
assert(runtime:close())
"""


def test_a_forked_child_keeps_its_hands_off(tmp_path):
    needs(LUA_MODULE, FORK_MODULE)
    script = tmp_path / "fork.lua"
    script.write_text(FORK, encoding="utf-8")
    result = subprocess.run(
        [LUA, script, tmp_path / "data"],
        capture_output=True,
        text=True,
        env=lua_environment(),
        timeout=PATIENCE,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
