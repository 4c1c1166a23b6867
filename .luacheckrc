-- What luacheck takes for granted: Lua 5.4, and in the tests what busted brings.
std = "lua54"
max_line_length = 120
files["tests/lua"] = { std = "+busted" }
