/**
 * Values between Lua and C. Two kinds of mistakes: a value of the wrong type, or a field that does not exist, is a mistake
 * in the program and raises an error that names it; a value that is not acceptable is refused as the library would, by a
 * result of -1 with the line about it on top of the stack (see peer__lua_refuse).
 *
 * What is read borrows from the Lua values, which stay on the stack for the call.
 */
#ifndef PEER_SWIG_VALUES_H
#define PEER_SWIG_VALUES_H

#include <lua.h>
#include <stddef.h>
#include <stdint.h>

#include "peergraph/peergraph.h"

int peer__lua_read_int32(lua_State *L, int index, const char *name, int32_t *out);
int peer__lua_read_uint32(lua_State *L, int index, const char *name, uint32_t *out);
int peer__lua_read_int64(lua_State *L, int index, const char *name, int64_t *out);
/** 16 hexadecimal digits; nil is 0. */
int peer__lua_read_node_id(lua_State *L, int index, const char *name, uint64_t *out);
/** nil is NULL. */
int peer__lua_read_text(lua_State *L, int index, const char *name, const char **out);
/** The printed form; `*out` is NULL for nil, else `space`. */
int peer__lua_read_guid(lua_State *L, int index, const char *name, peer_guid *space, const peer_guid **out);
/** An array of printed forms; nil is none. The memory is Lua's, and stays on the stack. */
int peer__lua_read_guids(lua_State *L, int index, const char *name, uint32_t *count_out, const peer_guid **out);
/** An array of tables with `type` and `record_type`; nil is none. */
int peer__lua_read_registrations(lua_State *L, int index, uint32_t *count_out, const peer_event_registration **out);

void peer__lua_push_guid(lua_State *L, const peer_guid *guid);
void peer__lua_push_node_id(lua_State *L, uint64_t id);
/** nil for NULL. */
void peer__lua_push_text(lua_State *L, const char *text);

enum field_kind {
    FIELD_INT32,
    FIELD_UINT32,
    FIELD_INT64,
    FIELD_COUNTER, /* 64 bits without a sign, which stay below 63 */
    FIELD_NODE_ID,
    FIELD_TEXT,
    FIELD_TEXTS,
    FIELD_GUID,
    FIELD_BYTES
};

/** One field of a struct, for the tables below. */
struct field {
    const char *name;
    enum field_kind kind;
    size_t offset;
    size_t count_offset; /* TEXTS and BYTES: how many there are */
};

/** The fields of each struct, as its table in Lua has them; the last has no name. */
extern const struct field peer__lua_startup_fields[];
extern const struct field peer__lua_version_fields[];
extern const struct field peer__lua_properties_fields[];
extern const struct field peer__lua_options_fields[];
extern const struct field peer__lua_node_info_fields[];
extern const struct field peer__lua_connection_info_fields[];
extern const struct field peer__lua_record_fields[];
extern const struct field peer__lua_event_fields[];

/** A string of any bytes, borrowed from Lua. */
void peer__lua_read_bytes(lua_State *L, int index, const char *name, const void **data_out, size_t *size_out);
/** 64 bits without a sign, which stay below 63. */
int peer__lua_read_counter(lua_State *L, int index, const char *name, uint64_t *out);

/** Reads a table into a struct that holds the defaults; what the table does not name keeps its default. */
int peer__lua_read_struct(lua_State *L, int index, const struct field *fields, void *out);

/** Pushes a struct as a table. Texts that are NULL and ids that are 0 are left out. */
void peer__lua_push_struct(lua_State *L, const struct field *fields, const void *in);

/** Pushes an array of structs as an array of tables. */
void peer__lua_push_structs(lua_State *L, const struct field *fields, size_t stride, uint32_t count, const void *in);

#endif
