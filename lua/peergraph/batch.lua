--- Changes that are stored, sent and announced together or not at all.
local changes = require "peergraph.changes"
local core = require "peergraph.core"
local handle = require "peergraph.handle"

local Batch = handle.class("Batch", core.peer_batch_abort, function(self)
  return "of " .. ("%q"):format(self._parent.id)
end)
changes.add_to(Batch)

function Batch:_graph()
  return self._parent
end

function Batch:_add(input)
  return core.peer_batch_add_record(self._handle, input)
end

function Batch:_update(input)
  return core.peer_batch_update_record(self._handle, input)
end

function Batch:_delete(id, security_data)
  if security_data then
    return core.peer_batch_delete_secured_record(self._handle, { id = id, security_data = security_data })
  end
  return core.peer_batch_delete_record(self._handle, id)
end

-- An update of what the batch itself has changed builds on that.
function Batch:_content(id)
  local held = self._held[id]
  if held then
    return held
  end
  return self._parent:_content(id)
end

function Batch:_remember(id, input)
  self._held[id] = input
end

--- Carries the batch out in one transaction. After a failure nothing was done.
function Batch:commit()
  self._ended = true
  return core.peer_batch_commit(self._handle)
end

--- Drops the batch; nothing was done. Nothing happens if it has ended.
Batch.abort = Batch.close

--- Begins a batch, to be committed or aborted.
local function begin(graph)
  local made, message, code = core.peer_graph_begin_batch(graph._handle)
  if not made then
    return nil, message, code
  end
  return setmetatable({ _handle = made, _parent = graph, _held = {} }, Batch)
end

--- Calls a function with a batch and commits it when the function returns; an error aborts, and goes on.
local function run(graph, change)
  local batch <close>, message, code = begin(graph)
  if not batch then
    return nil, message, code
  end
  change(batch)
  if batch:closed() then
    return true
  end
  return batch:commit()
end

return { Batch = Batch, begin = begin, run = run }
