#include "boxes.h"

#include <lauxlib.h>
#include <stddef.h>

#include "failures.h"
#include "peergraph/peergraph.h"

struct box {
    enum box_kind kind;
    void *value;
};

static const char *const names[BOX_KINDS] = {
    [BOX_RUNTIME] = "peer_runtime",
    [BOX_GRAPH] = "peer_graph",
    [BOX_QUEUE] = "peer_event_queue",
    [BOX_ENUM] = "peer_enum",
    [BOX_BATCH] = "peer_batch",
    [BOX_RECORD] = "peer_record",
    [BOX_EVENT] = "peer_event",
    [BOX_NODE_INFO] = "peer_node_info",
    [BOX_CONNECTION_INFO] = "peer_connection_info",
    [BOX_PROPERTIES] = "peer_graph_properties",
    [BOX_ATTRIBUTES] = "peer_attributes",
    [BOX_QUERY] = "peer_query",
    [BOX_ARRAY] = "peer_array",
};

/* A handle keeps its value, so that later calls say that it has ended. What is dead already is only refused. */
static void end(struct box *box)
{
    void *value = box->value;

    if (value == NULL)
        return;
    switch (box->kind) {
    case BOX_RUNTIME:
        peer_shutdown(value);
        break;
    case BOX_GRAPH:
        peer_graph_close(value);
        break;
    case BOX_QUEUE:
        peer_unregister_event(value);
        break;
    case BOX_ENUM:
        peer_end_enumeration(value);
        break;
    case BOX_BATCH:
        peer_batch_abort(value);
        break;
    default:
        box->value = NULL;
        peer_free_data(value);
        break;
    }
}

static int on_end(lua_State *L)
{
    end(lua_touserdata(L, 1));
    return 0;
}

static int on_tostring(lua_State *L)
{
    const struct box *box = lua_touserdata(L, 1);

    lua_pushfstring(L, "%s: %p", names[box->kind], box->value);
    return 1;
}

/* It is only known when it is whole: after a lack of memory on the way the next box makes another. */
static void push_metatable(lua_State *L, enum box_kind kind)
{
    static const luaL_Reg methods[] = {
        {"__gc", on_end},
        {"__close", on_end},
        {"__tostring", on_tostring},
        {NULL, NULL},
    };

    if (luaL_getmetatable(L, names[kind]) != LUA_TNIL)
        return;
    lua_pop(L, 1);
    luaL_newlib(L, methods);
    lua_pushstring(L, names[kind]);
    lua_setfield(L, -2, "__name");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable"); /* nobody but us calls __gc */
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, names[kind]);
}

void **peer__lua_push_box(lua_State *L, enum box_kind kind, int parent)
{
    struct box *box = lua_newuserdatauv(L, sizeof(*box), 1);

    box->kind = kind;
    box->value = NULL;
    push_metatable(L, kind);
    lua_setmetatable(L, -2);
    if (parent != 0) {
        lua_pushvalue(L, parent);
        lua_setiuservalue(L, -2, 1);
    }
    return &box->value;
}

void *peer__lua_unbox(lua_State *L, int index, enum box_kind kind)
{
    const struct box *box = luaL_testudata(L, index, names[kind]);

    if (box == NULL)
        luaL_typeerror(L, index, names[kind]);
    return box->value;
}

void peer__lua_empty_box(lua_State *L, int index)
{
    end(lua_touserdata(L, index));
}

/* What an enumeration gives: only the object itself knows. */
static enum box_kind kind_of_item(const void *item)
{
    peer_node_info_view node;
    peer_connection_info_view connection;

    if (peer_node_info_get_view(item, sizeof(node), &node) >= 0)
        return BOX_NODE_INFO;
    if (peer_connection_info_get_view(item, sizeof(connection), &connection) >= 0)
        return BOX_CONNECTION_INFO;
    return BOX_RECORD;
}

void peer__lua_push_items(lua_State *L, uint32_t count, const void *const *items)
{
    enum box_kind kind = count > 0 ? kind_of_item(items[0]) : BOX_RECORD;

    lua_createtable(L, (int)count, 0);
    for (uint32_t i = 0; i < count; i++) {
        void **box = peer__lua_push_box(L, kind, 0);
        if (peer_retain_data(items[i]) >= 0)
            *box = (void *)(uintptr_t)items[i];
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* The box of an object, or NULL for nil. */
static struct box *object_box(lua_State *L)
{
    if (lua_gettop(L) == 1 && lua_isnil(L, 1))
        return NULL;
    for (int kind = BOX_RECORD; kind < BOX_ARRAY; kind++) {
        struct box *box = luaL_testudata(L, 1, names[kind]);
        if (box != NULL)
            return box;
    }
    luaL_typeerror(L, 1, "object of peergraph");
    return NULL;
}

int peer__lua_free_data(lua_State *L)
{
    struct box *box = object_box(L);

    if (box != NULL)
        end(box);
    return 0;
}

int peer__lua_retain_data(lua_State *L)
{
    const struct box *box = object_box(L);
    void **copy = peer__lua_push_box(L, box == NULL ? BOX_ARRAY : box->kind, 0);
    peer_status status = peer_retain_data(box == NULL ? NULL : box->value);

    if (status < 0)
        return peer__lua_fail(L, status);
    *copy = box->value;
    return 1;
}
