--- What was there when an enumeration was made: records, nodes, connections.
local check = require "peergraph.check"
local core = require "peergraph.core"
local handle = require "peergraph.handle"
local names = require "peergraph.names"
local record = require "peergraph.record"

local BATCH = 256

local function node(view)
  return { id = view.node_id, peer_id = view.peer_id, attributes = view.attributes, addresses = view.addresses }
end

local function connection(view)
  return {
    id = view.connection_id,
    kind = names.connection_kinds[view.flags],
    node_id = view.node_id,
    peer_id = view.peer_id,
    address = view.address,
    lost = view.lost_count,
  }
end

-- A class of enumerations: how views are fetched, and what becomes of each.
local function class(name, get_views, from_view)
  local Enumeration = handle.class(name, core.peer_end_enumeration, function(self)
    return "of " .. ("%q"):format(self._parent.id)
  end)

  --- How many items there were when it was made.
  function Enumeration:get_item_count()
    return core.peer_get_item_count(self._handle)
  end

  --- The next items, at most so many; an empty array is the end.
  function Enumeration:get_next_item(count_max)
    check.value("count_max", count_max, "integer", true)
    local views, message, code = get_views(self._handle, count_max or BATCH)
    if not views then
      return nil, message, code
    end
    for index, view in ipairs(views) do
      views[index] = from_view(view)
    end
    return views
  end

  --- PeerGraphEndEnumeration; the same as close.
  Enumeration.end_enumeration = Enumeration.close
  return Enumeration
end

local RecordEnumeration = class("RecordEnumeration", core.peer_get_item_views, record.from_view)
local NodeEnumeration = class("NodeEnumeration", core.get_node_views, node)
local ConnectionEnumeration = class("ConnectionEnumeration", core.get_connection_views, connection)

local function enumeration(kind, graph, made, message, code)
  if not made then
    return nil, message, code
  end
  return setmetatable({ _handle = made, _parent = graph }, kind)
end

local function records(graph, fields)
  local made, message, code = core.peer_graph_enum_records(graph._handle, fields.type, fields.creator_id)
  return enumeration(RecordEnumeration, graph, made, message, code)
end

local function search(graph, criteria)
  return enumeration(RecordEnumeration, graph, core.peer_graph_search_records(graph._handle, criteria))
end

local function nodes(graph, peer_id)
  return enumeration(NodeEnumeration, graph, core.peer_graph_enum_nodes(graph._handle, peer_id))
end

local function connections(graph, flags)
  return enumeration(ConnectionEnumeration, graph, core.peer_graph_enum_connections(graph._handle, flags))
end

--- All items of an enumeration as an array; ends it.
local function everything(items, message, code)
  if not items then
    return nil, message, code
  end
  local scope <close> = items -- luacheck: ignore 211
  local all = {}
  while true do
    local some
    some, message, code = items:get_next_item()
    if not some then
      return nil, message, code
    elseif #some == 0 then
      return all
    end
    table.move(some, 1, #some, #all + 1, all)
  end
end

-- What a for loop needs: the function, and what it closes when the loop is left.
local function iterate_over(items, message, code)
  if not items then
    return nil, message, code
  end
  local some, at = {}, 0
  local function next_record()
    at = at + 1
    if not some[at] then
      some, at = assert(items:get_next_item()), 1
    end
    if not some[at] then
      items:close()
    end
    return some[at]
  end
  return next_record, nil, nil, items
end

local function iterate(graph, fields)
  return iterate_over(records(graph, fields))
end

return {
  RecordEnumeration = RecordEnumeration,
  NodeEnumeration = NodeEnumeration,
  ConnectionEnumeration = ConnectionEnumeration,
  records = records,
  search = search,
  nodes = nodes,
  connections = connections,
  everything = everything,
  iterate = iterate,
  iterate_over = iterate_over,
  node = node,
}
