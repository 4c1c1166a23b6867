-- Runtimes and graphs of the fine layer.
local peergraph = require "peergraph"
local scene = require "scene"

local failed, raises = scene.failed, scene.raises

describe("peergraph", function()
  after_each(scene.clean)

  it("has its version, the names of statuses and the constants", function()
    assert.truthy(peergraph.library_version():match("^%d+%.%d+%.%d+"))
    assert.are.equal("PEER_E_INVALID_GRAPH", peergraph.status_name(peergraph.PEER_E_INVALID_GRAPH))
    assert.are.equal(-2147024809, peergraph.E_INVALIDARG)
  end)

  it("reports a data directory that cannot be made", function()
    failed(peergraph.E_ACCESSDENIED, "/proc/nowhere", peergraph.open_runtime("/proc/nowhere"))
    raises("data_directory must be a string, not number", peergraph.open_runtime, 5)
  end)

  describe("runtime", function()
    local runtime

    before_each(function()
      runtime = assert(peergraph.open_runtime(scene.folder()))
    end)

    after_each(function()
      runtime:close()
    end)

    it("closes once or twice", function()
      assert.is_false(runtime:closed())
      assert.truthy(tostring(runtime):match('^<peergraph.Runtime "/'))
      assert.is_true(runtime:close())
      assert.is_true(runtime:close())
      assert.is_true(runtime:shutdown())
      assert.is_true(runtime:closed())
      assert.truthy(tostring(runtime):match("^<peergraph.Runtime closed "))
      failed(peergraph.PEER_E_NOT_INITIALIZED, "", runtime:create_graph("g", { peer_id = "p" }))
    end)

    it("tells of nodes and connections", function()
      local graph = assert(runtime:create_graph("g", { peer_id = "p", presence_max = 0 }))
      assert(graph:set_node_attributes("in the kitchen"))
      assert.are.equal("in the kitchen", graph:node().attributes)
      assert.are.same({}, graph:nodes())
      local events <close> = assert(graph:events { "node_changed" })
      assert(graph:set_presence(true))
      assert(graph:listen(0, { scope = "loopback" }))
      for _ = 1, 1200 do -- nobody arrives for himself, so there is no event to wait for
        if #assert(graph:nodes()) > 0 then
          break
        end
        events:get(0.05)
      end
      assert(graph:set_node_attributes("in the garden"))
      local event = assert(events:get(60))
      assert.are.same({ "node_changed", "updated" }, { event.type, event.change })
      local nodes = assert(graph:nodes("p"))
      assert.are.equal(1, #nodes)
      assert.are.same(graph:node(), nodes[1])
      assert.are.same({}, graph:nodes("nobody"))
      local enumeration <close> = assert(graph:enum_nodes())
      assert.are.equal(1, enumeration:get_item_count())
      assert.are.same(nodes, enumeration:get_next_item())
      assert.are.same({}, enumeration:get_next_item())
      assert.are.same({}, graph:connections("direct"))
      raises("kind is quick; there are any, direct, neighbor", graph.connections, graph, "quick")
      assert(graph:set_node_attributes(nil))
      assert.is_nil(graph:node().attributes)
      failed(peergraph.E_INVALIDARG, "attributes", graph:set_node_attributes(("x"):rep(4096)))
      raises("present must be a boolean", graph.set_presence, graph, 1)
    end)

    it("changes the properties of a graph", function()
      local graph = assert(runtime:create_graph("g", { peer_id = "p", friendly_name = "before", comment = "stays" }))
      assert(graph:set_properties { friendly_name = "after", presence_max = 4, presence_lifetime = 600 })
      local now = graph:properties()
      assert.are.same({ "after", "stays", 4, 600 },
        { now.friendly_name, now.comment, now.presence_max, now.presence_lifetime })
      assert(graph:set_properties { comment = "", presence_max = -1 })
      now = graph:properties()
      assert.is_nil(now.comment)
      assert.is_nil(now.presence_max)
      failed(peergraph.E_INVALIDARG, "presence_lifetime", graph:set_properties { presence_lifetime = 5 })
      raises("presence_maximum", graph.set_properties, graph, { presence_maximum = 5 })
    end)

    it("creates a graph with all its properties", function()
      local graph = assert(runtime:create_graph("Käsefüße ✓", {
        peer_id = "Zoë",
        database = "second",
        friendly_name = "Friendly",
        comment = "größer",
        max_record_size = 1 << 16,
        presence_lifetime = 400,
        presence_max = 7,
        defer_expiration = true,
        durable = true,
        manual = true,
      }))
      assert.are.same({ "Käsefüße ✓", "Zoë", "second", false },
        { graph.id, graph.peer_id, graph.database, graph.is_new })
      assert.are.same({
        graph_id = "Käsefüße ✓",
        creator_id = "Zoë",
        friendly_name = "Friendly",
        comment = "größer",
        scope = "global",
        max_record_size = 1 << 16,
        presence_lifetime = 400,
        presence_max = 7,
        defer_expiration = true,
      }, graph:properties())
      assert.are.same(graph:properties(), graph:get_properties())
      assert.are.equal('<peergraph.Graph "Käsefüße ✓" peer="Zoë">', tostring(graph))
    end)

    it("opens what is there, and says what is new", function()
      local graph = assert(runtime:create_graph("g", { peer_id = "p" }))
      failed(peergraph.PEER_E_DUPLICATE_GRAPH, "g", runtime:open_graph("g", { peer_id = "p" }))
      failed(peergraph.PEER_E_DUPLICATE_GRAPH, "g", runtime:create_graph("g", { peer_id = "p" }))
      assert(graph:close())
      failed(peergraph.PEER_E_DATABASE_ALREADY_PRESENT, "g", runtime:create_graph("g", { peer_id = "p" }))
      graph = assert(runtime:open_graph("g", { peer_id = "p", precedence = { scene.NOTE } }))
      assert.is_false(graph.is_new)
      local other = assert(runtime:open_graph("g", { peer_id = "q", durable = true, manual = true }))
      assert.is_true(other.is_new)
      assert.are.equal("default", other.database)
      failed(peergraph.PEER_E_GRAPH_NOT_READY, "", other:properties())
      failed(peergraph.PEER_E_GRAPH_NOT_READY, "", other:records())
      failed(peergraph.PEER_E_GRAPH_NOT_READY, "", other:batch(function() end))
      failed(peergraph.PEER_E_GRAPH_NOT_READY, "", other:listen())
    end)

    it("deletes a graph that is closed", function()
      local graph = assert(runtime:create_graph("g", { peer_id = "p" }))
      failed(peergraph.PEER_E_GRAPH_IN_USE, "g", runtime:delete_graph("g", { peer_id = "p" }))
      graph:close()
      assert.is_true(runtime:delete_graph("g", { peer_id = "p" }))
      failed(peergraph.PEER_E_DATABASE_NOT_PRESENT, "g", runtime:delete_graph("g", { peer_id = "p" }))
    end)

    it("names what is wrong with its arguments, where the caller is", function()
      scene.raises_here('create_graph has no field "nmae"; there are comment, ', function()
        runtime:create_graph("g", { peer_id = "p", nmae = "x" })
      end)
      raises("create_graph needs peer_id", runtime.create_graph, runtime, "g", {})
      scene.raises_here("scope is galaxy", function()
        local _ = runtime:create_graph("g", { peer_id = "p", scope = "galaxy" })
      end)
      scene.raises_here("graph_id must be a string", function()
        local _ = runtime:open_graph(5, { peer_id = "p" })
      end)
      raises("open_graph needs peer_id", runtime.open_graph, runtime, "g")
      raises("open_graph takes a table, not string", runtime.open_graph, runtime, "g", "p")
      raises("graph_id must be a string, not nil", runtime.open_graph, runtime, nil, { peer_id = "p" })
      raises("peer_id of create_graph must be a string, not number", runtime.create_graph, runtime, "g",
        { peer_id = 5 })
      raises("presence_max of create_graph must be an integer, not 1.5", runtime.create_graph, runtime, "g",
        { peer_id = "p", presence_max = 1.5 })
      raises("durable of open_graph must be a boolean, not number", runtime.open_graph, runtime, "g",
        { peer_id = "p", durable = 1 })
      raises("scope is galaxy; there are any, global, ", runtime.create_graph, runtime, "g",
        { peer_id = "p", scope = "galaxy" })
      raises('delete_graph has no field "force"', runtime.delete_graph, runtime, "g", { peer_id = "p", force = true })
      failed(peergraph.E_INVALIDARG, "graph_id", runtime:open_graph("", { peer_id = "p" }))
      failed(peergraph.E_INVALIDARG, "each of precedence",
        runtime:open_graph("g", { peer_id = "p", precedence = { "x" } }))
    end)

    it("takes its graphs along", function()
      local graph = assert(runtime:create_graph("g", { peer_id = "p" }))
      local events = assert(graph:events())
      local batch = assert(graph:begin_batch())
      local enumeration = assert(graph:enum_records())
      runtime:close()
      assert.is_true(graph:closed())
      assert.is_true(batch:closed())
      assert.is_true(enumeration:closed())
      assert.are.equal("closed", events:get(0).type)
      assert.is_true(enumeration:close() and batch:close() and graph:close() and events:close())
    end)

    it("is kept by its graphs, and goes with them", function()
      local graph = assert(runtime:create_graph("g", { peer_id = "p" }))
      runtime = { close = function() end }
      collectgarbage()
      collectgarbage()
      assert.is_true(graph:status().synchronized)
    end)

    it("is closed at the end of a scope", function()
      local held
      do
        local inner <close> = assert(peergraph.open_runtime(scene.folder()))
        local graph <close> = assert(inner:create_graph("g", { peer_id = "p" }))
        held = graph
      end
      assert.is_true(held:closed())
      failed(peergraph.PEER_E_INVALID_GRAPH, "", held:status())
    end)
  end)

  describe("graph", function()
    local graph, runtime

    before_each(function()
      graph, runtime = scene.create("alice")
    end)

    after_each(function()
      runtime:close()
    end)

    it("tells its status, its node and its address", function()
      local status = graph:status()
      assert.are.same({ true, true, false }, { status.listening, status.synchronized, status.has_connections })
      assert.are.same(status, graph:get_status())
      local node = graph:node()
      assert.truthy(node.id:match("^%x+$") and #node.id == 16)
      assert.are.equal("alice", node.peer_id)
      assert.are.equal(node.addresses[1], graph:address())
      assert.are.same(node, graph:get_node_info(node.id))
      failed(peergraph.PEER_E_NODE_NOT_FOUND, "", graph:get_node_info("0000000000000001"))
      failed(peergraph.E_INVALIDARG, "node_id", graph:get_node_info("1"))
      raises("node_id must be a string, not number", graph.get_node_info, graph, 1)
    end)

    it("has no address when it does not listen", function()
      local silent = assert(runtime:create_graph("silent", { peer_id = "alice" }))
      assert.is_nil(silent:address())
      failed(peergraph.E_INVALIDARG, "port is 65536", silent:listen(65536, { scope = "loopback" }))
      raises("scope is moon", silent.listen, silent, 0, { scope = "moon" })
      raises("port must be an integer, not string", silent.listen, silent, "0")
      failed(peergraph.PEER_E_ALREADY_LISTENING, "", graph:listen())
    end)

    it("has a clock with microseconds, and converts", function()
      local now = graph:now()
      assert.is_true(math.abs(now // 1000000 - os.time()) <= 5)
      assert.are.equal("integer", math.type(now))
      for _, moment in ipairs { now, 0, -1, (1 << 53) + 1 } do
        assert.are.equal(moment, graph:peer_time_to_universal_time(graph:universal_time_to_peer_time(moment)))
      end
      raises("time_us must be an integer, not 0.5", graph.peer_time_to_universal_time, graph, 0.5)
    end)

    it("connects, and says why not", function()
      failed(peergraph.PEER_E_CONNECT_SELF, "", graph:connect(graph:address()))
      failed(peergraph.E_INVALIDARG, "nonsense", graph:connect("nonsense"))
      raises("address must be a string, not nil", graph.connect, graph)
      raises('connect has no field "peer"', graph.connect, graph, "[::1]:1", { peer = "x" })
      raises('begin_connect has no field "timeout"', graph.begin_connect, graph, "[::1]:1", { timeout = 1 })
      failed(peergraph.PEER_E_CONNECT_SELF, "", graph:begin_connect(graph:address()))
      local carols <close> = assert(peergraph.open_runtime(scene.folder()))
      local carol = assert(carols:open_graph("film club", { peer_id = "carol", manual = true }))
      local event = assert(carol:connect(graph:address(), { peer_id = "alice", timeout = scene.PATIENCE }))
      assert.are.same({ "neighbor_connection", "connected", "alice", graph:node().id },
        { event.type, event.status, event.peer_id, event.node_id })
      failed(peergraph.PEER_E_ALREADY_EXISTS, "", carol:connect(graph:address()))
      local bob, bobs = scene.join("bob", graph)
      assert.is_true(bob:status().has_connections)
      assert.is_true(bob:synchronized(0))
      bobs:close()
    end)

    it("waits for synchronization as long as it may", function()
      local other = assert(runtime:open_graph("elsewhere", { peer_id = "alice" }))
      local good, message, code = other:synchronized(0.01)
      assert.is_nil(good)
      assert.are.equal('"elsewhere" is not synchronized after 0.01 s', message)
      assert.are.equal(peergraph.PEER_S_NO_EVENT_DATA, code)
    end)

    it("goes into a file and comes out of it", function()
      local path = scene.folder()
      local progress = assert(graph:events { "progress" })
      assert(graph:batch(function(records)
        for _ = 1, 5 do
          assert(records:add_record { type = scene.NOTE, data = ("x"):rep(1000000), lifetime = 3600 })
        end
      end))
      assert.is_true(graph:export_database(path))
      local told = progress:take()
      local last = told[#told]
      assert.are.same({ "progress", "export", last.total }, { last.type, last.action, last.done })
      assert.are.equal(("progress(export, %d of %d bytes)"):format(last.total, last.total), tostring(last))
      failed(peergraph.PEER_E_PATH_NOT_FOUND, "", graph:export_database(path .. "/no folder/file"))
      failed(peergraph.PEER_E_GRAPH_IN_USE, "", graph:import_database(path))

      local elsewhere <close> = assert(peergraph.open_runtime(scene.folder()))
      local other = assert(elsewhere:open_graph("film club", { peer_id = "alice" }))
      failed(peergraph.PEER_E_FILE_NOT_FOUND, "", other:import_database(path .. " that is not there"))
      assert.is_true(other:import_database(path))
      assert.is_true(other:status().synchronized)
      local count = 0
      for record in assert(other:records { type = scene.NOTE }) do
        count = count + #record.data
      end
      assert.are.equal(5000000, count)
      assert(other:listen(0, { scope = "loopback" }))
      failed(peergraph.PEER_E_GRAPH_IN_USE, "", other:import_database(path))
      raises("path", graph.export_database, graph)
      raises("path", graph.import_database, graph, 7)
    end)

    it("fails with the code of a closed graph everywhere", function()
      graph:close()
      failed(peergraph.PEER_E_INVALID_GRAPH, "", graph:export_database("file"))
      failed(peergraph.PEER_E_INVALID_GRAPH, "", graph:import_database("file"))
      for _, call in ipairs {
        graph.status, graph.properties, graph.node, graph.address, graph.now, graph.records, graph.enum_records,
        graph.events, graph.register_event, graph.begin_batch, graph.listen, graph.synchronized,
      } do
        failed(peergraph.PEER_E_INVALID_GRAPH, "", call(graph))
      end
      failed(peergraph.PEER_E_INVALID_GRAPH, "", graph:connect("[::1]:1"))
      failed(peergraph.PEER_E_INVALID_GRAPH, "", graph:begin_connect("[::1]:1"))
      failed(peergraph.PEER_E_INVALID_GRAPH, "", graph:get_record(scene.NOTE))
      failed(peergraph.PEER_E_INVALID_GRAPH, "", graph:delete_record(scene.NOTE))
      failed(peergraph.PEER_E_INVALID_GRAPH, "", graph:update_record(scene.NOTE, { data = "" }))
      failed(peergraph.PEER_E_INVALID_GRAPH, "", graph:add_record { type = scene.NOTE, lifetime = 1 })
      failed(peergraph.PEER_E_INVALID_GRAPH, "", graph:batch(function() end))
    end)
  end)
end)
