--- Events: what a graph tells, as tables. `type` says which kind, and thereby which fields there are.
local core = require "peergraph.core"
local names = require "peergraph.names"
local record = require "peergraph.record"

local event = {}
local Event = {}
event.Event = Event
Event.__index = Event

local function connection(view)
  local known = view.node_id ~= "0000000000000000"
  return {
    status = names.connections[view.change],
    connection_id = view.connection_id,
    node_id = known and view.node_id or nil,
    peer_id = view.peer_id,
    next_connection_id = view.next_connection_id ~= 0 and view.next_connection_id or nil,
    reason = view.reason ~= 0 and view.reason or nil,
    message = view.message,
  }
end

-- The fields of each kind.
local READERS = {
  status_changed = function(view)
    return { status = names.status(view.status) }
  end,
  record_changed = function(view)
    local change = names.record_changes[view.change]
    return { change = change, record_id = view.record_id, record_type = view.record_type }
  end,
  neighbor_connection = connection,
  direct_connection = connection,
  incoming_data = function(view)
    return { connection_id = view.connection_id, data_type = view.record_type, data = view.data }
  end,
  node_changed = function(view)
    return { change = names.node_changes[view.change], node_id = view.node_id, peer_id = view.peer_id }
  end,
  synchronized = function(view)
    return { record_type = view.record_type }
  end,
  validation = function(view)
    return {
      validation_id = view.validation_id,
      change = names.record_changes[view.change],
      record_id = view.record_id,
      record_type = view.record_type,
    }
  end,
  overflow = function(view)
    return { lost_type = names.events[view.status] or view.status, lost = view.lost_count }
  end,
  closed = function(view)
    return { reason = view.reason ~= 0 and view.reason or nil, message = view.message }
  end,
  writable = function(view)
    return { connection_id = view.connection_id }
  end,
  progress = function(view)
    return { action = names.progresses[view.change], done = view.connection_id, total = view.next_connection_id }
  end,
}

--- Makes an event of a view; `graph` is where its record is looked up.
function event.from_view(view, graph)
  local kind = names.events[view.type]
  local read = READERS[kind]
  local self = read and read(view) or {}
  self.type = kind or view.type
  self._graph = graph
  return setmetatable(self, Event)
end

--- The last event of a queue that the program closed itself.
function event.own_close()
  return setmetatable({ type = "closed" }, Event)
end

--- record_changed: the record as it is when this is first asked; nil, message, PEER_E_RECORD_NOT_FOUND if it has gone.
function Event:record()
  if self.type ~= "record_changed" then
    return nil, "only record_changed has a record", core.E_INVALIDARG
  elseif self._record then
    return self._record
  end
  local found, message, code = self._graph:get_record(self.record_id)
  self._record = found
  return found, message, code
end

local function describe_record(self)
  local now = (self.change == "added" or self.change == "updated") and self:record()
  if now then
    return self.change .. ", " .. record.summary(now)
  end
  return ("%s, type=%s, id=%s"):format(self.change, self.record_type, self.record_id)
end

local function describe_status(status)
  local set = {}
  for word, is_set in pairs(status) do
    set[#set + 1] = is_set and word or nil
  end
  table.sort(set)
  return #set > 0 and table.concat(set, "|") or "none"
end

local function describe_connection(self)
  local parts = { self.status, "connection=" .. self.connection_id }
  local function add(format, value)
    parts[#parts + 1] = value and format:format(value)
  end
  add("peer=%q", self.peer_id)
  add("node=%s", self.node_id)
  add("next=%d", self.next_connection_id)
  add("%s", self.reason and core.peer_status_name(self.reason))
  add("%s", self.message)
  return table.concat(parts, ", ")
end

local DESCRIPTIONS = {
  status_changed = function(self)
    return describe_status(self.status)
  end,
  record_changed = describe_record,
  neighbor_connection = describe_connection,
  direct_connection = describe_connection,
  incoming_data = function(self)
    return ("connection=%d, type=%s, %d bytes"):format(self.connection_id, self.data_type, #self.data)
  end,
  node_changed = function(self)
    return ("%s, node=%s, peer=%q"):format(self.change, self.node_id, self.peer_id or "")
  end,
  synchronized = function(self)
    return "type=" .. self.record_type
  end,
  validation = function(self)
    return ("%s, number=%d, id=%s"):format(self.change, self.validation_id, self.record_id)
  end,
  overflow = function(self)
    return ("%s, %d lost"):format(self.lost_type, self.lost)
  end,
  closed = function(self)
    return self.reason and core.peer_status_name(self.reason) .. (self.message and ": " .. self.message or "") or ""
  end,
  writable = function(self)
    return "connection=" .. self.connection_id
  end,
  progress = function(self)
    return ("%s, %d of %d bytes"):format(self.action, self.done, self.total)
  end,
}

function Event:__tostring()
  local describe = DESCRIPTIONS[self.type]
  return ("%s(%s)"):format(self.type, describe and describe(self) or "")
end

return event
