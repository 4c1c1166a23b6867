--- Events in a loop of luv:
--
--     require("peergraph.luv").each(events, function(event) print(event) end)
--     uv.run()
local uv = require "luv"

local luv = {}

local BUDGET = 256 -- events in a turn of the loop, so that a busy graph leaves time for others

local Watcher = {}
luv.Watcher = Watcher
Watcher.__index = Watcher

--- Stops watching. Events wait in the queue then. May be called again.
function Watcher:stop()
  for _, handle in ipairs { self._poll, self._first } do
    if not handle:is_closing() then
      handle:close()
    end
  end
  self._events._watcher = nil
end

function Watcher:_drain()
  self._events:_each(BUDGET, function(event)
    self._call(event)
    return not self._poll:is_closing()
  end)
  if self._poll:is_closing() then
    return -- it was stopped meanwhile
  end
  local last = self._events:closed()
  if last then
    self._events:close()
    self._on_end(last)
  end
end

--- Calls a function for each event, as long as the loop runs, and at the end another one with the closed event; then
--- the subscription is closed too. Gives a watcher that can be stopped; closing the subscription stops it.
function luv.each(events, call, on_end)
  assert(not events._watcher, "somebody watches these events already")
  local descriptor = assert(events:fileno())
  local self = setmetatable({ _events = events, _call = call, _on_end = on_end or function() end }, Watcher)
  local function drain()
    self:_drain()
  end
  self._poll = assert(uv.new_poll(descriptor))
  self._poll:start("r", drain)
  self._first = assert(uv.new_timer()) -- what was taken from the queue before does not show in the descriptor
  self._first:start(0, 0, drain)
  events._watcher = self
  return self
end

return luv
