-- What the Lua tests share: folders that vanish, and waiting that always ends.
local core = require "peergraph.core"
local peergraph = require "peergraph"

local scene = {
  NOTE = "6e6f7465-0000-4000-8000-000000000001",
  OTHER = "6e6f7465-0000-4000-8000-000000000002",
  PATIENCE = 60, -- seconds after which something that should happen has not happened
}

scene.EVERY_BYTE = {}
for byte = 0, 255 do
  scene.EVERY_BYTE[byte + 1] = string.char(byte)
end
scene.EVERY_BYTE = table.concat(scene.EVERY_BYTE)

local folders = {}

--- The name of a folder that does not exist yet.
function scene.folder()
  local name = os.tmpname()
  os.remove(name)
  folders[#folders + 1] = name
  return name
end

--- Closes what was left open and removes all folders.
function scene.clean()
  collectgarbage()
  collectgarbage()
  for _, name in ipairs(folders) do
    os.execute("rm -rf '" .. name .. "'")
  end
  folders = {}
end

--- A runtime of its own, and a graph in it that is created and listens.
function scene.create(peer_id, fields)
  local runtime = assert(peergraph.open_runtime(scene.folder()))
  fields = fields or {}
  fields.peer_id = peer_id
  local graph = assert(runtime:create_graph("film club", fields))
  assert(graph:listen(0, { scope = "loopback" }))
  return graph, runtime
end

--- A runtime of its own, and a graph in it that is opened, and connected and synchronized with another one.
function scene.join(peer_id, other)
  local runtime = assert(peergraph.open_runtime(scene.folder()))
  local graph = assert(runtime:open_graph("film club", { peer_id = peer_id }))
  assert(graph:connect(other:address()))
  assert(graph:synchronized(scene.PATIENCE))
  return graph, runtime
end

--- Takes events up to the first that is wanted.
function scene.wait_for(events, wanted)
  local deadline = core.monotonic_us() + scene.PATIENCE * 1000000
  while true do
    local event = assert(events:get((deadline - core.monotonic_us()) / 1000000))
    if wanted(event) then
      return event
    end
    assert(event.type ~= "closed", "closed while waiting")
  end
end

--- That a call failed with a code, and with a line that begins with its name and holds the words.
function scene.failed(code, words, first, message, status)
  assert(first == nil, "it did not fail")
  local name = core.peer_status_name(code)
  assert(status == code, ("failed with %s instead of %s"):format(message, name))
  assert(message:sub(1, #name + 2) == name .. ": " and message:find(words, 1, true), message)
end

--- That a call raises an error with these words.
function scene.raises(words, called, ...)
  local good, problem = pcall(called, ...)
  assert(not good, "it raised no error")
  assert(tostring(problem):find(words, 1, true), problem)
end

--- The same, at a line of the test.
function scene.raises_here(words, called, ...)
  local good, problem = pcall(called, ...)
  assert(not good, "it raised no error")
  local at, text = tostring(problem):match("_spec%.lua:(%d+): (.*)")
  assert(at and text:find(words, 1, true) == 1, problem)
end

return scene
