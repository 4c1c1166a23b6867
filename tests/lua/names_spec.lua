-- The fine layer is a closed list, which stands in docs/names.md; the exact one follows the rule.
local core = require "peergraph.core"
local peergraph = require "peergraph"
local scene = require "scene"

local CLASSES = {
  Runtime = require("peergraph.runtime").Runtime,
  Graph = require("peergraph.graph").Graph,
  Batch = require("peergraph.batch").Batch,
  RecordEnumeration = require("peergraph.enumeration").RecordEnumeration,
  NodeEnumeration = require("peergraph.enumeration").NodeEnumeration,
  ConnectionEnumeration = require("peergraph.enumeration").ConnectionEnumeration,
  EventQueue = require("peergraph.queue").EventQueue,
  Events = require("peergraph.queue").Events,
  Event = require("peergraph.event").Event,
  Attributes = require("peergraph.attributes").methods,
  Attr = require("peergraph.search").methods.Attr,
  Query = require("peergraph.search").methods.Query,
  luv = { each = require("peergraph.luv").each },
  Watcher = require("peergraph.luv").Watcher,
}

-- Which functions of C a class has under the rest of their names.
local PREFIXES = {
  Runtime = { "peer_" },
  Graph = { "peer_graph_" },
  Batch = { "peer_batch_" },
  RecordEnumeration = { "peer_" },
  NodeEnumeration = { "peer_" },
  ConnectionEnumeration = { "peer_" },
  EventQueue = { "peer_", "peer_event_queue_" },
  Attributes = { "peer_attributes_" },
  Query = { "peer_query_" },
}

local function listed()
  local file = assert(io.open("docs/names.md"))
  local section = file:read("a"):match("## The fine layer in Lua\n(.*)$"):gsub("\n## .*", "")
  file:close()
  local names = {}
  for name in section:gmatch("\n| `([%w_.]+)` | [^\n]+ |") do
    assert(not names[name], name .. " is listed twice")
    names[name] = true
  end
  return names
end

local function is_by_rule(class, method)
  for _, prefix in ipairs(PREFIXES[class] or {}) do
    if core[prefix .. method] then
      return true
    end
  end
  return false
end

-- What people reach: methods, the functions of the module, and the fields of a graph.
local function public()
  local names = {}
  for class, methods in pairs(CLASSES) do
    for method in pairs(methods) do
      names[class .. "." .. method] = not method:match("^_") and not is_by_rule(class, method) or nil
    end
  end
  for name, value in pairs(peergraph) do
    names[name] = type(value) == "function" or nil
  end
  local runtime <close> = assert(peergraph.open_runtime(scene.folder()))
  for field in pairs(assert(runtime:create_graph("g", { peer_id = "p" }))) do
    names["Graph." .. field] = not field:match("^_") or nil
  end
  return names
end

describe("names", function()
  after_each(scene.clean)

  it("follow the rule or are listed", function()
    assert.are.same(listed(), public())
  end)

  it("are all explained in docs/lua.md", function()
    local file = assert(io.open("docs/lua.md"))
    local page = file:read("a")
    file:close()
    for class, methods in pairs(CLASSES) do
      for method in pairs(methods) do
        if not method:match("^_") and class ~= "Watcher" then
          assert(page:find("%f[%w_]" .. method .. "%f[^%w_]"), class .. "." .. method .. " is missing in docs/lua.md")
        end
      end
    end
    for word in pairs(require("peergraph.names").event_numbers) do
      if not ({ direct_connection = 1, incoming_data = 1, writable = 1, validation = 1 })[word] then
        assert(page:find(('`"%s"`'):format(word), 1, true), "the event " .. word .. " is missing in docs/lua.md")
      end
    end
  end)

  it("of C are all in the exact layer", function()
    local count = 0
    for name, value in pairs(core) do
      if type(value) == "function" and name:match("^peer_") then
        count = count + 1
      end
    end
    assert.is_true(count >= 45)
  end)
end)
