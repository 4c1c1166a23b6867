--- Queues of events: EventQueue as C has them, and Events to iterate over.
local check = require "peergraph.check"
local core = require "peergraph.core"
local event = require "peergraph.event"
local handle = require "peergraph.handle"
local names = require "peergraph.names"

local queue = {}

local BATCH = 256
local SLICE_MS = 200 -- no wait in C is longer, so that Ctrl-C gets through

-- Which kinds come without being asked for, and which may be asked for by type of record.
local ALWAYS = { overflow = true, closed = true, writable = true }
local FILTERED = { record_changed = true, synchronized = true }

local function describe(self)
  return "of " .. ("%q"):format(self._parent.id)
end

-- ---- registrations

-- These are two calls below the method that the program calls.
local function filters_of(record_type)
  if type(record_type) ~= "table" then
    check.value("record_type", record_type, "string", true, 2)
    return { record_type or false }
  elseif #record_type == 0 then
    error("record_type is empty; leave it out to hear of every type", 4)
  end
  return record_type
end

local function kinds_of(wanted, filtered)
  local kinds, count = {}, 0
  for index, kind in ipairs(wanted) do
    check.one_of("event " .. index, kind, names.event_numbers, 2)
    kinds[kind] = not ALWAYS[kind] or nil
    count = count + 1
  end
  if count == 0 and filtered then
    for kind, number in pairs(names.event_numbers) do
      kinds[kind] = number < core.PEER_EVENT_OVERFLOW or nil
    end
  elseif count > 0 and next(kinds) == nil then
    error("overflow, closed and writable come by themselves; name what else is wanted", 4)
  end
  return kinds
end

