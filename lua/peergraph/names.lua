--- The names of numbers: where C has constants, Lua has words.
local core = require "peergraph.core"

local names = {}

-- Two tables for the constants with a prefix: the number of each word, and the word of each number.
local function words(prefixes, but)
  local numbers, names_of = {}, {}
  for constant, number in pairs(core) do
    for _, prefix in ipairs(prefixes) do
      local word = type(number) == "number" and constant:match("^" .. prefix .. "([%u_]+)$")
      if word and not (but and word:match(but)) then
        numbers[word:lower()] = number
        names_of[number] = word:lower()
      end
    end
  end
  return numbers, names_of
end

names.event_numbers, names.events = words { "PEER_GRAPH_EVENT_", "PEER_EVENT_" }
names.scope_numbers, names.scopes = words { "PEER_GRAPH_SCOPE_" }
names.node_change_numbers, names.node_changes = words { "PEER_NODE_CHANGE_" }
names.record_change_numbers, names.record_changes = words({ "PEER_RECORD_" }, "^FLAG_")
names.progress_numbers, names.progresses = words { "PEER_PROGRESS_" }
names.status_flags = words { "PEER_GRAPH_STATUS_" }
names.connections = {
  [core.PEER_CONNECTED] = "connected",
  [core.PEER_DISCONNECTED] = "disconnected",
  [core.PEER_CONNECTION_FAILED] = "failed",
}

names.connection_kinds = {
  [core.PEER_CONNECTION_NEIGHBOR] = "neighbor",
  [core.PEER_CONNECTION_DIRECT] = "direct",
}
names.connection_flags = {
  neighbor = core.PEER_CONNECTION_NEIGHBOR,
  direct = core.PEER_CONNECTION_DIRECT,
  any = core.PEER_CONNECTION_NEIGHBOR | core.PEER_CONNECTION_DIRECT,
}

--- The status flags as a table: { synchronized = true, listening = false, ... }.
function names.status(flags)
  local status = {}
  for word, flag in pairs(names.status_flags) do
    status[word] = flags & flag ~= 0
  end
  return status
end

return names
