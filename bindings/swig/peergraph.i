/*
 * The Lua module peergraph.core: the functions and constants of the public headers, which SWIG reads themselves, so that
 * the module cannot drift from the library. How their arguments and results look in Lua is said in typemaps.i.
 *
 *     python bindings/swig/generate.py       makes peergraph_wrap.c of this
 */
%module peergraph_core

%{
#include "boxes.h"
#include "clock.h"
#include "failures.h"
#include "peergraph/peergraph.h"
#include "values.h"

/* As everywhere in Lua: what is missing is nil, and what is too much is ignored. */
#undef SWIG_check_num_args
#define SWIG_check_num_args(function_name, fewest, most) lua_settop(L, most);
%}

/* In Lua a struct is a table. */
%rename("$ignore", %$isclass) "";

%include "typemaps.i"

/* Freeing empties the box, and the second owner is a second box. */
%native(peer_free_data) int peer__lua_free_data(lua_State *L);
%native(peer_retain_data) int peer__lua_retain_data(lua_State *L);
%ignore peer_free_data;
%ignore peer_retain_data;

%include "peergraph/codes.h"
%include "peergraph/peergraph.h"

%rename(utc_us) peer__lua_utc_us;
%rename(monotonic_us) peer__lua_monotonic_us;
int64_t peer__lua_utc_us(void);
int64_t peer__lua_monotonic_us(void);