--- What to register for: an array of words, and record_type as one id or an array of them. No words: every event.
local function registrations(wanted)
  if wanted == nil then
    return nil
  elseif type(wanted) ~= "table" then
    error("events takes a table of kinds, not " .. type(wanted), 3)
  end
  for key in pairs(wanted) do
    if math.type(key) ~= "integer" and key ~= "record_type" then
      error(('events has no field "%s"; there is record_type'):format(tostring(key)), 3)
    end
  end
  local filters = filters_of(wanted.record_type)
  local list = {}
  for kind in pairs(kinds_of(wanted, wanted.record_type ~= nil)) do
    for _, filter in ipairs(FILTERED[kind] and filters or { false }) do
      list[#list + 1] = { type = names.event_numbers[kind], record_type = filter or nil }
    end
  end
  return list
end

local function register(graph, class, wanted)
  local made, message, code = core.peer_graph_register_event(graph._handle, registrations(wanted))
  if not made then
    return nil, message, code
  end
  return setmetatable({ _handle = made, _parent = graph, _buffer = {}, _at = 1, _batch = BATCH }, class)
end

-- ---- waiting

-- Waits until the queue holds something: true, or false when the time is over or nothing will come any more.
local function wait(self, timeout)
  local deadline = timeout and core.monotonic_us() + timeout * 1e6
  while true do
    local left_ms = deadline and math.ceil((deadline - core.monotonic_us()) / 1000) or SLICE_MS
    local good, empty, code = core.peer_event_queue_wait(self._handle, math.max(0, math.min(left_ms, SLICE_MS)))
    if not good then
      return nil, empty, code
    elseif not empty then
      return true
    elseif deadline and core.monotonic_us() >= deadline then
      return false
    end
  end
end

-- ---- the exact one

local EventQueue = handle.class("EventQueue", core.peer_unregister_event, describe)
queue.EventQueue = EventQueue

--- Whether it was unregistered; a queue outlives its graph.
function EventQueue:closed()
  return self._ended == true
end

--- PeerGraphUnregisterEvent; the same as close.
EventQueue.unregister_event = EventQueue.close

--- Takes one event; nil, message, PEER_S_NO_EVENT_DATA if the queue is empty. A closed event is the last.
function EventQueue:get_event_data()
  local object, message, code = core.peer_get_event_data(self._handle)
  if object then
    return event.from_view(core.peer_event_get_view(object), self._parent)
  elseif object == false then
    return nil, "the queue is empty", core.PEER_S_NO_EVENT_DATA
  end
  return nil, message, code
end

--- Takes up to so many events at once; an empty array if there is none.
function EventQueue:get_event_batch(count_max)
  check.value("count_max", count_max, "integer", true)
  local views, message, code = core.peer_get_event_batch(self._handle, count_max or BATCH)
  if not views then
    return nil, message, code
  end
  for index, view in ipairs(views) do
    views[index] = event.from_view(view, self._parent)
  end
  return views
end

--- Waits until the queue holds something, at most for so many seconds; false if the time is over first.
function EventQueue:wait(timeout)
  check.timeout(timeout)
  return wait(self, timeout)
end

--- A descriptor that is readable exactly while the queue holds something; never read or close it.
function EventQueue:fileno()
  return core.peer_event_queue_get_descriptor(self._handle)
end

function queue.register(graph, wanted)
  return register(graph, EventQueue, wanted)
end

-- ---- the fine one

--- A graph's events from now on, to iterate over: `for event in events do`. It waits for the next event, and ends when
--- the graph is closed. It may be left and taken up again: events wait in the queue.
local Events = handle.class("Events", core.peer_unregister_event, describe)
queue.Events = Events

-- Takes what waits in C into the buffer, which is empty.
local function refill(self, count_max)
  if self._ended or self._last then
    return
  end
  local views, message, code = core.peer_get_event_batch(self._handle, count_max)
  if not views then
    return nil, message, code
  end
  for index, view in ipairs(views) do
    views[index] = event.from_view(view, self._parent)
  end
  if #views > 0 and views[#views].type == "closed" then
    self._last = table.remove(views)
  end
  self._buffer, self._at = views, 1
end

-- The next event, or nil if there is none now; `count` is how many are taken from C at once.
local function take_one(self, count)
  local problem, code
  if not self._buffer[self._at] then
    problem, code = select(2, refill(self, count))
  end
  local taken = self._buffer[self._at]
  if taken then
    self._buffer[self._at] = false
    self._at = self._at + 1
    return taken
  end
  return nil, problem, code
end

--- The closed event, which says why no more events come; false if more may come.
function Events:closed()
  if self._ended and not self._last then
    self._last = event.own_close()
  end
  return not self._buffer[self._at] and self._last or false
end

--- Waits until there is an event, or the last one was taken; false if so many seconds are over first.
function Events:wait(timeout)
  check.timeout(timeout)
  if self._buffer[self._at] or self:closed() then
    return true
  end
  return wait(self, timeout)
end

--- The next event; waits for it, at most for so many seconds: nil, message, PEER_S_NO_EVENT_DATA. At the end, the
--- closed event each time.
function Events:get(timeout)
  check.timeout(timeout)
  local deadline = timeout and core.monotonic_us() + timeout * 1e6
  while true do
    local taken, message, code = take_one(self, self._batch)
    taken = taken or self:closed()
    if taken then
      return taken
    elseif message then
      return nil, message, code
    end
    local left = deadline and (deadline - core.monotonic_us()) / 1e6
    if left and left <= 0 then
      return nil, ("no event within %s s"):format(timeout), core.PEER_S_NO_EVENT_DATA
    end
    wait(self, left)
  end
end

--- The events that wait now, at most so many, without waiting; an empty array if there is none.
function Events:take(count_max)
  check.value("count_max", count_max, "integer", true)
  count_max = count_max or BATCH
  local first, message, code = take_one(self, count_max)
  if message then
    return nil, message, code
  end
  local taken = { first }
  while #taken < count_max and self._buffer[self._at] do
    taken[#taken + 1] = take_one(self)
  end
  return taken
end

--- For loops: calls a function with what waits now, at most so many, until it gives false. What it was not called with
--- stays in the queue.
function Events:_each(count_max, call)
  local taken, message = take_one(self, count_max)
  assert(taken or not message, message)
  while taken and call(taken) do
    taken = self._buffer[self._at] and take_one(self)
  end
end

--- A descriptor that is readable exactly while events wait, for a loop of one's own; never read or close it. From then
--- on events are taken one at a time; `take` is the faster way to get many.
function Events:fileno()
  self._batch = 1
  return core.peer_event_queue_get_descriptor(self._handle)
end

--- What a for loop calls.
function Events:__call()
  local taken = self:get()
  if taken == self._last then
    self:close()
    return nil
  end
  return taken
end

local end_queue = Events.close

--- Ends the subscription. Who watches its descriptor stops first. May be called again.
function Events:close()
  if self._watcher then
    self._watcher:stop()
  end
  if not self._ended then
    self._buffer, self._at = {}, 1
  end
  return end_queue(self)
end

function queue.events(graph, wanted)
  return register(graph, Events, wanted)
end

return queue
