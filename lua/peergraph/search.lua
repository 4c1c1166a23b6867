--- Queries for graph:search, written as comparisons:
---
---     local Attr = peergraph.Attr
---     graph:search(Attr "size":gt(10000) & Attr "path":like "docs/*")
---
--- Lua makes a boolean of whatever ==, < and the like compare, so that comparisons are methods here.
local attributes = require "peergraph.attributes"
local core = require "peergraph.core"

local search = {}

-- ---- queries

local Query, Attr = {}, {} -- metatables
Query.__index, Attr.__index = Query, Attr

local function is_query(value)
  return getmetatable(value) == Query
end

local function is_attr(value)
  return getmetatable(value) == Attr
end

-- Queries that are joined alike are one operator, so that a long chain does not nest.
local function join(operator, one, other)
  local parts = {}
  for _, query in ipairs { one, other } do
    if query._operator == operator then
      table.move(query._parts, 1, #query._parts, #parts + 1, parts)
    else
      parts[#parts + 1] = query
    end
  end
  return setmetatable({ _operator = operator, _parts = parts }, Query)
end

local function check_joined(operator, value)
  if not is_query(value) then
    error(("%s joins queries, not %s"):format(operator, is_attr(value) and "an attribute" or type(value)), 3)
  end
end

local function joiner(operator)
  return function(one, other)
    check_joined(operator, one)
    check_joined(operator, other)
    return join(operator, one, other)
  end
end

Query.__band = joiner "&"
Query.__bor = joiner "|"

local BEGIN = { ["&"] = core.peer_query_begin_and, ["|"] = core.peer_query_begin_or }

-- true, or nil, message, code.
local function write(query, object)
  if not query._operator then
    return query._add(object, query._name, query._compare, query._value)
  end
  local good, message, code = BEGIN[query._operator](object)
  for _, part in ipairs(query._parts) do
    if good then
      good, message, code = write(part, object)
    end
  end
  if not good then
    return nil, message, code
  end
  return core.peer_query_end(object)
end

--- The query as graph:search_records takes it. nil, message, code for what no query can hold.
function Query:get_xml()
  local object = assert(core.peer_query_create())
  local good, message, code = write(self, object)
  if not good then
    return nil, message, code
  end
  return core.peer_query_get_xml(object)
end

function Query:__tostring()
  if not self._operator then
    return self._text
  end
  local parts = {}
  for index, part in ipairs(self._parts) do
    parts[index] = tostring(part)
  end
  return "(" .. table.concat(parts, " " .. self._operator .. " ") .. ")"
end

-- ---- attributes

local function clause(attr, add, compare, value, text)
  return setmetatable({ _add = add, _name = attr._name, _compare = compare, _value = value, _text = text }, Query)
end

-- What adds a comparison with a value, the value as that takes it, and how it is shown.
local function argument(value)
  if type(value) == "string" then
    return core.peer_query_add_text, value, ("%q"):format(value)
  elseif type(value) == "number" and math.tointeger(value) then
    return core.peer_query_add_int, math.tointeger(value), ("%d"):format(value)
  elseif attributes.is_date(value) then
    return core.peer_query_add_date, value.time_utc_us, ("date %q"):format(value.text)
  end
end

local function comparison(method, compare)
  return function(self, value)
    local add, given, shown = argument(value)
    if not add then
      local kind = type(value) == "number" and tostring(value) or type(value)
      error(("attribute %q is compared with a string, an integer or a date, not %s"):format(self._name, kind), 2)
    end
    return clause(self, add, compare, given, ("%s:%s(%s)"):format(self, method, shown))
  end
end

--- A record has a value that is this one, another, ... Only values of the same type are found.
Attr.eq = comparison("eq", core.PEER_COMPARE_EQUAL)
Attr.ne = comparison("ne", core.PEER_COMPARE_NOT_EQUAL)
Attr.lt = comparison("lt", core.PEER_COMPARE_LESS)
Attr.le = comparison("le", core.PEER_COMPARE_LESS_OR_EQUAL)
Attr.gt = comparison("gt", core.PEER_COMPARE_GREATER)
Attr.ge = comparison("ge", core.PEER_COMPARE_GREATER_OR_EQUAL)

--- Text that looks like this: * stands for any characters, ? for one; \*, \? and \\ for themselves.
function Attr:like(pattern)
  if type(pattern) ~= "string" then
    error("a pattern must be a string, not " .. type(pattern), 2)
  end
  local text = ("%s:like(%q)"):format(self, pattern)
  return clause(self, core.peer_query_add_pattern, core.PEER_COMPARE_EQUAL, pattern, text)
end

function Attr:__tostring()
  return ("Attr %q"):format(self._name)
end

-- What would give a boolean is a mistake; with == Lua does not ask.
local function refuse()
  error("an attribute is compared with a method: lt, le, gt, ge, eq or ne", 2)
end

Attr.__lt, Attr.__le = refuse, refuse

--- An attribute of records by name, or one of the fields that every record has: peercreatorid, peerlastmodifiedby,
--- peerrecordid, peerrecordtype (strings), peercreationtime, peerlastmodificationtime (dates, peer time). A wrong name
--- is told when the search begins.
function search.Attr(name)
  if type(name) ~= "string" then
    error("the name of an attribute must be a string, not " .. type(name), 2)
  end
  return setmetatable({ _name = name }, Attr)
end

--- Text as part of a pattern, standing for itself.
function search.escape_wildcards(text)
  if type(text) ~= "string" then
    error("text must be a string, not " .. type(text), 2)
  end
  return (text:gsub("[\\*?]", "\\%0"))
end

--- The XML of a query or of what is XML already; nil, message, code. `name` is that of the argument.
function search.xml(name, query)
  if is_query(query) then
    return query:get_xml()
  elseif type(query) ~= "string" then
    local given = is_attr(query) and "an attribute; compare it with something" or type(query)
    error(("%s must be a query or a string, not %s"):format(name, given), 3)
  end
  return query
end

search.methods = { Attr = Attr, Query = Query }

return search
