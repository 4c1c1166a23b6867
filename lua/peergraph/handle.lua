--- What all handles have in common: they are closed once, by hand, at the end of a scope, or when they are collected.
-- Collecting is done by the userdata inside (peergraph.core), which also keeps alive what it depends on.
local core = require "peergraph.core"

local handle = {}

-- Codes of something that has ended by itself.
local GONE = {
  [core.E_INVALIDARG] = true,
  [core.PEER_E_INVALID_GRAPH] = true,
  [core.PEER_E_NOT_INITIALIZED] = true,
}

--- A class of handles, which `finish` ends in C; `describe` says what a particular one is.
function handle.class(name, finish, describe)
  local class = {}
  class.__index = class

  --- Ends it. May be called again, and after what it belongs to has ended.
  function class:close()
    if self._ended then
      return true
    end
    self._ended = true
    local good, message, code = finish(self._handle)
    if good or GONE[code] then
      return true
    end
    return nil, message, code
  end

  --- Whether it has ended, by itself or with what it belongs to.
  function class:closed()
    return self._ended == true or self._parent ~= nil and self._parent:closed()
  end

  function class:__close()
    self:close()
  end

  function class:__tostring()
    return ("<peergraph.%s%s %s>"):format(name, self:closed() and " closed" or "", describe(self))
  end

  return class
end

return handle
