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

/* peer_get_item_views of other enumerations than of records. */
static peer_status peer__lua_node_views(peer_enum *enumeration, uint32_t count_max, size_t view_size,
                                        uint32_t *count_out, const peer_node_info_view **views_out)
{
    return peer_get_item_views(enumeration, count_max, view_size, count_out, (const void **)views_out);
}

static peer_status peer__lua_connection_views(peer_enum *enumeration, uint32_t count_max, size_t view_size,
                                              uint32_t *count_out, const peer_connection_info_view **views_out)
{
    return peer_get_item_views(enumeration, count_max, view_size, count_out, (const void **)views_out);
}
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
%include "peergraph/records.h"

%rename(get_node_views) peer__lua_node_views;
%rename(get_connection_views) peer__lua_connection_views;
peer_status peer__lua_node_views(peer_enum *enumeration, uint32_t count_max, size_t view_size,
                                 uint32_t *count_out, const peer_node_info_view **views_out);
peer_status peer__lua_connection_views(peer_enum *enumeration, uint32_t count_max, size_t view_size,
                                       uint32_t *count_out, const peer_connection_info_view **views_out);

%rename(utc_us) peer__lua_utc_us;
%rename(monotonic_us) peer__lua_monotonic_us;
int64_t peer__lua_utc_us(void);
int64_t peer__lua_monotonic_us(void);
