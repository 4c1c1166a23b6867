-- Queries of the fine layer: comparisons in place of XML.
local peergraph = require "peergraph"
local scene = require "scene"

local Attr = peergraph.Attr
local failed = scene.failed
local NOTE, OTHER = scene.NOTE, scene.OTHER

describe("a query", function()
  local graph, runtime, ids

  setup(function()
    runtime = assert(peergraph.open_runtime(scene.folder()))
    graph = assert(runtime:create_graph("film club", { peer_id = "alice" }))
    ids = {}
    for size = 0, 9 do
      ids[size] = assert(graph:add_record {
        type = size < 9 and NOTE or OTHER,
        data = tostring(size),
        attributes = {
          size = size,
          path = ("docs/data-0%d.xml"):format(size),
          made = peergraph.date(("2003-02-%02d"):format(size + 1)),
        },
        lifetime = 3600,
      })
    end
  end)

  teardown(function()
    runtime:close()
    scene.clean()
  end)

  local function found(query)
    local list = {}
    for record in assert(graph:search(query)) do
      list[#list + 1] = record.data
    end
    table.sort(list)
    return table.concat(list)
  end

  it("finds what is compared", function()
    assert.are.equal("5", found(Attr "size":eq(5)))
    assert.are.equal("5", found(Attr "size":eq(5.0)))
    assert.are.equal("012346789", found(Attr "size":ne(5)))
    assert.are.equal("01", found(Attr "size":lt(2)))
    assert.are.equal("012", found(Attr "size":le(2)))
    assert.are.equal("89", found(Attr "size":gt(7)))
    assert.are.equal("789", found(Attr "size":ge(7)))
    assert.are.equal("0123456789", found(Attr "size":gt(math.mininteger) & Attr "size":lt(math.maxinteger)))
    assert.are.equal("", found(Attr "size":eq "5"))
    assert.are.equal("012", found(Attr "path":lt "docs/data-03"))
    local third, fifth = peergraph.date "2003-02-03", peergraph.date "2003-02-05"
    assert.are.equal("34", found(Attr "made":gt(third) & Attr "made":le(fifth)))
    assert.are.equal("3", found(Attr "made":eq(peergraph.date(1044316800000000))))
  end)

  it("knows the fields of every record", function()
    local record = assert(graph:get_record(ids[4]))
    assert.are.equal("4", found(Attr "peerrecordid":eq(ids[4])))
    assert.are.equal("9", found(Attr "peerrecordtype":eq(OTHER)))
    assert.are.equal("9", found(Attr "peerrecordtype":eq(OTHER:upper())))
    assert.are.equal("0123456789", found(Attr "peercreatorid":like "al?ce"))
    assert.is_true(found(Attr "peercreationtime":eq(peergraph.date(record.created_us))):find "4" ~= nil)
    assert.are.equal("", found(Attr "peercreationtime":lt(peergraph.date(graph:now() - 3600000000))))
  end)

  it("has wildcards where they are asked for", function()
    assert.are.equal("0123456789", found(Attr "path":like "docs/*"))
    assert.are.equal("7", found(Attr "path":like "*?7.xml"))
    assert.are.equal("", found(Attr "path":eq "docs/*"))
    assert.are.equal("", found(Attr "path":like "docs/\\*"))
    assert.are.equal("a\\*\\?\\\\b", peergraph.escape_wildcards "a*?\\b")
    assert.are.equal("", found(Attr "path":like(peergraph.escape_wildcards "docs/?" .. "*")))
    local text = "<&>\"'*?\\\r\n\t\u{1f600}"
    local id = assert(graph:add_record { type = NOTE, data = "x", attributes = { text = text }, lifetime = 3600 })
    assert.are.equal("x", found(Attr "text":eq(text)))
    assert.are.equal("x", found(Attr "text":like(peergraph.escape_wildcards(text))))
    assert.are.equal("", found(Attr "text":ne(text)))
    assert(graph:delete_record(id))
  end)

  it("is joined with & and |", function()
    assert.are.equal("1269", found(Attr "size":gt(0) & Attr "size":lt(3) | Attr "size":eq(6) | Attr "size":eq(9)))
    assert.are.equal("12", found(Attr "size":gt(0) & (Attr "size":lt(3) | Attr "size":eq(0)) & Attr "path":like "*"))
    local one, two = Attr "size":eq(1), Attr "size":eq(2)
    local joined = one | two
    assert.are.equal("1", found(one))
    assert.are.equal("12", found(joined | joined))
    assert.are.equal("12", found(joined))
  end)

  it("may be long, but not too long", function()
    local query = Attr "size":eq(0)
    for size = 1, 1022 do
      query = query | Attr "size":eq(size)
    end
    assert.are.equal("0123456789", found(query))
    query = query | Attr "size":eq(0)
    failed(peergraph.PEER_E_INVALID_SEARCH, "more than 1024", graph:search(query))
    query = Attr "size":eq(0)
    for _ = 1, 200 do
      query = query & Attr "size":eq(0) | Attr "size":eq(0)
    end
    failed(peergraph.PEER_E_INVALID_SEARCH, "nested deeper than 63", query:get_xml())
  end)

  it("is XML", function()
    local query = Attr "a":ge(-1) & (Attr "b":eq "x*" | Attr "c":like "x*" | Attr "d":ne(peergraph.date(0)))
    local xml = assert(query:get_xml())
    assert.are.equal('<peersearch><and><clause attrib="a" type="int" compare="greaterorequal">-1</clause>'
      .. '<or><clause attrib="b" type="string" compare="equal">x\\*</clause>'
      .. '<clause attrib="c" type="string" compare="equal">x*</clause>'
      .. '<clause attrib="d" type="date" compare="notequal">1970-01-01T00:00:00.000000Z</clause>'
      .. '</or></and></peersearch>',
      xml)
    assert.are.equal("5", found(Attr "size":eq(5):get_xml()))
    local enumeration <close> = assert(graph:search_records(Attr "size":lt(5)))
    assert.are.equal(5, enumeration:get_item_count())
  end)

  it("is shown as it is written", function()
    local query = Attr "size":gt(5) & (Attr "t":eq "x" | Attr "p":like "docs/*" | Attr "d":le(peergraph.date "2003"))
    assert.are.equal('(Attr "size":gt(5) & (Attr "t":eq("x") | Attr "p":like("docs/*") | Attr "d":le(date "2003")))',
      tostring(query))
    assert.are.equal('Attr "size"', tostring(Attr "size"))
  end)

  it("tells what no query can hold", function()
    failed(peergraph.PEER_E_INVALID_SEARCH, "a b", graph:search(Attr "a b":eq(1)))
    local good, bad = Attr "c":eq(1), Attr "a b":eq(1)
    failed(peergraph.PEER_E_INVALID_SEARCH, "a b", graph:search_records(good & (good | bad | good) & good))
    failed(peergraph.PEER_E_INVALID_SEARCH, "is a string", graph:search(Attr "peerrecordid":eq(1)))
    failed(peergraph.PEER_E_INVALID_SEARCH, "control character", graph:search(Attr "a":eq "\1"))
    failed(peergraph.E_INVALIDARG, "NUL", graph:search(Attr "a":eq "a\0b"))
    failed(peergraph.E_INVALIDARG, "may stand before", graph:search(Attr "a":like "C:\\x"))
  end)

  it("of mistakes is an error", function()
    scene.raises_here("the name of an attribute must be a string, not number", function() Attr(5) end)
    scene.raises_here('attribute "a" is compared with a string, an integer or a date, not 1.5', function()
      Attr "a":gt(1.5)
    end)
    scene.raises_here('attribute "a" is compared with a string, an integer or a date, not nil', function()
      Attr "a":eq(nil)
    end)
    scene.raises_here("a pattern must be a string, not number", function() Attr "a":like(5) end)
    scene.raises_here("text must be a string, not nil", function() peergraph.escape_wildcards(nil) end)
    scene.raises_here("& joins queries, not boolean", function() return Attr "a":eq(1) & true end)
    scene.raises_here("& joins queries, not nil", function() return Attr "a":eq(1) & nil end)
    scene.raises_here("| joins queries, not nil", function() return nil | Attr "a":eq(1) end)
    scene.raises_here("& joins queries, not number", function() return 5 & Attr "a":eq(1) end)
    scene.raises_here("| joins queries, not an attribute", function() return Attr "a":eq(1) | Attr "b" end)
    scene.raises_here("an attribute is compared with a method", function() return Attr "a" < 5 end)
    scene.raises_here("an attribute is compared with a method", function() return 5 <= Attr "a" end)
    scene.raises_here("query must be a query or a string, not number", function() graph:search(5) end)
    scene.raises_here("criteria must be a query or a string, not nil", function() graph:search_records() end)
    scene.raises_here("query must be a query or a string, not an attribute; compare it with something", function()
      graph:search(Attr "size")
    end)
  end)
end)
