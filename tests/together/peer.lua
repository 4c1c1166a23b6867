-- A peer in Lua, told what to do line by line; the same as peer.c, which says how. It lives in a loop of luv.
local peergraph = require "peergraph"
local luv = require "peergraph.luv"
local uv = require "luv"

local NOTE = "6e6f7465-0000-4000-8000-000000000001"
local folder, peer_id, where = ...

io.stdout:setvbuf("line")

local function bytes(text)
  return (text:sub(2):gsub("%x%x", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

local function hex(data)
  return "x" .. data:gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end)
end

local function print_record(change, record)
  io.write(table.concat({
    change, record.id, record.version, record.creator_id, record.modifier_id or "-", hex(record.data),
    hex(record.attributes.text),
  }, " "), "\n")
end

local runtime = assert(peergraph.open_runtime(folder))
local graph
if where == "create" then
  graph = assert(runtime:create_graph("together", { peer_id = peer_id }))
else
  graph = assert(runtime:open_graph("together", { peer_id = peer_id }))
  assert(graph:connect(where))
  assert(graph:synchronized())
end
assert(graph:listen(0, { scope = "loopback" }))

local events = assert(graph:events { "record_changed", record_type = NOTE })
luv.each(events, function(event)
  if event.change == "deleted" then
    print("deleted " .. event.record_id)
  else
    print_record(event.change, assert(event:record()))
  end
end)

local commands = {
  add = function(data, text)
    assert(graph:add_record { type = NOTE, data = bytes(data), attributes = { text = bytes(text) }, lifetime = 3600 })
  end,
  update = function(id, data, text)
    assert(graph:update_record(id, { data = bytes(data), attributes = { text = bytes(text) } }))
  end,
  delete = function(id)
    assert(graph:delete_record(id))
  end,
  list = function()
    for record in assert(graph:records { type = NOTE }) do
      print_record("listed", record)
    end
    print("end")
  end,
}

local input = uv.new_pipe(false)
input:open(0)
local pending = ""

local function obey(line)
  local words = {}
  for word in line:gmatch("%S+") do
    words[#words + 1] = word
  end
  if words[1] == "quit" then
    input:close()
    events:close()
  else
    commands[words[1]](table.unpack(words, 2))
  end
end

input:read_start(function(_, chunk)
  pending = pending .. (chunk or "quit\n")
  pending = pending:gsub("([^\n]*)\n", function(line)
    obey(line)
    return ""
  end)
end)

print("ready " .. graph:address())
uv.run()
assert(runtime:close())
