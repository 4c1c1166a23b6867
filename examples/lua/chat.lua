-- A graph in a loop of luv: every line that you type becomes a record, and reaches all. Ctrl-C leaves.
local here = arg[0]:match("^(.*)/") or "."
package.path = here .. "/?.lua;" .. package.path
local luv = require "peergraph.luv"
local notes = require "notes"
local uv = require "luv"

local graph, events = notes.enter(arg)
luv.each(events, notes.show, uv.stop)

local input = uv.guess_handle(0) == "tty" and uv.new_tty(0, true) or uv.new_pipe(false)
if uv.guess_handle(0) ~= "tty" then
  input:open(0)
end
local rest = ""

-- Records can be added as soon as everything is here.
local function read(_, chunk)
  if not chunk then
    input:close()
    return
  end
  rest = (rest .. chunk):gsub("([^\n]*)\n", function(line)
    notes.add(graph, line)
    return ""
  end)
end

local changes = assert(graph:events { "status_changed" }) -- before it looks, as in notes.lua

local function read_if_synchronized()
  if graph:status().synchronized then
    print "synchronized: what you type is for all"
    input:read_start(read)
    changes:close()
  end
end

luv.each(changes, read_if_synchronized)
read_if_synchronized()

local interrupt = uv.new_signal()
interrupt:start("sigint", uv.stop)
uv.run()
assert(graph:close())
