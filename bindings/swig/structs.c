/* The structs of the API as Lua tables: which fields they have, and how a table is read and made. */
#include <lauxlib.h>
#include <string.h>

#include "values.h"

#define FIELD(struct_type, member, kind) {#member, kind, offsetof(struct_type, member), 0}
#define COUNTED(struct_type, member, count_member, kind)                                                               \
    {#member, kind, offsetof(struct_type, member), offsetof(struct_type, count_member)}
#define END_OF_FIELDS {NULL, FIELD_INT32, 0, 0}

const struct field peer__lua_startup_fields[] = {
    FIELD(peer_startup_input, flags, FIELD_UINT32),
    FIELD(peer_startup_input, data_directory, FIELD_TEXT),
    END_OF_FIELDS,
};

const struct field peer__lua_version_fields[] = {
    FIELD(peer_version_data, version, FIELD_UINT32),
    FIELD(peer_version_data, highest_version, FIELD_UINT32),
    END_OF_FIELDS,
};

const struct field peer__lua_properties_fields[] = {
    FIELD(peer_graph_properties_view, flags, FIELD_UINT32),
    FIELD(peer_graph_properties_view, scope, FIELD_UINT32),
    FIELD(peer_graph_properties_view, max_record_size, FIELD_UINT32),
    FIELD(peer_graph_properties_view, presence_lifetime_s, FIELD_UINT32),
    FIELD(peer_graph_properties_view, presence_max, FIELD_INT32),
    FIELD(peer_graph_properties_view, graph_id, FIELD_TEXT),
    FIELD(peer_graph_properties_view, creator_id, FIELD_TEXT),
    FIELD(peer_graph_properties_view, friendly_name, FIELD_TEXT),
    FIELD(peer_graph_properties_view, comment, FIELD_TEXT),
    END_OF_FIELDS,
};

const struct field peer__lua_options_fields[] = {
    FIELD(peer_graph_options_input, flags, FIELD_UINT32),
    FIELD(peer_graph_options_input, max_database_bytes, FIELD_COUNTER),
    FIELD(peer_graph_options_input, max_bytes_per_creator, FIELD_COUNTER),
    END_OF_FIELDS,
};

const struct field peer__lua_node_info_fields[] = {
    FIELD(peer_node_info_view, node_id, FIELD_NODE_ID),
    FIELD(peer_node_info_view, peer_id, FIELD_TEXT),
    FIELD(peer_node_info_view, attributes, FIELD_TEXT),
    COUNTED(peer_node_info_view, addresses, address_count, FIELD_TEXTS),
    END_OF_FIELDS,
};

const struct field peer__lua_connection_info_fields[] = {
    FIELD(peer_connection_info_view, flags, FIELD_UINT32),
    FIELD(peer_connection_info_view, connection_id, FIELD_COUNTER),
    FIELD(peer_connection_info_view, node_id, FIELD_NODE_ID),
    FIELD(peer_connection_info_view, peer_id, FIELD_TEXT),
    FIELD(peer_connection_info_view, address, FIELD_TEXT),
    FIELD(peer_connection_info_view, lost_count, FIELD_COUNTER),
    END_OF_FIELDS,
};

const struct field peer__lua_record_fields[] = {
    FIELD(peer_record_view, version, FIELD_UINT32),
    FIELD(peer_record_view, id, FIELD_GUID),
    FIELD(peer_record_view, type, FIELD_GUID),
    FIELD(peer_record_view, flags, FIELD_UINT32),
    FIELD(peer_record_view, created_us, FIELD_INT64),
    FIELD(peer_record_view, expires_us, FIELD_INT64),
    FIELD(peer_record_view, modified_us, FIELD_INT64),
    FIELD(peer_record_view, creator_id, FIELD_TEXT),
    FIELD(peer_record_view, modifier_id, FIELD_TEXT),
    FIELD(peer_record_view, attributes, FIELD_TEXT),
    COUNTED(peer_record_view, data, size, FIELD_BYTES),
    COUNTED(peer_record_view, security_data, security_data_size, FIELD_BYTES),
    END_OF_FIELDS,
};

const struct field peer__lua_event_fields[] = {
    FIELD(peer_event_view, type, FIELD_INT32),
    FIELD(peer_event_view, change, FIELD_INT32),
    FIELD(peer_event_view, reason, FIELD_INT32),
    FIELD(peer_event_view, status, FIELD_UINT32),
    FIELD(peer_event_view, connection_id, FIELD_COUNTER),
    FIELD(peer_event_view, next_connection_id, FIELD_COUNTER),
    FIELD(peer_event_view, node_id, FIELD_NODE_ID),
    FIELD(peer_event_view, lost_count, FIELD_COUNTER),
    FIELD(peer_event_view, record_id, FIELD_GUID),
    FIELD(peer_event_view, record_type, FIELD_GUID),
    FIELD(peer_event_view, peer_id, FIELD_TEXT),
    FIELD(peer_event_view, message, FIELD_TEXT),
    COUNTED(peer_event_view, data, size, FIELD_BYTES),
    FIELD(peer_event_view, validation_id, FIELD_COUNTER),
    END_OF_FIELDS,
};

/* ---- reading */

static const struct field *find_field(lua_State *L, const struct field *fields, int key)
{
    const char *name = lua_type(L, key) == LUA_TSTRING ? lua_tostring(L, key) : NULL;

    for (const struct field *field = fields; name != NULL && field->name != NULL; field++)
        if (strcmp(field->name, name) == 0)
            return field;
    luaL_error(L, "there is no field \"%s\"", luaL_tolstring(L, key, NULL));
    return NULL;
}

void peer__lua_read_bytes(lua_State *L, int index, const char *name, const void **data_out, size_t *size_out)
{
    if (lua_type(L, index) != LUA_TSTRING)
        luaL_error(L, "%s must be a string, not %s", name, luaL_typename(L, index));
    *data_out = lua_tolstring(L, index, size_out);
}

int peer__lua_read_counter(lua_State *L, int index, const char *name, uint64_t *out)
{
    int64_t value;

    if (peer__lua_read_int64(L, index, name, &value) != 0)
        return -1;
    if (value < 0)
        return luaL_error(L, "%s is negative", name);
    *out = (uint64_t)value;
    return 0;
}

static int read_field(lua_State *L, int index, const struct field *field, char *out)
{
    const peer_guid *guid;

    switch (field->kind) {
    case FIELD_INT32:
        return peer__lua_read_int32(L, index, field->name, (int32_t *)(void *)(out + field->offset));
    case FIELD_UINT32:
        return peer__lua_read_uint32(L, index, field->name, (uint32_t *)(void *)(out + field->offset));
    case FIELD_INT64:
        return peer__lua_read_int64(L, index, field->name, (int64_t *)(void *)(out + field->offset));
    case FIELD_COUNTER:
        return peer__lua_read_counter(L, index, field->name, (uint64_t *)(void *)(out + field->offset));
    case FIELD_TEXT:
        return peer__lua_read_text(L, index, field->name, (const char **)(void *)(out + field->offset));
    case FIELD_GUID:
        return peer__lua_read_guid(L, index, field->name, (peer_guid *)(void *)(out + field->offset), &guid);
    case FIELD_BYTES:
        peer__lua_read_bytes(L, index, field->name, (const void **)(void *)(out + field->offset),
                             (size_t *)(void *)(out + field->count_offset));
        return 0;
    default: /* what is only given out */
        return luaL_error(L, "%s cannot be given", field->name);
    }
}

int peer__lua_read_struct(lua_State *L, int index, const struct field *fields, void *out)
{
    if (lua_type(L, index) != LUA_TTABLE)
        return luaL_typeerror(L, index, "table");
    luaL_checkstack(L, 4, NULL);
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        int value = lua_gettop(L);
        const struct field *field = find_field(L, fields, value - 1);
        if (read_field(L, value, field, out) != 0)
            return -1;
        lua_settop(L, value - 1);
    }
    return 0;
}

