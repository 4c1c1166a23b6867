-- A graph in a loop of one's own: shows what happens, and has time for other things in between.
local here = arg[0]:match("^(.*)/") or "."
package.path = here .. "/?.lua;" .. package.path
local notes = require "notes"

local _, events = notes.enter(arg)
local counted = 0

while not events:closed() do
  if events:wait(1) then
    for _, event in ipairs(events:take()) do
      notes.show(event)
      counted = counted + 1
    end
  elseif counted > 0 then
    print(("a second without an event, after %d"):format(counted)) -- here other things have their turn
    counted = 0
  end
end
