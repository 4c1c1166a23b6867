-- Events of the fine layer, with a plain loop.
local core = require "peergraph.core"
local peergraph = require "peergraph"
local scene = require "scene"

local failed, raises = scene.failed, scene.raises
local NOTE, OTHER = scene.NOTE, scene.OTHER

describe("peergraph events", function()
  local graph, runtime

  before_each(function()
    graph, runtime = scene.create("alice")
  end)

  after_each(function()
    runtime:close()
    scene.clean()
  end)

  local function add(type, data)
    return assert(graph:add_record { type = type or NOTE, data = data or "", lifetime = 60 })
  end

  local function is_kind(kind)
    return function(event)
      return event.type == kind
    end
  end

  it("tell of records, and find the record", function()
    local events <close> = assert(graph:events { "record_changed" })
    local id = add(NOTE, "hello")
    local added = assert(events:get(0))
    assert.are.same({ "record_changed", "added", id, NOTE },
      { added.type, added.change, added.record_id, added.record_type })
    assert.are.equal("hello", added:record().data)
    assert(graph:update_record(id, { data = "there" }))
    assert(graph:delete_record(id))
    assert.are.equal("hello", added:record().data)
    local updated = assert(events:get(0))
    assert.are.equal("updated", updated.change)
    failed(peergraph.PEER_E_RECORD_NOT_FOUND, id, updated:record())
    local deleted = assert(events:get(0))
    assert.are.equal(("record_changed(deleted, type=%s, id=%s)"):format(NOTE, id), tostring(deleted))
  end)

  it("come by kind and by type of record", function()
    local notes <close> = assert(graph:events { "record_changed", "status_changed", record_type = NOTE })
    local both <close> = assert(graph:events { "record_changed", record_type = { NOTE, OTHER } })
    local all <close> = assert(graph:events { record_type = OTHER })
    local none <close> = assert(graph:events { "node_changed", "overflow" })
    local note, other = add(NOTE), add(OTHER)
    assert.are.equal(note, notes:get(0).record_id)
    assert.are.same({ note, other }, { both:get(0).record_id, both:get(0).record_id })
    assert.are.equal(other, all:get(0).record_id)
    for _, events in ipairs { notes, both, all, none } do
      assert.are.same({}, events:take())
    end
  end)

  it("are wanted in a way that makes sense", function()
    raises("event 1 is record; there are closed, ", graph.events, graph, { "record" })
    raises('events has no field "type"; there is record_type', graph.events, graph, { type = NOTE })
    raises("record_type is empty", graph.events, graph, { record_type = {} })
    raises("record_type must be a string, not number", graph.events, graph, { record_type = 5 })
    raises("come by themselves", graph.events, graph, { "overflow", "closed" })
    raises("events takes a table of kinds, not string", graph.events, graph, "record_changed")
    local here = scene.raises_here
    here("event 1 is record", function() local _ = graph:events { "record" } end)
    here("record_type is empty", function() local _ = graph:events { record_type = {} } end)
    here("record_type must be", function() local _ = graph:register_event { record_type = 5 } end)
    here("overflow, closed and writable come", function() local _ = graph:events { "closed" } end)
    here("events takes a table", function() local _ = graph:events(5) end)
    here("timeout must be a number", function() local _ = graph:synchronized("x") end)
    failed(peergraph.E_INVALIDARG, "record_type", graph:events { "record_changed", record_type = "x" })
  end)

  it("are waited for with a time-out", function()
    local events <close> = assert(graph:events { "record_changed" })
    assert.is_false(events:wait(0))
    local nothing, message, code = events:get(0.01)
    assert.is_nil(nothing)
    assert.are.equal("no event within 0.01 s", message)
    assert.are.equal(peergraph.PEER_S_NO_EVENT_DATA, code)
    local before = core.monotonic_us()
    assert.is_false(events:wait(0.3)) -- longer than one wait in C
    assert.is_true(core.monotonic_us() - before >= 300000)
    add()
    assert.is_true(events:wait())
    assert.is_true(events:wait(0))
    assert.are.equal("record_changed", events:get().type)
    raises("timeout must be a number, not string", events.wait, events, "1")
    scene.raises_here("timeout must be a number, not string", function() local _ = events:get("1") end)
    scene.raises_here("timeout is not a number", function() local _ = events:wait(0 / 0) end)
    raises("timeout is not a number", events.get, events, 0 / 0)
  end)

  it("are taken many at once", function()
    local events <close> = assert(graph:events { "record_changed" })
    for _ = 1, 600 do
      add()
    end
    assert.are.equal("record_changed", events:get(0).type)
    assert.are.equal(10, #events:take(10))
    assert.is_true(events:wait(0))
    local count = 11
    repeat
      local taken = assert(events:take())
      count = count + #taken
    until #taken == 0
    assert.are.equal(600, count)
    raises("count_max must be an integer, not string", events.take, events, "x")
  end)

  it("are what a for loop goes through, up to the end", function()
    local events = assert(graph:events { "record_changed" })
    add(NOTE, "1")
    add(NOTE, "2")
    local seen = {}
    for event in events do
      seen[#seen + 1] = event:record().data
      if #seen == 1 then
        break
      end
    end
    assert.is_false(events:closed())
    for event in events do
      seen[#seen + 1] = event:record().data
      graph:close()
    end
    assert.are.same({ "1", "2" }, seen)
    assert.are.equal("closed", events:closed().type)
    assert.are.equal("closed()", tostring(events:closed()))
    assert.are.equal("closed", events:get().type)
    assert.is_true(events:wait(0))
    assert.is_nil(events())
    assert.are.same({}, events:take())
    assert.is_true(events:close())
  end)

  it("end when they are closed by hand", function()
    local events = assert(graph:events())
    add()
    assert.truthy(tostring(events):match("^<peergraph.Events of"))
    assert.is_true(events:close())
    assert.is_true(events:close())
    assert.are.equal("closed", events:closed().type)
    assert.are.equal("closed", events:get(0).type)
    assert.is_nil(events())
    failed(peergraph.E_INVALIDARG, "", events:fileno())
  end)

  it("tell of connections, nodes and status", function()
    local events <close> = assert(graph:events { "neighbor_connection", "status_changed" })
    local bob, bobs = scene.join("bob", graph)
    local connected = scene.wait_for(events, is_kind "neighbor_connection")
    assert.are.same({ "connected", "bob", bob:node().id }, { connected.status, connected.peer_id, connected.node_id })
    assert.truthy(tostring(connected):match('^neighbor_connection%(connected, connection=%d+, peer="bob", node=%x+%)$'))
    local status = scene.wait_for(events, is_kind "status_changed")
    assert.is_true(status.status.has_connections)
    assert.are.equal("status_changed(has_connections|listening|synchronized)", tostring(status))
    bobs:close()
    local gone = scene.wait_for(events, is_kind "neighbor_connection")
    assert.are.equal("disconnected", gone.status)
  end)

  it("tell why a connection failed", function()
    local other, others = scene.create("bob")
    local address = other:address()
    others:close()
    local events <close> = assert(graph:events { "neighbor_connection" })
    failed(peergraph.PEER_E_CONNECTION_FAILED, address, graph:connect(address))
    local id = assert(graph:begin_connect(address))
    assert.are.equal("integer", math.type(id))
    local event = scene.wait_for(events, function(event)
      return event.connection_id == id
    end)
    assert.are.equal("failed", event.status)
    assert.is_nil(event.node_id)
    assert.is_nil(event.next_connection_id)
    assert.are.equal("PEER_E_", peergraph.status_name(event.reason):sub(1, 7))
    assert.truthy(#event.message > 0)
    assert.truthy(tostring(event):find(peergraph.status_name(event.reason), 1, true))
  end)

  it("reach another node with every byte", function()
    local bob, bobs = scene.join("bob", graph)
    local events <close> = assert(bob:events { "record_changed", record_type = NOTE })
    local id = assert(graph:add_record {
      type = NOTE, data = scene.EVERY_BYTE, attributes = { who = "Zoë ✓" }, lifetime = 60,
    })
    local record = assert(scene.wait_for(events, is_kind "record_changed"):record())
    assert.are.same({ id, scene.EVERY_BYTE, "Zoë ✓", "alice" },
      { record.id, record.data, record.attributes.who, record.creator_id })
    bobs:close()
  end)

  it("have an exact layer", function()
    local queue = assert(graph:register_event { "record_changed" })
    local nothing, _, code = queue:get_event_data()
    assert.are.same({ n = 2, nil, peergraph.PEER_S_NO_EVENT_DATA }, table.pack(nothing, code))
    assert.is_false(queue:wait(0))
    add(NOTE, "x")
    add()
    assert.is_true(queue:wait(0))
    assert.are.equal("integer", math.type((queue:fileno())))
    assert.are.equal("x", queue:get_event_data():record().data)
    assert.are.equal(1, #queue:get_event_batch(5))
    assert.are.same({}, queue:get_event_batch())
    graph:close()
    assert.is_false(queue:closed())
    assert.are.equal("closed", queue:get_event_data().type)
    assert.is_true(queue:unregister_event())
    assert.is_true(queue:unregister_event())
    assert.is_true(queue:closed())
    failed(peergraph.E_INVALIDARG, "", queue:get_event_data())
    failed(peergraph.E_INVALIDARG, "", queue:get_event_batch())
    failed(peergraph.E_INVALIDARG, "", queue:wait(0))
  end)

  it("of every kind are read as the API says", function()
    local event = require "peergraph.event"
    local zero = "0000000000000000"
    local function made(fields)
      local view = { type = 0, change = 0, reason = 0, status = 0, connection_id = 5, next_connection_id = 0,
        node_id = zero, lost_count = 0, data = "" }
      for name, value in pairs(fields) do
        view[name] = value
      end
      return event.from_view(view, graph)
    end
    assert.are.equal("overflow(record_changed, 7 lost)", tostring(made {
      type = core.PEER_EVENT_OVERFLOW, status = core.PEER_GRAPH_EVENT_RECORD_CHANGED, lost_count = 7,
    }))
    assert.are.equal("closed(PEER_E_DISK_FULL: no room)", tostring(made {
      type = core.PEER_EVENT_CLOSED, reason = core.PEER_E_DISK_FULL, message = "no room",
    }))
    assert.are.equal("writable(connection=5)", tostring(made { type = core.PEER_EVENT_WRITABLE }))
    assert.are.equal("node_changed(updated, node=" .. zero .. ', peer="bob")', tostring(made {
      type = core.PEER_GRAPH_EVENT_NODE_CHANGED, change = core.PEER_NODE_CHANGE_UPDATED, peer_id = "bob",
    }))
    assert.are.equal("synchronized(type=" .. NOTE .. ")", tostring(made {
      type = core.PEER_GRAPH_EVENT_SYNCHRONIZED, record_type = NOTE,
    }))
    assert.are.equal("incoming_data(connection=5, type=" .. NOTE .. ", 3 bytes)", tostring(made {
      type = core.PEER_GRAPH_EVENT_INCOMING_DATA, record_type = NOTE, data = "a\0b",
    }))
    assert.are.equal("property_changed()", tostring(made { type = core.PEER_GRAPH_EVENT_PROPERTY_CHANGED }))
    assert.are.equal("connection_required()", tostring(made { type = core.PEER_GRAPH_EVENT_CONNECTION_REQUIRED }))
    assert.are.equal("4711()", tostring(made { type = 4711 }))
    failed(peergraph.E_INVALIDARG, "", (function(_, ...)
      return nil, "E_INVALIDARG: " .. (...), select(2, ...)
    end)(made({ type = 4711 }):record()))
  end)
end)
