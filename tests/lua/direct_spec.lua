-- Direct connections and data, with a plain loop.
local peergraph = require "peergraph"
local scene = require "scene"

local failed, raises, wait_for = scene.failed, scene.raises, scene.wait_for
local NOTE = scene.NOTE
local PING = "0ccbb0d2-be41-4bd6-914b-058ec5dcce64"
local BLOCK = ("x"):rep(65536)

local function is_connection(change, id)
  return function(event)
    return event.type == "direct_connection" and event.status == change and (not id or event.connection_id == id)
  end
end

local function is_kind(kind)
  return function(event)
    return event.type == kind
  end
end

describe("peergraph direct connections", function()
  local alice, bob, their_runtime, our_runtime, theirs, ours

  before_each(function()
    alice, their_runtime = scene.create("alice")
    bob, our_runtime = scene.join("bob", alice)
    theirs = assert(alice:events { "direct_connection", "incoming_data" })
    ours = assert(bob:events { "direct_connection", "incoming_data" })
  end)

  after_each(function()
    theirs:close()
    ours:close()
    our_runtime:close()
    their_runtime:close()
    scene.clean()
  end)

  local function connect()
    local id = assert(bob:open_direct_connection("alice", alice:address()))
    wait_for(ours, is_connection("connected", id))
    local up = wait_for(theirs, is_connection("connected"))
    assert.are.equal("bob", up.peer_id)
    return id, up.connection_id
  end

  it("carry data both ways, whole and in order, until one side closes", function()
    local here, there = connect()
    assert.are.equal(1, #assert(bob:connections("direct")))
    assert.are.equal(0, assert(bob:connections("direct"))[1].lost)
    for _, data in ipairs { "", "a", scene.EVERY_BYTE, BLOCK, ("y"):rep(4 * 1024 * 1024) } do
      assert(bob:send_data(here, NOTE, data))
      local event = wait_for(theirs, is_kind("incoming_data"))
      assert.are.same({ there, NOTE, #data }, { event.connection_id, event.data_type, #event.data })
      assert.is_true(event.data == data)
    end
    assert(alice:send_data(there, NOTE, "back"))
    assert.are.equal("back", wait_for(ours, is_kind("incoming_data")).data)
    assert(alice:close_direct_connection(there))
    assert.is_nil(wait_for(ours, is_connection("disconnected", here)).reason)
    wait_for(theirs, is_connection("disconnected", there))
    failed(peergraph.PEER_E_CONNECTION_NOT_FOUND, tostring(here), bob:send_data(here, NOTE, "late"))
    failed(peergraph.PEER_E_CONNECTION_NOT_FOUND, tostring(here), bob:close_direct_connection(here))
    failed(peergraph.PEER_E_CONNECTION_NOT_FOUND, tostring(here), bob:pause_direct_connection(here, true))
  end)

  it("hold the sender back while they are not read, and lose nothing", function()
    local here, there = connect()
    assert(alice:pause_direct_connection(there, true))
    local sent, code = 0
    repeat
      local ok, _, status = bob:send_data(here, NOTE, BLOCK)
      sent, code = ok and sent + 1 or sent, status
    until not ok
    assert.are.equal(peergraph.PEER_E_OUTBOX_FULL, code)
    assert(alice:pause_direct_connection(there, false))
    for _ = 1, sent do
      assert.are.equal(#BLOCK, #wait_for(theirs, is_kind("incoming_data")).data)
    end
    assert.are.equal(here, wait_for(ours, is_kind("writable")).connection_id)
    assert(bob:send_data(here, NOTE, "again"))
  end)

  it("are refused, and say why", function()
    failed(peergraph.PEER_E_CONNECT_SELF, "is this node itself", alice:open_direct_connection("alice", alice:address()))
    failed(peergraph.E_INVALIDARG, "", bob:open_direct_connection("alice", "nowhere"))
    local id = assert(bob:open_direct_connection("carol", alice:address()))
    wait_for(ours, is_connection("failed", id))
    theirs:close()
    id = assert(bob:open_direct_connection("alice", alice:address()))
    local event = wait_for(ours, is_connection("failed", id))
    assert.are.equal(peergraph.PEER_E_CONNECTION_REFUSED, event.reason)
  end)

  it("and neighbours take data of any type but the reserved one", function()
    local id = assert(bob:connections("neighbor"))[1].id
    assert(bob:send_data(id, NOTE, "hello"))
    assert.are.equal("hello", wait_for(theirs, is_kind("incoming_data")).data)
    failed(peergraph.E_INVALIDARG, "reserved", bob:send_data(id, PING, ""))
    failed(peergraph.E_INVALIDARG, "1048577", bob:send_data(id, NOTE, ("x"):rep(1024 * 1024 + 1)))
    failed(peergraph.PEER_E_CONNECTION_NOT_FOUND, "", bob:close_direct_connection(id))
    failed(peergraph.PEER_E_CONNECTION_NOT_FOUND, "", bob:send_data(4711, NOTE, ""))
    raises("data must be a string", bob.send_data, bob, id, NOTE, 5)
  end)
end)
