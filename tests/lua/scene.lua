-- What the Lua tests share: folders that vanish, and waiting that always ends.
local core = require "peergraph.core"

local scene = {
  NOTE = "6e6f7465-0000-4000-8000-000000000001",
  OTHER = "6e6f7465-0000-4000-8000-000000000002",
  PATIENCE = 20, -- seconds after which something that should happen has not happened
}

scene.EVERY_BYTE = {}
for byte = 0, 255 do
  scene.EVERY_BYTE[byte + 1] = string.char(byte)
end
scene.EVERY_BYTE = table.concat(scene.EVERY_BYTE)

local folders = {}

--- The name of a folder that does not exist yet.
function scene.folder()
  local name = os.tmpname()
  os.remove(name)
  folders[#folders + 1] = name
  return name
end

--- Removes all folders; everything in them is closed by then.
function scene.clean()
  collectgarbage()
  collectgarbage()
  for _, name in ipairs(folders) do
    os.execute("rm -rf '" .. name .. "'")
  end
  folders = {}
end

--- Calls the function with the time left until it gives something, and gives that.
function scene.wait_until(condition)
  local deadline = core.monotonic_us() + scene.PATIENCE * 1000000
  while true do
    local left = (deadline - core.monotonic_us()) / 1000000
    local result = condition(math.max(left, 0))
    if result then
      return result
    end
    assert(left > 0, "it did not happen")
  end
end

return scene
