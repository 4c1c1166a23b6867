#include "failures.h"

static int fail(lua_State *L, peer_status status, const char *line)
{
    /* The line first: a collection on the way could end something, and fail at it. */
    lua_pushfstring(L, "%s: %s", peer_status_name(status), line[0] != '\0' ? line : peer_status_text(status));
    lua_pushnil(L);
    lua_insert(L, -2);
    lua_pushinteger(L, status);
    return 3;
}

int peer__lua_fail(lua_State *L, peer_status status)
{
    return fail(L, status, peer_last_error_message());
}

int peer__lua_fail_quietly(lua_State *L, peer_status status)
{
    return fail(L, status, "");
}

int peer__lua_refuse(lua_State *L)
{
    return fail(L, E_INVALIDARG, lua_tostring(L, -1));
}

int peer__lua_finish(lua_State *L, int results, peer_status status)
{
    int pushed = 0;

    if (results == 0) {
        lua_pushboolean(L, 1);
        pushed++;
    }
    if (status > 0) {
        lua_pushinteger(L, status);
        pushed++;
    }
    return pushed;
}
