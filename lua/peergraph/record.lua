--- Records as the graph has them: tables that belong to nobody else, with the attributes read when they are asked for.
local attributes = require "peergraph.attributes"
local core = require "peergraph.core"

local record = {}
local Record = {}

function Record:__index(name)
  if name == "attributes" then
    local xml = rawget(self, "attributes_xml")
    local read = xml and assert(attributes.new(xml)) or attributes.new {}
    rawset(self, "attributes", read)
    return read
  end
end

local function quoted(text)
  return ("%q"):format(text)
end

--- What a person wants to know of a record, in one line.
function record.summary(self)
  local parts = { "type=" .. self.type, "creator=" .. quoted(self.creator_id) }
  if self.modifier_id then
    parts[#parts + 1] = "modifier=" .. quoted(self.modifier_id)
  end
  if self.attributes_xml then
    parts[#parts + 1] = "attributes=" .. tostring(self.attributes)
  end
  parts[#parts + 1] = #self.data == 1 and "1 byte" or #self.data .. " bytes"
  return table.concat(parts, ", ")
end

function Record:__tostring()
  return ("record(%s, version=%d, %s)"):format(self.id, self.version, record.summary(self))
end

--- Makes a record of the table that a view is.
function record.from_view(view)
  view.attributes_xml, view.attributes = view.attributes, nil
  return setmetatable(view, Record)
end

--- Makes a record of an object of C.
function record.from_object(object)
  return record.from_view(core.peer_record_get_view(object))
end

--- Whether it is a record.
function record.is(value)
  return getmetatable(value) == Record
end

return record
