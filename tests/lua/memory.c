/*
 * Runs a Lua script in a state that can be told to run out of memory: limit(n) lets n more allocations of Lua's succeed,
 * limit(-1) all. Under AddressSanitizer whatever the module loses on the way is a leak.
 */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>

int luaopen_peergraph_core(lua_State *L);

static lua_Integer budget = -1;

static void *allocate(void *unused, void *block, size_t old_size, size_t size)
{
    (void)unused;
    if (size == 0) {
        free(block);
        return NULL;
    }
    if (block == NULL || size > old_size) { /* Lua relies on shrinking */
        if (budget == 0)
            return NULL;
        if (budget > 0)
            budget--;
    }
    return realloc(block, size);
}

static int limit(lua_State *L)
{
    budget = luaL_checkinteger(L, 1);
    return 0;
}

int main(int argc, char **argv)
{
    lua_State *L = lua_newstate(allocate, NULL);

    if (L == NULL || argc != 3)
        return 2;
    luaL_openlibs(L);
    luaL_requiref(L, "peergraph.core", luaopen_peergraph_core, 0);
    lua_pop(L, 1);
    lua_register(L, "limit", limit);
    int failed = luaL_loadfile(L, argv[1]) != LUA_OK;
    if (!failed) {
        lua_pushstring(L, argv[2]);
        failed = lua_pcall(L, 1, 0, 0) != LUA_OK;
    }
    if (failed)
        fprintf(stderr, "%s\n", lua_tostring(L, -1));
    lua_close(L);
    return failed;
}
