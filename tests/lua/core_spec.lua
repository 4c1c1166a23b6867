-- The exact layer: what SWIG makes of the header, and the typemaps.
local core = require "peergraph.core"
local scene = require "scene"

local refused, raises = scene.failed, scene.raises
local HOUR_US = 3600 * 1000000
local NODE_ID = "^" .. ("%x"):rep(16) .. "$"
local GUID = "^%x%x%x%x%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$"

describe("peergraph.core", function()
  local runtime, graph

  before_each(function()
    local version
    version, runtime = assert(core.peer_startup(core.PEER_GRAPH_VERSION, { data_directory = scene.folder() }))
    assert.are.same({ version = 1, highest_version = 2 }, version)
    graph = assert(core.peer_graph_create(runtime, { graph_id = "film club", creator_id = "alice" }, nil, nil))
  end)

  after_each(function()
    if runtime then
      core.peer_shutdown(runtime)
    end
    runtime, graph = nil, nil
    scene.clean()
  end)

  local function record(fields)
    local all = { type = scene.NOTE, expires_us = core.utc_us() + HOUR_US }
    for name, value in pairs(fields or {}) do
      all[name] = value
    end
    return all
  end

  local function view_of(id)
    return core.peer_record_get_view(assert(core.peer_graph_get_record(graph, id)))
  end

  it("defines nothing global", function()
    assert.is_nil(rawget(_G, "peergraph_core"))
  end)

  it("has the constants as integers", function()
    assert.are.equal(-2140995568, core.PEER_E_INVALID_GRAPH)
    assert.are.equal("integer", math.type(core.PEER_E_INVALID_GRAPH))
    assert.are.equal(-2147024809, core.E_INVALIDARG)
    assert.are.equal(0, core.PEER_OK)
  end)

  it("knows itself and its statuses", function()
    assert.truthy(core.peer_version():match("^%d+%.%d+%.%d+"))
    assert.are.equal("PEER_E_INVALID_GRAPH", core.peer_status_name(core.PEER_E_INVALID_GRAPH))
    assert.are.equal("PEER_STATUS_UNKNOWN", core.peer_status_name(12345))
    assert.are.equal("string", type(core.peer_status_text(core.PEER_E_DISK_FULL)))
  end)

  describe("a failure", function()
    it("is nil, a line with name and value, and the status", function()
      refused(core.PEER_E_UNSUPPORTED_VERSION, "7", core.peer_startup(7, nil))
      assert.truthy(core.peer_last_error_message():find("7", 1, true))
    end)

    it("of a function that leaves the last error alone has the text of its status", function()
      core.peer_startup(7, nil)
      assert.is_true(core.peer_graph_close(graph))
      refused(core.PEER_E_INVALID_GRAPH, core.peer_status_text(core.PEER_E_INVALID_GRAPH), core.peer_graph_close(graph))
    end)

    it("is the library's for handles that have ended", function()
      local queue = core.peer_graph_register_event(graph, nil)
      local enum = core.peer_graph_enum_records(graph, nil, nil)
      local batch = core.peer_graph_begin_batch(graph)
      assert.is_true(core.peer_unregister_event(queue))
      assert.is_true(core.peer_end_enumeration(enum))
      assert.is_true(core.peer_batch_abort(batch))
      refused(core.E_INVALIDARG, "", core.peer_get_event_data(queue))
      refused(core.E_INVALIDARG, "", core.peer_event_queue_wait(queue, 0))
      refused(core.E_INVALIDARG, "", core.peer_event_queue_get_descriptor(queue))
      refused(core.E_INVALIDARG, "", core.peer_unregister_event(queue))
      refused(core.E_INVALIDARG, "", core.peer_get_item_count(enum))
      refused(core.E_INVALIDARG, "", core.peer_get_next_item(enum, 1))
      refused(core.E_INVALIDARG, "", core.peer_end_enumeration(enum))
      refused(core.E_INVALIDARG, "", core.peer_batch_commit(batch))
      refused(core.E_INVALIDARG, "", core.peer_batch_abort(batch))
      assert.is_true(core.peer_graph_close(graph))
      refused(core.PEER_E_INVALID_GRAPH, "", core.peer_graph_get_status(graph))
      refused(core.PEER_E_INVALID_GRAPH, "", core.peer_graph_add_record(graph, record()))
      assert.is_true(core.peer_shutdown(runtime))
      refused(core.PEER_E_NOT_INITIALIZED, "", core.peer_shutdown(runtime))
      refused(core.PEER_E_NOT_INITIALIZED, "", core.peer_graph_get_status(graph))
    end)
  end)

  describe("an argument", function()
    it("of the wrong kind is an error that names it", function()
      raises("#1 to 'peergraph.core.peer_graph_get_status' (peer_graph expected, got peer_runtime)",
        core.peer_graph_get_status, runtime)
      raises("(peer_graph expected, got nil)", core.peer_graph_get_status, nil)
      raises("(peer_graph expected, got table)", core.peer_graph_get_status, {})
      raises("(peer_graph expected, got FILE*)", core.peer_graph_get_status, io.stdout)
      raises("(peer_graph expected, got nil)", core.peer_graph_get_status)
      raises("port must be an integer, not string", core.peer_graph_listen, graph, 4, 0, "5000")
      raises("port must be an integer, not 0.5", core.peer_graph_listen, graph, 4, 0, 0.5)
      raises("port must be an integer, not nil", core.peer_graph_listen, graph, 4, 0, nil)
      raises("address must be a string, not number", core.peer_graph_connect, graph, nil, 5000)
      raises("record_id must be a string, not boolean", core.peer_graph_get_record, graph, true)
      raises("node_id must be a string, not number", core.peer_graph_get_node_info, graph, 5)
    end)

    it("that is no table is an error", function()
      raises("(table expected, got string)", core.peer_graph_add_record, graph, "hello")
      raises("(table expected, got number)", core.peer_startup, 1, 5)
      raises("precedence must be an array, not string", core.peer_graph_open, runtime, "a", "b", nil, nil, scene.NOTE)
      raises("registrations must be an array, not boolean", core.peer_graph_register_event, graph, true)
    end)

    it("with a field that does not exist is an error that names it", function()
      raises('there is no field "nmae"', core.peer_startup, 1, { nmae = "x" })
      raises('there is no field "graph"', core.peer_graph_create, runtime, { graph = "x" }, nil, nil)
      raises('there is no field "durable"', core.peer_graph_open, runtime, "a", "b", nil, { durable = true }, nil)
      raises('there is no field "1"', core.peer_graph_add_record, graph, record { "hello" })
      raises('there is no field "size"', core.peer_graph_add_record, graph, record { size = 5 })
      raises('there is no field "kind"', core.peer_graph_register_event, graph, { { kind = 3 } })
    end)

    it("with a field of the wrong type is an error that names it", function()
      raises("data_directory must be a string, not number", core.peer_startup, 1, { data_directory = 5 })
      raises("flags must be an integer, not string", core.peer_startup, 1, { flags = "0" })
      raises("presence_max must be an integer, not boolean", core.peer_graph_create, runtime,
        { graph_id = "a", creator_id = "b", presence_max = true }, nil, nil)
      raises("expires_us must be an integer, not 0.5", core.peer_graph_add_record, graph, record { expires_us = 0.5 })
      raises("data must be a string, not number", core.peer_graph_add_record, graph, record { data = 5 })
      raises("type must be a string, not number", core.peer_graph_add_record, graph, record { type = 5 })
      raises("type must be an integer, not string", core.peer_graph_register_event, graph, { { type = "3" } })
      raises("each registration must be a table, not number", core.peer_graph_register_event, graph, { 3 })
      raises("each of precedence must be a string, not number", core.peer_graph_open, runtime, "a", "b", nil, nil,
        { 3 })
    end)

    it("that the library could not accept is refused", function()
      refused(core.E_INVALIDARG, 'type is "note", not', core.peer_graph_add_record(graph, record { type = "note" }))
      refused(core.E_INVALIDARG, 'record_id is "', core.peer_graph_delete_record(graph, scene.NOTE .. "0", 0))
      refused(core.E_INVALIDARG, "record_id is", core.peer_graph_get_record(graph, (scene.NOTE:gsub("%-", "+"))))
      refused(core.E_INVALIDARG, "each of precedence is", core.peer_graph_open(runtime, "a", "b", nil, nil, { "x" }))
      refused(core.E_INVALIDARG, "record_type is", core.peer_graph_register_event(graph, { { record_type = "x" } }))
      refused(core.E_INVALIDARG, 'graph_id contains a NUL after "a"', core.peer_graph_open(runtime, "a\0b", "p"))
      refused(core.E_INVALIDARG, "port is 4294967296", core.peer_graph_listen(graph, 4, 0, 4294967296))
      refused(core.E_INVALIDARG, "port is -1", core.peer_graph_listen(graph, 4, 0, -1))
      refused(core.E_INVALIDARG, "node_id is", core.peer_graph_get_node_info(graph, "0123"))
      refused(core.E_INVALIDARG, "node_id is", core.peer_graph_get_node_info(graph, "000000000000000g"))
      refused(core.E_INVALIDARG, "", core.peer_graph_connect(graph, nil, nil))
      refused(core.E_INVALIDARG, "", core.peer_graph_get_record(graph, nil))
      refused(core.E_INVALIDARG, "", core.peer_graph_add_record(graph, nil))
      refused(core.E_INVALIDARG, "", core.peer_graph_open(runtime, "caf\xE9", "p", nil, nil, nil))
    end)

    it("without precision in 64 bits is kept", function()
      for _, moment in ipairs { 0, -1, 2 ^ 53 | 0, (1 << 53) + 1, math.maxinteger - 1 } do
        local there = assert(core.peer_graph_universal_time_to_peer_time(graph, moment))
        assert.are.equal("integer", math.type(there))
        assert.are.equal(moment, assert(core.peer_graph_peer_time_to_universal_time(graph, there)))
      end
      local id = assert(core.peer_graph_add_record(graph, record { expires_us = (1 << 53) + 1 }))
      assert.are.equal((1 << 53) + 1, view_of(id).expires_us)
    end)
  end)

  describe("a graph", function()
    it("gives status, properties and itself", function()
      assert.are.equal(core.PEER_GRAPH_STATUS_SYNCHRONIZED, core.peer_graph_get_status(graph))
      local properties = core.peer_graph_properties_get_view(assert(core.peer_graph_get_properties(graph)))
      assert.are.same({
        flags = 0, scope = 1, max_record_size = 4 << 20, presence_lifetime_s = 300, presence_max = -1,
        graph_id = "film club", creator_id = "alice",
      }, properties)
      local node = core.peer_node_info_get_view(assert(core.peer_graph_get_node_info(graph, nil)))
      assert.truthy(node.node_id:match(NODE_ID))
      assert.are.equal("alice", node.peer_id)
      assert.are.same({}, node.addresses)
      local same = core.peer_node_info_get_view(assert(core.peer_graph_get_node_info(graph, node.node_id:upper())))
      assert.are.same(node, same)
      refused(core.PEER_E_NODE_NOT_FOUND, "", core.peer_graph_get_node_info(graph, "0000000000000001"))
    end)

    it("is made from a view of properties", function()
      local properties = core.peer_graph_properties_get_view(core.peer_graph_get_properties(graph))
      properties.graph_id = "Käsefüße ✓"
      properties.comment = "über"
      properties.presence_max = 3
      local other = assert(core.peer_graph_create(runtime, properties, "second", { flags = 0 }))
      assert.are.same(properties, core.peer_graph_properties_get_view(core.peer_graph_get_properties(other)))
    end)

    it("opens with information, and is deleted when it is closed", function()
      refused(core.PEER_E_DUPLICATE_GRAPH, "film club", core.peer_graph_open(runtime, "film club", "alice"))
      refused(core.PEER_E_GRAPH_IN_USE, "film club", core.peer_graph_delete(runtime, "film club", "alice", nil))
      core.peer_graph_close(graph)
      local again, nothing = core.peer_graph_open(runtime, "film club", "alice", nil, nil, { scene.NOTE, scene.OTHER })
      assert.are.equal("userdata", type(again))
      assert.is_nil(nothing)
      local other, information = core.peer_graph_open(runtime, "other", "alice", nil, nil, nil)
      assert.are.equal("userdata", type(other))
      assert.are.equal(core.PEER_S_GRAPH_DATA_CREATED, information)
      core.peer_graph_close(again)
      assert.is_true(core.peer_graph_delete(runtime, "film club", "alice", nil))
      refused(core.PEER_E_DATABASE_NOT_PRESENT, "", core.peer_graph_delete(runtime, "film club", "alice", nil))
    end)

    it("listens, and is connected to", function()
      assert.is_true(core.peer_graph_listen(graph, core.PEER_GRAPH_SCOPE_LOOPBACK, 0, 0))
      refused(core.PEER_E_ALREADY_LISTENING, "", core.peer_graph_listen(graph, core.PEER_GRAPH_SCOPE_LOOPBACK, 0, 0))
      local address = core.peer_node_info_get_view(core.peer_graph_get_node_info(graph, nil)).addresses[1]
      local _, bobs = assert(core.peer_startup(1, { data_directory = scene.folder() }))
      local bob = assert(core.peer_graph_open(bobs, "film club", "bob", nil, nil, nil))
      local wanted = { { type = core.PEER_GRAPH_EVENT_NEIGHBOR_CONNECTION } }
      local queue = assert(core.peer_graph_register_event(bob, wanted))
      local connection = assert(core.peer_graph_connect(bob, "alice", address))
      assert.are.equal("integer", math.type(connection))
      assert.is_true((core.peer_event_queue_wait(queue, scene.PATIENCE * 1000)))
      local event = core.peer_event_get_view(assert(core.peer_get_event_data(queue)))
      assert.are.equal(core.PEER_CONNECTED, event.change)
      assert.are.equal(connection, event.connection_id)
      assert.are.equal("alice", event.peer_id)
      assert.truthy(event.node_id:match(NODE_ID))
      core.peer_shutdown(bobs)
    end)
  end)

  describe("records", function()
    it("hold every byte, and text beyond ASCII", function()
      local fields = record { data = scene.EVERY_BYTE, attributes = nil }
      local id = assert(core.peer_graph_add_record(graph, fields))
      assert.truthy(id:match(GUID))
      local view = view_of(id)
      assert.are.equal(scene.EVERY_BYTE, view.data)
      assert.are.equal("", view.security_data)
      assert.are.equal(id, view.id)
      assert.are.equal(scene.NOTE, view.type)
      assert.are.equal("alice", view.creator_id)
      assert.is_nil(view.modifier_id)
      assert.is_nil(view.attributes)
      assert.are.equal(1, view.version)
      assert.are.equal(fields.expires_us, view.expires_us)
    end)

    it("are edited as a view, and deleted", function()
      local view = view_of(assert(core.peer_graph_add_record(graph, record { data = "" })))
      assert.are.equal("", view.data)
      view.data = "changed"
      view.flags = 0
      assert.is_true(core.peer_graph_update_record(graph, view))
      local changed = view_of(view.id)
      assert.are.equal("changed", changed.data)
      assert.are.equal(2, changed.version)
      assert.are.equal("alice", changed.modifier_id)
      assert.is_true(core.peer_graph_delete_record(graph, view.id:upper(), 0))
      refused(core.PEER_E_RECORD_NOT_FOUND, view.id, core.peer_graph_get_record(graph, view.id))
      refused(core.PEER_E_RECORD_NOT_FOUND, view.id, core.peer_graph_update_record(graph, view))
    end)

    it("outlive their graph and their runtime", function()
      local object = core.peer_graph_get_record(graph, assert(core.peer_graph_add_record(graph, record { data = "x" })))
      core.peer_shutdown(runtime)
      local _, another = assert(core.peer_startup(1, { data_directory = scene.folder() }))
      assert.are.equal("x", core.peer_record_get_view(object).data)
      core.peer_shutdown(another)
    end)

    it("are freed and retained by their owners", function()
      local object = core.peer_graph_get_record(graph, assert(core.peer_graph_add_record(graph, record { data = "x" })))
      local second = assert(core.peer_retain_data(object))
      core.peer_free_data(object)
      core.peer_free_data(object)
      core.peer_free_data(nil)
      refused(core.E_INVALIDARG, "", core.peer_record_get_view(object))
      refused(core.E_INVALIDARG, "", core.peer_retain_data(object))
      refused(core.E_INVALIDARG, "", core.peer_retain_data(nil))
      assert.are.equal("x", core.peer_record_get_view(second).data)
      assert.has_error(function() core.peer_free_data(graph) end)
      assert.has_error(function() core.peer_free_data("x") end)
    end)

    it("are enumerated as views and as objects", function()
      local ids = {}
      for index = 1, 10 do
        ids[assert(core.peer_graph_add_record(graph, record { data = tostring(index) }))] = tostring(index)
      end
      assert(core.peer_graph_add_record(graph, record { type = scene.OTHER }))
      local enum = assert(core.peer_graph_enum_records(graph, scene.NOTE, "alice"))
      assert.are.equal(10, core.peer_get_item_count(enum))
      local views = core.peer_get_item_views(enum, 4)
      assert.are.equal(4, #views)
      local objects = core.peer_get_next_item(enum, 1000)
      assert.are.equal(6, #objects)
      assert.are.same({}, core.peer_get_next_item(enum, 1000))
      assert.are.same({}, core.peer_get_item_views(enum, 1000))
      refused(core.E_INVALIDARG, "", core.peer_get_item_views(enum, 0))
      assert.is_true(core.peer_end_enumeration(enum))
      for _, object in ipairs(objects) do
        views[#views + 1] = core.peer_record_get_view(object)
      end
      for _, view in ipairs(views) do
        assert.are.equal(ids[view.id], view.data)
        ids[view.id] = nil
      end
      assert.is_nil(next(ids))
      assert.are.equal(0, core.peer_get_item_count(core.peer_graph_enum_records(graph, nil, "nobody")))
    end)
  end)

  describe("a batch", function()
    it("is carried out as a whole", function()
      local batch = assert(core.peer_graph_begin_batch(graph))
      local id = assert(core.peer_batch_add_record(batch, record { data = "a\0b" }))
      assert.is_true(core.peer_batch_update_record(batch, record { id = id, data = "c" }))
      local gone = assert(core.peer_batch_add_record(batch, record()))
      assert.is_true(core.peer_batch_delete_record(batch, gone))
      refused(core.PEER_E_RECORD_NOT_FOUND, id, core.peer_graph_get_record(graph, id))
      assert.is_true(core.peer_batch_commit(batch))
      assert.are.equal("c", view_of(id).data)
      refused(core.PEER_E_RECORD_NOT_FOUND, gone, core.peer_graph_get_record(graph, gone))
    end)

    it("is dropped", function()
      local batch = assert(core.peer_graph_begin_batch(graph))
      local id = assert(core.peer_batch_add_record(batch, record()))
      assert.is_true(core.peer_batch_abort(batch))
      refused(core.PEER_E_RECORD_NOT_FOUND, id, core.peer_graph_get_record(graph, id))
    end)
  end)

  describe("a queue", function()
    it("says when it is empty", function()
      local queue = assert(core.peer_graph_register_event(graph, nil))
      assert.are.same({ true, core.PEER_S_NO_EVENT_DATA }, { core.peer_event_queue_wait(queue, 0) })
      assert.are.same({ false, core.PEER_S_NO_EVENT_DATA }, { core.peer_get_event_data(queue) })
      assert.are.same({ {}, core.PEER_S_NO_EVENT_DATA }, { core.peer_get_event_batch(queue, 10) })
      assert.are.equal("integer", math.type((core.peer_event_queue_get_descriptor(queue))))
    end)

    it("gives events one by one and many at once", function()
      local queue = assert(core.peer_graph_register_event(graph, {
        { type = core.PEER_GRAPH_EVENT_RECORD_CHANGED, record_type = scene.NOTE },
        { type = core.PEER_GRAPH_EVENT_STATUS_CHANGED },
      }))
      local first = assert(core.peer_graph_add_record(graph, record()))
      assert(core.peer_graph_add_record(graph, record { type = scene.OTHER }))
      for _ = 1, 4 do
        assert(core.peer_graph_add_record(graph, record()))
      end
      assert.are.same({ true }, { core.peer_event_queue_wait(queue, 0) })
      local view = core.peer_event_get_view(assert(core.peer_get_event_data(queue)))
      assert.are.equal(core.PEER_GRAPH_EVENT_RECORD_CHANGED, view.type)
      assert.are.equal(core.PEER_RECORD_ADDED, view.change)
      assert.are.equal(first, view.record_id)
      assert.are.equal(scene.NOTE, view.record_type)
      assert.are.equal(3, #core.peer_get_event_batch(queue, 3))
      core.peer_graph_close(graph)
      local last = core.peer_get_event_batch(queue, 100)
      assert.are.equal(2, #last)
      assert.are.equal(core.PEER_EVENT_CLOSED, last[2].type)
    end)
  end)

  describe("attributes", function()
    it("are written and read", function()
      local made = assert(core.peer_attributes_create())
      assert.is_true(core.peer_attributes_add(made, "room", core.PEER_ATTRIBUTE_STRING, "Küche <&> ✓"))
      assert.is_true(core.peer_attributes_add_int(made, "count", math.maxinteger))
      assert.is_true(core.peer_attributes_add_date(made, "since", 1500000))
      refused(core.PEER_E_INVALID_ATTRIBUTES, "", core.peer_attributes_add_int(made, "count", -1))
      refused(core.PEER_E_INVALID_ATTRIBUTES, "no good", core.peer_attributes_add(made, "no good", 1, "x"))
      local xml = assert(core.peer_attributes_get_xml(made))
      local read = assert(core.peer_attributes_parse(xml))
      assert.are.equal(3, core.peer_attributes_get_count(read))
      assert.are.same({ "room", core.PEER_ATTRIBUTE_STRING, "Küche <&> ✓" }, { core.peer_attributes_get(read, 0) })
      assert.are.equal(math.maxinteger, core.peer_attributes_get_int(read, 1))
      assert.are.equal(1500000, core.peer_attributes_get_date(read, 2))
      refused(core.E_INVALIDARG, "3", core.peer_attributes_get(read, 3))
      refused(core.PEER_E_INVALID_ATTRIBUTES, "", core.peer_attributes_get_int(read, 0))
      refused(core.PEER_E_INVALID_ATTRIBUTES, "", core.peer_attributes_parse("<nonsense"))
      local id = assert(core.peer_graph_add_record(graph, record { attributes = xml }))
      assert.are.equal(xml, view_of(id).attributes)
    end)
  end)

  describe("garbage collection", function()
    it("closes what nobody holds, and nothing that somebody holds", function()
      local _, brief = core.peer_startup(1, { data_directory = scene.folder() })
      local closed = core.peer_graph_open(brief, "brief", "p")
      core.peer_shutdown(brief)
      local queue = core.peer_graph_register_event(graph, nil)
      local other = core.peer_graph_open(runtime, "other", "p", nil, nil, nil)
      graph, runtime = nil, nil -- the queue keeps them
      collectgarbage()
      collectgarbage()
      assert.is_number((core.peer_event_queue_get_descriptor(queue)))
      assert.are.same({ true, core.PEER_S_NO_EVENT_DATA }, { core.peer_event_queue_wait(queue, 0) })
      assert.is_number((core.peer_graph_get_status(other)))
      refused(core.PEER_E_INVALID_GRAPH, "", core.peer_graph_get_status(closed))
      queue, other = nil, nil -- luacheck: ignore
      collectgarbage()
      collectgarbage()
      refused(core.PEER_E_NOT_INITIALIZED, "", core.peer_graph_get_status(closed))
    end)

    it("works under stress", function()
      local pause, multiplier = collectgarbage("setpause", 0), collectgarbage("setstepmul", 1000)
      for index = 1, 200 do
        local batch <close> = assert(core.peer_graph_begin_batch(graph))
        assert(core.peer_batch_add_record(batch, record { data = ("x"):rep(index) }))
        assert(core.peer_batch_commit(batch))
        local enum = assert(core.peer_graph_enum_records(graph, nil, nil))
        local count = 0
        for _, object in ipairs(core.peer_get_next_item(enum, 1000)) do
          count = count + #core.peer_record_get_view(object).data
        end
        assert.are.equal(index * (index + 1) / 2, count)
      end
      collectgarbage("setpause", pause)
      collectgarbage("setstepmul", multiplier)
    end)

    it("happens at the end of a scope", function()
      local held
      do
        local queue <close> = assert(core.peer_graph_register_event(graph, nil))
        held = queue
      end
      refused(core.E_INVALIDARG, "", core.peer_get_event_data(held))
    end)

    it("cannot be called by hand", function()
      assert.is_false(getmetatable(graph))
      assert.truthy(tostring(graph):match("^peer_graph: "))
    end)
  end)
end)
