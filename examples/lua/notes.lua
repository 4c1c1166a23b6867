-- Lines of text as records of a graph, as in examples/c: entering it, adding them, and showing what has happened.
local peergraph = require "peergraph"

local notes = {}

-- Records of one type belong together. This one is ours.
local NOTE = "5f0e6c1a-92d7-4c2e-8a41-3f6f0c9f7b11"

local function create(runtime, graph_id, peer_id)
  local graph, message, code = runtime:create_graph(graph_id, { peer_id = peer_id })
  if code == peergraph.PEER_E_DATABASE_ALREADY_PRESENT then -- we made it when we ran before
    graph, message = runtime:open_graph(graph_id, { peer_id = peer_id })
  end
  return assert(graph, message)
end

--- A graph as the command line says, and its events. Ends the program if it says nothing sensible.
function notes.enter(arguments)
  local command, graph_id, peer_id, address = table.unpack(arguments)
  if not (command == "create" and #arguments == 3 or command == "join" and #arguments == 4) then
    io.stderr:write(("usage: %s create GRAPH PEER\n       %s join GRAPH PEER ADDRESS\n"):format(arg[0], arg[0]))
    os.exit(2)
  end
  io.stdout:setvbuf("line")
  local runtime = assert(peergraph.open_runtime())
  if command == "create" then
    local graph = create(runtime, graph_id, peer_id)
    -- On this machine only: whoever can connect can read and write the graph.
    assert(graph:listen(0, { scope = "loopback" }))
    print("listening at " .. graph:address())
    return graph, assert(graph:events())
  end
  local graph = assert(runtime:open_graph(graph_id, { peer_id = peer_id }))
  local events = assert(graph:events()) -- first listen, then ask: so nothing is missed in between
  assert(graph:begin_connect(address))
  return graph, events
end

function notes.add(graph, line)
  local id, message = graph:add_record { type = NOTE, data = line, lifetime = 3600 }
  if not id then
    print("not added: " .. message)
  end
end

-- Text of other peers goes to a terminal, so it may not hold what a terminal obeys.
local function plain(text)
  return (text:gsub("%c", "?"))
end

function notes.show(event)
  if event.type == "record_changed" and event.change == "added" and event.record_type == NOTE then
    local record = event:record()
    if record then -- else it was deleted since
      print(plain(record.creator_id) .. ": " .. plain(record.data))
    end
  elseif event.type == "neighbor_connection" then
    print(event.status .. ": " .. plain(event.peer_id or event.message or "somebody"))
  elseif event.type == "overflow" then
    print(event.lost .. " events came too fast")
  end
end

return notes
