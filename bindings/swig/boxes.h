/**
 * Handles and objects of the library as Lua values: userdata that end what they hold when they are collected or go out of
 * scope. Collection may come in any order, in a forked child, and after everything has ended: handles are not addresses,
 * and a dead one is only refused.
 */
#ifndef PEER_SWIG_BOXES_H
#define PEER_SWIG_BOXES_H

#include <lua.h>
#include <stdint.h>

enum box_kind {
    BOX_RUNTIME,
    BOX_GRAPH,
    BOX_QUEUE,
    BOX_ENUM,
    BOX_BATCH,
    BOX_RECORD,
    BOX_EVENT,
    BOX_NODE_INFO,
    BOX_CONNECTION_INFO,
    BOX_PROPERTIES,
    BOX_ATTRIBUTES,
    BOX_QUERY,
    BOX_ARRAY, /* of what a call gave; never seen in Lua */
    BOX_KINDS
};

/**
 * Pushes an empty box, before the call that fills it: afterwards nothing may fail until it holds what has to be freed.
 * `parent` is the index of a box that must live as long, or 0.
 */
void **peer__lua_push_box(lua_State *L, enum box_kind kind, int parent);

/** What the box at an index holds. Raises an error that names the argument if it is no box of this kind. */
void *peer__lua_unbox(lua_State *L, int index, enum box_kind kind);

/** Ends what a box holds now: for arrays, whose items have been read. */
void peer__lua_empty_box(lua_State *L, int index);

/** Pushes an array of boxes, each an owner of one of the items. */
void peer__lua_push_items(lua_State *L, uint32_t count, const void *const *items);

/** peer_free_data and peer_retain_data, on boxes of objects: the second owner is a second box. */
int peer__lua_free_data(lua_State *L);
int peer__lua_retain_data(lua_State *L);

#endif
