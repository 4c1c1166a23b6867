-- Writes down which test is running: neither a crash nor a wait that does not end can be asked later.
local busted = require "busted"
local path = os.getenv "PEER_RUNNING"

if path then
  busted.subscribe({ "test", "start" }, function(test)
    local file = assert(io.open(path, "w"))
    file:write(test.trace.short_src, ":", test.trace.currentline, ": ", test.name)
    file:close()
    return nil, true
  end)
  busted.subscribe({ "suite", "end" }, function()
    os.remove(path)
    return nil, true
  end)
end
