--- Arguments that are a mistake in the program: an error that names the argument, at the line of the caller.
local check = {}

-- Whose mistake it is, as for error(): the check itself is 1, the function that checks 2, its caller 3. `further` says
-- how many functions of ours are in between.
local CALLER = 3

local function type_of(value)
  if type(value) == "number" then
    return math.tointeger(value) and "integer" or "float"
  end
  return type(value)
end

local function fits(value, wanted)
  local kind = type_of(value)
  return kind == wanted or wanted == "number" and type(value) == "number"
end

local function described(value)
  return math.type(value) == "float" and tostring(value) or type(value)
end

local function article(wanted)
  return (wanted:match("^[aeiou]") and "an " or "a ") .. wanted
end

--- The value, which must be of the type; nil only if `optional`.
function check.value(name, value, wanted, optional, further)
  if not (fits(value, wanted) or optional and value == nil) then
    error(("%s must be %s, not %s"):format(name, article(wanted), described(value)), CALLER + (further or 0))
  end
  return value
end

--- A time to wait, in seconds; nil for as long as it takes.
function check.timeout(value)
  check.value("timeout", value, "number", true, 1)
  if value ~= value then
    error("timeout is not a number", CALLER)
  end
end

--- A table of named arguments: `allowed` has their names with the types, "?" after it for those that may be missing,
--- and "any" for those that somebody else looks at. nil is an empty table.
function check.fields(where, fields, allowed)
  if fields == nil then
    fields = {}
  elseif type(fields) ~= "table" then
    error(("%s takes a table, not %s"):format(where, described(fields)), CALLER)
  end
  for name in pairs(fields) do
    if not allowed[name] then
      local names = {}
      for known in pairs(allowed) do
        names[#names + 1] = known
      end
      table.sort(names)
      local line = ('%s has no field "%s"; there are %s'):format(where, tostring(name), table.concat(names, ", "))
      error(line, CALLER)
    end
  end
  for name, wanted in pairs(allowed) do
    local kind, optional = wanted:match("^(%a+)(%??)$")
    local value = fields[name]
    if value == nil and optional == "" then
      error(("%s needs %s"):format(where, name), CALLER)
    elseif value ~= nil and kind ~= "any" and not fits(value, kind) then
      error(("%s of %s must be %s, not %s"):format(name, where, article(kind), described(value)), CALLER)
    end
  end
  return fields
end

--- The number that stands for a name.
function check.one_of(name, value, numbers, further)
  local number = numbers[value]
  if type(value) ~= "string" or not number then
    local names = {}
    for known in pairs(numbers) do
      names[#names + 1] = known
    end
    table.sort(names)
    error(("%s is %s; there are %s"):format(name, tostring(value), table.concat(names, ", ")), CALLER + (further or 0))
  end
  return number
end

return check
