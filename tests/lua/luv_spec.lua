-- Events in a loop of luv.
local luv = require "peergraph.luv"
local scene = require "scene"
local uv = require "luv"

local NOTE = scene.NOTE

describe("peergraph.luv", function()
  local graph, runtime, watchdog

  before_each(function()
    graph, runtime = scene.create("alice")
    watchdog = uv.new_timer()
    watchdog:start(scene.PATIENCE * 1000, 0, uv.stop)
    watchdog:unref()
  end)

  after_each(function()
    runtime:close()
    watchdog:close()
    uv.run()
    scene.clean()
  end)

  local function add(data)
    return assert(graph:add_record { type = NOTE, data = data or "", lifetime = 60 })
  end

  it("calls for each event, up to the end", function()
    local events = assert(graph:events { "record_changed" })
    local seen, last = {}, nil
    luv.each(events, function(event)
      seen[#seen + 1] = event:record().data
      if #seen == 1 then
        add("two")
      elseif #seen == 2 then
        graph:close()
      end
    end, function(closed)
      last = closed
    end)
    add("one")
    uv.run()
    assert.are.same({ "one", "two" }, seen)
    assert.are.equal("closed", last.type)
    assert.are.equal(last, events:closed())
  end)

  it("gets events of another node while the loop does other things", function()
    local bob, bobs = scene.join("bob", graph)
    local events = assert(bob:events { "record_changed", record_type = NOTE })
    local seen, ticks = 0, 0
    local timer = uv.new_timer()
    timer:start(0, 1, function()
      ticks = ticks + 1
      add(scene.EVERY_BYTE)
    end)
    luv.each(events, function(event)
      assert.are.equal(scene.EVERY_BYTE, event:record().data)
      seen = seen + 1
      if seen == 20 then
        timer:close()
        events:close()
      end
    end)
    uv.run()
    assert.are.equal(20, seen)
    assert.is_true(ticks >= 20)
    bobs:close()
  end)

  it("can be stopped in the middle, and loses nothing", function()
    local events = assert(graph:events { "record_changed" })
    for index = 1, 300 do
      add(tostring(index))
    end
    assert.are.equal("1", events:get(0):record().data) -- the rest waits in the buffer, not in the queue
    local seen = {}
    local watcher
    watcher = luv.each(events, function(event)
      seen[#seen + 1] = tonumber(event:record().data)
      if #seen == 10 then
        watcher:stop()
        watcher:stop()
      end
    end)
    assert.has_error(function() luv.each(events, print) end)
    uv.run()
    assert.are.equal(10, #seen)
    luv.each(events, function(event)
      seen[#seen + 1] = tonumber(event:record().data)
      if #seen == 299 then
        events:close()
      end
    end)
    uv.run()
    assert.are.equal(299, #seen)
    for index, number in ipairs(seen) do
      assert.are.equal(index + 1, number)
    end
  end)

  it("is not needed to wait for a connection, which may take too long", function()
    local server = uv.new_tcp() -- takes connections, and says nothing
    server:bind("127.0.0.1", 0)
    server:listen(1, function() end)
    local address = ("127.0.0.1:%d"):format(server:getsockname().port)
    local nothing, message, code = graph:connect(address, { timeout = 0.05 })
    assert.is_nil(nothing)
    assert.are.equal(('no connection to "%s" after 0.05 s'):format(address), message)
    assert.are.equal(require("peergraph").PEER_S_NO_EVENT_DATA, code)
    server:close()
  end)

  it("lets go of the descriptor before it is closed", function()
    for _ = 1, 20 do -- the same number is given out again
      local events = assert(graph:events { "record_changed" })
      local seen = 0
      luv.each(events, function()
        seen = seen + 1
        events:close()
      end)
      add()
      uv.run()
      assert.are.equal(1, seen)
    end
  end)
end)