/* ---- making */

static int is_zero(const peer_guid *guid)
{
    static const peer_guid zero;
    return memcmp(guid, &zero, sizeof(zero)) == 0;
}

static void push_texts(lua_State *L, const char *const *texts, uint32_t count)
{
    lua_createtable(L, (int)count, 0);
    for (uint32_t i = 0; i < count; i++) {
        lua_pushstring(L, texts[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static void push_field(lua_State *L, const struct field *field, const char *in)
{
    const void *at = in + field->offset;
    const void *count = in + field->count_offset;

    switch (field->kind) {
    case FIELD_INT32:
        lua_pushinteger(L, *(const int32_t *)at);
        break;
    case FIELD_UINT32:
        lua_pushinteger(L, *(const uint32_t *)at);
        break;
    case FIELD_INT64:
        lua_pushinteger(L, *(const int64_t *)at);
        break;
    case FIELD_COUNTER:
        lua_pushinteger(L, (lua_Integer) * (const uint64_t *)at);
        break;
    case FIELD_NODE_ID:
        peer__lua_push_node_id(L, *(const uint64_t *)at);
        break;
    case FIELD_TEXT:
        peer__lua_push_text(L, *(const char *const *)at);
        break;
    case FIELD_TEXTS:
        push_texts(L, *(const char *const *const *)at, *(const uint32_t *)count);
        break;
    case FIELD_BYTES:
        lua_pushlstring(L, *(const void *const *)at, *(const size_t *)count);
        break;
    case FIELD_GUID:
        if (is_zero(at))
            lua_pushnil(L);
        else
            peer__lua_push_guid(L, at);
        break;
    }
}

void peer__lua_push_struct(lua_State *L, const struct field *fields, const void *in)
{
    luaL_checkstack(L, 4, NULL);
    lua_newtable(L);
    for (const struct field *field = fields; field->name != NULL; field++) {
        push_field(L, field, in);
        lua_setfield(L, -2, field->name);
    }
}

void peer__lua_push_structs(lua_State *L, const struct field *fields, size_t stride, uint32_t count, const void *in)
{
    lua_createtable(L, (int)count, 0);
    for (uint32_t i = 0; i < count; i++) {
        peer__lua_push_struct(L, fields, (const char *)in + i * stride);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}
