--- Runtimes: a data directory, a thread for the network, and everything opened in it.
local check = require "peergraph.check"
local core = require "peergraph.core"
local graph = require "peergraph.graph"
local handle = require "peergraph.handle"
local names = require "peergraph.names"

local Runtime = handle.class("Runtime", core.peer_shutdown, function(self)
  return self._directory and ("%q"):format(self._directory) or "default directory"
end)

--- PeerGraphShutdown; the same as close.
Runtime.shutdown = Runtime.close

--- Starts a runtime. data_directory: nil for $XDG_DATA_HOME/peergraph, or ~/.local/share/peergraph.
local function open(data_directory)
  check.value("data_directory", data_directory, "string", true)
  local version, runtime, code = core.peer_startup(core.PEER_GRAPH_VERSION, { data_directory = data_directory })
  if not version then
    return nil, runtime, code
  end
  return setmetatable({ _handle = runtime, _directory = data_directory }, Runtime)
end

local function options(fields)
  local durable = fields.durable and core.PEER_GRAPH_OPTION_DURABLE or 0
  return {
    flags = durable | (fields.manual and core.PEER_GRAPH_OPTION_MANUAL or 0)
      | (fields.judge and core.PEER_GRAPH_OPTION_JUDGE or 0),
    max_database_bytes = fields.max_database_bytes,
    max_bytes_per_creator = fields.max_bytes_per_creator,
  }
end

local function described(runtime, graph_id, fields)
  return { _parent = runtime, id = graph_id, peer_id = fields.peer_id, database = fields.database or "default" }
end

--- Makes a new graph and its database, and opens it. Only one peer creates a graph; the others open it.
function Runtime:create_graph(graph_id, fields)
  check.value("graph_id", graph_id, "string")
  fields = check.fields("create_graph", fields, {
    peer_id = "string",
    database = "string?",
    friendly_name = "string?",
    comment = "string?",
    scope = "string?",
    max_record_size = "integer?",
    presence_lifetime = "integer?", -- seconds
    presence_max = "integer?", -- nil: every node
    defer_expiration = "boolean?",
    durable = "boolean?", -- what was stored survives a loss of power
    manual = "boolean?", -- no connections but those asked for with connect
    judge = "boolean?", -- the application judges every record that others send
    max_database_bytes = "integer?", -- of all records, here; nil: 1 GiB
    max_bytes_per_creator = "integer?", -- nil: no limit
  })
  local made, message, code = core.peer_graph_create(self._handle, {
    graph_id = graph_id,
    creator_id = fields.peer_id,
    friendly_name = fields.friendly_name,
    comment = fields.comment,
    scope = fields.scope and check.one_of("scope", fields.scope, names.scope_numbers),
    max_record_size = fields.max_record_size,
    presence_lifetime_s = fields.presence_lifetime,
    presence_max = fields.presence_max,
    flags = fields.defer_expiration and core.PEER_GRAPH_PROPERTY_DEFER_EXPIRATION or 0,
  }, fields.database, options(fields))
  if not made then
    return nil, message, code
  end
  local about = described(self, graph_id, fields)
  about.is_new = false
  return graph.new(made, about)
end

--- Opens a graph that this or another node created; `graph.is_new` tells whether it has to synchronize first.
function Runtime:open_graph(graph_id, fields)
  check.value("graph_id", graph_id, "string")
  fields = check.fields("open_graph", fields, {
    peer_id = "string",
    database = "string?",
    precedence = "table?",
    durable = "boolean?", -- what was stored survives a loss of power
    manual = "boolean?", -- no connections but those asked for with connect
    judge = "boolean?", -- the application judges every record that others send
    max_database_bytes = "integer?", -- of all records, here; nil: 1 GiB
    max_bytes_per_creator = "integer?", -- nil: no limit
  })
  local made, message, code = core.peer_graph_open(
    self._handle, graph_id, fields.peer_id, fields.database, options(fields), fields.precedence)
  if not made then
    return nil, message, code
  end
  local about = described(self, graph_id, fields)
  about.is_new = message == core.PEER_S_GRAPH_DATA_CREATED
  return graph.new(made, about)
end

--- Removes the stored data of a graph from this machine; other nodes keep theirs. The graph must be closed.
function Runtime:delete_graph(graph_id, fields)
  check.value("graph_id", graph_id, "string")
  fields = check.fields("delete_graph", fields, { peer_id = "string", database = "string?" })
  return core.peer_graph_delete(self._handle, graph_id, fields.peer_id, fields.database)
end

return { open = open, Runtime = Runtime }
