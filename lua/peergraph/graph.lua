--- Graphs that are open in a runtime: runtime:create_graph and runtime:open_graph give them.
--
-- Fields: id, peer_id, database, and is_new, whether opening found no database, or one that was never synchronized.
local batch = require "peergraph.batch"
local changes = require "peergraph.changes"
local check = require "peergraph.check"
local core = require "peergraph.core"
local enumeration = require "peergraph.enumeration"
local handle = require "peergraph.handle"
local names = require "peergraph.names"
local queue = require "peergraph.queue"
local record = require "peergraph.record"
local search = require "peergraph.search"

local Graph = handle.class("Graph", core.peer_graph_close, function(self)
  return ("%q peer=%q"):format(self.id, self.peer_id)
end)
changes.add_to(Graph)

local function new(made, about)
  about._handle = made
  return setmetatable(about, Graph)
end

-- ---- what it is

--- The status flags: { listening = true, has_connections = false, synchronized = true, ... }.
function Graph:status()
  local flags, message, code = core.peer_graph_get_status(self._handle)
  if not flags then
    return nil, message, code
  end
  return names.status(flags)
end

--- PeerGraphGetStatus; the same as status.
Graph.get_status = Graph.status

--- The properties of the graph, as its creator set them.
function Graph:properties()
  local object, message, code = core.peer_graph_get_properties(self._handle)
  if not object then
    return nil, message, code
  end
  local view = core.peer_graph_properties_get_view(object)
  return {
    graph_id = view.graph_id,
    creator_id = view.creator_id,
    friendly_name = view.friendly_name,
    comment = view.comment,
    scope = names.scopes[view.scope] or view.scope,
    max_record_size = view.max_record_size,
    presence_lifetime = view.presence_lifetime_s,
    presence_max = view.presence_max >= 0 and view.presence_max or nil,
    defer_expiration = view.flags & core.PEER_GRAPH_PROPERTY_DEFER_EXPIRATION ~= 0,
  }
end

--- PeerGraphGetProperties; the same as properties.
Graph.get_properties = Graph.properties

local SETTABLE = {
  friendly_name = "string?",
  comment = "string?",
  presence_lifetime = "integer?",
  presence_max = "integer?",
}

--- PeerGraphSetProperties: changes properties for every node; what is not named stays. "" removes a text, and a
--- presence_max of -1 means every node.
function Graph:set_properties(fields)
  fields = check.fields("set_properties", fields, SETTABLE)
  local now, message, code = self:properties()
  if not now then
    return nil, message, code
  end
  return core.peer_graph_set_properties(self._handle, {
    friendly_name = fields.friendly_name or now.friendly_name,
    comment = fields.comment or now.comment,
    presence_lifetime_s = fields.presence_lifetime or now.presence_lifetime,
    presence_max = fields.presence_max or now.presence_max or -1,
  })
end

--- What is known of a node, by its id of 16 hexadecimal digits; nil is this one.
function Graph:get_node_info(node_id)
  check.value("node_id", node_id, "string", true)
  local object, message, code = core.peer_graph_get_node_info(self._handle, node_id)
  if not object then
    return nil, message, code
  end
  return enumeration.node(core.peer_node_info_get_view(object))
end

--- The node that we are, as others see it.
function Graph:node()
  return self:get_node_info(nil)
end

--- Our best address, for others to connect to; nil if it does not listen.
function Graph:address()
  local node, message, code = self:node()
  if not node then
    return nil, message, code
  end
  return node.addresses[1]
end

-- ---- nodes and connections

--- The nodes that are present now, this one included, or those of one peer: an array of { id, peer_id, ... }.
function Graph:nodes(peer_id)
  return enumeration.everything(self:enum_nodes(peer_id))
end

--- PeerGraphEnumNodes.
function Graph:enum_nodes(peer_id)
  check.value("peer_id", peer_id, "string", true)
  return enumeration.nodes(self, peer_id)
end

--- The connections that are up, of one kind ("neighbor", "direct") or of both: an array of { id, kind, peer_id, ... }.
function Graph:connections(kind)
  return enumeration.everything(self:enum_connections(kind or "any"))
end

--- PeerGraphEnumConnections.
function Graph:enum_connections(kind)
  return enumeration.connections(self, check.one_of("kind", kind, names.connection_flags))
end

--- PeerGraphSetPresence: makes this node present whatever presence_max says (true), or leaves that to it again (false).
function Graph:set_presence(present)
  check.value("present", present, "boolean")
  return core.peer_graph_set_presence(self._handle, present and 1 or 0)
end

--- PeerGraphSetNodeAttributes: the text that travels with this node's presence; nil removes it.
function Graph:set_node_attributes(attributes)
  check.value("attributes", attributes, "string", true)
  return core.peer_graph_set_node_attributes(self._handle, attributes)
end

-- ---- direct connections

--- PeerGraphOpenDirectConnection: asks for one and gives its id; a direct_connection event tells how it ended.
function Graph:open_direct_connection(peer_id, address)
  check.value("peer_id", peer_id, "string")
  check.value("address", address, "string")
  return core.peer_graph_open_direct_connection(self._handle, peer_id, address)
