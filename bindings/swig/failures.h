/** What a failed call gives back in Lua: nil, a line that begins with the name of the status, and the status. */
#ifndef PEER_SWIG_FAILURES_H
#define PEER_SWIG_FAILURES_H

#include <lua.h>

#include "peergraph/peergraph.h"

/** The failure of a call just made, with the library's line about it. Gives the number of results. */
int peer__lua_fail(lua_State *L, peer_status status);

/** The same for functions that leave the last error as it was. */
int peer__lua_fail_quietly(lua_State *L, peer_status status);

/** E_INVALIDARG for an argument that never reached the library; the line about it is on top of the stack. */
int peer__lua_refuse(lua_State *L);

/** After success: pushes true if the call gave nothing, and a positive status after what it gave. How many were pushed. */
int peer__lua_finish(lua_State *L, int results, peer_status status);

#endif
