--- Records that were there when the enumeration was made.
local check = require "peergraph.check"
local core = require "peergraph.core"
local handle = require "peergraph.handle"
local record = require "peergraph.record"

local BATCH = 256

local RecordEnumeration = handle.class("RecordEnumeration", core.peer_end_enumeration, function(self)
  return "of " .. ("%q"):format(self._parent.id)
end)

--- How many records there were when it was made.
function RecordEnumeration:get_item_count()
  return core.peer_get_item_count(self._handle)
end

--- The next records, at most so many; an empty array is the end.
function RecordEnumeration:get_next_item(count_max)
  check.value("count_max", count_max, "integer", true)
  local views, message, code = core.peer_get_item_views(self._handle, count_max or BATCH)
  if not views then
    return nil, message, code
  end
  for index, view in ipairs(views) do
    views[index] = record.from_view(view)
  end
  return views
end

--- PeerGraphEndEnumeration; the same as close.
RecordEnumeration.end_enumeration = RecordEnumeration.close

local function enumerate(graph, fields)
  local made, message, code = core.peer_graph_enum_records(graph._handle, fields.type, fields.creator_id)
  if not made then
    return nil, message, code
  end
  return setmetatable({ _handle = made, _parent = graph }, RecordEnumeration)
end

-- What a for loop needs: the function, and what it closes when the loop is left.
local function iterate(graph, fields)
  local enumeration, message, code = enumerate(graph, fields)
  if not enumeration then
    return nil, message, code
  end
  local records, at = {}, 0
  local function next_record()
    at = at + 1
    if not records[at] then
      records, at = assert(enumeration:get_next_item()), 1
    end
    if not records[at] then
      enumeration:close()
    end
    return records[at]
  end
  return next_record, nil, nil, enumeration
end

return { RecordEnumeration = RecordEnumeration, enumerate = enumerate, iterate = iterate }