end

--- PeerGraphSendData: one message over a direct or a neighbour connection; an incoming_data event there. After
--- PEER_E_OUTBOX_FULL a writable event tells when there is room.
function Graph:send_data(connection_id, data_type, data)
  check.value("connection_id", connection_id, "integer")
  check.value("data_type", data_type, "string")
  check.value("data", data, "string")
  return core.peer_graph_send_data(self._handle, connection_id, data_type, data)
end

--- PeerGraphCloseDirectConnection; what was sent before still arrives.
function Graph:close_direct_connection(connection_id)
  check.value("connection_id", connection_id, "integer")
  return core.peer_graph_close_direct_connection(self._handle, connection_id)
end

--- Stops to read a direct connection (true), or goes on (false), so that the other side is held back.
function Graph:pause_direct_connection(connection_id, paused)
  check.value("connection_id", connection_id, "integer")
  check.value("paused", paused, "boolean")
  return core.peer_graph_pause_direct_connection(self._handle, connection_id, paused and 1 or 0)
end

-- ---- time

--- The time now by the clock that the nodes of the graph share, in microseconds since 1970 UTC.
function Graph:now()
  return core.peer_graph_universal_time_to_peer_time(self._handle, core.utc_us())
end

--- A moment of peer time by this machine's clock.
function Graph:peer_time_to_universal_time(time_us)
  check.value("time_us", time_us, "integer")
  return core.peer_graph_peer_time_to_universal_time(self._handle, time_us)
end

--- A moment of this machine's clock in peer time.
function Graph:universal_time_to_peer_time(time_utc_us)
  check.value("time_utc_us", time_utc_us, "integer")
  return core.peer_graph_universal_time_to_peer_time(self._handle, time_utc_us)
end

-- ---- network

--- Starts to accept connections; `address` tells where. port 0: a free one.
function Graph:listen(port, fields)
  check.value("port", port, "integer", true)
  fields = check.fields("listen", fields, { scope = "string?", scope_id = "integer?" })
  local scope = check.one_of("scope", fields.scope or "global", names.scope_numbers)
  return core.peer_graph_listen(self._handle, scope, fields.scope_id or 0, port or 0)
end

--- PeerGraphConnect: asks for a neighbour connection and gives its id; a neighbor_connection event tells how it ended.
function Graph:begin_connect(address, fields)
  check.value("address", address, "string")
  fields = check.fields("begin_connect", fields, { peer_id = "string?" })
  return core.peer_graph_connect(self._handle, fields.peer_id, address)
end

-- What an event says of an attempt: true if it is up, nil, message, code if it failed, false if nothing is decided yet.
local function outcome(event, address)
  if event.type == "closed" then
    local code = event.reason or core.PEER_E_GRAPH_SHUTTING_DOWN
    return nil, core.peer_status_name(code) .. ": " .. (event.message or core.peer_status_text(code)), code
  elseif event.status == "connected" then
    return true
  elseif event.status == "failed" and event.next_connection_id then
    return false
  end
  local code = event.reason or core.PEER_E_CONNECTION_FAILED
  local why = event.message or ("%q: %s"):format(address, core.peer_status_text(code))
  return nil, core.peer_status_name(code) .. ": " .. why, code
end

--- Makes a neighbour connection and gives its event when it is up, or why it failed. After a failure the engine may try
--- a node that the other one named; then this waits for that. `timeout`: after so many seconds nil, message,
--- PEER_S_NO_EVENT_DATA; the attempt goes on.
function Graph:connect(address, fields)
  check.value("address", address, "string")
  fields = check.fields("connect", fields, { peer_id = "string?", timeout = "number?" })
  local events <close>, message, code = queue.events(self, { "neighbor_connection" })
  if not events then
    return nil, message, code
  end
  local id
  id, message, code = core.peer_graph_connect(self._handle, fields.peer_id, address)
  if not id then
    return nil, message, code
  end
  local deadline = fields.timeout and core.monotonic_us() + fields.timeout * 1e6
  while true do
    local event
    event, message, code = events:get(deadline and math.max(0, (deadline - core.monotonic_us()) / 1e6))
    if not event and code == core.PEER_S_NO_EVENT_DATA then
      return nil, ("no connection to %q after %s s"):format(address, fields.timeout), code
    elseif not event then
      return nil, message, code
    elseif event.connection_id == id or event.type == "closed" then
      local good
      good, message, code = outcome(event, address)
      if good == nil then
        return nil, message, code
      elseif good then
        return event
      end
      id = event.next_connection_id
    end
  end
end

--- Waits until the database is synchronized, at most for so many seconds: nil, message, PEER_S_NO_EVENT_DATA.
function Graph:synchronized(timeout)
  check.timeout(timeout)
  local events <close>, message, code = queue.events(self, { "status_changed" })
  if not events then
    return nil, message, code
  end
  local deadline = timeout and core.monotonic_us() + timeout * 1e6
  while true do
    local status
    status, message, code = self:status()
    if not status then
      return nil, message, code
    elseif status.synchronized then
      return true
    end
    local left = deadline and math.max(0, (deadline - core.monotonic_us()) / 1e6)
    local event
    event, message, code = events:get(left)
    if not event and code == core.PEER_S_NO_EVENT_DATA then
      message = ("%q is not synchronized after %s s"):format(self.id, timeout)
    end
    if not event then
      return nil, message, code
    end
  end
