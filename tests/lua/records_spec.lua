-- Records, batches and attributes of the fine layer.
local peergraph = require "peergraph"
local scene = require "scene"

local failed, raises = scene.failed, scene.raises
local NOTE, OTHER = scene.NOTE, scene.OTHER

describe("peergraph", function()
  local graph, runtime

  before_each(function()
    runtime = assert(peergraph.open_runtime(scene.folder()))
    graph = assert(runtime:create_graph("film club", { peer_id = "alice" }))
  end)

  after_each(function()
    runtime:close()
    scene.clean()
  end)

  local function all(fields)
    local list = {}
    for record in assert(graph:records(fields)) do
      list[#list + 1] = record
    end
    return list
  end

  describe("record", function()
    it("has every byte, and text beyond ASCII", function()
      local id = assert(graph:add_record {
        type = NOTE,
        data = scene.EVERY_BYTE,
        attributes = { room = "Küche ✓ 🎞" },
        lifetime = 3600,
      })
      local record = assert(graph:get_record(id))
      assert.are.equal(scene.EVERY_BYTE, record.data)
      assert.are.equal("Küche ✓ 🎞", record.attributes.room)
      assert.are.same({ id, NOTE, "alice", 1, 0 },
        { record.id, record.type, record.creator_id, record.version, record.flags })
      assert.is_nil(record.modifier_id)
      assert.are.equal("", record.security_data)
      assert.are.equal(record.created_us, record.modified_us)
      local lifetime = record.expires_us - record.created_us
      assert.is_true(3590 * 1000000 < lifetime and lifetime < 3610 * 1000000)
      assert.are.equal(('record(%s, version=1, type=%s, creator="alice", attributes={room = "Küche ✓ 🎞"}, 256 bytes)')
        :format(id, NOTE), tostring(record))
    end)

    it("is prolonged as long as autorefresh says so, which stays until it is ended", function()
      local id = assert(graph:add_record { type = NOTE, lifetime = 3600, autorefresh = true })
      local function flags()
        return assert(graph:get_record(id)).flags
      end
      local early = assert(graph:get_record(id))
      assert.are.equal(peergraph.PEER_RECORD_FLAG_AUTOREFRESH, early.flags)
      assert(graph:update_record(id, { data = "1" }))
      assert(graph:update_record(early, { data = "2", attributes = {} }))
      assert.are.equal(peergraph.PEER_RECORD_FLAG_AUTOREFRESH, flags())
      assert(graph:update_record(early, { data = "3", attributes = {}, autorefresh = false }))
      assert.are.equal(0, flags())
      assert(graph:update_record(early, { data = "4", attributes = {} }))
      assert.are.equal(0, flags())
      assert(graph:batch(function(batch)
        assert(batch:update_record(id, { autorefresh = true }))
        assert(batch:update_record(id, { data = "5" }))
      end))
      assert.are.equal(peergraph.PEER_RECORD_FLAG_AUTOREFRESH, flags())
    end)

    it("has no attributes and no data if none are given", function()
      local record = assert(graph:get_record(assert(graph:add_record { type = NOTE, lifetime = 60.5 })))
      assert.are.equal("", record.data)
      assert.are.equal(0, #record.attributes)
      assert.is_nil(record.attributes_xml)
      assert.is_nil(record.nonsense)
    end)

    it("expires when it is told to, at the ends of the scale too", function()
      for _, moment in ipairs { (1 << 53) + 1, 253402300799999999 } do
        local id = assert(graph:add_record { type = NOTE, expires_us = moment })
        assert.are.equal(moment, graph:get_record(id).expires_us)
      end
      assert(graph:add_record { type = NOTE, expires_us = graph:now() + 5e6 // 1 | 0 })
      for _, lifetime in ipairs { 0, -1, -math.huge } do
        failed(peergraph.PEER_E_INVALID_RECORD_EXPIRATION, "", graph:add_record { type = NOTE, lifetime = lifetime })
      end
      local for_ever = assert(graph:get_record(assert(graph:add_record { type = NOTE, lifetime = math.huge })))
      assert.is_true(for_ever.expires_us > 1 << 60)
    end)

    it("is updated, and keeps what is not given", function()
      local id = assert(graph:add_record { type = NOTE, data = "one", attributes = { room = "lobby" }, lifetime = 60 })
      local before = graph:get_record(id)
      assert.is_true(graph:update_record(id, { data = "two" }))
      local record = graph:get_record(id)
      assert.are.same({ "two", "lobby", before.expires_us, 2, "alice" },
        { record.data, record.attributes.room, record.expires_us, record.version, record.modifier_id })
      assert.is_true(graph:update_record(record, { attributes = { room = "attic" } }))
      record = graph:get_record(id)
      assert.are.same({ "two", "attic" }, { record.data, record.attributes.room })
      assert.is_true(graph:update_record(record, { data = "", attributes = {} }))
      record = graph:get_record(id)
      assert.are.same({ "", 0 }, { record.data, #record.attributes })
      assert.is_true(graph:update_record(record, { lifetime = 7200 }))
      assert.is_true(graph:get_record(id).expires_us > before.expires_us)
      failed(peergraph.PEER_E_INVALID_RECORD_EXPIRATION, "", graph:update_record(record, { lifetime = 1 }))
    end)

    it("is deleted, by itself or by its id", function()
      local one = assert(graph:add_record { type = NOTE, lifetime = 60 })
      local two = graph:get_record(assert(graph:add_record { type = NOTE, lifetime = 60 }))
      assert.is_true(graph:delete_record(one))
      assert.is_true(graph:delete_record(two))
      failed(peergraph.PEER_E_RECORD_NOT_FOUND, one, graph:get_record(one))
      failed(peergraph.PEER_E_RECORD_NOT_FOUND, two.id, graph:delete_record(two))
      failed(peergraph.PEER_E_RECORD_NOT_FOUND, one, graph:update_record(one, { data = "x" }))
    end)

    it("is refused with the reason", function()
      failed(peergraph.E_INVALIDARG, 'type is "note"', graph:add_record { type = "note", lifetime = 1 })
      failed(peergraph.PEER_E_NOT_AUTHORIZED, "",
        graph:add_record { type = "00000100-0000-0000-0000-000000000000", lifetime = 1 })
      failed(peergraph.PEER_E_MAX_RECORD_SIZE_EXCEEDED, "",
        graph:add_record { type = NOTE, lifetime = 1, data = ("x"):rep((4 << 20) + 1) })
      failed(peergraph.PEER_E_INVALID_ATTRIBUTES, "a b",
        graph:add_record { type = NOTE, lifetime = 1, attributes = { ["a b"] = "x" } })
      failed(peergraph.E_INVALIDARG, "record_id", graph:get_record("x"))
    end)

    it("is an error if it makes no sense", function()
      scene.raises_here('add_record has no field "nmae"; there are attributes, autorefresh, data, ', function()
        graph:add_record { type = NOTE, lifetime = 1, nmae = 1 }
      end)
      raises("add_record needs type", graph.add_record, graph, { lifetime = 1 })
      raises("add_record needs lifetime, in seconds, or expires_us", graph.add_record, graph, { type = NOTE })
      raises("takes lifetime or expires_us, not both", graph.add_record, graph,
        { type = NOTE, lifetime = 1, expires_us = 1 })
      raises("lifetime of add_record is not a number", graph.add_record, graph, { type = NOTE, lifetime = 0 / 0 })
      raises("data of add_record must be a string, not number", graph.add_record, graph,
        { type = NOTE, lifetime = 1, data = 5 })
      scene.raises_here("attributes must be a table, not boolean", function()
        graph:add_record { type = NOTE, lifetime = 1, attributes = true }
      end)
      raises("update_record takes a record or its id, not nil", graph.update_record, graph)
      raises('update_record has no field "type"', graph.update_record, graph, NOTE, { type = OTHER })
      raises("delete_record takes a record or its id, not table", graph.delete_record, graph, {})
    end)
  end)

  describe("enumeration", function()
    before_each(function()
      for index = 1, 600 do
        assert(graph:add_record { type = index % 2 == 0 and NOTE or OTHER, data = tostring(index), lifetime = 60 })
      end
    end)

    it("gives all, or those of a type or a creator", function()
      assert.are.equal(600, #all())
      assert.are.equal(300, #all { type = NOTE })
      assert.are.equal(300, #all { type = OTHER, creator_id = "alice" })
      assert.are.equal(0, #all { creator_id = "nobody" })
      local sum = 0
      for record in assert(graph:records { type = NOTE }) do
        assert.are.equal(NOTE, record.type)
        sum = sum + tonumber(record.data)
      end
      assert.are.equal(300 * 301, sum)
    end)

    it("may be left, and is closed then", function()
      local next_record, _, _, enumeration = assert(graph:records())
      for record in next_record, nil, nil, enumeration do
        assert.truthy(record)
        if record then
          break
        end
      end
      assert.is_true(enumeration:closed())
      failed(peergraph.E_INVALIDARG, "", enumeration:get_next_item())
    end)

    it("searches", function()
      local query = '<peersearch><clause attrib="peercreatorid" type="string">%s</clause></peersearch>'
      local count = 0
      for record in assert(graph:search(query:format("al?ce"))) do
        assert.are.equal("alice", record.creator_id)
        count = count + 1
      end
      assert.are.equal(600, count)
      local enumeration <close> = assert(graph:search_records(query:format("nobody")))
      assert.are.equal(0, enumeration:get_item_count())
      failed(peergraph.PEER_E_INVALID_SEARCH, "<peersearch> is empty", graph:search_records("<peersearch/>"))
      failed(peergraph.E_INVALIDARG, "may stand before", graph:search(query:format("a\\b")))
    end)

    it("gives items in the exact layer", function()
      local enumeration <close> = assert(graph:enum_records { type = NOTE })
      assert.are.equal(300, enumeration:get_item_count())
      assert.are.equal(299, #enumeration:get_next_item(299))
      assert.are.equal(1, #enumeration:get_next_item())
      assert.are.equal(0, #enumeration:get_next_item())
      failed(peergraph.E_INVALIDARG, "", enumeration:get_next_item(0))
      assert.is_true(enumeration:end_enumeration())
      assert.is_true(enumeration:end_enumeration())
      failed(peergraph.E_INVALIDARG, "", enumeration:get_item_count())
      raises('enum_records has no field "creator"', graph.enum_records, graph, { creator = "x" })
      failed(peergraph.E_INVALIDARG, "type is", graph:records { type = "x" })
    end)
  end)

  describe("batch", function()
    it("commits when the function returns", function()
      local one, two
      assert.is_true(graph:batch(function(batch)
        one = assert(batch:add_record { type = NOTE, data = "one", lifetime = 60 })
        two = assert(batch:add_record { type = NOTE, data = "two", attributes = { a = "b" }, lifetime = 60 })
        assert(batch:update_record(two, { data = scene.EVERY_BYTE }))
        assert(batch:delete_record(one))
        assert.are.equal(0, #all())
      end))
      failed(peergraph.PEER_E_RECORD_NOT_FOUND, "", graph:get_record(one))
      local record = graph:get_record(two)
      assert.are.same({ scene.EVERY_BYTE, "b" }, { record.data, record.attributes.a })
    end)

    it("aborts when the function fails, with its error", function()
      local held
      scene.raises_here("on purpose", function()
        graph:batch(function(batch)
          held = batch
          assert(batch:add_record { type = NOTE, lifetime = 60 })
          error("on purpose")
        end)
      end)
      assert.is_true(held:closed())
      assert.are.equal(0, #all())
      assert.is_true(graph:batch(function(batch)
        assert(batch:add_record { type = NOTE, lifetime = 60 })
        batch:abort()
      end))
      assert.are.equal(0, #all())
    end)

    it("is all or nothing", function()
      local gone = assert(graph:add_record { type = NOTE, lifetime = 60 })
      local batch = assert(graph:begin_batch())
      assert(batch:add_record { type = NOTE, lifetime = 60 })
      assert.is_true(batch:update_record(gone, { data = "x" }))
      assert(graph:delete_record(gone))
      failed(peergraph.PEER_E_RECORD_NOT_FOUND, gone, batch:commit())
      assert.is_true(batch:closed())
      failed(peergraph.E_INVALIDARG, "", batch:commit())
      assert.are.equal(0, #all())
    end)

    it("is aborted at the end of its scope", function()
      local held
      do
        local batch <close> = assert(graph:begin_batch())
        assert(batch:add_record { type = NOTE, lifetime = 60 })
        held = batch
      end
      failed(peergraph.E_INVALIDARG, "", held:add_record { type = NOTE, lifetime = 60 })
      assert.are.equal(0, #all())
      raises("change must be a function, not nil", graph.batch, graph)
    end)
  end)

  describe("attributes", function()
    local SINCE = 1795240529536062

    it("hold text, whole numbers and dates", function()
      local since = assert(peergraph.date(SINCE))
      local id = assert(graph:add_record {
        type = NOTE,
        attributes = { room = "<&> Küche", year = 1964, big = math.maxinteger, one = 1.0, since = since,
          day = assert(peergraph.date("2026-11-21")) },
        lifetime = 60,
      })
      local read = graph:get_record(id).attributes
      assert.are.equal("<&> Küche", read.room)
      assert.are.equal(1964, read.year)
      assert.are.equal(math.maxinteger, read.big)
      assert.are.equal("integer", math.type(read.one))
      assert.are.equal(SINCE, read.since.time_utc_us)
      assert.is_true(read.since == since)
      assert.are.equal("2026-11-21", tostring(read.day))
      assert.are.equal(1795219200000000, read.day.time_utc_us)
      assert.is_nil(read.nonsense)
      assert.are.equal(6, #read)
    end)

    it("may have a name several times", function()
      local made = assert(peergraph.attributes { { "tag", "new" }, { "tag", "old" }, { "n", 1 } })
      assert.are.equal("new", made.tag)
      assert.are.same({ "new", "old" }, made:get_all("tag"))
      assert.are.same({}, made:get_all("other"))
      assert.are.same({ { "tag", "new" }, { "tag", "old" }, { "n", 1 } }, made:items_all())
      local names = {}
      for name, value in pairs(made) do
        names[#names + 1] = name .. "=" .. value
      end
      assert.are.same({ "tag=new", "n=1" }, names)
      assert.are.equal('{tag = "new", tag = "old", n = 1}', tostring(made))
      assert.is_true(made == peergraph.attributes(made:get_xml()))
      assert.is_false(made == peergraph.attributes { tag = "new" })
      assert.is_true(made == peergraph.attributes(made))
    end)

    it("that are beyond 64 bits stay text", function()
      local digits = ("9"):rep(30)
      local core = require "peergraph.core"
      local object = core.peer_attributes_create()
      assert(core.peer_attributes_add(object, "n", core.PEER_ATTRIBUTE_INT, digits))
      assert.are.equal(digits, peergraph.attributes(core.peer_attributes_get_xml(object)).n)
    end)

    it("break the schema with the reason", function()
      failed(peergraph.PEER_E_INVALID_ATTRIBUTES, "-1", peergraph.attributes { n = -1 })
      failed(peergraph.PEER_E_INVALID_ATTRIBUTES, "", peergraph.attributes { n = "\1" })
      failed(peergraph.E_INVALIDARG, "NUL", peergraph.attributes { n = "a\0b" })
      failed(peergraph.PEER_E_INVALID_ATTRIBUTES, "", peergraph.attributes("<nonsense"))
      failed(peergraph.PEER_E_INVALID_ATTRIBUTES, "never", peergraph.date("never"))
      local many = {}
      for index = 1, 4097 do
        many[index] = { "a", index }
      end
      failed(peergraph.PEER_E_TOO_MANY_ATTRIBUTES, "", peergraph.attributes(many))
    end)

    it("of the wrong type are an error", function()
      scene.raises_here("attributes must be a table, not number", function() peergraph.attributes(5) end)
      raises('attribute "n" must be a string, an integer or a date, not 1.5', peergraph.attributes, { n = 1.5 })
      raises('attribute "n" must be a string, an integer or a date, not boolean', peergraph.attributes, { n = true })
      raises("attributes must be names with values", peergraph.attributes, { "room" })
      raises("the name of an attribute must be a string, not boolean", peergraph.attributes, { [true] = 1 })
      raises("date takes microseconds", peergraph.date, {})
      raises('"room" cannot be set', function() peergraph.attributes({}).room = "x" end)
    end)
  end)
end)
