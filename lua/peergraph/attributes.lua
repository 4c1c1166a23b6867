--- Attributes of a record: names with text, numbers and dates, which travel as XML that nobody has to see.
--
-- `attributes.room` is the first value of a name. Names of attributes hold only letters and digits, so that the
-- methods, which all have an underscore, are never in their way: get_all(name), items_all(), get_xml(). pairs() gives
-- each name once.
local core = require "peergraph.core"

local attributes = {}
local Attributes = {} -- metatable
local methods = {}
attributes.methods = methods
local Date = {} -- metatable
Date.__index = Date

-- Private fields, out of the way of every name.
local PAIRS, FIRST, XML = {}, {}, {}

-- ---- dates

function Date:__eq(other)
  return attributes.is_date(other) and self.time_utc_us == other.time_utc_us
end

function Date:__tostring()
  return self.text
end

local function new_date(text, time_utc_us)
  return setmetatable({ text = text, time_utc_us = time_utc_us }, Date)
end

--- A date for an attribute: microseconds since 1970 UTC, or text as in "2026-11-21" and "2026-11-21T10:30:00Z". It has
--- the fields `text` and `time_utc_us`.
function attributes.date(value)
  local built = assert(core.peer_attributes_create())
  local good, message, code
  if math.type(value) == "integer" then
    good, message, code = core.peer_attributes_add_date(built, "date", value)
  elseif type(value) == "string" then
    good, message, code = core.peer_attributes_add(built, "date", core.PEER_ATTRIBUTE_DATE, value)
  else
    error("date takes microseconds, an integer, or a string, not " .. type(value), 2)
  end
  if not good then
    return nil, message, code
  end
  local _, _, text = core.peer_attributes_get(built, 0)
  return new_date(text, core.peer_attributes_get_date(built, 0))
end

--- Whether a value is what `date` gives.
function attributes.is_date(value)
  return getmetatable(value) == Date
end

-- ---- reading

-- No attribute that the library accepts may break a reader, so what Lua cannot hold stays text.
local function read_value(object, index)
  local name, kind, text = core.peer_attributes_get(object, index)
  if kind == core.PEER_ATTRIBUTE_INT then
    return name, core.peer_attributes_get_int(object, index) or text
  elseif kind == core.PEER_ATTRIBUTE_DATE then
    local time_utc_us = core.peer_attributes_get_date(object, index)
    return name, time_utc_us and new_date(text, time_utc_us) or text
  end
  return name, text
end

local function from_object(object, xml)
  local all, first = {}, {}
  for index = 0, core.peer_attributes_get_count(object) - 1 do
    local name, value = read_value(object, index)
    all[#all + 1] = { name, value }
    if first[name] == nil then
      first[name] = value
    end
  end
  return setmetatable({ [PAIRS] = all, [FIRST] = first, [XML] = xml }, Attributes)
end

-- ---- writing

local function add(object, name, value)
  if type(name) ~= "string" then
    error("the name of an attribute must be a string, not " .. type(name), 0)
  elseif type(value) == "string" then
    return core.peer_attributes_add(object, name, core.PEER_ATTRIBUTE_STRING, value)
  elseif type(value) == "number" and math.tointeger(value) then
    return core.peer_attributes_add_int(object, name, math.tointeger(value))
  elseif attributes.is_date(value) then
    return core.peer_attributes_add(object, name, core.PEER_ATTRIBUTE_DATE, value.text)
  end
  local shown = type(value) == "number" and tostring(value) or type(value)
  error(("attribute %q must be a string, an integer or a date, not %s"):format(name, shown), 0)
end

-- The pairs of a table: as given if it is an array of pairs, else by name, since Lua's own order is none.
local function pairs_of(given)
  if given[1] ~= nil or next(given) == nil then
    for _, pair in ipairs(given) do
      if type(pair) ~= "table" or #pair ~= 2 then
        error("attributes must be names with values, or an array of pairs of name and value", 0)
      end
    end
    return given
  end
  local sorted = {}
  for name, value in pairs(given) do
    sorted[#sorted + 1] = { name, value }
  end
  table.sort(sorted, function(one, two)
    return tostring(one[1]) < tostring(two[1])
  end)
  return sorted
end

local function build(given)
  local object = assert(core.peer_attributes_create())
  for _, pair in ipairs(pairs_of(given)) do
    local good, message, code = add(object, pair[1], pair[2])
    if not good then
      return nil, message, code
    end
  end
  return object
end

--- Attributes of a table { room = "lobby", year = 1964 }, of an array of pairs { { "room", "lobby" }, ... } in which
--- a name may occur several times, or of attribute XML. nil, message, code for what the schema forbids. `level` is
--- whose mistake a wrong type is, as for error().
function attributes.new(given, level)
  level = (level or 1) + 1
  if getmetatable(given) == Attributes then
    return given
  end
  local object, message, code
  if type(given) == "string" then
    object, message, code = core.peer_attributes_parse(given)
  elseif type(given) == "table" then
    local good
    good, object, message, code = pcall(build, given)
    if not good then
      error(object, level)
    end
  else
    error("attributes must be a table, not " .. type(given), level)
  end
  if not object then
    return nil, message, code
  end
  return from_object(object, core.peer_attributes_get_xml(object))
end

-- ---- the object

--- Every value of a name, in their order; an empty array if there is none.
function methods:get_all(name)
  local values = {}
  for _, pair in ipairs(self[PAIRS]) do
    if pair[1] == name then
      values[#values + 1] = pair[2]
    end
  end
  return values
end

--- Every pair of name and value, in their order.
function methods:items_all()
  local items = {}
  for index, pair in ipairs(self[PAIRS]) do
    items[index] = { pair[1], pair[2] }
  end
  return items
end

--- The attributes as they travel.
function methods:get_xml()
  return self[XML]
end

function Attributes:__index(name)
  return methods[name] or rawget(self, FIRST)[name]
end

function Attributes.__newindex(_, name)
  error(("attributes are as they are; %q cannot be set"):format(tostring(name)), 2)
end

function Attributes:__pairs()
  local index, seen = 0, {}
  return function()
    repeat
      index = index + 1
      local pair = self[PAIRS][index]
      if pair and not seen[pair[1]] then
        seen[pair[1]] = true
        return pair[1], pair[2]
      end
    until not pair
  end
end

--- How many there are, a name that occurs twice counted twice.
function Attributes:__len()
  return #self[PAIRS]
end

function Attributes:__eq(other)
  if getmetatable(other) ~= Attributes or #self ~= #other then
    return false
  end
  for index, pair in ipairs(self[PAIRS]) do
    local its = other[PAIRS][index]
    if pair[1] ~= its[1] or pair[2] ~= its[2] then
      return false
    end
  end
  return true
end

function Attributes:__tostring()
  local parts = {}
  for index, pair in ipairs(self[PAIRS]) do
    local value = type(pair[2]) == "string" and ("%q"):format(pair[2]) or tostring(pair[2])
    parts[index] = pair[1] .. " = " .. value
  end
  return "{" .. table.concat(parts, ", ") .. "}"
end

return attributes
