--- Serverless groups of peers that share a replicated, searchable record database.
--
--     local peergraph = require "peergraph"
--     local runtime <close> = assert(peergraph.open_runtime())
--     local graph <close> = assert(runtime:open_graph("film club", { peer_id = "bob" }))
--     assert(graph:connect("192.0.2.1:5000"))
--     for event in assert(graph:events()) do
--       print(event)
--     end
--
-- What fails gives nil, a line that says why, and the code; mistakes in the program are errors. docs/lua.md has it all.
-- The constants of the API are here under their own names (peergraph.PEER_E_RECORD_NOT_FOUND).

local attributes = require "peergraph.attributes"
local core = require "peergraph.core"
local runtime = require "peergraph.runtime"
local search = require "peergraph.search"

local peergraph = {
  open_runtime = runtime.open,
  library_version = core.peer_version,
  status_name = core.peer_status_name,
  attributes = attributes.new,
  date = attributes.date,
  Attr = search.Attr,
  escape_wildcards = search.escape_wildcards,
}

for name, value in pairs(core) do
  if type(value) == "number" then
    peergraph[name] = value
  end
end

return peergraph
