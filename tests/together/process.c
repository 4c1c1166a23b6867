/* What Lua's own library lacks for the tests of processes: fork, wait, and an end without any cleaning up. */
#include <lauxlib.h>
#include <lua.h>
#include <sys/wait.h>
#include <unistd.h>

int luaopen_process(lua_State *L);

static int process_fork(lua_State *L)
{
    lua_pushinteger(L, fork());
    return 1;
}

/* The exit status of a child, or minus the signal that killed it. */
static int process_wait(lua_State *L)
{
    int status = 0;

    if (waitpid((pid_t)luaL_checkinteger(L, 1), &status, 0) < 0)
        return luaL_error(L, "there is no such child");
    lua_pushinteger(L, WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
    return 1;
}

static int process_exit(lua_State *L)
{
    _exit((int)luaL_checkinteger(L, 1));
}

int luaopen_process(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"fork", process_fork},
        {"wait", process_wait},
        {"exit", process_exit},
        {NULL, NULL},
    };

    luaL_newlib(L, functions);
    return 1;
}
