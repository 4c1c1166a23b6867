-- The application as the judge of records.
local peergraph = require "peergraph"
local scene = require "scene"

local failed, raises, wait_for = scene.failed, scene.raises, scene.wait_for
local NOTE, OTHER = scene.NOTE, scene.OTHER

local function is_change(change)
  return function(event)
    return event.type == "record_changed" and event.change == change
  end
end

describe("a graph that judges", function()
  local alice, bob, their_runtime, our_runtime, events

  local function question(change)
    return wait_for(events, function(event)
      return event.type == "validation" and event.change == change
    end)
  end

  local function add(security_data)
    return assert(alice:add_record { type = NOTE, data = "hello", lifetime = 3600, security_data = security_data })
  end

  before_each(function()
    alice, their_runtime = scene.create("alice")
    our_runtime = assert(peergraph.open_runtime(scene.folder()))
    bob = assert(our_runtime:open_graph("film club", { peer_id = "bob", judge = true }))
    assert(bob:connect(alice:address()))
    assert(bob:synchronized(scene.PATIENCE))
    events = assert(bob:events { "validation", "record_changed" })
  end)

  after_each(function()
    events:close()
    our_runtime:close()
    their_runtime:close()
    scene.clean()
  end)

  it("is shown each record of others with its security data, and takes what it accepts", function()
    local id = add("signed")
    local asked = question("added")
    assert.are.same({ id, NOTE }, { asked.record_id, asked.record_type })
    failed(peergraph.PEER_E_RECORD_NOT_FOUND, id, bob:get_record(id))
    local record = assert(bob:get_deferred_record(asked.validation_id))
    assert.are.same({ "hello", "signed", "alice" }, { record.data, record.security_data, record.creator_id })
    assert(bob:judge_record(asked.validation_id, "accept"))
    assert.are.equal(id, wait_for(events, is_change("added")).record_id)
    assert.are.equal("signed", assert(bob:get_record(id)).security_data)

    assert(alice:update_record(id, { data = "bye", security_data = "again" }))
    asked = question("updated")
    assert.are.equal("again", assert(bob:get_deferred_record(asked.validation_id)).security_data)
    assert(bob:judge_record(asked.validation_id, "accept"))
    assert.are.equal("bye", assert(bob:get_record(id)).data)

    assert(alice:delete_record(id, "gone"))
    asked = question("deleted")
    assert.are.equal("gone", assert(bob:get_deferred_record(asked.validation_id)).security_data)
    assert(bob:judge_record(asked.validation_id, "accept"))
    failed(peergraph.PEER_E_RECORD_NOT_FOUND, id, bob:get_record(id))
  end)

  it("does not take what it rejects, and hears of it again when it names it", function()
    local id = add()
    assert(bob:judge_record(question("added").validation_id, "reject"))
    failed(peergraph.PEER_E_RECORD_NOT_FOUND, id, bob:get_record(id))
    assert(bob:validate_deferred_records { id })
    assert(bob:judge_record(question("added").validation_id, "accept"))
    assert.are.equal("hello", assert(bob:get_record(id)).data)
  end)

  it("is asked again about what it has deferred: all, some or none", function()
    local ids = { [add()] = true, [add()] = true }
    for _ = 1, 2 do
      assert(bob:judge_record(question("added").validation_id, "defer"))
    end
    assert(bob:validate_deferred_records {})
    assert(bob:validate_deferred_records { OTHER })
    assert.are.same({}, events:take())
    assert(bob:validate_deferred_records { (next(ids)) })
    assert.are.equal(next(ids), question("added").record_id)
    assert.are.same({}, events:take())
    assert(bob:validate_deferred_records())
    for _ = 1, 2 do
      local asked = question("added")
      assert.is_true(ids[asked.record_id])
      ids[asked.record_id] = nil
      assert(bob:judge_record(asked.validation_id, "accept"))
    end
  end)

  it("can delete a record here alone", function()
    local id = add()
    assert(bob:judge_record(question("added").validation_id, "accept"))
    assert(bob:delete_record_here(id))
    wait_for(events, is_change("deleted"))
    failed(peergraph.PEER_E_RECORD_NOT_FOUND, id, bob:get_record(id))
    assert.are.equal("hello", assert(alice:get_record(id)).data)
    failed(peergraph.E_INVALIDARG, "PEER_GRAPH_OPTION_JUDGE", alice:delete_record_here(id))
  end)

  it("says what is wrong", function()
    failed(peergraph.PEER_E_RECORD_NOT_FOUND, "number 77", bob:get_deferred_record(77))
    failed(peergraph.PEER_E_RECORD_NOT_FOUND, "number 77", bob:judge_record(77, "accept"))
    raises("there are accept, defer, reject", bob.judge_record, bob, 77, "maybe")
    raises("ids must be a table, not string", bob.validate_deferred_records, bob, NOTE)
    bob:close()
    failed(peergraph.PEER_E_INVALID_GRAPH, "closed", bob:validate_deferred_records {})
    failed(peergraph.PEER_E_INVALID_GRAPH, "closed", bob:validate_deferred_records())
  end)
end)
