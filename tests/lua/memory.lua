-- Every allocation of Lua's in a call of peergraph.core fails once: the call gives an error, and nothing is lost or
-- left open. Run by memory.c, which brings limit().
local core = require "peergraph.core"

local limit = limit -- luacheck: ignore 113
local folder = ...
local NOTE = "6e6f7465-0000-4000-8000-000000000001"
local HOUR_US = 3600 * 1000000

-- Calls a function with ever more memory until it succeeds, and says how often it did not.
local function torture(called, before)
  local failures = -1
  repeat
    failures = failures + 1
    local argument = before and before()
    collectgarbage()
    collectgarbage "stop" -- so that nothing is freed on the way
    limit(failures)
    local good, problem = pcall(called, argument)
    limit(-1)
    collectgarbage "restart"
    assert(good or problem == "not enough memory", problem)
  until good
  return failures
end

-- The first box of a kind makes its metatable, which is whole or not there.
torture(function()
  local scope <close> = core.peer_query_create() -- luacheck: ignore 211
  assert(getmetatable(scope) == false)
end)

local _, runtime = assert(core.peer_startup(1, { data_directory = folder }))
core.peer_graph_delete(runtime, "g", "p") -- what an earlier run that was killed has left
core.peer_graph_delete(runtime, "h", "p")
local graph = assert(core.peer_graph_create(runtime, { graph_id = "g", creator_id = "p" }))
local queue = assert(core.peer_graph_register_event(graph, { { type = core.PEER_GRAPH_EVENT_RECORD_CHANGED } }))

local fields = { type = NOTE, expires_us = core.utc_us() + HOUR_US, data = ("x"):rep(5000) }
local id = assert(core.peer_graph_add_record(graph, fields))

local function add()
  for _ = 1, 3 do
    assert(core.peer_graph_add_record(graph, fields))
  end
end

local function enumerate()
  return assert(core.peer_graph_enum_records(graph, NOTE, "p"))
end

local function fails(...)
  assert((...) == nil)
end

-- What is called, what prepares it, and how many allocations it has at least.
local CALLS = {
  { 4, function()
    local _, another = core.peer_startup(1, { data_directory = folder .. "/another" })
    core.peer_shutdown(another)
  end },
  { 1, function()
    core.peer_graph_close(assert(core.peer_graph_open(runtime, "h", "p", nil, nil, { NOTE, NOTE })))
  end },
  { 3, function()
    assert(core.peer_graph_register_event(graph, { { type = 3, record_type = NOTE }, { type = 1 } }))
  end },
  { 1, function() assert(core.peer_graph_add_record(graph, fields)) end },
  { 1, function() fails(core.peer_graph_add_record(graph, { type = "nonsense" })) end },
  { 1, function() fails(core.peer_graph_get_record(graph, NOTE)) end },
  { 10, function() core.peer_record_get_view(assert(core.peer_graph_get_record(graph, id))) end },
  { 5, function() core.peer_graph_properties_get_view(assert(core.peer_graph_get_properties(graph))) end },
  { 5, function() core.peer_node_info_get_view(assert(core.peer_graph_get_node_info(graph, nil))) end },
  { 10, function() assert(#core.peer_get_event_batch(queue, 3) > 0) end, add },
  { 3, function() core.peer_event_get_view(assert(core.peer_get_event_data(queue))) end, add },
  { 10, function(enumeration) assert(#core.peer_get_item_views(enumeration, 3) == 3) end, enumerate },
  { 5, function(enumeration) assert(#core.peer_get_next_item(enumeration, 3) == 3) end, enumerate },
  { 1, function() assert(core.peer_retain_data(assert(core.peer_graph_get_record(graph, id)))) end },
  { 1, function() core.peer_batch_abort(assert(core.peer_graph_begin_batch(graph))) end },
  { 3, function()
    local made = assert(core.peer_attributes_create())
    assert(core.peer_attributes_add(made, "name", core.PEER_ATTRIBUTE_STRING, "value"))
    assert(core.peer_attributes_get(assert(core.peer_attributes_parse(core.peer_attributes_get_xml(made))), 0))
  end },
  { 3, function()
    local made = assert(core.peer_query_create())
    assert(core.peer_query_add_text(made, "name", core.PEER_COMPARE_EQUAL, "value"))
    assert(core.peer_query_get_xml(made))
  end },
}

for number, call in ipairs(CALLS) do
  local failures = torture(call[2], call[3])
  assert(failures >= call[1], ("call %d failed only %d times"):format(number, failures))
end
collectgarbage()
assert(core.peer_graph_close(graph))
assert(core.peer_graph_delete(runtime, "g", "p"))
assert(core.peer_graph_delete(runtime, "h", "p")) -- closed each time
