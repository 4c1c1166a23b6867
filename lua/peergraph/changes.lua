--- Adding, updating and deleting records: a graph carries it out at once, a batch at commit.
local attributes = require "peergraph.attributes"
local check = require "peergraph.check"
local core = require "peergraph.core"
local record = require "peergraph.record"

local changes = {}

-- What 64 bits hold is enough for everybody, and what does not fit is for ever.
local function later(time_us, seconds)
  local lifetime_us = seconds * 1e6 // 1
  if lifetime_us >= 2.0 ^ 63 - time_us - 1024 then
    return math.maxinteger
  end
  return time_us + (math.tointeger(lifetime_us) or 0)
end

-- When a record vanishes, in peer time: nil if nothing is given, false with the failure.
local function expiration(graph, fields)
  if fields.lifetime == nil then
    return fields.expires_us and math.tointeger(fields.expires_us)
  end
  local now, message, code = graph:now()
  if not now then
    return false, message, code
  end
  return later(now, fields.lifetime)
end

local function check_times(where, fields)
  if fields.lifetime and fields.expires_us then
    error(where .. " takes lifetime or expires_us, not both", 3)
  elseif fields.lifetime and fields.lifetime ~= fields.lifetime then
    error("lifetime of " .. where .. " is not a number", 3)
  end
end

-- The XML of attributes as people give them: nil for none; false with the failure.
local function xml_of(given)
  if given == nil then
    return nil
  end
  local made, message, code = attributes.new(given, 3)
  if not made then
    return false, message, code
  end
  return #made > 0 and made:get_xml() or nil
end

local function id_of(where, given)
  if record.is(given) then
    return given.id
  elseif type(given) ~= "string" then
    error(where .. " takes a record or its id, not " .. type(given), 3)
  end
  return given
end

local function flags_of(autorefresh)
  return autorefresh and core.PEER_RECORD_FLAG_AUTOREFRESH or 0
end

--- Adds the methods to a class that has _graph, _add, _update, _delete, _content and _remember.
function changes.add_to(class)
  --- Adds a record and gives its id. On a graph it is stored when the call returns.
  function class:add_record(fields)
    fields = check.fields("add_record", fields, {
      type = "string",
      data = "string?",
      attributes = "any?",
      lifetime = "number?", -- seconds
      expires_us = "integer?", -- peer time
      security_data = "string?", -- for those who judge records
      autorefresh = "boolean?", -- this node prolongs it, for as long as it has the graph open
    })
    check_times("add_record", fields)
    if not (fields.lifetime or fields.expires_us) then
      error("add_record needs lifetime, in seconds, or expires_us", 2)
    end
    local xml, message, code = xml_of(fields.attributes)
    if xml == false then
      return nil, message, code
    end
    local expires_us
    expires_us, message, code = expiration(self:_graph(), fields)
    if not expires_us then
      return nil, message, code
    end
    local input = { type = fields.type, data = fields.data, attributes = xml, expires_us = expires_us }
    input.security_data = fields.security_data
    input.flags = flags_of(fields.autorefresh)
    local id
    id, message, code = self:_add(input)
    if not id then
      return nil, message, code
    end
    self:_remember(id, input)
    return id
  end

  --- Changes a record, given by itself or by its id; what is not given stays as it is now, attributes = {} removes
  --- them.
  function class:update_record(which, fields)
    local id = id_of("update_record", which)
    fields = check.fields("update_record", fields, {
      data = "string?",
      attributes = "any?",
      lifetime = "number?",
      expires_us = "integer?",
      security_data = "string?",
      autorefresh = "boolean?",
    })
    check_times("update_record", fields)
    local held, message, code = which, nil, nil
    if not (record.is(which) and fields.data and fields.attributes ~= nil and fields.autorefresh ~= nil) then
      held, message, code = self:_content(id)
    end
    if not held then
      return nil, message, code
    end
    local xml = held.attributes
    if fields.attributes ~= nil then
      xml, message, code = xml_of(fields.attributes)
      if xml == false then
        return nil, message, code
      end
    end
    local expires_us
    expires_us, message, code = expiration(self:_graph(), fields)
    if expires_us == false then
      return nil, message, code
    end
    local input = { id = id, type = held.type, attributes = xml, expires_us = expires_us }
    input.data = fields.data or held.data
    input.security_data = fields.security_data
    input.flags = held.flags & core.PEER_RECORD_FLAG_AUTOREFRESH
    if fields.autorefresh ~= nil then
      input.flags = flags_of(fields.autorefresh)
    end
    local good
    good, message, code = self:_update(input)
    if not good then
      return nil, message, code
    end
    self:_remember(id, input)
    return true
  end

  --- Deletes a record, given by itself or by its id, everywhere; security_data: of the tombstone.
  function class:delete_record(which, security_data)
    check.value("security_data", security_data, "string", true)
    return self:_delete(id_of("delete_record", which), security_data)
  end
end

return changes