end

-- ---- records

function Graph:_graph()
  return self
end

function Graph:_add(input)
  return core.peer_graph_add_record(self._handle, input)
end

function Graph:_update(input)
  return core.peer_graph_update_record(self._handle, input)
end

function Graph:_delete(id, security_data)
  if security_data then
    return core.peer_graph_delete_secured_record(self._handle, { id = id, security_data = security_data })
  end
  return core.peer_graph_delete_record(self._handle, id, 0)
end

function Graph:_content(id)
  local object, message, code = core.peer_graph_get_record(self._handle, id)
  if not object then
    return nil, message, code
  end
  return core.peer_record_get_view(object)
end

function Graph:_remember() end -- luacheck: ignore 212

--- Deletes a record on this node alone, in a graph that judges: it comes back unless it is judged invalid.
function Graph:delete_record_here(which)
  return core.peer_graph_delete_record(self._handle, record.is(which) and which.id or which, 1)
end

--- A record that waits for a judgement; a validation event has told its number.
function Graph:get_deferred_record(validation_id)
  check.value("validation_id", validation_id, "integer")
  local object, message, code = core.peer_graph_get_deferred_record(self._handle, validation_id)
  if not object then
    return nil, message, code
  end
  return record.from_view(core.peer_record_get_view(object))
end

local VERDICTS = {
  accept = core.PEER_OK,
  reject = core.PEER_E_INVALID_RECORD,
  defer = core.PEER_E_DEFERRED_VALIDATION,
}

--- Judges a record that waits: "accept", "reject" or "defer".
function Graph:judge_record(validation_id, verdict)
  check.value("validation_id", validation_id, "integer")
  return core.peer_graph_judge_record(self._handle, validation_id, check.one_of("verdict", verdict, VERDICTS))
end

--- PeerGraphValidateDeferredRecords: asks once more about the records with these ids, or about all.
function Graph:validate_deferred_records(ids)
  check.value("ids", ids, "table", true)
  if ids and #ids == 0 then -- for C no ids are all of them
    local status, message, code = core.peer_graph_get_status(self._handle)
    if not status then
      return nil, message, code
    end
    return true
  end
  return core.peer_graph_validate_deferred_records(self._handle, ids or {})
end

--- One record.
function Graph:get_record(id)
  check.value("id", id, "string")
  local view, message, code = self:_content(id)
  if not view then
    return nil, message, code
  end
  return record.from_view(view)
end

local FILTER = { type = "string?", creator_id = "string?" }

--- The application's records as they are now, or those of one type, one creator, or both, for a loop:
---
---     for record in assert(graph:records { type = NOTE }) do
function Graph:records(fields)
  return enumeration.iterate(self, check.fields("records", fields, FILTER))
end

--- The application's records that a query finds, for a loop, in no particular order. A query is made of comparisons
--- with peergraph.Attr, or is XML:
---
---     for record in assert(graph:search(Attr "size":gt(10000) & Attr "path":like "docs/*")) do
function Graph:search(query)
  local xml, message, code = search.xml("query", query)
  if not xml then
    return nil, message, code
  end
  return enumeration.iterate_over(enumeration.search(self, xml))
end

--- PeerGraphSearchRecords: the same as an enumeration.
function Graph:search_records(criteria)
  local xml, message, code = search.xml("criteria", criteria)
  if not xml then
    return nil, message, code
  end
  return enumeration.search(self, xml)
end

--- PeerGraphEnumRecords.
function Graph:enum_records(fields)
  return enumeration.records(self, check.fields("enum_records", fields, FILTER))
end

--- Calls a function with a batch, and commits it when the function returns; an error aborts it, and goes on.
function Graph:batch(change)
  check.value("change", change, "function")
  return batch.run(self, change)
end

--- Begins a batch; commit or abort it. What is neither at the end of its scope (<close>) is aborted.
function Graph:begin_batch()
  return batch.begin(self)
end

-- ---- the database as a file

--- PeerGraphExportDatabase: writes the database to a file, whole or not at all; at any time.
function Graph:export_database(path)
  check.value("path", path, "string")
  return core.peer_graph_export_database(self._handle, path)
end

--- PeerGraphImportDatabase: takes over what the same peer has exported from the same graph; after open_graph, before
--- listen and connect.
function Graph:import_database(path)
  check.value("path", path, "string")
  return core.peer_graph_import_database(self._handle, path)
end

-- ---- events

--- The graph's events from now on, of some kinds or of all, to iterate over:
---
---     for event in assert(graph:events { "record_changed", record_type = NOTE }) do
function Graph:events(wanted)
  return queue.events(self, wanted)
end

--- PeerGraphRegisterEvent: as events, but the queue as it is.
function Graph:register_event(wanted)
  return queue.register(self, wanted)
end

return { Graph = Graph, new = new }
